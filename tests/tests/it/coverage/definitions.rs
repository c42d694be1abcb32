//! Definitions of objects, properties, associations and pipelines.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{ADMINS, Case, EVERYBODY, case, to};

pub(super) fn cases() -> Vec<Case> {
    [objects(), properties(), associations(), pipelines()].into_iter().flatten().collect()
}

/// An object of the tenant's own, made before.
fn own(case: Case, name: &str) -> Case {
    let properties = json!({"title": {"type": "string"}, "size": {"type": "integer"}});
    case.given("", "", to("/object-definitions").json(json!({"name": name, "properties": properties})))
}

fn objects() -> Vec<Case> {
    let define = |body| to("/object-definitions").json(body);
    vec![
        case(Method::GET, "/object-definitions")
            .allows(EVERYBODY, to("/object-definitions"), 200, json!({"results": "*", "next_cursor": null}))
            .allows(EVERYBODY, to("/object-definitions?layer=custom"), 200, json!({"results": "*"}))
            .refuses(to("/object-definitions?layer=x&archived=x"), 400, "bad_request", &["/layer", "/archived"]),
        case(Method::POST, "/object-definitions")
            .allows(
                ADMINS,
                define(json!({"name": "created", "plural": "created_ones", "properties": {"room": {"type": "string"}}})),
                201,
                json!({"name": "created", "label": "*", "plural": "created_ones", "layer": "custom", "archived_at": null,
                    "properties": {"room": {"type": "string", "layer": "custom", "operators": "*"}}}),
            )
            .refuses(define(json!({"name": "No Name"})), 422, "validation_failed", &["/name"])
            .refuses(
                define(json!({"name": "refused", "properties": {"a": {"type": "strng"}, "b": {"type": "string", "lenght": 1}}})),
                422,
                "validation_failed",
                &["/properties/a/type", "/properties/b/lenght"],
            )
            .refuses(define(json!({"name": "contact"})), 409, "conflict", &["/name"]),
        own(case(Method::GET, "/object-definitions/{object}"), "read_object")
            .allows(
                EVERYBODY,
                to("/object-definitions/read_object"),
                200,
                json!({"name": "read_object", "layer": "custom", "properties": {"title": {"type": "string"}}}),
            )
            .refuses(to("/object-definitions/read_object?layer=x"), 400, "bad_request", &["/layer"]),
        own(case(Method::PATCH, "/object-definitions/{object}"), "changed_object")
            .allows(
                ADMINS,
                to("/object-definitions/changed_object").json(json!({"label": "Changed"})),
                200,
                json!({"name": "changed_object", "label": "Changed"}),
            )
            .refuses(
                to("/object-definitions/changed_object").json(json!({"name": "other"})),
                422,
                "validation_failed",
                &["/name"],
            ),
        own(case(Method::DELETE, "/object-definitions/{object}"), "archived_object").allows(
            ADMINS,
            to("/object-definitions/archived_object"),
            204,
            Value::Null,
        ),
        own(case(Method::POST, "/object-definitions/{object}/restore").without_key(), "restored_object")
            .gone("/object-definitions/restored_object")
            .allows(
                ADMINS,
                to("/object-definitions/restored_object/restore"),
                200,
                json!({"name": "restored_object", "archived_at": null}),
            ),
        own(case(Method::GET, "/object-definitions/{object}/schema"), "schema_object").allows(
            EVERYBODY,
            to("/object-definitions/schema_object/schema"),
            200,
            json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
                "properties": {"title": {"type": "string"}, "size": {"type": "integer"}}}),
        ),
    ]
}

fn properties() -> Vec<Case> {
    let base = "/object-definitions/{object}/properties";
    vec![
        own(case(Method::POST, base), "property_added")
            .allows(
                ADMINS,
                to("/object-definitions/property_added/properties")
                    .json(json!({"name": "fee", "type": "money", "currency": "EUR"})),
                201,
                json!({"name": "fee", "type": "money", "currency": "EUR", "layer": "custom"}),
            )
            .refuses(
                to("/object-definitions/property_added/properties").json(json!({"name": "id", "type": "string"})),
                422,
                "validation_failed",
                &["/name"],
            )
            .refuses(
                to("/object-definitions/property_added/properties").json(json!({"name": "x", "type": "strng"})),
                422,
                "validation_failed",
                &["/type"],
            )
            .refuses(
                to("/object-definitions/property_added/properties").json(json!({"name": "title", "type": "string"})),
                409,
                "conflict",
                &["/name"],
            ),
        own(case(Method::PATCH, &format!("{base}/{{property}}")), "property_changed")
            .record("one", "property_changed", json!({"size": 1}))
            .allows(
                ADMINS,
                to("/object-definitions/property_changed/properties/title").json(json!({"label": "Headline"})),
                200,
                json!({"name": "title", "label": "Headline"}),
            )
            .refuses(
                to("/object-definitions/property_changed/properties/title").json(json!({"required": true})),
                409,
                "records_in_the_way",
                &["/required"],
            )
            .refuses(
                to("/object-definitions/property_changed/properties/title").json(json!({"min_length": -1})),
                422,
                "validation_failed",
                &["/min_length"],
            ),
        own(case(Method::DELETE, &format!("{base}/{{property}}")), "property_archived").allows(
            ADMINS,
            to("/object-definitions/property_archived/properties/title"),
            204,
            Value::Null,
        ),
        own(case(Method::POST, &format!("{base}/{{property}}/restore")).without_key(), "property_restored")
            .gone("/object-definitions/property_restored/properties/title")
            .allows(
                ADMINS,
                to("/object-definitions/property_restored/properties/title/restore"),
                200,
                json!({"name": "title", "type": "string"}),
            ),
        own(case(Method::GET, &format!("{base}/{{property}}/uses")), "property_used")
            .allows(
                EVERYBODY,
                to("/object-definitions/property_used/properties/title/uses"),
                200,
                json!({"results": "*", "next_cursor": null}),
            )
            .refuses(to("/object-definitions/property_used/properties/titel/uses"), 404, "not_found", &[]),
    ]
}

fn associations() -> Vec<Case> {
    let define = |body| to("/association-definitions").json(body);
    let made = |case: Case, name: &str| {
        case.given("", "", define(json!({"name": name, "from": "contact", "to": "company", "label": "Made"})))
    };
    vec![
        case(Method::GET, "/association-definitions")
            .allows(EVERYBODY, to("/association-definitions"), 200, json!({"results": "*", "next_cursor": null}))
            .refuses(to("/association-definitions?layer=x"), 400, "bad_request", &["/layer"]),
        case(Method::POST, "/association-definitions")
            .allows(
                ADMINS,
                define(json!({"name": "link_created", "from": "contact", "to": ["company", "deal"], "labels": {"host": "Host"}})),
                201,
                json!({"name": "link_created", "from": "contact", "to": ["company", "deal"], "label": "*", "inverse": null,
                    "cardinality": "many_to_many", "labels": {"host": "Host"}, "properties": {}}),
            )
            .refuses(
                define(json!({"name": "link_refused", "from": "contct", "to": "compny", "cardinality": "one"})),
                422,
                "validation_failed",
                &["/cardinality", "/from", "/to"],
            )
            .refuses(
                define(json!({"name": "contact_company", "from": "contact", "to": "company"})),
                409,
                "conflict",
                &["/name"],
            ),
        made(case(Method::GET, "/association-definitions/{name}"), "link_read").allows(
            EVERYBODY,
            to("/association-definitions/link_read"),
            200,
            json!({"name": "link_read", "from": "contact", "to": "company", "label": "Made"}),
        ),
        made(case(Method::PATCH, "/association-definitions/{name}"), "link_changed")
            .allows(
                ADMINS,
                to("/association-definitions/link_changed").json(json!({"label": "Changed"})),
                200,
                json!({"name": "link_changed", "label": "Changed"}),
            )
            .refuses(
                to("/association-definitions/link_changed").json(json!({"cardinality": "one"})),
                422,
                "validation_failed",
                &["/cardinality"],
            ),
        made(case(Method::DELETE, "/association-definitions/{name}"), "link_archived").allows(
            ADMINS,
            to("/association-definitions/link_archived"),
            204,
            Value::Null,
        ),
        made(case(Method::POST, "/association-definitions/{name}/restore").without_key(), "link_restored")
            .gone("/association-definitions/link_restored")
            .allows(
                ADMINS,
                to("/association-definitions/link_restored/restore"),
                200,
                json!({"name": "link_restored", "archived_at": null}),
            ),
    ]
}

fn pipelines() -> Vec<Case> {
    let define = |name: &str| {
        let stages = json!([{"name": "open"}, {"name": "over", "type": "closed"}]);
        to("/pipelines/deal").json(json!({"name": name, "stages": stages}))
    };
    let made = |method, template, name| case(method, template).given("", "", define(name));
    vec![
        case(Method::GET, "/pipelines/{object}")
            .allows(EVERYBODY, to("/pipelines/deal"), 200, json!({"results": "*", "next_cursor": null}))
            .refuses(to("/pipelines/deal?layer=x"), 400, "bad_request", &["/layer"]),
        case(Method::POST, "/pipelines/{object}")
            .allows(
                ADMINS,
                define("course_created"),
                201,
                json!({"name": "course_created", "object": "deal", "stages": [{"name": "open", "type": "open"}, {"name": "over"}]}),
            )
            .refuses(
                to("/pipelines/deal").json(json!({"name": "refused", "stages": [{"name": "a", "type": "opn"}], "transitions": {"a": ["b"]}})),
                422,
                "validation_failed",
                &["/stages/0/type", "/transitions/a/0"],
            )
            .refuses(define("sales"), 409, "conflict", &["/name"]),
        made(Method::GET, "/pipelines/{object}/{pipeline}", "course_read").allows(
            EVERYBODY,
            to("/pipelines/deal/course_read"),
            200,
            json!({"name": "course_read", "object": "deal"}),
        ),
        made(Method::PATCH, "/pipelines/{object}/{pipeline}", "course_changed")
            .allows(
                ADMINS,
                to("/pipelines/deal/course_changed").json(json!({"label": "Changed"})),
                200,
                json!({"name": "course_changed", "label": "Changed"}),
            )
            .refuses(
                to("/pipelines/deal/course_changed").json(json!({"name": "other"})),
                422,
                "validation_failed",
                &["/name"],
            ),
        made(Method::DELETE, "/pipelines/{object}/{pipeline}", "course_archived").allows(
            ADMINS,
            to("/pipelines/deal/course_archived"),
            204,
            Value::Null,
        ),
        made(Method::POST, "/pipelines/{object}/{pipeline}/restore", "course_restored")
            .without_key()
            .gone("/pipelines/deal/course_restored")
            .allows(ADMINS, to("/pipelines/deal/course_restored/restore"), 200, json!({"name": "course_restored"})),
    ]
}
