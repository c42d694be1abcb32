//! Views, reports, workflows, roles and translations that packs bring, and what becomes of them when packs move on.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{create_id, id, jobs_are_done, results, searched};

const LIBRARY: &str = r#"
pack: library
version: 1.0.0
objects:
  book:
    label: Book
    plural: books
    display: "{{ title }}"
    properties:
      title: {type: string, label: Title}
      shelf: {type: integer, label: Shelf}
      kind: {type: enum, label: Kind, options: {novel: Novel, map: Map}}
views:
  novels: {object: book, label: Novels, filter: {property: kind, op: eq, value: novel}, columns: [title, shelf]}
"#;

const DESK: &str = r#"
pack: desk
version: 1.0.0
requires: {library: ^1.0}
views:
  by_shelf: {object: book, sort: [{property: shelf}], columns: [title, created_at]}
reports:
  full_shelves: {object: book, group: [shelf], measures: {books: {count: true}}, chart: bar}
workflows:
  fetch: {when: {event: record.updated, object: book, changed: [shelf]}, if: shelf > 3, do: [{create: task, properties: {title: "Fetch {{ title }}"}, link: task_about}]}
roles:
  reader: {objects: {book: {read: all}}, properties: {book.shelf: {write: false}}}
translations:
  de:
    objects: {book: {label: Buch, plural_label: Bücher, properties: {title: Titel, kind: {label: Art, options: {novel: Roman}}}}}
    views: {by_shelf: Nach Regal}
    reports: {full_shelves: Volle Regale}
    roles: {reader: Lesend}
"#;

async fn plan(tenant: &Client, source: &str) -> Value {
    tenant.post("/packs/plan", &json!({"source": source})).await.ok(200)
}

async fn apply(tenant: &Client, source: &str) {
    let planned = plan(tenant, source).await;
    tenant.post("/packs/apply", &json!({"plan": planned["plan"], "allow_destructive": true})).await.ok(200);
    assert_eq!(plan(tenant, source).await["steps"], json!([]));
}

async fn users_of(tenant: &Client, property: &str) -> Vec<String> {
    let uses = tenant.get(&format!("/object-definitions/book/properties/{property}/uses")).await.ok(200);
    let told = |found: &Value| {
        [&found["kind"], &found["name"], &found["layer"]].map(|text| text.as_str().unwrap().to_owned()).join(" ")
    };
    results(&uses).iter().map(told).collect()
}

async fn what_names_a_property_is_told_before_it_goes(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, LIBRARY).await;
    let planned = plan(&tenant, DESK).await;
    let steps = planned["steps"].as_array().unwrap();
    let told: Vec<_> = steps.iter().map(|step| [&step["action"], &step["kind"], &step["name"]]).collect();
    let step = |kind: &str, name: &str| [json!("add"), json!(kind), json!(name)];
    let wanted = [
        step("view", "by_shelf"),
        step("report", "full_shelves"),
        step("workflow", "fetch"),
        step("role", "reader"),
        step("translation", "de"),
    ];
    assert_eq!(told, wanted.iter().map(|step| step.each_ref()).collect::<Vec<_>>());
    assert_eq!(planned["warnings"], json!([]));
    apply(&tenant, DESK).await;
    assert_eq!(
        users_of(&tenant, "shelf").await,
        [
            "view novels library",
            "view by_shelf desk",
            "report full_shelves desk",
            "workflow fetch desk",
            "workflow fetch desk",
            "role reader desk",
        ]
    );

    // Its own view leaves it out in the next version; those of the other pack go on to name it.
    let second = LIBRARY.replace("1.0.0", "1.1.0").replace("      shelf: {type: integer, label: Shelf}\n", "");
    let second = second.replace("columns: [title, shelf]", "columns: [title]");
    let planned = plan(&tenant, &second).await;
    let removed = planned["steps"].as_array().unwrap().iter().find(|step| step["name"] == "book.shelf").unwrap();
    let uses: Vec<&Value> = removed["uses"].as_array().unwrap().iter().map(|found| &found["pointer"]).collect();
    assert_eq!(
        uses,
        [
            "/views/by_shelf/sort/0/property",
            "/reports/full_shelves/group/0",
            "/workflows/fetch/when/changed/0",
            "/workflows/fetch/if",
            "/roles/reader/properties/book.shelf",
        ]
    );
    let warnings: Vec<&Value> = planned["warnings"].as_array().unwrap().iter().map(|told| &told["pointer"]).collect();
    assert!(warnings.contains(&&json!("/views/by_shelf/sort/0/property")), "{warnings:?}");
    apply(&tenant, &second).await;
    // All else goes on, and the property brings its users back.
    apply(&tenant, &LIBRARY.replace("1.0.0", "1.2.0")).await;
    assert_eq!(users_of(&tenant, "shelf").await.len(), 6);
}

async fn what_users_have_saved_is_told_to_whoever_may_see_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, LIBRARY).await;
    let high = json!({"all": [{"property": "kind", "op": "eq", "value": "map"}, {"property": "shelf", "op": "gt", "value": 3}]});
    let (rita, _) = tenant.user("rita", "member").await;
    let view = json!({"object": "book", "label": "High", "columns": ["title", "shelf"], "sharing": "everyone"});
    let view = id(&rita.post("/views", &view).await.ok(201));
    let own = json!({"object": "book", "label": "Mine", "filter": high, "sharing": "private"});
    let own = id(&rita.post("/views", &own).await.ok(201));
    let report = json!({"object": "book", "label": "Shelves", "group": ["shelf"], "measures": {"n": {"count": true}},
        "sharing": "everyone"});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    let list = json!({"object": "book", "name": "High ones", "filter": high, "sharing": "everyone"});
    let list = id(&tenant.post("/lists", &list).await.ok(201));
    let role = json!({"name": "clerk", "label": "Clerk", "objects": {"book": {"read": "all"}},
        "properties": {"book.shelf": {"write": false}}});
    tenant.post("/roles", &role).await.ok(201);
    let rule = json!({"object": "book", "label": "Up there", "when": "shelf > 3 && shelf < 9",
        "users": [tenant.get("/users").await.ok(200)["results"][0]["id"]]});
    let rule = id(&tenant.post("/assignment-rules", &rule).await.ok(201));

    let path = "/object-definitions/book/properties/shelf/uses";
    let told = |reply: &Value| -> Vec<Value> {
        results(reply).iter().filter(|found| found["layer"] == "custom").cloned().collect()
    };
    let found = |kind: &str, name: &str, label: &str, pointer: &str| json!({"kind": kind, "name": name, "label": label, "pointer": pointer, "layer": "custom"});
    let high = found("view", &view, "High", "/columns/1");
    let shelves = found("report", &report, "Shelves", "/group/0");
    let list = found("list", &list, "High ones", "/filter/all/1/property");
    let role = found("role", "clerk", "Clerk", "/properties/book.shelf");
    let rule = found("assignment_rule", &rule, "Up there", "/when");
    let all = [high.clone(), shelves.clone(), list.clone(), role, rule];
    assert_eq!(told(&tenant.get(path).await.ok(200)), all);
    // Roles and rules are for administrators; what is private is for who saved it.
    let mine = found("view", &own, "Mine", "/filter/all/1/property");
    assert_eq!(told(&rita.get(path).await.ok(200)), [high, mine, shelves, list]);

    let second = LIBRARY.replace("1.0.0", "1.1.0").replace("      shelf: {type: integer, label: Shelf}\n", "");
    let planned = plan(&tenant, &second.replace("columns: [title, shelf]", "columns: [title]")).await;
    let removed = planned["steps"].as_array().unwrap().iter().find(|step| step["name"] == "book.shelf").unwrap();
    assert_eq!(removed["uses"], json!(all));
}

async fn what_is_renamed_is_found_under_its_old_name(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, LIBRARY).await;
    apply(&tenant, DESK).await;
    let renamed =
        LIBRARY.replace("1.0.0", "1.1.0").replace("shelf: {type: integer", "place: {was: shelf, type: integer");
    let planned = plan(&tenant, &renamed.replace("[title, shelf]", "[title, place]")).await;
    assert_eq!(planned["warnings"], json!([]));
    // Nothing is taken away, so nobody has to agree to that.
    let is_of_place = |step: &&Value| step["name"].as_str().unwrap().ends_with(".place");
    let step = planned["steps"].as_array().unwrap().iter().find(is_of_place).unwrap();
    assert_eq!(
        (&step["action"], &step["destructive"], &step["before"]["name"], &step["after"]["name"]),
        (&json!("change"), &json!(false), &json!("shelf"), &json!("place"))
    );
    assert_eq!((&planned["summary"]["add"], &planned["summary"]["remove"]), (&json!(0), &json!(0)));
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    let users = users_of(&tenant, "place").await;
    assert!(users.contains(&"view by_shelf desk".to_owned()), "{users:?}");
}

async fn what_is_renamed_and_converted_comes_back_as_it_was(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, LIBRARY).await;
    let books = async |place: &str| {
        jobs_are_done(&tenant).await;
        let page = tenant.get(&format!("/records/book?select={place}")).await.ok(200);
        results(&page).iter().map(|book| book["properties"][place].clone()).collect::<Vec<_>>()
    };
    let mut ids = Vec::new();
    for shelf in [json!(1), json!(2), Value::Null] {
        ids.push(create_id(&tenant, "book", json!({"title": "B", "shelf": shelf})).await);
    }
    let label = json!({"properties": {"shelf": {"label": "Our shelf"}}});
    tenant.patch("/object-definitions/book", &label).await.ok(200);
    let second = LIBRARY
        .replace("1.0.0", "2.0.0")
        .replace(
            "shelf: {type: integer, label: Shelf}",
            "place: {was: shelf, type: string, label: Place, migration: {convert: \"'S' + string(value)\"}}",
        )
        .replace("[title, shelf]", "[title, place]");
    let planned = plan(&tenant, &second).await;
    assert_eq!((&planned["summary"]["add"], &planned["summary"]["remove"]), (&json!(0), &json!(0)));
    apply(&tenant, &second).await;
    assert_eq!(books("place").await, [json!("S1"), json!("S2"), Value::Null]);
    let found = json!({"filter": {"property": "shelf", "op": "eq", "value": "S2"}});
    let found = searched(&tenant, "book", &found).await;
    assert_eq!(results(&found).iter().map(|book| book["id"].as_str().unwrap()).collect::<Vec<_>>(), [ids[1].as_str()]);
    let read = tenant.get("/object-definitions/book").await.ok(200);
    assert_eq!(read["properties"]["place"]["label"], "Our shelf");
    // Back in the earlier version values are what they were, by its packs and by the history.
    let first = LIBRARY.replace("1.0.0", "1.0.1");
    let planned = plan(&tenant, &first).await;
    let steps = planned["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == "book.shelf").unwrap();
    assert_eq!(
        (&step["action"], &step["destructive"], &step["before"]["name"], &step["after"]["name"]),
        (&json!("change"), &json!(false), &json!("place"), &json!("shelf"))
    );
    apply(&tenant, &first).await;
    assert_eq!(books("shelf").await, [json!(1), json!(2), Value::Null]);
    let version = tenant.get("/tenant").await.ok(200)["metadata_version"].clone();
    apply(&tenant, &second).await;
    assert_eq!(books("place").await, [json!("S1"), json!("S2"), Value::Null]);
    tenant.post("/metadata/rollback", &json!({"to_version": version})).await.ok(200);
    assert_eq!(books("shelf").await, [json!(1), json!(2), Value::Null]);
    // What the tenant says is exported, however often it went back and forth, and with the pack or without.
    let export = async || {
        let reply = tenant.get("/packs/export?pack=mine").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.text
    };
    let exported = export().await;
    assert!(exported.contains("shelf: {label: Our shelf}") && !exported.contains("place"), "{exported}");
    tenant.delete("/packs/library").await.ok(200);
    let exported = export().await;
    assert!(!exported.contains("book"), "{exported}");
}

async fn they_go_and_come_with_their_pack(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, LIBRARY).await;
    apply(&tenant, DESK).await;
    let planned = tenant.post("/packs/plan", &json!({"pack": "desk", "uninstall": true})).await.ok(200);
    assert_eq!(planned["summary"], json!({"add": 0, "change": 0, "remove": 5}));
    tenant.delete("/packs/desk").await.ok(200);
    assert_eq!(users_of(&tenant, "shelf").await, ["view novels library"]);
    let planned = tenant.post("/packs/plan", &json!({"pack": "desk"})).await.ok(200);
    assert_eq!(planned["summary"], json!({"add": 5, "change": 0, "remove": 0}));
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    assert_eq!(users_of(&tenant, "shelf").await.len(), 6);
}

async fn mistakes_in_them_are_told_with_line_and_column(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, LIBRARY).await;
    let wrong = DESK
        .replace("columns: [title, created_at]", "columns: [titel, created_at]")
        .replace("group: [shelf]", "group: [shelv]")
        .replace("if: shelf > 3", "if: shelf > 'a'")
        .replace("link: task_about", "link: task_abuot")
        .replace("{read: all}", "{read: mine}")
        .replace("novel: Roman", "novle: Roman");
    let refused = tenant.post("/packs/plan", &json!({"source": wrong})).await.problem(422, "validation_failed");
    assert_eq!(
        refused.pointers(),
        [
            "/views/by_shelf/columns/0",
            "/reports/full_shelves/group/0",
            "/workflows/fetch/if",
            "/workflows/fetch/do/0/link",
            "/roles/reader/objects/book/read",
            "/translations/de/objects/book/properties/kind/options/novle",
        ]
    );
    let words = refused.words();
    assert!(words.contains("pack.yaml:6:65: `titel` is no property of `book`; did you mean `title`?"), "{words}");
    assert!(words.contains("did you mean `task_about`?"), "{words}");
    tenant.get("/object-definitions/book/properties/shelf/uses").await.ok(200);
}

async fn people_read_definitions_in_their_language(server: TestServer) {
    let tenant = server.tenant("generic").await;
    apply(&tenant, LIBRARY).await;
    apply(&tenant, DESK).await;
    let read = async |path: &str| tenant.get(path).await.ok(200);
    let book = read("/object-definitions/book?locale=de-AT").await;
    assert_eq!([&book["label"], &book["plural_label"]], ["Buch", "Bücher"]);
    let properties = &book["properties"];
    assert_eq!([&properties["title"]["label"], &properties["shelf"]["label"]], ["Titel", "Shelf"]);
    let labels: Vec<&Value> =
        properties["kind"]["options"].as_array().unwrap().iter().map(|option| &option["label"]).collect();
    assert_eq!(labels, ["Roman", "Map"]);
    let words = "pack: words\nversion: 1.0.0\nrequires: {crm: ^1.0}\ntranslations: {de: {pipelines: {deal: {sales: \
                 {label: Verkauf, stages: {proposal: Angebot}}, simple: {stages: {won: Gewonnen}}}}}}\n";
    apply(&tenant, words).await;
    let deal = read("/object-definitions/deal?locale=de").await;
    let label = |property: &str, key: &str| {
        let options = deal["properties"][property]["options"].as_array().unwrap();
        options.iter().find(|option| option["key"] == key).unwrap()["label"].clone()
    };
    assert_eq!([label("pipeline", "sales"), label("pipeline", "simple")], ["Verkauf", "Simple"]);
    assert_eq!(
        [label("stage", "proposal"), label("stage", "won"), label("stage", "lost")],
        ["Angebot", "Gewonnen", "Lost"]
    );
    assert_eq!(read("/object-definitions/book").await["label"], "Book");
    assert_eq!(read("/object-definitions/book?locale=fr").await["label"], "Book");
    let list = read("/object-definitions?locale=de").await;
    let labels: Vec<&Value> =
        results(&list).iter().filter(|found| found["name"] == "book").map(|found| &found["label"]).collect();
    assert_eq!(labels, ["Buch"]);
    let mine = json!({"object": "book", "label": "Mine"});
    let mine = id(&tenant.post("/views", &mine).await.ok(201));
    for (path, label) in [
        ("/views/by_shelf?locale=de-AT", "Nach Regal"),
        ("/views/by_shelf", "By shelf"),
        (&format!("/views/{mine}?locale=de"), "Mine"),
        ("/reports/full_shelves?locale=de", "Volle Regale"),
        ("/roles/reader?locale=de", "Lesend"),
    ] {
        assert_eq!(read(path).await["label"], label, "{path}");
    }
    for (path, label) in [
        ("/views?object=book&locale=de", "Nach Regal"),
        ("/reports?locale=de", "Volle Regale"),
        ("/roles?locale=de", "Lesend"),
    ] {
        let list = read(path).await;
        assert!(results(&list).iter().any(|found| found["label"] == label), "{list}");
    }
    for path in ["/object-definitions", "/views", "/dashboards", "/roles", "/scores"] {
        let refused = tenant.get(&format!("{path}?locale=d%20e")).await.problem(400, "bad_request");
        assert_eq!(refused.pointers(), ["/locale"]);
    }
}

scenarios![
    what_names_a_property_is_told_before_it_goes,
    what_users_have_saved_is_told_to_whoever_may_see_it,
    what_is_renamed_is_found_under_its_old_name,
    what_is_renamed_and_converted_comes_back_as_it_was,
    they_go_and_come_with_their_pack,
    mistakes_in_them_are_told_with_line_and_column,
    people_read_definitions_in_their_language,
];
