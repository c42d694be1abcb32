//! The objects of the random tests: one with every type that can be filtered by, and two that it is linked with.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Value, json};
use tests::Tenant;

use crate::fixture::define;
use crate::search::reference::{Kind, Links, Model, Shape};

/// Days begin at half past three in UTC, or at half past two in summer.
const ZONE: Tz = chrono_tz::America::St_Johns;

/// Not in the order of the alphabet.
const GRADES: &[&str] = &["raw", "fine", "average", "best"];
const FINISHES: &[&str] = &["polished", "coated", "bare"];

/// The associations, from which object to which, and how many.
const ASSOCIATIONS: [(&str, &str, &str, &str); 3] = [
    ("part_vendor", "part", "vendor", "many_to_one"),
    ("part_crate", "part", "crate", "many_to_many"),
    ("part_fits", "part", "part", "many_to_many"),
];

const STRING: Kind = Kind::Text { is_substring: false };

/// Property, type with its options, and what that means.
fn part() -> Vec<(&'static str, Value, Kind)> {
    vec![
        ("name", json!({"type": "string", "required": true, "searchable": true}), STRING),
        ("code", json!({"type": "string", "substring": true}), Kind::Text { is_substring: true }),
        ("notes", json!({"type": "text", "searchable": true}), Kind::LongText),
        ("quantity", json!({"type": "integer"}), Kind::Integer),
        ("weight", json!({"type": "decimal"}), Kind::Decimal { scale: 6, is_padded: false }),
        ("ratio", json!({"type": "decimal", "scale": 3}), Kind::Decimal { scale: 3, is_padded: true }),
        ("discount", json!({"type": "percent"}), Kind::Decimal { scale: 6, is_padded: false }),
        ("price", json!({"type": "money", "currency": "EUR"}), Kind::Decimal { scale: 2, is_padded: true }),
        ("stocked", json!({"type": "boolean"}), Kind::Boolean),
        ("made_on", json!({"type": "date"}), Kind::Date),
        ("seen_at", json!({"type": "datetime"}), Kind::Datetime),
        ("grade", json!({"type": "enum", "options": GRADES}), Kind::Choice(GRADES)),
        ("finishes", json!({"type": "multi_enum", "options": FINISHES}), Kind::Choices(FINISHES)),
        ("tags", json!({"type": "tags"}), Kind::Tags),
        ("email", json!({"type": "email"}), STRING),
        ("phone", json!({"type": "phone"}), STRING),
        ("site", json!({"type": "url"}), STRING),
        ("host", json!({"type": "domain"}), STRING),
        ("keeper", json!({"type": "user"}), Kind::User),
        ("serial", json!({"type": "auto_number", "pattern": "SN-{0000}"}), STRING),
    ]
}

fn vendor() -> Vec<(&'static str, Value, Kind)> {
    vec![
        ("name", json!({"type": "string", "required": true, "searchable": true}), STRING),
        ("price", json!({"type": "money", "currency": "JPY"}), Kind::Decimal { scale: 0, is_padded: true }),
        ("grade", json!({"type": "enum", "options": GRADES}), Kind::Choice(GRADES)),
    ]
}

fn crates() -> Vec<(&'static str, Value, Kind)> {
    vec![
        ("name", json!({"type": "string", "required": true, "searchable": true}), STRING),
        ("made_on", json!({"type": "date"}), Kind::Date),
        ("quantity", json!({"type": "integer"}), Kind::Integer),
        ("tags", json!({"type": "tags"}), Kind::Tags),
    ]
}

/// Defines the objects, and the empty model of them.
pub(super) async fn define_all(tenant: &Tenant) -> Model {
    tenant.patch("/tenant", &json!({"time_zone": ZONE.name()})).await.ok(200);
    let mut objects = BTreeMap::new();
    for (name, properties) in [("part", part()), ("vendor", vendor()), ("crate", crates())] {
        let specs: serde_json::Map<String, Value> =
            properties.iter().map(|(name, spec, _)| ((*name).to_owned(), spec.clone())).collect();
        define(tenant, json!({"name": name, "display": "{{ name }}", "properties": specs})).await;
        let is_searchable = |spec: &Value| spec["searchable"] == true;
        let searchable = properties.iter().filter(|(_, spec, _)| is_searchable(spec)).map(|(name, ..)| *name).collect();
        let properties = properties.into_iter().map(|(name, _, kind)| (name, kind)).collect();
        objects.insert(name, Shape { properties, searchable });
    }
    for (name, from, to, cardinality) in ASSOCIATIONS {
        let definition = json!({"name": name, "from": from, "to": to, "cardinality": cardinality});
        tenant.post("/association-definitions", &definition).await.ok(201);
    }
    let associations = ASSOCIATIONS.into_iter().map(|(name, from, to, _)| (name, (from, to))).collect();
    Model { zone: ZONE, objects, associations, records: BTreeMap::new(), links: Links::default() }
}
