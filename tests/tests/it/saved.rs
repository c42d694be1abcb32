//! Views, reports and dashboards that users save, beside those of packs.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{Silence, create, define, id, results};

const LIBRARY: &str = r#"
pack: library
version: 1.0.0
objects:
  book:
    label: Book
    plural: books
    display: "{{ title }}"
    properties:
      title: {type: string}
      shelf: {type: integer}
      price: {type: money, currency: EUR}
      kind: {type: enum, options: {novel: Novel, map: Map}}
      bought_on: {type: date}
views:
  novels: {object: book, label: Novels, filter: {property: kind, op: eq, value: novel}, columns: [title, shelf]}
reports:
  spent: {object: book, label: Spent, measures: {total: {sum: price}}}
dashboards:
  desk: {label: Desk, items: [{view: novels, width: 6}, {report: spent}]}
"#;

async fn install(tenant: &Client, source: &str) {
    let planned = tenant.post("/packs/plan", &json!({"source": source})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": planned["plan"], "allow_destructive": true})).await.ok(200);
}

async fn book(tenant: &Client, title: &str, kind: &str, shelf: i64, price: &str) -> String {
    let properties = json!({"title": title, "kind": kind, "shelf": shelf, "price": price});
    id(&create(tenant, "book", properties).await)
}

fn ids(reply: &Value) -> Vec<&str> {
    results(reply).iter().map(|item| item["id"].as_str().unwrap()).collect()
}

async fn those_of_packs_are_shown_and_stay_as_they_are(server: TestServer) {
    let tenant = server.tenant("generic").await;
    install(&tenant, LIBRARY).await;
    for (title, kind, shelf, price) in
        [("Emma", "novel", 2, "9.50"), ("Atlas", "map", 1, "30"), ("Ulysses", "novel", 1, "20.25")]
    {
        book(&tenant, title, kind, shelf, price).await;
    }
    let listed = tenant.get("/views?object=book").await.ok(200);
    assert_eq!(ids(&listed), ["novels"]);
    let view = &results(&listed)[0];
    assert_eq!(
        (&view["layer"], &view["owner_id"], &view["label"]),
        (&json!("library"), &Value::Null, &json!("Novels"))
    );
    assert_eq!(view["columns"], json!(["title", "shelf"]));

    let shown = tenant.get("/views/novels/records?limit=1").await.ok(200);
    assert_eq!((&shown["total"], &shown["warnings"]), (&json!(2), &json!([])));
    assert_eq!(results(&shown)[0]["properties"], json!({"title": "Emma", "shelf": 2}));
    let cursor = shown["next_cursor"].as_str().unwrap();
    let next = tenant.get(&format!("/views/novels/records?limit=1&cursor={cursor}")).await.ok(200);
    assert_eq!(results(&next)[0]["properties"]["title"], "Ulysses");
    assert_eq!(tenant.get("/views/novels/records?q=ulys").await.ok(200)["total"], 1);

    assert_eq!(tenant.get("/reports/spent/data").await.ok(200)["rows"], json!([{"key": [], "total": "59.75"}]));
    let desk = tenant.get("/dashboards/desk/data").await.ok(200);
    assert_eq!(desk["items"][0]["view"], "novels");
    assert_eq!(desk["items"][0]["records"]["total"], 2);
    assert_eq!(desk["items"][1]["data"]["rows"][0]["total"], "59.75");

    tenant.patch("/views/novels", &json!({"label": "Mine"})).await.problem(403, "forbidden");
    tenant.delete("/views/novels").await.problem(403, "forbidden");
    let problem = tenant.get("/views/novel").await.problem(404, "not_found");
    assert!(problem.words().contains("did you mean `novels`?"), "{}", problem.body);

    // What of it is gone is left out, and told.
    tenant.delete("/object-definitions/book/properties/shelf").await.ok(204);
    let shown = tenant.get("/views/novels/records").await.ok(200);
    assert_eq!(results(&shown)[0]["properties"], json!({"title": "Emma"}));
    assert_eq!(shown["warnings"][0]["pointer"], "/columns/1");
    tenant.delete("/object-definitions/book/properties/price").await.ok(204);
    let problem = tenant.get("/reports/spent/data").await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/measures/total/sum"]);
    let desk = tenant.get("/dashboards/desk/data").await.ok(200);
    assert_eq!(desk["items"][0]["records"]["total"], 2, "one part that fails stops no other");
    assert_eq!(desk["items"][1]["problem"]["code"], "validation_failed");
}

async fn those_of_users_are_seen_by_whom_they_are_shared_with(server: TestServer) {
    let tenant = server.tenant("generic").await;
    install(&tenant, LIBRARY).await;
    let ((ann, ann_id), (bob, bob_id), (eve, _)) =
        (tenant.user("ann", "member").await, tenant.user("bob", "viewer").await, tenant.user("eve", "member").await);
    let team = tenant.post("/teams", &json!({"name": "North", "members": [ann_id, bob_id]})).await.ok(201);
    let other = tenant.post("/teams", &json!({"name": "South"})).await.ok(201);
    let quiet = Silence::begins(&tenant).await;
    let save = async |who: &Client, label: &str, more: Value| {
        let mut view = json!({"label": label, "object": "book", "kind": "list"});
        view.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        who.post("/views", &view).await.ok(201)
    };
    let private = save(&ann, "Mine", json!({})).await;
    let shared = save(&ann, "Ours", json!({"sharing": "team"})).await;
    let open = save(&bob, "All", json!({"sharing": "shared"})).await;
    assert_eq!((&private["sharing"], &private["owner_id"]), (&json!("private"), &json!(ann_id)));
    assert_eq!((&shared["team"], &open["sharing"]), (&team["id"], &json!("everyone")));
    // They are no business of the change log.
    quiet.holds().await;

    let seen = async |who: &Client| {
        let listed = who.get("/views?object=book").await.ok(200);
        ids(&listed).iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()
    };
    let [private, shared, open] = [&private, &shared, &open].map(id);
    assert_eq!(seen(&ann).await, ["novels", &private, &shared, &open]);
    assert_eq!(seen(&bob).await, ["novels", &shared, &open]);
    assert_eq!(seen(&eve).await, ["novels", &open]);
    for (who, path) in [(&eve, &shared), (&bob, &private)] {
        who.get(&format!("/views/{path}")).await.problem(404, "not_found");
        who.get(&format!("/views/{path}/records")).await.problem(404, "not_found");
        who.patch(&format!("/views/{path}"), &json!({"label": "X"})).await.problem(404, "not_found");
    }
    bob.patch(&format!("/views/{shared}"), &json!({"label": "X"})).await.problem(403, "forbidden");
    eve.delete(&format!("/views/{open}")).await.problem(403, "forbidden");
    // Pages go over what packs define into what users have saved.
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = ann.get(&format!("/views?limit=1{cursor}")).await.ok(200);
        paged.extend(ids(&page).iter().map(|id| (*id).to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, ["novels", &private, &shared, &open]);

    let path = format!("/views/{shared}");
    let wrong = json!({"team": other["id"]});
    assert_eq!(
        ann.patch(&path, &wrong).await.problem(422, "validation_failed").errors(),
        [("/team".to_owned(), "forbidden".to_owned())]
    );
    let changed = ann.patch(&path, &json!({"sharing": "private", "kind": null})).await.ok(200);
    assert_eq!((&changed["sharing"], &changed["team"], changed.get("kind")), (&json!("private"), &Value::Null, None));
    assert_eq!(seen(&bob).await, ["novels", &open]);
    ann.delete(&path).await.ok(204);
    ann.get(&path).await.problem(404, "not_found");
    // Administrators take away what others share.
    tenant.delete(&format!("/views/{open}")).await.ok(204);
    assert_eq!(seen(&eve).await, ["novels"]);
}

async fn administrators_keep_what_teams_share(server: TestServer) {
    let tenant = server.tenant("generic").await;
    install(&tenant, LIBRARY).await;
    let ((ann, ann_id), (bob, bob_id)) = (tenant.user("ann", "member").await, tenant.user("bob", "member").await);
    let (adam, _) = tenant.user("adam", "admin").await;
    let team = tenant.post("/teams", &json!({"name": "North", "members": [ann_id, bob_id]})).await.ok(201);
    let items = json!([{"view": "novels"}]);
    for (path, body) in [
        ("/views", json!({"label": "A", "object": "book"})),
        ("/reports", json!({"label": "A", "object": "book", "measures": {"n": {"count": true}}})),
        ("/dashboards", json!({"label": "A", "items": items})),
        ("/lists", json!({"name": "A", "object": "book", "filter": {"property": "title", "op": "exists"}})),
    ] {
        let save = async |sharing: &str| {
            let mut body = body.clone();
            body["sharing"] = json!(sharing);
            id(&ann.post(path, &body).await.ok(201))
        };
        let (shared, private) = (save("team").await, save("private").await);
        let own = async |who: &Client| {
            let all = who.get(path).await.ok(200);
            let all: Vec<String> = results(&all).iter().filter(|item| item["layer"] != "library").map(id).collect();
            all
        };
        let one = format!("{path}/{shared}");
        assert_eq!(own(&adam).await, std::slice::from_ref(&shared));
        let key = if path == "/lists" { "name" } else { "label" };
        let changed = adam.patch(&one, &json!({key: "B"})).await.ok(200);
        assert_eq!((&changed[key], &changed["team"]), (&json!("B"), &team["id"]));
        adam.get(&format!("{path}/{private}")).await.problem(404, "not_found");
        // A team that goes takes along whom it was shared with, and nothing of what it was.
        let goes =
            tenant.post("/teams", &json!({"name": format!("South {path}"), "members": [ann_id, bob_id]})).await.ok(201);
        ann.patch(&one, &json!({"team": goes["id"]})).await.ok(200);
        assert_eq!(own(&bob).await, std::slice::from_ref(&shared));
        tenant.delete(&format!("/teams/{}", id(&goes))).await.ok(204);
        let left = ann.get(&one).await.ok(200);
        assert_eq!((&left["sharing"], &left["team"], &left[key]), (&json!("private"), &Value::Null, &json!("B")));
        for who in [&bob, &adam] {
            assert_eq!(own(who).await, [""; 0]);
            who.get(&one).await.problem(404, "not_found");
        }
        let renamed = ann.patch(&one, &json!({key: "C"})).await.ok(200);
        assert_eq!((&renamed["sharing"], &renamed[key]), (&json!("private"), &json!("C")));
        let shared_again = ann.patch(&one, &json!({"sharing": "team", "team": team["id"]})).await.ok(200);
        assert_eq!(shared_again["team"], team["id"]);
        assert_eq!(own(&bob).await, [shared]);
    }
}

async fn fields_are_columns_and_no_text_has_what_no_store_keeps(server: TestServer) {
    let tenant = server.tenant("generic").await;
    install(&tenant, LIBRARY).await;
    let emma = book(&tenant, "Emma", "novel", 2, "9.50").await;
    for (columns, properties) in [
        (json!(["title", "owner_id", "created_at"]), json!({"title": "Emma"})),
        (json!(["created_at", "id"]), json!({})),
    ] {
        let body = json!({"object": "book", "label": "Books", "columns": columns});
        let view = id(&tenant.post("/views", &body).await.ok(201));
        let shown = tenant.get(&format!("/views/{view}/records")).await.ok(200);
        let found = &results(&shown)[0];
        assert_eq!((&found["id"], &found["properties"]), (&json!(emma), &properties));
        assert!(found["created_at"].is_string());
        let refused = tenant.patch(&format!("/views/{view}"), &json!({"label": "a\u{0}"})).await;
        assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/label"]);
    }
    let report = json!({"object": "book", "label": "a\u{0}", "measures": {"n\u{0}": {"count": true}}});
    let refused = tenant.post("/reports", &report).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers()[..2], ["/label", "/measures/n\u{0}"]);
    let dashboard = json!({"label": "D", "items": [{"view": "novels", "label": "\u{0}"}]});
    let refused = tenant.post("/dashboards", &dashboard).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/items/0/label"]);
}

async fn changes_of_several_people_are_all_kept(server: TestServer) {
    let tenant = server.tenant("generic").await;
    install(&tenant, LIBRARY).await;
    let parts = [
        ("label", json!("Changed")),
        ("kind", json!("list")),
        ("columns", json!(["title", "shelf"])),
        ("sort", json!([{"property": "title"}])),
        ("filter", json!({"property": "kind", "op": "exists"})),
        ("group", json!("kind")),
    ];
    for _ in 0..3 {
        let view = tenant.post("/views", &json!({"label": "Mine", "object": "book"})).await.ok(201);
        let path = format!("/views/{}", id(&view));
        let changing = parts.iter().map(|(key, value)| {
            let (tenant, path) = (&tenant, &path);
            async move { tenant.patch(path, &json!({*key: value})).await.ok(200) }
        });
        join_all(changing).await;
        let kept = tenant.get(&path).await.ok(200);
        for (key, value) in &parts {
            assert_eq!(kept[key], *value, "{kept}");
        }
    }
    // What is not there any more stands in the way of nothing else.
    let view = tenant.post("/views", &json!({"label": "Mine", "object": "book", "columns": ["title", "shelf"]})).await;
    let path = format!("/views/{}", id(&view.ok(201)));
    tenant.delete("/object-definitions/book/properties/shelf").await.ok(204);
    let changed = tenant.patch(&path, &json!({"label": "Still mine"})).await.ok(200);
    assert_eq!((&changed["label"], &changed["warnings"][0]["pointer"]), (&json!("Still mine"), &json!("/columns/1")));
    let wrong = json!({"columns": ["title", "shelf", "price", "sehlf"]});
    let problem = tenant.patch(&path, &wrong).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/columns/3"]);
}

async fn reports_compare_a_period_with_the_one_before(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define(
        &tenant,
        json!({"name": "sale", "properties": {"worth": {"type": "money", "currency": "EUR"},
        "sold_on": {"type": "date"}, "kind": {"type": "enum", "options": ["a", "b"]}}}),
    )
    .await;
    let report = json!({"label": "Sales", "object": "sale", "group": ["kind"], "measures": {"total": {"sum": "worth"}},
        "filter": {"property": "worth", "op": "gt", "value": "1"},
        "period": {"date": "sold_on", "within": "this_year"}, "compare": "previous", "chart": "bar"});
    let saved = tenant.post("/reports", &report).await.ok(201);
    let path = format!("/reports/{}/data", id(&saved));
    let empty = tenant.get(&path).await.ok(200);
    assert_eq!((&empty["rows"], &empty["previous"]["rows"]), (&json!([]), &json!([])));
    // The year that it is goes by the tenant's own clock.
    let year: i32 = empty["period"]["from"].as_str().unwrap()[..4].parse().unwrap();
    assert_eq!(empty["period"], json!({"from": format!("{year}-01-01"), "to": format!("{year}-12-31")}));
    assert_eq!(
        empty["previous"]["period"],
        json!({"from": format!("{}-01-01", year - 1), "to": format!("{}-12-31", year - 1)})
    );
    for (kind, worth, on) in [
        ("a", "10.10", format!("{year}-01-01")),
        ("a", "5", format!("{year}-12-31")),
        ("b", "7", format!("{year}-06-30")),
        ("b", "1", format!("{year}-06-30")),
        ("b", "100", format!("{}-12-31", year - 1)),
        ("b", "1000", format!("{}-12-31", year - 2)),
    ] {
        create(&tenant, "sale", json!({"kind": kind, "worth": worth, "sold_on": on})).await;
    }
    let data = tenant.get(&path).await.ok(200);
    assert_eq!(data["rows"], json!([{"key": ["a"], "total": "15.10"}, {"key": ["b"], "total": "7.00"}]));
    assert_eq!(data["previous"]["rows"], json!([{"key": ["b"], "total": "100.00"}]));
    let data = tenant.get(&format!("{path}?within=last_year")).await.ok(200);
    assert_eq!(data["rows"], json!([{"key": ["b"], "total": "100.00"}]));
    assert_eq!(data["previous"]["rows"], json!([{"key": ["b"], "total": "1000.00"}]));

    let wrong = json!({"label": "Wrong", "object": "sale", "compare": "previous", "measures": {"n": {"sum": "kind"}}});
    let problem = tenant.post("/reports", &wrong).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/compare", "/measures/n/sum"]);
    let wrong = json!({"label": "Wrong", "object": "sale", "period": {"date": "kind", "within": "this_yaer"}});
    let problem = tenant.post("/reports", &wrong).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/period/within", "/period/date"]);
}

async fn what_is_saved_says_something_and_names_what_is_there(server: TestServer) {
    let tenant = server.tenant("generic").await;
    install(&tenant, LIBRARY).await;
    let (ann, _) = tenant.user("ann", "member").await;
    let list = async |who: &Client, name: &str, sharing: &str| {
        let list = json!({"object": "book", "name": name, "sharing": sharing});
        id(&who.post("/lists", &list).await.ok(201))
    };
    let (known, hidden) = (list(&tenant, "Known", "everyone").await, list(&ann, "Hidden", "private").await);
    let (bob, _) = tenant.user("bob", "member").await;
    let filter = json!({"all": [{"list": known}, {"not": {"list": "999"}}, {"any": [{"list": hidden}]}]});
    let wrong =
        json!({"label": " ", "object": "book", "columns": ["title", "shelf", "title", "title"], "filter": filter});
    let refused = bob.post("/views", &wrong).await.problem(422, "validation_failed");
    let expected = [
        ("/label", "required"),
        ("/columns/2", "duplicate"),
        ("/columns/3", "duplicate"),
        ("/filter/all/1/not/list", "unknown"),
        ("/filter/all/2/any/0/list", "unknown"),
    ];
    assert_eq!(refused.errors(), expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
    assert!(refused.words().contains("there is no list `999`"), "{}", refused.words());
    let report = json!({"label": "", "object": "book", "measures": {"n": {"count": true}}, "filter": {"list": "999"}});
    let refused = bob.post("/reports", &report).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/label", "/filter/list"]);
    // What does not read hides nothing of what is named.
    let report = json!({"label": "R", "object": "book", "chart": "cake", "group": ["kidn", {"property": "title", "every": "moon"}],
        "measures": {"n": {"summ": "price"}, "m": {"sum": "prise"}}, "filter": {"property": "titel", "op": "eq", "value": "x"},
        "period": {"date": "bougth", "within": "this_year"}, "order": [{"measure": "x"}], "charts": 1});
    let refused = bob.post("/reports", &report).await.problem(422, "validation_failed");
    let told: BTreeSet<String> = refused.pointers().into_iter().collect();
    let expected = [
        "/chart",
        "/charts",
        "/group/0",
        "/group/1",
        "/measures/n/summ",
        "/measures/m/sum",
        "/filter/property",
        "/period/date",
    ];
    assert!(expected.iter().all(|at| told.contains(*at)), "{told:?}");
    let view = json!({"label": "V", "object": "book", "kind": "boad", "columns": ["titel"], "group": "kidn",
        "sort": [{"property": "prise", "direction": "up"}], "filter": {"property": "titel", "op": "eq", "value": "x"}});
    let refused = bob.post("/views", &view).await.problem(422, "validation_failed");
    let told: BTreeSet<String> = refused.pointers().into_iter().collect();
    let expected = ["/kind", "/columns/0", "/group", "/sort/0/property", "/sort/0/direction", "/filter/property"];
    assert!(expected.iter().all(|at| told.contains(*at)), "{told:?}");
    for (path, nulls, missing) in [
        ("/views", json!({"label": null, "object": null}), vec!["/label", "/object"]),
        ("/dashboards", json!({"label": null, "items": null}), vec!["/label", "/items"]),
    ] {
        let right = json!({"label": "Right", "object": "book"});
        let right = if path == "/views" { right } else { json!({"label": "Right", "items": [{"view": "novels"}]}) };
        let saved = id(&bob.post(path, &right).await.ok(201));
        let refused = bob.patch(&format!("{path}/{saved}"), &nulls).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), missing);
    }
    // What a dashboard shows may go; it is renamed all the same.
    let part = id(&bob.post("/views", &json!({"label": "Part", "object": "book"})).await.ok(201));
    let dashboard = json!({"label": "Parts", "items": [{"view": part}], "sharing": "everyone"});
    let dashboard = format!("/dashboards/{}", id(&bob.post("/dashboards", &dashboard).await.ok(201)));
    tenant.patch(&dashboard, &json!({"label": "Of all"})).await.ok(200);
    bob.delete(&format!("/views/{part}")).await.ok(204);
    bob.patch(&dashboard, &json!({"label": "Renamed"})).await.ok(200);
    let refused = bob.patch(&dashboard, &json!({"items": [{"view": part}, {"view": part}]})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/items/0/view", "/items/1/view"]);
    // What was right when it was saved stands in the way of no other change.
    let right = json!({"label": "Mine", "object": "book", "columns": ["title"], "filter": {"list": known}});
    let view = id(&bob.post("/views", &right).await.ok(201));
    let path = format!("/views/{view}");
    tenant.delete(&format!("/lists/{known}")).await.ok(204);
    bob.patch(&path, &json!({"label": "Ours"})).await.ok(200);
    let refused = bob.patch(&path, &json!({"label": "", "columns": ["title", "title"]})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/label", "/columns/1"]);
    let refused = bob.patch(&path, &json!({"filter": {"not": {"list": known}}})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/filter/not/list"]);
}

scenarios![
    what_is_saved_says_something_and_names_what_is_there,
    those_of_packs_are_shown_and_stay_as_they_are,
    those_of_users_are_seen_by_whom_they_are_shared_with,
    administrators_keep_what_teams_share,
    fields_are_columns_and_no_text_has_what_no_store_keeps,
    changes_of_several_people_are_all_kept,
    reports_compare_a_period_with_the_one_before,
];
