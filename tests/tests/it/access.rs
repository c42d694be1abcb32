//! Who may do what: the four roles, ownership, and secrets that stay secret.

use serde_json::{Value, json};
use tests::{Store, TestServer};

use crate::fixture::{Silence, all_records, contact, create, create_id, define_thing, id, results};

async fn member_writes_what_is_own_or_unclaimed(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (mel, mel_id) = tenant.user("mel", "member").await;
    let (_, max_id) = tenant.user("max", "member").await;
    let deal = async |owner: Value| {
        id(&tenant.post("/records/deal", &json!({"properties": {"name": "Roof"}, "owner_id": owner})).await.ok(201))
    };
    let own = deal(json!(mel_id)).await;
    let foreign = deal(json!(max_id)).await;
    let unclaimed = deal(Value::Null).await;
    let patch = json!({"properties": {"name": "Wall"}});
    for allowed in [&own, &unclaimed] {
        mel.patch(&format!("/records/deal/{allowed}"), &patch).await.ok(200);
    }
    let quiet = Silence::begins(&tenant).await;
    let path = format!("/records/deal/{foreign}");
    assert_eq!(mel.get(&path).await.ok(200)["owner_id"], max_id, "members read all");
    mel.patch(&path, &patch).await.problem(403, "forbidden");
    mel.patch(&path, &json!({"owner_id": mel_id})).await.problem(403, "forbidden");
    mel.delete(&path).await.problem(403, "forbidden");
    let batch = json!({"inputs": [{"id": foreign, "properties": {"name": "Wall"}}]});
    assert_eq!(results(&mel.post("/records/deal/batch/update", &batch).await.ok(207))[0]["status"], 403);
    let operation = json!({"operations": [{"op": "archive", "object": "deal", "id": foreign}]});
    mel.post("/transactions", &operation).await.problem(403, "forbidden");
    quiet.holds().await;
    tenant.patch(&path, &json!({"owner_id": mel_id})).await.ok(200);
    mel.patch(&path, &patch).await.ok(200);
}

async fn scopes_end_where_they_should(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    create_id(&tenant, "deal", json!({"name": "Roof"})).await;
    let token = json!({"name": "deals", "role": "admin", "scopes": ["deal:read"]});
    let secret = tenant.post("/tokens", &token).await.ok(201)["secret"].as_str().unwrap().to_owned();
    let deals = server.anonymous().with_token(&secret);
    assert_eq!(results(&deals.get("/records/deal").await.ok(200)).len(), 1);
    deals.get("/records/contact").await.problem(403, "forbidden");
    deals.get(&format!("/records/contact/{ada}")).await.problem(404, "not_found");
    deals.post("/records/deal", &json!({"properties": {"name": "Wall"}})).await.problem(403, "forbidden");
}

async fn roles_end_where_they_should(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (admin, _) = tenant.user("ann", "admin").await;
    let (member, _) = tenant.user("mel", "member").await;
    let (viewer, _) = tenant.user("vic", "viewer").await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let path = format!("/records/contact/{ada}");
    let quiet = Silence::begins(&tenant).await;
    assert_eq!(viewer.get(&path).await.ok(200)["id"], ada);
    viewer.post("/records/contact", &json!({"properties": contact("x@example.com")})).await.problem(403, "forbidden");
    viewer.patch(&path, &json!({"properties": {"title": "X"}})).await.problem(403, "forbidden");
    let property = json!({"name": "note", "type": "text", "label": "Note"});
    for caller in [&member, &viewer] {
        caller.post("/object-definitions/contact/properties", &property).await.problem(403, "forbidden");
        caller
            .post("/users", &json!({"name": "X", "email": "x@example.com", "role": "viewer"}))
            .await
            .problem(403, "forbidden");
        caller.post("/tokens", &json!({"name": "X", "role": "owner"})).await.problem(403, "forbidden");
        caller.patch("/tenant", &json!({"name": "X"})).await.problem(403, "forbidden");
    }
    quiet.holds().await;
    member.post("/records/contact", &json!({"properties": contact("m@example.com")})).await.ok(201);
    admin.post("/object-definitions/contact/properties", &property).await.ok(201);
    let stronger = admin.post("/tokens", &json!({"name": "X", "role": "owner"})).await;
    assert!(matches!(stronger.status, 403 | 422), "nobody hands out more than they have: {}", stronger.text);
    server.anonymous().get(&path).await.problem(401, "unauthenticated");
}

async fn sensitive_property_is_seen_by_those_who_may(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"salary": {"type": "integer", "label": "Salary", "sensitive": true}})).await;
    let path =
        format!("/records/thing/{}", create_id(&tenant, "thing", json!({"name": "One", "salary": 987_654})).await);
    let (member, _) = tenant.user("mel", "member").await;
    assert_eq!(tenant.get(&path).await.ok(200)["properties"]["salary"], 987_654);
    for look in [path.as_str(), "/records/thing", "/changes?after=0&wait=0", &format!("{path}/history")] {
        let text = member.get(look).await.text;
        assert!(!text.contains("987654"), "{look}: {text}");
    }
}

async fn users_and_teams_are_kept(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (_, mel) = tenant.user("mel", "member").await;
    let same = json!({"name": "Mel", "email": "mel@example.com", "role": "member"});
    tenant.post("/users", &same).await.problem(409, "conflict");
    let wrong = json!({"name": "X", "email": "nobody", "role": "membr"});
    let problem = tenant.post("/users", &wrong).await.problem(422, "validation_failed");
    let mut pointers = problem.pointers();
    pointers.sort();
    assert_eq!(pointers, ["/email", "/role"]);
    assert!(problem.words().contains("member"), "{}", problem.body);
    let team = tenant.post("/teams", &json!({"name": "Sales", "members": [mel]})).await.ok(201);
    assert_eq!(tenant.get(&format!("/teams/{}", id(&team))).await.ok(200)["members"], json!([mel]));
    assert!(results(&tenant.get("/users").await.ok(200)).iter().any(|user| user["id"] == *mel));
}

async fn secrets_are_not_kept_in_the_clear(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    let secret = tenant.token().unwrap().to_owned();
    create(&tenant, "contact", contact("ada@example.com")).await;
    all_records(&tenant, "contact").await;
    assert!(server.terminate().await.success());
    assert!(!server.log().contains(&secret));
    let held = match server.store() {
        Store::Sqlite => files_below(&server.data_folder())
            .iter()
            .any(|file| contains(&std::fs::read(file).unwrap(), secret.as_bytes())),
        Store::Postgres => {
            let url = server.database().unwrap().superuser_url().to_owned();
            let dump = std::process::Command::new("pg_dump").arg(url).output().unwrap();
            assert!(contains(&dump.stdout, b"Lovelace"), "the dump is whole");
            contains(&dump.stdout, secret.as_bytes())
        }
    };
    assert!(!held, "the store holds a token's secret");
}

scenarios![
    member_writes_what_is_own_or_unclaimed,
    scopes_end_where_they_should,
    roles_end_where_they_should,
    sensitive_property_is_seen_by_those_who_may,
    users_and_teams_are_kept,
    secrets_are_not_kept_in_the_clear,
];

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}
