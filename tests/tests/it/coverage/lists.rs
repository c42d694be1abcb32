//! Lists of records and who is in them.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{ADMINS, Case, EVERYBODY, READERS, SAVERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = kept();
    cases.extend(members());
    cases
}

/// Nobody is called so: whoever is made later joins none of these lists.
fn named() -> Value {
    json!({"property": "last_name", "op": "eq", "value": "Nobody at all"})
}

fn dynamic(name: &str) -> Value {
    json!({"object": "contact", "name": name, "filter": named()})
}

fn made(case: Case, body: Value) -> Case {
    case.given("list", "/id", to("/lists").json(body))
}

fn with_ada(case: Case) -> Case {
    let ada = json!({"properties": {"first_name": "Ada", "last_name": "Lovelace"}});
    case.given("ada", "/id", to("/records/contact").json(ada))
}

fn kept() -> Vec<Case> {
    let mut listed = made(case(Method::GET, "/lists"), dynamic("Listed")).allows(
        EVERYBODY,
        to("/lists?object=contact&limit=200"),
        200,
        json!({"results": "*", "next_cursor": null}),
    );
    for (query, pointer) in [("limit=0", &["/limit"]), ("cursor=nonsense", &["/cursor"])] {
        listed = listed.refuses(to(&format!("/lists?{query}")), 400, "bad_request", pointer);
    }
    let wrong = json!({"object": "contact", "name": "Wrong", "filter": {"property": "last_nmae", "op": "exists"}});
    vec![
        listed,
        case(Method::POST, "/lists")
            .allows(
                SAVERS,
                to("/lists").json(dynamic("New")),
                201,
                json!({"id": "*", "kind": "dynamic", "sharing": "everyone", "version": 1, "problems": []}),
            )
            .refuses(to("/lists").json(json!({"object": "contact"})), 422, "validation_failed", &["/name"])
            .refuses(to("/lists").json(wrong), 422, "validation_failed", &["/filter/property"]),
        made(case(Method::GET, "/lists/{id}"), dynamic("One"))
            .allows(READERS, to("/lists/$list"), 200, json!({"id": "$list", "name": "One", "filter": named()}))
            .refuses(to("/lists/nothing"), 404, "not_found", &[]),
        made(case(Method::PATCH, "/lists/{id}"), dynamic("Before"))
            .allows(
                ADMINS,
                to("/lists/$list").json(json!({"name": "After"})),
                200,
                json!({"id": "$list", "name": "After"}),
            )
            .refuses(
                to("/lists/$list").json(json!({"object": "company", "name": " "})),
                422,
                "validation_failed",
                &["/object", "/name"],
            ),
        made(case(Method::DELETE, "/lists/{id}"), dynamic("Gone"))
            .allows(ADMINS, to("/lists/$list"), 204, Value::Null)
            .refuses(to("/lists/987654321"), 404, "not_found", &[]),
    ]
}

fn members() -> Vec<Case> {
    let by_hand = || json!({"object": "contact", "name": "By hand"});
    let path = "/lists/{id}/members/{record}";
    let put = || to("/lists/$list/members").json(json!({"add": ["$ada"]}));
    vec![
        made(with_ada(case(Method::GET, "/lists/{id}/members")), by_hand())
            .given("put", "/added", put())
            .allows(
                READERS,
                to("/lists/$list/members?limit=1&select=last_name"),
                200,
                json!({"results": [{"id": "$ada", "properties": {"last_name": "Lovelace"}}], "next_cursor": null}),
            )
            .refuses(to("/lists/nothing/members"), 404, "not_found", &[])
            .refuses(to("/lists/$list/members?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/lists/$list/members?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        made(with_ada(case(Method::POST, "/lists/{id}/members")), by_hand())
            .allows(ADMINS, put(), 200, json!({"added": 1, "removed": 0}))
            .refuses(
                to("/lists/$list/members").json(json!({"add": ["987654321"]})),
                422,
                "validation_failed",
                &["/add/0"],
            )
            .refuses(to("/lists/$list/members").json(json!({})), 422, "validation_failed", &[""]),
        made(with_ada(case(Method::PUT, path)), by_hand())
            .allows(ADMINS, to("/lists/$list/members/$ada"), 204, Value::Null)
            .refuses(to("/lists/$list/members/987654321"), 404, "not_found", &[]),
        made(with_ada(case(Method::DELETE, path)), by_hand())
            .given("put", "/added", put())
            .allows(ADMINS, to("/lists/$list/members/$ada"), 204, Value::Null)
            .refuses(to("/lists/987654321/members/$ada"), 404, "not_found", &[]),
    ]
}
