//! Searches, and suggestions for pickers.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, EVERYBODY, LISTERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    vec![search(), across(), suggest()]
}

fn ada(email: &str) -> Value {
    json!({"first_name": "Ada", "last_name": "Lovelace", "email": email})
}

fn search() -> Case {
    let search = |body: Value| to("/records/contact/search").json(body);
    let by_email = json!({"property": "email", "op": "eq", "value": "Search@example.com"});
    case(Method::POST, "/records/{object}/search")
        .reads()
        .record("ada", "contact", ada("search@example.com"))
        .allows(
            LISTERS,
            search(json!({"q": "ada lov", "filter": by_email, "sort": [{"property": "last_name"}], "count": true,
                "aggregate": {"t": {"group": ["last_name"], "measures": {"n": {"count": true}}}}, "select": ["email"],
                "include": ["company(name)"], "limit": 1, "fuzzy": false, "archived": false, "consistency": "strong"})),
            200,
            json!({"results": [{"id": "$ada", "object": "contact", "properties": {"email": "search@example.com"}}],
                "total": 1, "aggregates": {"t": [{"key": ["Lovelace"], "n": 1}]}, "next_cursor": null, "sequence": "*"}),
        )
        .allows(
            LISTERS,
            search(json!({"filter": by_email})),
            200,
            json!({"results": [{"id": "$ada"}], "next_cursor": null}),
        )
        .refuses(
            search(json!({"limit": 201, "select": ["emial"], "sort": ["lastname"], "include": ["compny"],
                "filter": {"property": "emial", "op": "eq", "value": "x"},
                "aggregate": {"t": {"group": ["lastname"], "measures": {"m": {"summ": "x"}}}}})),
            422,
            "validation_failed",
            &[
                "/aggregate/t/measures/m/summ",
                "/include/0",
                "/limit",
                "/select/0",
                "/filter/property",
                "/sort/0/property",
                "/aggregate/t/group/0",
            ],
        )
        .refuses(search(json!({"limit": -1, "cursor": 7})), 422, "validation_failed", &["/limit", "/cursor"])
        .refuses(search(json!({"cursor": "nonsense"})), 422, "validation_failed", &["/cursor"])
        .refuses(search(json!({"objects": ["contact"]})), 422, "validation_failed", &["/objects"])
        .refuses(search(json!({})).header("trellis-sequence", "x"), 400, "bad_request", &[])
}

fn across() -> Case {
    let search = |body: Value| to("/search").json(body);
    case(Method::POST, "/search")
        .reads()
        .record("ada", "contact", json!({"first_name": "Xanthippe", "last_name": "Across"}))
        .record("acme", "company", json!({"name": "Xanthippe Ltd"}))
        .allows(
            EVERYBODY,
            search(json!({"q": "xanthippe", "count": true, "sort": ["id"],
                "aggregate": {"t": {"group": ["object"]}}})),
            200,
            json!({"results": [
                {"id": "$ada", "object": "contact", "highlights": {"display_name": "<em>Xanthippe</em> Across"}},
                {"id": "$acme", "object": "company", "highlights": {"display_name": "<em>Xanthippe</em> Ltd"}}],
                "total": 2, "aggregates": {"t": [{"key": ["company"], "count": 1}, {"key": ["contact"], "count": 1}]},
                "next_cursor": null, "sequence": "*"}),
        )
        .allows(
            LISTERS,
            search(json!({"objects": ["company"], "q": "xanthippe"})),
            200,
            json!({"results": [{"id": "$acme"}], "next_cursor": null}),
        )
        .refuses(
            search(json!({"objects": ["compny", "contact", "contact"], "limit": 201})),
            422,
            "validation_failed",
            &["/objects/0", "/objects/2", "/limit"],
        )
        .refuses(search(json!({"objects": "contact", "q": 7})), 422, "validation_failed", &["/objects", "/q"])
}

fn suggest() -> Case {
    case(Method::GET, "/records/{object}/suggest")
        .record("tag", "tag", json!({"name": "Suggested"}))
        .allows(
            LISTERS,
            to("/records/tag/suggest?q=sugg&limit=1"),
            200,
            json!({"results": [{"id": "$tag", "uid": "*", "object": "tag", "display_name": "Suggested"}]}),
        )
        .refuses(to("/records/tag/suggest?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(to("/records/tag/suggest?limit=x&q=a"), 400, "bad_request", &["/limit"])
}
