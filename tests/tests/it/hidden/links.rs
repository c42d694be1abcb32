//! Links to records that the caller may not read.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{all, told, user_of, with_role};
use crate::fixture::{Silence, create_id, define, define_thing, id, jobs_are_done, results};

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
    let path = format!("/lists/{secret}/members");
    let sized = create_id(&tenant, "open", json!({"size": 1})).await;
    let members = async || narrow.get(&path).await.ok(200)["results"][0]["id"].clone();
    assert_eq!(members().await, json!(sized));
    // What somebody has for themselves keeps nobody from deleting what it names, and goes on with what it has.
    tenant.delete(&format!("/lists/{shared}")).await.ok(204);
    let secret = narrow.get(&format!("/lists/{secret}")).await.ok(200);
    let problem = &secret["problems"][0];
    assert_eq!((&problem["pointer"], &problem["code"]), (&json!("/filter/list"), &json!("unknown")), "{secret}");
    assert_eq!(members().await, json!(sized));

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

async fn a_link_that_is_not_seen_is_not_replaced(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"code": {"type": "string", "unique": true}})).await;
    let name = json!({"name": {"type": "string", "unique": true}});
    define(&tenant, json!({"name": "box", "plural": "boxes", "properties": name})).await;
    for (name, cardinality) in [("thing_box", "one_to_one"), ("thing_shelf", "many_to_one")] {
        let link = json!({"name": name, "from": "thing", "to": "box", "cardinality": cardinality});
        tenant.post("/association-definitions", &link).await.ok(201);
    }
    let mut boxes = Vec::new();
    for n in 0..4 {
        boxes.push(create_id(&tenant, "box", json!({"name": n.to_string()})).await);
    }
    let one = create_id(&tenant, "thing", json!({"name": "One", "code": "1"})).await;
    let two = create_id(&tenant, "thing", json!({"name": "Two", "code": "2"})).await;
    let path = |thing: &str, at: usize| format!("/records/thing/{thing}/associations/thing_box/{}", boxes[at]);
    tenant.put(&path(&one, 0), &json!({})).await.ok(204);
    tenant.put(&path(&two, 1), &json!({})).await.ok(204);
    for (thing, at) in [(&one, 0), (&two, 1)] {
        let path = format!("/records/thing/{thing}/associations/thing_shelf/{}", boxes[at]);
        tenant.put(&path, &json!({})).await.ok(204);
    }
    tenant.patch(&format!("/records/box/{}", boxes[0]), &json!({"owner_id": "1"})).await.ok(200);
    let own = json!({"create": true, "read": "own_or_unclaimed", "update": "none", "archive": "none"});
    let narrow = with_role(&tenant, "narrow", json!({"thing": all(), "box": own}), json!({})).await;
    let quiet = Silence::begins(&tenant).await;
    let refused = narrow.put(&format!("{}?replace=true", path(&one, 2)), &json!({})).await;
    let refused = refused.problem(409, "cardinality");
    let why = format!(
        "`thing_box` allows no further link here: record {one} is already linked to a record that you may not see, so \
         that this link cannot be replaced"
    );
    assert_eq!((refused.body["detail"].as_str(), told(&refused)), (Some(why.as_str()), (why.clone(), Value::Null)));
    let operation = json!({"op": "associate", "type": "thing_box", "from": one, "to": boxes[2], "replace": true});
    let refused = narrow.post("/transactions", &json!({"operations": [operation]})).await.problem(409, "cardinality");
    assert_eq!(refused.pointers(), ["/operations/0"]);
    let inputs = json!({"inputs": [{"type": "thing_box", "from": one, "to": boxes[2], "replace": true}]});
    let reply = narrow.post("/associations/batch/create", &inputs).await.ok(207);
    assert_eq!(results(&reply)[0]["error"]["code"], "cardinality", "{reply}");
    // An import moves no such link either.
    let imported = async |code: &str| {
        let to = json!({"object": "box", "property": "name", "value": "2"});
        let row = json!({"properties": {"code": code}, "links": [{"type": "thing_shelf", "to": to}]});
        let map = json!({"object": "thing", "key": "code", "format": "ndjson"}).to_string();
        let part =
            |(name, text)| format!("--part\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        let parts: String = [("map", map), ("file", row.to_string())].map(part).concat();
        let upload = narrow.request(reqwest::Method::POST, "/imports?object=thing&format=ndjson");
        let upload = upload.bytes("multipart/form-data; boundary=part", format!("{parts}--part--\r\n"));
        let job = id(&upload.await.ok(202)["job"]);
        jobs_are_done(&tenant).await;
        narrow.get(&format!("/jobs/{job}/errors")).await.text
    };
    let errors = imported("1").await;
    assert!(errors.contains("a record that you may not see"), "{errors}");
    assert!(!errors.contains(&format!("record {}", boxes[0])), "{errors}");
    quiet.holds().await;
    assert_eq!(imported("2").await, "");

    // What it sees gives way, at either end, and what the same request has made as well.
    narrow.put(&format!("{}?replace=true", path(&two, 2)), &json!({})).await.ok(204);
    let operation =
        |at: usize| json!({"op": "associate", "type": "thing_box", "from": two, "to": boxes[at], "replace": true});
    narrow.post("/transactions", &json!({"operations": [operation(3), operation(1)]})).await.ok(200);
    let three = create_id(&tenant, "thing", json!({"name": "Three"})).await;
    narrow.put(&format!("{}?replace=true", path(&three, 1)), &json!({})).await.ok(204);
    let linked = async |thing: &str| {
        let links = tenant.get(&format!("/records/thing/{thing}/associations/thing_box")).await.ok(200);
        results(&links).iter().map(|link| id(&link["record"])).collect::<Vec<_>>()
    };
    assert_eq!(linked(&one).await, [boxes[0].as_str()]);
    assert_eq!((linked(&two).await, linked(&three).await), (vec![], vec![boxes[1].clone()]));

    // Who may change neither end takes no link away.
    let kept = json!({"create": true, "read": "all", "update": "own", "archive": "none"});
    let keeping = with_role(&tenant, "keeping", json!({"thing": kept, "box": kept}), json!({})).await;
    let mine = json!({"properties": {"name": "Mine"}, "owner_id": user_of(&keeping).await});
    let mine = id(&keeping.post("/records/thing", &mine).await.ok(201));
    let refused = keeping.put(&format!("{}?replace=true", path(&mine, 1)), &json!({})).await.problem(403, "forbidden");
    assert_eq!(refused.words(), "the role `keeping` allows to update only own `thing` records");
    assert_eq!(linked(&three).await, [boxes[1].as_str()]);
    keeping.put(&path(&mine, 2), &json!({})).await.ok(204);
    keeping.put(&format!("{}?replace=true", path(&mine, 3)), &json!({})).await.ok(204);
    assert_eq!(linked(&mine).await, [boxes[3].as_str()]);
}

async fn links_that_do_not_come_back_name_nobody_hidden(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    define(&tenant, json!({"name": "box", "plural": "boxes", "properties": {"name": {"type": "string"}}})).await;
    let link = json!({"name": "thing_box", "from": "thing", "to": "box", "cardinality": "one_to_one"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let thing = async |name: &str| create_id(&tenant, "thing", json!({"name": name})).await;
    let (winner, loser, other) = (thing("Winner").await, thing("Loser").await, thing("Other").await);
    let mut boxes = Vec::new();
    for name in ["seen", "hidden", "kept"] {
        boxes.push(create_id(&tenant, "box", json!({"name": name})).await);
    }
    let put = async |thing: &str, at: usize| {
        let path = format!("/records/thing/{thing}/associations/thing_box/{}", boxes[at]);
        tenant.put(&path, &json!({})).await.ok(204);
    };
    let own = json!({"create": true, "read": "own_or_unclaimed", "update": "all", "archive": "all"});
    let narrow = with_role(&tenant, "narrow", json!({"thing": all(), "box": own}), json!({})).await;
    put(&winner, 2).await;
    let part = async |caller: &Client, at: usize| {
        put(&loser, at).await;
        tenant.post(&format!("/records/thing/{winner}/merge"), &json!({"from": [loser]})).await.ok(200);
        put(&other, at).await;
        if at == 1 {
            tenant.patch(&format!("/records/box/{}", boxes[1]), &json!({"owner_id": "1"})).await.ok(200);
        }
        let parted = caller.post(&format!("/records/thing/{winner}/unmerge"), &json!({"id": loser})).await.ok(200);
        let path = format!("/records/thing/{other}/associations/thing_box/{}", boxes[at]);
        tenant.delete(&path).await.ok(204);
        parted["left_out"].clone()
    };
    let left_out = |record: Value, who: &str| {
        let reason = format!("`thing_box` allows {who} only one link, and it has another one");
        json!([{"type": "thing_box", "record": record, "reason": reason}])
    };
    assert_eq!(part(&narrow, 0).await, left_out(json!(boxes[0]), &format!("record {}", boxes[0])));
    assert_eq!(part(&narrow, 1).await, left_out(Value::Null, "another record"));
    assert_eq!(part(&tenant, 1).await, left_out(json!(boxes[1]), &format!("record {}", boxes[1])));
}

scenarios![
    a_link_that_is_not_seen_is_not_replaced,
    links_that_do_not_come_back_name_nobody_hidden,
    what_leads_to_hidden_records_is_not_told,
];
