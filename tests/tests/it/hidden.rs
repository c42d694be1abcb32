//! What a caller may not read is not told in roundabout ways either: by who is in the way, by totals, by what others have
//! saved, by hints.

use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use crate::fixture::{contact, create, create_id, define, define_thing, id, jobs_are_done, results};

fn all() -> Value {
    json!({"create": true, "read": "all", "update": "all", "archive": "all"})
}

/// Somebody with a role of these rights.
async fn with_role(tenant: &Tenant, name: &str, objects: Value, properties: Value) -> Client {
    let role = json!({"name": name, "label": name, "objects": objects, "properties": properties});
    tenant.post("/roles", &role).await.ok(201);
    tenant.user(name, name).await.0
}

/// What a refusal names: its words, and the records in the way.
fn told(problem: &tests::Problem) -> (String, Value) {
    let error = &problem.body["errors"][0];
    (error["message"].as_str().unwrap().to_owned(), error.get("samples").cloned().unwrap_or_default())
}

async fn who_is_in_the_way_is_told_to_whoever_may_see_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let definition = json!({
        "name": "room", "plural": "rooms", "display": "{{ name }}", "features": {"duplicates": [
            {"properties": ["mail"], "on_create": "refuse"}, {"properties": ["secret"], "on_create": "refuse"}]},
        "properties": {"name": {"type": "string"}, "code": {"type": "string", "unique": true},
            "ssn": {"type": "string", "unique": true, "sensitive": true}, "mail": {"type": "email"},
            "secret": {"type": "string", "sensitive": true}, "since": {"type": "integer"}, "until": {"type": "integer"}},
        "constraints": [{"no_overlap": {"within": "name", "from": "since", "to": "until"}}],
    });
    define(&tenant, definition).await;
    let one =
        json!({"name": "One", "code": "A", "ssn": "1", "mail": "a@b.example", "secret": "s", "since": 1, "until": 5});
    let one = create_id(&tenant, "room", one).await;
    let own = json!({"create": true, "read": "own", "update": "own", "archive": "own"});
    let sees_secrets = json!({"room.ssn": {"read": true}});
    let member = tenant.user("mo", "member").await.0;
    let narrow = with_role(&tenant, "narrow", json!({"room": own}), sees_secrets).await;
    let post = async |who: &Client, properties: Value| {
        told(&who.post("/records/room", &json!({"properties": properties})).await.problem(409, "conflict"))
    };
    let (known, unknown) = ((format!("record {one}"), json!([one])), ("another record".to_owned(), Value::Null));
    for (properties, to_owner, to_member, to_narrow) in [
        (json!({"code": "A"}), &known, &known, &unknown),
        (json!({"ssn": "1"}), &known, &unknown, &unknown),
        (json!({"name": "One", "since": 2, "until": 3}), &known, &known, &unknown),
        (json!({"mail": "a@b.example"}), &known, &known, &unknown),
        (json!({"secret": "s"}), &known, &unknown, &unknown),
    ] {
        for (who, (record, samples)) in [(&*tenant, to_owner), (&member, to_member), (&narrow, to_narrow)] {
            let (message, told) = post(who, properties.clone()).await;
            assert!(message.contains(record.as_str()), "{properties}: {message}");
            assert_eq!(&told, samples, "{properties}: {message}");
        }
    }
    let (message, _) = post(&narrow, json!({"code": "A"})).await;
    assert_eq!(message, "`code` must be unique, and another record already has this value");
    // Every way of writing tells as much, again under the same key too.
    let inputs = json!({"inputs": [{"properties": {"code": "A"}}, {"properties": {"name": "Two", "code": "B"}}]});
    let mut replies = Vec::new();
    for key in ["first", "first"] {
        let reply = narrow.post("/records/room/batch/create", &inputs).header("idempotency-key", key).await.ok(207);
        replies.push(reply.clone());
        let error = &results(&reply)[0]["error"]["errors"][0];
        assert_eq!((&error["code"], error.get("samples")), (&json!("taken"), None), "{reply}");
    }
    assert_eq!(replies[0], replies[1]);
    // What is its own is told.
    let two = id(&results(&replies[0])[1]["record"]);
    tenant.post("/records/room/batch/assign", &json!({"ids": [two], "owner_id": null})).await;
    let mine = narrow.post("/records/room", &json!({"properties": {"code": "C", "ssn": "3"}})).await.ok(201);
    tenant.patch(&format!("/records/room/{}", id(&mine)), &json!({"owner_id": narrow_id(&narrow).await})).await.ok(200);
    for taken in [json!({"code": "C"}), json!({"ssn": "3"})] {
        assert_eq!(post(&narrow, taken).await.1, json!([id(&mine)]));
    }
    let batch = json!({"inputs": [{"properties": {"code": "C"}}]});
    let reply = narrow.post("/records/room/batch/create", &batch).await.ok(207);
    assert_eq!(results(&reply)[0]["error"]["errors"][0]["samples"], json!([id(&mine)]), "{reply}");
}

async fn narrow_id(caller: &Client) -> String {
    id(&caller.get("/tenant").await.ok(200)["user"])
}

async fn links_in_the_way_are_told_as_far_as_they_are_seen(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    define(&tenant, json!({"name": "box", "plural": "boxes", "properties": {"name": {"type": "string"}}})).await;
    let link = json!({"name": "thing_box", "from": "thing", "to": "box", "cardinality": "many_to_one"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let (first, second) =
        (create_id(&tenant, "box", json!({"name": "1"})).await, create_id(&tenant, "box", json!({"name": "2"})).await);
    let thing = create_id(&tenant, "thing", json!({"name": "One"})).await;
    tenant.put(&format!("/records/thing/{thing}/associations/thing_box/{first}"), &json!({})).await.ok(204);
    let own = json!({"create": true, "read": "own_or_unclaimed", "update": "all", "archive": "all"});
    let narrow = with_role(&tenant, "narrow", json!({"thing": all(), "box": own}), json!({})).await;
    let path = format!("/records/thing/{thing}/associations/thing_box/{second}");
    let (message, samples) = told(&narrow.put(&path, &json!({})).await.problem(409, "cardinality"));
    assert!(message.contains(&format!("record {thing} is already linked to record {first}")), "{message}");
    assert_eq!(samples, json!([thing, first]));
    tenant.patch(&format!("/records/box/{first}"), &json!({"owner_id": "1"})).await.ok(200);
    let (message, samples) = told(&narrow.put(&path, &json!({})).await.problem(409, "cardinality"));
    assert!(message.contains(&format!("record {thing} is already linked to another record")), "{message}");
    assert_eq!(samples, json!([thing]));
}

async fn rollups_of_what_may_not_be_read_are_hidden(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let name = json!({"type": "string"});
    define(&tenant, json!({"name": "bill", "plural": "bills", "properties": {"net": {"type": "integer"}}})).await;
    let firm =
        json!({"name": "firm", "plural": "firms", "display": "{{ name }} {{ bills }}", "properties": {"name": name}});
    let plain = json!({"name": "firm", "plural": "firms", "properties": {"name": name}});
    define(&tenant, plain).await;
    let link = json!({"name": "bill_firm", "from": "bill", "to": "firm", "cardinality": "many_to_one"});
    tenant.post("/association-definitions", &link).await.ok(201);
    for property in [
        json!({"name": "bills", "type": "rollup", "association": "bill_firm", "function": "count"}),
        json!({"name": "owed", "type": "rollup", "association": "bill_firm", "function": "sum", "property": "net"}),
        json!({"name": "rated", "type": "formula", "formula": "owed > 100 ? 'high' : 'low'", "result": "string"}),
    ] {
        tenant.post("/object-definitions/firm/properties", &property).await.ok(201);
    }
    tenant.patch("/object-definitions/firm", &json!({"display": firm["display"]})).await.ok(200);
    let acme = create_id(&tenant, "firm", json!({"name": "Acme"})).await;
    for net in [70, 50] {
        let body = json!({"properties": {"net": net}, "associations": [{"type": "bill_firm", "to": acme}]});
        tenant.post("/records/bill", &body).await.ok(201);
    }
    let path = format!("/records/firm/{acme}");
    loop {
        // What a follower writes comes a moment later.
        if tenant.get(&path).await.ok(200)["properties"]["rated"] == "high" {
            break;
        }
        tokio::task::yield_now().await;
    }
    jobs_are_done(&tenant).await;
    let none = json!({"firm": all(), "bill": {"read": "none"}});
    let blind = with_role(&tenant, "blind", none.clone(), json!({})).await;
    let granted = with_role(&tenant, "granted", none, json!({"firm.bills": {"read": true}})).await;
    let some = with_role(&tenant, "some", json!({"firm": all(), "bill": {"read": "own"}}), json!({})).await;
    let scoped = tenant.post("/tokens", &json!({"name": "form", "scopes": ["firm:read"]})).await.ok(201);
    let scoped = tenant.with_token(scoped["secret"].as_str().unwrap());

    let everything = json!({"name": "Acme", "bills": 2, "owed": 120, "rated": "high"});
    for (who, properties, called) in [
        (&*tenant, everything.clone(), "Acme 2"),
        (&some, everything, "Acme 2"),
        (&granted, json!({"name": "Acme", "bills": 2}), "Acme 2"),
        (&blind, json!({"name": "Acme"}), "Acme"),
        (&scoped, json!({"name": "Acme"}), "Acme"),
    ] {
        let seen = who.get(&path).await.ok(200);
        assert_eq!((&seen["properties"], &seen["display_name"]), (&properties, &json!(called)));
    }
    for query in [
        json!({"filter": {"property": "bills", "op": "gt", "value": 1}}),
        json!({"sort": ["owed"]}),
        json!({"aggregate": {"t": {"measures": {"m": {"sum": "owed"}}}}}),
        json!({"aggregate": {"t": {"group": ["rated"], "measures": {"n": {"count": true}}}}}),
        json!({"select": ["bills"]}),
    ] {
        let refused = blind.post("/records/firm/search", &query).await.problem(422, "validation_failed");
        assert_eq!(refused.errors()[0].1, "unknown_property", "{query}");
        some.post("/records/firm/search", &query).await.ok(200);
    }
    let history = blind.get(&format!("{path}/history")).await.ok(200);
    assert!(results(&history).iter().all(|entry| entry["property"] == "name"), "{history}");
    let why = async |who: &Client| {
        let told = who.get("/access/explain?object=firm&action=read&property=bills").await.ok(200);
        (told["allowed"].clone(), told["reason"].as_str().unwrap().to_owned())
    };
    let (allowed, reason) = why(&blind).await;
    assert_eq!(
        (allowed, reason.as_str()),
        (json!(false), "`firm.bills` is computed of what the role `blind` does not allow to read")
    );
    let (allowed, reason) = why(&scoped).await;
    assert_eq!((allowed, reason.as_str()), (json!(false), "`firm.bills` is computed of what the caller may not read"));
    assert_eq!(why(&some).await.0, true);
}

async fn what_is_not_seen_is_not_explained_as_changeable(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let wide = json!({"create": true, "read": "own", "update": "all", "archive": "all"});
    let blind = json!({"create": true, "read": "none", "update": "all", "archive": "all"});
    let sales = with_role(&tenant, "sales", json!({"deal": wide, "contact": blind}), json!({})).await;
    let sales_id = narrow_id(&sales).await;
    let deal = create(&tenant, "deal", json!({"name": "One"})).await;
    let path = format!("/records/deal/{}", id(&deal));
    let explain = async |query: String| {
        let told = tenant.get(&format!("/access/explain?user={sales_id}&{query}")).await.ok(200);
        (told["allowed"] == true, told["reason"].as_str().unwrap().to_owned(), told["rules"].clone())
    };
    sales.patch(&path, &json!({"properties": {"name": "Two"}})).await.problem(404, "not_found");
    sales.delete(&path).await.problem(404, "not_found");
    for action in ["update", "archive"] {
        let (allowed, reason, rules) = explain(format!("record={}&action={action}", id(&deal))).await;
        let why = "the role `sales` allows to read only own `deal` records, and what is not seen cannot be changed";
        assert_eq!((allowed, reason.as_str()), (false, why));
        let rules: Vec<_> = rules.as_array().unwrap().iter().map(|rule| (&rule["rule"], &rule["allows"])).collect();
        let asked = json!(format!("deal.{action}: all"));
        assert_eq!(rules, [(&asked, &json!(true)), (&json!("deal.read: own"), &json!(false))]);
        assert!(explain(format!("object=deal&action={action}")).await.0);
        let (allowed, reason, _) = explain(format!("object=contact&action={action}")).await;
        let why = "the role `sales` does not allow to read `contact` records, and what is not seen cannot be changed";
        assert_eq!((allowed, reason.as_str()), (false, why));
    }
    // Nor is it changed by way of a value that it has.
    let ada = create(&tenant, "contact", contact("ada@acme.example")).await;
    let mut upsert = json!({"properties": contact("ada@acme.example")});
    upsert["properties"]["first_name"] = json!("Eve");
    let taken = sales.put("/records/contact?id_property=email", &upsert).await.problem(409, "conflict");
    assert_eq!(
        told(&taken),
        ("`email` must be unique, and another record already has this value".to_owned(), Value::Null)
    );
    assert_eq!(tenant.get(&format!("/records/contact/{}", id(&ada))).await.ok(200), ada);
    tenant.patch(&path, &json!({"owner_id": sales_id})).await.ok(200);
    assert!(explain(format!("record={}&action=update", id(&deal))).await.0);
    sales.patch(&path, &json!({"properties": {"name": "Two"}})).await.ok(200);
}

/// Patients with a name and an `ssn` that clerks do not see.
async fn patients(tenant: &Tenant) -> Client {
    let definition = json!({
        "name": "patient", "plural": "patients", "display": "{{ name }}",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"},
            "ssn": {"type": "string", "unique": true}, "pin": {"type": "integer"}, "born_on": {"type": "date"}},
    });
    define(tenant, definition).await;
    for (name, age, ssn, pin) in [("Ada", 36, "111-22", 7), ("Bob", 40, "333-44", 8)] {
        let patient =
            json!({"name": name, "age": age, "city": "Bath", "ssn": ssn, "pin": pin, "born_on": "2026-01-01"});
        create(tenant, "patient", patient).await;
    }
    let hidden =
        json!({"patient.ssn": {"read": false}, "patient.pin": {"read": false}, "patient.born_on": {"read": false}});
    with_role(tenant, "clerk", json!({"*": all()}), hidden).await
}

/// What is told of something saved: place, code and message of each warning.
fn warnings(item: &Value) -> Vec<(&str, &str, &str)> {
    let text = |warning: &'_ Value, key: &str| warning[key].as_str().unwrap().to_owned();
    let all = item["warnings"].as_array().unwrap().iter();
    all.map(|warning| {
        assert!(!text(warning, "message").contains("did you mean"), "{warning}");
        let [pointer, code, message] = ["pointer", "code", "message"].map(|key| warning[key].as_str().unwrap());
        (pointer, code, message)
    })
    .collect()
}

async fn views_leave_out_what_the_caller_may_not_see(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let clerk = patients(&tenant).await;
    let save = async |more: Value| {
        let mut view = json!({"label": "Shared", "object": "patient", "sharing": "everyone"});
        view.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("/views/{}", id(&tenant.post("/views", &view).await.ok(201)))
    };
    let sort = json!([{"property": "pin", "direction": "desc"}, {"property": "name", "direction": "desc"}]);
    let path = save(json!({"columns": ["name", "ssn"], "sort": sort, "group": "ssn"})).await;
    let told = |name: &str| format!("the role `clerk` does not allow to read `{name}`, so it is left out");
    let (ssn, pin) = (told("ssn"), told("pin"));
    let left_out = [
        ("/sort/0/property", "forbidden", pin.as_str()),
        ("/columns/1", "forbidden", &ssn),
        ("/group", "forbidden", &ssn),
    ];
    let shown = clerk.get(&format!("{path}/records")).await.ok(200);
    assert_eq!(warnings(&shown), left_out);
    assert_eq!(
        results(&shown).iter().map(|one| one["properties"].clone()).collect::<Vec<_>>(),
        [json!({"name": "Bob"}), json!({"name": "Ada"})]
    );
    assert_eq!(shown.get("aggregates"), None);
    let nothing = save(json!({"columns": ["ssn"]})).await;
    let shown = clerk.get(&format!("{nothing}/records")).await.ok(200);
    assert!(results(&shown).iter().all(|one| one["properties"] == json!({})), "{shown}");
    assert_eq!(warnings(&clerk.get(&path).await.ok(200)), left_out);
    let shown = tenant.get(&format!("{path}/records")).await.ok(200);
    assert_eq!((warnings(&shown), shown["aggregates"]["groups"].as_array().unwrap().len()), (vec![], 2));
    let calendar = save(json!({"kind": "calendar", "date": "born_on"})).await;
    assert_eq!(warnings(&clerk.get(&calendar).await.ok(200)), [("/date", "forbidden", told("born_on").as_str())]);

    // With other records it would be another view, so one that filters by it is refused, and says nothing of the value.
    let filter = json!({"all": [{"property": "city", "op": "eq", "value": "Bath"}, {"property": "ssn", "op": "eq", "value": "111-22"}]});
    let filtered = save(json!({"filter": filter})).await;
    let refused = clerk.get(&format!("{filtered}/records")).await.problem(403, "forbidden");
    assert_eq!(refused.errors(), [("/filter/all/1/property".to_owned(), "forbidden".to_owned())]);
    let why = "the view filters by `ssn`, which the role `clerk` does not allow to read";
    assert_eq!(refused.body["detail"], why);
    assert!(!refused.body.to_string().contains("111-22"));
    let export = json!({"view": filtered.trim_start_matches("/views/"), "format": "csv"});
    clerk.post("/exports", &export).await.problem(403, "forbidden");
    let masked = json!({"all": [{"property": "city", "op": "eq", "value": "Bath"}, {"property": "ssn", "op": "eq", "hidden": true}]});
    let read = clerk.get(&filtered).await.ok(200);
    assert_eq!((&read["filter"], warnings(&read)), (&masked, vec![("/filter/all/1/property", "forbidden", why)]));
    let listed = clerk.get("/views?object=patient").await.ok(200);
    assert!(listed.to_string().contains("Bath") && !listed.to_string().contains("111-22"), "{listed}");
    assert_eq!(tenant.get(&filtered).await.ok(200)["filter"], filter);

    // What is gone is as little seen as it was.
    let gone =
        json!({"any": [{"property": "pin", "op": "eq", "value": 4711}, {"property": "age", "op": "eq", "value": 36}]});
    let gone = save(json!({"filter": gone})).await;
    for property in ["pin", "age"] {
        tenant.delete(&format!("/object-definitions/patient/properties/{property}")).await.ok(204);
    }
    let masked =
        json!({"any": [{"property": "pin", "op": "eq", "hidden": true}, {"property": "age", "op": "eq", "value": 36}]});
    let read = clerk.get(&gone).await.ok(200);
    assert_eq!((&read["filter"], read["warnings"].as_array().unwrap().len()), (&masked, 2));
    tenant.request(reqwest::Method::POST, "/object-definitions/patient/properties/pin/restore").await.ok(200);

    // Reports and dashboards tell no more.
    let report = json!({"label": "Pins", "object": "patient", "sharing": "everyone", "measures": {"n": {"sum": "pin"}},
        "filter": {"property": "ssn", "op": "in", "value": ["111-22"]}, "group": ["born_on"],
        "period": {"date": "born_on", "within": "this_year"}});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    let read = clerk.get(&format!("/reports/{report}")).await.ok(200);
    assert_eq!(read["filter"], json!({"property": "ssn", "op": "in", "hidden": true}));
    let refused = clerk.get(&format!("/reports/{report}/data")).await.problem(403, "forbidden");
    assert_eq!(refused.pointers(), ["/filter/property", "/group/0", "/measures/n/sum", "/period/date"]);
    assert!(refused.words().contains("the report is made of `pin`, which the role `clerk` does not allow to read"));
    let items = json!([{"view": path.trim_start_matches("/views/")}, {"report": report}]);
    let dashboard = json!({"label": "All", "items": items, "sharing": "everyone"});
    let dashboard = id(&tenant.post("/dashboards", &dashboard).await.ok(201));
    let data = clerk.get(&format!("/dashboards/{dashboard}/data")).await.ok(200);
    assert_eq!(data["items"][0]["records"]["total"], 2);
    assert_eq!(data["items"][1]["problem"]["code"], "forbidden");
    assert!(!data.to_string().contains("111-22"), "{data}");

    // Who may read no record of an object is told nothing that it is filtered by, at the other end of a link neither.
    let ward = json!({"name": "ward", "plural": "wards", "properties": {"name": {"type": "string"}}});
    define(&tenant, ward).await;
    let link = json!({"name": "patient_ward", "from": "patient", "to": "ward"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let linked = json!({"association": "patient_ward", "match": {"property": "name", "op": "eq", "value": "Burns"}});
    let body = json!({"object": "patient", "name": "Burned", "filter": linked});
    let burned = id(&tenant.post("/lists", &body).await.ok(201));
    let linked = save(json!({"filter": linked})).await;
    let porter = with_role(&tenant, "porter", json!({"patient": {"read": "all"}}), json!({})).await;
    let masked = json!({"association": "patient_ward", "match": {"property": "name", "op": "eq", "hidden": true}});
    assert_eq!(porter.get(&linked).await.ok(200)["filter"], masked);
    assert_eq!(porter.get(&format!("/lists/{burned}")).await.ok(200)["filter"], masked);
    let guest = with_role(&tenant, "guest", json!({"ward": {"read": "all"}}), json!({})).await;
    assert_eq!(guest.get(&filtered).await.ok(200)["filter"], json!({"hidden": true}));
}

async fn what_is_saved_names_what_its_maker_sees(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let clerk = patients(&tenant).await;
    let post = async |path: &str, more: Value| {
        let mut body = json!({"label": "Mine", "name": "Mine", "object": "patient"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.as_object_mut().unwrap().shift_remove(if path == "/lists" { "label" } else { "name" });
        let refused = clerk.post(path, &body).await.problem(422, "validation_failed");
        for hidden in ["ssn", "pin", "born_on"] {
            assert!(!refused.words().contains(&format!("did you mean `{hidden}`")), "{}", refused.body);
        }
        refused.pointers()
    };
    let filter = json!({"property": "ssn", "op": "eq", "value": "1"});
    let view = json!({"filter": filter, "sort": ["pin"], "columns": ["name", "ssn", "snn"], "group": "ssn"});
    let places = ["/filter/property", "/sort/0/property", "/columns/1", "/columns/2", "/group"];
    assert_eq!(post("/views", view).await, places);
    let calendar = json!({"kind": "calendar", "date": "born_on"});
    assert_eq!(post("/views", calendar).await, ["/date"]);
    let report = json!({"measures": {"n": {"sum": "pin"}}, "group": ["ssn"], "period": {"date": "born_on", "within": "this_year"}});
    assert_eq!(post("/reports", report).await, ["/group/0", "/measures/n/sum", "/period/date"]);
    assert_eq!(post("/lists", json!({"filter": filter})).await, ["/filter/property"]);
    // Whose rights shrink keeps what there is, and writes it no more.
    tenant.patch("/roles/clerk", &json!({"properties": {"patient.ssn": null}})).await.ok(200);
    let view = json!({"label": "Mine", "object": "patient", "filter": filter, "columns": ["name", "ssn"]});
    let path = format!("/views/{}", id(&clerk.post("/views", &view).await.ok(201)));
    tenant.patch("/roles/clerk", &json!({"properties": {"patient.ssn": {"read": false}}})).await.ok(200);
    let masked = clerk.patch(&path, &json!({"label": "Still mine"})).await.ok(200);
    assert_eq!(masked["filter"], json!({"property": "ssn", "op": "eq", "hidden": true}));
    for wrong in [json!({"filter": masked["filter"]}), json!({"filter": filter})] {
        let refused = clerk.patch(&path, &wrong).await.problem(422, "validation_failed");
        assert!(refused.pointers().iter().all(|pointer| pointer.starts_with("/filter")), "{}", refused.body);
    }
    let columns = clerk.patch(&path, &json!({"columns": ["ssn"]})).await.problem(422, "validation_failed");
    assert_eq!(columns.pointers(), ["/columns/0"]);
    tenant.patch("/roles/clerk", &json!({"properties": {"patient.ssn": null}})).await.ok(200);
    let kept = clerk.get(&path).await.ok(200);
    assert_eq!((&kept["filter"], &kept["label"]), (&filter, &json!("Still mine")));
}

async fn a_list_that_is_not_there_for_somebody_is_unknown_everywhere(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let clerk = patients(&tenant).await;
    let list = async |name: &str, sharing: &str, filter: Value| {
        let body = json!({"object": "patient", "name": name, "sharing": sharing, "filter": filter});
        id(&tenant.post("/lists", &body).await.ok(201))
    };
    let by_ssn = json!({"property": "ssn", "op": "starts_with", "value": "111"});
    let hidden = list("By number", "everyone", by_ssn.clone()).await;
    let above = list("Above", "everyone", json!({"list": hidden})).await;
    let broken = json!({"all": [by_ssn, {"property": "city", "op": "exists"}]});
    let broken = list("Broken", "everyone", broken).await;
    tenant.delete("/object-definitions/patient/properties/city").await.ok(204);
    let private = list("Private", "private", json!({"property": "age", "op": "gt", "value": 1})).await;
    for list in [&hidden, &above, &broken, &private, &"987654".to_owned()] {
        let missing = clerk.get(&format!("/lists/{list}")).await.problem(404, "not_found");
        assert_eq!(missing.words(), format!("there is no list `{list}`"));
        let filter = json!({"not": {"list": list}});
        for refused in [
            clerk.post("/records/patient/search", &json!({"filter": filter})).await,
            clerk.post("/lists", &json!({"object": "patient", "name": "x", "filter": filter})).await,
        ] {
            let refused = refused.problem(422, "validation_failed");
            assert_eq!(refused.errors(), [("/filter/not/list".to_owned(), "unknown".to_owned())]);
            assert!(refused.words().contains(&format!("there is no list `{list}`")), "{}", refused.body);
        }
        // A list of another object is none of these objects' either way.
        let refused = clerk.post("/records/deal/search", &json!({"filter": {"list": list}})).await;
        assert_eq!(refused.problem(422, "validation_failed").errors()[0].1, "unknown");
    }
    let found = tenant.post("/records/patient/search", &json!({"filter": {"list": above}, "count": true})).await;
    assert_eq!(found.ok(200)["total"], 1);
}

async fn hints_name_what_the_caller_sees(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let clerk = patients(&tenant).await;
    let ada = create_id(&tenant, "patient", json!({"name": "Eve", "ssn": "5"})).await;
    let bob = create_id(&tenant, "patient", json!({"name": "Max", "ssn": "6"})).await;
    let path = format!("/records/patient/{ada}");
    let body = json!({"properties": {"ssm": "1"}});
    let merge = json!({"from": [bob], "properties": {"ssm": bob}});
    let filter = json!({"property": "ssm", "op": "exists"});
    let calls = async |who: &Client| {
        [
            who.post("/records/patient", &body).await,
            who.patch(&path, &body).await,
            who.put("/records/patient?id_property=ssm", &body).await,
            who.post(
                "/transactions",
                &json!({"operations": [{"op": "create", "object": "patient", "properties": {"ssm": "1"}}]}),
            )
            .await,
            who.post(&format!("{path}/merge"), &merge).await,
            who.get(&format!("{path}?select=ssm")).await,
            who.get("/records/patient?select=ssm").await,
            who.get("/records/patient/1?id_property=ssm").await,
            who.get("/records/patient?filter=ssm%20%3D%3D%20%221%22").await,
            who.post("/records/patient/search", &json!({"filter": filter})).await,
            who.post("/records/patient/search", &json!({"sort": ["ssm"]})).await,
            who.post("/records/patient/search", &json!({"select": ["ssm"]})).await,
            who.post("/views", &json!({"label": "x", "object": "patient", "filter": filter})).await,
            who.post("/views", &json!({"label": "x", "object": "patient", "columns": ["ssm"]})).await,
            who.post("/reports", &json!({"label": "x", "object": "patient", "measures": {"n": {"max": "ssm"}}})).await,
            who.post("/lists", &json!({"name": "x", "object": "patient", "filter": filter})).await,
            who.post("/exports", &json!({"object": "patient", "format": "csv", "select": ["ssm"]})).await,
            who.get("/access/explain?object=patient&action=read&property=ssm").await,
        ]
    };
    for (who, is_named) in [(&*tenant, true), (&clerk, false)] {
        for (index, reply) in calls(who).await.into_iter().enumerate() {
            assert!((400..500).contains(&reply.status), "{index}: {}", reply.json());
            assert_eq!(reply.json().to_string().contains("`ssn`"), is_named, "{index}: {}", reply.json());
        }
    }
    // What tells which properties are unique tells of no other either.
    let refused = clerk.get("/records/patient/1?id_property=name").await.problem(400, "bad_request");
    assert_eq!(refused.words().lines().next(), Some("`name` is not unique, so it does not name one record; none is"));
    let refused = tenant.get("/records/patient/1?id_property=name").await.problem(400, "bad_request");
    assert!(refused.words().contains("these are: `ssn`"), "{}", refused.body);
    // Whoever names it as it is meets the same answer as for what there is not.
    let refused = clerk.post("/duplicates/patient/check", &json!({"properties": {"ssn": "1"}})).await;
    assert_eq!(
        refused.problem(422, "validation_failed").words().lines().last(),
        Some("`ssn` is no property of `patient`")
    );
}

async fn objects_that_are_not_there_have_no_empty_lists(server: TestServer) {
    let tenant = server.tenant("generic").await;
    for path in ["/views", "/reports", "/lists", "/assignment-rules", "/changes"] {
        tenant.get(&format!("{path}?object=contact")).await.ok(200);
        let refused = tenant.get(&format!("{path}?object=contcat")).await.problem(404, "not_found");
        assert!(refused.words().contains("there is no object `contcat`; did you mean `contact`?"), "{}", refused.body);
    }
}

/// What stands in the log of links to what somebody does not see, and what is said of lists that others have.
async fn what_leads_to_hidden_records_is_not_told(server: TestServer) {
    let tenant = server.tenant("generic").await;
    for name in ["open", "shut"] {
        let properties =
            json!({"name": {"type": "string"}, "size": {"type": "integer"}, "key": {"type": "string", "unique": true}});
        define(
            &tenant,
            json!({"name": name, "plural": format!("{name}s"), "display": "{{ name }}", "properties": properties}),
        )
        .await;
    }
    let link = json!({"name": "leads", "from": "open", "to": "shut", "label": "Leads", "inverse": "Led"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let [one, other] =
        [create_id(&tenant, "open", json!({})).await, create_id(&tenant, "shut", json!({"key": "K"})).await];
    let kept = json!({"create": true, "read": "own", "update": "own", "archive": "own"});
    let blind = with_role(&tenant, "blind", json!({"open": all(), "shut": {"read": "none"}}), json!({})).await;
    let narrow = json!({"name": "narrow", "label": "Narrow", "objects": {"open": all(), "shut": kept}});
    tenant.post("/roles", &narrow).await.ok(201);
    let (narrow, user) = tenant.user("narrow", "narrow").await;
    let own = json!({"properties": {}, "owner_id": user});
    let own = id(&tenant.post("/records/shut", &own).await.ok(201));
    for to in [&other, &own] {
        tenant.put(&format!("/records/open/{one}/associations/leads/{to}"), &json!({})).await.ok(204);
    }
    tenant.delete(&format!("/records/open/{one}/associations/leads/{other}")).await.ok(204);
    let told = async |who: &Client| {
        let log = who.get("/changes?object=open&wait=0&limit=200").await.ok(200);
        let ends = |change: &Value| {
            let ends = change["changes"]["to"].as_array().cloned().unwrap_or_default();
            ends.into_iter().find_map(|end| end.as_str().map(str::to_owned))
        };
        results(&log).iter().filter_map(ends).collect::<Vec<_>>()
    };
    assert_eq!(told(&tenant).await, [other.clone(), own.clone(), other]);
    assert_eq!(told(&narrow).await, [own]);
    assert!(told(&blind).await.is_empty());

    let list = |name: &str, filter: Value, sharing: &str| json!({"object": "open", "name": name, "filter": filter, "sharing": sharing});
    let shared = list("Shared", json!({"property": "size", "op": "exists"}), "everyone");
    let shared = id(&tenant.post("/lists", &shared).await.ok(201));
    let secret = id(&narrow.post("/lists", &list("Mine", json!({"list": shared}), "private")).await.ok(201));
    let refused = tenant.delete(&format!("/lists/{shared}")).await.problem(409, "conflict");
    assert!(refused.words().contains("named by other lists: 1 that others have for themselves"), "{}", refused.words());
    assert!(!refused.words().contains(&secret) || secret == "1", "{}", refused.words());

    // An import finds what is hidden as little as what is not there.
    let mut told = Vec::new();
    for key in ["K", "N"] {
        let to = json!({"object": "shut", "property": "key", "value": key});
        let line = json!({"properties": {}, "links": [{"type": "leads", "to": to}]}).to_string();
        let upload = blind.request(reqwest::Method::POST, "/imports?object=open&format=ndjson");
        let job = upload.bytes("application/x-ndjson", line).await.ok(202);
        jobs_are_done(&blind).await;
        let errors = blind.get(&format!("/jobs/{}/errors", id(&job["job"]))).await.text;
        let errors: Value = serde_json::from_str(errors.trim()).unwrap();
        assert_eq!(errors["problems"][0]["code"], "not_found", "{errors}");
        told.push(errors["problems"].to_string().replace(&format!("`{key}`"), "`…`"));
    }
    assert_eq!(told[0], told[1]);

    // Nobody writes what is computed or read-only, whatever their rights.
    let twice = json!({"name": "twice", "type": "formula", "formula": "size * 2", "result": "integer"});
    tenant.post("/object-definitions/open/properties", &twice).await.ok(201);
    let fixed = json!({"name": "fixed", "type": "string", "read_only": true});
    tenant.post("/object-definitions/open/properties", &fixed).await.ok(201);
    for (property, allowed) in [("size", true), ("twice", false), ("fixed", false)] {
        let of = format!("/access/explain?object=open&record={one}&property={property}");
        let explained = tenant.get(&format!("{of}&action=update")).await.ok(200);
        assert_eq!(explained["allowed"], allowed, "{explained}");
        assert_eq!(tenant.get(&format!("{of}&action=read")).await.ok(200)["allowed"], true);
    }
    let empty = tenant.post("/transactions", &json!({})).await.problem(422, "validation_failed");
    assert_eq!(empty.errors(), [("/operations".to_owned(), "required".to_owned())]);
}

scenarios![
    what_leads_to_hidden_records_is_not_told,
    views_leave_out_what_the_caller_may_not_see,
    what_is_saved_names_what_its_maker_sees,
    a_list_that_is_not_there_for_somebody_is_unknown_everywhere,
    hints_name_what_the_caller_sees,
    objects_that_are_not_there_have_no_empty_lists,
    who_is_in_the_way_is_told_to_whoever_may_see_it,
    links_in_the_way_are_told_as_far_as_they_are_seen,
    rollups_of_what_may_not_be_read_are_hidden,
    what_is_not_seen_is_not_explained_as_changeable,
];
