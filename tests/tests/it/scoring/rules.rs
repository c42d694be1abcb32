//! What rules answer, and what answers come to together.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::TestServer;

use super::{assess, contact, counted, criterion, history, lead_score, lines, score_of};
use crate::fixture::{Silence, create_id, id, results};

async fn a_total_is_the_weighted_mean_of_what_rules_answer(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let reachable = criterion(&tenant, "Reachable", "subject.email != null", "3").await;
    criterion(&tenant, "Decides", "subject.title == 'CEO' ? 80 : 10", "1.5").await;
    criterion(&tenant, "Sells", "subject.department.startsWith('S')", "10").await;
    let off = json!({"name": "Unused", "expression": "100", "is_active": false});
    create_id(&tenant, "fit_criterion", off).await;
    let ada = contact(&tenant, json!({"email": "ada@example.com", "title": "CEO"})).await;
    let nothing = tenant.get(&score_of(&ada)).await.ok(200);
    assert_eq!((&nothing["total"], &nothing["assessed_at"]), (&Value::Null, &Value::Null));
    assert_eq!(lines(&nothing), [("Reachable", None, None), ("Decides", None, None), ("Sells", None, None)]);

    let reply = tenant.post(&score_of(&ada), &json!({})).await;
    let assessed = reply.ok(200);
    assert!(reply.sequence() > 0);
    // (3 × 100 + 1.5 × 80) / 4.5 is 93.3…; what is not answered does not count.
    assert_eq!((&assessed["score"], &assessed["total"]), (&json!("fit"), &json!(93)));
    let expected =
        [("Reachable", Some(100), Some("rule")), ("Decides", Some(80), Some("rule")), ("Sells", None, Some("rule"))];
    assert_eq!(lines(&assessed), expected);
    let first = &assessed["criteria"][0];
    assert_eq!(
        (&first["criterion"]["id"], &first["criterion"]["object"]),
        (&json!(reachable), &json!("fit_criterion"))
    );
    assert_eq!((&first["weight"], &first["review"], &first["rule"]), (&json!("3"), &json!("pending"), &Value::Null));
    assert_eq!(first["rationale"], "`subject.email != null` is true");
    let why = assessed["criteria"][2]["rationale"].as_str().unwrap();
    assert!(why.starts_with("`subject.department.startsWith('S')` cannot be computed: "), "{why}");
    let told = "Reachable: 100 of 100, weight 3\nDecides: 80 of 100, weight 1.5\nSells: no answer, weight 10";
    assert_eq!(assessed["rationale"], told);
    assert_eq!(tenant.get(&score_of(&ada)).await.ok(200), assessed);
    assert_eq!(lead_score(&tenant, &ada).await, 93);

    // Everything it consists of is records.
    let total = assessed["assessment_id"].as_str().unwrap();
    let record = tenant.get(&format!("/records/fit_assessment/{total}")).await.ok(200);
    let properties = &record["properties"];
    assert_eq!((&properties["score"], &properties["rationale"]), (&json!(93), &json!(told)));
    assert_eq!((&properties["assessed_by"], &properties["is_current"]), (&json!("rule"), &json!(true)));
    assert_eq!(counted(&tenant).await, (4, 4));

    // What says the same is not said again.
    let quiet = Silence::begins(&tenant).await;
    let again = tenant.post(&score_of(&ada), &json!({})).await;
    assert_eq!(again.ok(200), assessed);
    assert_eq!(again.sequence(), reply.sequence());
    quiet.holds().await;

    // What says something else stands beside it.
    tenant.patch(&format!("/records/contact/{ada}"), &json!({"properties": {"title": "CTO"}})).await.ok(200);
    let later = assess(&tenant, &ada).await;
    assert_eq!((&later["total"], lines(&later)[1].1), (&json!(70), Some(10)));
    assert_eq!(counted(&tenant).await, (6, 4));
    assert_eq!(lead_score(&tenant, &ada).await, 70);
    let past = history(&tenant, &ada, "").await;
    assert_eq!(past.len(), 6);
    let at = |entry: &Value| entry["assessed_at"].as_str().unwrap().to_owned();
    assert!(past.windows(2).all(|pair| at(&pair[0]) >= at(&pair[1])));
    let totals: Vec<_> = past.iter().filter(|entry| entry["criterion"].is_null()).collect();
    assert_eq!(totals.iter().map(|total| &total["score"]).collect::<Vec<_>>(), [&json!(70), &json!(93)]);
    assert_eq!(totals.iter().map(|total| &total["current"]).collect::<Vec<_>>(), [&json!(true), &json!(false)]);
    // A criterion that is taken out of use is out of the total.
    let unused = json!({"properties": {"is_active": false}});
    tenant.patch(&format!("/records/fit_criterion/{reachable}"), &unused).await.ok(200);
    let later = assess(&tenant, &ada).await;
    assert_eq!((&later["total"], later["criteria"].as_array().unwrap().len()), (&json!(10), 2));
    assert_eq!(counted(&tenant).await, (7, 3));
}

async fn one_criterion_never_stops_the_others(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let list = format!("[{}]", vec!["1"; 100].join(","));
    criterion(&tenant, "Costly", &format!("{list}.all(a, {list}.all(b, {list}.all(c, a + b + c > 0)))"), "1").await;
    criterion(&tenant, "Divides", "100 / size(subject.tags)", "1").await;
    criterion(&tenant, "Outside", "subject.customer_value > 1000.0 ? 1000 : 0", "1").await;
    criterion(&tenant, "Reads", "int(subject.title)", "1").await;
    criterion(&tenant, "Fine", "subject.customer_value > 5000", "1").await;
    create_id(&tenant, "fit_criterion", json!({"name": "Asked"})).await;
    let ada = contact(&tenant, json!({"customer_value": "9000", "title": "Secretary", "tags": []})).await;
    let assessed = assess(&tenant, &ada).await;
    let points: Vec<_> = lines(&assessed).into_iter().map(|(name, points, _)| (name, points)).collect();
    let expected: [(&str, Option<i64>); 6] =
        [("Costly", None), ("Divides", None), ("Outside", None), ("Reads", None), ("Fine", Some(100)), ("Asked", None)];
    assert_eq!((&points[..], &assessed["total"]), (&expected[..], &json!(100)));
    let why = |at: usize| assessed["criteria"][at]["rationale"].as_str().unwrap_or_default();
    assert!(why(0).contains("takes too many steps"), "{}", why(0));
    assert!(why(2).ends_with("gives a number outside 0 to 100"), "{}", why(2));
    // A reason quotes no value that was read.
    assert!(!why(3).contains("Secretary"), "{}", why(3));
    // What has no rule is for people.
    assert_eq!(assessed["criteria"][5]["by"], Value::Null);
    let quiet = Silence::begins(&tenant).await;
    assess(&tenant, &ada).await;
    quiet.holds().await;
}

/// Each of them is within its bound; all of them together are not.
async fn all_criteria_together_have_one_bound(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let list = format!("[{}]", vec!["1"; 100].join(","));
    let heavy = format!("{list}.all(a, {list}.all(b, a + b + a + b + a + b + a + b > 0))");
    let inputs: Vec<Value> = (0..40)
        .map(|number| json!({"properties": {"name": format!("Heavy {number:02}"), "expression": heavy}}))
        .collect();
    let made = tenant.post("/records/fit_criterion/batch/create", &json!({"inputs": inputs, "atomic": true})).await;
    let ids: Vec<String> = results(&made.ok(200)).iter().map(|one| id(&one["record"])).collect();
    let ada = contact(&tenant, json!({})).await;
    let quiet = Silence::begins(&tenant).await;
    let refused = tenant.post(&score_of(&ada), &json!({})).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [(String::new(), "too_costly".to_owned())]);
    quiet.holds().await;
    // The one that is named is the first that does not fit: with those before it the record is assessed.
    let words = refused.words();
    let named: usize = words.split("`Heavy ").nth(1).and_then(|rest| rest[..2].parse().ok()).expect("a criterion");
    assert!((8..39).contains(&named) && words.contains(&format!("(record {})", ids[named])), "{words}");
    let off = |ids: &[String]| -> Value {
        let off = |id: &String| json!({"id": id, "properties": {"is_active": false}});
        json!({"inputs": ids.iter().map(off).collect::<Vec<_>>(), "atomic": true})
    };
    let update = "/records/fit_criterion/batch/update";
    tenant.post(update, &off(&ids[named + 1..])).await.ok(200);
    tenant.post(&score_of(&ada), &json!({})).await.problem(409, "conflict");
    tenant.post(update, &off(&ids[named..named + 1])).await.ok(200);
    assert_eq!(assess(&tenant, &ada).await["total"], 100);
}

async fn records_are_assessed_for_other_records(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (roof, wall) = (
        create_id(&tenant, "product", json!({"name": "Roof"})).await,
        create_id(&tenant, "product", json!({"name": "Wall"})).await,
    );
    let anyone = criterion(&tenant, "Anyone", "for_record == null ? 10 : 30", "1").await;
    let of_roof = json!({"properties": {"name": "Of roofs", "expression": "for_record.name == 'Roof' ? 90 : 0", "weight": "2"},
        "associations": [{"type": "fit_criterion_product", "to": roof}]});
    tenant.post("/records/fit_criterion", &of_roof).await.ok(201);
    let ada = contact(&tenant, json!({})).await;
    let alone = assess(&tenant, &ada).await;
    assert_eq!((&alone["total"], lines(&alone)), (&json!(10), vec![("Anyone", Some(10), Some("rule"))]));
    let beside = async |product: &str| tenant.post(&score_of(&ada), &json!({"for": product})).await.ok(200);
    let expected = vec![("Anyone", Some(30), Some("rule")), ("Of roofs", Some(90), Some("rule"))];
    let of_roof = beside(&roof).await;
    assert_eq!((&of_roof["total"], lines(&of_roof)), (&json!(70), expected));
    assert_eq!(beside(&wall).await["total"], 30);
    // Each stands for itself, and only what is for no other record is the record's own.
    assert_eq!(tenant.get(&format!("{}?for={roof}", score_of(&ada))).await.ok(200), of_roof);
    assert_eq!(tenant.get(&score_of(&ada)).await.ok(200), alone);
    assert_eq!(lead_score(&tenant, &ada).await, 10);
    let said = json!({"score": 0, "rationale": "No roof", "for": roof});
    let said = tenant.put(&format!("{}/criteria/{anyone}", score_of(&ada)), &said).await.ok(200);
    assert_eq!(said["total"], 60);
    assert_eq!(tenant.get(&score_of(&ada)).await.ok(200)["total"], 10);
    assert_eq!(history(&tenant, &ada, "").await.len(), 2);
    assert_eq!(history(&tenant, &ada, &format!("&for={roof}")).await.len(), 5);
    let back = tenant.delete(&format!("{}/criteria/{anyone}?for={roof}", score_of(&ada))).await.ok(200);
    assert_eq!(back["total"], 70);
    // A criterion of an archived product is not asked of all the others.
    tenant.delete(&format!("/records/product/{roof}")).await.ok(204);
    assert_eq!(assess(&tenant, &ada).await["total"], 10);
    let gone = tenant.post(&score_of(&ada), &json!({"for": roof})).await.problem(422, "validation_failed");
    assert_eq!(gone.pointers(), ["/for"]);
    let gone = tenant.delete(&format!("{}/criteria/{anyone}?for={roof}", score_of(&ada))).await;
    assert_eq!(gone.problem(400, "bad_request").pointers(), ["/for"]);
}

async fn of_many_who_assess_at_once_one_writes(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let first = criterion(&tenant, "One", "subject.title == 'CEO'", "1").await;
    criterion(&tenant, "Two", "50", "1").await;
    let ada = contact(&tenant, json!({"title": "CEO"})).await;
    for (title, total, counts) in [("CEO", 75, (3, 3)), ("CTO", 25, (5, 3)), ("CEO", 75, (7, 3))] {
        tenant.patch(&format!("/records/contact/{ada}"), &json!({"properties": {"title": title}})).await.ok(200);
        let all = join_all((0..12).map(|_| assess(&tenant, &ada))).await;
        assert!(all.iter().all(|score| score["total"] == total), "{all:#?}");
        assert_eq!(counted(&tenant).await, counts, "{title}");
    }
    // And of many who override.
    let path = format!("{}/criteria/{first}", score_of(&ada));
    let say = |points: usize| tenant.put(&path, &json!({"score": points, "rationale": "said"}));
    let said = join_all((0..8).map(|points| async move { say(points * 10).await.ok(200) })).await;
    assert_eq!(said.len(), 8);
    let stands = tenant.get(&score_of(&ada)).await.ok(200);
    let points = stands["criteria"][0]["score"].as_i64().unwrap();
    assert_eq!(stands["total"], (points + 50 + 1) / 2);
    assert_eq!(lead_score(&tenant, &ada).await, stands["total"]);
    assert_eq!(counted(&tenant).await.1, 3);
}

scenarios![
    a_total_is_the_weighted_mean_of_what_rules_answer,
    one_criterion_never_stops_the_others,
    all_criteria_together_have_one_bound,
    records_are_assessed_for_other_records,
    of_many_who_assess_at_once_one_writes,
];
