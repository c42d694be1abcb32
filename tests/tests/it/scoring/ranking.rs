//! Which records do best.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{assess, contact, criterion, score_of};
use crate::fixture::{create_id, id, results};

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

scenarios![a_ranking_has_the_best_first,];
