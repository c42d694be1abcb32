//! The part of the pack format's schema that speaks of properties.

use serde_json::{Map, Value, json};

use super::{allow_null, label};

/// Every property type with the schema of its own options.
pub(super) fn kinds() -> Vec<(&'static str, Value)> {
    let count = || json!({"type": "integer", "minimum": 0});
    let decimal = || json!({"type": ["number", "string"]});
    let text =
        || json!({"min_length": count(), "max_length": count(), "pattern": {"type": "string", "format": "regex"}});
    let number = || json!({"minimum": decimal(), "maximum": decimal(), "unit": {"type": "string"}});
    let with = |mut base: Value, more: Value| {
        if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
            base.extend(more);
        }
        base
    };
    let scale = |maximum: u8| json!({"type": "integer", "minimum": 0, "maximum": maximum});
    let options = || json!({"options": {"$ref": "#/$defs/options"}});
    let name = || json!({"$ref": "#/$defs/name"});
    let none = || json!({});
    vec![
        ("string", text()),
        ("text", with(text(), json!({"markdown": {"type": "boolean"}}))),
        ("integer", number()),
        ("decimal", with(number(), json!({"scale": scale(18)}))),
        ("percent", with(number(), json!({"scale": scale(18)}))),
        (
            "money",
            with(
                number(),
                json!({
                    "scale": scale(4),
                    "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code."},
                    "currency_property": {"$ref": "#/$defs/name", "description": "Property that holds the ISO 4217 code."},
                }),
            ),
        ),
        ("boolean", none()),
        ("date", none()),
        ("datetime", none()),
        ("enum", options()),
        ("multi_enum", options()),
        ("tags", json!({"prefixes": {"type": "array", "items": {"type": "string"}}})),
        ("email", none()),
        ("phone", none()),
        ("url", none()),
        ("domain", none()),
        ("user", json!({"team": name()})),
        (
            "json",
            json!({"schema": {"description": "A JSON Schema, or the name of one under `schemas`.",
            "oneOf": [{"$ref": "#/$defs/name"}, {"type": "object"}]}}),
        ),
        ("file", json!({"accept": {"type": "array", "items": {"type": "string"}}, "max_bytes": count()})),
        ("geo", none()),
        ("auto_number", json!({"pattern": {"type": "string", "description": "INV-{00000}"}})),
        (
            "formula",
            json!({"formula": {"type": "string", "description": "CEL over the record."}, "result": {"type": "string"}}),
        ),
        (
            "rollup",
            json!({
                "association": name(),
                "function": {"enum": ["count", "sum", "avg", "min", "max", "first", "last"]},
                "property": name(),
                "direction": {"enum": ["in", "out"], "description": "Where an object is linked with itself: the end at which the record with the value stands."},
                "where": {"type": "string", "description": "CEL over the associated record."},
            }),
        ),
    ]
}

/// Options that every type has.
fn common() -> Value {
    let switch = |description: &str| json!({"type": "boolean", "description": description});
    let name = json!({"$ref": "#/$defs/name"});
    json!({
        "name": {"$ref": "#/$defs/name"},
        "label": label("What people read."),
        "description": label("What it means, for people."),
        "group": {"$ref": "#/$defs/name", "description": "Group it is shown in."},
        "required": switch("A record without it is refused."),
        "unique": switch("No two records share a value."),
        "default": {"description": "Taken on create where no value is given."},
        "read_only": switch("Only the engine and imports write it."),
        "sensitive": switch("Hidden unless a role grants it."),
        "searchable": switch("Found by full-text search."),
        "substring": switch("Searches with `contains` find parts of words too; for short texts."),
        "was": {"description": "What earlier versions called it, the newest name first; its values come along.",
            "oneOf": [name.clone(), {"type": "array", "items": name, "minItems": 1, "uniqueItems": true}]},
        "migration": {"type": "object", "description": "How values stored under an earlier version become those of this one.",
            "properties": {"default": {}, "map": {"type": "object"}, "convert": {"type": "string"}, "undo": {"type": "integer"}},
            "additionalProperties": false, "minProperties": 1, "maxProperties": 1},
        "archived": switch("No longer accepted or shown."),
        "archived_at": {"type": "string", "format": "date-time", "description": "When it was archived."},
    })
}

/// A property; as an extension it may leave out the type and give only what changes, `null` to take something away.
pub(super) fn schema(is_extension: bool) -> Value {
    let kinds = kinds();
    let names: Vec<_> = kinds.iter().map(|(name, _)| *name).collect();
    let closed = |kind: Value, own: Value| {
        let mut properties = Map::from_iter([("type".to_owned(), kind)]);
        for options in [common(), own] {
            properties.extend(options.as_object().cloned().unwrap_or_default());
        }
        if is_extension {
            allow_null(&mut properties);
        }
        json!({"properties": properties, "additionalProperties": false})
    };
    let mut branches: Vec<Value> = kinds
        .iter()
        .map(|(name, own)| {
            let is_kind = json!({"properties": {"type": {"const": name}}, "required": ["type"]});
            json!({"if": is_kind, "then": closed(json!({"const": name}), own.clone())})
        })
        .collect();
    if is_extension {
        let mut any = Map::new();
        for (_, own) in &kinds {
            any.extend(own.as_object().cloned().unwrap_or_default());
        }
        let lacks_kind = json!({"not": {"required": ["type"]}});
        branches.push(json!({"if": lacks_kind, "then": closed(json!(false), Value::Object(any))}));
    }
    let required: &[&str] = if is_extension { &[] } else { &["type"] };
    let kind = json!({"enum": names, "description": "What kind of value it holds."});
    json!({"type": "object", "properties": {"type": kind}, "required": required, "allOf": branches})
}

/// Options of an enumeration: a list of keys, a list of objects, or a map of key to label or object.
pub(super) fn options() -> Value {
    let spec = json!({
        "key": {"type": "string", "minLength": 1},
        "label": {"type": "string"},
        "color": {"type": "string"},
        "order": {"type": "integer", "minimum": 0},
        "archived": {"type": "boolean"},
        "removed": {"type": "boolean", "description": "In a layer above: takes the option away."},
    });
    let option = |required: &[&str]| super::closed(spec.clone(), required);
    json!({"oneOf": [
        {"type": "array", "items": {"anyOf": [{"type": "string"}, option(&["key"])]}},
        {"type": "object", "additionalProperties": {"anyOf": [{"type": ["string", "null"]}, option(&[])]}},
    ]})
}
