//! What was built by clicking leaves as a pack, and is the same on another tenant.

use std::fs;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{create_id, define, results};

/// Everything that the admin API can make of an empty tenant, archived things included.
async fn build(tenant: &Client) {
    define(tenant, json!({
        "name": "crane", "label": "Crane", "plural": "cranes", "display": "{{ name }} {{ number }}", "icon": "crane",
        "description": "Lifts: \"heavy\" things.\nSecond line.\n",
        "features": {"search": true, "duplicates": [["number"]]}, "groups": {"size": {"label": "Size", "order": 1}},
        "properties": {
            "name": {"type": "string", "label": "Name", "required": true, "max_length": 50, "searchable": true, "substring": true},
            "story": {"type": "text", "markdown": true, "description": "no"},
            "count": {"type": "integer", "minimum": 0, "maximum": 5, "unit": "pieces", "default": 2},
            "reach": {"type": "decimal", "scale": 2, "minimum": "0.10", "group": "size"},
            "load": {"type": "percent"},
            "price": {"type": "money", "currency": "EUR"},
            "cost": {"type": "money", "currency_property": "unit"},
            "unit": {"type": "string", "default": "USD"},
            "rented": {"type": "boolean", "default": false},
            "built_on": {"type": "date"},
            "day_gone": {"type": "date"},
            "serviced_at": {"type": "datetime"},
            "kind": {"type": "enum", "options": [{"key": "no", "label": "No: 1", "color": "red"},
                {"key": "tower", "label": "Tower"}, {"key": "old", "archived": true}], "default": "no"},
            "uses": {"type": "multi_enum", "options": {"lift": "Lift", "pull": {"label": "Pull", "order": 2}}},
            "tags": {"type": "tags", "prefixes": ["a:", "b:"]},
            "mail": {"type": "email", "unique": true},
            "phone": {"type": "phone", "read_only": true},
            "link": {"type": "url", "sensitive": true},
            "host": {"type": "domain"},
            "keeper": {"type": "user"},
            "extra": {"type": "json", "schema": {"type": "object", "properties": {"a": {"type": "number", "minimum": 0.5}}}},
            "social": {"type": "json", "schema": "social_profiles"},
            "photo": {"type": "file", "accept": ["image/png"], "max_bytes": 1_000_000},
            "spot": {"type": "geo"},
            "number": {"type": "auto_number", "pattern": "CR-{00000}"},
            "age": {"type": "formula", "formula": "price * 2 + 1", "result": "decimal"},
        },
        "constraints": [
            {"unique": ["name", "unit"]},
            {"rule": "built_on == null || serviced_at == null || date(serviced_at) >= built_on",
                "message": "Serviced before it was built.", "at": "serviced_at"},
            {"no_overlap": {"within": "name", "from": "built_on", "to": "day_gone"}},
        ],
    })).await;
    define(tenant, json!({"name": "yard", "properties": {"title": {"type": "string"}}})).await;
    define(tenant, json!({"name": "gone", "properties": {"title": {"type": "string"}}})).await;
    tenant.delete("/object-definitions/gone").await.ok(204);
    tenant.delete("/object-definitions/crane/properties/load").await.ok(204);
    for association in [
        json!({"name": "crane_company", "from": "crane", "to": "company", "label": "Sites", "inverse": "Cranes",
            "cardinality": "many_to_many", "labels": {"owner": "Owner", "user": "User"},
            "properties": {"since": {"type": "date"}, "rate": {"type": "money", "currency": "EUR"}}}),
        json!({"name": "crane_yard", "from": "crane", "to": ["yard", "crane"], "cardinality": "many_to_one"}),
        json!({"name": "yard_any", "from": "yard", "to": "any"}),
    ] {
        tenant.post("/association-definitions", &association).await.ok(201);
    }
    tenant.delete("/association-definitions/yard_any").await.ok(204);
    let sites = json!({"name": "sites", "type": "rollup", "association": "crane_company", "function": "count",
        "where": "name != null"});
    tenant.post("/object-definitions/crane/properties", &sites).await.ok(201);
    let stages = json!({"new": "New", "let": {"requires": ["price"], "probability": 50, "color": "green"},
        "over": {"type": "closed"}});
    let transitions = json!({"new": ["let"], "let": ["new", "over"], "over": []});
    for object in ["crane", "yard"] {
        let pipeline = json!({"name": "renting", "label": "Renting", "stages": if object == "crane" { stages.clone() } else {
            json!([{"name": "open"}, {"name": "shut"}]) }, "transitions": if object == "crane" { transitions.clone() } else { Value::Null }});
        tenant.post(&format!("/pipelines/{object}"), &pipeline).await.ok(201);
    }
    let renamed = json!({"label": "Client", "icon": null, "properties": {
        "title": {"label": "Rôle"}, "shoe_size": {"type": "integer", "minimum": 1, "required": false},
        "lead_status": {"options": [{"key": "lost", "label": "Lost"}, {"key": "new", "label": "Fresh", "color": "blue"},
            {"key": "contacted", "label": "Contacted"}, {"key": "qualified", "label": "Qualified"}]},
    }, "constraints": [{"reserved": {"property": "tags", "prefixes": ["bot:"]}},
        {"rule": "shoe_size == null || shoe_size < 60", "message": "A giant."}]});
    tenant.patch("/object-definitions/contact", &renamed).await.ok(200);
    tenant.delete("/object-definitions/contact/properties/department").await.ok(204);
    // Said, and taken back.
    tenant.patch("/object-definitions/company", &json!({"label": "Firm"})).await.ok(200);
    tenant.patch("/object-definitions/company", &json!({"label": "Company"})).await.ok(200);
    let changed =
        json!({"label": "Buyer", "labels": {"blocker": null, "fan": "Fan"}, "properties": {"since": {"type": "date"}}});
    tenant.patch("/association-definitions/deal_contact", &changed).await.ok(200);
    let changed =
        json!({"stages": {"proposal": {"label": "Offer", "requires": ["amount"]}, "signed": {"type": "won"}}});
    tenant.patch("/pipelines/deal/sales", &changed).await.ok(200);
}

/// All definitions, archived ones included, with one layer called as another.
async fn definitions(tenant: &Client, layer: &str) -> Value {
    let mut all = Vec::new();
    for path in
        ["/object-definitions", "/association-definitions", "/pipelines/crane", "/pipelines/yard", "/pipelines/deal"]
    {
        for archived in ["", "?archived=true"] {
            all.push(tenant.get(&format!("{path}{archived}")).await.ok(200));
        }
    }
    let text = Value::from(all).to_string();
    serde_json::from_str(&text.replace(&format!("\"layer\":\"{layer}\""), "\"layer\":\"own\"")).unwrap()
}

async fn export(tenant: &Client, query: &str) -> String {
    let reply = tenant.get(&format!("/packs/export{query}")).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/yaml"), "{}", reply.text);
    reply.text
}

async fn install(tenant: &Client, source: &str) -> Value {
    let plan = tenant.post("/packs/plan", &json!({"source": source})).await.ok(200);
    let consent = json!({"plan": plan["plan"], "allow_destructive": true});
    tenant.post("/packs/apply", &consent).await.ok(200);
    plan
}

async fn what_was_built_by_clicking_is_the_same_elsewhere(server: TestServer) {
    let (built, empty) = (server.tenant("generic").await, server.tenant("generic").await);
    build(&built).await;
    let text = export(&built, "?pack=cranes&version=2.1.0&label=Cranes").await;
    assert_eq!(text, export(&built, "?pack=cranes&version=2.1.0&label=Cranes").await);
    let head: Vec<&str> = text.lines().take(4).collect();
    assert_eq!(head[..3], ["pack: cranes", "version: 2.1.0", "label: Cranes"]);
    assert!(head[3].starts_with("requires: {core: ^") && head[3].contains(", crm: ^"), "{}", head[3]);
    assert!(!text.contains("  company:"), "what says nothing is left out: {text}");
    install(&empty, &text).await;
    assert_eq!(definitions(&empty, "cranes").await, definitions(&built, "custom").await);
    assert_eq!(export(&empty, "?pack=cranes").await, text);
    // The tenant itself has nothing of its own now.
    let nothing = export(&empty, "?pack=mine").await;
    assert_eq!(nothing, "pack: mine\nversion: 1.0.0\nlabel: Mine\n");
    let id = create_id(&empty, "crane", json!({"name": "One", "price": "5"})).await;
    let record = empty.get(&format!("/records/crane/{id}")).await.ok(200);
    assert_eq!(record["properties"]["stage"], "new");

    // Where it comes from, the pack takes over what the tenant has defined, and nothing changes.
    let before = definitions(&built, "custom").await;
    let plan = install(&built, &text).await;
    assert_eq!(plan["conflicts"], json!([]));
    assert_eq!(definitions(&built, "cranes").await, before);
    let left = export(&built, "?pack=mine").await;
    assert!(left.contains("cranes: ^2.1.0") && left.contains("  contact:\n    label: Client\n"), "{left}");
    assert!(!left.contains("\nobjects:") && !left.contains("crane_company"), "{left}");
}

async fn some_objects_leave_with_what_belongs_to_them(server: TestServer) {
    let tenant = server.tenant("generic").await;
    build(&tenant).await;
    let yard = export(&tenant, "?pack=yards&object=yard").await;
    assert_eq!(
        yard,
        "pack: yards\nversion: 1.0.0\nlabel: Yards\nobjects:\n  yard:\n    properties:\n      title: {type: string}\n\
         associations:\n"
            .to_owned()
            + &yard[yard.find("  yard_any:").unwrap()..]
    );
    assert!(!yard.contains("crane"), "{yard}");
    let refused = tenant.get("/packs/export?pack=Bad&version=1&object=yrad,note").await.problem(400, "bad_request");
    assert_eq!(refused.pointers(), ["/pack", "/version", "/object", "/object"]);
    assert!(refused.words().contains("`yard`"), "{}", refused.words());
    let refused = tenant.get("/packs/export?pack=crm&version=1.0.0&object=deal").await.problem(400, "bad_request");
    assert_eq!(refused.pointers(), ["/version", "/object"]);
    tenant.get("/packs/export?pack=custom").await.problem(400, "bad_request");
    let known = json!({"type": "rollup", "association": "crane_yard", "function": "count", "name": "cranes"});
    tenant.post("/object-definitions/yard/properties", &known).await.ok(201);
    let refused = tenant.get("/packs/export?object=yard").await.problem(400, "bad_request");
    assert_eq!(refused.errors(), [("/object".to_owned(), "required".to_owned())]);
    export(&tenant, "?object=yard,crane").await;
}

async fn shipped_packs_are_exported_as_they_are(server: TestServer) {
    let (one, other) = (server.tenant("construction").await, server.tenant("generic").await);
    let text = export(&one, "?pack=construction").await;
    let plan = other.post("/packs/plan", &json!({"source": text.replace("1.0.0", "1.0.1")})).await.ok(200);
    other.post("/packs/apply", &json!({"plan": plan["plan"]})).await.ok(200);
    assert_eq!(export(&other, "?pack=construction").await, text.replace("1.0.0", "1.0.1"));
}

async fn what_rests_without_its_pack_leaves_archived(server: TestServer) {
    let (tenant, other) = (server.tenant("generic").await, server.tenant("generic").await);
    let library = "pack: library\nversion: 1.0.0\nrequires: {core: ^1.0}\nobjects: {book: {properties: {title: {type: string}}}}\n\
                   extend: {contact: {properties: {card: {type: string}}}}\nassociations: {book_contact: {from: book, to: contact}}\n";
    let planned = tenant.post("/packs/plan", &json!({"source": library})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    for own in [
        json!({"name": "card_length", "type": "formula", "formula": "size(card)", "result": "integer"}),
        json!({"name": "books", "type": "rollup", "function": "count", "association": "book_contact"}),
        json!({"name": "doubled", "type": "formula", "formula": "books * 2", "result": "integer"}),
        json!({"name": "shoe_size", "type": "integer"}),
    ] {
        tenant.post("/object-definitions/contact/properties", &own).await.ok(201);
    }
    // Whoever takes the pack away is told before what rests from then on.
    let planned = tenant.post("/packs/plan", &json!({"pack": "library", "uninstall": true})).await.ok(200);
    let told = |name: &str| {
        let step = planned["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap();
        step["uses"].as_array().unwrap().iter().map(|found| found["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (told("contact.card"), told("book_contact")),
        (vec![json!("contact.card_length")], vec![json!("contact.books")])
    );
    tenant.delete("/packs/library").await.ok(200);
    let exported = export(&tenant, "?pack=mine").await;
    let planned = other.post("/packs/plan", &json!({"source": exported})).await.ok(200);
    other.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    assert_eq!(export(&other, "?pack=mine").await, exported);
    let definition = other.get("/object-definitions/contact?archived=true").await.ok(200);
    let is_archived = |name: &str| !definition["properties"][name]["archived_at"].is_null();
    // What is computed of these stands, and has no value.
    assert_eq!(["card_length", "books", "doubled"].map(is_archived), [true, true, false], "{exported}");
    assert!(!exported.contains("library"), "{exported}");
    let active = other.get("/object-definitions/contact").await.ok(200);
    assert_eq!(active["properties"]["shoe_size"]["type"], "integer");
    assert_eq!(active["properties"]["books"], Value::Null);
}

async fn the_command_line_exports_lists_and_uninstalls(server: TestServer) {
    let tenant = server.tenant("generic").await;
    build(&tenant).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cranes.yaml");
    let file = path.to_str().unwrap();
    let pack = |arguments: &[&str]| {
        let access = ["--url", server.address(), "--token", tenant.token().unwrap()];
        let all: Vec<&str> = ["pack"].into_iter().chain(arguments.iter().copied()).chain(access).collect();
        let output = server.command(&all).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    let named = ["export", "--pack", "cranes", "--version", "1.2.0", "--label", "Cranes"];
    let (printed, said, code) = pack(&named);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(printed, export(&tenant, "?pack=cranes&version=1.2.0&label=Cranes").await);
    let written: Vec<&str> =
        named.into_iter().chain(["--object", "crane", "--object", "yard", "--out", file]).collect();
    assert_eq!(pack(&written).2, Some(0));
    assert!(fs::read_to_string(&path).unwrap().starts_with("pack: cranes\nversion: 1.2.0\n"));
    let output = server.command(&["pack", "check", file]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "no mistakes\n");
    assert_eq!(pack(&["apply", file]).2, Some(0));
    let (listed, _, _) = pack(&["list"]);
    let line = listed.lines().find(|line| line.starts_with("cranes")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["cranes", "1.2.0", "1.2.0", "Cranes"]);
    let (told, _, code) = pack(&["uninstall", "cranes", "--dry-run"]);
    assert!(told.starts_with("- object ") && told.ends_with(" to remove\n") && code == Some(3), "{told}");
    let (done, _, code) = pack(&["uninstall", "cranes"]);
    assert_eq!((done, code), (format!("{told}cranes is uninstalled\n"), Some(0)));
    let (_, said, code) = pack(&["uninstall", "cranes"]);
    assert_eq!(code, Some(1), "{said}");
    let installed = tenant.get("/packs").await.ok(200);
    let cranes = results(&installed).iter().find(|pack| pack["pack"] == "cranes").unwrap();
    assert_eq!(cranes["installed"], Value::Null);
}

scenarios![
    what_was_built_by_clicking_is_the_same_elsewhere,
    some_objects_leave_with_what_belongs_to_them,
    shipped_packs_are_exported_as_they_are,
    what_rests_without_its_pack_leaves_archived,
    the_command_line_exports_lists_and_uninstalls,
];
