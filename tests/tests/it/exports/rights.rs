//! A file holds what whoever asked for it may read, and only they may have it.

use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use super::{begin, column, csv_columns, csv_rows, ended, export, fetch};
use crate::fixture::{create_id, define, id, results};

/// `note`s with a sensitive and a hidden property, two of them `own`.
async fn notes(tenant: &Tenant) -> (Client, Vec<String>) {
    define(
        tenant,
        json!({"name": "memo", "plural": "memos", "display": "{{ name }} {{ hidden }}", "properties": {
            "name": {"type": "string", "required": true}, "secret": {"type": "string", "sensitive": true},
            "hidden": {"type": "string"},
        }}),
    )
    .await;
    let role = json!({"name": "own_only", "objects": {"*": {"create": true, "read": "own", "update": "own", "archive": "own"}},
        "properties": {"memo.hidden": {"read": false}}});
    tenant.post("/roles", &role).await.ok(201);
    let (caller, user) = tenant.user("ada", "own_only").await;
    let mut ids = Vec::new();
    for (name, is_own) in [("mine", true), ("theirs", false), ("mine too", true)] {
        let body = json!({"properties": {"name": name, "secret": format!("s {name}"), "hidden": "h"},
            "owner_id": is_own.then_some(&user)});
        ids.push(id(&tenant.post("/records/memo", &body).await.ok(201)));
    }
    (caller, ids)
}

async fn only_what_is_seen_is_in_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (caller, ids) = notes(&tenant).await;
    let (job, file) = export(&caller, &json!({"object": "memo", "format": "csv"})).await;
    assert_eq!(csv_columns(&file), ["id", "name"]);
    assert_eq!(column(&file, "id"), [ids[0].clone(), ids[2].clone()]);
    assert_eq!((&job["progress"]["records"], &job["progress"]["total"]), (&json!(2), &json!(2)));
    assert!(!job.to_string().contains("needs") && !job.to_string().contains("actor"), "{job}");
    let (_, file) = export(&caller, &json!({"object": "memo", "format": "csv", "select": ["display_name"]})).await;
    assert_eq!(
        column(&file, "display_name"),
        ["mine", "mine too"].map(|name| format!("{name} ")).map(|name| name.trim_end().to_owned())
    );
    let (_, file) = export(&caller, &json!({"object": "memo", "format": "ndjson"})).await;
    assert!(!String::from_utf8(file).unwrap().contains("\"h\""));
    // What is hidden is as if it were not there.
    for name in ["hidden", "secret"] {
        let refused = caller.post("/exports", &json!({"object": "memo", "format": "csv", "select": [name]})).await;
        assert_eq!(
            refused.problem(422, "validation_failed").errors(),
            [("/select/0".into(), "unknown_property".into())]
        );
        let filter = json!({"property": name, "op": "exists"});
        caller
            .post("/exports", &json!({"object": "memo", "format": "csv", "filter": filter}))
            .await
            .problem(422, "validation_failed");
    }
    let nothing = json!({"name": "none", "objects": {"memo": {"create": false, "read": "none", "update": "none", "archive": "none"}}});
    tenant.post("/roles", &nothing).await.ok(201);
    let (nobody, _) = tenant.user("nobody", "none").await;
    nobody.post("/exports", &json!({"object": "memo", "format": "csv"})).await.problem(403, "forbidden");
}

async fn sensitive_values_that_are_given_are_written_down(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (_, ids) = notes(&tenant).await;
    let log = async || tenant.get("/access/log?limit=200").await.ok(200);
    // Whoever makes a record is answered with its values.
    let before = results(&log().await).len();
    assert_eq!(before, 3);
    let request = json!({"object": "memo", "format": "csv", "select": ["name"]});
    let (_, file) = export(&tenant, &request).await;
    assert_eq!(csv_columns(&file), ["id", "name"]);
    assert_eq!(results(&log().await).len(), before, "nothing sensitive was given");
    let reply =
        tenant.post("/exports", &json!({"object": "memo", "format": "csv"})).header("x-request-id", "asks").await;
    let job = ended(&tenant, reply.ok(202)["job"]["id"].as_str().unwrap()).await;
    let file = fetch(&tenant, job["id"].as_str().unwrap()).await;
    assert_eq!(column(&file, "secret"), ["s mine", "s theirs", "s mine too"]);
    let log_of_export = log().await;
    let reads = results(&log_of_export);
    let reads = &reads[..reads.len() - before];
    let mut records: Vec<&str> = reads.iter().map(|read| read["record"].as_str().unwrap()).collect();
    records.sort_unstable_by_key(|id| id.parse::<u64>().unwrap());
    assert_eq!(records, ids);
    let me = tenant.get("/tenant").await.ok(200)["user"]["id"].clone();
    for read in reads {
        assert_eq!(
            (&read["user"], &read["properties"], &read["request_id"]),
            (&me, &json!(["secret"]), &json!("asks"))
        );
        assert_ne!(read["token"], "0", "{read}");
    }
    let report = json!({"label": "R", "object": "memo", "group": ["secret"], "measures": {"n": {"count": true}}});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    export(&tenant, &json!({"report": report, "format": "csv"})).await;
    let read = results(&log().await)[0].clone();
    assert_eq!(
        (&read["object"], &read["record"], &read["properties"]),
        (&json!("memo"), &Value::Null, &json!(["secret"]))
    );
}

async fn others_do_not_get_the_file(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (caller, ids) = notes(&tenant).await;
    let (other, _) = tenant.user("bob", "member").await;
    let (admin, _) = tenant.user("eve", "admin").await;
    let mine = begin(&caller, &json!({"object": "memo", "format": "csv"})).await;
    ended(&caller, &mine).await;
    let path = format!("/jobs/{mine}/file");
    assert_eq!(column(&fetch(&caller, &mine).await, "id").len(), 2);
    assert_eq!(column(&fetch(&admin, &mine).await, "id"), [ids[0].clone(), ids[2].clone()]);
    let hidden = other.get(&path).await.problem(404, "not_found");
    assert_eq!(hidden.words(), format!("there is no job `{mine}`"));
    server.tenant("generic").await.get(&path).await.problem(404, "not_found");
    server.anonymous().get(&path).await.problem(401, "unauthenticated");
    // A token of the same user that allows less than the file holds.
    let owners = begin(&tenant, &json!({"object": "memo", "format": "csv"})).await;
    ended(&tenant, &owners).await;
    let me = tenant.get("/tenant").await.ok(200)["user"]["id"].clone();
    let narrow = async |more: Value| {
        let mut token = json!({"name": "narrow", "user": me});
        token.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = tenant.post("/tokens", &token).await.ok(201);
        tenant.with_token(made["secret"].as_str().unwrap())
    };
    let path = format!("/jobs/{owners}/file");
    for token in [json!({"scopes": ["contact:read"]}), json!({"role": "member"}), json!({"role": "own_only"})] {
        let refused = narrow(token.clone()).await.get(&path).await;
        assert_eq!(refused.status, 403, "{token}: {}", refused.text);
    }
    assert_eq!(csv_rows(&fetch(&narrow(json!({"scopes": ["memo:read"]})).await, &owners).await).len(), 3);
    // An administrator who does not see all that is in it.
    let role = json!({"name": "half_admin", "admin": true, "objects": {"*": {"create": true, "read": "all", "update": "all", "archive": "all"}},
        "properties": {"memo.hidden": {"read": false}, "memo.secret": {"read": true}}});
    tenant.post("/roles", &role).await.ok(201);
    let (half, _) = tenant.user("half", "half_admin").await;
    half.get(&path).await.problem(403, "forbidden");
    assert_eq!(half.get(&format!("/jobs/{owners}")).await.ok(200)["state"], "done");
}

async fn a_view_of_another_user_is_not_there(server: TestServer) {
    let tenant = server.tenant("generic").await;
    notes(&tenant).await;
    let view = id(&tenant.post("/views", &json!({"label": "V", "object": "memo"})).await.ok(201));
    let (other, _) = tenant.user("bob", "member").await;
    let refused = other.post("/exports", &json!({"view": view, "format": "csv"})).await;
    assert_eq!(refused.problem(422, "validation_failed").errors(), [("/view".into(), "unknown".into())]);
}

async fn a_user_who_has_lost_rights_is_given_less(server: TestServer) {
    let tenant = server.tenant("generic").await;
    notes(&tenant).await;
    let (caller, user) = tenant.user("carl", "member").await;
    create_id(&tenant, "memo", json!({"name": "new"})).await;
    let done = begin(&caller, &json!({"object": "memo", "format": "csv"})).await;
    ended(&caller, &done).await;
    tenant.patch(&format!("/users/{user}"), &json!({"role": "own_only"})).await.ok(200);
    let refused = caller.get(&format!("/jobs/{done}/file")).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let (_, file) = export(&caller, &json!({"object": "memo", "format": "csv"})).await;
    assert_eq!(csv_rows(&file).len(), 0);
}

scenarios![
    only_what_is_seen_is_in_it,
    sensitive_values_that_are_given_are_written_down,
    others_do_not_get_the_file,
    a_view_of_another_user_is_not_there,
    a_user_who_has_lost_rights_is_given_less,
];
