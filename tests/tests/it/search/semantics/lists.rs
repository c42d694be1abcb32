//! Lists by an expression, what of a record is answered, and pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{create_id, define_thing, results};
use crate::search::{create_all, names, search};

/// The path of a list, with a filter whose characters are escaped.
fn path(expression: &str) -> String {
    let escaped = expression.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("/records/thing?filter={}", escaped.collect::<String>())
}

fn names_of(list: &Value) -> Vec<&str> {
    results(list).iter().map(|record| record["display_name"].as_str().unwrap()).collect()
}

async fn lists_are_filtered_by_an_expression(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({
        "amount": {"type": "money", "currency": "EUR"}, "stage": {"type": "enum", "options": ["new", "won", "lost"]},
        "on": {"type": "date"}, "at": {"type": "datetime"}, "tags": {"type": "tags"}, "hot": {"type": "boolean"},
        "notes": {"type": "text"}, "seats": {"type": "integer"},
    });
    define_thing(&tenant, properties).await;
    let things = [
        json!({"name": "Émile", "amount": "1000.01", "stage": "won", "on": "2026-01-31", "tags": ["VIP"], "hot": true, "seats": 3}),
        json!({"name": "Bob", "amount": "1000", "stage": "new", "at": "2026-01-31T23:30:00Z", "notes": "A große Tür"}),
        json!({"name": "Ada", "stage": "lost", "hot": false, "tags": ["a", "vip"], "seats": -1}),
    ];
    let ids = create_all(&tenant, "thing", &things).await;
    for (expression, expected) in [
        ("amount > 1000", &["Émile"][..]),
        ("amount >= 1000 && stage in ['new', 'won']", &["Émile", "Bob"]),
        ("amount == 1000.01", &["Émile"]),
        ("stage != 'won'", &["Bob", "Ada"]),
        ("stage == 'lost' || hot", &["Émile", "Ada"]),
        ("!hot", &["Bob", "Ada"]),
        ("amount == null", &["Ada"]),
        ("has(on)", &["Émile"]),
        ("name == 'EMILE'", &["Émile"]),
        ("name.startsWith('ém')", &["Émile"]),
        ("notes.contains('TUR große')", &["Bob"]),
        ("'vip' in tags", &["Émile", "Ada"]),
        ("on < '2026-02-01'", &["Émile"]),
        ("at > '2026-01-31'", &[]),
        ("at >= '2026-01-31'", &["Bob"]),
        ("seats < 0 || !(seats < 5)", &["Bob", "Ada"]),
        ("on < today", &["Émile"]),
        ("created_at <= now", &["Émile", "Bob", "Ada"]),
        ("true", &["Émile", "Bob", "Ada"]),
        ("false", &[]),
    ] {
        assert_eq!(names_of(&tenant.get(&path(expression)).await.ok(200)), expected, "{expression}");
    }
    tenant.delete(&format!("/records/thing/{}", ids[2])).await.ok(204);
    let archived = tenant.get(&format!("{}&archived=true", path("stage == 'lost'"))).await.ok(200);
    assert_eq!(names_of(&archived), ["Ada"]);
    let selected = tenant.get(&format!("{}&select=stage", path("hot"))).await.ok(200);
    assert_eq!(results(&selected)[0]["properties"], json!({"stage": "won"}));
}

async fn a_filtered_list_is_paged_in_the_order_of_ids(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"seats": {"type": "integer"}})).await;
    let mut ids = Vec::new();
    for n in 0..23 {
        ids.push(create_id(&tenant, "thing", json!({"name": format!("{n}"), "seats": n % 2})).await);
    }
    let wanted: Vec<String> = ids.iter().skip(1).step_by(2).cloned().collect();
    let first = format!("{}&limit=4", path("seats == 1"));
    let (mut found, mut next) = (Vec::new(), first.clone());
    loop {
        let page = tenant.get(&next).await.ok(200);
        assert!(results(&page).len() <= 4);
        found.extend(results(&page).iter().map(crate::fixture::id));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("{first}&cursor={cursor}");
    }
    assert_eq!(found, wanted);
    let cursor = tenant.get(&first).await.ok(200)["next_cursor"].as_str().unwrap().to_owned();
    for other in [format!("{}&cursor={cursor}", path("seats == 0")), format!("/records/thing?cursor={cursor}")] {
        assert_eq!(tenant.get(&other).await.problem(400, "bad_request").pointers(), ["/cursor"], "{other}");
    }
    let plain = tenant.get("/records/thing?limit=1").await.ok(200)["next_cursor"].as_str().unwrap().to_owned();
    let other = format!("{}&cursor={plain}", path("seats == 1"));
    assert_eq!(tenant.get(&other).await.problem(400, "bad_request").pointers(), ["/cursor"]);
}

async fn answers_show_what_was_selected_and_included(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let acme = create_id(&tenant, "company", json!({"name": "Acme", "domain": "acme.example"})).await;
    let links = json!([{"type": "contact_company", "to": acme}]);
    let contact = json!({"properties": {"first_name": "Ada", "last_name": "Lovelace"}, "associations": links});
    let ada = tenant.post("/records/contact", &contact).await.ok(201);
    let whole = search(&tenant, "contact", json!({"q": "ada"})).await;
    assert_eq!(results(&whole), &vec![ada.clone()], "records are as everywhere else");
    let query = json!({"q": "ada", "select": ["last_name"], "include": ["company(name)"]});
    let found = &search(&tenant, "contact", query).await["results"][0];
    let read = tenant
        .get(&format!("/records/contact/{}?select=last_name&include=company(name)", crate::fixture::id(&ada)))
        .await
        .ok(200);
    assert_eq!(*found, read);
    assert_eq!(found["properties"], json!({"last_name": "Lovelace"}));
    assert_eq!(search(&tenant, "contact", json!({"select": []})).await["results"][0]["properties"], json!({}));
}

/// Every page of a search to the end, each changed by `between`.
async fn read_all(tenant: &Client, query: &Value, mut between: impl AsyncFnMut(usize)) -> Vec<Value> {
    let (mut found, mut query) = (Vec::new(), query.clone());
    for page in 0.. {
        let reply = search(tenant, "thing", query.clone()).await;
        found.extend(results(&reply).iter().cloned());
        if reply["next_cursor"].is_null() {
            break;
        }
        query["cursor"] = reply["next_cursor"].clone();
        between(page).await;
    }
    found
}

async fn who_stays_is_on_one_page_whatever_else_happens_between(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"seats": {"type": "integer"}})).await;
    let inputs: Vec<Value> =
        (0..60).map(|n| json!({"properties": {"name": format!("stays {n}"), "seats": n % 7}})).collect();
    tenant.post("/records/thing/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    let moved = create_id(&tenant, "thing", json!({"name": "moves", "seats": 3})).await;
    let query = json!({"sort": [{"property": "seats", "direction": "desc"}], "limit": 4});
    let found = read_all(&tenant, &query, async |page| {
        let seats = json!({"properties": {"seats": if page % 2 == 0 { 9 } else { -1 }}});
        tenant.patch(&format!("/records/thing/{moved}"), &seats).await.ok(200);
        create_id(&tenant, "thing", json!({"name": "new", "seats": page})).await;
    })
    .await;
    let stays: Vec<&str> = found
        .iter()
        .map(|record| record["properties"]["name"].as_str().unwrap())
        .filter(|name| name.starts_with("stays"))
        .collect();
    assert_eq!((stays.len(), stays.iter().collect::<BTreeSet<_>>().len()), (60, 60));
    let seats: Vec<i64> = found.iter().map(|record| record["properties"]["seats"].as_i64().unwrap()).collect();
    assert!(seats.is_sorted_by(|one, next| one >= next), "{seats:?}");
}

async fn a_page_may_be_as_large_as_is_said(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    let inputs: Vec<Value> = (0..201).map(|n| json!({"properties": {"name": format!("{n:03}")}})).collect();
    tenant.post("/records/thing/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    assert_eq!(names(&tenant, "thing", json!({})).await.len(), 50);
    let most = search(&tenant, "thing", json!({"limit": 200, "sort": [{"property": "name"}]})).await;
    assert_eq!((results(&most).len(), most["next_cursor"].is_string()), (200, true));
    let last = json!({"limit": 200, "sort": [{"property": "name"}], "cursor": most["next_cursor"]});
    assert_eq!(names(&tenant, "thing", last).await, ["200"]);
}

scenarios![
    lists_are_filtered_by_an_expression,
    a_filtered_list_is_paged_in_the_order_of_ids,
    answers_show_what_was_selected_and_included,
    who_stays_is_on_one_page_whatever_else_happens_between,
    a_page_may_be_as_large_as_is_said,
];
