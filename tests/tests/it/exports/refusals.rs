//! What cannot be exported is refused at once, with everything that is wrong with it.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{begin, ended};
use crate::fixture::{Silence, create, define_thing, id, results};

async fn refuse(tenant: &Client, request: Value) -> Vec<(String, String)> {
    let mut errors = tenant.post("/exports", &request).await.problem(422, "validation_failed").errors();
    errors.sort();
    errors
}

fn errors(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}

async fn everything_wrong_is_told_at_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}})).await;
    let report = json!({"label": "R", "object": "thing", "group": ["name"], "measures": {"n": {"count": true}}});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    let quiet = Silence::begins(&tenant).await;
    assert_eq!(refuse(&tenant, json!({})).await, errors(&[("/format", "required"), ("/object", "required")]));
    let request = json!({"object": "thing", "view": "x", "format": "pdf", "selct": []});
    assert_eq!(
        refuse(&tenant, request).await,
        errors(&[("/format", "unknown"), ("/selct", "unknown"), ("/view", "invalid")])
    );
    let request = json!({"object": "thing", "format": "parquet", "select": ["size", "siez", "size", "properties"],
        "filter": {"all": [{"property": "nmae", "op": "eq", "value": "x"}, {"property": "size", "op": "like", "value": 1},
            {"property": "size", "op": "eq", "value": "many"}]},
        "sort": ["-siez"], "headings": "labels", "escape_formulas": true});
    let expected = [
        ("/escape_formulas", "not_applicable"),
        ("/filter/all/0/property", "unknown_property"),
        ("/filter/all/1/op", "unknown_operator"),
        ("/filter/all/2/value", "wrong_type"),
        ("/headings", "not_applicable"),
        ("/select/1", "unknown_property"),
        ("/select/2", "duplicate"),
        ("/select/3", "unknown_property"),
        ("/sort/0/property", "unknown_property"),
    ];
    assert_eq!(refuse(&tenant, request).await, errors(&expected));
    let request =
        json!({"object": "thing", "format": "pdf", "select": ["siez"], "filter": {"property": "nmae", "op": "exists"}});
    let expected =
        [("/filter/property", "unknown_property"), ("/format", "unknown"), ("/select/0", "unknown_property")];
    assert_eq!(refuse(&tenant, request).await, errors(&expected));
    let told =
        tenant.post("/exports", &json!({"object": "thing", "format": "csv", "select": ["siez", "created_ta"]})).await;
    let words = told.problem(422, "validation_failed").words();
    assert!(words.contains("did you mean `size`?") && words.contains("did you mean `created_at`?"), "{words}");
    let told = tenant.post("/exports", &json!({"object": "thign", "format": "csv", "slect": 1})).await;
    let told = told.problem(422, "validation_failed");
    assert_eq!(told.pointers(), ["/slect", "/object"]);
    assert!(told.words().contains("did you mean `thing`?"), "{}", told.words());
    assert_eq!(refuse(&tenant, json!({"view": "77", "format": "csv"})).await, errors(&[("/view", "unknown")]));
    assert_eq!(refuse(&tenant, json!({"report": "none", "format": "csv"})).await, errors(&[("/report", "unknown")]));
    let request = json!({"report": report, "format": "csv", "select": ["n", "nn", "n"], "sort": ["n"],
        "filter": {"property": "nope", "op": "exists"}});
    let expected = [
        ("/filter/property", "unknown_property"),
        ("/select/1", "unknown"),
        ("/select/2", "duplicate"),
        ("/sort", "not_applicable"),
    ];
    assert_eq!(refuse(&tenant, request).await, errors(&expected));
    quiet.holds().await;
    assert_eq!(results(&tenant.get("/jobs").await.ok(200)), &Vec::<Value>::new());
}

async fn a_property_that_is_gone_meanwhile_fails_the_export(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}, "width": {"type": "integer"}})).await;
    create(&tenant, "thing", json!({"name": "a", "size": 1})).await;
    // Exports of a tenant are made one after the other, so the last of them is begun after the property has gone.
    let request = json!({"object": "thing", "format": "csv", "select": ["size"], "filter": {"property": "width", "op": "not_exists"}});
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(begin(&tenant, &request).await);
    }
    for property in ["size", "width"] {
        tenant.delete(&format!("/object-definitions/thing/properties/{property}")).await.ok(204);
    }
    let job = ended(&tenant, ids.last().unwrap()).await;
    assert_eq!(job["state"], "failed", "{job}");
    let error = &job["progress"]["error"];
    assert_eq!(error["code"], "validation_failed");
    let mut pointers: Vec<&str> =
        error["problems"].as_array().unwrap().iter().map(|problem| problem["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/filter/property", "/select/0"]);
    let path = format!("/jobs/{}/file", ids.last().unwrap());
    tenant.get(&path).await.problem(404, "not_found");
}

async fn a_view_whose_filter_is_broken_says_so(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}})).await;
    let filter = json!({"property": "size", "op": "exists"});
    let view = json!({"label": "V", "object": "thing", "filter": filter, "columns": ["name"]});
    let view = id(&tenant.post("/views", &view).await.ok(201));
    let report = json!({"label": "R", "object": "thing", "measures": {"s": {"sum": "size"}}});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    tenant.delete("/object-definitions/thing/properties/size").await.ok(204);
    let found = refuse(&tenant, json!({"view": view, "format": "csv"})).await;
    assert_eq!(found, errors(&[("/view/filter/property", "unknown_property")]));
    let found = refuse(&tenant, json!({"report": report, "format": "csv"})).await;
    assert_eq!(found, errors(&[("/report/measures/s/sum", "unknown_property")]));
}

async fn an_export_happens_once_under_its_key(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    let request = json!({"object": "thing", "format": "csv"});
    let send = async |request: &Value| tenant.post("/exports", request).header("idempotency-key", "k").await;
    let first = send(&request).await.ok(202);
    assert_eq!(send(&request).await.ok(202), first);
    send(&json!({"object": "thing", "format": "xlsx"})).await.problem(409, "conflict");
    assert_eq!(results(&tenant.get("/jobs").await.ok(200)).len(), 1);
}

async fn a_file_that_becomes_too_large_is_refused(_: TestServer) {
    let server =
        crate::fixture::builder(tests::Store::Sqlite).environment("TRELLIS_MAX_EXPORT_BYTES", "64 KiB").start().await;
    let tenant = server.tenant("generic").await;
    super::many_things(&tenant, 1_000).await;
    let job = ended(&tenant, &begin(&tenant, &json!({"object": "thing", "format": "csv"})).await).await;
    assert_eq!((&job["state"], &job["progress"]["error"]["code"]), (&json!("failed"), &json!("too_large")), "{job}");
    assert!(job["detail"].as_str().unwrap().contains("`max_export_bytes`"), "{job}");
    tenant.get(&format!("/jobs/{}/file", job["id"].as_str().unwrap())).await.problem(404, "not_found");
    // A smaller one has room.
    let request = json!({"object": "thing", "format": "csv", "select": ["number"]});
    assert_eq!(ended(&tenant, &begin(&tenant, &request).await).await["state"], "done");
}

scenarios![
    everything_wrong_is_told_at_once,
    a_property_that_is_gone_meanwhile_fails_the_export,
    a_view_whose_filter_is_broken_says_so,
    an_export_happens_once_under_its_key,
    a_file_that_becomes_too_large_is_refused,
];
