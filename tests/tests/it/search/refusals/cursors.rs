//! Cursors that lead nowhere.

use serde_json::{Value, json};
use tests::TestServer;

use super::{check, things};
use crate::fixture::results;
use crate::search::{create_all, search};

async fn cursors_are_of_use_for_their_own_search_only(server: TestServer) {
    let tenant = things(&server).await;
    create_all(&tenant, "thing", &["a", "b", "c"].map(|name| json!({"name": name, "seats": 1}))).await;
    create_all(&tenant, "box", &[json!({"weight": 1}), json!({"weight": 2})]).await;
    let query = json!({"filter": {"property": "seats", "op": "eq", "value": 1}, "sort": ["name"], "limit": 1});
    let cursor = search(&tenant, "thing", query.clone()).await["next_cursor"].clone();
    let with = |changes: Value| {
        let mut query = query.clone();
        query["cursor"] = cursor.clone();
        query.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        query
    };
    for same in [
        json!({}),
        json!({"limit": 2}),
        json!({"select": ["seats"]}),
        json!({"count": true}),
        json!({"aggregate": {"t": {}}}),
    ] {
        let page = search(&tenant, "thing", with(same.clone())).await;
        assert_eq!(results(&page)[0]["display_name"], "b", "{same}");
    }
    for (other, word) in [
        (json!({"filter": {"property": "seats", "op": "eq", "value": 2}}), "another search"),
        (json!({"filter": null}), "another search"),
        (json!({"sort": ["-name"]}), "another search"),
        (json!({"sort": ["name", "seats"]}), "another search"),
        (json!({"sort": null}), "another search"),
        (json!({"q": "a"}), "another search"),
        (json!({"archived": true}), "another search"),
        (json!({"cursor": "nonsense"}), "no cursor"),
        (json!({"cursor": ""}), ""),
        (json!({"cursor": "x".repeat(100_000)}), "no cursor"),
        (json!({"cursor": "bnVsbA"}), "no cursor"),
        (json!({"cursor": "WzIsIngiLDEsW11d"}), "another search"),
        (json!({"cursor": "WzEsIngiLDEsW11d"}), "earlier release"),
    ] {
        check(&tenant, with(other), "/cursor", "invalid", word).await;
    }
    let elsewhere = json!({"sort": ["weight"], "limit": 1});
    let elsewhere = search(&tenant, "box", elsewhere).await["next_cursor"].clone();
    check(&tenant, with(json!({"cursor": elsewhere})), "/cursor", "invalid", "another search").await;
    let list = tenant.get("/records/thing?limit=1").await.ok(200)["next_cursor"].clone();
    check(&tenant, with(json!({"cursor": list})), "/cursor", "invalid", "").await;
    let across = json!({"cursor": cursor, "sort": ["id"]});
    let problem = tenant.post("/search", &across).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/cursor"]);
    // What is sorted by is ordered another way by now.
    let query = json!({"sort": ["stage"], "limit": 1});
    let cursor = search(&tenant, "thing", query.clone()).await["next_cursor"].clone();
    let options = json!({"options": {"lost": {"order": 0}}});
    tenant.patch("/object-definitions/thing/properties/stage", &options).await.ok(200);
    let mut stale = query;
    stale["cursor"] = cursor;
    check(&tenant, stale, "/cursor", "invalid", "another search").await;
}

scenarios![cursors_are_of_use_for_their_own_search_only];
