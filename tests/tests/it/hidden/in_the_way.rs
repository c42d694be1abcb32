//! Who is in the way is told to whoever may see it.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{all, told, user_of, with_role};
use crate::fixture::{create_id, define, define_thing, id, results};

async fn who_is_in_the_way_is_told_to_whoever_may_see_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let definition = json!({
        "name": "room", "plural": "rooms", "display": "{{ name }}", "features": {"duplicates": [
            {"properties": ["mail"], "on_create": "refuse"}, {"properties": ["secret"], "on_create": "refuse"}]},
        "properties": {"name": {"type": "string"}, "code": {"type": "string", "unique": true},
            "ssn": {"type": "string", "unique": true, "sensitive": true}, "mail": {"type": "email"},
            "secret": {"type": "string", "sensitive": true}, "since": {"type": "integer"}, "until": {"type": "integer"}},
        "constraints": [{"no_overlap": {"within": "name", "from": "since", "to": "until"}}],
    });
    define(&tenant, definition).await;
    let one =
        json!({"name": "One", "code": "A", "ssn": "1", "mail": "a@b.example", "secret": "s", "since": 1, "until": 5});
    let one = create_id(&tenant, "room", one).await;
    let own = json!({"create": true, "read": "own", "update": "own", "archive": "own"});
    let sees_secrets = json!({"room.ssn": {"read": true}});
    let member = tenant.user("mo", "member").await.0;
    let narrow = with_role(&tenant, "narrow", json!({"room": own}), sees_secrets).await;
    let post = async |who: &Client, properties: Value| {
        told(&who.post("/records/room", &json!({"properties": properties})).await.problem(409, "conflict"))
    };
    let (known, unknown) = ((format!("record {one}"), json!([one])), ("another record".to_owned(), Value::Null));
    for (properties, to_owner, to_member, to_narrow) in [
        (json!({"code": "A"}), &known, &known, &unknown),
        (json!({"ssn": "1"}), &known, &unknown, &unknown),
        (json!({"name": "One", "since": 2, "until": 3}), &known, &known, &unknown),
        (json!({"mail": "a@b.example"}), &known, &known, &unknown),
        (json!({"secret": "s"}), &known, &unknown, &unknown),
    ] {
        for (who, (record, samples)) in [(&*tenant, to_owner), (&member, to_member), (&narrow, to_narrow)] {
            let (message, told) = post(who, properties.clone()).await;
            assert!(message.contains(record.as_str()), "{properties}: {message}");
            assert_eq!(&told, samples, "{properties}: {message}");
        }
    }
    let (message, _) = post(&narrow, json!({"code": "A"})).await;
    assert_eq!(message, "`code` must be unique, and another record already has this value");
    // Every way of writing tells as much, again under the same key too.
    let inputs = json!({"inputs": [{"properties": {"code": "A"}}, {"properties": {"name": "Two", "code": "B"}}]});
    let mut replies = Vec::new();
    for key in ["first", "first"] {
        let reply = narrow.post("/records/room/batch/create", &inputs).header("idempotency-key", key).await.ok(207);
        replies.push(reply.clone());
        let error = &results(&reply)[0]["error"]["errors"][0];
        assert_eq!((&error["code"], error.get("samples")), (&json!("taken"), None), "{reply}");
    }
    assert_eq!(replies[0], replies[1]);
    // What is its own is told.
    let two = id(&results(&replies[0])[1]["record"]);
    tenant.post("/records/room/batch/assign", &json!({"ids": [two], "owner_id": null})).await;
    let mine = narrow.post("/records/room", &json!({"properties": {"code": "C", "ssn": "3"}})).await.ok(201);
    tenant.patch(&format!("/records/room/{}", id(&mine)), &json!({"owner_id": user_of(&narrow).await})).await.ok(200);
    for taken in [json!({"code": "C"}), json!({"ssn": "3"})] {
        assert_eq!(post(&narrow, taken).await.1, json!([id(&mine)]));
    }
    let batch = json!({"inputs": [{"properties": {"code": "C"}}]});
    let reply = narrow.post("/records/room/batch/create", &batch).await.ok(207);
    assert_eq!(results(&reply)[0]["error"]["errors"][0]["samples"], json!([id(&mine)]), "{reply}");
}

async fn links_in_the_way_are_told_as_far_as_they_are_seen(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    define(&tenant, json!({"name": "box", "plural": "boxes", "properties": {"name": {"type": "string"}}})).await;
    let link = json!({"name": "thing_box", "from": "thing", "to": "box", "cardinality": "many_to_one"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let (first, second) =
        (create_id(&tenant, "box", json!({"name": "1"})).await, create_id(&tenant, "box", json!({"name": "2"})).await);
    let thing = create_id(&tenant, "thing", json!({"name": "One"})).await;
    tenant.put(&format!("/records/thing/{thing}/associations/thing_box/{first}"), &json!({})).await.ok(204);
    let own = json!({"create": true, "read": "own_or_unclaimed", "update": "all", "archive": "all"});
    let narrow = with_role(&tenant, "narrow", json!({"thing": all(), "box": own}), json!({})).await;
    let path = format!("/records/thing/{thing}/associations/thing_box/{second}");
    let (message, samples) = told(&narrow.put(&path, &json!({})).await.problem(409, "cardinality"));
    assert!(message.contains(&format!("record {thing} is already linked to record {first}")), "{message}");
    assert_eq!(samples, json!([thing, first]));
    tenant.patch(&format!("/records/box/{first}"), &json!({"owner_id": "1"})).await.ok(200);
    let (message, samples) = told(&narrow.put(&path, &json!({})).await.problem(409, "cardinality"));
    assert!(message.contains(&format!("record {thing} is already linked to another record")), "{message}");
    assert_eq!(samples, json!([thing]));
}

scenarios![who_is_in_the_way_is_told_to_whoever_may_see_it, links_in_the_way_are_told_as_far_as_they_are_seen,];
