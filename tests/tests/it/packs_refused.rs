//! Packs that cannot be: each mistake is told at its place, and nothing is done.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{Silence, create_id, results};

async fn metadata_version(tenant: &Client) -> Value {
    tenant.get("/tenant").await.ok(200)["metadata_version"].clone()
}

async fn installed(tenant: &Client) -> Vec<Value> {
    let packs = tenant.get("/packs").await.ok(200);
    results(&packs).iter().filter(|pack| !pack["installed"].is_null()).map(|pack| pack["pack"].clone()).collect()
}

/// Plans and applies a pack.
async fn install(tenant: &Client, source: &str) {
    let plan = tenant.post("/packs/plan", &json!({"source": source})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": plan["plan"]})).await.ok(200);
}

/// Pointer, code and message of each mistake.
fn told(body: &Value) -> Vec<(String, String, String)> {
    let text = |error: &Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let errors = body["errors"].as_array().unwrap();
    errors.iter().map(|error| (text(error, "pointer"), text(error, "code"), text(error, "message"))).collect()
}

async fn mistakes_have_file_line_and_column_and_nothing_is_done(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (version, packs) = (metadata_version(&tenant).await, installed(&tenant).await);
    let quiet = Silence::begins(&tenant).await;
    let head = "pack: sites\nversion: 1.0.0\n";
    let site = |rest: &str| format!("{head}objects:\n  site:\n    properties:\n      name: {{type: string}}\n{rest}");
    let bomb = ('b'..='j').fold(("a: &a [x, x, x, x, x, x, x, x]\n".to_owned(), 'a'), |(text, last), next| {
        let all = vec![format!("*{last}"); 8].join(", ");
        (format!("{text}{next}: &{next} [{all}]\n"), next)
    });
    let cases = [
        (
            site("      name: {type: text}\n"),
            "/objects/site/properties/name",
            "duplicate_key",
            "pack.yaml:7:7: `name` is already given at pack.yaml:6:7",
        ),
        (site("\tsize: {type: text}\n"), "", "invalid_yaml", "pack.yaml:7:2: not YAML: tabs disallowed"),
        (site("    - {type: text}\n"), "", "invalid_yaml", "pack.yaml:7:7: not YAML: while parsing a block mapping"),
        (
            site("      size: {type: integer, lable: x}\n"),
            "/objects/site/properties/size/lable",
            "unknown_key",
            "pack.yaml:7:29: `lable` is not known here; did you mean `label`?",
        ),
        (
            site("      Size: {type: integer}\n"),
            "/objects/site/properties/Size",
            "invalid_name",
            "pack.yaml:7:7: `Size`: a name is",
        ),
        (
            site("    constraints:\n      - {rule: name > 1}\n"),
            "/objects/site/constraints/0/rule",
            "invalid_expression",
            "pack.yaml:8:16: `>` is not defined for a string and an integer",
        ),
        (
            site("      sum: {type: formula, formula: nmae + 'x', result: string}\n"),
            "/objects/site/properties/sum/formula",
            "unknown",
            "pack.yaml:7:37: `nmae` is no property of this object; did you mean `name`?",
        ),
        (
            format!("{head}requires: {{cor: ^1.0}}\n"),
            "/requires/cor",
            "missing_pack",
            "pack.yaml:3:17: the server knows no pack `cor`; install it first, in ^1.0; did you mean `core`?",
        ),
        (
            format!("{head}requires: {{construction: ^1.0}}\n"),
            "/requires/construction",
            "missing_pack",
            "pack.yaml:3:26: install `construction` ^1.0 first",
        ),
        (
            format!("{head}requires: {{core: ^9.0}}\n"),
            "/requires/core",
            "pack_version",
            "pack.yaml:3:18: the tenant has `core` ",
        ),
        (
            format!("{head}requires: {{sites: ^1.0}}\n"),
            "/requires/sites",
            "cyclic",
            "pack.yaml:3:19: a pack does not require itself",
        ),
        (
            format!("{head}objects: {{deal: {{}}}}\n"),
            "/objects/deal",
            "taken",
            "pack.yaml:3:11: `deal` belongs to `crm`",
        ),
        (
            format!("{head}associations: {{deal_contact: {{from: deal, to: contact}}}}\n"),
            "/associations/deal_contact",
            "taken",
            "pack.yaml:3:16: `deal_contact` belongs to `crm`",
        ),
        (bomb.0, "", "too_large", "pack.yaml:"),
        ("#".repeat((1 << 20) + 1), "", "too_large", "pack.yaml:1:1: 1048577 bytes; a file has at most 1048576"),
    ];
    for (source, pointer, code, message) in cases {
        let refused = tenant.post("/packs/plan", &json!({"source": source})).await.problem(422, "validation_failed");
        let told = told(&refused.body);
        let is_there = told.iter().any(|(at, with, said)| {
            (at == pointer || code == "too_large") && with == code && said.starts_with(message)
        });
        assert!(told.len() <= 2 && is_there, "{message}: {told:#?}");
    }
    tenant.post("/packs/plan", &json!({"source": "#".repeat(10 << 20)})).await.problem(413, "too_large");
    assert_eq!((metadata_version(&tenant).await, installed(&tenant).await), (version, packs));
    quiet.holds().await;
}

async fn packs_that_require_each_other_are_refused(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let pack = |name: &str, version: &str, requires: &str| {
        format!("pack: {name}\nversion: {version}\nrequires: {{{requires}}}\n")
    };
    install(&tenant, &pack("one", "1.0.0", "")).await;
    install(&tenant, &pack("two", "1.0.0", "one: ^1.0")).await;
    install(&tenant, &pack("three", "1.0.0", "two: ^1.0")).await;
    let version = metadata_version(&tenant).await;
    let source = pack("one", "1.1.0", "core: ^1.0, three: ^1.0");
    let refused = tenant.post("/packs/plan", &json!({"source": source})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/requires/three".to_owned(), "cyclic".to_owned())]);
    let message = "pack.yaml:3:31: `three` requires `one` itself (three → two → one); one of the two has to go without";
    assert!(refused.words().contains(message), "{}", refused.words());
    assert_eq!(metadata_version(&tenant).await, version);
}

async fn a_type_that_changes_under_a_unique_constraint_is_refused(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let pack = |version: &str, kind: &str| {
        format!(
            "pack: sites\nversion: {version}\nobjects:\n  site:\n    properties:\n      name: {{type: string}}\n      \
             number: {{type: {kind}, unique: true}}\n"
        )
    };
    install(&tenant, &pack("1.0.0", "string")).await;
    let id = create_id(&tenant, "site", json!({"number": "A-7"})).await;
    let version = metadata_version(&tenant).await;
    let plan = tenant.post("/packs/plan", &json!({"source": pack("2.0.0", "integer")})).await.ok(200);
    let step = &plan["steps"][0];
    assert_eq!(
        [&step["name"], &step["job"], &step["records"], &step["samples"]],
        [&json!("site.number"), &json!(true), &json!(1), &json!([id])]
    );
    let consent = json!({"plan": plan["plan"], "allow_destructive": true});
    tenant.post("/packs/apply", &consent).await.problem(409, "records_in_the_way");
    assert_eq!(metadata_version(&tenant).await, version);
    assert_eq!(tenant.get(&format!("/records/site/{id}")).await.ok(200)["properties"]["number"], "A-7");
}

async fn a_plan_from_yesterday_is_refused(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let source = json!({"source": "pack: sites\nversion: 1.0.0\nobjects: {site: {}}\n"});
    let plan = tenant.post("/packs/plan", &source).await.ok(200);
    let property = json!({"name": "mine", "type": "string"});
    tenant.post("/object-definitions/contact/properties", &property).await.ok(201);
    let version = metadata_version(&tenant).await;
    tenant.post("/packs/apply", &json!({"plan": plan["plan"]})).await.problem(409, "plan_out_of_date");
    let unknown = json!({"plan": "5f0c2a5e-0000-4000-8000-000000000000"});
    let refused = tenant.post("/packs/apply", &unknown).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/plan".to_owned(), "not_found".to_owned())]);
    assert_eq!(metadata_version(&tenant).await, version);
    tenant.get("/object-definitions/site").await.problem(404, "not_found");
}

async fn expressions_are_checked_in_bodies_too(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let version = metadata_version(&tenant).await;
    let body = json!({"name": "site", "properties": {
        "name": {"type": "string"}, "size": {"type": "integer"},
        "sum": {"type": "formula", "formula": "size + nmae", "result": "integer"},
        "half": {"type": "formula", "formula": "name", "result": "boolean"},
        "people": {"type": "rollup", "association": "deal_contact", "function": "count", "where": "x == 1"}},
        "constraints": [{"unique": ["name"]}, {"rule": "name > size"}]});
    let refused = tenant.post("/object-definitions", &body).await.problem(422, "validation_failed");
    let place = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        refused.errors(),
        [
            place("/constraints/1/rule", "invalid_expression"),
            place("/properties/sum/formula", "unknown"),
            place("/properties/half/formula", "invalid_expression"),
            place("/properties/people/association", "unknown"),
        ]
    );
    let rollup = json!({"name": "open", "type": "rollup", "association": "deal_contact", "function": "count",
        "where": "amount > 'many'"});
    let refused =
        tenant.post("/object-definitions/contact/properties", &rollup).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/where"]);
    assert_eq!(metadata_version(&tenant).await, version);
}

scenarios![
    mistakes_have_file_line_and_column_and_nothing_is_done,
    packs_that_require_each_other_are_refused,
    a_type_that_changes_under_a_unique_constraint_is_refused,
    a_plan_from_yesterday_is_refused,
    expressions_are_checked_in_bodies_too,
];
