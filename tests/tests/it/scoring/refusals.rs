//! What cannot be, and what a pack may say.

use std::collections::BTreeSet;

use serde_json::json;
use tests::TestServer;

use super::{HOTEL, contact, criterion, score_of};
use crate::fixture::{Silence, create_id, results};

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
        ("today", "invalid_expression", "and this is a date"),
        ("subject.created_at", "invalid_expression", "a criterion gives true, false or a number"),
        ("now - subject.created_at", "invalid_expression", "a criterion gives true, false or a number"),
        ("for_record.updated_at + duration('1h')", "invalid_expression", ""),
        ("null", "invalid_expression", "a criterion gives true, false or a number"),
        ("now - duration('24h')", "invalid_expression", "a criterion gives true, false or a number"),
        ("subject.email > today", "invalid_expression", ""),
        ("tody == today", "unknown", "did you mean `today`?"),
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

scenarios![what_cannot_be_is_refused_with_all_that_is_wrong, a_pack_says_what_a_score_consists_of,];
