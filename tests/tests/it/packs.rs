//! Packs that are installed, moved on, taken away and brought back, while records stay.

use std::fs;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{create_id, results};

fn library(version: &str, properties: &str) -> String {
    format!(
        "pack: library\nversion: {version}\nobjects:\n  book:\n    label: Book\n    plural: books\n    \
         display: \"{{{{ title }}}}\"\n    properties:\n{properties}"
    )
}

const TITLE: &str = "      title: {type: string, searchable: true}\n";
const SHELF: &str = "      shelf: {type: integer}\n";

async fn plan(tenant: &Client, source: &str) -> Value {
    tenant.post("/packs/plan", &json!({"source": source})).await.ok(200)
}

async fn apply(tenant: &Client, plan: &Value) -> Value {
    tenant.post("/packs/apply", &json!({"plan": plan["plan"], "allow_destructive": true})).await.ok(200)
}

async fn found(tenant: &Client, filter: Value) -> Vec<Value> {
    let found = tenant.post("/records/book/search", &json!({"filter": filter})).await.ok(200);
    results(&found).iter().map(|record| record["id"].clone()).collect()
}

async fn what_a_version_lacks_is_hidden_and_comes_back_with_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let first = library("1.0.0", &format!("{TITLE}{SHELF}"));
    let done = apply(&tenant, &plan(&tenant, &first).await).await;
    assert_eq!((&done["pack"], &done["version"], &done["changed"]), (&json!("library"), &json!("1.0.0"), &json!(true)));
    let emma = create_id(&tenant, "book", json!({"title": "Emma", "shelf": 7})).await;
    create_id(&tenant, "book", json!({"title": "Persuasion"})).await;
    let on_shelf = json!({"property": "shelf", "op": "eq", "value": 7});
    assert_eq!(found(&tenant, on_shelf.clone()).await, [json!(emma)]);

    let second = library("1.1.0", &format!("{TITLE}      isbn: {{type: string}}\n"));
    let planned = plan(&tenant, &second).await;
    assert_eq!(planned["summary"], json!({"add": 1, "change": 0, "remove": 1}));
    let removed = &planned["steps"][1];
    assert_eq!(
        [&removed["action"], &removed["name"], &removed["destructive"], &removed["records"], &removed["samples"]],
        [&json!("remove"), &json!("book.shelf"), &json!(true), &json!(1), &json!([emma])]
    );
    let refused = tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.problem(422, "destructive");
    assert_eq!(refused.pointers(), ["/steps/1"]);
    apply(&tenant, &planned).await;
    assert_eq!(plan(&tenant, &second).await["steps"], json!([]));
    let path = format!("/records/book/{emma}");
    assert_eq!(tenant.get(&path).await.ok(200)["properties"], json!({"title": "Emma"}));
    let unknown =
        tenant.post("/records/book/search", &json!({"filter": on_shelf})).await.problem(422, "validation_failed");
    assert_eq!(unknown.pointers(), ["/filter/property"]);

    apply(&tenant, &plan(&tenant, &first).await).await;
    assert_eq!(tenant.get(&path).await.ok(200)["properties"], json!({"title": "Emma", "shelf": 7}));
    assert_eq!(found(&tenant, on_shelf).await, [json!(emma)]);
}

async fn what_a_pack_has_brought_goes_and_comes_with_it(server: TestServer) {
    let (tenant, other) = (server.tenant("generic").await, server.tenant("generic").await);
    let source = library("1.0.0", TITLE);
    for tenant in [&tenant, &other] {
        apply(tenant, &plan(tenant, &source).await).await;
    }
    let emma = create_id(&tenant, "book", json!({"title": "Emma"})).await;
    let theirs = create_id(&other, "book", json!({"title": "Theirs"})).await;
    let gone = tenant.delete("/packs/library").await.ok(200);
    assert_eq!((&gone["version"], &gone["changed"]), (&Value::Null, &json!(true)));
    tenant.get(&format!("/records/book/{emma}")).await.problem(404, "not_found");
    assert_eq!(results(&tenant.post("/search", &json!({"q": "Emma"})).await.ok(200)), &Vec::<Value>::new());
    assert_eq!(other.get(&format!("/records/book/{theirs}")).await.ok(200)["properties"]["title"], "Theirs");
    tenant.delete("/packs/library").await.problem(404, "not_found");

    let planned = tenant.post("/packs/plan", &json!({"pack": "library"})).await.ok(200);
    apply(&tenant, &planned).await;
    assert_eq!(tenant.get(&format!("/records/book/{emma}")).await.ok(200)["properties"]["title"], "Emma");
    let all = tenant.post("/search", &json!({"q": "Emma"})).await.ok(200);
    assert_eq!(results(&all).iter().map(|record| &record["id"]).collect::<Vec<_>>(), [&json!(emma)]);
    let history = tenant.get("/metadata/history?limit=3").await.ok(200);
    let told: Vec<&Value> = results(&history).iter().map(|version| &version["summary"]).collect();
    assert_eq!(told, ["install pack library 1.0.0", "uninstall pack library", "install pack library 1.0.0"]);
}

async fn a_plan_is_printed_and_its_exit_code_says_whether_there_is_anything_to_do(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.yaml");
    fs::write(&path, library("1.0.0", &format!("{TITLE}{SHELF}"))).unwrap();
    let pack = |what: &str, further: &[&str]| {
        let path = path.to_str().unwrap();
        let access = ["--url", server.address(), "--token", tenant.token().unwrap()];
        let arguments: Vec<&str> =
            ["pack", what, path].into_iter().chain(access).chain(further.iter().copied()).collect();
        let output = server.command(&arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    let (told, _, code) = pack("plan", &[]);
    assert_eq!(code, Some(3));
    assert_eq!(
        told,
        "+ object book\n+ property book.title\n+ property book.shelf\n\n3 to add, 0 to change, 0 to remove\n"
    );
    assert_eq!(pack("apply", &[]).2, Some(0));
    assert_eq!(pack("plan", &[]).2, Some(0));
    fs::write(&path, library("2.0.0", TITLE)).unwrap();
    let (_, said, code) = pack("apply", &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("allow_destructive"), "{said}");
    assert_eq!(pack("apply", &["--allow-destructive"]).2, Some(0));
    let (_, said, code) = pack("plan", &["--accept", "book.title"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("NAME=pack or NAME=tenant"), "{said}");
}

scenarios![
    what_a_version_lacks_is_hidden_and_comes_back_with_it,
    what_a_pack_has_brought_goes_and_comes_with_it,
    a_plan_is_printed_and_its_exit_code_says_whether_there_is_anything_to_do,
];
