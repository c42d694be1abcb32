//! Totals over records that the caller may not read, and what is said of the rights to change them.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{all, told, user_of, with_role};
use crate::fixture::{contact, create, create_id, define, id, jobs_are_done, results};

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
    let sales_id = user_of(&sales).await;
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

scenarios![rollups_of_what_may_not_be_read_are_hidden, what_is_not_seen_is_not_explained_as_changeable,];
