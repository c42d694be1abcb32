//! Merging: nothing is lost, ids lead on, and what was merged can be taken apart again.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{Silence, all_records, contact, create, create_id, define, define_thing, id, kinds, results};

async fn merge(tenant: &Client, winner: &str, body: Value) -> tests::Response {
    tenant.post(&format!("/records/contact/{winner}/merge"), &body).await
}

async fn unmerge(tenant: &Client, winner: &str, loser: &str) -> tests::Response {
    tenant.post(&format!("/records/contact/{winner}/unmerge"), &json!({"id": loser})).await
}

async fn read(tenant: &Client, id: &str) -> Value {
    tenant.get(&format!("/records/contact/{id}")).await.ok(200)
}

async fn link(tenant: &Client, from: (&str, &str), kind: &str, to: &str, body: Value) {
    let (object, from) = from;
    let reply = tenant.put(&format!("/records/{object}/{from}/associations/{kind}/{to}"), &body).await;
    assert!(reply.status < 300, "{}", reply.text);
}

/// Ids and labels of what a record is linked with.
async fn linked(tenant: &Client, object: &str, record: &str, kind: &str) -> Vec<(String, Value)> {
    let list = tenant.get(&format!("/records/{object}/{record}/associations/{kind}?limit=200")).await.ok(200);
    results(&list).iter().map(|link| (id(&link["record"]), link["label"].clone())).collect()
}

async fn found(tenant: &Client, body: Value) -> Vec<String> {
    let reply = tenant.post("/records/contact/search", &body).await.ok(200);
    let mut ids: Vec<String> = results(&reply).iter().map(id).collect();
    ids.sort();
    ids
}

async fn merged_record_has_what_both_had_and_ids_lead_on(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada =
        create(&tenant, "contact", json!({"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com"}))
            .await;
    let eve = json!({"first_name": "Eve", "last_name": "King", "email": "eve@example.com", "title": "Countess", "lead_score": 7});
    let eve = create(&tenant, "contact", eve).await;
    let zoe = create(
        &tenant,
        "contact",
        json!({"first_name": "Zoe", "last_name": "X", "title": "Dr", "phone": "+436601234567"}),
    )
    .await;
    let (winner, loser, third) = (id(&ada), id(&eve), id(&zoe));
    let quiet = Silence::begins(&tenant).await;
    let body = json!({"from": [loser, zoe["uid"]], "properties": {"last_name": loser, "email": loser}});
    let reply = merge(&tenant, &winner, body).await;
    let merged = reply.ok(200);
    assert_eq!(reply.header("etag"), "\"2\"");
    let expected = json!({"first_name": "Ada", "last_name": "King", "title": "Countess", "email": "eve@example.com",
        "phone": "+436601234567", "lead_score": 7});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(merged["properties"][name], *value, "{name}");
    }
    assert_eq!((&merged["id"], &merged["display_name"]), (&json!(winner), &json!("Ada King")));

    // Wherever an id is taken it leads on.
    let eves = id(&eve);
    for way in [eves.as_str(), eve["uid"].as_str().unwrap(), &third] {
        assert_eq!(read(&tenant, way).await, merged, "{way}");
    }
    let many =
        tenant.post("/records/contact/batch/read", &json!({"inputs": [{"id": eves}, {"id": winner}]})).await.ok(207);
    assert!(results(&many).iter().all(|result| result["record"]["id"] == json!(winner)), "{many}");
    assert_eq!(tenant.get("/records/contact/eve@example.com?id_property=email").await.ok(200), merged);
    tenant.get("/records/contact/ada@example.com?id_property=email").await.problem(404, "not_found");
    create(&tenant, "contact", contact("ada@example.com")).await;
    let patched = tenant.patch(&format!("/records/contact/{eves}"), &json!({"properties": {"title": "Lady"}})).await;
    assert_eq!((&patched.ok(200)["id"], &patched.ok(200)["properties"]["title"]), (&json!(winner), &json!("Lady")));
    let operation = json!({"op": "update", "object": "contact", "id": third, "properties": {"title": "Countess"}});
    tenant.post("/transactions", &json!({"operations": [operation]})).await.ok(200);
    assert_eq!(read(&tenant, &winner).await["properties"]["title"], "Countess");

    // Lists and searches have it once, whether archived ones are asked for or not.
    let listed: Vec<String> = all_records(&tenant, "contact").await.iter().map(id).collect();
    assert!(listed.contains(&winner) && listed.len() == 2, "{listed:?}");
    assert_eq!(results(&tenant.get("/records/contact?archived=true").await.ok(200)).len(), 0);
    assert_eq!(found(&tenant, json!({"q": "king"})).await, [winner.as_str()]);
    assert_eq!(found(&tenant, json!({"q": "zoe"})).await, Vec::<String>::new());
    assert_eq!(found(&tenant, json!({"archived": true})).await, Vec::<String>::new());

    // A loser is changed and restored under the name of the winner only.
    let restored = tenant.post(&format!("/records/contact/{eves}/restore"), &json!({})).await.ok(200);
    assert_eq!(restored["id"], json!(winner));
    let changes = quiet.broken_by().await;
    assert_eq!(kinds(&changes)[..3], ["record.archived", "record.archived", "record.merged"]);
    assert_eq!(changes[0]["changes"], json!({"merged_into": [null, winner]}));
    let told = &changes[2];
    assert_eq!((&told["record_id"], &told["changes"]["merged_from"]), (&json!(winner), &json!([null, [eves, third]])));
    assert_eq!(told["changes"]["last_name"], json!(["Byron", "King"]));
    assert_eq!(told["changes"]["title"], json!([null, "Countess"]));
}

async fn history_tells_of_the_merge_and_the_past_stays_as_it_was(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer", "label": "Size"}})).await;
    let one = create(&tenant, "thing", json!({"name": "One"})).await;
    let two = create(&tenant, "thing", json!({"name": "Two", "size": 2})).await;
    let (winner, loser) = (id(&one), id(&two));
    tenant.patch(&format!("/records/thing/{loser}"), &json!({"properties": {"name": "Second"}})).await.ok(200);
    let before = tenant.get(&format!("/records/thing/{winner}")).await.ok(200);
    tenant.post(&format!("/records/thing/{winner}/merge"), &json!({"from": [loser]})).await.ok(200);
    let told = |list: &Value| -> Vec<(String, Value)> {
        results(list)
            .iter()
            .map(|entry| (entry["property"].as_str().unwrap().to_owned(), entry["new"].clone()))
            .collect()
    };
    let of_winner = told(&tenant.get(&format!("/records/thing/{winner}/history")).await.ok(200));
    let expected = [("size", json!(2)), ("merged_from", json!([loser])), ("name", json!("One"))];
    assert_eq!(of_winner, expected.map(|(name, value)| (name.to_owned(), value)));
    let of_loser = told(&tenant.get(&format!("/records/thing/{loser}/history")).await.ok(200));
    let names: Vec<&str> = of_loser.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["size", "merged_from", "archived_at", "merged_into", "name", "name", "size", "name"]);
    let page = tenant.get(&format!("/records/thing/{loser}/history?limit=3")).await.ok(200);
    let rest = format!("/records/thing/{loser}/history?cursor={}", page["next_cursor"].as_str().unwrap());
    let pages = [told(&page), told(&tenant.get(&rest).await.ok(200))].concat();
    assert_eq!(pages, of_loser);
    let then = format!("/records/thing/{winner}?at={}", before["updated_at"].as_str().unwrap());
    let then = tenant.get(&then).await.ok(200);
    assert_eq!((&then["properties"], &then["version"]), (&before["properties"], &before["version"]));
}

async fn mistakes_are_told_all_at_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let winner = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let loser = create_id(&tenant, "contact", contact("eve@example.com")).await;
    let gone = create_id(&tenant, "contact", contact("gone@example.com")).await;
    tenant.delete(&format!("/records/contact/{gone}")).await;
    let company = create_id(&tenant, "company", json!({"name": "Acme"})).await;
    let quiet = Silence::begins(&tenant).await;
    let body = json!({"from": [loser, winner, loser, gone, company, "999999999", "x"],
        "properties": {"titel": loser, "email": company, "title": gone}});
    let problem = merge(&tenant, &winner, body).await.problem(422, "validation_failed");
    let expected = ["/from/1", "/from/2", "/from/3", "/from/4", "/from/5", "/from/6", "/properties/titel"];
    assert_eq!(problem.pointers()[..7], expected.map(str::to_owned));
    assert!(problem.words().contains("title"), "{}", problem.body);
    let problem = merge(&tenant, &winner, json!({"properties": {"title": 1.5}, "form": [loser]})).await;
    let problem = problem.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/properties/title", "/form", "/from"]);
    let stale = tenant.post(&format!("/records/contact/{winner}/merge"), &json!({"from": [loser]}));
    stale.header("if-match", "\"7\"").await.problem(412, "version_mismatch");
    unmerge(&tenant, &winner, &loser).await.problem(409, "conflict");
    unmerge(&tenant, &winner, "999999999").await.problem(404, "not_found");
    quiet.holds().await;
    tenant.delete(&format!("/records/contact/{winner}")).await;
    merge(&tenant, &winner, json!({"from": [loser]})).await.problem(409, "conflict");
}

async fn chain_of_merges_leads_to_the_last_and_comes_apart_link_by_link(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(
            create_id(
                &tenant,
                "contact",
                json!({"first_name": name, "last_name": "X", "email": format!("{name}@example.com")}),
            )
            .await,
        );
    }
    let [a, b, c] = <[String; 3]>::try_from(ids).unwrap();
    merge(&tenant, &b, json!({"from": [a]})).await.ok(200);
    merge(&tenant, &c, json!({"from": [a]})).await.ok(200);
    for id in [&a, &b, &c] {
        assert_eq!(read(&tenant, id).await["id"], json!(c));
    }
    let problem = merge(&tenant, &c, json!({"from": [b, a]})).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/from/0", "/from/1"]);
    let problem = unmerge(&tenant, &c, &a).await.problem(409, "conflict");
    assert!(problem.words().contains(&format!("into record {b}")), "{}", problem.body);
    assert_eq!(unmerge(&tenant, &c, &b).await.ok(200)["id"], json!(b));
    assert_eq!((&read(&tenant, &a).await["id"], &read(&tenant, &c).await["id"]), (&json!(b), &json!(c)));
    assert_eq!(unmerge(&tenant, &b, &a).await.ok(200)["properties"]["email"], "a@example.com");
    for id in [&a, &b, &c] {
        assert_eq!(read(&tenant, id).await["id"], json!(id));
        assert_eq!(read(&tenant, id).await["archived_at"], Value::Null);
    }
    assert_eq!(found(&tenant, json!({"q": "x"})).await.len(), 3);
    unmerge(&tenant, &b, &a).await.problem(409, "conflict");
}

async fn links_move_to_the_winner_and_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (ada, eve) = (
        create_id(&tenant, "contact", contact("ada@example.com")).await,
        create_id(&tenant, "contact", contact("eve@example.com")).await,
    );
    let mut deals = Vec::new();
    for name in ["Roof", "Wall", "Door"] {
        deals.push(create_id(&tenant, "deal", json!({"name": name})).await);
    }
    let [roof, wall, door] = <[String; 3]>::try_from(deals).unwrap();
    let (acme, bolt) = (
        create_id(&tenant, "company", json!({"name": "Acme"})).await,
        create_id(&tenant, "company", json!({"name": "Bolt"})).await,
    );
    let note = create_id(&tenant, "note", json!({"content": "Met her."})).await;
    link(&tenant, ("deal", &roof), "deal_contact", &ada, json!({"label": "primary"})).await;
    link(&tenant, ("deal", &roof), "deal_contact", &eve, json!({})).await;
    link(&tenant, ("deal", &wall), "deal_contact", &eve, json!({"label": "primary"})).await;
    link(&tenant, ("deal", &door), "deal_contact", &eve, json!({})).await;
    link(&tenant, ("contact", &ada), "contact_company", &acme, json!({})).await;
    link(&tenant, ("contact", &eve), "contact_company", &bolt, json!({})).await;
    link(&tenant, ("note", &note), "note_about", &eve, json!({})).await;
    let links = linked(&tenant, "contact", &eve, "deal_contact").await;
    let since = tenant.get(&format!("/records/deal/{wall}/associations/deal_contact")).await.ok(200);
    tenant.delete(&format!("/records/deal/{door}")).await;

    merge(&tenant, &ada, json!({"from": [eve]})).await.ok(200);
    let both = vec![(roof.clone(), json!("primary")), (wall.clone(), json!("primary"))];
    assert_eq!(linked(&tenant, "contact", &ada, "deal_contact").await, both, "the winner's own label holds");
    assert_eq!(linked(&tenant, "contact", &eve, "deal_contact").await, both);
    assert_eq!(linked(&tenant, "contact", &ada, "contact_company").await, [(acme.clone(), Value::Null)]);
    assert_eq!(linked(&tenant, "company", &bolt, "contact_company").await, []);
    assert_eq!(linked(&tenant, "note", &note, "note_about").await, [(ada.clone(), Value::Null)]);
    let now = tenant.get(&format!("/records/deal/{wall}/associations/deal_contact")).await.ok(200);
    assert_eq!(results(&now)[0]["created_at"], results(&since)[0]["created_at"], "it is the same link");
    tenant.post(&format!("/records/deal/{door}/restore"), &json!({})).await.ok(200);
    assert_eq!(linked(&tenant, "deal", &door, "deal_contact").await, [(ada.clone(), Value::Null)]);
    let of_wall =
        json!({"filter": {"association": "deal_contact", "match": {"property": "name", "op": "eq", "value": "Wall"}}});
    assert_eq!(found(&tenant, of_wall.clone()).await, [ada.as_str()]);

    // What comes to the winner stays, also by the loser's id; what went from it stays away.
    let shed = create_id(&tenant, "deal", json!({"name": "Shed"})).await;
    link(&tenant, ("deal", &shed), "deal_contact", &eve, json!({})).await;
    let path = format!("/records/deal/{door}/associations/deal_contact/{eve}");
    assert!(tenant.delete(&path).await.status < 300);
    assert_eq!(linked(&tenant, "deal", &door, "deal_contact").await, []);
    let parted = unmerge(&tenant, &ada, &eve).await.ok(200);
    assert_eq!((&parted["id"], &parted["archived_at"], parted.get("left_out")), (&json!(eve), &Value::Null, None));
    let without_door: Vec<_> = links.into_iter().filter(|(deal, _)| *deal != door).collect();
    assert_eq!(linked(&tenant, "contact", &eve, "deal_contact").await, without_door);
    let of_ada = linked(&tenant, "contact", &ada, "deal_contact").await;
    assert_eq!(of_ada, [(roof, json!("primary")), (shed, Value::Null)]);
    assert_eq!(linked(&tenant, "contact", &eve, "contact_company").await, [(bolt, Value::Null)]);
    assert_eq!(linked(&tenant, "contact", &ada, "contact_company").await, [(acme, Value::Null)]);
    assert_eq!(linked(&tenant, "note", &note, "note_about").await, [(eve.clone(), Value::Null)]);
    assert_eq!(found(&tenant, of_wall).await, [eve]);
}

async fn links_among_merged_records_vanish_and_come_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    let association = json!({"name": "leads", "from": "thing", "to": "thing", "label": "Leads", "inverse": "Led by",
        "cardinality": "one_to_many"});
    tenant.post("/association-definitions", &association).await.ok(201);
    let mut ids = Vec::new();
    for name in ["W", "L", "M", "X", "Y"] {
        ids.push(create_id(&tenant, "thing", json!({"name": name})).await);
    }
    let [w, l, m, x, y] = <[String; 5]>::try_from(ids).unwrap();
    for (from, to) in [(&w, &l), (&l, &m), (&m, &x), (&y, &w)] {
        link(&tenant, ("thing", from), "leads", to, json!({})).await;
    }
    let all = async || {
        let mut seen = Vec::new();
        for record in [&w, &l, &m, &x, &y] {
            let list = tenant.get(&format!("/records/thing/{record}/associations/leads?direction=out")).await.ok(200);
            seen.extend(results(&list).iter().map(|link| (record.clone(), id(&link["record"]))));
        }
        seen
    };
    let before = all().await;
    tenant.post(&format!("/records/thing/{w}/merge"), &json!({"from": [l, m]})).await.ok(200);
    let listed = tenant.get(&format!("/records/thing/{w}/associations/leads?direction=out")).await.ok(200);
    assert_eq!(results(&listed).iter().map(|link| id(&link["record"])).collect::<Vec<_>>(), [x.as_str()]);
    for loser in [&l, &m] {
        let reply = tenant.post(&format!("/records/thing/{w}/unmerge"), &json!({"id": loser})).await;
        assert_eq!(reply.ok(200).get("left_out"), None, "{}", reply.text);
    }
    assert_eq!(all().await, before);
}

async fn unmerging_gives_back_what_nobody_has_changed(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let rules = json!([{"unique": ["code"]}]);
    define(
        &tenant,
        json!({"name": "part", "label": "Part", "plural": "parts", "display": "{{ name }}",
        "properties": {"name": {"type": "string", "label": "Name"}, "code": {"type": "string", "label": "Code"},
            "size": {"type": "integer", "label": "Size"}, "color": {"type": "string", "label": "Color"},
            "number": {"type": "auto_number", "label": "Number", "pattern": "P-{000}"}},
        "constraints": rules}),
    )
    .await;
    let one = create(&tenant, "part", json!({"name": "One"})).await;
    let two = create(&tenant, "part", json!({"code": "X1", "size": 2, "color": "red"})).await;
    let (winner, loser) = (id(&one), id(&two));
    let path = |rest: &str| format!("/records/part/{winner}{rest}");
    let merged = tenant.post(&path("/merge"), &json!({"from": [loser]})).await.ok(200);
    let expected = json!({"name": "One", "code": "X1", "size": 2, "color": "red", "number": "P-001"});
    assert_eq!(merged["properties"], expected);
    tenant.patch(&path(""), &json!({"properties": {"size": 3}})).await.ok(200);
    let parted = tenant.post(&path("/unmerge"), &json!({"id": loser})).await.ok(200);
    assert_eq!(parted["properties"], json!({"code": "X1", "size": 2, "color": "red", "number": "P-002"}));
    assert_eq!(tenant.get(&path("")).await.ok(200)["properties"], json!({"name": "One", "size": 3, "number": "P-001"}));

    // A value that somebody else has taken meanwhile stays theirs.
    let chosen = json!({"from": [loser], "properties": {"code": winner}});
    tenant.post(&path("/merge"), &chosen).await.ok(200);
    let other = create_id(&tenant, "part", json!({"code": "X1"})).await;
    let problem = tenant.post(&path("/unmerge"), &json!({"id": loser})).await.problem(409, "conflict");
    assert!(problem.pointers() == ["/properties/code"] && problem.words().contains(&other), "{}", problem.body);
    tenant.patch(&format!("/records/part/{other}"), &json!({"properties": {"code": null}})).await.ok(200);
    tenant.post(&path("/unmerge"), &json!({"id": loser})).await.ok(200);
}

async fn purging_the_winner_erases_what_was_merged_into_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (winner, loser) = (
        create_id(&tenant, "contact", contact("ada@example.com")).await,
        create_id(&tenant, "contact", contact("eve@example.com")).await,
    );
    merge(&tenant, &winner, json!({"from": [loser]})).await.ok(200);
    let quiet = Silence::begins(&tenant).await;
    assert_eq!(tenant.delete(&format!("/records/contact/{loser}?purge=true")).await.status, 204);
    for id in [&winner, &loser] {
        tenant.get(&format!("/records/contact/{id}")).await.problem(404, "not_found");
    }
    let purged = quiet.broken_by().await;
    assert_eq!(kinds(&purged), ["record.purged", "record.purged"]);
    let all = tenant.get("/changes?after=0&wait=0").await.ok(200).to_string();
    assert!(!all.contains("eve@example.com") && !all.contains("ada@example.com"));
}

async fn no_link_is_lost_that_is_made_while_records_are_merged(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (winner, loser) = (
        create_id(&tenant, "contact", contact("ada@example.com")).await,
        create_id(&tenant, "contact", contact("eve@example.com")).await,
    );
    let mut deals = Vec::new();
    for n in 0..32 {
        deals.push(create_id(&tenant, "deal", json!({"name": format!("Deal {n}")})).await);
    }
    let writers = deals.iter().map(|deal| {
        let request = tenant.put(&format!("/records/deal/{deal}/associations/deal_contact/{loser}"), &json!({}));
        async move { request.await.status }
    });
    let merging = merge(&tenant, &winner, json!({"from": [loser]}));
    let (merged, statuses) = futures::join!(merging, futures::future::join_all(writers));
    merged.ok(200);
    assert!(statuses.iter().all(|status| *status < 300), "{statuses:?}");
    let mut seen: Vec<String> =
        linked(&tenant, "contact", &winner, "deal_contact").await.into_iter().map(|link| link.0).collect();
    seen.sort_by_key(|id| id.parse::<u64>().unwrap());
    assert_eq!(seen, deals);
    for deal in &deals {
        assert_eq!(linked(&tenant, "deal", deal, "deal_contact").await, [(winner.clone(), Value::Null)]);
    }
}

async fn what_does_not_fit_any_more_stays_in(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"kind": {"type": "enum", "options": ["x", "y", "z"]}, "size": {"type": "integer"},
        "code": {"type": "string"}});
    define_thing(&tenant, properties).await;
    let pipeline = json!({"name": "main", "default": true, "stages": [{"name": "a"}, {"name": "b"}]});
    tenant.post("/pipelines/thing", &pipeline).await.ok(201);
    let winner = create_id(&tenant, "thing", json!({"name": "W", "kind": "x", "size": 1, "code": "w"})).await;
    let loser = create_id(&tenant, "thing", json!({"name": "L", "kind": "z", "size": 500, "stage": "b"})).await;
    let before = tenant.get(&format!("/records/thing/{loser}")).await.ok(200)["properties"].clone();
    tenant.post(&format!("/records/thing/{winner}/merge"), &json!({"from": [loser]})).await.ok(200);
    let definition = "/object-definitions/thing/properties";
    let changes = [
        (format!("{definition}/kind"), json!({"options": ["x", "y"]})),
        (format!("{definition}/size"), json!({"maximum": 100})),
        (format!("{definition}/code"), json!({"required": true})),
        ("/pipelines/thing/main".to_owned(), json!({"stages": {"b": null}})),
    ];
    for (path, change) in &changes {
        tenant.patch(path, change).await.ok(200);
    }
    let quiet = Silence::begins(&tenant).await;
    let unmerge = async || tenant.post(&format!("/records/thing/{winner}/unmerge"), &json!({"id": loser})).await;
    let refused = unmerge().await.problem(409, "conflict");
    let codes: Vec<String> = refused.errors().into_iter().map(|(at, code)| format!("{at} {code}")).collect();
    assert_eq!(codes.len(), 4, "{codes:?}");
    assert!(codes.iter().all(|code| code.starts_with("/id ")), "{codes:?}");
    let told = refused.body["errors"].to_string();
    for property in ["kind", "size", "code", "stage"] {
        assert!(told.contains(&format!("record {loser} as it was does not fit: `{property}`: ")), "{told}");
    }
    quiet.holds().await;
    // Once it fits again it comes out as it was.
    let back = [
        (format!("{definition}/kind"), json!({"options": ["x", "y", "z"]})),
        (format!("{definition}/size"), json!({"maximum": null})),
        (format!("{definition}/code"), json!({"required": false})),
        ("/pipelines/thing/main".to_owned(), json!({"stages": {"b": "B"}})),
    ];
    for (path, change) in &back {
        tenant.patch(path, change).await.ok(200);
    }
    assert_eq!(unmerge().await.ok(200)["properties"], before);
}

async fn merging_asks_for_the_right_to_change_and_to_archive(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let member =
        tenant.post("/users", &json!({"name": "Mia", "email": "mia@example.com", "role": "member"})).await.ok(201);
    let token = tenant.post("/tokens", &json!({"name": "mia", "user": member["id"]})).await.ok(201);
    let mia = tenant.with_token(token["secret"].as_str().unwrap());
    let (own, other) = (
        create_id(&mia, "contact", contact("ada@example.com")).await,
        create_id(&tenant, "contact", contact("eve@example.com")).await,
    );
    let owner = tenant.get("/tenant").await.ok(200)["user"]["id"].clone();
    tenant.patch(&format!("/records/contact/{other}"), &json!({"owner_id": owner})).await.ok(200);
    let quiet = Silence::begins(&tenant).await;
    merge(&mia, &own, json!({"from": [other]})).await.problem(403, "forbidden");
    merge(&mia, &other, json!({"from": [own]})).await.problem(403, "forbidden");
    quiet.holds().await;
    merge(&tenant, &own, json!({"from": [other]})).await.ok(200);
    assert_eq!(read(&tenant, &own).await["owner_id"], owner, "an owner is taken over where there is none");
}

scenarios![
    what_does_not_fit_any_more_stays_in,
    merged_record_has_what_both_had_and_ids_lead_on,
    history_tells_of_the_merge_and_the_past_stays_as_it_was,
    mistakes_are_told_all_at_once,
    chain_of_merges_leads_to_the_last_and_comes_apart_link_by_link,
    links_move_to_the_winner_and_back,
    links_among_merged_records_vanish_and_come_back,
    unmerging_gives_back_what_nobody_has_changed,
    purging_the_winner_erases_what_was_merged_into_it,
    no_link_is_lost_that_is_made_while_records_are_merged,
    merging_asks_for_the_right_to_change_and_to_archive,
];
