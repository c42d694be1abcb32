//! Tenants, users, teams, roles, tokens; why somebody may do something, and who was given sensitive values.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{ADMINS, Case, EVERYBODY, PLATFORM, case, to};

pub(super) fn cases() -> Vec<Case> {
    [tenants(), users(), reassignment(), assignment(), teams(), roles(), rights(), tokens()]
        .into_iter()
        .flatten()
        .collect()
}

/// A tenant as the first version of the format has it.
const EXPORTED: &str = include_str!("../../../testdata/tenant-1.ndjson");

fn tenants() -> Vec<Case> {
    let make = |body| to("/tenants").json(body);
    let index = json!({"lag_changes": "*", "documents": "*", "disk_bytes": "*", "failure": null});
    let made_anew = json!({"building": {"records_done": "*", "records_total": "*"}, "failure": null});
    vec![
        case(Method::POST, "/tenants")
            .reads()
            .allows(
                PLATFORM,
                make(json!({"slug": "made", "name": "Made", "profile": "generic", "currency": "CAD", "country": "CA"})),
                201,
                json!({"tenant": {"id": "*", "slug": "made", "name": "Made", "profile": "generic", "time_zone": "UTC",
                    "currency": "CAD", "country": "CA", "capabilities": "*", "metadata_version": "*"}, "token": "*"}),
            )
            .refuses(make(json!({"name": "Made"})), 422, "validation_failed", &["/slug"])
            .refuses(
                make(json!({"slug": "No Slug", "profile": "genric"})),
                422,
                "validation_failed",
                &["/slug", "/profile"],
            )
            .refuses(make(json!({"slug": "demo"})), 409, "conflict", &["/slug"]),
        case(Method::POST, "/tenants/import")
            .reads()
            .allows(
                PLATFORM,
                to("/tenants/import?slug=moved").text("application/x-ndjson", EXPORTED),
                201,
                json!({"tenant": {"id": "*", "slug": "moved", "name": "Exported", "profile": "generic",
                    "time_zone": "Europe/Vienna", "currency": "EUR", "country": "AT", "capabilities": "*",
                    "metadata_version": 1}, "token": "*"}),
            )
            .refuses(to("/tenants/import").text("application/x-ndjson", EXPORTED), 400, "bad_request", &["/slug"])
            .refuses(
                to("/tenants/import?slug=No-Slug").text("application/x-ndjson", EXPORTED),
                422,
                "validation_failed",
                &["/slug"],
            )
            .refuses(to("/tenants/import?slug=demo").text("application/x-ndjson", EXPORTED), 409, "conflict", &["/slug"])
            .refuses(to("/tenants/import?slug=x").text("application/x-ndjson", "{}"), 422, "validation_failed", &[""]),
        case(Method::GET, "/tenant/export").allows(ADMINS, to("/tenant/export"), 200, Value::Null),
        case(Method::GET, "/tenants")
            .allows(
                PLATFORM,
                to("/tenants?limit=1"),
                200,
                json!({"results": [{"id": "*", "slug": "demo"}], "next_cursor": "*"}),
            )
            .refuses(to("/tenants?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/tenants?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        case(Method::GET, "/tenants/{id}/search-index")
            .allows(PLATFORM, to("/tenants/1/search-index"), 200, index)
            .refuses(to("/tenants/987654321/search-index"), 404, "not_found", &[]),
        case(Method::POST, "/tenants/{id}/search-index/rebuild")
            .reads()
            .allows(PLATFORM, to("/tenants/1/search-index/rebuild"), 202, made_anew)
            .refuses(to("/tenants/987654321/search-index/rebuild"), 404, "not_found", &[]),
        case(Method::GET, "/tenants/{id}/search-index/check")
            .allows(
                PLATFORM,
                to("/tenants/1/search-index/check?cursor=20000"),
                200,
                json!({"records": 0, "links": 0, "count": 0, "differences": [], "next_cursor": null}),
            )
            .refuses(to("/tenants/1/search-index/check?cursor=x"), 400, "bad_request", &["/cursor"])
            .refuses(to("/tenants/987654321/search-index/check"), 404, "not_found", &[]),
        case(Method::GET, "/tenant").allows(
            EVERYBODY,
            to("/tenant"),
            200,
            json!({"tenant": {"name": "Acme", "profile": "generic"}, "user": {"id": "*", "name": "viewer", "email": null},
                "role": "viewer", "capabilities": "*", "profile": "generic", "metadata_version": "*"}),
        ),
        case(Method::PATCH, "/tenant")
            .allows(
                ADMINS,
                to("/tenant").json(json!({"name": "Acme Ltd", "capabilities": {"deals": true}})),
                200,
                json!({"tenant": {"name": "Acme Ltd"}, "role": "admin"}),
            )
            .refuses(
                to("/tenant").json(json!({"time_zone": "Mars/Base", "capabilities": {"dels": true}})),
                422,
                "validation_failed",
                &["/capabilities/dels", "/time_zone"],
            ),
    ]
}

fn users() -> Vec<Case> {
    let make = |body| to("/users").json(body);
    let mel = |case: Case, email: &str| {
        case.given("mel", "/id", make(json!({"name": "Mel", "email": email, "role": "member"})))
    };
    vec![
        case(Method::GET, "/users")
            .allows(
                EVERYBODY,
                to("/users?limit=1"),
                200,
                json!({"results": [{"id": "*", "name": "Owner", "role": "owner"}], "next_cursor": "*"}),
            )
            .refuses(to("/users?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/users?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        mel(case(Method::POST, "/users"), "taken@example.com")
            .allows(
                ADMINS,
                make(
                    json!({"name": "Ada", "email": "Ada@Example.com", "role": "viewer", "time_zone": "Europe/London"}),
                ),
                201,
                json!({"id": "*", "name": "Ada", "email": "ada@example.com", "role": "viewer", "teams": [],
                    "time_zone": "Europe/London", "locale": null, "is_service": false, "created_at": "*",
                    "updated_at": "*", "archived_at": null}),
            )
            .refuses(make(json!({})), 422, "validation_failed", &["/name"])
            .refuses(
                make(json!({"name": "X", "email": "nobody", "role": "membr", "teams": ["999999999"]})),
                422,
                "validation_failed",
                &["/teams/0", "/email", "/role"],
            )
            .refuses(make(json!({"name": "X", "role": "owner"})), 422, "validation_failed", &["/role"])
            .refuses(make(json!({"name": "X", "email": "taken@example.com"})), 409, "conflict", &["/email"]),
        mel(case(Method::GET, "/users/{id}"), "read@example.com").allows(
            EVERYBODY,
            to("/users/$mel"),
            200,
            json!({"id": "$mel", "email": "read@example.com"}),
        ),
        mel(case(Method::PATCH, "/users/{id}"), "changed@example.com")
            .allows(
                ADMINS,
                to("/users/$mel").json(json!({"name": "Melissa", "locale": "en-CA"})),
                200,
                json!({"id": "$mel", "name": "Melissa", "locale": "en-CA", "email": "changed@example.com"}),
            )
            .refuses(
                to("/users/$mel").json(json!({"role": "membr", "time_zone": "x"})),
                422,
                "validation_failed",
                &["/role", "/time_zone"],
            )
            .refuses(to("/users/1").json(json!({"role": "viewer"})), 403, "forbidden", &[]),
        mel(case(Method::DELETE, "/users/{id}"), "archived@example.com")
            .allows(ADMINS, to("/users/$mel"), 204, Value::Null)
            .refuses(to("/users/1"), 403, "forbidden", &[]),
    ]
}

fn reassignment() -> Vec<Case> {
    let reassign = |body: Value| to("/users/$leaving/reassign").json(body);
    let user = |name: &str| to("/users").json(json!({"name": name, "role": "member"}));
    vec![
        case(Method::POST, "/users/{id}/reassign")
            .given("leaving", "/id", user("Leaving"))
            .given("heir", "/id", user("Heir"))
            .reads()
            .allows(
                ADMINS,
                reassign(json!({"to": "$heir", "objects": ["contact"], "properties": true})),
                202,
                json!({"job": {"id": "*", "kind": "reassign", "state": "queued"}}),
            )
            .refuses(
                reassign(json!({"to": "$leaving", "objects": ["dael"]})),
                422,
                "validation_failed",
                &["/to", "/objects/0"],
            )
            .refuses(reassign(json!({})), 422, "validation_failed", &["/to"])
            .refuses(to("/users/987654321/reassign").json(json!({"to": null})), 404, "not_found", &[]),
    ]
}

fn assignment() -> Vec<Case> {
    let make = |body| to("/assignment-rules").json(body);
    let right = |label: &str| json!({"object": "elsewhere", "label": label, "when": "name != ''", "users": ["$who"]});
    let who = |case: Case| case.given("who", "/id", to("/users").json(json!({"name": "Who", "role": "member"})));
    let made = |case: Case, label: &str| who(case).given("rule", "/id", make(right(label)));
    let shown = |label: &str| {
        json!({"id": "$rule", "object": "elsewhere", "label": label, "when": "name != ''",
        "users": ["$who"], "team": null, "position": "*", "active": true, "warnings": [], "created_at": "*",
        "updated_at": "*"})
    };
    vec![
        made(case(Method::GET, "/assignment-rules"), "Listed")
            .allows(ADMINS, to("/assignment-rules?object=elsewhere"), 200, json!({"results": "*", "next_cursor": null}))
            .refuses(to("/assignment-rules?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/assignment-rules?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        who(case(Method::POST, "/assignment-rules"))
            .allows(
                ADMINS,
                make(right("New")),
                201,
                json!({"id": "*", "label": "New", "users": ["$who"], "warnings": []}),
            )
            .refuses(make(json!({})), 422, "validation_failed", &["/object", "/label", "/users"])
            .refuses(
                make(json!({"object": "elsewher", "label": "X", "users": ["987654321"]})),
                422,
                "validation_failed",
                &["/object", "/users/0"],
            ),
        made(case(Method::GET, "/assignment-rules/{id}"), "Read")
            .allows(ADMINS, to("/assignment-rules/$rule"), 200, shown("Read"))
            .refuses(to("/assignment-rules/987654321"), 404, "not_found", &[]),
        made(case(Method::PATCH, "/assignment-rules/{id}"), "Before")
            .allows(ADMINS, to("/assignment-rules/$rule").json(json!({"label": "After"})), 200, shown("After"))
            .refuses(to("/assignment-rules/$rule").json(json!({"when": "nme"})), 422, "validation_failed", &["/when"])
            .refuses(
                to("/assignment-rules/$rule").json(json!({"object": "deal"})),
                422,
                "validation_failed",
                &["/object"],
            ),
        made(case(Method::DELETE, "/assignment-rules/{id}"), "Gone")
            .allows(ADMINS, to("/assignment-rules/$rule"), 204, Value::Null)
            .refuses(to("/assignment-rules/987654321"), 404, "not_found", &[]),
    ]
}

fn teams() -> Vec<Case> {
    let made = |case: Case, name: &str| case.given("team", "/id", to("/teams").json(json!({"name": name})));
    vec![
        made(case(Method::GET, "/teams"), "Listed")
            .allows(EVERYBODY, to("/teams?limit=1"), 200, json!({"results": [{"name": "Listed", "members": []}]}))
            .refuses(to("/teams?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/teams?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        made(case(Method::POST, "/teams"), "Taken")
            .allows(
                ADMINS,
                to("/teams").json(json!({"name": "Sales", "members": ["1"]})),
                201,
                json!({"id": "*", "name": "Sales", "members": ["1"], "created_at": "*"}),
            )
            .refuses(
                to("/teams").json(json!({"name": "", "members": ["999999999"]})),
                422,
                "validation_failed",
                &["/members/0", "/name"],
            )
            .refuses(to("/teams").json(json!({"name": "Taken"})), 409, "conflict", &["/name"]),
        made(case(Method::GET, "/teams/{id}"), "Read").allows(
            EVERYBODY,
            to("/teams/$team"),
            200,
            json!({"id": "$team", "name": "Read"}),
        ),
        made(case(Method::PATCH, "/teams/{id}"), "Changed")
            .allows(
                ADMINS,
                to("/teams/$team").json(json!({"members": ["1"]})),
                200,
                json!({"id": "$team", "name": "Changed", "members": ["1"]}),
            )
            .refuses(to("/teams/$team").json(json!({"members": ["x"]})), 422, "validation_failed", &["/members/0"]),
        made(case(Method::DELETE, "/teams/{id}"), "Gone").allows(ADMINS, to("/teams/$team"), 204, Value::Null),
    ]
}

fn roles() -> Vec<Case> {
    let make = |body| to("/roles").json(body);
    let made =
        |case: Case, name: &str| case.given("", "", make(json!({"name": name, "objects": {"deal": {"read": "own"}}})));
    let written = json!({"create": false, "read": "own", "update": "none", "archive": "none"});
    vec![
        case(Method::GET, "/roles")
            .allows(
                EVERYBODY,
                to("/roles?limit=1"),
                200,
                json!({"results": [{"name": "owner", "label": "Owner", "layer": "engine", "admin": true, "properties": {},
                    "objects": {"*": {"create": true, "read": "all", "update": "all", "archive": "all"}}, "warning": null}],
                    "next_cursor": "*"}),
            )
            .refuses(to("/roles?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/roles?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        made(case(Method::POST, "/roles"), "taken_role")
            .allows(
                ADMINS,
                make(json!({"name": "sales", "label": "Sales", "objects": {
                    "deal": {"create": true, "read": "team", "update": "own_or_unclaimed", "archive": "own"},
                    "*": {"read": "all"}}, "properties": {"deal.amount": {"read": true, "write": false}}, "admin": false})),
                201,
                json!({"name": "sales", "label": "Sales", "layer": "custom", "admin": false, "warning": null,
                    "objects": {"deal": {"create": true, "read": "team", "update": "own_or_unclaimed", "archive": "own"},
                        "*": {"create": false, "read": "all", "update": "none", "archive": "none"}},
                    "properties": {"deal.amount": {"read": true, "write": false}}, "created_at": "*", "updated_at": "*"}),
            )
            .refuses(make(json!({})), 422, "validation_failed", &["/name"])
            .refuses(make(json!({"name": "member"})), 422, "validation_failed", &["/name"])
            .refuses(
                make(json!({"name": "x", "objects": {"deel": {"read": "al"}}, "properties": {"deal.amuont": {}, "x": {}}})),
                422,
                "validation_failed",
                &["/objects/deel/read", "/objects/deel", "/properties/deal.amuont", "/properties/x"],
            )
            .refuses(make(json!({"name": "taken_role"})), 409, "conflict", &["/name"]),
        made(case(Method::GET, "/roles/{role}"), "read_role").allows(
            EVERYBODY,
            to("/roles/read_role"),
            200,
            json!({"name": "read_role", "label": "Read role", "layer": "custom", "objects": {"deal": written}}),
        ),
        made(case(Method::PATCH, "/roles/{role}"), "changed_role")
            .allows(
                ADMINS,
                to("/roles/changed_role").json(json!({"label": "Changed", "objects": {"deal": null, "contact": {"read": "all"}}})),
                200,
                json!({"name": "changed_role", "label": "Changed", "objects": {"contact": {"read": "all"}}}),
            )
            .refuses(
                to("/roles/changed_role").json(json!({"objects": {"deel": {}}})),
                422,
                "validation_failed",
                &["/objects/deel"],
            )
            .refuses(to("/roles/member").json(json!({"label": "X"})), 409, "conflict", &[""]),
        made(made(case(Method::DELETE, "/roles/{role}"), "gone_role"), "used_role")
            .given("", "", to("/users").json(json!({"name": "Una", "role": "used_role"})))
            .allows(ADMINS, to("/roles/gone_role"), 204, Value::Null)
            .refuses(to("/roles/used_role"), 409, "conflict", &[""])
            .refuses(to("/roles/owner"), 409, "conflict", &[""]),
    ]
}

fn rights() -> Vec<Case> {
    let explain = |query: &str| to(&format!("/access/explain?{query}"));
    vec![
        case(Method::GET, "/access/explain")
            .record("deal", "deal", json!({"name": "Roof"}))
            .allows(
                EVERYBODY,
                explain("record=$deal&action=update&property=amount"),
                200,
                json!({"allowed": false, "reason": "the role `viewer` does not allow to update `deal` records",
                    "rules": [{"source": "user_role", "name": "viewer", "rule": "*.update: none", "allows": false},
                        {"source": "user_role", "name": "viewer", "rule": "deal.amount: not restricted", "allows": true}]}),
            )
            .refuses(explain("object=deal"), 400, "bad_request", &["/action"])
            .refuses(explain("object=deal&action=raed"), 400, "bad_request", &["/action"])
            .refuses(explain("object=deel&action=read"), 400, "bad_request", &["/object"])
            .refuses(explain("action=read"), 400, "bad_request", &["/object"])
            .refuses(explain("object=deal&action=read&property=amuont"), 400, "bad_request", &["/property"])
            .refuses(explain("record=999999999&action=read"), 404, "not_found", &[])
            .refuses(explain("user=1&object=deal&action=read"), 403, "forbidden", &[]),
        case(Method::GET, "/access/log")
            .allows(ADMINS, to("/access/log?limit=1"), 200, json!({"results": [], "next_cursor": null}))
            .refuses(to("/access/log?record=x"), 400, "bad_request", &["/record"])
            .refuses(to("/access/log?user=x"), 400, "bad_request", &["/user"])
            .refuses(to("/access/log?after=nonsense"), 400, "bad_request", &["/after"])
            .refuses(to("/access/log?limit=0"), 400, "bad_request", &["/limit"]),
    ]
}

fn tokens() -> Vec<Case> {
    let make = |body| to("/tokens").json(body);
    let made = |case: Case| case.given("token", "/token/id", make(json!({"name": "made", "role": "viewer"})));
    vec![
        case(Method::GET, "/tokens")
            .allows(
                ADMINS,
                to("/tokens?limit=1"),
                200,
                json!({"results": [{"id": "*", "name": "*", "user": "*", "role": "*", "scopes": "*"}], "next_cursor": "*"}),
            )
            .refuses(to("/tokens?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/tokens?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        case(Method::POST, "/tokens")
            .allows(
                ADMINS,
                make(json!({"name": "form", "role": "member", "scopes": ["contact:write"], "expires_at": "2099-01-31T12:00:00Z"})),
                201,
                json!({"token": {"id": "*", "name": "form", "user": "*", "role": "member", "scopes": ["contact:write"],
                    "created_at": "*", "expires_at": "2099-01-31T12:00:00.000000Z"}, "secret": "*"}),
            )
            .refuses(make(json!({})), 422, "validation_failed", &["/name"])
            .refuses(
                make(json!({"name": "x", "user": "999999999", "scopes": ["contct:read"], "expires_at": "soon"})),
                422,
                "validation_failed",
                &["/scopes/0", "/expires_at", "/user"],
            )
            .refuses(make(json!({"name": "x", "role": "owner"})), 422, "validation_failed", &["/role"]),
        made(case(Method::GET, "/tokens/{id}")).allows(
            ADMINS,
            to("/tokens/$token"),
            200,
            json!({"id": "$token", "name": "made", "role": "viewer", "expires_at": null}),
        ),
        made(case(Method::PATCH, "/tokens/{id}"))
            .allows(
                ADMINS,
                to("/tokens/$token").json(json!({"name": "changed", "scopes": ["read"]})),
                200,
                json!({"id": "$token", "name": "changed", "scopes": ["read"]}),
            )
            .refuses(
                to("/tokens/$token").json(json!({"scopes": ["reed"], "expires_at": "soon"})),
                422,
                "validation_failed",
                &["/scopes/0", "/expires_at"],
            ),
        made(case(Method::DELETE, "/tokens/{id}")).allows(ADMINS, to("/tokens/$token"), 204, Value::Null),
    ]
}
