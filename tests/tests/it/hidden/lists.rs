//! Lists that are not there for the caller.

use serde_json::{Value, json};
use tests::TestServer;

use super::patients;
use crate::fixture::id;

async fn a_list_that_is_not_there_for_somebody_is_unknown_everywhere(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let clerk = patients(&tenant).await;
    let list = async |name: &str, sharing: &str, filter: Value| {
        let body = json!({"object": "patient", "name": name, "sharing": sharing, "filter": filter});
        id(&tenant.post("/lists", &body).await.ok(201))
    };
    let by_ssn = json!({"property": "ssn", "op": "starts_with", "value": "111"});
    let hidden = list("By number", "everyone", by_ssn.clone()).await;
    let above = list("Above", "everyone", json!({"list": hidden})).await;
    let broken = json!({"all": [by_ssn, {"property": "city", "op": "exists"}]});
    let broken = list("Broken", "everyone", broken).await;
    tenant.delete("/object-definitions/patient/properties/city").await.ok(204);
    let private = list("Private", "private", json!({"property": "age", "op": "gt", "value": 1})).await;
    for list in [&hidden, &above, &broken, &private, &"987654".to_owned()] {
        let missing = clerk.get(&format!("/lists/{list}")).await.problem(404, "not_found");
        assert_eq!(missing.words(), format!("there is no list `{list}`"));
        let filter = json!({"not": {"list": list}});
        for refused in [
            clerk.post("/records/patient/search", &json!({"filter": filter})).await,
            clerk.post("/lists", &json!({"object": "patient", "name": "x", "filter": filter})).await,
        ] {
            let refused = refused.problem(422, "validation_failed");
            assert_eq!(refused.errors(), [("/filter/not/list".to_owned(), "unknown".to_owned())]);
            assert!(refused.words().contains(&format!("there is no list `{list}`")), "{}", refused.body);
        }
        // A list of another object is none of these objects' either way.
        let refused = clerk.post("/records/deal/search", &json!({"filter": {"list": list}})).await;
        assert_eq!(refused.problem(422, "validation_failed").errors()[0].1, "unknown");
    }
    let found = tenant.post("/records/patient/search", &json!({"filter": {"list": above}, "count": true})).await;
    assert_eq!(found.ok(200)["total"], 1);
}

scenarios![a_list_that_is_not_there_for_somebody_is_unknown_everywhere,];
