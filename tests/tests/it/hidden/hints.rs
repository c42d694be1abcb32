//! Hints and lists of what there is.

use serde_json::json;
use tests::{Client, TestServer};

use super::patients;
use crate::fixture::create_id;

async fn hints_name_what_the_caller_sees(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let clerk = patients(&tenant).await;
    let ada = create_id(&tenant, "patient", json!({"name": "Eve", "ssn": "5"})).await;
    let bob = create_id(&tenant, "patient", json!({"name": "Max", "ssn": "6"})).await;
    let path = format!("/records/patient/{ada}");
    let body = json!({"properties": {"ssm": "1"}});
    let merge = json!({"from": [bob], "properties": {"ssm": bob}});
    let filter = json!({"property": "ssm", "op": "exists"});
    let calls = async |who: &Client| {
        [
            who.post("/records/patient", &body).await,
            who.patch(&path, &body).await,
            who.put("/records/patient?id_property=ssm", &body).await,
            who.post(
                "/transactions",
                &json!({"operations": [{"op": "create", "object": "patient", "properties": {"ssm": "1"}}]}),
            )
            .await,
            who.post(&format!("{path}/merge"), &merge).await,
            who.get(&format!("{path}?select=ssm")).await,
            who.get("/records/patient?select=ssm").await,
            who.get("/records/patient/1?id_property=ssm").await,
            who.get("/records/patient?filter=ssm%20%3D%3D%20%221%22").await,
            who.post("/records/patient/search", &json!({"filter": filter})).await,
            who.post("/records/patient/search", &json!({"sort": ["ssm"]})).await,
            who.post("/records/patient/search", &json!({"select": ["ssm"]})).await,
            who.post("/views", &json!({"label": "x", "object": "patient", "filter": filter})).await,
            who.post("/views", &json!({"label": "x", "object": "patient", "columns": ["ssm"]})).await,
            who.post("/reports", &json!({"label": "x", "object": "patient", "measures": {"n": {"max": "ssm"}}})).await,
            who.post("/lists", &json!({"name": "x", "object": "patient", "filter": filter})).await,
            who.post("/exports", &json!({"object": "patient", "format": "csv", "select": ["ssm"]})).await,
            who.get("/access/explain?object=patient&action=read&property=ssm").await,
        ]
    };
    for (who, is_named) in [(&*tenant, true), (&clerk, false)] {
        for (index, reply) in calls(who).await.into_iter().enumerate() {
            assert!((400..500).contains(&reply.status), "{index}: {}", reply.json());
            assert_eq!(reply.json().to_string().contains("`ssn`"), is_named, "{index}: {}", reply.json());
        }
    }
    // What tells which properties are unique tells of no other either.
    let refused = clerk.get("/records/patient/1?id_property=name").await.problem(400, "bad_request");
    assert_eq!(refused.words().lines().next(), Some("`name` is not unique, so it does not name one record; none is"));
    let refused = tenant.get("/records/patient/1?id_property=name").await.problem(400, "bad_request");
    assert!(refused.words().contains("these are: `ssn`"), "{}", refused.body);
    // Whoever names it as it is meets the same answer as for what there is not.
    let refused = clerk.post("/duplicates/patient/check", &json!({"properties": {"ssn": "1"}})).await;
    assert_eq!(
        refused.problem(422, "validation_failed").words().lines().last(),
        Some("`ssn` is no property of `patient`")
    );
}

async fn objects_that_are_not_there_have_no_empty_lists(server: TestServer) {
    let tenant = server.tenant("generic").await;
    for path in ["/views", "/reports", "/lists", "/assignment-rules", "/changes"] {
        tenant.get(&format!("{path}?object=contact")).await.ok(200);
        let refused = tenant.get(&format!("{path}?object=contcat")).await.problem(404, "not_found");
        assert!(refused.words().contains("there is no object `contcat`; did you mean `contact`?"), "{}", refused.body);
    }
}

scenarios![hints_name_what_the_caller_sees, objects_that_are_not_there_have_no_empty_lists,];
