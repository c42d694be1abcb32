//! Timelines: activities of declared types, notes and changes as one stream, and the audit trail.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{Silence, create_id, define, id, kinds, results};

/// A pack with types of its own, and another one that adds to both.
const SHOP: &str = r#"
pack: shop
version: 1.0.0
requires: {core: ^1.0}
objects:
  visitor: {label: Visitor, plural: visitors, display: "{{ name }}", properties: {name: {type: string}}}
schemas:
  basket: {type: object, properties: {items: {type: integer}}, required: [items]}
activities:
  item.bought:
    label: Bought
    objects: [visitor]
    details:
      price: {type: money, currency: EUR, required: true}
      sku: {type: string, max_length: 5}
      basket: {type: json, schema: basket}
      gift: {type: boolean, default: false}
      seller: {type: user}
"#;
const MORE: &str = r#"
pack: more
version: 1.0.0
requires: {shop: ^1.0}
activities:
  item.bought: {extend: true, label: Purchase, details: {colour: {type: enum, options: [red, blue]}}}
  shop.entered: {details: {}}
"#;

async fn install(tenant: &Client, source: &str) {
    let planned = tenant.post("/packs/plan", &json!({"source": source})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
}

async fn contact(tenant: &Client, name: &str) -> String {
    create_id(tenant, "contact", json!({"first_name": name, "last_name": "Noether"})).await
}

async fn record(tenant: &Client, contact: &str, body: Value) -> Value {
    tenant.post(&format!("/records/contact/{contact}/activities"), &body).await.ok(201)
}

async fn timeline(tenant: &Client, contact: &str, query: &str) -> Value {
    tenant.get(&format!("/records/contact/{contact}/timeline?{query}")).await.ok(200)
}

/// What each entry says it is: its type, its text, or the event.
fn told(timeline: &Value) -> Vec<&str> {
    let word = |entry: &'_ Value| match entry["kind"].as_str().unwrap() {
        "activity" => "type",
        "note" => "text",
        _ => "event",
    };
    results(timeline).iter().map(|entry| entry[word(entry)].as_str().unwrap()).collect()
}

/// All entries of a timeline, some at a time.
async fn whole(tenant: &Client, contact: &str, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = timeline(tenant, contact, &format!("{query}{cursor}")).await;
        all.extend(results(&page).iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

fn is_newest_first(entries: &[Value]) -> bool {
    let at = |entry: &Value| entry["at"].as_str().unwrap().to_owned();
    entries.windows(2).all(|pair| at(&pair[0]) >= at(&pair[1]))
}

async fn types_of_packs_say_which_details_there_are(server: TestServer) {
    let tenant = server.tenant("generic").await;
    install(&tenant, SHOP).await;
    install(&tenant, MORE).await;
    let visitor = create_id(&tenant, "visitor", json!({"name": "Emmy"})).await;
    let path = format!("/records/visitor/{visitor}/activities");
    let quiet = Silence::begins(&tenant).await;
    let wrong = json!({"type": "item.bought", "at": "yesterday", "also": ["999999999"],
        "details": {"sku": "123456", "colour": "rad", "prise": 1, "basket": {"items": 1}}});
    let refused = tenant.post(&path, &wrong).await.problem(422, "validation_failed");
    let expected = ["/details/sku", "/details/colour", "/details/prise", "/details/price", "/at", "/also/0"];
    assert_eq!(refused.pointers(), expected, "{}", refused.body);
    assert!(refused.words().contains("did you mean `price`?"), "{}", refused.words());
    let refused = tenant.post(&path, &json!({"type": "item.bougt"})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/type".to_owned(), "unknown".to_owned())]);
    assert!(refused.words().contains("did you mean `item.bought`?"), "{}", refused.words());
    let refused = tenant.post(&path, &json!({"typ": "x", "details": {}})).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/type", "/typ"]);
    let wrong = json!({"type": "item.bought", "details": {"price": "1", "basket": {"item": 1}}});
    let refused = tenant.post(&path, &wrong).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/details/basket"]);
    // It happens to visitors alone.
    let other = contact(&tenant, "Ada").await;
    let elsewhere = json!({"type": "item.bought", "details": {"price": "1"}});
    let refused = tenant.post(&format!("/records/contact/{other}/activities"), &elsewhere).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/type"]);
    let beside = json!({"type": "item.bought", "details": {"price": "1"}, "also": [other]});
    let refused = tenant.post(&path, &beside).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/also/0".to_owned(), "not_applicable".to_owned())]);
    tenant.post("/records/visitor/999999999/activities", &elsewhere).await.problem(404, "not_found");
    assert_eq!(kinds(&quiet.broken_by().await), ["record.created"]);

    let body = json!({"type": "item.bought", "at": "2026-03-01T10:00:00+01:00",
        "details": {"price": 12.5, "colour": "blue", "basket": {"items": 2}}});
    let keyed = || tenant.post(&path, &body).header("idempotency-key", "once");
    let made = keyed().await;
    let activity = made.ok(201);
    let again = keyed().await;
    assert_eq!((again.header("idempotent-replayed"), again.ok(201)), ("true", activity.clone()));
    let expected = json!({"price": "12.50", "basket": {"items": 2}, "gift": false, "colour": "blue"});
    assert_eq!((&activity["details"], &activity["label"]), (&expected, &json!("Purchase")));
    assert_eq!((&activity["at"], &activity["kind"]), (&json!("2026-03-01T09:00:00.000000Z"), &json!("activity")));
    let page = tenant.get(&format!("/records/visitor/{visitor}/timeline")).await.ok(200);
    assert_eq!(told(&page), ["record.created", "item.bought"]);
    assert_eq!(results(&page)[1], activity);
    let change = &results(&page)[0];
    assert_eq!((&change["changes"], &change["source"]), (&json!({"name": [null, "Emmy"]}), &json!("api")));
    // The words of both packs filter.
    let of = async |kinds: &str| {
        let page = tenant.get(&format!("/records/visitor/{visitor}/timeline?kinds={kinds}")).await.ok(200);
        results(&page).len()
    };
    assert_eq!((of("item.bought").await, of("shop.entered").await, of("change,activity").await), (1, 0, 2));
    let refused = tenant.get(&format!("/records/visitor/{visitor}/timeline?kinds=item.bougt&afer=1")).await;
    assert_eq!(refused.problem(400, "bad_request").pointers(), ["/afer"]);
    let refused = tenant.get(&format!("/records/visitor/{visitor}/timeline?kinds=item.bougt")).await;
    let refused = refused.problem(400, "bad_request");
    assert!(refused.words().contains("did you mean `item.bought`?"), "{}", refused.words());
}

/// A record of an activity is one like any other, and what its type declares holds by whichever way it is written.
async fn details_are_what_their_type_declares_however_they_are_written(server: TestServer) {
    let tenant = server.tenant("generic").await;
    install(&tenant, SHOP).await;
    let visitor = create_id(&tenant, "visitor", json!({"name": "Emmy"})).await;
    let path = format!("/records/visitor/{visitor}/activities");
    let bought = json!({"type": "item.bought", "details": {"price": "1", "basket": {"items": 1}}});
    let made = id(&tenant.post(&path, &bought).await.ok(201));
    // What is wrong is counted as it is listed.
    let wrong = json!({"type": "item.bought", "details": {"price": "x", "sku": "123456"}});
    let refused = tenant.post(&path, &wrong).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/details/price", "/details/sku"], "{}", refused.body);
    assert!(refused.words().starts_with("2 problems;"), "{}", refused.words());

    for written in [" item.bought ", "Item.Bought"] {
        let wrong = json!({"properties": {"activity_type": written, "metadata": {"price": "x"}}});
        let refused = tenant.post("/records/activity", &wrong).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/properties/activity_type"], "{}", refused.body);
    }
    let record = format!("/records/activity/{made}");
    let wrong = json!({"price": "x", "sku": "123456", "basket": {"item": 1}, "prise": 2});
    let at = |before: &str, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!("{before}/properties/metadata/{name}")).collect()
    };
    let typed = |details: &Value| json!({"properties": {"activity_type": "item.bought", "metadata": details}});
    let quiet = Silence::begins(&tenant).await;
    let names = ["price", "sku", "prise"];
    let refused = tenant.patch(&record, &json!({"properties": {"metadata": wrong}})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), at("", &names));
    let refused = tenant.post("/records/activity", &typed(&wrong)).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), at("", &names));
    assert!(refused.words().contains("did you mean `price`?"), "{}", refused.words());
    let atomic = json!({"inputs": [typed(&json!({})), typed(&json!([1]))], "atomic": true});
    let refused = tenant.post("/records/activity/batch/create", &atomic).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/inputs/0/properties/metadata/price", "/inputs/1/properties/metadata"]);
    let operations = json!({"operations": [{"op": "update", "object": "activity", "id": made,
        "properties": {"metadata": {"price": "1", "basket": {"item": 1}}}}]});
    let refused = tenant.post("/transactions", &operations).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), at("/operations/0", &["basket"]));
    // Its type says what is taken, so another type is another question.
    let refused = tenant.patch(&record, &json!({"properties": {"activity_type": "call"}})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), at("", &["price", "basket", "gift"]));
    let upload = tenant.request(reqwest::Method::POST, "/imports?object=activity&format=ndjson");
    let upload = upload.bytes("application/x-ndjson", typed(&wrong).to_string()).await.ok(202);
    crate::fixture::jobs_are_done(&tenant).await;
    let errors = tenant.get(&format!("/jobs/{}/errors", id(&upload["job"]))).await;
    let row: Value = serde_json::from_str(errors.text.trim()).unwrap();
    let pointers: Vec<&str> =
        row["problems"].as_array().unwrap().iter().map(|problem| problem["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, at("", &names));
    quiet.holds().await;

    // They come to normal form, and what a type gives unless something else is said is given.
    let made = tenant.post("/records/activity", &typed(&json!({"price": 12.5}))).await.ok(201);
    assert_eq!(made["properties"]["metadata"], json!({"price": "12.50", "gift": false}));
    let path = format!("/records/activity/{}", id(&made));
    let changed = json!({"properties": {"metadata": {"price": "3", "sku": "A1"}}});
    let changed = tenant.patch(&path, &changed).await.ok(200);
    assert_eq!(changed["properties"]["metadata"], json!({"price": "3.00", "sku": "A1", "gift": false}));
    let told = tenant.patch(&path, &json!({"properties": {"description": "At the desk"}})).await.ok(200);
    assert_eq!(told["properties"]["metadata"], changed["properties"]["metadata"]);
    // Who is named is there, and may stay when that is not so any more.
    let seller = |user: &str| json!({"price": "1", "seller": user});
    let (_, mia) = tenant.user("mia", "member").await;
    let named = tenant.post("/records/activity", &typed(&seller(&mia))).await.ok(201);
    assert_eq!(named["properties"]["metadata"]["seller"], json!(mia));
    let refused = tenant.post("/records/activity", &typed(&seller("99999"))).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/properties/metadata/seller".to_owned(), "not_found".to_owned())]);
    let refused = tenant.post(
        &format!("/records/visitor/{visitor}/activities"),
        &json!({"type": "item.bought", "details": seller("99999")}),
    );
    assert_eq!(refused.await.problem(422, "validation_failed").pointers(), ["/details/seller"]);
    let refused = tenant.patch(&path, &json!({"properties": {"metadata": seller("99999")}})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/properties/metadata/seller"]);
    tenant.delete(&format!("/users/{mia}")).await.ok(204);
    let path = format!("/records/activity/{}", id(&named));
    tenant.patch(&path, &json!({"properties": {"description": "At the desk"}})).await.ok(200);
    let corrected = json!({"properties": {"metadata": {"price": "2", "seller": mia}}});
    assert_eq!(tenant.patch(&path, &corrected).await.ok(200)["properties"]["metadata"]["price"], "2.00");
    let refused = tenant.post("/records/activity", &typed(&seller(&mia))).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/properties/metadata/seller"]);

    // It happens to visitors alone, whichever end a link is made from.
    let other = contact(&tenant, "Ada").await;
    let about = |to: &str| json!([{"type": "activity_about", "to": to}]);
    let with = |to: &str| {
        let mut input = typed(&json!({"price": "1"}));
        input["associations"] = about(to);
        input
    };
    let quiet = Silence::begins(&tenant).await;
    let elsewhere = |at: &str| [(at.to_owned(), "not_applicable".to_owned())];
    let refused = tenant.post("/records/activity", &with(&other)).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), elsewhere("/associations/0/to"));
    assert_eq!(refused.body["detail"], "`item.bought` happens to records of visitor, not of `contact`");
    let refused = tenant.patch(&path, &json!({"associations": about(&other)})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), elsewhere("/associations/0/to"));
    let link = format!("{path}/associations/activity_about/{other}");
    assert_eq!(tenant.put(&link, &json!({})).await.problem(422, "validation_failed").errors(), elsewhere("/to"));
    let link = format!("/records/contact/{other}/associations/activity_about/{}", id(&named));
    assert_eq!(tenant.put(&link, &json!({})).await.problem(422, "validation_failed").errors(), elsewhere("/from"));
    let linked =
        json!({"properties": {"first_name": "Eve", "last_name": "Noether"}, "associations": about(&id(&named))});
    let refused = tenant.post("/records/contact", &linked).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), elsewhere("/associations/0/to"));
    quiet.holds().await;
    tenant.post("/records/activity", &with(&visitor)).await.ok(201);
    tenant.put(&format!("{path}/associations/activity_about/{visitor}"), &json!({})).await.ok(204);

    // Nor does it become of that type by a change or a merge.
    let called = json!({"properties": {"activity_type": "call"}, "associations": about(&other)});
    let called = id(&tenant.post("/records/activity", &called).await.ok(201));
    let quiet = Silence::begins(&tenant).await;
    let path = format!("/records/activity/{called}");
    let refused = tenant.patch(&path, &typed(&json!({"price": "1"}))).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), elsewhere("/properties/activity_type"));
    let update = json!({"inputs": [{"id": called, "properties": typed(&json!({"price": "1"}))["properties"]}]});
    let reply = tenant.post("/records/activity/batch/update", &update).await.ok(207);
    assert_eq!(results(&reply)[0]["error"]["errors"][0]["code"], "not_applicable", "{reply}");
    let merge = format!("/records/activity/{}/merge", id(&named));
    let refused = tenant.post(&merge, &json!({"from": [called]})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), elsewhere("/from"));
    quiet.holds().await;
    // A link that rests comes back, and one that goes in the same request does not count.
    tenant.delete(&format!("/records/contact/{other}")).await.ok(204);
    let refused = tenant.patch(&path, &typed(&json!({"price": "1"}))).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), elsewhere("/properties/activity_type"));
    tenant.post(&format!("/records/contact/{other}/restore"), &json!({})).await.ok(200);
    let operations = json!([{"op": "dissociate", "type": "activity_about", "from": called, "to": other},
        {"op": "update", "object": "activity", "id": called, "properties": typed(&json!({"price": "1"}))["properties"]}]);
    tenant.post("/transactions", &json!({"operations": operations})).await.ok(200);

    // The list of types is open; of one that nobody declares nothing is known.
    let open = json!({"properties": {"activity_type": "status_changed", "metadata": {"from": "a", "to": 7}}});
    let open = tenant.post("/records/activity", &open).await.ok(201);
    assert_eq!(open["properties"]["metadata"], json!({"from": "a", "to": 7}));
}

async fn one_activity_stands_on_all_timelines_newest_first(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (ada, eve, kim) = (contact(&tenant, "Ada").await, contact(&tenant, "Eve").await, contact(&tenant, "Kim").await);
    let uid = tenant.get(&format!("/records/contact/{kim}")).await.ok(200)["uid"].clone();
    let sent = json!({"type": "email.sent", "at": "2026-01-02T00:00:00Z", "details": {"subject": "Hello"},
        "also": [eve, uid, ada]});
    let sent = record(&tenant, &ada, sent).await;
    assert_eq!((&sent["record"]["object"], &sent["id"]), (&json!("activity"), &sent["record"]["id"]));
    record(&tenant, &ada, json!({"type": "email.opened", "at": "2026-01-01T00:00:00Z", "details": {}})).await;
    let note = json!({"properties": {"content": "Likes **rings**", "is_pinned": true},
        "associations": [{"type": "note_about", "to": ada}]});
    tenant.post("/records/note", &note).await.ok(201);
    let meeting = json!({"properties": {"title": "Lunch", "starts_at": "2025-05-05T12:00:00Z"},
        "associations": [{"type": "meeting_about", "to": ada}]});
    tenant.post("/records/meeting", &meeting).await.ok(201);
    let all = timeline(&tenant, &ada, "").await;
    assert_eq!(told(&all), ["Likes **rings**", "record.created", "email.sent", "email.opened", "meeting"]);
    let note = &results(&all)[0];
    assert_eq!(
        (&note["pinned"], &note["kind"], &note["record"]["object"]),
        (&json!(true), &json!("note"), &json!("note"))
    );
    assert_eq!(results(&all)[4]["label"], "Meeting");
    assert_eq!(results(&all)[2], sent);
    for other in [&eve, &kim] {
        assert_eq!(told(&timeline(&tenant, other, "kinds=activity").await), ["email.sent"]);
    }
    for (query, expected) in [
        ("kinds=email.opened,note", vec!["Likes **rings**", "email.opened"]),
        ("kinds=change", vec!["record.created"]),
        ("kinds=meeting", vec!["meeting"]),
        ("kinds=activity&after=2026-01-01T00:00:00Z", vec!["email.sent"]),
        ("after=2020-01-01T00:00:00Z&limit=1", vec!["Likes **rings**"]),
        ("after=2099-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(told(&timeline(&tenant, &ada, query).await), expected, "{query}");
    }
    // What happened at another time stands elsewhere from then on.
    let sent = id(&sent);
    let later = json!({"properties": {"occurred_at": "2024-01-01T00:00:00Z"}});
    tenant.patch(&format!("/records/activity/{sent}"), &later).await.ok(200);
    let all = timeline(&tenant, &ada, "kinds=activity").await;
    assert_eq!(told(&all), ["email.opened", "meeting", "email.sent"]);
    // A link more, and one less.
    let kims = format!("/records/activity/{sent}/associations/activity_about/{kim}");
    tenant.delete(&kims).await.ok(204);
    assert_eq!(told(&timeline(&tenant, &kim, "kinds=activity").await), [""; 0]);
    tenant.put(&kims, &json!({})).await.ok(204);
    assert_eq!(told(&timeline(&tenant, &kim, "kinds=activity").await), ["email.sent"]);
}

async fn pages_tell_each_entry_once_while_others_write(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = contact(&tenant, "Ada").await;
    let inputs: Vec<Value> = (0..300)
        .map(|number| {
            let at = format!("2025-01-01T00:{:02}:{:02}Z", number % 7, number % 60);
            let properties = json!({"activity_type": "call", "occurred_at": at, "description": number.to_string()});
            json!({"properties": properties, "associations": [{"type": "activity_about", "to": ada}]})
        })
        .collect();
    let made = tenant.post("/records/activity/batch/create", &json!({"inputs": inputs})).await.ok(207);
    let expected: BTreeSet<String> = results(&made).iter().map(|made| id(&made["record"])).collect();
    for number in 0..30 {
        tenant
            .patch(&format!("/records/contact/{ada}"), &json!({"properties": {"title": format!("{number}")}}))
            .await
            .ok(200);
    }
    let (mut all, mut cursor, mut turn) = (Vec::new(), String::new(), 0);
    loop {
        let page = timeline(&tenant, &ada, &format!("limit=17{cursor}")).await;
        all.extend(results(&page).iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // What is newer than the page is not in what comes after it.
        record(&tenant, &ada, json!({"type": "meeting", "details": {"title": turn.to_string()}})).await;
        turn += 1;
    }
    assert!(is_newest_first(&all));
    let (activities, changes): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|entry| entry["kind"] == "activity");
    let found: Vec<String> = activities.iter().map(|entry| id(entry)).collect();
    assert_eq!((found.len(), BTreeSet::from_iter(found)), (300, expected));
    assert_eq!(changes.len(), 31);
    let again = whole(&tenant, &ada, "limit=200").await;
    assert!(is_newest_first(&again));
    assert_eq!(again.len(), all.len() + turn);
    let refused = tenant.get(&format!("/records/contact/{ada}/timeline?cursor=x")).await.problem(400, "bad_request");
    assert_eq!(refused.pointers(), ["/cursor"]);
}

async fn what_the_caller_may_not_see_is_on_no_timeline(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let roles = [
        (
            "own",
            json!({"*": {"create": true, "read": "all", "update": "all", "archive": "all"},
            "activity": {"create": true, "read": "own", "update": "own", "archive": "own"}}),
            json!({}),
        ),
        (
            "blind",
            json!({"*": {"create": true, "read": "all", "update": "all", "archive": "all"}}),
            json!({"activity.metadata": {"read": false}, "contact.title": {"read": false}}),
        ),
        ("timeless", json!({"*": {"create": false, "read": "all"}}), json!({"activity.occurred_at": {"read": false}})),
        ("untyped", json!({"*": {"create": false, "read": "all"}}), json!({"activity.activity_type": {"read": false}})),
        (
            "no_notes",
            json!({"*": {"create": false, "read": "all"}, "note": {"create": false, "read": "none"}}),
            json!({}),
        ),
    ];
    for (name, objects, properties) in &roles {
        tenant
            .post("/roles", &json!({"name": name, "label": name, "objects": objects, "properties": properties}))
            .await
            .ok(201);
    }
    let ada = contact(&tenant, "Ada").await;
    tenant.patch(&format!("/records/contact/{ada}"), &json!({"properties": {"title": "Dean"}})).await.ok(200);
    record(&tenant, &ada, json!({"type": "call", "details": {"subject": "Rings"}})).await;
    let note = json!({"properties": {"content": "Secret"}, "associations": [{"type": "note_about", "to": ada}]});
    tenant.post("/records/note", &note).await.ok(201);
    let seen = async |role: &str, query: &str| {
        let (caller, _) = tenant.user(&format!("{role}{}", query.len()), role).await;
        timeline(&caller, &ada, query).await
    };
    let all = ["Secret", "call", "record.updated", "record.created"];
    assert_eq!(told(&timeline(&tenant, &ada, "").await), all);
    assert_eq!(told(&seen("own", "").await), ["Secret", "record.updated", "record.created"]);
    assert_eq!(told(&seen("no_notes", "").await), all[1..]);
    assert_eq!(told(&seen("timeless", "").await), ["Secret", "record.updated", "record.created"]);
    let blind = seen("blind", "").await;
    assert_eq!(told(&blind), all);
    assert_eq!((&results(&blind)[1]["details"], &results(&blind)[2]["changes"]), (&Value::Null, &json!({})));
    let untyped = seen("untyped", "").await;
    assert_eq!((results(&untyped).len(), &results(&untyped)[1]["type"]), (4, &Value::Null));
    assert_eq!(results(&seen("untyped", "kinds=call").await).len(), 0);
    // Another tenant knows of nothing.
    let other = server.tenant("generic").await;
    other.get(&format!("/records/contact/{ada}/timeline")).await.problem(404, "not_found");
    let uid = tenant.get(&format!("/records/contact/{ada}")).await.ok(200)["uid"].clone();
    let call = json!({"type": "call", "also": [uid]});
    other.post(&format!("/records/contact/{ada}/activities"), &call).await.problem(404, "not_found");
    let own = contact(&other, "Eve").await;
    let refused = other.post(&format!("/records/contact/{own}/activities"), &call).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/also/0"]);
    let (viewer, _) = tenant.user("viewer", "viewer").await;
    viewer
        .post(&format!("/records/contact/{ada}/activities"), &json!({"type": "call"}))
        .await
        .problem(403, "forbidden");
}

async fn activities_move_with_a_merge_and_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (ada, eve) = (contact(&tenant, "Ada").await, contact(&tenant, "Eve").await);
    record(&tenant, &ada, json!({"type": "call", "at": "2026-01-01T00:00:00Z"})).await;
    record(&tenant, &eve, json!({"type": "email.sent", "at": "2026-01-02T00:00:00Z"})).await;
    assert_eq!(told(&timeline(&tenant, &ada, "kinds=activity").await), ["call"]);
    tenant.post(&format!("/records/contact/{ada}/merge"), &json!({"from": [eve]})).await.ok(200);
    for way in [&ada, &eve] {
        assert_eq!(told(&timeline(&tenant, way, "kinds=activity").await), ["email.sent", "call"]);
    }
    assert_eq!(told(&timeline(&tenant, &ada, "kinds=change").await)[..1], ["record.merged"]);
    let of_loser = timeline(&tenant, &eve, "kinds=change").await;
    assert_eq!(told(&of_loser).iter().filter(|event| **event == "record.created").count(), 2);
    tenant.post(&format!("/records/contact/{ada}/unmerge"), &json!({"id": eve})).await.ok(200);
    assert_eq!(told(&timeline(&tenant, &ada, "kinds=activity").await), ["call"]);
    assert_eq!(told(&timeline(&tenant, &eve, "kinds=activity").await), ["email.sent"]);
}

async fn what_is_put_away_or_taken_back_stands_on_no_timeline(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = contact(&tenant, "Ada").await;
    let first = id(&record(&tenant, &ada, json!({"type": "call"})).await);
    let path = format!("/records/contact/{ada}/activities");
    let request = "recorded-by-mistake";
    tenant.post(&path, &json!({"type": "email.sent"})).header("x-request-id", request).await.ok(201);
    let activities = async || told(&timeline(&tenant, &ada, "kinds=activity").await).len();
    assert_eq!(activities().await, 2);
    tenant.delete(&format!("/records/activity/{first}")).await.ok(204);
    assert_eq!(activities().await, 1);
    tenant.post(&format!("/records/activity/{first}/restore"), &json!({})).await.ok(200);
    assert_eq!(activities().await, 2);
    tenant.post("/undo", &json!({"request_id": request})).await.ok(200);
    assert_eq!(told(&timeline(&tenant, &ada, "kinds=activity").await), ["call"]);
    tenant.delete(&format!("/records/activity/{first}?purge=true")).await.ok(204);
    assert_eq!(activities().await, 0);
    record(&tenant, &ada, json!({"type": "call"})).await;
    tenant.delete(&format!("/records/contact/{ada}")).await.ok(204);
    // What is archived is still read, and nothing more happens to it.
    assert_eq!(activities().await, 1);
    tenant.post(&path, &json!({"type": "call"})).await.problem(409, "conflict");
    tenant.delete(&format!("/records/contact/{ada}?purge=true")).await.ok(204);
    tenant.get(&format!("/records/contact/{ada}/timeline")).await.problem(404, "not_found");
}

async fn definition_that_declares_entries_later_has_those_that_are_there(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"name": {"type": "string"}, "seen_on": {"type": "date"}, "paid_on": {"type": "date"}});
    define(&tenant, json!({"name": "visit", "plural": "visits", "display": "{{ name }}", "properties": properties}))
        .await;
    let about = json!({"name": "visit_contact", "from": "visit", "to": "contact"});
    tenant.post("/association-definitions", &about).await.ok(201);
    let ada = contact(&tenant, "Ada").await;
    record(&tenant, &ada, json!({"type": "call", "at": "2026-02-01T00:00:00Z"})).await;
    let visit = async |name: &str, seen: &str, paid: &str| {
        let body = json!({"properties": {"name": name, "seen_on": seen, "paid_on": paid},
            "associations": [{"type": "visit_contact", "to": ada}]});
        id(&tenant.post("/records/visit", &body).await.ok(201))
    };
    let first = visit("First", "2026-01-01", "2026-03-01").await;
    visit("Second", "2026-03-01", "2026-01-01").await;
    assert_eq!(told(&timeline(&tenant, &ada, "kinds=activity").await), ["call"]);
    let path = "/object-definitions/visit";
    let wrong = json!({"entry": {"kind": "activity", "about": "visit_contct", "at": "name", "text": "nam"}});
    let refused = tenant.patch(path, &wrong).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/entry/at", "/entry/text"]);
    let entry = json!({"kind": "activity", "about": "visit_contact", "at": "seen_on", "text": "name"});
    let defined = tenant.patch(path, &json!({"entry": entry})).await.ok(200);
    assert_eq!(defined["entry"], entry);
    let texts = async || {
        let page = timeline(&tenant, &ada, "kinds=activity").await;
        results(&page).iter().map(|entry| entry["text"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts().await, ["Second", "-", "First"]);
    let uses = tenant.get("/object-definitions/visit/properties/seen_on/uses").await.ok(200);
    assert_eq!(
        (&results(&uses)[0]["kind"], &results(&uses)[0]["pointer"]),
        (&json!("entry"), &json!("/objects/visit/entry/at"))
    );
    // By another property they stand elsewhere.
    tenant.patch(path, &json!({"entry": {"at": "paid_on"}})).await.ok(200);
    assert_eq!(texts().await, ["First", "-", "Second"]);
    tenant.patch(&format!("/records/visit/{first}"), &json!({"properties": {"paid_on": null}})).await.ok(200);
    visit("Third", "2020-01-01", "2020-01-01").await;
    assert_eq!(texts().await, ["First", "-", "Second", "Third"]);
    tenant.patch(path, &json!({"entry": null})).await.ok(200);
    assert_eq!(texts().await, ["-"]);
    // An object that takes activities is needed for recording one.
    tenant.patch("/object-definitions/activity", &json!({"entry": {"details": null}})).await.ok(200);
    let refused = tenant.post(&format!("/records/contact/{ada}/activities"), &json!({"type": "call"})).await;
    assert!(refused.problem(409, "conflict").words().contains("no object takes activities"));
}

async fn audit_tells_who_did_what_from_where(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (member, user) = tenant.user("ada", "member").await;
    let ada = contact(&tenant, "Ada").await;
    for number in 0..5 {
        let body = json!({"properties": {"title": number.to_string()}});
        let caller = if number % 2 == 0 { &member } else { &*tenant };
        caller.patch(&format!("/records/contact/{ada}"), &body).header("user-agent", "probe/1").await.ok(200);
    }
    let path = format!("/records/contact/{ada}/audit");
    member.get(&path).await.problem(403, "forbidden");
    member.get("/audit").await.problem(403, "forbidden");
    let first = tenant.get(&format!("{path}?limit=4")).await.ok(200);
    let next = first["next_cursor"].as_str().unwrap();
    let second = tenant.get(&format!("{path}?limit=4&cursor={next}")).await.ok(200);
    assert_eq!((results(&first).len(), results(&second).len(), &second["next_cursor"]), (4, 2, &Value::Null));
    let newest = &results(&first)[0];
    assert_eq!((&newest["actor"], &newest["user_agent"]), (&json!(user), &json!("probe/1")));
    assert_eq!((&newest["changes"], &newest["ip"]), (&json!({"title": ["3", "4"]}), &json!("127.0.0.1")));
    assert_eq!(results(&second)[1]["kind"], "record.created");
    let all = tenant.get(&format!("/audit?user={user}&source=api&limit=2")).await.ok(200);
    let rest = tenant
        .get(&format!("/audit?user={user}&limit=2&cursor={}", all["next_cursor"].as_str().unwrap()))
        .await
        .ok(200);
    assert_eq!((results(&all).len(), results(&rest).len(), &rest["next_cursor"]), (2, 1, &Value::Null));
    assert!(results(&all).iter().chain(results(&rest)).all(|change| change["actor"] == json!(user)));
    assert_eq!(results(&tenant.get("/audit?until=2020-01-01T00:00:00Z").await.ok(200)).len(), 0);
    assert_eq!(results(&tenant.get("/audit?since=2099-01-01T00:00:00Z").await.ok(200)).len(), 0);
    let refused = tenant.get("/audit?since=today&usr=1").await.problem(400, "bad_request");
    assert_eq!(refused.pointers(), ["/since", "/usr"]);
}

scenarios![
    details_are_what_their_type_declares_however_they_are_written,
    types_of_packs_say_which_details_there_are,
    one_activity_stands_on_all_timelines_newest_first,
    pages_tell_each_entry_once_while_others_write,
    what_the_caller_may_not_see_is_on_no_timeline,
    activities_move_with_a_merge_and_back,
    what_is_put_away_or_taken_back_stands_on_no_timeline,
    definition_that_declares_entries_later_has_those_that_are_there,
    audit_tells_who_did_what_from_where,
];
