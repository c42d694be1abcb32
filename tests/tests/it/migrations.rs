//! Migrations: a changed definition takes its stored values along, at once for whoever reads and by and by in the store.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{Silence, create, create_id, define, id, jobs_are_done, results, searched};

/// `part` with a code, a size, a colour, and something that is computed of them.
async fn define_part(tenant: &Client) {
    let properties = json!({
        "code": {"type": "string", "unique": true}, "size": {"type": "string"},
        "color": {"type": "enum", "options": ["red", "green", "blue"]}, "note": {"type": "string"},
    });
    define(tenant, json!({"name": "part", "plural": "parts", "properties": properties})).await;
}

async fn change(tenant: &Client, property: &str, patch: Value) -> tests::Response {
    tenant.patch(&format!("/object-definitions/part/properties/{property}"), &patch).await
}

async fn part(tenant: &Client, id: &str) -> Value {
    tenant.get(&format!("/records/part/{id}")).await.ok(200)["properties"].clone()
}

async fn found(tenant: &Client, filter: Value) -> Vec<String> {
    results(&searched(tenant, "part", &json!({"filter": filter})).await).iter().map(id).collect()
}

async fn a_default_fills_what_a_required_property_lacks(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    let bare = create_id(&tenant, "part", json!({"code": "a"})).await;
    let full = create_id(&tenant, "part", json!({"code": "b", "color": "red"})).await;
    let archived = create_id(&tenant, "part", json!({"code": "c"})).await;
    tenant.delete(&format!("/records/part/{archived}")).await.ok(204);
    let refused = change(&tenant, "color", json!({"required": true})).await.problem(409, "records_in_the_way");
    assert_eq!((&refused.body["errors"][0]["count"], refused.pointers()), (&json!(2), vec!["/required".to_owned()]));
    let quiet = Silence::begins(&tenant).await;
    let patch = json!({"required": true, "migration": {"default": "blue"}});
    let job = change(&tenant, "color", patch).await.ok(202)["job"].clone();
    assert_eq!((&job["kind"], &job["spec"]["objects"]), (&json!("migration"), &json!(["part"])));
    // At once, whether the record has been written yet or not.
    assert_eq!(part(&tenant, &bare).await, json!({"code": "a", "color": "blue"}));
    tenant
        .patch(&format!("/records/part/{bare}"), &json!({"properties": {"color": null}}))
        .await
        .problem(422, "validation_failed");
    jobs_are_done(&tenant).await;
    assert_eq!(
        found(&tenant, json!({"property": "color", "op": "eq", "value": "blue"})).await,
        std::slice::from_ref(&bare)
    );
    let done = tenant.get(&format!("/jobs/{}", job["id"].as_str().unwrap())).await.ok(200);
    let progress = &done["progress"];
    assert_eq!(
        [&done["state"], &progress["updated"], &progress["done"], &progress["total"]],
        [&json!("done"), &json!(2), &json!(3), &json!(3)]
    );
    assert_eq!(part(&tenant, &archived).await["color"], "blue");
    assert_eq!(part(&tenant, &full).await["color"], "red");
    let logged: Vec<Value> = quiet.broken_by().await;
    let updates: Vec<&Value> = logged.iter().filter(|change| change["kind"] == "record.updated").collect();
    assert_eq!(updates.len(), 2);
    assert_eq!(
        (&updates[0]["changes"], &updates[0]["source"]),
        (&json!({"color": [null, "blue"]}), &json!("migration"))
    );
    let listed = tenant.get("/records/part").await.ok(200);
    assert_eq!(results(&listed).len(), 2);
    assert!(
        results(&listed).iter().all(|record| record["properties"]
            .as_object()
            .unwrap()
            .keys()
            .all(|key| !key.contains('\u{1}')))
    );
}

async fn a_map_takes_values_to_what_is_left(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    let red = create_id(&tenant, "part", json!({"code": "a", "color": "red"})).await;
    let green = create_id(&tenant, "part", json!({"code": "b", "color": "green"})).await;
    let patch = json!({"options": ["blue", "crimson"], "migration": {"map": {"red": "crimson"}}});
    let refused = change(&tenant, "color", patch).await.problem(409, "records_in_the_way");
    assert_eq!(
        (&refused.body["errors"][0]["samples"], refused.pointers()),
        (&json!([green]), vec!["/migration".to_owned()])
    );
    assert_eq!(part(&tenant, &red).await["color"], "red");
    let patch = json!({"options": ["blue", "crimson"], "migration": {"map": {"red": "crimson", "green": null}}});
    change(&tenant, "color", patch).await.ok(202);
    assert_eq!(part(&tenant, &red).await["color"], "crimson");
    assert_eq!(part(&tenant, &green).await["color"], Value::Null);
    assert_eq!(
        found(&tenant, json!({"property": "color", "op": "eq", "value": "crimson"})).await,
        std::slice::from_ref(&red)
    );
    jobs_are_done(&tenant).await;
    assert_eq!(found(&tenant, json!({"property": "color", "op": "exists"})).await, std::slice::from_ref(&red));
    let history = tenant.get(&format!("/records/part/{red}/history")).await.ok(200);
    let newest = &results(&history)[0];
    assert_eq!(
        [&newest["property"], &newest["old"], &newest["new"]],
        [&json!("color"), &json!("red"), &json!("crimson")]
    );
}

async fn an_expression_converts_values_and_what_is_computed_of_them_follows(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    define(&tenant, json!({"name": "box", "plural": "boxes", "properties": {"name": {"type": "string"}}})).await;
    tenant.post("/association-definitions", &json!({"name": "part_box", "from": "part", "to": "box"})).await.ok(201);
    let boxed = create_id(&tenant, "box", json!({"name": "B"})).await;
    let mut parts = Vec::new();
    for (code, size) in [("a", "10"), ("b", "200"), ("c", "x3")] {
        let body =
            json!({"properties": {"code": code, "size": size}, "associations": [{"type": "part_box", "to": boxed}]});
        parts.push(id(&tenant.post("/records/part", &body).await.ok(201)));
    }
    let length = json!({"name": "digits", "type": "formula", "formula": "size(string(size))", "result": "integer"});
    tenant.post("/object-definitions/part/properties", &length).await.ok(201);
    jobs_are_done(&tenant).await;
    let patch = json!({"type": "integer", "migration": {"convert": "int(value) * 2"}});
    let refused = change(&tenant, "size", patch.clone()).await.problem(409, "records_in_the_way");
    assert_eq!(refused.body["errors"][0]["samples"], json!([parts[2]]));
    tenant.patch(&format!("/records/part/{}", parts[2]), &json!({"properties": {"size": "3"}})).await.ok(200);
    change(&tenant, "size", patch).await.ok(202);
    assert_eq!(part(&tenant, &parts[1]).await["size"], 400);
    let changed =
        tenant.patch(&format!("/records/part/{}", parts[0]), &json!({"properties": {"note": "n"}})).await.ok(200);
    assert_eq!((&changed["properties"]["size"], &changed["properties"]["digits"]), (&json!(20), &json!(2)));
    assert_eq!(
        found(&tenant, json!({"property": "size", "op": "gte", "value": 20})).await,
        [parts[0].clone(), parts[1].clone()]
    );
    jobs_are_done(&tenant).await;
    assert_eq!(part(&tenant, &parts[1]).await, json!({"code": "b", "size": 400, "digits": 3}));
    let sum =
        json!({"name": "total", "type": "rollup", "association": "part_box", "function": "sum", "property": "size"});
    tenant.post("/object-definitions/box/properties", &sum).await.ok(201);
    jobs_are_done(&tenant).await;
    assert_eq!(tenant.get(&format!("/records/box/{boxed}")).await.ok(200)["properties"]["total"], 426);
    // A second one: the roll-up goes along.
    let patch = json!({"maximum": 50, "migration": {"convert": "value / 10"}});
    change(&tenant, "size", patch).await.ok(202);
    jobs_are_done(&tenant).await;
    assert_eq!(tenant.get(&format!("/records/box/{boxed}")).await.ok(200)["properties"]["total"], 42);
}

async fn a_new_property_is_made_of_others(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    let one = create_id(&tenant, "part", json!({"code": "a", "size": "10", "note": "wide"})).await;
    let two = create_id(&tenant, "part", json!({"code": "b", "size": "9"})).await;
    let join = json!({"name": "title", "type": "string", "migration": {"convert": "record.size + ' ' + record.note"}});
    tenant.post("/object-definitions/part/properties", &join).await.ok(202);
    assert_eq!(part(&tenant, &one).await["title"], "10 wide");
    let later = create(&tenant, "part", json!({"code": "c", "size": "1", "note": "n"})).await;
    assert_eq!(later["properties"]["title"], Value::Null);
    assert_eq!(part(&tenant, &id(&later)).await["title"], Value::Null);
    jobs_are_done(&tenant).await;
    assert_eq!(
        [&part(&tenant, &one).await["title"], &part(&tenant, &two).await["title"]],
        [&json!("10 wide"), &Value::Null]
    );
    assert_eq!(part(&tenant, &id(&later)).await["title"], Value::Null);
    assert_eq!(found(&tenant, json!({"property": "title", "op": "eq", "value": "10 wide"})).await, [one]);
}

async fn a_text_is_split_into_two(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    let mut parts = Vec::new();
    for (code, note) in [("a", "Ada Lovelace"), ("b", "  Grace  Brewster Hopper "), ("c", "Plato")] {
        parts.push(create_id(&tenant, "part", json!({"code": code, "size": "1", "note": note})).await);
    }
    parts.push(create_id(&tenant, "part", json!({"code": "d", "size": "1"})).await);
    let words = "record.note.trim().split(' ').filter(word, word != '')";
    let last = format!("size({words}) > 1 ? {words}[size({words}) - 1] : null");
    for (name, convert) in [("first", format!("{words}[0]")), ("last", last)] {
        let property = json!({"name": name, "type": "string", "migration": {"convert": convert}});
        tenant.post("/object-definitions/part/properties", &property).await.ok(202);
        jobs_are_done(&tenant).await;
    }
    let mut names = Vec::new();
    for id in &parts {
        let now = part(&tenant, id).await;
        names.push((now["first"].clone(), now["last"].clone()));
    }
    let expected = [
        (json!("Ada"), json!("Lovelace")),
        (json!("Grace"), json!("Hopper")),
        (json!("Plato"), Value::Null),
        (Value::Null, Value::Null),
    ];
    assert_eq!(names, expected);
    assert_eq!(found(&tenant, json!({"property": "last", "op": "eq", "value": "Hopper"})).await, [parts[1].clone()]);
}

async fn a_migration_can_be_taken_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    let one = create_id(&tenant, "part", json!({"code": "a", "size": "007"})).await;
    let two = create_id(&tenant, "part", json!({"code": "b", "size": "9"})).await;
    let job = change(&tenant, "size", json!({"type": "integer", "migration": {"convert": "int(value)"}})).await.ok(202);
    let version = job["job"]["spec"]["version"].clone();
    jobs_are_done(&tenant).await;
    assert_eq!(part(&tenant, &one).await["size"], 7);
    let back = json!({"type": "string", "migration": {"undo": version}});
    let made = create_id(&tenant, "part", json!({"code": "c", "size": 5})).await;
    let refused = change(&tenant, "size", back.clone()).await.problem(409, "records_in_the_way");
    assert_eq!(refused.body["errors"][0]["samples"], json!([made]));
    tenant.patch(&format!("/records/part/{made}"), &json!({"properties": {"size": null}})).await.ok(200);
    change(&tenant, "size", back).await.ok(202);
    assert_eq!(part(&tenant, &one).await["size"], "007");
    jobs_are_done(&tenant).await;
    assert_eq!([&part(&tenant, &one).await["size"], &part(&tenant, &two).await["size"]], [&json!("007"), &json!("9")]);
}

async fn what_cannot_be_migrated_is_refused(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    create_id(&tenant, "part", json!({"code": "a", "size": "1"})).await;
    let quiet = Silence::begins(&tenant).await;
    let refuse = async |property: &str, patch: Value| {
        change(&tenant, property, patch).await.problem(422, "validation_failed").errors()
    };
    let error = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    let migration = |how: Value| json!({"type": "integer", "migration": how});
    assert_eq!(refuse("size", migration(json!({}))).await, error("/migration", "invalid"));
    assert_eq!(refuse("size", migration(json!({"default": 1, "map": {}}))).await, error("/migration", "invalid"));
    assert_eq!(
        refuse("size", migration(json!({"convert": "int(vlaue)"}))).await,
        error("/migration/convert", "invalid_expression")
    );
    assert_eq!(refuse("size", migration(json!({"convret": "1"}))).await[0].1, "invalid");
    assert_eq!(
        refuse("code", migration(json!({"convert": "int(value)"}))).await,
        error("/migration", "not_applicable")
    );
    let elsewhere = tenant.patch("/object-definitions/part", &json!({"label": "P", "migration": {"default": 1}})).await;
    assert_eq!(elsewhere.problem(422, "validation_failed").errors(), error("/migration", "not_applicable"));
    // What can never work is told before there are records.
    for (property, patch, pointer, code) in [
        ("size", migration(json!({"convert": "int(record.nope)"})), "/migration/convert", "unknown"),
        ("size", migration(json!({"convert": "value > 1"})), "/migration/convert", "invalid_expression"),
        ("size", migration(json!({"convert": "value.split(' ')"})), "/migration/convert", "invalid_expression"),
        ("size", migration(json!({"default": "many"})), "/migration/default", "invalid"),
        ("size", migration(json!({"map": {"1": 2, "2": "many", "3": null}})), "/migration/map/2", "invalid"),
        ("size", json!({"type": "string", "migration": {"undo": 9999}}), "/migration/undo", "unknown"),
    ] {
        assert_eq!(refuse(property, patch.clone()).await, error(pointer, code), "{patch}");
    }
    // Nor is one taken where it would be passed over.
    let properties = json!({"properties": {"size": {"type": "integer", "migration": {"convert": "int(value)"}}}});
    let inside = error("/properties/size/migration", "not_applicable");
    let within = tenant.patch("/object-definitions/part", &properties).await;
    assert_eq!(within.problem(422, "validation_failed").errors(), inside);
    let mut anew = properties.clone();
    anew["name"] = json!("other");
    let within = tenant.post("/object-definitions", &anew).await;
    assert_eq!(within.problem(422, "validation_failed").errors(), inside);
    quiet.holds().await;
}

async fn a_migration_goes_on_after_its_server_was_killed(mut server: TestServer) {
    const PARTS: usize = 3_000;
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    for batch in 0..PARTS / 500 {
        let input = |at: usize| json!({"properties": {"code": format!("{batch}-{at}"), "size": at.to_string()}});
        let inputs: Vec<Value> = (0..500).map(input).collect();
        tenant.post("/records/part/batch/create", &json!({"inputs": inputs})).await.ok(207);
    }
    let job =
        change(&tenant, "size", json!({"type": "integer", "migration": {"convert": "int(value) + 1"}})).await.ok(202);
    server.kill();
    server.start().await;
    let tenant = server.again(&tenant);
    let mut page = tenant.get("/records/part?limit=200").await.ok(200);
    let sizes = |page: &Value| {
        results(page).iter().map(|record| record["properties"]["size"].as_i64().expect("a number")).sum::<i64>()
    };
    let mut total = sizes(&page);
    while let Some(cursor) = page["next_cursor"].as_str() {
        page = tenant.get(&format!("/records/part?limit=200&cursor={cursor}")).await.ok(200);
        total += sizes(&page);
    }
    let expected: i64 = 6 * (1..=500).sum::<i64>();
    assert_eq!(total, expected);
    jobs_are_done(&tenant).await;
    let path = format!("/jobs/{}", job["job"]["id"].as_str().unwrap());
    assert_eq!(tenant.get(&path).await.ok(200)["state"], "done");
    let query = json!({"limit": 0, "aggregate": {"all": {"measures": {"n": {"count": true}, "s": {"sum": "size"}}}}});
    found(&tenant, json!({"property": "size", "op": "exists"})).await;
    let counted = tenant.post("/records/part/search", &query).await.ok(200);
    assert_eq!(
        [&counted["aggregates"]["all"][0]["n"], &counted["aggregates"]["all"][0]["s"]],
        [&json!(PARTS), &json!(expected)]
    );
}

async fn going_back_into_a_migration_does_not_begin_it_again(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_part(&tenant).await;
    let bare = create_id(&tenant, "part", json!({"code": "a"})).await;
    let version = async || tenant.get("/tenant").await.ok(200)["metadata_version"].as_i64().unwrap();
    let patch = json!({"required": true, "migration": {"default": "blue"}});
    let begun = version().await + 1;
    change(&tenant, "color", patch).await.ok(202);
    jobs_are_done(&tenant).await;
    // Its end is a version of its own.
    assert_eq!(version().await, begun + 1);
    tenant.post("/metadata/rollback", &json!({"to_version": begun})).await.ok(200);
    jobs_are_done(&tenant).await;
    assert_eq!(part(&tenant, &bare).await["color"], "blue");
    // Nothing waits for an end that nobody brings about.
    let back = tenant.post("/metadata/rollback", &json!({"to_version": begun - 1})).await.ok(200);
    assert_eq!(back["changed"], true);
    jobs_are_done(&tenant).await;
    assert_eq!(part(&tenant, &bare).await, json!({"code": "a"}));
    change(&tenant, "color", json!({"required": true, "migration": {"default": "red"}})).await.ok(202);
    jobs_are_done(&tenant).await;
    assert_eq!(part(&tenant, &bare).await["color"], "red");
}

scenarios![
    going_back_into_a_migration_does_not_begin_it_again,
    a_default_fills_what_a_required_property_lacks,
    a_map_takes_values_to_what_is_left,
    an_expression_converts_values_and_what_is_computed_of_them_follows,
    a_new_property_is_made_of_others,
    a_text_is_split_into_two,
    a_migration_can_be_taken_back,
    what_cannot_be_migrated_is_refused,
    a_migration_goes_on_after_its_server_was_killed,
];
