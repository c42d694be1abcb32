//! Records: made, read, listed, changed, archived, restored, erased.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{
    Silence, all_records, changes_after, contact, create, create_id, define, define_thing, id, kinds, results, sequence,
};

async fn record_lives_and_each_step_is_logged_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let quiet = Silence::begins(&tenant).await;
    let reply = tenant.post("/records/contact", &json!({"properties": contact("ADA@Example.com")})).await;
    let record = reply.ok(201);
    assert_eq!(reply.header("etag"), "\"1\"");
    let expected =
        json!({"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "contact_status": "active"});
    assert_eq!(record["properties"], expected);
    assert_eq!((&record["object"], &record["display_name"]), (&json!("contact"), &json!("Ada Lovelace")));
    assert_eq!((&record["version"], &record["archived_at"]), (&json!(1), &Value::Null));
    assert!(id(&record).bytes().all(|digit| digit.is_ascii_digit()), "{record}");
    assert_eq!(uuid::Uuid::parse_str(record["uid"].as_str().unwrap()).unwrap().get_version_num(), 7);
    assert_moment(&record["created_at"]);
    assert_eq!((&record["updated_at"], &record["updated_by"]), (&record["created_at"], &record["created_by"]));

    let path = format!("/records/contact/{}", id(&record));
    for way in [
        path.clone(),
        format!("/records/contact/{}", record["uid"].as_str().unwrap()),
        "/records/contact/Ada@example.com?id_property=email".to_owned(),
    ] {
        assert_eq!(tenant.get(&way).await.ok(200), record, "{way}");
    }
    let patched = tenant.patch(&path, &json!({"properties": {"last_name": "King", "email": null}})).await;
    assert_eq!(
        patched.ok(200)["properties"],
        json!({"first_name": "Ada", "last_name": "King", "contact_status": "active"})
    );
    assert_eq!((patched.ok(200)["version"].clone(), patched.header("etag")), (json!(2), "\"2\""));
    let again = tenant.patch(&path, &json!({"properties": {"last_name": "King"}})).await;
    assert_eq!(again.ok(200), patched.ok(200), "a patch that changes nothing makes no version");
    assert_eq!(again.sequence(), patched.sequence());

    assert!(matches!(tenant.delete(&path).await.status, 200 | 204));
    assert_moment(&tenant.get(&path).await.ok(200)["archived_at"]);
    assert_eq!(all_records(&tenant, "contact").await, Vec::<Value>::new());
    assert_eq!(results(&tenant.get("/records/contact?archived=true").await.ok(200)).len(), 1);
    tenant.post(&format!("{path}/restore"), &json!({})).await.ok(200);
    assert_eq!(tenant.get(&path).await.ok(200)["archived_at"], Value::Null);
    assert_eq!(all_records(&tenant, "contact").await.len(), 1);

    let changes = quiet.broken_by().await;
    assert_eq!(kinds(&changes), ["record.created", "record.updated", "record.archived", "record.restored"]);
    assert!(changes.iter().all(|change| change["record_id"] == record["id"] && change["object"] == "contact"));
    assert_eq!(changes[1]["changes"], json!({"last_name": ["Lovelace", "King"], "email": ["ada@example.com", null]}));
    assert_eq!(sequence(&changes[1]), patched.sequence());
}

async fn unique_value_belongs_to_one_record_at_a_time(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let first = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let quiet = Silence::begins(&tenant).await;
    let taken = tenant
        .post("/records/contact", &json!({"properties": contact("ADA@example.com")}))
        .await
        .problem(409, "conflict");
    assert_eq!(taken.pointers(), ["/properties/email"]);
    assert!(
        taken.body.to_string().contains(&format!("\"{first}\"")) || taken.words().contains(&first),
        "the holder is named: {}",
        taken.body
    );
    quiet.holds().await;
    let second = create_id(&tenant, "contact", contact("grace@example.com")).await;
    let patch = json!({"properties": {"email": "ada@example.com"}});
    tenant.patch(&format!("/records/contact/{second}"), &patch).await.problem(409, "conflict");
    tenant.delete(&format!("/records/contact/{first}")).await;
    tenant.patch(&format!("/records/contact/{second}"), &patch).await.ok(200);
    tenant.post(&format!("/records/contact/{first}/restore"), &json!({})).await.problem(409, "conflict");
    tenant.patch(&format!("/records/contact/{second}"), &json!({"properties": {"email": null}})).await.ok(200);
    tenant.post(&format!("/records/contact/{first}/restore"), &json!({})).await.ok(200);
}

async fn of_many_who_want_a_unique_value_one_gets_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let body = json!({"properties": contact("ada@example.com")});
    let tries = (0..20).map(|_| async { tenant.post("/records/contact", &body).await.status });
    let mut statuses = futures::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![201], vec![409; 19]].concat());
    assert_eq!(all_records(&tenant, "contact").await.len(), 1);
}

async fn concurrent_patches_of_one_record_all_land(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties: Value = (0..20)
        .map(|n| (format!("p{n}"), json!({"type": "integer", "label": "P"})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    define_thing(&tenant, properties).await;
    let path = format!("/records/thing/{}", create_id(&tenant, "thing", json!({"name": "One"})).await);
    let patches = (0..20).map(|n| {
        let body = json!({"properties": {format!("p{n}"): n}});
        let request = tenant.patch(&path, &body);
        async move { request.await.ok(200) }
    });
    futures::future::join_all(patches).await;
    let record = tenant.get(&path).await.ok(200);
    assert_eq!(record["version"], 21);
    for n in 0..20 {
        assert_eq!(record["properties"][format!("p{n}")], n);
    }
}

async fn write_is_conditional_on_the_version_it_names(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let path = format!("/records/contact/{}", create_id(&tenant, "contact", contact("ada@example.com")).await);
    let patch = |name: &str| json!({"properties": {"first_name": name}});
    tenant.patch(&path, &patch("Eve")).header("if-match", "\"7\"").await.problem(412, "version_mismatch");
    let patched = tenant.patch(&path, &patch("Grace")).header("if-match", "\"1\"").await;
    assert_eq!((patched.status, patched.header("etag")), (200, "\"2\""));
    tenant.delete(&path).header("if-match", "\"1\"").await.problem(412, "version_mismatch");
    tenant.patch(&path, &patch("Eve")).header("if-match", "seven").await.problem(400, "bad_request");
    assert_eq!(tenant.get(&path).await.ok(200)["display_name"], "Grace Lovelace");
}

async fn put_creates_or_updates_by_a_unique_property(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let first = tenant
        .put("/records/contact?id_property=email", &json!({"properties": contact("ada@example.com")}))
        .await
        .ok(201);
    let second = json!({"properties": {"email": "Ada@example.com", "last_name": "King"}});
    let second = tenant.put("/records/contact?id_property=email", &second).await.ok(200);
    assert_eq!((&second["id"], &second["version"]), (&first["id"], &json!(2)));
    assert_eq!(second["display_name"], "Ada King");
    assert_eq!(all_records(&tenant, "contact").await.len(), 1);
    let quiet = Silence::begins(&tenant).await;
    tenant
        .put("/records/contact?id_property=email", &json!({"properties": {"first_name": "Ada"}}))
        .await
        .problem(422, "validation_failed");
    for path in ["/records/contact?id_property=first_name", "/records/contact?id_property=emial", "/records/contact"] {
        let status = tenant.put(path, &json!({"properties": contact("x@example.com")})).await.status;
        assert!(matches!(status, 400 | 405 | 422), "{path}: {status}");
    }
    quiet.holds().await;
}

async fn all_mistakes_are_reported_at_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let quiet = Silence::begins(&tenant).await;
    let body = json!({
        "properties": {"frist_name": "Ada", "email": "nobody", "lead_score": 101, "contact_status": "activ", "tags": "x"},
        "ower_id": "7",
    });
    let problem = tenant.post("/records/contact", &body).await.problem(422, "validation_failed");
    let pointers: BTreeSet<String> = problem.pointers().into_iter().collect();
    let expected = [
        "/ower_id",
        "/properties/contact_status",
        "/properties/email",
        "/properties/first_name",
        "/properties/frist_name",
        "/properties/last_name",
        "/properties/lead_score",
        "/properties/tags",
    ];
    assert_eq!(pointers, expected.map(str::to_owned).into());
    for nearest in ["first_name", "owner_id", "active"] {
        assert!(problem.words().contains(nearest), "no {nearest} in {}", problem.words());
    }
    let nothing = json!({"properties": {"first_name": "", "last_name": null}});
    let problem = tenant.post("/records/contact", &nothing).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/properties/first_name", "/properties/last_name"]);
    let unknown = tenant.get("/records/contcat").await.problem(404, "not_found");
    assert!(unknown.words().contains("contact"), "{}", unknown.body);
    quiet.holds().await;
}

async fn list_is_paged_in_the_order_of_ids(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(create_id(&tenant, "contact", contact(&format!("c{n}@example.com"))).await);
    }
    let mut seen: Vec<Vec<String>> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = tenant.get(&format!("/records/contact?limit=3&select=email{cursor}")).await.ok(200);
        assert!(
            results(&page).iter().all(|record| record["properties"].as_object().unwrap().keys().eq(["email"])),
            "{page}"
        );
        seen.push(results(&page).iter().map(id).collect());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids.chunks(3).map(<[String]>::to_vec).collect::<Vec<_>>());
    for (query, word) in [
        ("limit=0", ""),
        ("limit=201", "200"),
        ("limit=x", ""),
        ("cursor=forged", ""),
        ("limt=3", "limit"),
        ("select=emial", "email"),
    ] {
        let problem = tenant.get(&format!("/records/contact?{query}")).await.problem(400, "bad_request");
        assert!(problem.words().contains(word), "{query}: {}", problem.body);
    }
}

async fn past_is_kept(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let record = create(&tenant, "contact", contact("ada@example.com")).await;
    let path = format!("/records/contact/{}", id(&record));
    let patched =
        tenant.patch(&path, &json!({"properties": {"last_name": "King"}})).header("x-request-id", "the-wedding").await;
    assert_eq!(patched.header("x-request-id"), "the-wedding");
    let history = tenant.get(&format!("{path}/history")).await.ok(200);
    let last_names: Vec<&Value> = results(&history).iter().filter(|entry| entry["property"] == "last_name").collect();
    assert_eq!(last_names.len(), 2, "{history}");
    let wedding = last_names.iter().find(|entry| entry["new"] == "King").unwrap();
    assert_eq!(
        (&wedding["old"], &wedding["source"], &wedding["request_id"]),
        (&json!("Lovelace"), &json!("api"), &json!("the-wedding"))
    );
    assert_eq!(wedding["at"], patched.ok(200)["updated_at"]);
    let then = record["created_at"].as_str().unwrap();
    let before = tenant.get(&format!("{path}?at={then}")).await.ok(200);
    assert_eq!(before["properties"], record["properties"]);
    let now = tenant.get(&format!("{path}?at={}", patched.ok(200)["updated_at"].as_str().unwrap())).await.ok(200);
    assert_eq!(now["properties"]["last_name"], "King");
    tenant.get(&format!("{path}?at=2001-01-01T00:00:00Z")).await.problem(404, "not_found");
    tenant.get(&format!("{path}?at=yesterday-ish")).await.problem(400, "bad_request");
    let linked = tenant.get(&format!("{path}?at={then}&include=company")).await.problem(400, "bad_request");
    assert_eq!(linked.pointers(), ["/include"]);
}

async fn purged_record_leaves_no_trace_of_its_values(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"first_name": "Xanthippe", "last_name": "Unforgettable", "email": "xanthippe@example.com"});
    let path = format!("/records/contact/{}", create_id(&tenant, "contact", properties).await);
    tenant.patch(&path, &json!({"properties": {"last_name": "Memorable"}})).await.ok(200);
    let (member, _) = tenant.user("mel", "member").await;
    member.delete(&format!("{path}?purge=true")).await.problem(403, "forbidden");
    let purged = tenant.delete(&format!("{path}?purge=true")).await;
    assert!(matches!(purged.status, 200 | 204), "{}", purged.text);
    tenant.get(&path).await.problem(404, "not_found");
    tenant.get(&format!("{path}/history")).await.problem(404, "not_found");
    tenant.post(&format!("{path}/restore"), &json!({})).await.problem(404, "not_found");
    let changes = changes_after(&tenant, 0).await;
    assert_eq!(kinds(&changes).last(), Some(&"record.purged"));
    let text = serde_json::to_string(&changes).unwrap();
    for value in ["Xanthippe", "Unforgettable", "Memorable", "xanthippe@example.com"] {
        assert!(!text.contains(value), "{value} is still in the log");
    }
    create(&tenant, "contact", json!({"first_name": "A", "last_name": "B", "email": "xanthippe@example.com"})).await;
}

async fn constraints_hold(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define(
        &tenant,
        json!({
            "name": "stay", "label": "Stay", "plural": "stays",
            "properties": {
                "room": {"type": "string", "label": "Room", "required": true},
                "guest": {"type": "string", "label": "Guest"},
                "from": {"type": "date", "label": "From", "required": true},
                "to": {"type": "date", "label": "To", "required": true},
            },
            "constraints": [
                {"unique": ["guest", "from"]},
                {"rule": "to > from", "message": "Nobody leaves before they come.", "at": "to"},
                {"no_overlap": {"within": "room", "from": "from", "to": "to"}},
            ],
        }),
    )
    .await;
    let stay = |room: &str, guest: &str, from: &str, to: &str| json!({"properties": {"room": room, "guest": guest, "from": from, "to": to}});
    let first = id(&tenant.post("/records/stay", &stay("1", "Ada", "2026-05-01", "2026-05-04")).await.ok(201));
    let quiet = Silence::begins(&tenant).await;
    let backwards = tenant
        .post("/records/stay", &stay("2", "Eve", "2026-05-04", "2026-05-01"))
        .await
        .problem(422, "validation_failed");
    assert_eq!(backwards.pointers(), ["/properties/to"]);
    assert!(backwards.words().contains("Nobody leaves before they come."), "{}", backwards.body);
    let overlap =
        tenant.post("/records/stay", &stay("1", "Eve", "2026-05-03", "2026-05-05")).await.problem(409, "conflict");
    assert!(overlap.body.to_string().contains(&first), "the stay in the way is named: {}", overlap.body);
    tenant.post("/records/stay", &stay("2", "Ada", "2026-05-01", "2026-05-02")).await.problem(409, "conflict");
    quiet.holds().await;
    tenant.post("/records/stay", &stay("1", "Eve", "2026-05-04", "2026-05-05")).await.ok(201);
    let tries = (0..10).map(|n| {
        let request = tenant.post("/records/stay", &stay("3", &format!("Guest {n}"), "2026-06-01", "2026-06-09"));
        async move { request.await.status }
    });
    let mut statuses = futures::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![201], vec![409; 9]].concat());
}

async fn auto_numbers_are_given_once_under_concurrency(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"number": {"type": "auto_number", "label": "Number", "pattern": "INV-{00000}"}}))
        .await;
    let creations = (0..30).map(|n| {
        let tenant: &Client = &tenant;
        async move { create(tenant, "thing", json!({"name": format!("Thing {n}")})).await }
    });
    let records = futures::future::join_all(creations).await;
    let mut numbers: Vec<&str> =
        records.iter().map(|record| record["properties"]["number"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 30);
    assert!(
        numbers
            .iter()
            .all(|number| number.len() == 9 && number.starts_with("INV-0000") || number.starts_with("INV-000")),
        "{numbers:?}"
    );
    let own = json!({"properties": {"name": "Own", "number": "INV-99999"}});
    assert_eq!(
        tenant.post("/records/thing", &own).await.problem(422, "validation_failed").pointers(),
        ["/properties/number"]
    );
}

async fn users_that_do_not_exist_are_told_with_all_else(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"reviewer": {"type": "user", "label": "Reviewer"}})).await;
    let quiet = Silence::begins(&tenant).await;
    let body = json!({"owner_id": "998", "properties": {"reviewer": "999", "colour": "red"}});
    let problem = tenant.post("/records/thing", &body).await.problem(422, "validation_failed");
    let mut pointers = problem.pointers();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/owner_id", "/properties/colour", "/properties/name", "/properties/reviewer"]);
    quiet.holds().await;
    let user = json!({"name": "Rae", "email": "rae@example.com", "role": "member"});
    let user = tenant.post("/users", &user).await.ok(201);
    let thing = create(&tenant, "thing", json!({"name": "a", "reviewer": user["id"]})).await;
    tenant.delete(&format!("/users/{}", id(&user))).await;
    let path = format!("/records/thing/{}", id(&thing));
    let same = json!({"properties": {"name": "b", "reviewer": user["id"]}});
    assert_eq!(tenant.patch(&path, &same).await.ok(200)["properties"]["reviewer"], user["id"]);
    let again = json!({"properties": {"name": "c", "reviewer": user["id"]}});
    let problem = tenant.post("/records/thing", &again).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/properties/reviewer"]);
}

async fn markdown_is_shown_as_html_that_is_safe(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let content = "Call **Ada** <script>alert(1)</script>\n\n[site](https://example.com) [x](javascript:alert(1))";
    let html = "<p>Call <strong>Ada</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n\
        <p><a href=\"https://example.com\">site</a> <a href=\"#\">x</a></p>\n";
    let note = create_id(&tenant, "note", json!({"content": content, "is_pinned": true})).await;
    let plain = tenant.get(&format!("/records/note/{note}")).await.ok(200);
    assert_eq!((&plain["properties"]["content"], plain.get("html")), (&json!(content), None));
    for path in
        [format!("/records/note/{note}?html=true"), format!("/records/note/{note}?html=true&at=2099-01-01T00:00:00Z")]
    {
        let shown = tenant.get(&path).await.ok(200);
        assert_eq!((&shown["html"], &shown["properties"]["content"]), (&json!({"content": html}), &json!(content)));
    }
    let listed = tenant.get("/records/note?html=true").await.ok(200);
    assert_eq!(results(&listed)[0]["html"]["content"], html);
    // What is not shown is not shown as HTML either.
    let narrow = tenant.get(&format!("/records/note/{note}?html=true&select=is_pinned")).await.ok(200);
    assert_eq!(narrow["html"], json!({}));
    let deal = create_id(&tenant, "deal", json!({"name": "<b>"})).await;
    assert_eq!(tenant.get(&format!("/records/deal/{deal}?html=true")).await.ok(200)["html"], json!({}));
    let role =
        json!({"name": "blind", "objects": {"*": {"read": "all"}}, "properties": {"note.content": {"read": false}}});
    tenant.post("/roles", &role).await.ok(201);
    let (blind, _) = tenant.user("blind", "blind").await;
    assert_eq!(blind.get(&format!("/records/note/{note}?html=true")).await.ok(200)["html"], json!({}));
}

scenarios![
    markdown_is_shown_as_html_that_is_safe,
    record_lives_and_each_step_is_logged_once,
    users_that_do_not_exist_are_told_with_all_else,
    unique_value_belongs_to_one_record_at_a_time,
    of_many_who_want_a_unique_value_one_gets_it,
    concurrent_patches_of_one_record_all_land,
    write_is_conditional_on_the_version_it_names,
    put_creates_or_updates_by_a_unique_property,
    all_mistakes_are_reported_at_once,
    list_is_paged_in_the_order_of_ids,
    past_is_kept,
    purged_record_leaves_no_trace_of_its_values,
    constraints_hold,
    auto_numbers_are_given_once_under_concurrency,
];

/// `2026-05-04T03:02:01.000000Z`: RFC 3339 in UTC with microseconds.
#[track_caller]
pub(crate) fn assert_moment(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("no moment: {value}"));
    let shape: String = text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000Z");
}
