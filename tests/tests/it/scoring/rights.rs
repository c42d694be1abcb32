//! Who may assess, and who sees what.

use serde_json::{Value, json};
use tests::TestServer;

use super::{assess, contact, criterion, lead_score, lines, score_of};
use crate::fixture::{Silence, kinds, results};

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
                assert_eq!(seen["rationale"], Value::Null);
                let ranked = caller.get("/scores/fit/ranking?object=contact").await.ok(200);
                assert_eq!(
                    (&ranked["results"][0]["total"], &ranked["results"][0]["rationale"]),
                    (&json!(1), &Value::Null)
                );
                let past = caller.get(&format!("{path}/history")).await.ok(200);
                assert!(
                    results(&past).iter().all(|entry| entry["criterion"].is_null() && entry["rationale"].is_null())
                );
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

scenarios![rights_are_those_of_the_records,];
