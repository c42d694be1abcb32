//! Scores of records that are merged and taken out again, and those for records that are.

use serde_json::{Value, json};
use tests::TestServer;

use super::{assess, contact, counted, criterion, lead_score, lines, score_of};
use crate::fixture::{Silence, create_id, id, results};

async fn what_was_said_of_a_merged_record_counts_for_the_one_that_remains(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let size = criterion(&tenant, "Size", "20", "1").await;
    let (ada, eve) = (contact(&tenant, json!({})).await, contact(&tenant, json!({})).await);
    assess(&tenant, &ada).await;
    let said = json!({"score": 90, "rationale": "Large"});
    tenant.put(&format!("{}/criteria/{size}", score_of(&eve)), &said).await.ok(200);
    tenant.post(&format!("/records/contact/{ada}/merge"), &json!({"from": [eve]})).await.ok(200);
    let merged = assess(&tenant, &ada).await;
    assert_eq!((&merged["total"], lines(&merged)), (&json!(90), vec![("Size", Some(90), Some("person"))]));
    assert_eq!(merged["criteria"][0]["rule"]["score"], 20);
    assert_eq!(tenant.get(&score_of(&eve)).await.ok(200), merged);
    let ranked = tenant.get("/scores/fit/ranking?object=contact").await.ok(200);
    let ranked: Vec<_> = results(&ranked).iter().map(|found| id(&found["record"])).collect();
    assert_eq!(ranked, std::slice::from_ref(&ada));
    assert_eq!(counted(&tenant).await.1, 2);
    let quiet = Silence::begins(&tenant).await;
    assess(&tenant, &ada).await;
    quiet.holds().await;
}

async fn what_was_said_of_a_merged_record_is_its_own_again_when_it_is_taken_out(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let size = criterion(&tenant, "Size", "20", "1").await;
    let (ada, eve) = (contact(&tenant, json!({})).await, contact(&tenant, json!({})).await);
    assess(&tenant, &ada).await;
    assess(&tenant, &eve).await;
    let say = async |of: &str, points: i64| {
        let said = json!({"score": points, "rationale": "Large"});
        tenant.put(&format!("{}/criteria/{size}", score_of(of)), &said).await.ok(200)
    };
    say(&eve, 90).await;
    let of_eve = tenant.get(&score_of(&eve)).await.ok(200);
    let ranked = async || {
        let ranked = tenant.get("/scores/fit/ranking?object=contact").await.ok(200);
        let place = |found: &Value| (id(&found["record"]), found["total"].as_i64().unwrap());
        results(&ranked).iter().map(place).collect::<Vec<_>>()
    };
    let both = [(eve.clone(), 90), (ada.clone(), 20)];
    assert_eq!(ranked().await, both);
    let merge = async || tenant.post(&format!("/records/contact/{ada}/merge"), &json!({"from": [eve]})).await.ok(200);
    let part = async || tenant.post(&format!("/records/contact/{ada}/unmerge"), &json!({"id": eve})).await.ok(200);

    merge().await;
    // What was said of the other one counts at once, and goes with it.
    assert_eq!(ranked().await, [(ada.clone(), 90)]);
    assert_eq!((lead_score(&tenant, &ada).await, counted(&tenant).await.1), (json!(90), 2));
    let quiet = Silence::begins(&tenant).await;
    assert_eq!(assess(&tenant, &ada).await["total"], 90);
    quiet.holds().await;
    part().await;
    assert_eq!(tenant.get(&score_of(&eve)).await.ok(200), of_eve);
    assert_eq!(ranked().await, both);
    assert_eq!([lead_score(&tenant, &ada).await, lead_score(&tenant, &eve).await], [json!(20), json!(90)]);
    let quiet = Silence::begins(&tenant).await;
    assert_eq!(lines(&assess(&tenant, &ada).await), [("Size", Some(20), Some("rule"))]);
    assert_eq!(lines(&assess(&tenant, &eve).await), [("Size", Some(90), Some("person"))]);
    quiet.holds().await;

    // Saying otherwise of the merged one leaves what was said of the other one to that one.
    merge().await;
    say(&ada, 40).await;
    part().await;
    assert_eq!(tenant.get(&score_of(&eve)).await.ok(200)["total"], 90);
    assert_eq!(lines(&assess(&tenant, &ada).await), [("Size", Some(40), Some("person"))]);
    assert_eq!(ranked().await, [(eve.clone(), 90), (ada.clone(), 40)]);

    // Taking back what people have said of either is for both.
    merge().await;
    tenant.delete(&format!("{}/criteria/{size}", score_of(&ada))).await.ok(200);
    assert_eq!(lines(&assess(&tenant, &ada).await), [("Size", Some(20), Some("rule"))]);
}

async fn what_was_said_for_a_merged_product_is_said_for_the_one_that_remains(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let size = criterion(&tenant, "Size", "20", "1").await;
    let product = async |name: &str| create_id(&tenant, "product", json!({"name": name})).await;
    let (roof, wall) = (product("Roof").await, product("Wall").await);
    let (ada, eve) = (contact(&tenant, json!({})).await, contact(&tenant, json!({})).await);
    let say = async |of: &str, product: &str, points: i64| {
        let said = json!({"score": points, "rationale": "Said", "for": product});
        tenant.put(&format!("{}/criteria/{size}", score_of(of)), &said).await.ok(200)
    };
    let stands = async |of: &str, product: &str| {
        tenant.get(&format!("{}?for={product}", score_of(of))).await.ok(200)["total"].clone()
    };
    let ranked = async |product: &str| {
        let ranked = tenant.get(&format!("/scores/fit/ranking?object=contact&for={product}")).await.ok(200);
        let place = |found: &Value| (id(&found["record"]), found["total"].as_i64().unwrap());
        results(&ranked).iter().map(place).collect::<Vec<_>>()
    };
    say(&ada, &roof, 30).await;
    say(&ada, &wall, 90).await;
    say(&eve, &wall, 60).await;
    assert_eq!(ranked(&roof).await, [(ada.clone(), 30)]);
    tenant.post(&format!("/records/product/{roof}/merge"), &json!({"from": [wall]})).await.ok(200);
    // What was said for the one that remains comes first.
    for product in [&roof, &wall] {
        assert_eq!([stands(&ada, product).await, stands(&eve, product).await], [json!(30), json!(60)]);
        assert_eq!(ranked(product).await, [(eve.clone(), 60), (ada.clone(), 30)]);
    }
    let assessed = tenant.post(&score_of(&eve), &json!({"for": wall})).await.ok(200);
    assert_eq!((&assessed["total"], &assessed["criteria"][0]["rule"]["score"]), (&json!(60), &json!(20)));
    let past = tenant.get(&format!("{}/history?for={roof}", score_of(&ada))).await.ok(200);
    assert_eq!(results(&past).len(), 4);

    tenant.post(&format!("/records/product/{roof}/unmerge"), &json!({"id": wall})).await.ok(200);
    assert_eq!(ranked(&wall).await, [(ada.clone(), 90), (eve.clone(), 60)]);
    // What was said after the merge stays with the one that remains.
    assert_eq!(ranked(&roof).await, [(ada.clone(), 30), (eve.clone(), 20)]);
    assert_eq!([stands(&ada, &wall).await, stands(&eve, &wall).await], [json!(90), json!(60)]);
}

async fn a_total_follows_what_is_undone_in_whatever_order(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let size = criterion(&tenant, "Size", "20", "1").await;
    let reach = criterion(&tenant, "Reach", "40", "1").await;
    let ada = contact(&tenant, json!({})).await;
    assert_eq!(assess(&tenant, &ada).await["total"], 30);
    let say = async |criterion: &str, points: i64, name: &str| {
        let said = json!({"score": points, "rationale": "Said"});
        let path = format!("{}/criteria/{criterion}", score_of(&ada));
        tenant.put(&path, &said).header("x-request-id", name).await.ok(200)["total"].clone()
    };
    assert_eq!(say(&size, 100, "first").await, 70);
    assert_eq!(say(&reach, 80, "second").await, 90);
    for (name, total) in [("first", 50), ("second", 30)] {
        tenant.post("/undo", &json!({"request_id": name})).await.ok(200);
        let stands = tenant.get(&score_of(&ada)).await.ok(200);
        assert_eq!((&stands["total"], &lead_score(&tenant, &ada).await), (&json!(total), &json!(total)), "{stands:#}");
        let quiet = Silence::begins(&tenant).await;
        assert_eq!(assess(&tenant, &ada).await["total"], total);
        quiet.holds().await;
    }
    assert_eq!(lines(&assess(&tenant, &ada).await).len(), 2);
}

async fn what_comes_back_while_a_record_is_merged_goes_out_with_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let size = criterion(&tenant, "Size", "50", "1").await;
    let (ada, eve) = (contact(&tenant, json!({})).await, contact(&tenant, json!({})).await);
    assess(&tenant, &ada).await;
    assess(&tenant, &eve).await;
    let said = json!({"score": 80, "rationale": "Large"});
    let path = format!("{}/criteria/{size}", score_of(&eve));
    tenant.put(&path, &said).header("x-request-id", "over").await.ok(200);
    tenant.post("/undo", &json!({"request_id": "over"})).header("x-request-id", "back").await.ok(200);
    tenant.post(&format!("/records/contact/{ada}/merge"), &json!({"from": [eve]})).await.ok(200);
    tenant.post("/undo", &json!({"request_id": "back"})).await.ok(200);
    tenant.post(&format!("/records/contact/{ada}/unmerge"), &json!({"id": eve})).await.ok(200);
    for (record, total) in [(&eve, 80), (&ada, 50)] {
        let stands = tenant.get(&score_of(record)).await.ok(200);
        assert_eq!((&stands["total"], &lead_score(&tenant, record).await), (&json!(total), &json!(total)));
    }
    let ranked = tenant.get("/scores/fit/ranking?object=contact").await.ok(200);
    let ranked: Vec<_> = results(&ranked).iter().map(|found| id(&found["record"])).collect();
    assert_eq!(ranked, [eve.clone(), ada.clone()]);
    let of = async |record: &str| {
        let past = super::history(&tenant, record, "").await;
        past.iter().filter(|entry| entry["score"] == 80 && entry["criterion"] != Value::Null).count()
    };
    assert_eq!((of(&eve).await, of(&ada).await), (1, 0));
}

async fn a_product_that_is_taken_out_takes_its_answers_out_of_totals(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let product = async |name: &str| create_id(&tenant, "product", json!({"name": name})).await;
    let (roof, wall) = (product("Roof").await, product("Wall").await);
    let anyone = criterion(&tenant, "Anyone", "50", "1").await;
    for (name, points, product) in [("Of roofs", "10", &roof), ("Of walls", "90", &wall)] {
        let own = json!({"properties": {"name": name, "expression": points, "weight": "1"},
            "associations": [{"type": "fit_criterion_product", "to": product}]});
        tenant.post("/records/fit_criterion", &own).await.ok(201);
    }
    let ada = contact(&tenant, json!({})).await;
    let stands =
        async |product: &str| tenant.get(&format!("{}?for={product}", score_of(&ada))).await.ok(200)["total"].clone();
    for (product, total) in [(&roof, 30), (&wall, 70)] {
        assert_eq!(tenant.post(&score_of(&ada), &json!({"for": product})).await.ok(200)["total"], total);
    }
    let current = counted(&tenant).await.1;
    tenant.post(&format!("/records/product/{roof}/merge"), &json!({"from": [wall]})).await.ok(200);
    // All three are asked for what is one product now.
    assert_eq!(stands(&roof).await, 50);
    let said = json!({"score": 0, "rationale": "No", "for": roof});
    let said = tenant.put(&format!("{}/criteria/{anyone}", score_of(&ada)), &said).await.ok(200);
    assert_eq!(said["total"], 33);
    tenant.post(&format!("/records/product/{roof}/unmerge"), &json!({"id": wall})).await.ok(200);
    assert_eq!([stands(&roof).await, stands(&wall).await], [json!(5), json!(70)]);
    let ranking = tenant.get(&format!("/scores/fit/ranking?object=contact&for={roof}")).await.ok(200);
    assert_eq!(results(&ranking)[0]["total"], 5);
    assert_eq!(counted(&tenant).await.1, current);
}

async fn what_was_answered_of_what_is_purged_goes_with_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let roof = create_id(&tenant, "product", json!({"name": "Roof"})).await;
    criterion(&tenant, "Anyone", "50", "1").await;
    let gone = criterion(&tenant, "Gone", "20", "1").await;
    let own = json!({"properties": {"name": "Of roofs", "expression": "90", "weight": "1"},
        "associations": [{"type": "fit_criterion_product", "to": roof}]});
    let own = id(&tenant.post("/records/fit_criterion", &own).await.ok(201));
    let (ada, eve) = (contact(&tenant, json!({})).await, contact(&tenant, json!({})).await);
    assert_eq!(assess(&tenant, &ada).await["total"], 35);
    assert_eq!(tenant.post(&score_of(&ada), &json!({"for": roof})).await.ok(200)["total"], 53);
    let alone = super::history(&tenant, &ada, "").await.len();
    tenant.delete(&format!("/records/product/{roof}?purge=true")).await.ok(204);
    // Its own criterion is not asked of everybody, and what was said for it is said for nobody.
    assert_eq!(super::history(&tenant, &ada, "").await.len(), alone);
    assert!(tenant.get(&format!("/records/fit_criterion/{own}")).await.ok(200)["archived_at"].is_string());
    assert_eq!(assess(&tenant, &eve).await["total"], 35);
    tenant.delete(&format!("/records/fit_criterion/{gone}?purge=true")).await.ok(204);
    let past = super::history(&tenant, &ada, "").await;
    assert!(past.iter().all(|entry| entry["score"] != 20), "{past:#?}");
    assert_eq!(assess(&tenant, &ada).await["total"], 50);
    let before = counted(&tenant).await.0;
    tenant.delete(&format!("/records/contact/{ada}?purge=true")).await.ok(204);
    assert!(counted(&tenant).await.0 < before);
}

async fn no_answer_outlives_what_is_purged_meanwhile(server: TestServer) {
    let tenant = server.tenant("generic").await;
    for round in 0..4 {
        let size = criterion(&tenant, "Size", "20", "1").await;
        let ada = contact(&tenant, json!({})).await;
        let path = format!("{}/criteria/{size}", score_of(&ada));
        let says = (0..8).map(|points| {
            let said = json!({"score": points, "rationale": "Said"});
            let (tenant, path) = (&tenant, &path);
            async move { tenant.put(path, &said).await.status }
        });
        let gone =
            if round % 2 == 0 { format!("/records/contact/{ada}") } else { format!("/records/fit_criterion/{size}") };
        let purge = async { tenant.delete(&format!("{gone}?purge=true")).await.status };
        let (statuses, purged) = futures::join!(futures::future::join_all(says), purge);
        assert_eq!(purged, 204);
        assert!(statuses.iter().all(|status| [200, 404, 409, 422].contains(status)), "{statuses:?}");
        let kind = if round % 2 == 0 { "fit_assessment_subject" } else { "fit_assessment_fit_criterion" };
        let alone = json!({"association": kind, "direction": "out", "quantifier": "none"});
        let answers = json!({"all": [alone, {"property": "assessed_by", "op": "eq", "value": "person"}]});
        let body = json!({"filter": answers, "count": true});
        let left = tenant.post("/records/fit_assessment/search", &body).await.ok(200);
        assert_eq!(left["total"], 0, "{left}");
        tenant.delete(&format!("/records/fit_criterion/{size}")).await;
    }
}

scenarios![
    no_answer_outlives_what_is_purged_meanwhile,
    what_comes_back_while_a_record_is_merged_goes_out_with_it,
    a_product_that_is_taken_out_takes_its_answers_out_of_totals,
    what_was_answered_of_what_is_purged_goes_with_it,
    what_was_said_of_a_merged_record_counts_for_the_one_that_remains,
    what_was_said_of_a_merged_record_is_its_own_again_when_it_is_taken_out,
    what_was_said_for_a_merged_product_is_said_for_the_one_that_remains,
    a_total_follows_what_is_undone_in_whatever_order,
];
