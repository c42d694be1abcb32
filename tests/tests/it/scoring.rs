//! Scores: weighted criteria, assessments with their history and reasons, people who override, and rankings.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use crate::fixture::{Silence, create_id, id, jobs_are_done, kinds, results};

/// A score of other names: what it consists of is said by the pack alone.
const HOTEL: &str = r#"
pack: hotel
version: 1.0.0
objects:
  guest: {plural: guests, display: "{{ name }}", properties: {name: {type: string}, nights: {type: integer}, standing: {type: integer}}}
  question: {plural: questions, display: "{{ text }}", properties: {text: {type: string}, cel: {type: text}, share: {type: integer}}}
  verdict:
    plural: verdicts
    properties:
      points: {type: integer}
      because: {type: text}
      on: {type: datetime}
      kind: {type: enum, options: [person, rule]}
      judge: {type: user}
      state: {type: enum, options: [pending, accepted, rejected]}
      stands: {type: boolean}
      what: {type: string, unique: true}
associations:
  verdict_question: {from: verdict, to: question}
  verdict_guest: {from: verdict, to: guest}
scores:
  welcome:
    label: How welcome
    criteria: {object: question, expression: cel, weight: share}
    assessments: {object: verdict, score: points, rationale: because, at: on, by: kind, user: judge, review: state,
      current: stands, key: what, criterion: verdict_question, subject: verdict_guest}
    totals: {guest: standing}
"#;

async fn contact(tenant: &Client, more: Value) -> String {
    let mut properties = json!({"first_name": "Ada", "last_name": "Lovelace"});
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    create_id(tenant, "contact", properties).await
}

async fn criterion(tenant: &Client, name: &str, expression: &str, weight: &str) -> String {
    create_id(tenant, "fit_criterion", json!({"name": name, "expression": expression, "weight": weight})).await
}

fn score_of(contact: &str) -> String {
    format!("/records/contact/{contact}/scores/fit")
}

async fn assess(tenant: &Client, contact: &str) -> Value {
    tenant.post(&score_of(contact), &json!({})).await.ok(200)
}

/// What stands of each criterion: its name, its points, and who said so.
fn lines(score: &Value) -> Vec<(&str, Option<i64>, Option<&str>)> {
    let mut lines = Vec::new();
    for line in score["criteria"].as_array().unwrap() {
        let name = line["criterion"]["display_name"].as_str().unwrap();
        lines.push((name, line["score"].as_i64(), line["by"].as_str()));
    }
    lines
}

async fn lead_score(tenant: &Client, contact: &str) -> Value {
    tenant.get(&format!("/records/contact/{contact}")).await.ok(200)["properties"]["lead_score"].clone()
}

/// How many assessments there are, and how many of them stand.
async fn counted(tenant: &Client) -> (u64, u64) {
    let count = async |filter: Value| {
        let body = json!({"filter": filter, "count": true, "limit": 0});
        tenant.post("/records/fit_assessment/search", &body).await.ok(200)["total"].as_u64().unwrap()
    };
    (count(Value::Null).await, count(json!({"property": "is_current", "op": "eq", "value": true})).await)
}

async fn history(tenant: &Client, contact: &str, query: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = tenant.get(&format!("{}/history?limit=2{query}{cursor}", score_of(contact))).await.ok(200);
        all.extend(results(&page).iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

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

async fn what_a_person_says_stands_until_it_is_taken_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (size, reach) =
        (criterion(&tenant, "Size", "20", "1").await, criterion(&tenant, "Reach", "subject.email != null", "1").await);
    let ada = contact(&tenant, json!({"email": "ada@example.com"})).await;
    let (member, user) = tenant.user("mia", "member").await;
    let of = |criterion: &str| format!("{}/criteria/{criterion}", score_of(&ada));
    // Before any rule has answered.
    let said = json!({"score": 40, "rationale": "I know her"});
    let said = member.put(&of(&size), &said).header("idempotency-key", "k").await.ok(200);
    assert_eq!(
        (&said["total"], &lines(&said)[..]),
        (&json!(40), &[("Size", Some(40), Some("person")), ("Reach", None, None)][..])
    );
    let first = &said["criteria"][0];
    assert_eq!((&first["user"], &first["review"]), (&json!(user), &json!("accepted")));
    assert_eq!((&first["rationale"], &first["rule"]), (&json!("I know her"), &Value::Null));
    assert_eq!(said["rationale"], "Size: 40 of 100, by a person, weight 1\nReach: not answered, weight 1");
    let again = member.put(&of(&size), &json!({"score": 40, "rationale": "I know her"})).header("idempotency-key", "k");
    let again = again.await;
    assert_eq!((again.header("idempotent-replayed"), again.ok(200)), ("true", said));

    // Rules answer beside it, and it stays.
    let assessed = assess(&tenant, &ada).await;
    assert_eq!(assessed["total"], 70);
    assert_eq!(lines(&assessed), [("Size", Some(40), Some("person")), ("Reach", Some(100), Some("rule"))]);
    assert_eq!(assessed["criteria"][0]["rule"]["score"], 20);
    let changed = json!({"properties": {"expression": "30"}});
    tenant.patch(&format!("/records/fit_criterion/{size}"), &changed).await.ok(200);
    let assessed = assess(&tenant, &ada).await;
    assert_eq!((&assessed["total"], &assessed["criteria"][0]["rule"]["score"]), (&json!(70), &json!(30)));
    // Another override stands in place of the first; the same once more changes nothing.
    let other = json!({"score": 60, "rationale": "Met her"});
    let other = tenant.put(&of(&size), &other).await.ok(200);
    assert_eq!((&other["total"], lines(&other)[0].1), (&json!(80), Some(60)));
    let quiet = Silence::begins(&tenant).await;
    tenant.put(&of(&size), &json!({"score": 60, "rationale": "Met her"})).await.ok(200);
    assess(&tenant, &ada).await;
    quiet.holds().await;

    // Taken back, what the rule said last counts.
    let back = tenant.delete(&of(&size)).await.ok(200);
    assert_eq!((&back["total"], lines(&back)[0]), (&json!(65), ("Size", Some(30), Some("rule"))));
    tenant.delete(&of(&size)).await.problem(404, "not_found");
    // Both overrides and both answers of the rule are history.
    let past = history(&tenant, &ada, "").await;
    let of_size: Vec<_> = past.iter().filter(|entry| entry["criterion"]["id"] == json!(size)).collect();
    let mut told: Vec<_> = of_size
        .iter()
        .map(|entry| (entry["score"].as_i64().unwrap(), entry["by"].as_str().unwrap(), entry["current"] == true))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [(20, "rule", false), (30, "rule", true), (40, "person", false), (60, "person", false)]);

    // What is rejected does not count, and is not asked for again as long as it says the same.
    let review = |review: &str| json!({"review": review});
    let at = format!("{}/review", of(&reach));
    let rejected = tenant.put(&at, &review("rejected")).await.ok(200);
    assert_eq!((&rejected["total"], &rejected["criteria"][1]["review"]), (&json!(30), &json!("rejected")));
    assert_eq!(assess(&tenant, &ada).await["total"], 30);
    assert_eq!(lead_score(&tenant, &ada).await, 30);
    let accepted = tenant.put(&at, &review("accepted")).await.ok(200);
    assert_eq!((&accepted["total"], &accepted["criteria"][1]["review"]), (&json!(65), &json!("accepted")));
    tenant.put(&at, &review("rejected")).await.ok(200);
    tenant.patch(&format!("/records/contact/{ada}"), &json!({"properties": {"email": null}})).await.ok(200);
    let anew = assess(&tenant, &ada).await;
    assert_eq!((&anew["total"], &anew["criteria"][1]["review"]), (&json!(15), &json!("pending")));
}

async fn what_cannot_be_is_refused_with_all_that_is_wrong(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let quiet = Silence::begins(&tenant).await;
    let new = |expression: &str| json!({"properties": {"name": "Wrong", "expression": expression}});
    for (expression, code, words) in [
        ("subject.email !=", "invalid_expression", ""),
        ("subject.emial != null", "unknown", "did you mean `email`?"),
        ("for_record.nmae == 'x'", "unknown", "did you mean `name`?"),
        ("email != null", "unknown", "there is nothing called `email` here"),
        ("subject.lead_score > 'x'", "invalid_expression", ""),
        ("'much'", "invalid_expression", "a criterion gives true, false or a number"),
    ] {
        let refused = tenant.post("/records/fit_criterion", &new(expression)).await.problem(422, "validation_failed");
        assert_eq!(refused.errors(), [("/properties/expression".to_owned(), code.to_owned())], "{expression}");
        assert!(refused.words().contains(words), "{expression}: {}", refused.words());
    }
    let all = json!({"inputs": [new("1 +"), new("subject.emial == 'x'")], "atomic": true});
    let refused = tenant.post("/records/fit_criterion/batch/create", &all).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/inputs/0/properties/expression", "/inputs/1/properties/expression"]);
    quiet.holds().await;

    let right = criterion(&tenant, "Right", "subject.email != null", "1").await;
    let at = format!("/records/fit_criterion/{right}");
    let refused = tenant.patch(&at, &json!({"properties": {"expression": "nothing"}})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/properties/expression"]);
    tenant.patch(&at, &json!({"properties": {"weight": "2"}})).await.ok(200);
    let hand_made = json!({"properties": {"score": 1, "is_current": true, "current_key": "fit/1/-/1"}});
    let refused = tenant.post("/records/fit_assessment", &hand_made).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/properties/is_current", "/properties/current_key"]);

    let ada = contact(&tenant, json!({})).await;
    let deal = create_id(&tenant, "deal", json!({"name": "Roof"})).await;
    let quiet = Silence::begins(&tenant).await;
    let path = format!("{}/criteria/{right}", score_of(&ada));
    let wrong = json!({"score": 101, "rationale": " ", "for": "999999999", "weight": 1});
    let refused = tenant.put(&path, &wrong).await.problem(422, "validation_failed");
    let expected = BTreeSet::from(["/score", "/rationale", "/for", "/weight"].map(str::to_owned));
    assert_eq!(BTreeSet::from_iter(refused.pointers()), expected);
    let refused = tenant.put(&path, &json!({})).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/score", "/rationale"]);
    let refused = tenant.put(&path, &json!({"score": 1.5, "rationale": "x"})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/score"]);
    let refused = tenant.put(&format!("{path}/review"), &json!({"review": "pending"})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/review"]);
    tenant.put(&format!("{path}/review"), &json!({"review": "accepted"})).await.problem(404, "not_found");
    let refused = tenant.post(&score_of(&ada), &json!({"for": ada})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/for".to_owned(), "not_found".to_owned())]);
    let elsewhere =
        tenant.post(&format!("/records/deal/{deal}/scores/fit"), &json!({})).await.problem(404, "not_found");
    assert!(elsewhere.words().contains("company, contact"), "{}", elsewhere.words());
    let unknown = tenant.get(&format!("/records/contact/{ada}/scores/fti")).await.problem(404, "not_found");
    assert!(unknown.words().contains("did you mean `fit`?"), "{}", unknown.words());
    for (query, pointer) in [
        ("for=x", "/for"),
        ("limit=0", "/limit"),
        ("cursor=x", "/cursor"),
        ("fro=1", "/fro"),
        ("for=1&limit=x", "/limit"),
    ] {
        let refused = tenant.get(&format!("{}/history?{query}", score_of(&ada))).await.problem(400, "bad_request");
        assert_eq!(refused.pointers(), [pointer], "{query}");
    }
    quiet.holds().await;
    tenant.delete(&format!("/records/contact/{ada}")).await.ok(204);
    let refused = tenant.post(&score_of(&ada), &json!({})).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [(String::new(), "archived".to_owned())]);
    // Nothing would be found of what was said, so that is told.
    let refused = tenant.get(&format!("{}/history", score_of(&ada))).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [(String::new(), "archived".to_owned())]);
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

async fn a_ranking_has_the_best_first(server: TestServer) {
    let tenant = server.tenant("generic").await;
    criterion(&tenant, "Given", "subject.customer_value", "1").await;
    let product = create_id(&tenant, "product", json!({"name": "Roof"})).await;
    let mut contacts = Vec::new();
    for value in [10, 90, 50, 90, 30, 70] {
        let contact = contact(&tenant, json!({"customer_value": value})).await;
        assert_eq!(assess(&tenant, &contact).await["total"], value);
        contacts.push(contact);
    }
    let unanswered = contact(&tenant, json!({})).await;
    assert_eq!(assess(&tenant, &unanswered).await["total"], Value::Null);
    let company = create_id(&tenant, "company", json!({"name": "Lee"})).await;
    tenant.post(&format!("/records/company/{company}/scores/fit"), &json!({})).await.ok(200);
    let ranked = async |caller: &Client, query: &str| {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = caller.get(&format!("/scores/fit/ranking?limit=2{query}{cursor}")).await.ok(200);
            let found = results(&page).iter().map(|found| (id(&found["record"]), found["total"].as_i64().unwrap()));
            all.extend(found);
            let Some(next) = page["next_cursor"].as_str() else { return all };
            cursor = format!("&cursor={next}");
        }
    };
    let expected: Vec<_> = [(1, 90), (3, 90), (5, 70), (2, 50), (4, 30), (0, 10)]
        .map(|(at, total): (usize, i64)| (contacts[at].clone(), total))
        .into();
    assert_eq!(ranked(&tenant, "&object=contact").await, expected);
    assert!(ranked(&tenant, "&object=company").await.is_empty());
    let beside = format!("&object=contact&for={product}");
    assert!(ranked(&tenant, &beside).await.is_empty());
    tenant.post(&score_of(&contacts[2]), &json!({"for": product})).await.ok(200);
    assert_eq!(ranked(&tenant, &beside).await, [(contacts[2].clone(), 50)]);
    // It is that of now: of those who have changed, and of those who are there.
    tenant
        .patch(&format!("/records/contact/{}", contacts[0]), &json!({"properties": {"customer_value": 100}}))
        .await
        .ok(200);
    assess(&tenant, &contacts[0]).await;
    tenant.delete(&format!("/records/contact/{}", contacts[1])).await.ok(204);
    let first = tenant.get("/scores/fit/ranking?object=contact&limit=2").await.ok(200);
    let first = &results(&first)[0];
    assert_eq!((&first["record"]["id"], &first["total"]), (&json!(contacts[0]), &json!(100)));
    assert_eq!(first["record"]["display_name"], "Ada Lovelace");
    assert_eq!(first["rationale"], "Given: 100 of 100, weight 1");
    assert_eq!(ranked(&tenant, "&object=contact").await.len(), 5);
    // And of what one may see.
    let all = json!({"create": true, "read": "all", "update": "all", "archive": "all"});
    let own = json!({"*": all, "contact": {"create": true, "read": "own", "update": "own", "archive": "own"}});
    tenant.post("/roles", &json!({"name": "own", "label": "Own", "objects": own})).await.ok(201);
    let (member, user) = tenant.user("mia", "own").await;
    assert!(ranked(&member, "&object=contact").await.is_empty());
    tenant.patch(&format!("/records/contact/{}", contacts[4]), &json!({"owner_id": user})).await.ok(200);
    assert_eq!(ranked(&member, "&object=contact").await, [(contacts[4].clone(), 30)]);
    for (query, pointer) in [
        ("", "/object"),
        ("object=deal", "/object"),
        ("object=contcat", "/object"),
        ("object=contact&cursor=x", "/cursor"),
        ("object=contact&for=x", "/for"),
    ] {
        let refused = tenant.get(&format!("/scores/fit/ranking?{query}")).await.problem(400, "bad_request");
        assert_eq!(refused.pointers(), [pointer], "{query}");
    }
}

async fn rights_are_those_of_the_records(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let all = json!({"create": true, "read": "all", "update": "all", "archive": "all"});
    let reads = json!({"create": false, "read": "all", "update": "none", "archive": "none"});
    let none = json!({"create": false, "read": "none", "update": "none", "archive": "none"});
    for (name, objects, properties) in [
        ("assessor", json!({"fit_assessment": all, "*": reads}), json!({})),
        ("unscored", json!({"fit_assessment": none, "*": all}), json!({})),
        ("unasked", json!({"fit_criterion": none, "*": all}), json!({})),
        ("reasonless", json!({"*": reads}), json!({"fit_assessment.rationale": {"read": false}})),
        ("pointless", json!({"*": reads}), json!({"fit_assessment.score": {"read": false}})),
    ] {
        let role = json!({"name": name, "label": name, "objects": objects, "properties": properties});
        tenant.post("/roles", &role).await.ok(201);
    }
    let size = criterion(&tenant, "Size", "subject.customer_value > 100", "1").await;
    let ada = contact(&tenant, json!({"customer_value": "200"})).await;
    let path = score_of(&ada);
    let say = format!("{path}/criteria/{size}");
    // Who may write assessments needs no right to change the record, though the total is put there.
    let (assessor, _) = tenant.user("assessor", "assessor").await;
    assert_eq!(assess(&assessor, &ada).await["total"], 100);
    assert_eq!(lead_score(&tenant, &ada).await, 100);
    assessor.put(&say, &json!({"score": 1, "rationale": "x"})).await.ok(200);
    let quiet = Silence::begins(&tenant).await;
    for role in ["viewer", "unscored", "unasked", "reasonless"] {
        let (caller, _) = tenant.user(role, role).await;
        caller.post(&path, &json!({})).await.problem(403, "forbidden");
        caller.put(&say, &json!({"score": 2, "rationale": "x"})).await.problem(403, "forbidden");
        caller.delete(&say).await.problem(403, "forbidden");
        caller.put(&format!("{say}/review"), &json!({"review": "rejected"})).await.problem(403, "forbidden");
        caller.post("/scores/fit/assess", &json!({"object": "contact"})).await.problem(403, "forbidden");
        let seen = caller.get(&path).await;
        match role {
            "unscored" => {
                seen.problem(403, "forbidden");
                caller.get(&format!("{path}/history")).await.problem(403, "forbidden");
                caller.get("/scores/fit/ranking?object=contact").await.problem(403, "forbidden");
                assert_eq!(caller.get("/scores").await.ok(200)["results"], json!([]));
            }
            "unasked" => {
                // What was answered is not told without the question.
                let seen = seen.ok(200);
                assert_eq!((&seen["total"], &seen["criteria"]), (&json!(1), &json!([])));
                let past = caller.get(&format!("{path}/history")).await.ok(200);
                assert!(results(&past).iter().all(|entry| entry["criterion"].is_null()));
            }
            "reasonless" => {
                let seen = seen.ok(200);
                assert_eq!((&seen["total"], &seen["rationale"]), (&json!(1), &Value::Null));
                assert_eq!(
                    (&seen["criteria"][0]["score"], &seen["criteria"][0]["rationale"]),
                    (&json!(1), &Value::Null)
                );
                let ranked = caller.get("/scores/fit/ranking?object=contact").await.ok(200);
                assert_eq!(results(&ranked)[0]["rationale"], Value::Null);
            }
            _ => assert_eq!(lines(&seen.ok(200)), [("Size", Some(1), Some("person"))]),
        }
    }
    let (pointless, _) = tenant.user("pointless", "pointless").await;
    let seen = pointless.get(&path).await.ok(200);
    assert_eq!((&seen["total"], &seen["criteria"][0]["score"]), (&Value::Null, &Value::Null));
    pointless.get("/scores/fit/ranking?object=contact").await.problem(403, "forbidden");
    assert!(kinds(&quiet.broken_by().await).iter().all(|kind| !kind.starts_with("record")));

    // Off is nowhere.
    tenant.patch("/tenant", &json!({"capabilities": {"scoring": false}})).await.ok(200);
    assert_eq!(tenant.get("/scores").await.ok(200)["results"], json!([]));
    tenant.get(&path).await.problem(404, "not_found");
    tenant.get(&format!("{path}/history")).await.problem(404, "not_found");
    tenant.post(&path, &json!({})).await.problem(404, "not_found");
    tenant.put(&say, &json!({"score": 2, "rationale": "x"})).await.problem(404, "not_found");
    tenant.get("/scores/fit/ranking?object=contact").await.problem(404, "not_found");
    tenant.post("/scores/fit/assess", &json!({"object": "contact"})).await.problem(404, "not_found");
    tenant.patch("/tenant", &json!({"capabilities": {"scoring": true}})).await.ok(200);
    assert_eq!(tenant.get(&path).await.ok(200)["total"], 1);
}

/// Has contacts assessed, and gives the job once it is done.
async fn assess_many(tenant: &Tenant, body: Value) -> Value {
    let accepted = tenant.post("/scores/fit/assess", &body).await.ok(202);
    jobs_are_done(tenant).await;
    tenant.get(&format!("/jobs/{}", id(&accepted["job"]))).await.ok(200)
}

async fn many_are_assessed_by_a_job(server: TestServer) {
    let tenant = server.tenant("generic").await;
    criterion(&tenant, "Given", "subject.customer_value", "1").await;
    let inputs: Vec<Value> = (0..130)
        .map(|number| json!({"properties": {"first_name": "Ada", "last_name": "Lovelace", "customer_value": number % 100}}))
        .collect();
    tenant.post("/records/contact/batch/create", &json!({"inputs": inputs})).await.ok(207);
    let filter = json!({"property": "customer_value", "op": "gte", "value": 90});
    let job = assess_many(&tenant, json!({"object": "contact", "filter": filter})).await;
    assert_eq!((&job["kind"], &job["state"], &job["spec"]["filter"]), (&json!("assess"), &json!("done"), &filter));
    assert_eq!((&job["progress"]["done"], &job["counts"]["updated"]), (&json!(10), &json!(10)));
    assert_eq!(counted(&tenant).await, (20, 20));
    let job = assess_many(&tenant, json!({"object": "contact"})).await;
    assert_eq!(
        (&job["progress"]["done"], &job["counts"]["updated"], &job["counts"]["unchanged"]),
        (&json!(130), &json!(120), &json!(10))
    );
    assert_eq!((counted(&tenant).await, &job["counts"]["failed"]), ((260, 260), &json!(0)));
    let quiet = Silence::begins(&tenant).await;
    assert_eq!(assess_many(&tenant, json!({"object": "contact"})).await["counts"]["unchanged"], 130);
    assert!(kinds(&quiet.broken_by().await).iter().all(|kind| !kind.starts_with("record")));
    let best = tenant.get("/scores/fit/ranking?object=contact&limit=3").await.ok(200);
    assert_eq!(results(&best).iter().map(|found| &found["total"]).collect::<Vec<_>>(), [99, 98, 97]);
    let all = json!({"object": "contact"});
    let post = || tenant.post("/scores/fit/assess", &all).header("idempotency-key", "once");
    let (first, again) = (post().await, post().await);
    assert_eq!((again.header("idempotent-replayed"), again.ok(202)), ("true", first.ok(202)));
    let product = create_id(&tenant, "product", json!({"name": "Roof"})).await;
    let job = assess_many(&tenant, json!({"object": "contact", "for": product, "filter": filter})).await;
    assert_eq!((&job["counts"]["updated"], &job["spec"]["for"]), (&json!(10), &json!(product)));
    for (body, pointers) in [
        (json!({}), vec!["/object"]),
        (json!({"object": "contcat", "for": "x"}), vec!["/object", "/for"]),
        (json!({"object": "deal"}), vec!["/object"]),
        (json!({"object": "contact", "filter": {"property": "nmae", "op": "exists"}}), vec!["/filter/property"]),
        (json!({"object": "contact", "filter": 7, "sort": 1}), vec!["/filter", "/sort"]),
    ] {
        let refused = tenant.post("/scores/fit/assess", &body).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), pointers, "{body}");
    }
}

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

async fn a_pack_says_what_a_score_consists_of(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let planned = tenant.post("/packs/plan", &json!({"source": HOTEL})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    let scores = tenant.get("/scores").await.ok(200);
    let [fit, welcome] = results(&scores).as_slice() else { panic!("{scores}") };
    assert_eq!((&fit["subjects"], &fit["for"]), (&json!(["company", "contact"]), &json!(["product"])));
    let expected = json!({"name": "welcome", "label": "How welcome", "description": null, "criteria": "question",
        "assessments": "verdict", "subjects": ["guest"], "for": [], "totals": {"guest": "standing"}});
    assert_eq!(*welcome, expected);
    let wrong = json!({"properties": {"text": "Long", "cel": "subject.nihgts > 2"}});
    let refused = tenant.post("/records/question", &wrong).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/properties/cel".to_owned(), "unknown".to_owned())]);
    let alone = json!({"properties": {"text": "Long", "cel": "for_record == null"}});
    let refused = tenant.post("/records/question", &alone).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/properties/cel"]);
    create_id(&tenant, "question", json!({"text": "Long", "cel": "subject.nights * 10", "share": 3})).await;
    create_id(&tenant, "question", json!({"text": "Named", "cel": "has(subject.name)"})).await;
    let guest = create_id(&tenant, "guest", json!({"name": "Emmy", "nights": 4})).await;
    let path = format!("/records/guest/{guest}/scores/welcome");
    let assessed = tenant.post(&path, &json!({})).await.ok(200);
    // (3 × 40 + 1 × 100) / 4
    assert_eq!((&assessed["score"], &assessed["total"]), (&json!("welcome"), &json!(55)));
    assert_eq!(tenant.get(&format!("/records/guest/{guest}")).await.ok(200)["properties"]["standing"], 55);
    let verdicts = tenant.get("/records/verdict").await.ok(200);
    assert_eq!(results(&verdicts).len(), 3);
    let refused = tenant.post(&path, &json!({"for": guest})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/for".to_owned(), "not_applicable".to_owned())]);
    // What names something that is not there is refused with its line.
    let broken = HOTEL.replace("key: what", "key: because").replace("subject: verdict_guest", "subject: verdict_gest");
    let broken = broken.replace("1.0.0", "1.1.0");
    let refused = tenant.post("/packs/plan", &json!({"source": broken})).await.problem(422, "validation_failed");
    let words = refused.words();
    assert!(words.contains("did you mean `verdict_guest`?") && words.contains("this takes string"), "{words}");
    // Whoever archives what it needs is told, and it waits for that.
    let uses = tenant.get("/object-definitions/verdict/properties/points/uses").await.ok(200);
    assert_eq!((&results(&uses)[0]["kind"], &results(&uses)[0]["name"]), (&json!("score"), &json!("welcome")));
    let archived = tenant.delete("/object-definitions/verdict/properties/because").await;
    assert!(matches!(archived.status, 200 | 204), "{}", archived.text);
    tenant.post(&path, &json!({})).await.problem(409, "conflict");
}

scenarios![
    a_total_is_the_weighted_mean_of_what_rules_answer,
    what_a_person_says_stands_until_it_is_taken_back,
    what_cannot_be_is_refused_with_all_that_is_wrong,
    one_criterion_never_stops_the_others,
    records_are_assessed_for_other_records,
    of_many_who_assess_at_once_one_writes,
    a_ranking_has_the_best_first,
    rights_are_those_of_the_records,
    many_are_assessed_by_a_job,
    what_was_said_of_a_merged_record_counts_for_the_one_that_remains,
    a_pack_says_what_a_score_consists_of,
];
