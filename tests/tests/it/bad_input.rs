//! Whatever comes in: the contract's error, nothing changed, never a 500, never a panic.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Response, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Silence, contact, create_id, define_thing, results};

async fn send(client: &Client, path: &str, body: impl Into<Vec<u8>>) -> Response {
    client.request(Method::POST, path).bytes("application/json", body).await
}

async fn broken_json_is_a_bad_request(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let quiet = Silence::begins(&tenant).await;
    let broken: [&[u8]; 8] = [
        b"",
        b"{",
        b"{\"properties\": {\"first_name\": \"Ada\"",
        b"{\"properties\": {}} trailing",
        b"{'properties': {}}",
        b"{\"properties\": {\"first_name\": \"\xff\xfe\"}}",
        b"\xef\xbb\xbf\x00",
        b"NaN",
    ];
    for path in ["/records/contact", "/records/contact/batch/create", "/transactions", "/object-definitions", "/tokens"]
    {
        for body in broken {
            let reply = send(&tenant, path, body).await;
            assert_eq!(
                (reply.status, reply.json()["code"].as_str()),
                (400, Some("bad_request")),
                "{path} {body:?}: {}",
                reply.text
            );
        }
        for body in ["[]", "null", "\"text\"", "7", "true"] {
            let reply = send(&tenant, path, body).await;
            assert!(matches!(reply.status, 400 | 422), "{path} {body}: {}", reply.text);
        }
    }
    // JSON as such, but no text.
    let surrogate = send(&tenant, "/records/contact", r#"{"properties": {"first_name": "\ud800"}}"#).await;
    assert!(matches!(surrogate.status, 400 | 422), "{}", surrogate.text);
    let twice = send(
        &tenant,
        "/records/contact",
        r#"{"properties": {"first_name": "A", "first_name": "B", "last_name": "C"}}"#,
    )
    .await;
    assert!(matches!(twice.status, 400 | 422), "a key given twice is no silent choice: {}", twice.text);
    quiet.holds().await;
}

async fn too_deep_and_too_large_bodies_are_refused(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(
        &tenant,
        json!({"extra": {"type": "json", "label": "Extra"}, "word": {"type": "string", "label": "Word"}}),
    )
    .await;
    let quiet = Silence::begins(&tenant).await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [65, 1_000, 100_000] {
            let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let body = format!("{{\"properties\": {{\"name\": \"Deep\", \"extra\": {value}}}}}");
            send(&tenant, "/records/thing", body).await.problem(400, "bad_request");
        }
    }
    let long = "x".repeat(9 * 1024 * 1024);
    send(&tenant, "/records/thing", format!("{{\"properties\": {{\"name\": \"{long}\"}}}}"))
        .await
        .problem(413, "too_large");
    let megabytes = "x".repeat(4 * 1024 * 1024);
    let body = json!({"properties": {"name": "Big", "word": megabytes}});
    let problem = tenant.post("/records/thing", &body).await.problem(422, "validation_failed");
    assert_eq!(problem.errors(), [("/properties/word".to_owned(), "too_long".to_owned())]);
    assert!(problem.body.to_string().len() < 10_000, "a problem does not repeat megabytes");
    let name = "n".repeat(1024 * 1024);
    let problem = tenant
        .post("/records/thing", &json!({"properties": {"name": "Big", name: 1}}))
        .await
        .problem(422, "validation_failed");
    assert!(problem.body.to_string().len() < 3 * 1024 * 1024);
    quiet.holds().await;
    let deep = format!("{}1{}", "[".repeat(50), "]".repeat(50));
    send(&tenant, "/records/thing", format!("{{\"properties\": {{\"name\": \"Deep\", \"extra\": {deep}}}}}"))
        .await
        .ok(201);
}

async fn wrong_types_and_hostile_values_are_named(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(
        &tenant,
        json!({"count": {"type": "integer", "label": "Count"}, "ratio": {"type": "decimal", "label": "Ratio"}}),
    )
    .await;
    let quiet = Silence::begins(&tenant).await;
    let wrong = [
        ("name", "7"),
        ("name", "[]"),
        ("name", "{}"),
        ("name", "true"),
        ("name", r#""a\u0000b""#),
        ("count", "99999999999999999999"),
        ("count", "-9223372036854775809"),
        ("count", "1e400"),
        ("count", "0.1"),
        ("ratio", "1e999999999"),
        ("ratio", r#""1e-999999999""#),
        ("ratio", r#""NaN""#),
        ("ratio", r#""Infinity""#),
        ("ratio", r#""0x10""#),
        ("ratio", r#""١٢""#),
    ];
    for (name, value) in wrong {
        let rest = if name == "name" { "" } else { r#""name": "Thing", "# };
        let body = format!("{{\"properties\": {{{rest}\"{name}\": {value}}}}}");
        let reply = send(&tenant, "/records/thing", body).await;
        assert!(matches!(reply.status, 400 | 422), "{name} = {value}: {} {}", reply.status, reply.text);
        if reply.status == 422 {
            assert_eq!(reply.problem(422, "validation_failed").pointers(), [format!("/properties/{name}")], "{value}");
        }
    }
    for body in [
        json!({"properties": []}),
        json!({"properties": null, "x": 1}),
        json!({"properties": {"name": "T"}, "associations": {}}),
        json!({"properties": {"name": "T"}, "owner_id": {}}),
    ] {
        tenant.post("/records/thing", &body).await.problem(422, "validation_failed");
    }
    quiet.holds().await;
    // The text of an attack is a text.
    for text in [
        "'; drop table record; --",
        "{{ name }}{% for x in range(9999999) %}",
        "../../etc/passwd",
        "\u{202e}\u{200b}é\u{1F600}",
    ] {
        let record = tenant.post("/records/thing", &json!({"properties": {"name": text}})).await.ok(201);
        assert_eq!((&record["properties"]["name"], &record["display_name"]), (&json!(text), &json!(text)));
    }
}

async fn addresses_that_lead_nowhere_are_not_found(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let quiet = Silence::begins(&tenant).await;
    let ids = [
        "0",
        "-1",
        "1e3",
        "99999999999999999999",
        "9223372036854775807",
        "x",
        "%00",
        "%27",
        "00000000-0000-0000-0000-000000000000",
    ];
    for wrong in ids {
        for method in [Method::GET, Method::DELETE] {
            let reply = tenant.request(method, &format!("/records/contact/{wrong}")).await;
            assert!(matches!(reply.status, 400 | 404), "{wrong}: {} {}", reply.status, reply.text);
        }
        let patch = json!({"properties": {"first_name": "Eve"}});
        let reply = tenant.patch(&format!("/records/contact/{wrong}"), &patch).await;
        assert!(matches!(reply.status, 400 | 404), "{wrong}: {} {}", reply.status, reply.text);
    }
    tenant.get(&format!("/records/company/{ada}")).await.problem(404, "not_found");
    tenant.get("/records/contact/%ff").await.problem(400, "bad_request");
    tenant.get("/nowhere").await.problem(404, "not_found");
    tenant.at_root().get("/nowhere").await.problem(404, "not_found");
    tenant.request(Method::DELETE, "/object-definitions").await.problem(405, "method_not_allowed");
    tenant
        .request(Method::POST, "/records/contact")
        .bytes("text/plain", "{}")
        .await
        .problem(415, "unsupported_media_type");
    tenant.get("/records/contact?limit=1&limit=2").await.problem(400, "bad_request");
    tenant.get("/records/contact?at=%ff").await.problem(400, "bad_request");
    for cursor in ["AAAA", "%F0%9F%98%80", "eyJpZCI6MX0", &"A".repeat(5_000)] {
        tenant.get(&format!("/records/contact?cursor={cursor}")).await.problem(400, "bad_request");
    }
    quiet.holds().await;
}

async fn callers_without_a_valid_token_learn_nothing(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let token = tenant.token().unwrap();
    let mut almost = token.to_owned();
    let last = almost.pop().unwrap();
    almost.push(if last == 'a' { 'b' } else { 'a' });
    let anonymous = tenant.anonymous();
    for path in ["/records/contact", "/records/nothing", "/object-definitions", "/changes", "/tenant", "/users"] {
        let without = anonymous.get(path).await.problem(401, "unauthenticated");
        let wrong = anonymous.with_token(&almost).get(path).await.problem(401, "unauthenticated");
        assert_eq!(without.body["title"], wrong.body["title"]);
    }
    for header in [
        token.to_owned(),
        format!("Basic {token}"),
        "Bearer".to_owned(),
        format!("Bearer {token}x"),
        "Bearer \u{e9}".to_owned(),
        format!("Bearer {}", "x".repeat(4_000)),
    ] {
        anonymous.get("/tenant").header("authorization", &header).await.problem(401, "unauthenticated");
    }
    assert!(anonymous.get("/tenant").await.header("www-authenticate").starts_with("Bearer"));
    assert!(!server.log().contains(token) && !server.log().contains(&almost));
}

async fn forged_references_are_refused(server: TestServer) {
    let (ours, theirs) = (server.tenant("generic").await, server.tenant("generic").await);
    let (_, stranger) = theirs.user("eve", "member").await;
    let quiet = Silence::begins(&ours).await;
    let owned = json!({"properties": {"name": "Acme"}, "owner_id": "999999999"});
    assert_eq!(ours.post("/records/company", &owned).await.problem(422, "validation_failed").pointers(), ["/owner_id"]);
    ours.get(&format!("/users/{stranger}999")).await.problem(404, "not_found");
    let operation =
        json!({"operations": [{"op": "create", "ref": "c", "object": "company", "properties": {"name": "$c"}}]});
    ours.post("/transactions", &operation).await.ok(200);
    let made = quiet.broken_by().await;
    assert_eq!(made.len(), 1);
    assert_eq!(results(&ours.get("/records/company").await.ok(200))[0]["display_name"], "$c", "a text is no reference");
}

async fn broken_http_does_no_harm(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let quiet = Silence::begins(&tenant).await;
    let address = server.address().trim_start_matches("http://").to_owned();
    let token = tenant.token().unwrap();
    let requests = [
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
        format!(
            "POST /api/v1/records/company HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{{}}"
        ),
        format!(
            "POST /api/v1/records/company HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        ),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000)),
    ];
    for request in requests {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        // The server may hang up before it has taken everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut reply = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut reply)).await;
        assert!(read.is_ok(), "no end after {:?}", request.chars().take(40).collect::<String>());
        assert!(!reply.starts_with(b"HTTP/1.1 500"), "{}", String::from_utf8_lossy(&reply));
    }
    // A body that breaks off half way is no write.
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let half = format!(
        "POST /api/v1/records/company HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{{\"properties\": {{\"na"
    );
    stream.write_all(half.as_bytes()).await.unwrap();
    drop(stream);
    quiet.holds().await;
    assert_eq!(tenant.at_root().get("/healthz").await.status, 200);
}

/// Bodies made by mutation of a good one: whatever they mean, the answer is the contract's.
async fn mutated_bodies_never_break_the_server(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let good = json!({
        "properties": {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "lead_score": 7,
            "tags": ["a"], "social_profiles": {"linkedin": "x"}, "customer_value": "1.5", "last_contacted_at": "2026-05-04T03:02:01Z"},
        "owner_id": null, "associations": [{"type": "contact_company", "to": "1"}],
    });
    let text = good.to_string();
    let mut random = Random(7);
    for _ in 0..400 {
        let mut body = text.clone().into_bytes();
        for _ in 0..=random.below(3) {
            let at = random.below(body.len());
            match random.below(4) {
                0 => drop(body.remove(at)),
                1 => body.insert(at, b"\"{}[],:0-e\\\0\xffn"[random.below(14)]),
                2 => body[at] = u8::try_from(random.below(256)).unwrap(),
                _ => body.truncate(at.max(1)),
            }
        }
        let reply = send(&tenant, "/records/contact", body.clone()).await;
        assert!(
            matches!(reply.status, 201 | 400 | 404 | 409 | 422),
            "{}: {}",
            String::from_utf8_lossy(&body),
            reply.text
        );
    }
}

scenarios![
    broken_json_is_a_bad_request,
    too_deep_and_too_large_bodies_are_refused,
    wrong_types_and_hostile_values_are_named,
    addresses_that_lead_nowhere_are_not_found,
    callers_without_a_valid_token_learn_nothing,
    forged_references_are_refused,
    broken_http_does_no_harm,
    mutated_bodies_never_break_the_server,
];

/// A small generator, so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

#[test]
fn generator_reaches_every_value() {
    let mut random = Random(7);
    let seen: std::collections::BTreeSet<usize> = (0..200).map(|_| random.below(4)).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(Value::Null, json!(null));
}
