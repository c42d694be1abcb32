//! Duplicates: what a record resembles, what happens when one is made, and pairs that scans find.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use crate::fixture::{Silence, cancelled_under_way, create_id, define, id, jobs_are_done, killed_under_way, results};

/// An object whose records are visitors, with these rules.
async fn visitors(tenant: &Tenant, duplicates: Value) {
    let definition = json!({
        "name": "visitor", "label": "Visitor", "plural": "visitors", "display": "{{ given }} {{ name }}",
        "features": {"duplicates": duplicates},
        "properties": {"given": {"type": "string"}, "name": {"type": "string"}, "mail": {"type": "email"},
            "phone": {"type": "phone"}, "mobile": {"type": "phone"}, "secret": {"type": "string", "sensitive": true}},
    });
    define(tenant, definition).await;
}

async fn check(caller: &Client, object: &str, properties: Value) -> Value {
    caller.post(&format!("/duplicates/{object}/check"), &json!({"properties": properties})).await.ok(200)
}

/// Ids and scores of what was found.
fn found(reply: &Value) -> Vec<(&str, i64)> {
    let told = |one: &'_ Value| (one["record"]["id"].as_str().unwrap().to_owned(), one["score"].as_i64().unwrap());
    results(reply).iter().map(|one| (one["record"]["id"].as_str().unwrap(), told(one).1)).collect()
}

async fn scan(tenant: &Tenant, object: &str) {
    let reply = tenant.request(Method::POST, &format!("/duplicates/{object}/scan")).await.ok(202);
    assert_eq!((&reply["job"]["kind"], &reply["job"]["spec"]["object"]), (&json!("duplicate_scan"), &json!(object)));
    jobs_are_done(tenant).await;
}

/// Ids of pairs, with their scores, page by page.
async fn pairs(caller: &Client, object: &str, query: &str) -> Vec<(String, String, i64)> {
    let mut all = Vec::new();
    let mut path = format!("/duplicates/{object}?{query}");
    loop {
        let page = caller.get(&path).await.ok(200);
        all.extend(results(&page).iter().map(|pair| {
            let id = |at: usize| id(&pair["records"][at]);
            (id(0), id(1), pair["score"].as_i64().unwrap())
        }));
        let Some(cursor) = page["next_cursor"].as_str() else { return all };
        path = format!("/duplicates/{object}?{query}&cursor={cursor}");
    }
}

async fn people_and_companies_are_found_before_they_are_made_twice(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada =
        json!({"first_name": "Ada", "last_name": "Lovelace", "email": "ada@acme.example", "phone": "+16135550100"});
    let ada = create_id(&tenant, "contact", ada).await;
    let jon = create_id(&tenant, "contact", json!({"first_name": "Jon", "last_name": "Smith"})).await;
    let acme = json!({"name": "Acme Robotics, Inc.", "domain": "acme.example"});
    let acme = create_id(&tenant, "company", acme).await;
    let quiet = Silence::begins(&tenant).await;
    let by_mail = check(&tenant, "contact", json!({"email": " ADA@acme.example"})).await;
    assert_eq!(found(&by_mail), [(&*ada, 90)]);
    assert_eq!(
        results(&by_mail)[0],
        json!({"record": {"id": ada, "uid": results(&by_mail)[0]["record"]["uid"], "object": "contact",
            "display_name": "Ada Lovelace"}, "score": 90, "rules": [{"properties": ["email"], "similar": false}]})
    );
    // A number is the same however it is written, and wherever.
    assert_eq!(found(&check(&tenant, "contact", json!({"mobile": "+1 (613) 555-0100"})).await), [(&*ada, 90)]);
    let both = check(&tenant, "contact", json!({"email": "ada@acme.example", "phone": "+16135550100"})).await;
    assert_eq!(found(&both), [(&*ada, 99)]);
    let similar = check(&tenant, "contact", json!({"first_name": "John", "last_name": "Smith"})).await;
    assert_eq!((found(&similar)[0].0, &results(&similar)[0]["rules"][0]["similar"]), (&*jon, &json!(true)));
    assert_eq!(found(&check(&tenant, "contact", json!({"first_name": "Joan", "last_name": "Byron"})).await), []);
    assert_eq!(found(&check(&tenant, "contact", json!({"first_name": "Ada"})).await), []);
    // A company is known by the address of who works there, and by a name that is nearly its own.
    for domain in ["ada@acme.example", "https://www.acme.example/about", "acme.example"] {
        assert_eq!(found(&check(&tenant, "company", json!({"domain": domain})).await), [(&*acme, 90)], "{domain}");
    }
    assert_eq!(found(&check(&tenant, "company", json!({"website": "http://acme.example/x"})).await), [(&*acme, 90)]);
    assert_eq!(found(&check(&tenant, "company", json!({"domain": "ada@gmail.com"})).await), []);
    assert_eq!(found(&check(&tenant, "company", json!({"name": "ACME robotics"})).await), [(&*acme, 60)]);
    // The record itself is none; one that is put away is none either.
    let itself = json!({"properties": {"email": "ada@acme.example"}, "record": ada});
    assert_eq!(found(&tenant.post("/duplicates/contact/check", &itself).await.ok(200)), []);
    quiet.holds().await;
    tenant.delete(&format!("/records/contact/{ada}")).await.ok(204);
    assert_eq!(found(&check(&tenant, "contact", json!({"email": "ada@acme.example"})).await), []);
    let refused = json!({"properties": {"emial": "x", "phone": "x"}, "recrod": 1});
    let refused = tenant.post("/duplicates/contact/check", &refused).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/recrod", "/properties/emial", "/properties/phone"]);
    // Nobody hears of another tenant's.
    let other = server.tenant("generic").await;
    assert_eq!(found(&check(&other, "company", json!({"domain": "acme.example"})).await), []);
}

async fn what_a_rule_refuses_is_made_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let rules = json!([{"properties": [["phone", "mobile"]], "on_create": "refuse"},
        {"properties": ["given", "name"], "similar": true, "on_create": "warn"}]);
    visitors(&tenant, rules).await;
    let post = async |properties: Value| tenant.post("/records/visitor", &json!({"properties": properties})).await;
    let ada = id(&post(json!({"given": "Ada", "name": "Lovelace", "phone": "+16135550100"})).await.ok(201));
    let quiet = Silence::begins(&tenant).await;
    let refused = post(json!({"name": "Byron", "mobile": "+16135550100"})).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [("/properties/mobile".to_owned(), "duplicate".to_owned())]);
    assert!(refused.words().contains(&format!("record {ada} agrees with it by `mobile`")), "{}", refused.words());
    // Whatever way it comes, and however many at once: the others of the request are made.
    let inputs: Vec<Value> = ["+16135550100", "+16135550111", "+16135550111"]
        .iter()
        .map(|phone| json!({"properties": {"name": "Many", "phone": phone}}))
        .collect();
    let batch = json!({"inputs": inputs, "atomic": true});
    let refused = tenant.post("/records/visitor/batch/create", &batch).await.problem(409, "conflict");
    assert_eq!(refused.pointers(), ["/inputs/0/properties/phone", "/inputs/2/properties/phone"]);
    quiet.holds().await;
    let each = tenant.post("/records/visitor/batch/create", &json!({"inputs": inputs})).await.ok(207);
    let states: Vec<&Value> = results(&each).iter().map(|one| &one["status"]).collect();
    assert_eq!(states, [&json!(409), &json!(201), &json!(409)], "{each}");
    // Of many at the same moment one is made.
    let body = json!({"properties": {"name": "Race", "phone": "+16135550122"}});
    let race = join_all((0..24).map(|_| tenant.post("/records/visitor", &body).into_future())).await;
    assert_eq!(race.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(race.iter().filter(|reply| reply.status == 409).count(), 23);
    // Imports are told, and what would come of one is told before.
    let rows = "name,phone\nNew,+16135550177\nTwin,+16135550177\nSame,+16135550100\nFree,\n";
    for (query, created) in [("&dry_run=true", 2), ("", 2)] {
        let path = format!("/imports?object=visitor&format=csv{query}");
        let import = tenant.request(Method::POST, &path).bytes("text/csv", rows.as_bytes().to_vec());
        let job = import.await.ok(202)["job"]["id"].as_str().unwrap().to_owned();
        jobs_are_done(&tenant).await;
        let job = tenant.get(&format!("/jobs/{job}")).await.ok(200);
        assert_eq!(
            (&job["counts"]["created"], &job["counts"]["failed"]),
            (&json!(created), &json!(2)),
            "{query}: {job}"
        );
        assert!(job["errors"].to_string().contains("duplicate"), "{job}");
    }
    // A change is none of this, nor is bringing one back.
    let eve = id(&post(json!({"name": "Eve"})).await.ok(201));
    let same = json!({"properties": {"phone": "+16135550100"}});
    tenant.patch(&format!("/records/visitor/{eve}"), &same).await.ok(200);
    tenant.delete(&format!("/records/visitor/{eve}")).await.ok(204);
    tenant.request(Method::POST, &format!("/records/visitor/{eve}/restore")).await.ok(200);
    // Who may not see the record that is in the way is not told which it is.
    let role = json!({"name": "shy", "label": "Shy", "objects": {"visitor": {"create": true, "read": "own"}}});
    tenant.post("/roles", &role).await.ok(201);
    let (shy, _) = tenant.user("shy", "shy").await;
    let refused = shy.post("/records/visitor", &json!({"properties": {"phone": "+16135550100"}})).await;
    let refused = refused.problem(409, "conflict");
    assert!(refused.words().contains("another record agrees with it by `phone`"), "{}", refused.words());
    assert!(!refused.words().contains("Ada") && !refused.words().contains(&format!("record {ada}")));
}

async fn whoever_makes_a_duplicate_is_told(server: TestServer) {
    let tenant = server.tenant("generic").await;
    visitors(&tenant, json!([{"properties": ["given", "name"], "similar": true, "on_create": "warn"}, ["mail"]])).await;
    let ada = json!({"given": "Ada", "name": "Lovelace", "mail": "ada@acme.example"});
    let first = tenant.post("/records/visitor", &json!({"properties": ada})).await.ok(201);
    assert_eq!(first.get("duplicates"), None);
    let body = json!({"properties": {"given": "Ada", "name": "Lovelaca"}});
    let made = tenant.post("/records/visitor", &body).header("idempotency-key", "twice").await;
    let reply = made.ok(201);
    assert_eq!(reply["duplicates"][0]["record"]["id"], first["id"]);
    assert_eq!(reply["duplicates"][0]["rules"], json!([{"properties": ["given", "name"], "similar": true}]));
    let again = tenant.post("/records/visitor", &body).header("idempotency-key", "twice").await;
    assert_eq!((again.header("idempotent-replayed"), again.ok(201)), ("true", reply));
    // A rule that says nothing of new records warns of nothing.
    let mail = json!({"properties": {"given": "Eve", "name": "Byron", "mail": "ada@acme.example"}});
    assert_eq!(tenant.post("/records/visitor", &mail).await.ok(201).get("duplicates"), None);
    let role = json!({"name": "shy", "label": "Shy", "objects": {"visitor": {"create": true, "read": "own"}}});
    tenant.post("/roles", &role).await.ok(201);
    let (shy, _) = tenant.user("shy", "shy").await;
    assert_eq!(shy.post("/records/visitor", &body).await.ok(201).get("duplicates"), None);
}

async fn scans_find_pairs_that_are_settled_or_dismissed(server: TestServer) {
    let tenant = server.tenant("generic").await;
    visitors(&tenant, json!([["mail"], [["phone", "mobile"]], {"properties": ["given", "name"], "similar": true}]))
        .await;
    let visitor = async |properties: Value| create_id(&tenant, "visitor", properties).await;
    let a =
        visitor(json!({"given": "Ada", "name": "Lovelace", "mail": "ada@acme.example", "phone": "+16135550100"})).await;
    let b = visitor(json!({"given": "Ada", "name": "Lovelace", "mobile": "+16135550100"})).await;
    let c = visitor(json!({"given": "Adah", "name": "Lovelace"})).await;
    let d = visitor(json!({"given": "Grace", "name": "Hopper", "mail": "ada@acme.example"})).await;
    let e = visitor(json!({"given": "Edsger", "name": "Dijkstra"})).await;
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await, []);
    scan(&tenant, "visitor").await;
    let by_name = 73;
    let expected = [(&a, &b, 98), (&a, &d, 90), (&a, &c, by_name), (&b, &c, by_name)]
        .map(|(one, other, score)| (one.clone(), other.clone(), score));
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await, expected);
    assert_eq!(pairs(&tenant, "visitor", "limit=1").await, expected);
    let first = tenant.get("/duplicates/visitor?limit=1").await.ok(200);
    assert_eq!(results(&first)[0]["rules"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&results(&first)[0]["dismissed_at"], &results(&first)[0]["dismissed_by"]),
        (&Value::Null, &Value::Null)
    );
    // Who sees one of the two only sees no pair.
    let role = json!({"name": "shy", "label": "Shy", "objects": {"visitor": {"read": "own"}}});
    tenant.post("/roles", &role).await.ok(201);
    let (shy, shy_id) = tenant.user("shy", "shy").await;
    tenant.patch(&format!("/records/visitor/{a}"), &json!({"owner_id": shy_id})).await.ok(200);
    assert_eq!(pairs(&shy, "visitor", "limit=50").await, []);
    shy.request(Method::POST, "/duplicates/visitor/scan").await.problem(403, "forbidden");
    let blind = json!({"name": "blind", "label": "Blind", "objects": {"*": {"read": "all"}},
        "properties": {"visitor.name": {"read": false}}});
    tenant.post("/roles", &blind).await.ok(201);
    let (blind, _) = tenant.user("blind", "blind").await;
    let seen = pairs(&blind, "visitor", "limit=50").await;
    assert_eq!(seen, [(a.clone(), b.clone(), 90), (a.clone(), d.clone(), 90)]);
    // Dismissed, it is among those that are, however often it is found again.
    let dismissed = format!("/duplicates/visitor/dismissed/{d}/{a}");
    blind.put(&dismissed, &Value::Null).await.problem(403, "forbidden");
    tenant.put(&dismissed, &Value::Null).await.ok(204);
    tenant.put(&format!("/duplicates/visitor/dismissed/{a}/{e}"), &Value::Null).await.problem(404, "not_found");
    scan(&tenant, "visitor").await;
    assert_eq!(pairs(&tenant, "visitor", "dismissed=true").await, [(a.clone(), d.clone(), 90)]);
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await.len(), 3);
    // Merged, changed or put away, there is no pair any more, at once.
    tenant.post(&format!("/records/visitor/{a}/merge"), &json!({"from": [b]})).await.ok(200);
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await, [(a.clone(), c.clone(), by_name)]);
    tenant.patch(&format!("/records/visitor/{c}"), &json!({"properties": {"name": "King"}})).await.ok(200);
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await, []);
    tenant.delete(&dismissed).await.ok(204);
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await, [(a.clone(), d.clone(), 90)]);
    tenant.delete(&format!("/records/visitor/{d}")).await.ok(204);
    scan(&tenant, "visitor").await;
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await, []);
    // What the scan has forgotten does not come back with its record.
    tenant.request(Method::POST, &format!("/records/visitor/{d}/restore")).await.ok(200);
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await, []);
    scan(&tenant, "visitor").await;
    assert_eq!(pairs(&tenant, "visitor", "limit=50").await.len(), 1);
}

/// So many visitors, of whom every two that follow each other have the same address.
async fn couples(tenant: &Tenant, couples: usize) {
    visitors(tenant, json!([["mail"]])).await;
    for first in (0..couples * 2).step_by(500) {
        let mail = |number: usize| json!({"properties": {"mail": format!("v{}@example.com", number / 2)}});
        let inputs: Vec<Value> = (first..first + 500).map(mail).collect();
        tenant.post("/records/visitor/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    }
}

async fn begin_scan(tenant: &Client) -> String {
    id(&tenant.request(Method::POST, "/duplicates/visitor/scan").await.ok(202)["job"])
}

async fn a_scan_goes_on_after_its_server_was_killed(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    couples(&tenant, 500).await;
    let job = begin_scan(&tenant).await;
    let (tenant, job) = killed_under_way(&mut server, &tenant, &job, "done").await;
    // Each record was compared once, and each pair found from both of its sides, whether before or after.
    assert_eq!(
        (&job["state"], &job["progress"]["done"], &job["progress"]["found"]),
        (&json!("done"), &json!(1_000), &json!(500))
    );
    let found = pairs(&tenant, "visitor", "limit=200").await;
    assert_eq!(found.iter().map(|(one, other, _)| (one, other)).collect::<BTreeSet<_>>().len(), 500);
    assert!(found.iter().all(|(_, _, score)| *score == 90));
}

async fn a_cancelled_scan_leaves_pairs_that_the_next_one_completes(server: TestServer) {
    let tenant = server.tenant("generic").await;
    couples(&tenant, 500).await;
    let job = begin_scan(&tenant).await;
    cancelled_under_way(&tenant, &job, "done").await;
    let before: BTreeSet<_> = pairs(&tenant, "visitor", "limit=200").await.into_iter().collect();
    assert!(!before.is_empty() && before.len() < 500, "{}", before.len());
    scan(&tenant, "visitor").await;
    let after: BTreeSet<_> = pairs(&tenant, "visitor", "limit=200").await.into_iter().collect();
    assert!(after.len() == 500 && after.is_superset(&before));
}

async fn objects_without_rules_have_no_duplicates(server: TestServer) {
    let tenant = server.tenant("generic").await;
    visitors(&tenant, json!([["secret"]])).await;
    create_id(&tenant, "visitor", json!({"secret": "same"})).await;
    assert_eq!(found(&check(&tenant, "visitor", json!({"secret": "same"})).await).len(), 1);
    let (max, _) = tenant.user("max", "member").await;
    let hidden = max.post("/duplicates/visitor/check", &json!({"properties": {"secret": "same"}})).await;
    hidden.problem(422, "validation_failed");
    let log = tenant.get("/access/log?limit=50").await.ok(200);
    assert!(!log.to_string().contains("same"));
    tenant.patch("/object-definitions/visitor", &json!({"features": {"duplicates": null}})).await.ok(200);
    assert_eq!(found(&check(&tenant, "visitor", json!({"secret": "same"})).await), []);
    let refused = tenant.request(Method::POST, "/duplicates/visitor/scan").await.problem(409, "conflict");
    assert!(refused.words().contains("has no rules"), "{}", refused.words());
    let wrong = json!({"features": {"duplicates": [["nmae"], {"properties": ["name"], "on_create": "stop"}]}});
    let refused = tenant.patch("/object-definitions/visitor", &wrong).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/features/duplicates/0/0", "/features/duplicates/1/on_create"]);
    assert!(refused.words().contains("did you mean `name`?"), "{}", refused.words());
}

/// What a plain reading of the rules says: records by what they have, each pair looked at.
fn reference(records: &[(String, BTreeMap<&'static str, String>)]) -> BTreeSet<(String, String)> {
    let mut expected = BTreeSet::new();
    for (at, (one, values)) in records.iter().enumerate() {
        for (other, others) in &records[at + 1..] {
            let has = |of: &BTreeMap<&str, String>, name: &str| of.get(name).map(|value| value.to_lowercase());
            let same = |name: &str| has(values, name).is_some() && has(values, name) == has(others, name);
            let numbers = |of: &BTreeMap<&str, String>| -> BTreeSet<String> {
                ["phone", "mobile"].iter().filter_map(|name| has(of, name)).collect()
            };
            let share_number = !numbers(values).is_disjoint(&numbers(others));
            if same("mail") || share_number || same("given") && same("name") {
                expected.insert((one.clone(), other.clone()));
            }
        }
    }
    expected
}

async fn a_scan_finds_what_looking_at_every_pair_finds(server: TestServer) {
    let tenant = server.tenant("generic").await;
    visitors(&tenant, json!([["mail"], [["phone", "mobile"]], ["given", "name"]])).await;
    let choices: [(&str, &[&str]); 5] = [
        ("given", &["Ada", "ada", "ADA", "Eve", "Grace"]),
        ("name", &["Byron", "byron", "Hopper", "King"]),
        ("mail", &["a@b.example", "b@b.example", "c@b.example", "d@b.example", "e@b.example", "f@b.example"]),
        ("phone", &["+16135550100", "+16135550101", "+16135550102", "+16135550103", "+16135550104"]),
        ("mobile", &["+16135550100", "+16135550105", "+16135550106", "+16135550107", "+16135550108"]),
    ];
    let (mut random, mut records) = (StdRng::seed_from_u64(5), Vec::new());
    for _ in 0..60 {
        let mut values = BTreeMap::new();
        for (name, choices) in choices {
            if random.random_bool(0.6) {
                values.insert(name, (*choices.choose(&mut random).unwrap()).to_owned());
            }
        }
        records.push((create_id(&tenant, "visitor", json!(values)).await, values));
    }
    let expected = reference(&records);
    assert!(expected.len() > 100, "{}", expected.len());
    scan(&tenant, "visitor").await;
    let found = pairs(&tenant, "visitor", "limit=200").await;
    assert_eq!(found.iter().map(|(one, other, _)| (one.clone(), other.clone())).collect::<BTreeSet<_>>(), expected);
    assert_eq!(found.len(), expected.len());
    assert!(found.is_sorted_by(|one, other| one.2 >= other.2));
}

scenarios![
    people_and_companies_are_found_before_they_are_made_twice,
    what_a_rule_refuses_is_made_once,
    whoever_makes_a_duplicate_is_told,
    scans_find_pairs_that_are_settled_or_dismissed,
    a_scan_goes_on_after_its_server_was_killed,
    a_cancelled_scan_leaves_pairs_that_the_next_one_completes,
    objects_without_rules_have_no_duplicates,
    a_scan_finds_what_looking_at_every_pair_finds,
];
