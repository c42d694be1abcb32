//! Links between records.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{BATCH_READERS, BATCH_WRITERS, Case, READERS, WRITERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    vec![put(), delete(), list(), create(), archive(), read()]
}

fn linked(method: Method, template: &str) -> Case {
    case(method, template)
        .record("deal", "deal", json!({"name": "Roof"}))
        .record("ada", "contact", json!({"first_name": "Ada", "last_name": "Lovelace"}))
        .record("acme", "company", json!({"name": "Acme"}))
        .record("other", "company", json!({"name": "Other"}))
}

/// A link from `$ada` to `$acme`, of an association in which it can be the only one.
fn employed(case: Case) -> Case {
    let link = json!({"atomic": true, "inputs": [{"type": "contact_company", "from": "$ada", "to": "$acme"}]});
    case.given("", "", to("/associations/batch/create").json(link))
}

fn put() -> Case {
    employed(linked(Method::PUT, "/records/{object}/{id}/associations/{type}/{to}"))
        .allows(
            WRITERS,
            to("/records/deal/$deal/associations/deal_contact/$ada").json(json!({"label": "decision_maker"})),
            204,
            Value::Null,
        )
        .allows(WRITERS, to("/records/contact/$ada/associations/contact_company/$other?replace=true"), 204, Value::Null)
        .refuses(
            to("/records/deal/$deal/associations/deal_contact/$ada").json(json!({"label": "decision_makr"})),
            422,
            "validation_failed",
            &["/label"],
        )
        .refuses(to("/records/contact/$ada/associations/contact_company/$other"), 409, "cardinality", &[""])
        .refuses(to("/records/contact/$ada/associations/contact_company/$deal"), 422, "validation_failed", &["/to"])
}

fn delete() -> Case {
    employed(linked(Method::DELETE, "/records/{object}/{id}/associations/{type}/{to}"))
        .allows(WRITERS, to("/records/contact/$ada/associations/contact_company/$acme"), 204, Value::Null)
        .allows(WRITERS, to("/records/contact/$ada/associations/contact_company/$other"), 204, Value::Null)
}

fn list() -> Case {
    let acme = json!({"record": {"id": "$acme", "uid": "*", "object": "company", "display_name": "Acme"},
        "type": "contact_company", "label": null, "properties": {}, "created_at": "*"});
    employed(linked(Method::GET, "/records/{object}/{id}/associations/{type}"))
        .allows(
            READERS,
            to("/records/contact/$ada/associations/contact_company?limit=1"),
            200,
            json!({"results": [acme], "next_cursor": null}),
        )
        .refuses(to("/records/contact/$ada/associations/contact_company?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(
            to("/records/contact/$ada/associations/contact_company?direction=x"),
            400,
            "bad_request",
            &["/direction"],
        )
}

fn create() -> Case {
    let link = |body: Value| to("/associations/batch/create").json(body);
    let inputs = json!([{"type": "contact_company", "from": "$ada", "to": "$acme"}]);
    linked(Method::POST, "/associations/batch/create")
        .allows(BATCH_WRITERS, link(json!({"inputs": inputs})), 207, json!({"results": [{"index": 0, "status": 200}]}))
        .allows(
            WRITERS,
            link(json!({"inputs": inputs, "atomic": true})),
            200,
            json!({"results": [{"index": 0, "status": 200}]}),
        )
        .refuses(
            link(json!({"atomic": true, "inputs": [{"from": "1", "lable": "x"}]})),
            422,
            "validation_failed",
            &["/inputs/0/type", "/inputs/0/to", "/inputs/0/lable"],
        )
        .refuses(
            link(json!({"atomic": true, "inputs": [{"type": "contact_compny", "from": "$ada", "to": "$acme"}]})),
            422,
            "validation_failed",
            &["/inputs/0/type"],
        )
}

fn archive() -> Case {
    let unlink = |body: Value| to("/associations/batch/archive").json(body);
    let inputs = json!([{"type": "contact_company", "from": "$ada", "to": "$acme"}]);
    employed(linked(Method::POST, "/associations/batch/archive"))
        .allows(
            BATCH_WRITERS,
            unlink(json!({"inputs": inputs})),
            207,
            json!({"results": [{"index": 0, "status": 200}]}),
        )
        .refuses(
            unlink(json!({"atomic": true, "inputs": [{"type": "x"}]})),
            422,
            "validation_failed",
            &["/inputs/0/from", "/inputs/0/to"],
        )
        .refuses(
            unlink(json!({"atomic": true, "inputs": [{"type": "contact_compny", "from": "$ada", "to": "$acme"}]})),
            422,
            "validation_failed",
            &["/inputs/0/type"],
        )
}

fn read() -> Case {
    let links = |body: Value| to("/associations/batch/read").json(body);
    let shape = json!({"results": [{"index": 0, "status": 200, "associations": [{"record": {"id": "$acme"}}]}]});
    employed(linked(Method::POST, "/associations/batch/read"))
        .allows(
            BATCH_READERS,
            links(json!({"type": "contact_company", "inputs": [{"object": "contact", "id": "$ada"}]})),
            207,
            shape,
        )
        .refuses(links(json!({"inputs": [{"id": "1"}]})), 422, "validation_failed", &["/type", "/inputs/0/object"])
        .refuses(
            links(json!({"type": "contact_company", "limit": 0})),
            422,
            "validation_failed",
            &["/inputs", "/limit"],
        )
}
