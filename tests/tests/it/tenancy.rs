//! Tenants, their tokens, and the wall between them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Store, TestServer};

use crate::fixture::{Silence, builder, changes_after, contact, create, create_id, id, results};

async fn tenant_is_made_with_an_owner_and_its_packs(server: TestServer) {
    let body = json!({
        "slug": "acme", "name": "Acme", "profile": "construction", "time_zone": "America/Edmonton", "currency": "CAD",
    });
    let reply = server.platform().post("/tenants", &body).await.ok(201);
    let tenant = &reply["tenant"];
    for (name, value) in [
        ("slug", "acme"),
        ("name", "Acme"),
        ("profile", "construction"),
        ("time_zone", "America/Edmonton"),
        ("currency", "CAD"),
    ] {
        assert_eq!(tenant[name], value, "{tenant}");
    }
    assert!(tenant["id"].is_string() && tenant["metadata_version"].is_number(), "{tenant}");
    let capabilities: Vec<&str> =
        tenant["capabilities"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(capabilities.contains(&"permits") && capabilities.contains(&"deals"), "{tenant}");
    let token = reply["token"].as_str().unwrap();
    assert!(token.starts_with("trl_"), "a token can be recognised as one");
    let owner = server.anonymous().with_token(token);
    let start = owner.get("/tenant").await.ok(200);
    assert_eq!(start["tenant"], *tenant);
    assert_eq!(start["role"], "owner");
    assert_eq!(start["capabilities"], tenant["capabilities"]);
    assert_eq!(start["profile"], "construction");
    assert_eq!(start["metadata_version"], tenant["metadata_version"]);
    assert!(start["user"]["id"].is_string(), "{start}");
    owner.get("/object-definitions/permit").await.ok(200);
    owner.get("/object-definitions/encounter").await.problem(404, "not_found");
}

async fn only_the_platform_token_manages_tenants(server: TestServer) {
    let body = json!({"slug": "acme", "name": "Acme", "profile": "generic"});
    let anonymous = server.anonymous();
    anonymous.post("/tenants", &body).await.problem(401, "unauthenticated");
    anonymous.with_token("trl_nobody").post("/tenants", &body).await.problem(401, "unauthenticated");
    let owner = server.tenant("generic").await;
    owner.post("/tenants", &body).await.problem(403, "forbidden");
    server.platform().get("/records/contact").await.problem(403, "forbidden");
    server.platform().post("/tenants", &body).await.ok(201);
    server.platform().post("/tenants", &body).await.problem(409, "conflict");
    let wrong =
        json!({"slug": "No Slug", "name": "", "profile": "constructoin", "currency": "XXXX", "time_zone": "Mars/Base"});
    let problem = server.platform().post("/tenants", &wrong).await.problem(422, "validation_failed");
    let mut pointers = problem.pointers();
    pointers.sort();
    assert_eq!(pointers, ["/currency", "/name", "/profile", "/slug", "/time_zone"]);
    assert!(problem.words().contains("construction"), "the nearest profile is named: {}", problem.body);
}

async fn tenants_do_not_see_each_other(server: TestServer) {
    let (ours, theirs) = (server.tenant("generic").await, server.tenant("generic").await);
    let record = create(&theirs, "contact", contact("ada@example.com")).await;
    let company = create_id(&ours, "company", json!({"name": "Ours"})).await;
    let quiet = Silence::begins(&theirs).await;
    let (their_id, their_uid) = (id(&record), record["uid"].as_str().unwrap());
    create(&ours, "contact", contact("ada@example.com")).await;
    for way in [their_uid.to_owned(), format!("{their_uid}?select=email")] {
        ours.get(&format!("/records/contact/{way}")).await.problem(404, "not_found");
    }
    let by_uid = format!("/records/contact/{their_uid}");
    let patch = json!({"properties": {"first_name": "Eve"}});
    ours.patch(&by_uid, &patch).await.problem(404, "not_found");
    ours.delete(&by_uid).await.problem(404, "not_found");
    ours.get(&format!("{by_uid}/history")).await.problem(404, "not_found");
    ours.put(&format!("{by_uid}/associations/contact_company/{company}"), &json!({})).await.problem(404, "not_found");
    let read = ours.post("/records/contact/batch/read", &json!({"inputs": [{"id": their_uid}]})).await.ok(207);
    assert_eq!(results(&read)[0]["status"], 404);
    let operation = json!({"operations": [{"op": "update", "object": "contact", "id": their_uid, "properties": {"first_name": "Eve"}}]});
    assert!(matches!(ours.post("/transactions", &operation).await.status, 404 | 422));
    // Numbers are given out per tenant or not: the same number never leads to the other's record.
    let same_number = ours.get(&format!("/records/contact/{their_id}")).await;
    assert_ne!(same_number.json()["uid"], *their_uid);
    quiet.holds().await;
    assert_eq!(theirs.get(&by_uid).await.ok(200), record);
    assert!(!serde_json::to_string(&changes_after(&ours, 0).await).unwrap().contains(their_uid));
}

async fn token_works_until_it_expires_or_is_deleted(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let made = tenant.post("/tokens", &json!({"name": "robot", "role": "viewer"})).await.ok(201);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("trl_"), "{made}");
    let robot = tenant.with_token(secret);
    assert_eq!(robot.get("/tenant").await.ok(200)["role"], "viewer");
    let listed = tenant.get("/tokens").await;
    assert_eq!(results(&listed.ok(200)).iter().filter(|token| token["name"] == "robot").count(), 1);
    assert!(!listed.text.contains(secret), "a secret is shown once");
    let token_id = made["token"]["id"].as_str().unwrap();
    assert!(matches!(tenant.delete(&format!("/tokens/{token_id}")).await.status, 200 | 204));
    robot.get("/tenant").await.problem(401, "unauthenticated");

    let soon = in_seconds(2);
    let made = tenant.post("/tokens", &json!({"name": "brief", "role": "viewer", "expires_at": soon})).await.ok(201);
    let brief = tenant.with_token(made["secret"].as_str().unwrap());
    brief.get("/tenant").await.ok(200);
    let began = Instant::now();
    while brief.get("/tenant").await.status == 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "the token does not expire");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    brief.get("/tenant").await.problem(401, "unauthenticated");
    let log = server.log();
    assert!(!log.contains(secret) && !log.contains(tenant.token().unwrap()), "secrets are not logged");
}

async fn tenant_changes_its_settings_and_switches_capabilities(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let deal = create_id(&tenant, "deal", json!({"name": "Roof"})).await;
    let before = tenant.get("/tenant").await.ok(200);
    tenant.patch("/tenant", &json!({"name": "Acme Ltd", "capabilities": {"deals": false}})).await.ok(200);
    let after = tenant.get("/tenant").await.ok(200);
    assert_eq!(after["tenant"]["name"], "Acme Ltd");
    let has_deals = |start: &Value| start["capabilities"].as_array().unwrap().contains(&json!("deals"));
    assert!(has_deals(&before) && !has_deals(&after));
    tenant.get(&format!("/records/deal/{deal}")).await.problem(404, "not_found");
    tenant.patch("/tenant", &json!({"capabilities": {"deals": true}})).await.ok(200);
    assert_eq!(tenant.get(&format!("/records/deal/{deal}")).await.ok(200)["display_name"], "Roof");
    let problem = tenant
        .patch("/tenant", &json!({"capabilities": {"dels": true}, "nmae": "x"}))
        .await
        .problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/capabilities/dels", "/nmae"]);
    assert!(problem.words().contains("deals") && problem.words().contains("name"), "{}", problem.body);
}

scenarios![
    tenant_is_made_with_an_owner_and_its_packs,
    only_the_platform_token_manages_tenants,
    tenants_do_not_see_each_other,
    token_works_until_it_expires_or_is_deleted,
    tenant_changes_its_settings_and_switches_capabilities,
];

#[tokio::test]
async fn first_tenant_is_made_on_an_empty_store_and_its_token_shown_once() {
    let mut server = builder(Store::Sqlite).start().await;
    let said = server.log();
    let token = said.split_whitespace().find(|word| word.starts_with("trl_")).expect("the token is printed").to_owned();
    let start = server.anonymous().with_token(&token).get("/tenant").await.ok(200);
    assert_eq!(start["tenant"]["slug"], "demo");
    assert_eq!(start["role"], "owner");
    assert!(server.terminate().await.success());
    server.start().await;
    assert_eq!(server.log().matches(&token).count(), 1);
    assert_eq!(server.anonymous().with_token(&token).get("/tenant").await.ok(200), start);
}

#[tokio::test]
async fn superuser_of_postgres_is_refused_with_the_way_out() {
    let database = throwaway_postgres::database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_trellis-under-test"))
        .env("TRELLIS_DATABASE_URL", database.superuser_url())
        .env("TRELLIS_LISTEN", "127.0.0.1:0")
        .env("TRELLIS_DATA_DIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("superuser") && said.contains("create role"), "{said}");
    assert!(!said.contains(database.superuser_url()), "a password is not logged");
}

/// A moment so many seconds from now, RFC 3339 in UTC.
fn in_seconds(seconds: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::seconds(seconds)).to_rfc3339()
}
