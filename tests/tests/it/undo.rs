//! Undo: what a request or a job has changed goes back, but for what others have changed since.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Client, Request, TestServer};

use crate::fixture::{Silence, all_records, contact, create, create_id, define, define_thing, id, kinds, results};

fn named(request: Request, name: &str) -> Request {
    request.header("x-request-id", name)
}

async fn undo(tenant: &Client, request: &str) -> Value {
    tenant.post("/undo", &json!({"request_id": request})).await.ok(200)
}

fn skipped(undone: &Value) -> Vec<(Value, Value)> {
    let list = undone["skipped"].as_array().unwrap_or_else(|| panic!("{undone}"));
    list.iter().map(|one| (one["record"].clone(), one["property"].clone())).collect()
}

async fn read(tenant: &Client, object: &str, id: &str) -> Value {
    tenant.get(&format!("/records/{object}/{id}")).await.ok(200)
}

/// The job that has imported things from the parts of a form.
async fn imported(tenant: &Client, form: [(&str, String); 2]) -> Value {
    let part = |(name, text)| format!("--part\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let parts: String = form.into_iter().map(part).collect();
    let upload = tenant.request(reqwest::Method::POST, "/imports?object=thing&format=csv");
    let upload = upload.bytes("multipart/form-data; boundary=part", format!("{parts}--part--\r\n"));
    done(tenant, &upload.await.ok(202)["job"]).await
}

/// Waits for a job's end.
async fn done(tenant: &Client, job: &Value) -> Value {
    let path = format!("/jobs/{}", id(job));
    for _ in 0..600 {
        let job = tenant.get(&path).await.ok(200);
        if job["state"] == "done" {
            return job;
        }
        assert!(matches!(job["state"].as_str(), Some("queued" | "running")), "{job}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not end");
}

async fn transaction_goes_back_but_for_what_has_changed_since(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let acme = create_id(&tenant, "company", json!({"name": "Acme", "domain": "acme.example"})).await;
    let bolt = create_id(&tenant, "company", json!({"name": "Bolt"})).await;
    let before = read(&tenant, "company", &bolt).await;
    let operations = json!([
        {"op": "update", "object": "company", "id": acme, "properties": {"name": "Acme Ltd", "domain": "acme.test", "industry": "Trade"}},
        {"op": "update", "object": "company", "id": bolt, "properties": {"name": "Bolt Ltd"}},
        {"op": "create", "ref": "c", "object": "contact", "properties": contact("ada@example.com")},
        {"op": "associate", "type": "contact_company", "from": "$c", "to": acme},
        {"op": "archive", "object": "company", "id": bolt},
    ]);
    let made = named(tenant.post("/transactions", &json!({"operations": operations})), "big-1").await.ok(200);
    let ada = id(&results(&made)[2]["record"]);
    tenant.patch(&format!("/records/company/{acme}"), &json!({"properties": {"domain": "acme.org"}})).await.ok(200);
    let quiet = Silence::begins(&tenant).await;
    let undone = named(tenant.post("/undo", &json!({"request_id": "big-1"})), "back-1").await.ok(200);
    assert_eq!((&undone["undone"], skipped(&undone)), (&json!(5), vec![(json!(acme), json!("domain"))]), "{undone}");
    let acme_now = read(&tenant, "company", &acme).await;
    assert_eq!(acme_now["properties"]["name"], "Acme");
    assert_eq!((&acme_now["properties"]["domain"], acme_now["properties"].get("industry")), (&json!("acme.org"), None));
    let bolt_now = read(&tenant, "company", &bolt).await;
    assert_eq!((&bolt_now["properties"], &bolt_now["archived_at"]), (&before["properties"], &Value::Null));
    assert!(read(&tenant, "contact", &ada).await["archived_at"].is_string());
    let list = tenant.get(&format!("/records/company/{acme}/associations/contact_company")).await.ok(200);
    assert!(results(&list).is_empty());
    let changes = quiet.broken_by().await;
    let mut told = kinds(&changes);
    told.sort_unstable();
    // The link rests with the record that it was made with.
    assert_eq!(told, ["record.archived", "record.restored", "record.updated", "record.updated"]);
    assert!(changes.iter().all(|change| change["request_id"] == "back-1" && change["source"] == "api"));

    // An undo is a request like any other.
    let again = undo(&tenant, "back-1").await;
    assert_eq!((&again["undone"], skipped(&again)), (&json!(4), vec![]), "{again}");
    assert_eq!(read(&tenant, "company", &acme).await["properties"]["name"], "Acme Ltd");
    assert!(read(&tenant, "company", &bolt).await["archived_at"].is_string());
    assert_eq!(read(&tenant, "contact", &ada).await["archived_at"], Value::Null);
    let list = tenant.get(&format!("/records/company/{acme}/associations/contact_company")).await.ok(200);
    assert_eq!(id(&results(&list)[0]["record"]), ada);
}

async fn what_a_record_was_made_with_stays_with_one_that_has_changed_since(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let acme = create_id(&tenant, "company", json!({"name": "Acme"})).await;
    let links = json!([{"type": "contact_company", "to": acme}]);
    let people: Vec<Value> = (0..3)
        .map(|number| {
            json!({"op": "create", "object": "contact", "associations": links,
            "properties": contact(&format!("ada{number}@example.com"))})
        })
        .collect();
    let made = named(tenant.post("/transactions", &json!({"operations": people})), "made").await.ok(200);
    let [ada, eve, ida] = [0, 1, 2].map(|place| id(&results(&made)[place]["record"]));
    let change = json!({"properties": {"title": "CEO"}});
    named(tenant.patch(&format!("/records/contact/{ada}"), &change), "later").await.ok(200);
    tenant.delete(&format!("/records/contact/{ida}")).await;
    let undone = undo(&tenant, "made").await;
    let mut left = skipped(&undone);
    left.sort_by_key(|(record, property)| (record.to_string(), property.to_string()));
    let stay = |record: &str| [(json!(record), json!("contact_company")), (json!(record), Value::Null)];
    assert_eq!((&undone["undone"], left), (&json!(2), [stay(&ada), stay(&ida)].concat()), "{undone}");
    assert!(read(&tenant, "contact", &eve).await["archived_at"].is_string());
    tenant.post(&format!("/records/contact/{ida}/restore"), &json!({})).await.ok(200);
    let list = tenant.get(&format!("/records/company/{acme}/associations/contact_company")).await.ok(200);
    let linked: Vec<String> = results(&list).iter().map(|link| id(&link["record"])).collect();
    assert_eq!(linked, [ada.clone(), ida]);
    // Once it is as it was made, all of it goes.
    undo(&tenant, "later").await;
    let undone = undo(&tenant, "made").await;
    assert_eq!(undone["undone"], 4, "{undone}");
    let list = tenant.get(&format!("/records/company/{acme}/associations/contact_company")).await.ok(200);
    assert!(results(&list).is_empty());
}

async fn what_others_were_merged_into_stays(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let body = json!({"properties": contact("grace@example.com")});
    let grace = id(&named(tenant.post("/records/contact", &body), "made").await.ok(201));
    let hopper = create_id(&tenant, "contact", contact("hopper@example.com")).await;
    tenant.post(&format!("/records/contact/{grace}/merge"), &json!({"from": [hopper]})).await.ok(200);
    let undone = undo(&tenant, "made").await;
    assert_eq!((&undone["undone"], skipped(&undone)), (&json!(0), vec![(json!(grace), Value::Null)]), "{undone}");
    assert_eq!(read(&tenant, "contact", &hopper).await["archived_at"], Value::Null);
    tenant.post(&format!("/records/contact/{grace}/unmerge"), &json!({"id": hopper})).await.ok(200);
    assert_eq!(undo(&tenant, "made").await["undone"], 1);
    assert_eq!(read(&tenant, "contact", &hopper).await["archived_at"], Value::Null);
    assert!(read(&tenant, "contact", &grace).await["archived_at"].is_string());
}

async fn links_get_back_what_they_were_called(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let roof = create_id(&tenant, "deal", json!({"name": "Roof"})).await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let path = format!("/records/deal/{roof}/associations/deal_contact/{ada}");
    let label = async || {
        let list = tenant.get(&format!("/records/deal/{roof}/associations/deal_contact")).await.ok(200);
        results(&list).first().map(|link| link["label"].clone())
    };
    assert!(tenant.put(&path, &json!({"label": "primary"})).await.status < 300);
    assert!(named(tenant.put(&path, &json!({})), "relabel").await.status < 300);
    assert_eq!(label().await, Some(Value::Null));
    assert_eq!(undo(&tenant, "relabel").await, json!({"undone": 1, "skipped": []}));
    assert_eq!(label().await, Some(json!("primary")));
    assert!(named(tenant.delete(&path), "unlink").await.status < 300);
    assert_eq!(undo(&tenant, "unlink").await, json!({"undone": 1, "skipped": []}));
    assert_eq!(label().await, Some(json!("primary")));
    let undone = undo(&tenant, "unlink").await;
    assert_eq!((&undone["undone"], skipped(&undone)), (&json!(0), vec![(json!(roof), json!("deal_contact"))]));
}

async fn merge_and_unmerge_are_taken_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer", "label": "Size"}})).await;
    let one = create_id(&tenant, "thing", json!({"name": "One", "size": 1})).await;
    let two = create_id(&tenant, "thing", json!({"name": "Two", "size": 2})).await;
    let path = |rest: &str| format!("/records/thing/{one}{rest}");
    let body = json!({"from": [two], "properties": {"size": two}});
    named(tenant.post(&path("/merge"), &body), "merge").await.ok(200);
    assert_eq!(undo(&tenant, "merge").await, json!({"undone": 1, "skipped": []}));
    assert_eq!(tenant.get(&path("")).await.ok(200)["properties"], json!({"name": "One", "size": 1}));
    assert_eq!(read(&tenant, "thing", &two).await["properties"], json!({"name": "Two", "size": 2}));
    tenant.post(&path("/merge"), &body).await.ok(200);
    named(tenant.post(&path("/unmerge"), &json!({"id": two})), "unmerge").await.ok(200);
    assert_eq!(undo(&tenant, "unmerge").await, json!({"undone": 1, "skipped": []}));
    assert_eq!(read(&tenant, "thing", &two).await["id"], json!(one));
    assert_eq!(tenant.get(&path("")).await.ok(200)["properties"], json!({"name": "One", "size": 2}));
}

async fn import_goes_back_but_for_what_has_changed_since(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"code": {"type": "string", "label": "Code", "unique": true},
        "size": {"type": "integer", "label": "Size", "read_only": true}});
    define_thing(&tenant, properties).await;
    for number in 0..100 {
        create(&tenant, "thing", json!({"name": format!("Old {number}"), "code": format!("C{number}")})).await;
    }
    let rows: String = (0..700).map(|number| format!("New {number},C{number},{number}\n")).collect();
    let map = "columns: {name: name, code: code, size: size}\nkey: code\n";
    let form = [("map", map.to_owned()), ("file", format!("name,code,size\n{rows}"))];
    let job = imported(&tenant, form).await;
    assert_eq!((&job["counts"]["created"], &job["counts"]["updated"]), (&json!(600), &json!(100)), "{job}");
    let all = all_records(&tenant, "thing").await;
    let of_code = |code: &str| id(all.iter().find(|record| record["properties"]["code"] == code).unwrap());
    let (updated, made, gone) = (of_code("C7"), of_code("C107"), of_code("C108"));
    for record in [&updated, &made] {
        tenant.patch(&format!("/records/thing/{record}"), &json!({"properties": {"name": "Mine"}})).await.ok(200);
    }
    tenant.delete(&format!("/records/thing/{gone}")).await;
    let undone = tenant.post("/undo", &json!({"job_id": job["id"]})).await.ok(200);
    assert_eq!(undone["undone"], json!(698), "{undone}");
    let mut left = skipped(&undone);
    left.sort_by_key(|(record, _)| record.as_str().map(|id| id.parse::<u64>().unwrap()));
    assert_eq!(left, [(json!(updated), json!("name")), (json!(made), Value::Null), (json!(gone), Value::Null)]);
    let now = all_records(&tenant, "thing").await;
    assert_eq!(now.len(), 101);
    for record in &now {
        let code = record["properties"]["code"].as_str().unwrap();
        let number: u64 = code[1..].parse().unwrap();
        let expected = match number {
            7 => json!({"name": "Mine", "code": "C7"}),
            107 => json!({"name": "Mine", "code": "C107", "size": 107}),
            _ => json!({"name": format!("Old {number}"), "code": code}),
        };
        assert_eq!(record["properties"], expected);
    }
}

/// Formulas and roll-ups change along with what a request writes, and go back along with it.
async fn what_is_computed_follows_what_goes_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"code": {"type": "string", "label": "Code", "unique": true},
        "amount": {"type": "money", "label": "Amount", "currency": "EUR"},
        "twice": {"type": "formula", "label": "Twice", "formula": "amount * 2", "result": "money", "currency": "EUR"}});
    define_thing(&tenant, properties).await;
    let one = create_id(&tenant, "thing", json!({"name": "One", "code": "C1", "amount": "10.00"})).await;
    let before = read(&tenant, "thing", &one).await["properties"].clone();
    let patch = json!({"properties": {"amount": "15.00", "name": "Uno"}});
    named(tenant.patch(&format!("/records/thing/{one}"), &patch), "one").await.ok(200);
    let undone = undo(&tenant, "one").await;
    assert_eq!((&undone["undone"], skipped(&undone)), (&json!(1), vec![]), "{undone}");
    assert_eq!(read(&tenant, "thing", &one).await["properties"], before);

    let inputs = json!({"inputs": [{"id": one, "properties": {"amount": "7.50", "name": "Eins"}}]});
    named(tenant.post("/records/thing/batch/update", &inputs), "many").await.ok(207);
    tenant.patch(&format!("/records/thing/{one}"), &json!({"properties": {"amount": "8.00"}})).await.ok(200);
    let undone = undo(&tenant, "many").await;
    assert_eq!((&undone["undone"], skipped(&undone)), (&json!(1), vec![(json!(one), json!("amount"))]), "{undone}");
    let now = json!({"name": "One", "code": "C1", "amount": "8.00", "twice": "16.00"});
    assert_eq!(read(&tenant, "thing", &one).await["properties"], now);

    let map = "columns: {name: name, code: code, amount: amount}\nkey: code\n";
    let form = [("map", map.to_owned()), ("file", "name,code,amount\nEen,C1,9.00\n".to_owned())];
    let job = imported(&tenant, form).await;
    assert_eq!(read(&tenant, "thing", &one).await["properties"]["twice"], "18.00");
    let undone = tenant.post("/undo", &json!({"job_id": job["id"]})).await.ok(200);
    assert_eq!((&undone["undone"], skipped(&undone)), (&json!(1), vec![]), "{undone}");
    assert_eq!(read(&tenant, "thing", &one).await["properties"], now);

    // What a merge took over goes back in the same way.
    let other = create_id(&tenant, "thing", json!({"name": "Other"})).await;
    let merge = json!({"from": [one]});
    let merged = named(tenant.post(&format!("/records/thing/{other}/merge"), &merge), "in").await.ok(200);
    assert_eq!(merged["properties"]["twice"], "16.00", "{merged}");
    undo(&tenant, "in").await;
    assert_eq!(read(&tenant, "thing", &one).await["properties"], now);
    assert_eq!(read(&tenant, "thing", &other).await["properties"], json!({"name": "Other"}));
}

async fn very_many_changes_go_back_as_a_job(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    let rows: String = (0..10_050).map(|number| format!("N{number}\n")).collect();
    let upload = tenant.request(reqwest::Method::POST, "/imports?object=thing&format=csv");
    let upload = upload.bytes("text/csv", format!("name\n{rows}"));
    let import = done(&tenant, &upload.await.ok(202)["job"]).await;
    let reply = tenant.post("/undo", &json!({"job_id": import["id"]})).header("idempotency-key", "once").await;
    let again = tenant.post("/undo", &json!({"job_id": import["id"]})).header("idempotency-key", "once").await;
    assert_eq!(reply.ok(202), again.ok(202));
    let job = done(&tenant, &reply.ok(202)["job"]).await;
    assert_eq!((&job["kind"], &job["progress"]["undone"]), (&json!("undo"), &json!(10_050)), "{job}");
    assert_eq!(all_records(&tenant, "thing").await.len(), 0);
}

async fn a_move_goes_back_where_no_transition_leads(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}})).await;
    let pipeline = json!({"name": "work", "default": true, "stages": [{"name": "begun"}, {"name": "done", "type": "won"}],
        "transitions": {"begun": ["done"]}});
    tenant.post("/pipelines/thing", &pipeline).await.ok(201);
    let one = create_id(&tenant, "thing", json!({"name": "One"})).await;
    let path = format!("/records/thing/{one}/stage");
    let moved = tenant.put(&path, &json!({"stage": "done", "properties": {"size": 3}}));
    named(moved, "slip").await.ok(200);
    tenant.put(&path, &json!({"stage": "begun"})).await.problem(409, "conflict");
    let undone = named(tenant.post("/undo", &json!({"request_id": "slip"})), "back").await.ok(200);
    assert_eq!(undone["skipped"], json!([]), "{undone}");
    let back = read(&tenant, "thing", &one).await;
    assert_eq!((&back["properties"]["stage"], back["properties"].get("size")), (&json!("begun"), None));
    let stages = tenant.get(&format!("/records/thing/{one}/stages")).await.ok(200);
    assert_eq!(stages["results"].as_array().unwrap().len(), 3, "{stages}");
    // And forth again.
    undo(&tenant, "back").await;
    assert_eq!(read(&tenant, "thing", &one).await["properties"]["stage"], "done");
}

async fn where_a_record_is_goes_back_as_a_whole(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    for (name, stages) in [("main", ["a", "b"]), ("other", ["x", "b"])] {
        let stages: Vec<Value> = stages.iter().map(|stage| json!({"name": stage})).collect();
        let pipeline = json!({"name": name, "default": name == "main", "stages": stages});
        tenant.post("/pipelines/thing", &pipeline).await.ok(201);
    }
    // From, the move that is undone, and what somebody has done since.
    for (from, moved, since) in [
        (("main", "b"), ("other", "x"), ("other", "b")),
        (("main", "b"), ("other", "b"), ("other", "x")),
        (("main", "a"), ("main", "b"), ("other", "b")),
        (("main", "a"), ("main", "b"), ("main", "a")),
    ] {
        let at = |(pipeline, stage): (&str, &str)| json!({"pipeline": pipeline, "stage": stage});
        let thing = json!({"name": "T", "pipeline": from.0, "stage": from.1});
        let thing = create_id(&tenant, "thing", thing).await;
        let path = format!("/records/thing/{thing}/stage");
        let name = format!("move-{thing}");
        named(tenant.put(&path, &at(moved)), &name).await.ok(200);
        tenant.put(&path, &at(since)).await.ok(200);
        let undone = undo(&tenant, &name).await;
        assert_eq!(
            (&undone["undone"], skipped(&undone)),
            (&json!(0), vec![(json!(thing), json!("stage"))]),
            "{undone}"
        );
        let now = read(&tenant, "thing", &thing).await;
        let now = (now["properties"]["pipeline"].as_str().unwrap(), now["properties"]["stage"].as_str().unwrap());
        assert_eq!(now, since);
    }
    let thing = create_id(&tenant, "thing", json!({"name": "T", "stage": "b"})).await;
    let path = format!("/records/thing/{thing}/stage");
    named(tenant.put(&path, &json!({"pipeline": "other", "stage": "x"})), "away").await.ok(200);
    assert_eq!(undo(&tenant, "away").await["undone"], 1);
    let now = read(&tenant, "thing", &thing).await["properties"].clone();
    assert_eq!((&now["pipeline"], &now["stage"]), (&json!("main"), &json!("b")));
}

async fn what_cannot_go_back_keeps_nothing_else(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"code": {"type": "string", "unique": true}, "low": {"type": "integer"},
        "high": {"type": "integer"}, "color": {"type": "string"}});
    let rule = json!([{"rule": "low == null || high == null || low <= high", "at": "high"}]);
    define(&tenant, json!({"name": "thing", "plural": "things", "properties": properties, "constraints": rule})).await;
    let thing = create_id(&tenant, "thing", json!({"code": "A", "low": 1, "high": 5, "color": "red"})).await;
    let path = format!("/records/thing/{thing}");
    let change = json!({"properties": {"code": "B", "high": 9, "color": "blue"}});
    named(tenant.patch(&path, &change), "change").await.ok(200);
    create_id(&tenant, "thing", json!({"code": "A"})).await;
    tenant.patch(&path, &json!({"properties": {"low": 7}})).await.ok(200);
    let undone = undo(&tenant, "change").await;
    let mut told = skipped(&undone);
    told.sort_by_key(|(_, property)| property.to_string());
    assert_eq!(told, [(json!(thing), json!("code")), (json!(thing), json!("high"))], "{undone}");
    assert_eq!(undone["undone"], 1);
    let now = read(&tenant, "thing", &thing).await["properties"].clone();
    assert_eq!([&now["code"], &now["high"], &now["color"]], [&json!("B"), &json!(9), &json!("red")]);
}

async fn links_rest_with_what_is_put_away(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let acme = create_id(&tenant, "company", json!({"name": "Acme"})).await;
    let ada =
        json!({"properties": contact("ada@example.com"), "associations": [{"type": "contact_company", "to": acme}]});
    let ada = id(&named(tenant.post("/records/contact", &ada), "made").await.ok(201));
    let undone = named(tenant.post("/undo", &json!({"request_id": "made"})), "back").await.ok(200);
    assert_eq!((&undone["undone"], skipped(&undone)), (&json!(2), vec![]), "{undone}");
    let linked = async || {
        let links = tenant.get(&format!("/records/company/{acme}/associations/contact_company")).await.ok(200);
        results(&links).iter().map(|link| id(&link["record"])).collect::<Vec<_>>()
    };
    assert!(linked().await.is_empty());
    tenant.post(&format!("/records/contact/{ada}/restore"), &json!({})).await.ok(200);
    assert_eq!(linked().await, [ada]);
}

async fn undo_is_for_whoever_did_it_and_for_administrators(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let mia =
        tenant.post("/users", &json!({"name": "Mia", "email": "mia@example.com", "role": "member"})).await.ok(201);
    let token = tenant.post("/tokens", &json!({"name": "mia", "user": mia["id"]})).await.ok(201);
    let mia = tenant.with_token(token["secret"].as_str().unwrap());
    let body = json!({"properties": contact("ada@example.com")});
    named(tenant.post("/records/contact", &body), "theirs").await.ok(201);
    let body = json!({"properties": contact("eve@example.com")});
    let own = named(mia.post("/records/contact", &body), "own").await.ok(201);
    mia.post("/undo", &json!({"request_id": "theirs"})).await.problem(404, "not_found");
    tenant.post("/undo", &json!({"request_id": "nobodys"})).await.problem(404, "not_found");
    tenant.post("/undo", &json!({"job_id": "999999999"})).await.problem(404, "not_found");
    assert_eq!(undo(&mia, "own").await, json!({"undone": 1, "skipped": []}));
    assert!(read(&tenant, "contact", &id(&own)).await["archived_at"].is_string());
    assert_eq!(undo(&tenant, "theirs").await, json!({"undone": 1, "skipped": []}));
    let both = tenant.post("/undo", &json!({"request_id": "a", "job_id": "1"})).await;
    assert_eq!(both.problem(422, "validation_failed").pointers(), ["/job_id"]);
    let neither = tenant.post("/undo", &json!({})).await.problem(422, "validation_failed");
    assert_eq!(neither.pointers(), ["/request_id"]);
}

async fn what_is_gone_for_good_is_listed(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    assert_eq!(named(tenant.delete(&format!("/records/contact/{ada}?purge=true")), "purge").await.status, 204);
    let undone = undo(&tenant, "purge").await;
    assert_eq!((&undone["undone"], skipped(&undone)), (&json!(0), vec![(json!(ada), Value::Null)]));
    let body = json!({"name": "bolt", "label": "Bolt", "plural": "bolts", "properties": {"name": {"type": "string", "label": "Name"}}});
    named(tenant.post("/object-definitions", &body), "define").await.ok(201);
    let undone = undo(&tenant, "define").await;
    assert_eq!(skipped(&undone), [(Value::Null, Value::Null)]);
    assert!(undone.to_string().contains("/metadata/rollback"), "{undone}");
}

scenarios![
    where_a_record_is_goes_back_as_a_whole,
    what_cannot_go_back_keeps_nothing_else,
    links_rest_with_what_is_put_away,
    a_move_goes_back_where_no_transition_leads,
    transaction_goes_back_but_for_what_has_changed_since,
    what_a_record_was_made_with_stays_with_one_that_has_changed_since,
    what_others_were_merged_into_stays,
    links_get_back_what_they_were_called,
    merge_and_unmerge_are_taken_back,
    import_goes_back_but_for_what_has_changed_since,
    what_is_computed_follows_what_goes_back,
    very_many_changes_go_back_as_a_job,
    undo_is_for_whoever_did_it_and_for_administrators,
    what_is_gone_for_good_is_listed,
];
