//! The change log, imports and jobs; what machines ask.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Call, Case, EVERYBODY, JOB_HOLDERS, LISTERS, PUBLIC, WRITERS, case, root, to};

pub(super) fn cases() -> Vec<Case> {
    [changes(), imports(), exports(), operations()].into_iter().flatten().collect()
}

fn changes() -> Vec<Case> {
    let socket = |path: &str| {
        let call = to(path).header("connection", "upgrade").header("upgrade", "websocket");
        call.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    vec![
        case(Method::GET, "/changes")
            .record("one", "elsewhere", json!({"name": "one"}))
            .allows(
                EVERYBODY,
                to("/changes?limit=1&object=elsewhere"),
                200,
                json!({"results": [{"sequence": "*", "at": "*", "actor": "*", "kind": "record.created",
                    "object": "elsewhere", "record_id": "$one", "changes": {"name": [null, "one"]}, "request_id": "*",
                    "source": "api", "ip": "127.0.0.1"}], "next_cursor": null}),
            )
            .refuses(to("/changes?after=-1"), 400, "bad_request", &["/after"])
            .refuses(to("/changes?limit=0&wait=61"), 400, "bad_request", &["/limit", "/wait"])
            .refuses(to("/changes?object=contct"), 404, "not_found", &[]),
        case(Method::GET, "/changes/stream")
            .streams()
            .allows(EVERYBODY, to("/changes/stream?after=0"), 200, Value::Null)
            .refuses(to("/changes/stream?after=x"), 400, "bad_request", &["/after"])
            .refuses(to("/changes/stream").header("last-event-id", "x"), 400, "bad_request", &[])
            .refuses(to("/changes/stream?object=contct"), 404, "not_found", &[]),
        case(Method::GET, "/live")
            .streams()
            .allows(EVERYBODY, socket("/live?after=0"), 101, Value::Null)
            .refuses(to("/live"), 400, "bad_request", &[])
            .refuses(socket("/live?after=x"), 400, "bad_request", &["/after"])
            .refuses(socket("/live?object=contct"), 404, "not_found", &[]),
    ]
}

fn rows(path: &str, rows: &str) -> Call {
    to(path).text("text/csv", rows)
}

/// A file of one column with this map.
fn form(path: &str, map: &str) -> Call {
    let part =
        |name: &str, text: &str| format!("--part\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let parts = format!("{}{}--part--\r\n", part("map", map), part("file", "a\nx\n"));
    to(path).text("multipart/form-data; boundary=part", &parts)
}

fn imports() -> Vec<Case> {
    let import = "/imports?object=elsewhere&format=csv";
    let done = |case: Case| case.job("job", rows(import, "name\nx\n"));
    // Long enough to be there when it is cancelled; it writes nothing.
    let long = rows(&format!("{import}&dry_run=true"), &format!("name\n{}", "x\n".repeat(100_000)));
    vec![
        case(Method::POST, "/imports")
            .without_key()
            .allows(
                WRITERS,
                rows(import, "name\nx\n"),
                202,
                json!({"job": {"id": "*", "kind": "import", "state": "*", "spec": {"object": "elsewhere"}, "counts": "*"}}),
            )
            .refuses(rows("/imports?format=xlsx", "name\nx\n"), 400, "bad_request", &["/object", "/format"])
            .refuses(rows("/imports?object=contct", "name\nx\n"), 404, "not_found", &[])
            .refuses(form("/imports?object=elsewhere", "columns: {a: nmae}\nkey: nmae\n"), 422, "validation_failed", &["/format", "/map/columns/a", "/map/key"]),
        done(case(Method::GET, "/jobs"))
            .allows(EVERYBODY, to("/jobs"), 200, json!({"results": [], "next_cursor": null}))
            .refuses(to("/jobs?limit=0"), 400, "bad_request", &["/limit"])
            .refuses(to("/jobs?cursor=nonsense"), 400, "bad_request", &["/cursor"]),
        done(case(Method::GET, "/jobs/{id}")).allows(
            JOB_HOLDERS,
            to("/jobs/$job"),
            200,
            json!({"id": "$job", "kind": "import", "state": "done", "spec": {"object": "elsewhere"}, "progress": "*",
                "counts": {"created": 1, "updated": 0, "unchanged": 0, "skipped": 0, "failed": 0}, "errors": [],
                "detail": null, "created_at": "*", "created_by": "*", "updated_at": "*"}),
        ),
        done(case(Method::POST, "/jobs/{id}/cancel"))
            .without_key()
            .given("long", "/job/id", long)
            .allows(JOB_HOLDERS, to("/jobs/$long/cancel"), 200, json!({"id": "$long", "state": "cancelled"}))
            .refuses(to("/jobs/$job/cancel"), 409, "conflict", &[]),
        done(case(Method::GET, "/jobs/{id}/errors")).allows(JOB_HOLDERS, to("/jobs/$job/errors"), 200, Value::Null),
    ]
}

fn exports() -> Vec<Case> {
    let of = |body: Value| to("/exports").json(body);
    let csv = || of(json!({"object": "contact", "format": "csv"}));
    let import = rows("/imports?object=elsewhere&format=csv", "name\nx\n");
    vec![
        case(Method::POST, "/exports")
            .allows(
                LISTERS,
                csv(),
                202,
                json!({"job": {"id": "*", "kind": "export", "state": "*", "spec": {"object": "contact", "format": "csv"}}}),
            )
            .refuses(of(json!({"format": "pdf"})), 422, "validation_failed", &["/object", "/format"])
            .refuses(of(json!({"object": "contct", "format": "csv"})), 422, "validation_failed", &["/object"])
            .refuses(
                of(json!({"object": "elsewhere", "format": "csv", "select": ["nmae"], "sort": ["nmae"]})),
                422,
                "validation_failed",
                &["/select/0", "/sort/0/property"],
            ),
        case(Method::GET, "/jobs/{id}/file")
            .job("job", csv())
            .job("import", import)
            .allows(JOB_HOLDERS, to("/jobs/$job/file"), 200, Value::Null)
            .refuses(to("/jobs/$import/file"), 404, "not_found", &[]),
    ]
}

fn operations() -> Vec<Case> {
    vec![
        root(Method::GET, "/healthz").allows(PUBLIC, to("/healthz"), 200, json!({"status": "alive"})),
        root(Method::GET, "/readyz").allows(PUBLIC, to("/readyz"), 200, json!({"status": "ready"})),
        root(Method::GET, "/metrics").allows(PUBLIC, to("/metrics"), 200, Value::Null),
        case(Method::GET, "/openapi.json")
            .allows(PUBLIC, to("/openapi.json"), 200, json!({"openapi": "3.1.0"}))
            .refuses(to("/openapi.json").header("authorization", "Bearer nobody"), 401, "unauthenticated", &[]),
    ]
}
