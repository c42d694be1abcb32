//! Scores of records, rankings, and assessing many.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, EVERYBODY, LISTERS, READERS, WRITERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    vec![list(), ranking(), assess_many(), read(), assess(), history(), override_rule(), take_back(), review()]
}

/// What is there before: a criterion, and somebody to be assessed. Criteria of other cases are there, too.
fn scored(method: Method, template: &str) -> Case {
    case(method, template)
        .record("size", "fit_criterion", json!({"name": "Size", "expression": "subject.title == 'CEO' ? 80 : 20"}))
        .record("ada", "contact", json!({"first_name": "Ada", "last_name": "Lovelace", "title": "CEO"}))
}

/// The same, assessed.
fn assessed(method: Method, template: &str) -> Case {
    scored(method, template).given("total", "/assessment_id", to("/records/contact/$ada/scores/fit").json(json!({})))
}

/// A score as it is answered.
fn whole() -> Value {
    json!({"score": "fit", "total": 80, "rationale": "*", "assessed_at": "*", "assessment_id": "*", "criteria": "*"})
}

fn list() -> Case {
    case(Method::GET, "/scores").allows(
        EVERYBODY,
        to("/scores"),
        200,
        json!({"results": [{"name": "fit", "label": "Fit", "description": "*", "criteria": "fit_criterion",
            "assessments": "fit_assessment", "subjects": ["company", "contact"], "for": ["product"],
            "totals": {"contact": "lead_score"}}], "next_cursor": null}),
    )
}

fn ranking() -> Case {
    let call = |query: &str| to(&format!("/scores/fit/ranking{query}"));
    assessed(Method::GET, "/scores/{score}/ranking")
        .allows(
            LISTERS,
            call("?object=contact&limit=1"),
            200,
            json!({"results": [{"record": {"id": "*", "uid": "*", "object": "contact", "display_name": "Ada Lovelace"},
                "total": 80, "rationale": "*", "assessed_at": "*", "assessment_id": "*"}]}),
        )
        .refuses(call(""), 400, "bad_request", &["/object"])
        .refuses(call("?object=deal"), 400, "bad_request", &["/object"])
        .refuses(call("?object=contact&for=999999999"), 400, "bad_request", &["/for"])
        .refuses(call("?object=contact&limit=0"), 400, "bad_request", &["/limit"])
        .refuses(call("?object=contact&cursor=nonsense"), 400, "bad_request", &["/cursor"])
}

fn assess_many() -> Case {
    let post = |body: Value| to("/scores/fit/assess").json(body);
    scored(Method::POST, "/scores/{score}/assess")
        .allows(
            WRITERS,
            // Of nobody, so that nothing is written while other operations are looked at.
            post(json!({"object": "contact", "filter": {"property": "first_name", "op": "eq", "value": "Nobody"}})),
            202,
            json!({"job": {"kind": "assess", "state": "queued"}}),
        )
        .refuses(post(json!({})), 422, "validation_failed", &["/object"])
        .refuses(
            post(json!({"object": "contact", "filter": {"property": "nmae", "op": "exists"}, "for": "999999999"})),
            422,
            "validation_failed",
            &["/for", "/filter/property"],
        )
}

fn read() -> Case {
    let call = |rest: &str| to(&format!("/records/contact/$ada/scores/fit{rest}"));
    assessed(Method::GET, "/records/{object}/{id}/scores/{score}")
        .allows(READERS, call(""), 200, whole())
        .refuses(call("?for=999999999"), 400, "bad_request", &["/for"])
        .refuses(to("/records/deal/999999999/scores/fit"), 404, "not_found", &[])
}

fn assess() -> Case {
    let post = |body: Value| to("/records/contact/$ada/scores/fit").json(body);
    scored(Method::POST, "/records/{object}/{id}/scores/{score}")
        .allows(WRITERS, post(json!({})), 200, whole())
        .refuses(post(json!({"for": "999999999"})), 422, "validation_failed", &["/for"])
        .refuses(post(json!({"for": []})), 422, "validation_failed", &["/for"])
}

fn history() -> Case {
    let call = |query: &str| to(&format!("/records/contact/$ada/scores/fit/history{query}"));
    assessed(Method::GET, "/records/{object}/{id}/scores/{score}/history")
        .allows(
            READERS,
            call("?limit=1"),
            200,
            json!({"results": [{"id": "$total", "criterion": null, "score": 80, "rationale": "*", "by": "rule",
                "user": null, "review": "accepted", "assessed_at": "*", "current": true}], "next_cursor": "*"}),
        )
        .refuses(call("?for=999999999"), 400, "bad_request", &["/for"])
        .refuses(call("?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(call("?cursor=nonsense"), 400, "bad_request", &["/cursor"])
}

fn override_rule() -> Case {
    let put = |body: Value| to("/records/contact/$ada/scores/fit/criteria/$size").json(body);
    scored(Method::PUT, "/records/{object}/{id}/scores/{score}/criteria/{criterion}")
        .allows(
            WRITERS,
            put(json!({"score": 35, "rationale": "I know her"})),
            200,
            json!({"score": "fit", "total": 35, "criteria": "*"}),
        )
        .refuses(put(json!({})), 422, "validation_failed", &["/score", "/rationale"])
        .refuses(
            put(json!({"score": 101, "rationale": "x", "for": "999999999"})),
            422,
            "validation_failed",
            &["/score", "/for"],
        )
}

fn take_back() -> Case {
    let call = |rest: &str| to(&format!("/records/contact/$ada/scores/fit/criteria/$size{rest}"));
    let said = json!({"score": 35, "rationale": "I know her"});
    assessed(Method::DELETE, "/records/{object}/{id}/scores/{score}/criteria/{criterion}")
        .put(call("").json(said))
        .allows(WRITERS, call(""), 200, whole())
        .refuses(call("?for=999999999"), 400, "bad_request", &["/for"])
}

fn review() -> Case {
    let put = |body: Value| to("/records/contact/$ada/scores/fit/criteria/$size/review").json(body);
    assessed(Method::PUT, "/records/{object}/{id}/scores/{score}/criteria/{criterion}/review")
        .allows(WRITERS, put(json!({"review": "accepted"})), 200, whole())
        .refuses(put(json!({})), 422, "validation_failed", &["/review"])
        .refuses(put(json!({"review": "acepted", "for": "999999999"})), 422, "validation_failed", &["/review", "/for"])
}
