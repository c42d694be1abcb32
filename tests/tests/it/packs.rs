//! Packs that are installed, moved on, taken away and brought back, while records stay.

use std::fs;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{create_id, define, id, jobs_are_done, results, searched};

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
    let found = searched(tenant, "book", &json!({"filter": filter})).await;
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
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("NAME=pack or NAME=tenant"), "{said}");
}

/// What the step of this name does to records: how many, what, whether a job does it, and samples.
fn touched(plan: &Value, name: &str) -> Value {
    let step = plan["steps"].as_array().unwrap().iter().find(|step| step["name"] == name);
    let step = step.unwrap_or_else(|| panic!("no step of {name} in {plan:#}"));
    json!([step["records"], step["effect"], step["job"], step["samples"]])
}

async fn an_association_of_an_object_with_itself_goes_like_any_other(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let family = |version: &str, associations: &str| {
        format!(
            "pack: family\nversion: {version}\nobjects: {{part: {{plural: parts, properties: {{name: {{type: string}}}}}}}}\n\
             associations: {{{associations}}}\n"
        )
    };
    let planned = plan(&tenant, &family("1.0.0", "sub: {from: part, to: part}, about: {from: part, to: any}")).await;
    apply(&tenant, &planned).await;
    let [one, other] = ["One", "Other"].map(|name| create_id(&tenant, "part", json!({"name": name})));
    let (one, other) = (one.await, other.await);
    tenant.put(&format!("/records/part/{one}/associations/sub/{other}"), &json!({})).await.ok(204);
    let planned = plan(&tenant, &family("1.1.0", "")).await;
    assert_eq!(touched(&planned, "sub"), json!([1, "hidden", false, [one]]));
    assert_eq!(touched(&planned, "about"), json!([0, null, false, []]));
    let planned = tenant.post("/packs/plan", &json!({"pack": "family", "uninstall": true})).await.ok(200);
    assert_eq!(touched(&planned, "sub"), json!([1, "hidden", false, [one]]));
    tenant.post("/packs/plan", &json!({"pack": "family", "uninstall": true, "purge": true})).await.ok(200);
}

async fn a_plan_tells_which_records_a_job_writes(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let first = format!("{TITLE}{SHELF}      kind: {{type: string}}\n      place: {{type: string}}\n");
    let planned = plan(&tenant, &library("1.0.0", &first)).await;
    assert_eq!(touched(&planned, "book.shelf"), json!([0, null, false, []]));
    apply(&tenant, &planned).await;
    let emma = create_id(&tenant, "book", json!({"title": "Emma", "shelf": 7, "kind": "novel", "place": "a"})).await;
    let bare = create_id(&tenant, "book", json!({"title": "Bare"})).await;
    let second = format!(
        "{TITLE}      shelf: {{type: integer, label: Board}}\n      kind: {{type: string, migration: {{default: map}}}}\n      \
         spot: {{type: string, was: place}}\n      twice: {{type: formula, formula: shelf * 2, result: integer}}\n"
    );
    let planned = plan(&tenant, &library("1.1.0", &second)).await;
    assert_eq!(touched(&planned, "book.shelf"), json!([0, null, false, []]));
    assert_eq!(touched(&planned, "book.kind"), json!([1, "rewritten", true, [bare]]));
    assert_eq!(touched(&planned, "book.spot"), json!([1, "rewritten", true, [emma]]));
    assert_eq!(touched(&planned, "book.twice"), json!([2, "computed", true, [emma, bare]]));
    apply(&tenant, &planned).await;
    jobs_are_done(&tenant).await;
    let mapped = second.replace("version: 1.1.0", "version: 1.1.1").replace("{default: map}", "{map: {novel: Novel}}");
    let planned = plan(&tenant, &library("1.1.1", &mapped)).await;
    assert_eq!(touched(&planned, "book.kind"), json!([1, "rewritten", true, [emma]]));
    let third = format!("{TITLE}      kind: {{type: string}}\n      twice: {{type: string}}\n");
    let planned = plan(&tenant, &library("1.2.0", &third)).await;
    assert_eq!(touched(&planned, "book.shelf"), json!([1, "hidden", false, [emma]]));
}

async fn what_says_the_same_is_the_same_version(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let source = library("1.0.0", &format!("{TITLE}{SHELF}"));
    apply(&tenant, &plan(&tenant, &source).await).await;
    let (head, rest) = source.split_at(source.find("objects:").unwrap());
    let others = [
        json!({"source": source.replace('\n', "\r\n")}),
        json!({"source": format!("# Books.\n{source}")}),
        json!({"files": {"library.yaml": source}}),
        json!({"files": {"pack.yaml": head, "books.yaml": rest}}),
    ];
    for body in others {
        assert_eq!(tenant.post("/packs/plan", &body).await.ok(200)["steps"], json!([]), "{body}");
    }
    let other = json!({"source": source.replace("label: Book", "label: Tome")});
    let refused = tenant.post("/packs/plan", &other).await.problem(409, "conflict");
    assert!(refused.words().contains("a changed pack needs a new version"), "{}", refused.words());
}

async fn a_purge_says_first_what_it_erases(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let source = |version: &str, old: &str| {
        let card = format!("extend:\n  contact: {{properties: {{{old}keep: {{type: string}}}}}}\n");
        format!("{}{card}", library(version, TITLE))
    };
    apply(&tenant, &plan(&tenant, &source("1.0.0", "old: {type: string}, ")).await).await;
    let ada =
        create_id(&tenant, "contact", json!({"first_name": "Ada", "last_name": "L", "old": "o", "keep": "k"})).await;
    let emma = create_id(&tenant, "book", json!({"title": "Emma"})).await;
    apply(&tenant, &plan(&tenant, &source("1.1.0", "")).await).await;

    // What an earlier version has left is erased with the rest.
    let purge = json!({"pack": "library", "uninstall": true, "purge": true});
    let planned = tenant.post("/packs/plan", &purge).await.ok(200);
    assert_eq!(touched(&planned, "book"), json!([1, "erased", true, [emma]]));
    assert_eq!(touched(&planned, "contact.keep"), json!([1, "erased", true, [ada]]));
    assert_eq!(touched(&planned, "contact.old"), json!([null, "erased", true, []]));
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.problem(422, "destructive");
    let stale = planned["plan"].clone();

    // So is all of a pack that is uninstalled already.
    tenant.delete("/packs/library").await.ok(200);
    let consent = json!({"plan": stale, "allow_destructive": true});
    tenant.post("/packs/apply", &consent).await.problem(409, "plan_out_of_date");
    let planned = tenant.post("/packs/plan", &purge).await.ok(200);
    for name in ["book", "contact.keep", "contact.old"] {
        assert_eq!(touched(&planned, name), json!([null, "erased", true, []]));
    }
    let done = apply(&tenant, &planned).await;
    assert_eq!(
        (&done["pack"], &done["version"], done["jobs"].as_array().unwrap().len()),
        (&json!("library"), &Value::Null, 1)
    );
    jobs_are_done(&tenant).await;
    tenant.post("/packs/plan", &purge).await.problem(422, "validation_failed");
    let alone = json!({"pack": "library", "purge": true});
    assert_eq!(tenant.post("/packs/plan", &alone).await.problem(422, "validation_failed").pointers(), ["/purge"]);
    assert_eq!(tenant.get("/object-definitions/book").await.status, 404);
}

async fn a_version_takes_stored_values_along(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let shelf = |spec: &str| format!("{TITLE}      shelf: {{{spec}}}\n");
    apply(&tenant, &plan(&tenant, &library("1.0.0", &shelf("type: string"))).await).await;
    let emma = create_id(&tenant, "book", json!({"title": "Emma", "shelf": "7"})).await;
    let plain = plan(&tenant, &library("2.0.0", &shelf("type: integer"))).await;
    assert_eq!(touched(&plain, "book.shelf"), json!([1, "in_the_way", true, [emma]]));
    let refused = tenant.post("/packs/apply", &json!({"plan": plain["plan"]})).await.problem(409, "records_in_the_way");
    assert_eq!(refused.body["errors"][0]["samples"], json!([emma]));
    let unknown = json!({"plan": plain["plan"], "migrations": {"book.shlef": {"default": 1}}});
    let refused = tenant.post("/packs/apply", &unknown).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/migrations/book.shlef"]);

    // What a version declares itself is part of its plan.
    let declared = "type: integer, migration: {convert: int(value) * 10}";
    let planned = plan(&tenant, &library("2.0.1", &shelf(declared))).await;
    assert_eq!(touched(&planned, "book.shelf"), json!([1, "rewritten", true, [emma]]));
    let done = apply(&tenant, &planned).await;
    assert_eq!(done["jobs"].as_array().map(Vec::len), Some(1));
    let path = format!("/records/book/{emma}");
    assert_eq!(tenant.get(&path).await.ok(200)["properties"], json!({"title": "Emma", "shelf": 70}));
    assert_eq!(plan(&tenant, &library("2.0.1", &shelf(declared))).await["steps"], json!([]));
    jobs_are_done(&tenant).await;
    assert_eq!(found(&tenant, json!({"property": "shelf", "op": "gte", "value": 70})).await, [json!(emma)]);

    // What is given with the plan goes before it.
    let planned = plan(&tenant, &library("3.0.0", &shelf("type: integer, maximum: 50"))).await;
    let given = json!({"plan": planned["plan"], "migrations": {"book.shelf": {"convert": "value / 7"}}});
    tenant.post("/packs/apply", &given).await.ok(200);
    assert_eq!(tenant.get(&path).await.ok(200)["properties"]["shelf"], 10);
    jobs_are_done(&tenant).await;
    assert_eq!(tenant.get(&path).await.ok(200)["properties"]["shelf"], 10);
}

async fn a_property_keeps_its_values_under_another_name(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let first = library("1.0.0", &format!("{TITLE}      isbn: {{type: string, unique: true}}\n"));
    apply(&tenant, &plan(&tenant, &first).await).await;
    let then = tenant.get("/tenant").await.ok(200)["metadata_version"].clone();
    tenant.patch("/object-definitions/book/properties/isbn", &json!({"label": "Ours"})).await.ok(200);
    let emma = create_id(&tenant, "book", json!({"title": "Emma", "isbn": "a"})).await;
    let second = library("2.0.0", &format!("{TITLE}      number: {{type: string, unique: true, was: isbn}}\n"));
    let planned = plan(&tenant, &second).await;
    let done = tenant.post("/packs/apply", &json!({"plan": planned["plan"], "allow_destructive": true})).await.ok(200);
    assert_eq!(done["jobs"].as_array().map(Vec::len), Some(1));
    let path = format!("/records/book/{emma}");
    assert_eq!(tenant.get(&path).await.ok(200)["properties"], json!({"title": "Emma", "number": "a"}));
    let taken = tenant.post("/records/book", &json!({"properties": {"title": "E", "number": "a"}})).await;
    assert_eq!(taken.problem(409, "conflict").pointers(), ["/properties/number"]);
    assert_eq!(id(&tenant.get("/records/book/a?id_property=number").await.ok(200)), emma);
    let definition = tenant.get("/object-definitions/book").await.ok(200);
    assert_eq!(
        (&definition["properties"]["number"]["label"], &definition["properties"]["isbn"]),
        (&json!("Ours"), &Value::Null)
    );
    jobs_are_done(&tenant).await;
    // Whoever still says the former name is understood.
    for name in ["number", "isbn"] {
        assert_eq!(found(&tenant, json!({"property": name, "op": "eq", "value": "a"})).await, [json!(emma)]);
    }
    assert_eq!(tenant.get(&format!("{path}?select=isbn")).await.ok(200)["properties"], json!({"number": "a"}));
    assert_eq!(plan(&tenant, &second).await["steps"], json!([]));
    let history = tenant.get(&format!("{path}/history")).await.ok(200);
    let newest: Vec<&Value> = results(&history).iter().take(2).map(|entry| &entry["property"]).collect();
    assert!(newest.contains(&&json!("number")), "{history:#}");
    tenant.post("/metadata/rollback", &json!({"to_version": then})).await.ok(200);
    assert_eq!(tenant.get(&path).await.ok(200)["properties"], json!({"title": "Emma", "isbn": "a"}));
    jobs_are_done(&tenant).await;
    assert_eq!(found(&tenant, json!({"property": "isbn", "op": "eq", "value": "a"})).await, [json!(emma)]);
}

async fn a_purged_pack_leaves_nothing(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let source = format!(
        "{}extend:\n  contact: {{properties: {{card: {{type: string}}}}}}\nassociations:\n  book_contact: {{from: book, to: contact}}\n  \
         contact_friend: {{from: contact, to: contact}}\n",
        library("1.0.0", TITLE)
    );
    apply(&tenant, &plan(&tenant, &source).await).await;
    tenant.post("/object-definitions/book/properties", &json!({"name": "note", "type": "string"})).await.ok(201);
    tenant.patch("/object-definitions/contact", &json!({"label": "Reader"})).await.ok(200);
    let ada = create_id(&tenant, "contact", json!({"first_name": "Ada", "last_name": "L", "card": "7"})).await;
    let bob = create_id(&tenant, "contact", json!({"first_name": "Bob", "last_name": "B"})).await;
    let emma = create_id(&tenant, "book", json!({"title": "Emma", "note": "n"})).await;
    let gone = create_id(&tenant, "book", json!({"title": "Old"})).await;
    tenant.delete(&format!("/records/book/{gone}")).await.ok(204);
    tenant.put(&format!("/records/book/{emma}/associations/book_contact/{ada}"), &json!({})).await.ok(204);
    tenant.put(&format!("/records/contact/{ada}/associations/contact_friend/{bob}"), &json!({})).await.ok(204);

    let needs = json!({"name": "cards", "type": "formula", "formula": "card + '!'", "result": "string"});
    tenant.post("/object-definitions/contact/properties", &needs).await.ok(201);
    jobs_are_done(&tenant).await;
    let refused = tenant.delete("/packs/library?purge=true").await.problem(409, "conflict");
    assert_eq!(refused.pointers(), ["/extend/contact/properties/cards/formula"]);
    tenant.patch("/object-definitions/contact/properties/cards", &json!({"formula": "first_name"})).await.ok(200);
    let done = tenant.delete("/packs/library?purge=true").await.ok(200);
    assert_eq!((&done["version"], done["jobs"].as_array().map(Vec::len)), (&Value::Null, Some(1)));
    jobs_are_done(&tenant).await;
    assert_eq!(tenant.get("/object-definitions/book").await.status, 404);
    assert!(!results(&tenant.get("/packs").await.ok(200)).iter().any(|pack| pack["pack"] == "library"));
    let contact = tenant.get(&format!("/records/contact/{ada}")).await.ok(200);
    assert_eq!((&contact["properties"]["first_name"], &contact["properties"]["card"]), (&json!("Ada"), &Value::Null));
    let definition = tenant.get("/object-definitions/contact?archived=true").await.ok(200);
    assert_eq!((&definition["label"], &definition["properties"]["card"]), (&json!("Reader"), &Value::Null));
    tenant.delete("/packs/library?purge=true").await.problem(404, "not_found");

    // Installed once more it begins anew.
    apply(&tenant, &plan(&tenant, &source).await).await;
    assert!(results(&tenant.get("/records/book").await.ok(200)).is_empty());
    assert!(results(&tenant.get("/records/book?archived=true").await.ok(200)).is_empty());
    assert_eq!(tenant.get(&format!("/records/contact/{ada}")).await.ok(200)["properties"]["card"], Value::Null);
    let friends = tenant.get(&format!("/records/contact/{ada}/associations/contact_friend")).await.ok(200);
    assert!(results(&friends).is_empty());
    tenant.get(&format!("/records/book/{emma}")).await.problem(404, "not_found");
}

async fn definitions_go_back_to_an_earlier_version(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let version = async || tenant.get("/tenant").await.ok(200)["metadata_version"].as_i64().expect("a version");
    let definitions = async || {
        let mut all = Vec::new();
        for path in ["/object-definitions", "/association-definitions", "/pipelines/deal"] {
            all.push(tenant.get(path).await.ok(200));
        }
        all
    };
    apply(&tenant, &plan(&tenant, &library("1.0.0", &format!("{TITLE}      shelf: {{type: string}}\n"))).await).await;
    tenant.post("/object-definitions/book/properties", &json!({"name": "note", "type": "string"})).await.ok(201);
    let emma = create_id(&tenant, "book", json!({"title": "Emma", "shelf": "7", "note": "n"})).await;
    let (then, before) = (version().await, definitions().await);

    tenant.patch("/object-definitions/contact", &json!({"label": "Person"})).await.ok(200);
    define(&tenant, json!({"name": "shelf", "plural": "shelves", "properties": {"name": {"type": "string"}}})).await;
    create_id(&tenant, "shelf", json!({"name": "S"})).await;
    tenant
        .patch("/object-definitions/book/properties/note", &json!({"label": "Remark", "max_length": 9}))
        .await
        .ok(200);
    let convert = json!({"name": "size", "type": "integer", "migration": {"convert": "size(record.title)"}});
    tenant.post("/object-definitions/book/properties", &convert).await.ok(202);
    jobs_are_done(&tenant).await;
    let moved = "type: integer, migration: {convert: int(value)}";
    apply(&tenant, &plan(&tenant, &library("2.0.0", &format!("{TITLE}      shelf: {{{moved}}}\n"))).await).await;
    jobs_are_done(&tenant).await;
    let path = format!("/records/book/{emma}");
    assert_eq!(
        tenant.get(&path).await.ok(200)["properties"],
        json!({"title": "Emma", "shelf": 7, "note": "n", "size": 4})
    );

    let changed = version().await;
    let dry = tenant.post("/metadata/rollback", &json!({"to_version": then, "dry_run": true})).await.ok(200);
    let steps = dry["steps"].as_array().unwrap();
    let step = |name: &str| steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(
        (&dry["changed"], &step("shelf")["action"], &step("book.shelf")["action"]),
        (&json!(false), &json!("remove"), &json!("change"))
    );
    assert_eq!(touched(&dry, "book.shelf"), json!([1, "rewritten", true, [emma]]));
    let done = tenant.post("/metadata/rollback", &json!({"to_version": then})).await.ok(200);
    assert_eq!(done["changed"], true);
    assert_eq!(tenant.get(&path).await.ok(200)["properties"], json!({"title": "Emma", "shelf": "7", "note": "n"}));
    jobs_are_done(&tenant).await;
    assert_eq!(definitions().await, before);
    assert_eq!(tenant.get(&path).await.ok(200)["properties"], json!({"title": "Emma", "shelf": "7", "note": "n"}));
    let history = tenant.get("/metadata/history?limit=5").await.ok(200);
    assert!(results(&history).iter().any(|entry| entry["summary"] == format!("roll back to version {then}")));
    // What came since is archived, with what is stored under it.
    tenant.post("/object-definitions/shelf/restore", &json!({})).await.ok(200);
    assert_eq!(results(&tenant.get("/records/shelf").await.ok(200)).len(), 1);
    tenant.post("/metadata/rollback", &json!({"to_version": 100_000})).await.problem(422, "validation_failed");
    // Of any two versions the difference is told, whichever came first.
    let now = version().await;
    let told = async |from: i64, to: i64| -> Vec<String> {
        let diff = tenant.get(&format!("/metadata/diff?from={from}&to={to}")).await.ok(200);
        let line = |step: &Value| {
            [&step["action"], &step["kind"], &step["name"]].map(|part| part.as_str().unwrap().to_owned()).join(" ")
        };
        let mut lines: Vec<String> = diff["steps"].as_array().unwrap().iter().map(line).collect();
        lines.sort();
        lines
    };
    assert_eq!(told(then, now).await, ["add object shelf", "add property shelf.name"]);
    assert_eq!(told(now, then).await, ["remove object shelf", "remove property shelf.name"]);
    assert_eq!(told(then, then).await, [""; 0]);
    assert_eq!(
        told(then, changed).await,
        [
            "add object shelf",
            "add property book.size",
            "add property shelf.name",
            "change object contact",
            "change property book.note",
            "change property book.shelf",
        ]
    );
}

scenarios![
    an_association_of_an_object_with_itself_goes_like_any_other,
    a_plan_tells_which_records_a_job_writes,
    what_says_the_same_is_the_same_version,
    a_purge_says_first_what_it_erases,
    a_version_takes_stored_values_along,
    a_property_keeps_its_values_under_another_name,
    a_purged_pack_leaves_nothing,
    definitions_go_back_to_an_earlier_version,
    what_a_version_lacks_is_hidden_and_comes_back_with_it,
    what_a_pack_has_brought_goes_and_comes_with_it,
    a_plan_is_printed_and_its_exit_code_says_whether_there_is_anything_to_do,
];
