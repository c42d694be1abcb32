//! Duplicates: pairs, scans and checks.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{ADMINS, Case, LISTERS, WRITERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(Method::GET, "/duplicates/{object}")
            .allows(LISTERS, to("/duplicates/product?limit=10"), 200, json!({"results": "*", "next_cursor": null}))
            .refuses(to("/duplicates/product?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/duplicates/product?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        case(Method::POST, "/duplicates/{object}/scan")
            .allows(
                ADMINS,
                to("/duplicates/product/scan"),
                202,
                json!({"job": {"id": "*", "kind": "duplicate_scan", "spec": {"object": "product"}}}),
            )
            .refuses(to("/duplicates/note/scan"), 409, "conflict", &[]),
        case(Method::POST, "/duplicates/{object}/check")
            .record("twin", "product", json!({"name": "Same name", "sku": "same"}))
            .reads()
            .allows(
                LISTERS,
                to("/duplicates/product/check").json(json!({"properties": {"sku": "same"}})),
                200,
                json!({"results": [{"record": {"id": "$twin", "uid": "*", "object": "product", "display_name": "*"},
                    "score": 90, "rules": [{"properties": ["sku"], "similar": false}]}]}),
            )
            .refuses(
                to("/duplicates/product/check").json(json!({"properties": {"sukk": "same"}, "record": "999999999"})),
                422,
                "validation_failed",
                &["/properties/sukk"],
            )
            .refuses(to("/duplicates/product/check").json(json!({})), 422, "validation_failed", &["/properties"]),
        paired(Method::PUT),
        paired(Method::DELETE),
    ]
}

fn paired(method: Method) -> Case {
    let path = |one: &str, other: &str| to(&format!("/duplicates/contact/dismissed/{one}/{other}"));
    let twin = json!({"first_name": "One", "last_name": "Of two"});
    case(method, "/duplicates/{object}/dismissed/{id}/{to}")
        .record("one", "contact", twin.clone())
        .record("two", "contact", twin)
        .job("scan", to("/duplicates/contact/scan"))
        .allows(WRITERS, path("$one", "$two"), 204, Value::Null)
        .refuses(path("$one", "$one"), 404, "not_found", &[])
        .refuses(path("$one", "999999999"), 404, "not_found", &[])
}
