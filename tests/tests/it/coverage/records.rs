//! Records, and transactions over them.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{ADMINS, BATCH_READERS, BATCH_WRITERS, Case, JOB_HOLDERS, LISTERS, READERS, WRITERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    vec![
        create(),
        list(),
        upsert(),
        read(),
        update(),
        archive(),
        restore(),
        claim("claim"),
        claim("release"),
        merge(),
        unmerge(),
        undo(),
        history(),
        batch(),
        transact(),
    ]
}

fn ada(email: &str) -> Value {
    json!({"first_name": "Ada", "last_name": "Lovelace", "email": email})
}

fn create() -> Case {
    let record = |properties| to("/records/contact").json(json!({"properties": properties}));
    let shape = json!({
        "id": "*", "uid": "*", "object": "contact", "display_name": "Ada Lovelace", "version": 1, "owner_id": null,
        "properties": {"first_name": "Ada", "last_name": "Lovelace", "email": "create@example.com"},
        "created_at": "*", "created_by": "*", "updated_at": "*", "updated_by": "*", "archived_at": null,
    });
    case(Method::POST, "/records/{object}")
        .record("taken", "contact", ada("taken@example.com"))
        .allows(WRITERS, record(ada("Create@Example.com")), 201, shape)
        .refuses(
            record(json!({"first_name": "Ada", "emial": "x", "email": "x"})),
            422,
            "validation_failed",
            &["/properties/emial", "/properties/email", "/properties/last_name"],
        )
        .refuses(record(ada("taken@example.com")), 409, "conflict", &["/properties/email"])
        .refuses(
            to("/records/contact").json(json!({"properties": ada("x@example.com"), "owner_id": "999999999",
                "associations": [{"type": "contact_compny", "to": "1"}]})),
            422,
            "validation_failed",
            &["/owner_id", "/associations/0/type"],
        )
}

fn list() -> Case {
    case(Method::GET, "/records/{object}")
        .record("ada", "contact", ada("list@example.com"))
        .allows(
            LISTERS,
            to("/records/contact?limit=1&select=first_name"),
            200,
            json!({"results": [{"object": "contact", "properties": {"first_name": "Ada"}}], "next_cursor": "*"}),
        )
        .allows(
            LISTERS,
            to("/records/contact?filter=email=='List@example.com'"),
            200,
            json!({"results": [{"id": "$ada"}], "next_cursor": null}),
        )
        .refuses(to("/records/contact?limit=201"), 400, "bad_request", &["/limit"])
        .refuses(to("/records/contact?limit=x&archived=x"), 400, "bad_request", &["/limit", "/archived"])
        .refuses(to("/records/contact?cursor=nonsense"), 400, "bad_request", &["/cursor"])
        .refuses(to("/records/contact?select=emial"), 400, "bad_request", &["/select"])
        .refuses(to("/records/contact?include=compny"), 400, "bad_request", &["/include"])
        .refuses(to("/records/contact?filter=emial=='x'"), 400, "bad_request", &["/filter"])
}

fn upsert() -> Case {
    let record = |email: &str| to("/records/contact?id_property=email").json(json!({"properties": ada(email)}));
    case(Method::PUT, "/records/{object}")
        .record("ada", "contact", json!({"first_name": "A", "last_name": "L", "email": "known@example.com"}))
        .allows(WRITERS, record("unknown@example.com"), 201, json!({"object": "contact", "version": 1}))
        .allows(WRITERS, record("known@example.com"), 200, json!({"id": "$ada", "version": 2}))
        .refuses(
            to("/records/contact").json(json!({"properties": ada("x@example.com")})),
            400,
            "bad_request",
            &["/id_property"],
        )
        .refuses(
            to("/records/contact?id_property=emial").json(json!({"properties": ada("x@example.com")})),
            400,
            "bad_request",
            &["/id_property"],
        )
        .refuses(
            to("/records/contact?id_property=email").json(json!({"properties": {"first_name": "Ada"}})),
            422,
            "validation_failed",
            &["/properties/email"],
        )
}

fn read() -> Case {
    case(Method::GET, "/records/{object}/{id}")
        .record("ada", "contact", ada("read@example.com"))
        .allows(READERS, to("/records/contact/$ada"), 200, json!({"id": "$ada", "version": 1}))
        .allows(
            READERS,
            to("/records/contact/read@example.com?id_property=email&select=email"),
            200,
            json!({"id": "$ada", "properties": {"email": "read@example.com"}}),
        )
        .refuses(to("/records/contact/$ada?select=emial"), 400, "bad_request", &["/select"])
        .refuses(to("/records/contact/$ada?at=yesterday"), 400, "bad_request", &["/at"])
        .refuses(to("/records/contact/x?id_property=first_name"), 400, "bad_request", &["/id_property"])
        .refuses(to("/records/company/$ada"), 404, "not_found", &[])
}

fn update() -> Case {
    let patch = |properties| to("/records/contact/$ada").json(json!({"properties": properties}));
    case(Method::PATCH, "/records/{object}/{id}")
        .record("ada", "contact", ada("update@example.com"))
        .allows(
            WRITERS,
            patch(json!({"title": "Countess"})).header("if-match", "\"1\""),
            200,
            json!({"id": "$ada", "version": 2, "properties": {"title": "Countess", "last_name": "Lovelace"}}),
        )
        .refuses(
            patch(json!({"titel": "x", "last_name": null})),
            422,
            "validation_failed",
            &["/properties/titel", "/properties/last_name"],
        )
        .refuses(patch(json!({"title": "x"})).header("if-match", "\"7\""), 412, "version_mismatch", &[])
        .refuses(patch(json!({"title": "x"})).header("if-match", "x"), 400, "bad_request", &[])
}

fn archive() -> Case {
    case(Method::DELETE, "/records/{object}/{id}")
        .record("ada", "contact", ada("archive@example.com"))
        .record("eve", "contact", ada("purge@example.com"))
        .allows(WRITERS, to("/records/contact/$ada").header("if-match", "\"1\""), 204, Value::Null)
        .allows(ADMINS, to("/records/contact/$eve?purge=true"), 204, Value::Null)
        .refuses(to("/records/contact/$ada").header("if-match", "\"7\""), 412, "version_mismatch", &[])
        .refuses(to("/records/contact/$ada?purge=x"), 400, "bad_request", &["/purge"])
}

fn restore() -> Case {
    case(Method::POST, "/records/{object}/{id}/restore")
        .without_key()
        .record("ada", "contact", ada("restore@example.com"))
        .gone("/records/contact/$ada")
        .record("eve", "contact", ada("again@example.com"))
        .gone("/records/contact/$eve")
        .record("other", "contact", ada("again@example.com"))
        .allows(WRITERS, to("/records/contact/$ada/restore"), 200, json!({"id": "$ada", "archived_at": null}))
        .refuses(to("/records/contact/$eve/restore"), 409, "conflict", &["/properties/email"])
}

fn claim(verb: &str) -> Case {
    let of = |deal: &str| to(&format!("/records/deal/{deal}/{verb}"));
    let owner = if verb == "claim" { json!("*") } else { Value::Null };
    case(Method::POST, &format!("/records/{{object}}/{{id}}/{verb}"))
        .without_key()
        .record("deal", "deal", json!({"name": "Roof"}))
        .record("gone", "deal", json!({"name": "Gone"}))
        .gone("/records/deal/$gone")
        .allows(WRITERS, of("$deal"), 200, json!({"id": "$deal", "owner_id": owner}))
        .refuses(of("$deal").header("if-match", "\"99\""), 412, "version_mismatch", &[])
        .refuses(of("$gone"), 409, "conflict", &[""])
}

fn merge() -> Case {
    let merge = |body: Value| to("/records/contact/$ada/merge").json(body);
    case(Method::POST, "/records/{object}/{id}/merge")
        .record("ada", "contact", ada("merge@example.com"))
        .record("eve", "contact", json!({"first_name": "Eve", "last_name": "King", "title": "Countess"}))
        .record("acme", "company", json!({"name": "Acme"}))
        .allows(
            WRITERS,
            merge(json!({"from": ["$eve"], "properties": {"last_name": "$eve"}})).header("if-match", "\"1\""),
            200,
            json!({"id": "$ada", "version": 2, "display_name": "Ada King", "properties": {"title": "Countess"}}),
        )
        .refuses(merge(json!({})), 422, "validation_failed", &["/from"])
        .refuses(
            merge(json!({"from": ["$ada", "$eve", "$eve", "$acme", "999999999"], "properties": {"titel": "$eve", "title": "$acme"}})),
            422,
            "validation_failed",
            &["/from/0", "/from/2", "/from/3", "/from/4", "/properties/titel"],
        )
        .refuses(merge(json!({"from": ["$eve"], "properties": {"title": "$acme"}})), 422, "validation_failed", &["/properties/title"])
        .refuses(merge(json!({"from": ["$eve"]})).header("if-match", "\"7\""), 412, "version_mismatch", &[])
}

fn unmerge() -> Case {
    let unmerge = |id: &str| to("/records/contact/$ada/unmerge").json(json!({"id": id}));
    case(Method::POST, "/records/{object}/{id}/unmerge")
        .record("ada", "contact", ada("unmerge@example.com"))
        .record("eve", "contact", json!({"first_name": "Eve", "last_name": "King"}))
        .record("zoe", "contact", json!({"first_name": "Zoe", "last_name": "King"}))
        .given("merged", "/id", to("/records/contact/$ada/merge").json(json!({"from": ["$eve"]})))
        .allows(WRITERS, unmerge("$eve"), 200, json!({"id": "$eve", "archived_at": null, "version": 3}))
        .refuses(unmerge("$zoe"), 409, "conflict", &["/id"])
        .refuses(unmerge("999999999"), 404, "not_found", &["/id"])
        .refuses(to("/records/contact/$ada/unmerge").json(json!({})), 422, "validation_failed", &["/id"])
}

fn undo() -> Case {
    let undo = |body: Value| to("/undo").json(body);
    let patch =
        json!({"operations": [{"op": "update", "object": "contact", "id": "$ada", "properties": {"title": "X"}}]});
    case(Method::POST, "/undo")
        .record("ada", "contact", ada("undo@example.com"))
        .given("patched", "/results/0/record/id", to("/transactions").json(patch).header("x-request-id", "undo-this"))
        .allows(JOB_HOLDERS, undo(json!({"request_id": "undo-this"})), 200, json!({"undone": 1, "skipped": []}))
        .refuses(undo(json!({"request_id": "nobody"})), 404, "not_found", &["/request_id"])
        .refuses(undo(json!({"job_id": "999999999"})), 404, "not_found", &[])
        .refuses(undo(json!({"request_id": "a", "job_id": "1"})), 422, "validation_failed", &["/job_id"])
}

fn history() -> Case {
    case(Method::GET, "/records/{object}/{id}/history")
        .record("tag", "tag", json!({"name": "history"}))
        .allows(
            READERS,
            to("/records/tag/$tag/history?limit=1"),
            200,
            json!({"results": [{"sequence": "*", "at": "*", "by": "*", "source": "api", "request_id": "*",
                "property": "name", "old": null, "new": "history"}], "next_cursor": null}),
        )
        .refuses(to("/records/tag/$tag/history?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(to("/records/tag/$tag/history?cursor=nonsense"), 400, "bad_request", &["/cursor"])
}

fn batch() -> Case {
    let batch = |verb: &str, inputs: Value| {
        to(&format!("/records/contact/batch/{verb}")).json(json!({"inputs": inputs, "select": ["email"]}))
    };
    let one = |status| json!({"results": [{"index": 0, "status": status, "record": {"object": "contact"}}]});
    let by_email = json!({"inputs": [{"properties": ada("batch-upsert@example.com")}], "id_property": "email"});
    let unassigned = json!({"inputs": [{"id": "$ada"}], "owner_id": null});
    let whole = |verb: &str, inputs: Value| {
        to(&format!("/records/contact/batch/{verb}")).json(json!({"atomic": true, "inputs": inputs}))
    };
    let atomic = |inputs| whole("create", inputs);
    case(Method::POST, "/records/{object}/batch/{verb}")
        .record("ada", "contact", ada("batch@example.com"))
        .record("gone", "contact", ada("batch-gone@example.com"))
        .gone("/records/contact/$gone")
        .allows(BATCH_WRITERS, batch("create", json!([{"properties": ada("batch-create@example.com")}])), 207, one(201))
        .allows(BATCH_READERS, batch("read", json!([{"id": "$ada"}])), 207, one(200))
        .allows(BATCH_WRITERS, batch("update", json!([{"id": "$ada", "properties": {"title": "X"}}])), 207, one(200))
        .allows(BATCH_WRITERS, to("/records/contact/batch/upsert").json(by_email), 207, one(201))
        .allows(BATCH_WRITERS, batch("claim", json!([{"id": "$ada"}])), 207, one(200))
        .allows(BATCH_WRITERS, batch("release", json!([{"id": "$ada"}])), 207, one(200))
        .allows(BATCH_WRITERS, batch("assign", json!([{"id": "$ada", "owner_id": null}])), 207, one(200))
        .allows(BATCH_WRITERS, to("/records/contact/batch/assign").json(unassigned), 207, one(200))
        .allows(BATCH_WRITERS, batch("archive", json!([{"id": "$ada", "version": 4}])), 207, one(200))
        .allows(BATCH_WRITERS, batch("restore", json!([{"id": "$gone"}])), 207, one(200))
        .allows(WRITERS, atomic(json!([{"properties": ada("batch-atomic@example.com")}])), 200, one(201))
        .refuses(
            atomic(json!([{"properties": ada("batch-x@example.com")}, {"properties": {"first_name": "X"}}])),
            422,
            "validation_failed",
            &["/inputs/1/properties/last_name"],
        )
        .refuses(whole("update", json!([{"properties": {}}])), 422, "validation_failed", &["/inputs/0/id"])
        .refuses(whole("create", json!([{"propertys": {}}])), 422, "validation_failed", &["/inputs/0/propertys"])
        .refuses(to("/records/contact/batch/create").json(json!({})), 422, "validation_failed", &["/inputs"])
        .refuses(
            to("/records/contact/batch/upsert").json(json!({"inputs": [{"properties": {}}]})),
            422,
            "validation_failed",
            &["/id_property"],
        )
}

fn transact() -> Case {
    let operations = |operations: Value| to("/transactions").json(json!({"operations": operations}));
    case(Method::POST, "/transactions")
        .record("ada", "contact", ada("transact@example.com"))
        .allows(
            WRITERS,
            operations(json!([
                {"op": "create", "ref": "c", "object": "company", "properties": {"name": "Acme"}},
                {"op": "associate", "type": "contact_company", "from": "$ada", "to": "$c"},
            ])),
            200,
            json!({"results": [{"index": 0, "ref": "c", "record": {"object": "company"}}, {"index": 1}]}),
        )
        .refuses(
            operations(json!([{"op": "create", "object": "compny", "properties": {}}, {"op": "archive", "object": "contct", "id": "1"}])),
            422,
            "validation_failed",
            &["/operations/0/object", "/operations/1/object"],
        )
        .refuses(operations(json!([{"op": "creat"}])), 422, "validation_failed", &["/operations/0/op"])
        .refuses(
            operations(json!([{"op": "update", "object": "contact", "id": "999999999", "properties": {}}])),
            404,
            "not_found",
            &["/operations/0"],
        )
}
