//! Timelines, activities and the audit trail.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{ADMINS, Case, READERS, WRITERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    vec![timeline(), activities(), record_audit(), audit()]
}

fn timeline() -> Case {
    let call = |query: &str| to(&format!("/records/deal/$deal/timeline{query}"));
    case(Method::GET, "/records/{object}/{id}/timeline")
        .record("deal", "deal", json!({"name": "Roof"}))
        .given("call", "/id", to("/records/deal/$deal/activities").json(json!({"type": "call"})))
        .allows(
            READERS,
            call("?kinds=change,call,activity&after=2020-01-01T00:00:00Z&limit=10"),
            200,
            json!({"results": [
                {"id": "$call", "at": "*", "kind": "activity", "by": "*", "type": "call", "label": "Call", "text": null,
                    "details": {}, "record": {"id": "$call", "uid": "*", "object": "activity", "display_name": "call"}},
                {"at": "*", "kind": "change", "by": "*", "sequence": "*", "event": "record.created", "changes": "*",
                    "source": "api", "request_id": "*"},
            ], "next_cursor": null}),
        )
        .refuses(call("?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(call("?cursor=nonsense"), 400, "bad_request", &["/cursor"])
        .refuses(call("?after=today"), 400, "bad_request", &["/after"])
        .refuses(call("?kinds=notes"), 400, "bad_request", &["/kinds"])
}

fn activities() -> Case {
    let post = |body: Value| to("/records/deal/$deal/activities").json(body);
    case(Method::POST, "/records/{object}/{id}/activities")
        .record("deal", "deal", json!({"name": "Roof"}))
        .record("other", "deal", json!({"name": "Wall"}))
        .allows(
            WRITERS,
            post(json!({"type": "email.sent", "at": "2026-01-02T03:04:05Z", "details": {"subject": "Hello"},
                "also": ["$other"]})),
            201,
            json!({"id": "*", "at": "2026-01-02T03:04:05.000000Z", "kind": "activity", "by": "*", "type": "email.sent",
                "label": "E-mail sent", "details": {"subject": "Hello"}}),
        )
        .refuses(post(json!({"type": "email.snet"})), 422, "validation_failed", &["/type"])
        .refuses(
            post(
                json!({"type": "email.sent", "at": "now", "details": {"to": "x", "subjct": 1}, "also": ["999999999"]}),
            ),
            422,
            "validation_failed",
            &["/details/to", "/details/subjct", "/at", "/also/0"],
        )
        .refuses(to("/records/deal/999999999/activities").json(json!({"type": "call"})), 404, "not_found", &[])
}

fn record_audit() -> Case {
    case(Method::GET, "/records/{object}/{id}/audit")
        .record("deal", "deal", json!({"name": "Roof"}))
        .allows(
            ADMINS,
            to("/records/deal/$deal/audit?limit=1"),
            200,
            json!({"results": [{"kind": "record.created", "record_id": "$deal", "actor": "*", "source": "api", "ip": "*",
                "user_agent": null, "request_id": "*"}], "next_cursor": null}),
        )
        .refuses(to("/records/deal/$deal/audit?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(to("/records/deal/$deal/audit?cursor=nonsense"), 400, "bad_request", &["/cursor"])
        .refuses(to("/records/deal/999999999/audit"), 404, "not_found", &[])
}

fn audit() -> Case {
    case(Method::GET, "/audit")
        .record("deal", "deal", json!({"name": "Roof"}))
        .allows(
            ADMINS,
            to("/audit?limit=1&source=api&since=2020-01-01T00:00:00Z&until=2099-01-01T00:00:00Z"),
            200,
            json!({"results": [{"kind": "*", "source": "api"}], "next_cursor": "*"}),
        )
        .refuses(to("/audit?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(to("/audit?cursor=nonsense"), 400, "bad_request", &["/cursor"])
        .refuses(to("/audit?user=me"), 400, "bad_request", &["/user"])
        .refuses(to("/audit?since=now&until=x"), 400, "bad_request", &["/since", "/until"])
}
