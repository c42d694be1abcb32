//! Packs, and the history of the definitions that they and the tenant have brought.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{ADMINS, Call, Case, EVERYBODY, PLATFORM, PUBLIC, case, to};

const PACK: &str = "pack: covered\nversion: 1.0.0\nlabel: Covered\nobjects:\n  covered:\n    label: Covered\n    \
    properties:\n      title: {type: string, label: Title}\n";

pub(super) fn cases() -> Vec<Case> {
    let plan = |body: Value| to("/packs/plan").json(body);
    let apply = |plan: &str| -> Call { to("/packs/apply").json(json!({"plan": plan})) };
    vec![
        case(Method::GET, "/metadata/history")
            .allows(
                EVERYBODY,
                to("/metadata/history?limit=1"),
                200,
                json!({"results": [{"version": "*", "at": "*", "by": "*", "summary": "*", "changes": "*"}], "next_cursor": "*"}),
            )
            .refuses(to("/metadata/history?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/metadata/history?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        case(Method::GET, "/metadata/diff")
            .allows(EVERYBODY, to("/metadata/diff?from=1&to=1"), 200, json!({"from": 1, "to": 1, "steps": []}))
            .refuses(to("/metadata/diff?to=x"), 400, "bad_request", &["/to", "/from"])
            .refuses(to("/metadata/diff?from=100000"), 400, "bad_request", &["/from"]),
        case(Method::POST, "/metadata/rollback")
            .reads()
            .allows(
                ADMINS,
                to("/metadata/rollback").json(json!({"to_version": 1, "dry_run": true})),
                200,
                json!({"metadata_version": "*", "changed": false, "steps": "*", "jobs": []}),
            )
            .refuses(
                to("/metadata/rollback").json(json!({"to_version": 100_000})),
                422,
                "validation_failed",
                &["/to_version"],
            )
            .refuses(to("/metadata/rollback").json(json!({})), 422, "validation_failed", &["/to_version"]),
        case(Method::GET, "/packs").allows(EVERYBODY, to("/packs"), 200, json!({"results": "*", "next_cursor": null})),
        case(Method::GET, "/packs/schema").allows(
            PUBLIC,
            to("/packs/schema"),
            200,
            json!({"$schema": "https://json-schema.org/draft/2020-12/schema"}),
        ),
        case(Method::GET, "/packs/export")
            .allows(ADMINS, to("/packs/export?pack=core"), 200, Value::Null)
            .refuses(to("/packs/export?pack=No&version=x&object=contcat"), 400, "bad_request", &["/pack", "/version", "/object"])
            .refuses(to("/packs/export?pack=core&label=x"), 400, "bad_request", &["/label"]),
        case(Method::POST, "/packs/plan")
            .reads()
            .allows(
                ADMINS,
                plan(json!({"source": PACK})),
                200,
                json!({"plan": "*", "metadata_version": "*", "conflicts": [], "summary": {"add": 2, "change": 0, "remove": 0},
                    "steps": [{"action": "add", "kind": "object", "name": "covered", "destructive": false},
                        {"action": "add", "kind": "property", "name": "covered.title", "destructive": false}]}),
            )
            .refuses(plan(json!({"pack": "constructoin"})), 422, "validation_failed", &["/pack"])
            .refuses(plan(json!({})), 422, "validation_failed", &["/source"]),
        case(Method::POST, "/packs/apply")
            .without_key()
            .given("plan", "/plan", plan(json!({"source": PACK})))
            .given("late", "/plan", plan(json!({"pack": "construction"})))
            .allows(
                ADMINS,
                apply("$plan"),
                200,
                json!({"pack": "covered", "version": "1.0.0", "metadata_version": "*", "changed": true, "jobs": []}),
            )
            .refuses(apply("nonsense"), 422, "validation_failed", &["/plan"])
            .refuses(
                to("/packs/apply").json(json!({"plan": "$plan", "accept": {"covered": "both"}})),
                422,
                "validation_failed",
                &["/accept/covered"],
            )
            .refuses(to("/packs/apply").json(json!({})), 422, "validation_failed", &["/plan"]),
        case(Method::DELETE, "/packs/{pack}")
            .given("plan", "/plan", plan(json!({"source": PACK})))
            .given("applied", "/pack", apply("$plan"))
            .allows(
                ADMINS,
                to("/packs/covered"),
                200,
                json!({"pack": "covered", "version": null, "metadata_version": "*", "changed": true, "jobs": []}),
            )
            .refuses(to("/packs/covert"), 404, "not_found", &[])
            .refuses(to("/packs/core"), 409, "conflict", &[""]),
        over_tenants("plan"),
        over_tenants("apply"),
    ]
}

fn over_tenants(what: &str) -> Case {
    let path = format!("/tenants/packs/{what}");
    let call = |body: Value| to(&path).json(body);
    case(Method::POST, &path)
        .reads()
        .allows(PLATFORM, call(json!({"pack": "core", "tenants": ["demo"]})), 200, Value::Null)
        .refuses(call(json!({"pack": "cor"})), 422, "validation_failed", &["/pack"])
        .refuses(call(json!({"source": PACK, "tenants": ["demmo"]})), 422, "validation_failed", &["/tenants/0"])
        .refuses(
            call(json!({"version": "1.0.0", "install": 1, "accept": {"covered": "both"}})),
            422,
            "validation_failed",
            &["/version", "/source", "/install", "/accept/covered"],
        )
}
