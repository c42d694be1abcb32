//! `Idempotency-Key`: what is asked twice happens once.

use serde_json::json;
use tests::TestServer;

use crate::fixture::{Silence, all_records, contact, create_id, define_thing, kinds, results};

async fn same_key_and_body_give_the_same_reply_and_happen_once(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    let body = json!({"properties": {"name": "Acme"}});
    let first = tenant.post("/records/company", &body).header("idempotency-key", "k-1").await;
    first.ok(201);
    let quiet = Silence::begins(&tenant).await;
    let second = tenant.post("/records/company", &body).header("idempotency-key", "k-1").await;
    assert_eq!((second.status, &second.text), (201, &first.text));
    assert_eq!(second.header("etag"), first.header("etag"));
    assert_eq!(second.sequence(), first.sequence());
    let other = json!({"properties": {"name": "Bcme"}});
    tenant.post("/records/company", &other).header("idempotency-key", "k-1").await.problem(409, "conflict");
    quiet.holds().await;
    tenant.post("/records/company", &body).header("idempotency-key", "k-2").await.ok(201);
    let neighbour = server.tenant("generic").await;
    neighbour.post("/records/company", &other).header("idempotency-key", "k-1").await.ok(201);
    server.kill();
    server.start().await;
    let tenant = server.again(&tenant);
    let third = tenant.post("/records/company", &body).header("idempotency-key", "k-1").await;
    assert_eq!((third.status, &third.text), (201, &first.text));
    assert_eq!(all_records(&tenant, "company").await.len(), 2);
}

async fn of_many_at_once_with_one_key_one_happens(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let body = json!({"properties": {"name": "Acme"}});
    let tries = (0..16).map(|_| {
        let request = tenant.post("/records/company", &body).header("idempotency-key", "k");
        async move { request.await }
    });
    let replies = futures::future::join_all(tries).await;
    for reply in &replies {
        assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
    }
    assert_eq!(all_records(&tenant, "company").await.len(), 1);
}

async fn key_covers_batches_transactions_and_definitions(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let quiet = Silence::begins(&tenant).await;
    let requests = [
        (
            "/records/contact/batch/create",
            json!({"inputs": [{"properties": contact("a@example.com")}, {"properties": {}}]}),
        ),
        (
            "/transactions",
            json!({"operations": [{"op": "create", "object": "company", "properties": {"name": "Acme"}}]}),
        ),
        ("/object-definitions", json!({"name": "thing", "label": "Thing", "plural": "things", "properties": {}})),
    ];
    for (path, body) in &requests {
        let first = tenant.post(path, body).header("idempotency-key", *path).await;
        assert!(first.status < 300, "{}", first.text);
        let second = tenant.post(path, body).header("idempotency-key", *path).await;
        assert_eq!((second.status, &second.text), (first.status, &first.text), "{path}");
    }
    assert_eq!(kinds(&quiet.broken_by().await), ["record.created", "record.created", "metadata.changed"]);
}

async fn restoring_under_a_key_happens_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let company = create_id(&tenant, "company", json!({"name": "Acme"})).await;
    define_thing(&tenant, json!({})).await;
    let places = [format!("/records/company/{company}"), "/object-definitions/thing".to_owned()];
    for place in &places {
        let restore = format!("{place}/restore");
        tenant.delete(place).await;
        let first = tenant.post(&restore, &json!({})).header("idempotency-key", place.as_str()).await;
        first.ok(200);
        tenant.delete(place).await;
        let quiet = Silence::begins(&tenant).await;
        let second = tenant.post(&restore, &json!({})).header("idempotency-key", place.as_str()).await;
        assert_eq!((second.status, &second.text), (200, &first.text), "{place}");
        quiet.holds().await;
        assert!(!tenant.get(place).await.ok(200)["archived_at"].is_null(), "{place}");
    }
}

async fn refused_request_may_be_mended_under_its_key(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let wrong = json!({"properties": {"nmae": "Acme"}});
    tenant.post("/records/company", &wrong).header("idempotency-key", "k").await.problem(422, "validation_failed");
    tenant.post("/records/company", &wrong).header("idempotency-key", "k").await.problem(422, "validation_failed");
    for key in ["", &"k".repeat(256)] {
        let body = json!({"properties": {"name": "Acme"}});
        tenant.post("/records/company", &body).header("idempotency-key", key).await.problem(400, "bad_request");
    }
    assert!(results(&tenant.get("/records/company").await.ok(200)).is_empty());
}

scenarios![
    same_key_and_body_give_the_same_reply_and_happen_once,
    of_many_at_once_with_one_key_one_happens,
    key_covers_batches_transactions_and_definitions,
    restoring_under_a_key_happens_once,
    refused_request_may_be_mended_under_its_key,
];
