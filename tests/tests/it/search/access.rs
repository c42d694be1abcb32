//! What somebody may not see is in no hit, count, group, suggestion, mark or message.

use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use super::{names, search};
use crate::fixture::{create, create_id, define, id, results};

/// A service with this role and, where given, scopes.
async fn service(tenant: &Tenant, role: &str, scopes: Value) -> Client {
    let token = json!({"name": format!("{role} {scopes}"), "role": role, "scopes": scopes});
    let made = tenant.post("/tokens", &token).await.ok(201);
    tenant.with_token(made["secret"].as_str().unwrap())
}

/// A tenant with staff, whose pay and nickname are sensitive, in teams.
async fn staff(server: &TestServer) -> Tenant {
    let tenant = server.tenant("generic").await;
    let properties = json!({
        "name": {"type": "string", "searchable": true}, "city": {"type": "string"},
        "pay": {"type": "integer", "sensitive": true},
        "nickname": {"type": "string", "sensitive": true, "searchable": true},
    });
    let employee =
        json!({"name": "employee", "plural": "employees", "display": "{{ name }}", "properties": properties});
    define(&tenant, employee).await;
    let name = json!({"name": {"type": "string"}});
    define(&tenant, json!({"name": "crew", "plural": "crews", "display": "{{ name }}", "properties": name})).await;
    let crew = json!({"name": "employee_crew", "from": "employee", "to": "crew"});
    tenant.post("/association-definitions", &crew).await.ok(201);
    let crew = create_id(&tenant, "crew", json!({"name": "Roofers"})).await;
    for (name, city, pay, nickname) in
        [("Ada", "Oslo", 987_651, "Zirkon"), ("Bob", "Oslo", 987_652, "Zinnober"), ("Cid", "Rome", 987_653, "Zebu")]
    {
        let properties = json!({"name": name, "city": city, "pay": pay, "nickname": nickname});
        let links = json!([{"type": "employee_crew", "to": crew}]);
        tenant.post("/records/employee", &json!({"properties": properties, "associations": links})).await.ok(201);
    }
    tenant
}

async fn every_role_finds_what_it_may_read(server: TestServer) {
    let tenant = staff(&server).await;
    let (_, max) = tenant.user("max", "member").await;
    let employee = results(&search(&tenant, "employee", json!({"q": "bob"})).await)[0].clone();
    tenant.patch(&format!("/records/employee/{}", id(&employee)), &json!({"owner_id": max})).await.ok(200);
    for role in ["viewer", "member", "admin", "owner"] {
        let caller = service(&tenant, role, json!([])).await;
        assert_eq!(
            names(&caller, "employee", json!({"sort": ["-city", "name"]})).await,
            ["Cid", "Ada", "Bob"],
            "{role}"
        );
        let owned = json!({"filter": {"property": "owner_id", "op": "eq", "value": max}});
        assert_eq!(names(&caller, "employee", owned).await, ["Bob"], "{role}");
        let across = caller.post("/search", &json!({"q": "bob", "count": true})).await.ok(200);
        assert_eq!((&across["total"], &across["results"][0]["id"]), (&json!(1), &employee["id"]), "{role}");
    }
    server.anonymous().post("/records/employee/search", &json!({})).await.problem(401, "unauthenticated");
    server.anonymous().post("/search", &json!({})).await.problem(401, "unauthenticated");
    server.anonymous().get("/records/employee/suggest").await.problem(401, "unauthenticated");
    server.platform().post("/search", &json!({})).await.problem(403, "forbidden");
}

async fn sensitive_properties_are_unknown_to_those_who_may_not_see_them(server: TestServer) {
    let tenant = staff(&server).await;
    let member = service(&tenant, "member", json!([])).await;
    let pay = |op: &str, value: Value| json!({"property": "pay", "op": op, "value": value});
    assert_eq!(names(&tenant, "employee", json!({"filter": pay("gt", json!(987_651))})).await, ["Bob", "Cid"]);
    assert_eq!(names(&tenant, "employee", json!({"q": "zirk"})).await, ["Ada"]);
    let of_crew = |inner: Value| json!({"association": "employee_crew", "match": {"association": "employee_crew", "match": inner}});
    for (query, pointer) in [
        (json!({"filter": pay("gt", json!(987_651))}), "/filter/property"),
        (json!({"filter": {"property": "pay", "op": "exists"}}), "/filter/property"),
        (
            json!({"filter": {"not": {"property": "nickname", "op": "starts_with", "value": "z"}}}),
            "/filter/not/property",
        ),
        (json!({"filter": of_crew(pay("gt", json!(1)))}), "/filter/match/match/property"),
        (json!({"sort": ["-pay"]}), "/sort/0/property"),
        (json!({"select": ["pay"]}), "/select/0"),
        (json!({"aggregate": {"t": {"group": ["pay"]}}}), "/aggregate/t/group/0"),
        (json!({"aggregate": {"t": {"group": [{"number": "pay", "every": 10}]}}}), "/aggregate/t/group/0/number"),
        (json!({"aggregate": {"t": {"measures": {"m": {"max": "pay"}}}}}), "/aggregate/t/measures/m/max"),
        (
            json!({"aggregate": {"t": {"measures": {"m": {"count_distinct": "nickname"}}}}}),
            "/aggregate/t/measures/m/count_distinct",
        ),
    ] {
        let problem = member.post("/records/employee/search", &query).await.problem(422, "validation_failed");
        assert_eq!(problem.errors(), [(pointer.to_owned(), "unknown_property".to_owned())], "{query}");
        // It is told in the words in which a property is told that does not exist.
        let text = query
            .to_string()
            .replace("\"-pay\"", "\"-xyz\"")
            .replace("\"pay\"", "\"xyz\"")
            .replace("nickname", "xyzxyzxy");
        let nowhere: Value = serde_json::from_str(&text).unwrap();
        let unknown = member.post("/records/employee/search", &nowhere).await.problem(422, "validation_failed");
        let words = problem.words().replace("`pay`", "`xyz`").replace("nickname", "xyzxyzxy");
        assert_eq!(words, unknown.words(), "{query}");
    }
    for misspelt in ["payy", "nicknam"] {
        let query = json!({"filter": {"property": misspelt, "op": "exists"}});
        let problem = member.post("/records/employee/search", &query).await.problem(422, "validation_failed");
        assert!(!problem.words().contains("did you mean"), "{}", problem.body);
    }
    for expression in ["pay%20%3E%201", "payy%20%3E%201", "has(nickname)"] {
        let problem = member.get(&format!("/records/employee?filter={expression}")).await.problem(400, "bad_request");
        assert_eq!(problem.pointers(), ["/filter"]);
        assert!(!problem.words().contains("did you mean"), "{}", problem.body);
    }
}

async fn sensitive_values_are_in_no_answer(server: TestServer) {
    let tenant = staff(&server).await;
    for role in ["viewer", "member"] {
        let caller = service(&tenant, role, json!([])).await;
        for q in ["zirkon", "987651", "zi", "\"zirkon\"", "Ada Zirkon"] {
            for (path, query) in [
                ("/records/employee/search", json!({"q": q, "count": true, "aggregate": {"t": {"group": ["name"]}}})),
                ("/search", json!({"q": q, "count": true, "aggregate": {"t": {"group": ["object"]}}})),
                ("/search", json!({"q": q, "count": true, "fuzzy": true, "objects": ["employee", "crew"]})),
            ] {
                let found = caller.post(path, &query).await.ok(200);
                assert_eq!((&found["total"], results(&found).len()), (&json!(0), 0), "{role} {path} {q}");
            }
            let path = format!("/records/employee/suggest?q={}", q.replace(' ', "%20").replace('"', "%22"));
            assert!(results(&caller.get(&path).await.ok(200)).is_empty(), "{role} {q}");
        }
        for (path, query) in [
            ("/records/employee/search", json!({"q": "ada"})),
            ("/records/crew/search", json!({"include": ["employee(name)"]})),
            ("/records/crew/search", json!({"include": ["employee"]})),
            ("/search", json!({"q": "ada"})),
            ("/search", json!({})),
        ] {
            let reply = caller.post(path, &query).await;
            let text =
                format!("{}{}", reply.ok(200), caller.get("/records/employee?filter=city=='oslo'").await.ok(200));
            assert!(text.contains("Ada"), "{path}: {text}");
            assert!(
                !text.contains("98765") && !text.to_lowercase().contains("zirkon"),
                "{role} {path} {query}: {text}"
            );
        }
    }
    let found = tenant.post("/search", &json!({"q": "zirkon"})).await.ok(200);
    assert_eq!(found["results"][0]["highlights"]["nickname"], "<em>Zirkon</em>", "who may see it, does");
}

async fn a_property_that_becomes_sensitive_is_unknown_at_once(server: TestServer) {
    let tenant = staff(&server).await;
    let member = service(&tenant, "member", json!([])).await;
    let query = json!({"filter": {"property": "city", "op": "eq", "value": "oslo"}});
    assert_eq!(names(&member, "employee", query.clone()).await, ["Ada", "Bob"]);
    tenant.patch("/object-definitions/employee/properties/city", &json!({"sensitive": true})).await.ok(200);
    let problem = member.post("/records/employee/search", &query).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/filter/property"]);
    assert_eq!(names(&tenant, "employee", query).await, ["Ada", "Bob"]);
}

async fn what_records_are_called_tells_nothing_sensitive(server: TestServer) {
    let tenant = staff(&server).await;
    let refused = async |reply: tests::Response| {
        let problem = reply.problem(422, "validation_failed");
        assert!(problem.words().contains("sensitive"), "{}", problem.body);
        problem.errors()
    };
    let secret = json!({"type": "string", "sensitive": true});
    let new = json!({"name": "badge", "plural": "badges", "display": "{{ code }}", "properties": {"code": secret}});
    let display = [("/display".to_owned(), "sensitive".to_owned())];
    assert_eq!(refused(tenant.post("/object-definitions", &new).await).await, display);
    let employee = "/object-definitions/employee";
    assert_eq!(refused(tenant.patch(employee, &json!({"display": "{{ name }} {{ pay }}"})).await).await, display);
    let properties = json!({"properties": {"name": {"sensitive": true}}});
    assert_eq!(refused(tenant.patch(employee, &properties).await).await, display);
    let name = format!("{employee}/properties/name");
    assert_eq!(refused(tenant.patch(&name, &json!({"sensitive": true})).await).await[0].1, "sensitive");
    tenant.patch(employee, &json!({"display": "Employee {{ city }}"})).await.ok(200);
    tenant.patch(&name, &json!({"sensitive": true})).await.ok(200);
    let pack = "pack: vault\nversion: 1.0.0\nobjects:\n  key:\n    plural: keys\n    display: \"{{ code }}\"\n    \
                properties:\n      code: {type: string, sensitive: true}\n";
    let problem = tenant.post("/packs/plan", &json!({"source": pack})).await.problem(422, "validation_failed");
    assert!(problem.words().contains("sensitive"), "{}", problem.body);
}

async fn scopes_end_where_they_should(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", json!({"first_name": "Quilla", "last_name": "One"})).await;
    let deal = create(&tenant, "deal", json!({"name": "Quilla's roof"})).await;
    let link = json!([{"type": "deal_contact", "from": id(&deal), "to": ada}]);
    tenant.post("/associations/batch/create", &json!({"inputs": link, "atomic": true})).await.ok(200);
    let deals = service(&tenant, "admin", json!(["deal:read"])).await;
    assert_eq!(names(&deals, "deal", json!({"q": "roof"})).await, ["Quilla's roof"]);
    let across = json!({"filter": {"property": "created_at", "op": "exists"}, "count": true,
        "aggregate": {"t": {"group": ["object"]}}});
    let found = deals.post("/search", &across).await.ok(200);
    assert_eq!((&found["total"], &found["results"][0]["id"]), (&json!(1), &deal["id"]));
    assert_eq!(found["aggregates"]["t"], json!([{"key": ["deal"], "count": 1}]));
    deals.post("/records/contact/search", &json!({})).await.problem(403, "forbidden");
    deals.get("/records/contact?filter=true").await.problem(403, "forbidden");
    deals.get("/records/contact/suggest?q=qu").await.problem(403, "forbidden");
    deals.post("/search", &json!({"objects": ["deal", "contact"]})).await.problem(403, "forbidden");
    for (rest, expected) in [
        (json!({}), 0),
        (json!({"match": {"property": "first_name", "op": "eq", "value": "quilla"}}), 0),
        (json!({"quantifier": "none"}), 1),
        (json!({"count": {"op": "eq", "value": 0}}), 1),
    ] {
        let mut condition = json!({"association": "deal_contact"});
        condition.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let found = search(&deals, "deal", json!({"filter": condition, "count": true})).await;
        assert_eq!(found["total"], expected, "{condition}");
    }
    let included = deals.post("/records/deal/search", &json!({"include": ["contact(first_name)"]})).await;
    assert!(!included.text.contains("\"Quilla\"") && !included.text.contains("Quilla One"), "{}", included.text);
    let writer = service(&tenant, "member", json!(["deal:write"])).await;
    assert_eq!(names(&writer, "deal", json!({})).await, ["Quilla's roof"], "who may write may read");
}

async fn objects_that_are_switched_off_are_nowhere(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", json!({"first_name": "Ada", "last_name": "Lovelace"})).await;
    let deal = create_id(&tenant, "deal", json!({"name": "Ada's roof"})).await;
    let link = json!([{"type": "deal_contact", "from": deal, "to": ada}]);
    tenant.post("/associations/batch/create", &json!({"inputs": link, "atomic": true})).await.ok(200);
    let across = async || results(&tenant.post("/search", &json!({"q": "ad"})).await.ok(200)).len();
    assert_eq!(across().await, 2);
    tenant.patch("/tenant", &json!({"capabilities": {"deals": false}})).await.ok(200);
    assert_eq!(across().await, 1);
    tenant.post("/records/deal/search", &json!({})).await.problem(404, "not_found");
    tenant.get("/records/deal/suggest").await.problem(404, "not_found");
    let linked = json!({"filter": {"association": "deal_contact"}, "count": true});
    let reply = tenant.post("/records/contact/search", &linked).await;
    assert!(reply.status == 422 || reply.ok(200)["total"] == 0, "{}", reply.text);
    let problem = tenant.post("/search", &json!({"objects": ["deal"]})).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/objects/0"]);
    tenant.patch("/tenant", &json!({"capabilities": {"deals": true}})).await.ok(200);
    assert_eq!(across().await, 2, "its data has stayed, and is found");
    assert_eq!(names(&tenant, "deal", json!({"q": "roof"})).await, ["Ada's roof"]);
}

async fn tenants_find_what_is_theirs(server: TestServer) {
    let (ours, theirs) = (server.tenant("generic").await, server.tenant("generic").await);
    for (tenant, name) in [(&ours, "Ours"), (&theirs, "Theirs")] {
        for n in 0..5 {
            let properties = json!({"first_name": "Ada", "last_name": format!("{name} {n}"), "email": format!("ada{n}@example.com")});
            create(tenant, "contact", properties).await;
        }
    }
    let query = json!({"q": "ada", "sort": ["last_name"], "limit": 2, "count": true,
        "aggregate": {"t": {"group": ["last_name"]}}});
    for (tenant, own) in [(&ours, "Ours"), (&theirs, "Theirs")] {
        let mut query = query.clone();
        let mut found = Vec::new();
        loop {
            let page = search(tenant, "contact", query.clone()).await;
            assert_eq!((&page["total"], page["aggregates"]["t"].as_array().unwrap().len()), (&json!(5), 5));
            found.extend(
                results(&page).iter().map(|record| record["properties"]["last_name"].as_str().unwrap().to_owned()),
            );
            if page["next_cursor"].is_null() {
                break;
            }
            query["cursor"] = page["next_cursor"].clone();
        }
        assert_eq!(found, (0..5).map(|n| format!("{own} {n}")).collect::<Vec<_>>());
        let across = tenant.post("/search", &json!({"q": "ada", "limit": 200})).await.ok(200);
        assert!(results(&across).iter().all(|record| record["display_name"].as_str().unwrap().contains(own)));
        let suggested = tenant.get("/records/contact/suggest?q=ada").await.ok(200);
        assert_eq!(results(&suggested).len(), 5);
        assert!(results(&suggested).iter().all(|record| record["display_name"].as_str().unwrap().contains(own)));
    }
    // A place in their order says nothing about ours.
    let mut foreign = query.clone();
    foreign["cursor"] = search(&theirs, "contact", query).await["next_cursor"].clone();
    let problem = ours.post("/records/contact/search", &foreign).await.problem(422, "validation_failed");
    assert_eq!(problem.errors(), [("/cursor".to_owned(), "invalid".to_owned())], "{}", problem.body);
    assert!(!problem.words().contains("Theirs"), "{}", problem.body);
    // The same number is another record, or none.
    let record = results(&search(&theirs, "contact", json!({})).await)[0].clone();
    let by_uid = json!({"filter": {"property": "uid", "op": "eq", "value": record["uid"]}, "count": true});
    assert_eq!(search(&theirs, "contact", by_uid.clone()).await["total"], 1);
    assert_eq!(search(&ours, "contact", by_uid).await["total"], 0);
}

scenarios![
    every_role_finds_what_it_may_read,
    sensitive_properties_are_unknown_to_those_who_may_not_see_them,
    sensitive_values_are_in_no_answer,
    a_property_that_becomes_sensitive_is_unknown_at_once,
    what_records_are_called_tells_nothing_sensitive,
    scopes_end_where_they_should,
    objects_that_are_switched_off_are_nowhere,
    tenants_find_what_is_theirs,
];
