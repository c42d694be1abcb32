//! Properties that a version of a pack calls otherwise: their values come along, and whoever knew them by a former name
//! finds them.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{create_id, jobs_are_done, results, searched};

/// A pack with one object, which has these properties.
fn pack(name: &str, version: &str, object: &str, properties: &str) -> String {
    format!(
        "pack: {name}\nversion: {version}\nobjects:\n  {object}:\n    display: \"{{{{ title }}}}\"\n    properties:\n      \
         title: {{type: string}}\n{properties}"
    )
}

fn works(version: &str, properties: &str) -> String {
    pack("works", version, "work", properties)
}

async fn plan(tenant: &Client, source: &str) -> Value {
    tenant.post("/packs/plan", &json!({"source": source})).await.ok(200)
}

/// Brings a version in that takes nothing away.
async fn apply(tenant: &Client, source: &str) {
    let planned = plan(tenant, source).await;
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    jobs_are_done(tenant).await;
}

async fn values(tenant: &Client, id: &str) -> Value {
    tenant.get(&format!("/records/work/{id}")).await.ok(200)["properties"].clone()
}

async fn what_stays_keeps_its_values(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let first = works("1.0.0", "      u: {type: integer}\n");
    apply(&tenant, &first).await;
    let id = create_id(&tenant, "work", json!({"u": 7})).await;
    for (further, pointer) in [
        ("      u: {type: integer}\n      v: {was: u, type: integer}\n", "/objects/work/properties/v/was"),
        (
            "      v: {was: u, type: integer}\n      w: {was: [x, u], type: integer}\n",
            "/objects/work/properties/w/was/1",
        ),
    ] {
        let wrong = json!({"source": works("1.1.0", further)});
        let refused = tenant.post("/packs/plan", &wrong).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), [pointer]);
    }
    // What is another pack's is not this one's to call otherwise.
    let of_others = "pack: other\nversion: 1.0.0\nrequires: {works: ^1.0}\nextend:\n  work: {properties: {v: {was: u, type: integer}}}\n";
    let refused = tenant.post("/packs/plan", &json!({"source": of_others})).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/extend/work/properties/v/was"]);
    // Nor is what the tenant has defined itself.
    let own = json!({"name": "mine", "type": "integer"});
    tenant.post("/object-definitions/work/properties", &own).await.ok(201);
    tenant.patch(&format!("/records/work/{id}"), &json!({"properties": {"mine": 8}})).await.ok(200);
    apply(&tenant, &works("1.1.0", "      u: {type: integer}\n      v: {was: mine, type: integer}\n")).await;
    assert_eq!(values(&tenant, &id).await, json!({"u": 7, "mine": 8}));
    // Where it is said over the admin API, it is a mistake there.
    let own = json!({"name": "w", "type": "integer", "was": "u"});
    let refused = tenant.post("/object-definitions/work/properties", &own).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/was"]);
    assert_eq!(values(&tenant, &id).await, json!({"u": 7, "mine": 8}));
}

async fn whoever_names_a_property_by_its_former_name_finds_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, &works("1.0.0", "      agent: {type: string, unique: true}\n      cost: {type: integer}\n")).await;
    let view = json!({"label": "Agents", "object": "work", "columns": ["agent"]});
    let before = tenant.post("/views", &view).await.ok(201)["id"].as_str().unwrap().to_owned();
    let id = create_id(&tenant, "work", json!({"agent": "Bond", "cost": 3})).await;
    apply(
        &tenant,
        &works(
            "1.1.0",
            "      sales_agent: {type: string, unique: true, was: agent}\n      price: {type: integer, was: cost}\n",
        ),
    )
    .await;
    let after = tenant.post("/views", &view).await.ok(201)["id"].as_str().unwrap().to_owned();
    let bond = json!({"sales_agent": "Bond"});
    for view in [before, after] {
        let page = tenant.get(&format!("/views/{view}/records")).await.ok(200);
        assert_eq!(results(&page)[0]["properties"], bond);
    }
    let asked = json!({"select": ["agent"], "sort": [{"property": "agent"}],
        "filter": {"property": "agent", "op": "eq", "value": "Bond"},
        "aggregate": {"t": {"group": ["agent"], "measures": {"sum": {"sum": "cost"}}}}});
    let found = searched(&tenant, "work", &asked).await;
    assert_eq!(results(&found)[0]["properties"], bond);
    let found = tenant.get("/records/work/Bond?id_property=agent").await.ok(200);
    assert_eq!(found["id"].as_str(), Some(id.as_str()));
    // What is written is written under the name that there is.
    let refused = tenant.patch(&format!("/records/work/{id}"), &json!({"properties": {"agent": "Smith"}})).await;
    let refused = refused.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/properties/agent"]);
    let said = refused.body["errors"][0]["message"].as_str().unwrap();
    assert!(said.ends_with("; it is called `sales_agent` now"), "{said}");
}

async fn what_others_make_of_a_property_goes_on_under_its_next_name(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, &works("1.0.0", "      a: {type: integer}\n      u: {type: integer}\n")).await;
    let other = "pack: other\nversion: 1.0.0\nrequires: {works: ^1.0}\nextend:\n  work:\n    properties:\n      a: {label: Ours}\n      \
                 triple: {type: formula, formula: a * 3, result: integer}\n";
    apply(&tenant, other).await;
    let double = json!({"name": "double", "type": "formula", "formula": "a * 2", "result": "integer"});
    tenant.post("/object-definitions/work/properties", &double).await.ok(201);
    let own = json!({"display": "{{ title }} {{ a }}",
        "constraints": [{"unique": ["a", "u"]}, {"rule": "a < 100", "message": "Too much.", "at": "a"}]});
    tenant.patch("/object-definitions/work", &own).await.ok(200);
    let id = create_id(&tenant, "work", json!({"title": "T", "a": 7, "u": 1})).await;
    apply(&tenant, &works("1.1.0", "      b: {type: integer, was: a}\n      u: {type: integer}\n")).await;
    assert_eq!(values(&tenant, &id).await, json!({"title": "T", "b": 7, "u": 1, "triple": 21, "double": 14}));
    let path = format!("/records/work/{id}");
    tenant.patch(&path, &json!({"properties": {"b": 8}})).await.ok(200);
    let record = tenant.get(&path).await.ok(200);
    assert_eq!(
        (&record["display_name"], &record["properties"]["double"], &record["properties"]["triple"]),
        (&json!("T 8"), &json!(16), &json!(24))
    );
    let too_much = tenant.patch(&path, &json!({"properties": {"b": 100}})).await;
    assert_eq!(too_much.problem(422, "validation_failed").pointers(), ["/properties/b"]);
    let taken = tenant.post("/records/work", &json!({"properties": {"b": 8, "u": 1}})).await;
    assert_eq!(taken.problem(409, "conflict").pointers(), ["/properties/b"]);
    let definition = tenant.get("/object-definitions/work").await.ok(200);
    assert_eq!(definition["properties"]["b"]["label"], "Ours");
}

async fn a_property_is_found_by_all_its_names_and_goes_back_over_them(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, &works("1.0.0", "      a: {type: integer}\n")).await;
    let then = tenant.get("/tenant").await.ok(200)["metadata_version"].clone();
    let id = create_id(&tenant, "work", json!({"a": 7})).await;
    let is_found = async |names: &[&str], now: &str| {
        for name in names {
            let asked = json!({"filter": {"property": name, "op": "eq", "value": 7}, "select": [name]});
            let found = searched(&tenant, "work", &asked).await;
            assert_eq!(
                results(&found).iter().map(|found| &found["properties"]).collect::<Vec<_>>(),
                [&json!({now: 7})]
            );
        }
    };
    apply(&tenant, &works("1.1.0", "      b: {type: integer, was: a}\n")).await;
    apply(&tenant, &works("1.2.0", "      c: {type: integer, was: b}\n")).await;
    is_found(&["a", "b", "c"], "c").await;
    // A version that does not say so any more takes no name away.
    apply(&tenant, &works("1.3.0", "      c: {type: integer}\n")).await;
    is_found(&["a", "b", "c"], "c").await;
    apply(&tenant, &works("1.0.0", "      a: {type: integer}\n")).await;
    is_found(&["a", "b", "c"], "a").await;
    // Versions are skipped by whoever names what was before them.
    apply(&tenant, &works("1.2.1", "      c: {type: integer, was: [b, a]}\n")).await;
    is_found(&["a", "b", "c"], "c").await;
    tenant.post("/metadata/rollback", &json!({"to_version": then})).await.ok(200);
    jobs_are_done(&tenant).await;
    assert_eq!(values(&tenant, &id).await, json!({"a": 7}));
    is_found(&["a"], "a").await;
}

async fn definitions_go_back_over_two_names(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, &works("1.0.0", "      a: {type: integer}\n")).await;
    let then = tenant.get("/tenant").await.ok(200)["metadata_version"].clone();
    let id = create_id(&tenant, "work", json!({"a": 7})).await;
    apply(&tenant, &works("1.1.0", "      b: {type: integer, was: a}\n")).await;
    apply(&tenant, &works("1.2.0", "      c: {type: integer, was: b}\n")).await;
    tenant.post("/metadata/rollback", &json!({"to_version": then})).await.ok(200);
    jobs_are_done(&tenant).await;
    assert_eq!(values(&tenant, &id).await, json!({"a": 7}));
}

/// A property is renamed, and another of a pack becomes a number, while somebody goes on to search by both.
async fn searches_go_on_while_values_move(server: TestServer) {
    const WORKS: usize = 3_000;
    let tenant = server.tenant("generic").await;
    apply(&tenant, &works("1.0.0", "      kind: {type: string, searchable: true}\n      size: {type: string}\n")).await;
    for batch in 0..WORKS / 500 {
        let input = |at: usize| json!({"properties": {"title": format!("{batch}-{at}"), "kind": "mill", "size": "7"}});
        let inputs: Vec<Value> = (0..500).map(input).collect();
        tenant.post("/records/work/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    }
    let query = |filter: Value| json!({"filter": filter, "count": true, "limit": 1});
    let is = |name: &str, value: Value| json!({"property": name, "op": "eq", "value": value});
    let total = async |query: &Value| tenant.post("/records/work/search", query).await.ok(200)["total"].clone();
    assert_eq!(total(&query(is("kind", json!("mill")))).await, json!(WORKS));

    let next = "      sort: {type: string, searchable: true, was: kind}\n      size: {type: integer}\n";
    let planned = plan(&tenant, &works("2.0.0", next)).await;
    let migrations = json!({"work.size": {"convert": "int(value)"}});
    let consent = json!({"plan": planned["plan"], "migrations": migrations, "allow_destructive": true});
    tenant.post("/packs/apply", &consent).await.ok(200);
    for _ in 0..10 {
        for name in ["kind", "sort"] {
            assert_eq!(total(&query(is(name, json!("mill")))).await, json!(WORKS));
        }
        assert_eq!(total(&json!({"q": "mill", "count": true, "limit": 1})).await, json!(WORKS));
        let sizes = tenant.post("/records/work/search", &query(is("size", json!("7")))).await;
        let numbers = tenant.post("/records/work/search", &query(is("size", json!(7)))).await;
        for reply in [sizes, numbers] {
            match reply.status {
                200 => assert_eq!(reply.json()["total"], json!(WORKS), "all of the old or all of the new"),
                status => assert!([422, 503].contains(&status), "{}", reply.text),
            }
        }
    }
    jobs_are_done(&tenant).await;
    let found = searched(&tenant, "work", &query(json!({"property": "size", "op": "gt", "value": 6}))).await;
    assert_eq!(found["total"], json!(WORKS));
    assert_eq!(found["results"][0]["properties"], json!({"title": "0-0", "sort": "mill", "size": 7}));
    assert_eq!(total(&query(is("kind", json!("mill")))).await, json!(WORKS));
}

scenarios!(
    searches_go_on_while_values_move,
    what_stays_keeps_its_values,
    whoever_names_a_property_by_its_former_name_finds_it,
    what_others_make_of_a_property_goes_on_under_its_next_name,
    a_property_is_found_by_all_its_names_and_goes_back_over_them,
    definitions_go_back_over_two_names,
);
