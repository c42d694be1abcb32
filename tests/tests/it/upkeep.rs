//! Looking after search indexes from the command line, with and without a server.

use std::fs;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::create;

/// Runs a command of the operator; what it prints, what it says beside, and whether it was done.
fn operate(server: &TestServer, arguments: &[&str]) -> (String, String, bool) {
    let output = server.command(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.success())
}

/// What `doctor` says of search indexes, and whether all is well.
fn doctor(server: &TestServer) -> (Vec<Value>, bool) {
    let (told, said, is_well) = operate(server, &["doctor", "--json"]);
    let findings: Vec<Value> = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}{said}"));
    let of_indexes = |finding: &Value| finding["what"].as_str().unwrap().starts_with("search index");
    (findings.into_iter().filter(of_indexes).collect(), is_well)
}

/// The finding that says this.
fn said_of<'a>(findings: &'a [Value], text: &str) -> &'a Value {
    let said = |finding: &&Value| finding["detail"].as_str().unwrap().contains(text);
    findings.iter().find(said).unwrap_or_else(|| panic!("nothing says {text}: {findings:?}"))
}

async fn count(tenant: &Client) -> Value {
    tenant.post("/records/contact/search", &json!({"count": true, "limit": 0})).await.ok(200)["total"].clone()
}

async fn indexes_are_made_anew_and_compared_while_the_server_answers(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let slug = tenant.description["slug"].as_str().unwrap();
    for number in 0..30 {
        create(&tenant, "contact", json!({"first_name": format!("N{number}"), "last_name": "X"})).await;
    }
    assert_eq!(count(&tenant).await, 30);
    let (findings, is_well) = doctor(&server);
    assert!(is_well, "{findings:?}");
    // The first tenant comes with records too.
    assert!(said_of(&findings, "of 2 tenants are as in the store")["ok"].as_bool().unwrap());
    let before = server.metric("search_index_builds_total").await.unwrap();
    let (told, said, is_done) = operate(&server, &["reindex", slug]);
    assert!(is_done && told.starts_with(&format!("made the search index of `{slug}` anew in ")), "{told}{said}");
    assert_eq!(server.metric("search_index_builds_total").await.unwrap(), before + 1.0);
    assert_eq!(count(&tenant).await, 30);
    let (_, said, is_done) = operate(&server, &["reindex", "demu"]);
    assert!(!is_done && said.contains("there is no tenant `demu`; did you mean `demo`?"), "{said}");
}

async fn indexes_are_made_anew_and_compared_where_no_server_runs(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    let slug = tenant.description["slug"].as_str().unwrap().to_owned();
    create(&tenant, "contact", json!({"first_name": "Ada", "last_name": "Lovelace"})).await;
    assert_eq!(count(&tenant).await, 1);
    server.terminate().await;
    let (findings, is_well) = doctor(&server);
    assert!(is_well, "{findings:?}");
    fs::remove_dir_all(server.data_folder().join("index")).unwrap();
    let (findings, is_well) = doctor(&server);
    assert!(!is_well);
    let finding = said_of(&findings, &format!("`trellis reindex {slug}` makes it anew"));
    assert_eq!(finding["differences"], json!(["there is no index here"]));
    let (made, said, is_done) = operate(&server, &["reindex", "--json"]);
    assert!(is_done, "{said}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let made: Vec<_> = made.as_array().unwrap().iter().map(|made| (&made["tenant"], &made["failure"])).collect();
    assert_eq!(made, [(&json!("demo"), &Value::Null), (&json!(slug), &Value::Null)]);
    assert!(doctor(&server).1);
    server.start().await;
    assert_eq!(count(&server.again(&tenant)).await, 1);
    assert_eq!(server.metric("search_index_builds_total").await, Some(0.0));
}

scenarios![
    indexes_are_made_anew_and_compared_while_the_server_answers,
    indexes_are_made_anew_and_compared_where_no_server_runs,
];
