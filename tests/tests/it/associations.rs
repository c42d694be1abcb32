//! Links between records: from both ends, with labels, and as many as allowed.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{Silence, contact, create_id, id, kinds, results};

async fn link(tenant: &Client, from: &str, to: &str) -> tests::Response {
    tenant.put(&format!("/records/contact/{from}/associations/contact_company/{to}"), &json!({})).await
}

async fn linked(tenant: &Client, object: &str, from: &str, kind: &str) -> Vec<String> {
    let list = tenant.get(&format!("/records/{object}/{from}/associations/{kind}")).await.ok(200);
    results(&list).iter().map(|link| id(&link["record"])).collect()
}

async fn link_is_seen_from_both_ends_and_goes_with_the_records(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let acme = create_id(&tenant, "company", json!({"name": "Acme"})).await;
    let quiet = Silence::begins(&tenant).await;
    let made = link(&tenant, &ada, &acme).await;
    assert!(matches!(made.status, 200 | 201 | 204), "{}", made.text);
    assert!(link(&tenant, &ada, &acme).await.status < 300, "linking again is no mistake");
    assert_eq!(linked(&tenant, "contact", &ada, "contact_company").await, [acme.as_str()]);
    assert_eq!(linked(&tenant, "company", &acme, "contact_company").await, [ada.as_str()]);
    let list = tenant.get(&format!("/records/contact/{ada}/associations/contact_company")).await.ok(200);
    let shown = &results(&list)[0];
    assert_eq!(
        (&shown["record"]["object"], &shown["record"]["display_name"], &shown["type"]),
        (&json!("company"), &json!("Acme"), &json!("contact_company"))
    );
    crate::records::assert_moment(&shown["created_at"]);
    assert_eq!(list["next_cursor"], Value::Null);
    tenant.delete(&format!("/records/company/{acme}")).await;
    assert!(
        linked(&tenant, "contact", &ada, "contact_company").await.is_empty(),
        "links to archived records do not count"
    );
    tenant.post(&format!("/records/company/{acme}/restore"), &json!({})).await.ok(200);
    assert_eq!(linked(&tenant, "contact", &ada, "contact_company").await, [acme.as_str()]);
    let path = format!("/records/contact/{ada}/associations/contact_company/{acme}");
    assert!(matches!(tenant.delete(&path).await.status, 200 | 204));
    assert!(linked(&tenant, "company", &acme, "contact_company").await.is_empty());
    let changes = quiet.broken_by().await;
    assert_eq!(kinds(&changes), ["association.created", "record.archived", "record.restored", "association.removed"]);
}

async fn no_more_links_than_allowed_are_made(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let mut companies = Vec::new();
    for n in 0..8 {
        companies.push(create_id(&tenant, "company", json!({"name": format!("Company {n}")})).await);
    }
    let tries = companies.iter().map(|company| async { link(&tenant, &ada, company).await.status });
    let statuses = futures::future::join_all(tries).await;
    assert_eq!(statuses.iter().filter(|status| **status < 300).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
    let [holder] = <[String; 1]>::try_from(linked(&tenant, "contact", &ada, "contact_company").await).unwrap();
    let quiet = Silence::begins(&tenant).await;
    let other = companies.iter().find(|company| **company != holder).unwrap();
    let problem = link(&tenant, &ada, other).await.problem(409, "cardinality");
    assert!(problem.body.to_string().contains(&holder), "the link in the way is named: {}", problem.body);
    quiet.holds().await;
    let replace = format!("/records/contact/{ada}/associations/contact_company/{other}?replace=true");
    assert!(tenant.put(&replace, &json!({})).await.status < 300);
    assert_eq!(linked(&tenant, "contact", &ada, "contact_company").await, [other.as_str()]);
    let mut kinds: Vec<String> = kinds(&quiet.broken_by().await).into_iter().map(str::to_owned).collect();
    kinds.sort();
    assert_eq!(kinds, ["association.created", "association.removed"]);
}

async fn a_record_of_the_same_request_takes_the_place_of_another(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let acme = create_id(&tenant, "company", json!({"name": "Acme"})).await;
    assert!(link(&tenant, &ada, &acme).await.status < 300);
    let operations = json!([{"op": "create", "object": "company", "ref": "new", "properties": {"name": "Bolt"}},
        {"op": "associate", "type": "contact_company", "from": ada, "to": "$new", "replace": true}]);
    let done = tenant.post("/transactions", &json!({"operations": operations})).await.ok(200);
    let bolt = id(&results(&done)[0]["record"]);
    assert_eq!(linked(&tenant, "contact", &ada, "contact_company").await, [bolt]);
    assert!(linked(&tenant, "company", &acme, "contact_company").await.is_empty());
}

async fn link_has_a_label_and_goes_where_it_may(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let ada = create_id(&tenant, "contact", contact("ada@example.com")).await;
    let roof = create_id(&tenant, "deal", json!({"name": "Roof"})).await;
    let path = format!("/records/deal/{roof}/associations/deal_contact/{ada}");
    assert!(tenant.put(&path, &json!({"label": "primary"})).await.status < 300);
    let list = tenant.get(&format!("/records/deal/{roof}/associations/deal_contact")).await.ok(200);
    assert_eq!(results(&list)[0]["label"], "primary");
    let quiet = Silence::begins(&tenant).await;
    let problem = tenant.put(&path, &json!({"label": "primry"})).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/label"]);
    assert!(problem.words().contains("primary"), "{}", problem.body);
    for wrong in [
        format!("/records/deal/{roof}/associations/deal_contcat/{ada}"),
        format!("/records/deal/{roof}/associations/deal_contact/999999999"),
    ] {
        tenant.put(&wrong, &json!({})).await.problem(404, "not_found");
    }
    let status = tenant.put(&format!("/records/deal/{roof}/associations/deal_contact/{roof}"), &json!({})).await.status;
    assert!(matches!(status, 404 | 422), "a deal is no contact: {status}");
    quiet.holds().await;
}

async fn links_are_made_with_their_record_or_not_at_all(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let acme = create_id(&tenant, "company", json!({"name": "Acme"})).await;
    let with = |to: &str| json!({"properties": contact("ada@example.com"), "associations": [{"type": "contact_company", "to": to}]});
    let quiet = Silence::begins(&tenant).await;
    let problem = tenant.post("/records/contact", &with("999999999")).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/associations/0/to"]);
    quiet.holds().await;
    let ada = id(&tenant.post("/records/contact", &with(&acme)).await.ok(201));
    assert_eq!(linked(&tenant, "company", &acme, "contact_company").await, [ada.as_str()]);
    assert_eq!(kinds(&quiet.broken_by().await), ["record.created", "association.created"]);
}

async fn many_links_are_made_in_one_request(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let roof = create_id(&tenant, "deal", json!({"name": "Roof"})).await;
    let mut people = Vec::new();
    for n in 0..3 {
        people.push(create_id(&tenant, "contact", contact(&format!("c{n}@example.com"))).await);
    }
    let mut inputs: Vec<Value> =
        people.iter().map(|person| json!({"type": "deal_contact", "from": roof, "to": person})).collect();
    inputs.push(json!({"type": "deal_contact", "from": roof, "to": "999999999"}));
    let made = tenant.post("/associations/batch/create", &json!({"inputs": inputs})).await.ok(207);
    let statuses: Vec<u64> = results(&made).iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert!(statuses[..3].iter().all(|status| matches!(status, 200 | 201)), "{made}");
    assert!(matches!(statuses[3], 404 | 422), "{made}");
    assert_eq!(linked(&tenant, "deal", &roof, "deal_contact").await, people);
    let archived = tenant.post("/associations/batch/archive", &json!({"inputs": inputs[..2]})).await.ok(207);
    assert_eq!(results(&archived).len(), 2);
    assert_eq!(linked(&tenant, "deal", &roof, "deal_contact").await, people[2..]);
}

scenarios![
    a_record_of_the_same_request_takes_the_place_of_another,
    link_is_seen_from_both_ends_and_goes_with_the_records,
    no_more_links_than_allowed_are_made,
    link_has_a_label_and_goes_where_it_may,
    links_are_made_with_their_record_or_not_at_all,
    many_links_are_made_in_one_request,
];
