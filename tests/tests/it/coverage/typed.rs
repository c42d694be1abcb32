//! The paths that a tenant's document has for its own objects, each typed.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Access, Case, EVERYBODY, LISTERS, READERS, WRITERS, case, to};

/// Five operations for each object of the tenant.
pub(super) fn cases() -> Vec<Case> {
    // What a record of each object has at least, and another value of it; `#` is different in each case.
    let objects = [
        ("activity", json!({"activity_type": "email.sent"}), json!({"description": "Sent"})),
        ("address", json!({"type": "home"}), json!({"city": "London"})),
        ("call", json!({"subject": "Roof"}), json!({"direction": "inbound"})),
        ("company", json!({"name": "Acme"}), json!({"employee_count": 12})),
        ("contact", json!({"first_name": "Ada", "last_name": "Lovelace"}), json!({"title": "Countess"})),
        ("contact_point", json!({"channel": "email", "value": "#"}), json!({"is_primary": true})),
        ("deal", json!({"name": "Roof"}), json!({"amount": "1200.50"})),
        ("elsewhere", json!({"name": "One"}), json!({"name": "Two"})),
        ("email", json!({"subject": "Hello"}), json!({"direction": "outbound"})),
        ("fit_assessment", json!({"remark": "Mine"}), json!({"remark": "Ours"})),
        ("fit_criterion", json!({"name": "Size"}), json!({"weight": "1.5"})),
        ("line_item", json!({"name": "Tiles"}), json!({"quantity": "100"})),
        ("meeting", json!({"title": "Roof"}), json!({"location": "Site"})),
        ("note", json!({"content": "Called."}), json!({"is_pinned": true})),
        ("product", json!({"name": "Tile #"}), json!({"price": "2.50"})),
        ("tag", json!({"name": "#"}), json!({"color": "red"})),
        ("task", json!({"title": "Call"}), json!({"priority": "high"})),
    ];
    objects.into_iter().flat_map(|(object, properties, change)| of_object(object, &properties, &change)).collect()
}

fn of_object(object: &str, properties: &Value, change: &Value) -> [Case; 5] {
    let base = format!("/records/{object}");
    let (one, all) = (format!("{base}/{{id}}"), base.as_str());
    let record = format!("{base}/$record");
    let write = |path: &str, properties: &Value| to(path).json(json!({"properties": properties}));
    let given = |method: Method, path: &str| {
        let properties = named(properties, &format!("{method} {path}"));
        case(method, path).record("record", object, properties)
    };
    // It is the object that outsiders see.
    let unless_seen = |access: Access| if object == "elsewhere" { EVERYBODY } else { access };
    let new = named(properties, "new");
    let unknown = json!({"properties": {"nonsense": 1}});
    let mut refused_on_create = vec!["/properties/nonsense"];
    refused_on_create.extend(required(object));
    [
        given(Method::GET, all).allows(
            unless_seen(LISTERS),
            to(&format!("{all}?limit=1")),
            200,
            json!({"results": [{"object": object}]}),
        ),
        case(Method::POST, all)
            .allows(WRITERS, write(all, &new), 201, json!({"object": object, "properties": new}))
            .refuses(to(all).json(unknown.clone()), 422, "validation_failed", &refused_on_create),
        given(Method::GET, &one).allows(
            unless_seen(READERS),
            to(&record),
            200,
            json!({"id": "$record", "object": object}),
        ),
        given(Method::PATCH, &one)
            .allows(WRITERS, write(&record, change), 200, json!({"id": "$record", "version": 2, "properties": change}))
            .refuses(to(&record).json(unknown), 422, "validation_failed", &["/properties/nonsense"]),
        given(Method::DELETE, &one).allows(WRITERS, to(&record), 204, Value::Null),
    ]
}

/// The properties with `#` replaced, so that what is unique differs between cases.
fn named(properties: &Value, name: &str) -> Value {
    serde_json::from_str(&properties.to_string().replace('#', name)).unwrap()
}

/// The pointers to what a new record of the object must have.
fn required(object: &str) -> &'static [&'static str] {
    match object {
        "activity" => &["/properties/activity_type"],
        "address" => &["/properties/type"],
        "call" => &["/properties/subject"],
        "company" | "deal" | "fit_criterion" | "line_item" | "product" | "tag" => &["/properties/name"],
        "contact" => &["/properties/first_name", "/properties/last_name"],
        "contact_point" => &["/properties/channel", "/properties/value"],
        "meeting" | "task" => &["/properties/title"],
        "note" => &["/properties/content"],
        _ => &[],
    }
}
