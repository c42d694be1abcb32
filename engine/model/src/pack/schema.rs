//! JSON Schema of the pack format, for editors that complete and check while one types.
//!
//! It describes one file of a pack. What depends on other files or packs, such as whether an object exists, is for
//! [`Pack::check`](super::Pack::check).

use serde_json::{Map, Value, json};

use crate::duplicate::OnCreate;
use crate::feature::SWITCHES;

mod behavior;
mod property;

/// JSON Schema 2020-12 of a file of a pack.
pub fn json_schema() -> Value {
    let mut schema = sections();
    let behaviors = behavior::sections().map(|(name, section)| (name.to_owned(), section));
    for (key, more) in [("properties", Map::from_iter(behaviors)), ("$defs", behavior::definitions())] {
        if let Some(present) = schema[key].as_object_mut() {
            present.extend(more);
        }
    }
    schema
}

fn sections() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trellis pack",
        "description": "One file of a pack: `pack.yaml`, with the pack's name and version, or a further file beside it.",
        "type": "object",
        "properties": {
            "pack": {"$ref": "#/$defs/name", "description": "Internal name of the pack; only in pack.yaml."},
            "version": {"type": "string", "description": "Semantic version, 1.2.0.",
                "pattern": r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"},
            "label": label("What people read."),
            "requires": {"type": "object", "description": "Packs that this one builds on, with a range of versions.",
                "propertyNames": {"$ref": "#/$defs/name"}, "additionalProperties": {"type": "string", "minLength": 1}},
            "capabilities": {"$ref": "#/$defs/names", "description": "Switches that this pack declares."},
            "schemas": named(json!({"type": "object"}), "JSON Schema fragments that `json` properties name."),
            "objects": named(json!({"$ref": "#/$defs/object"}), "Objects that this pack owns."),
            "extend": named(json!({"$ref": "#/$defs/extension"}), "What it adds to objects of other packs."),
            "associations": named(json!({"$ref": "#/$defs/association"}), "Relations between objects."),
            "pipelines": named(json!({"$ref": "#/$defs/pipeline"}), "State machines of objects."),
        },
        "additionalProperties": false,
        "$defs": {
            "name": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"},
            "names": {"type": "array", "items": {"$ref": "#/$defs/name"}},
            "object": object(false),
            "extension": object(true),
            "property": property::schema(false),
            "property_extension": property::schema(true),
            "options": property::options(),
            "constraint": constraint(),
            "rule": rule(),
            "association": either("association"),
            "association_definition": association(false),
            "association_extension": association(true),
            "pipeline": either("pipeline"),
            "pipeline_definition": pipeline(false),
            "pipeline_extension": pipeline(true),
            "stage": stage(false),
            "stage_extension": stage(true),
        },
    })
}

fn label(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// A map of internal names to `value`.
fn named(value: Value, description: &str) -> Value {
    json!({
        "type": "object",
        "description": description,
        "propertyNames": {"$ref": "#/$defs/name"},
        "additionalProperties": value,
    })
}

/// A closed object schema.
fn closed(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// An object definition, or what a pack adds to one of another pack's, where any key may be `null` to take it away.
fn object(is_extension: bool) -> Value {
    let property = if is_extension { "#/$defs/property_extension" } else { "#/$defs/property" };
    let group = closed(json!({"label": label("What people read."), "order": {"type": "integer"}}), &[]);
    let mut properties = json!({
        "name": {"$ref": "#/$defs/name"},
        "label": label("What people read for one."),
        "plural": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$", "description": "Path of its facade."},
        "plural_label": label("What people read for many."),
        "description": label("What it means, for people."),
        "icon": label("Name of an icon."),
        "display": label("How a record is called: a template over its properties, \"{{ number }} {{ site }}\"."),
        "capability": {"$ref": "#/$defs/name", "description": "Switch that turns the object on."},
        "features": features(),
        "groups": named(group, "Groups that properties are shown in."),
        "properties": named(json!({"$ref": property}), "Properties in the order they are shown."),
        "constraints": {"type": "array", "items": {"$ref": "#/$defs/constraint"}},
        "entry": entry(is_extension),
        "archived": {"type": "boolean"},
        "archived_at": {"type": "string", "format": "date-time", "description": "When it was archived."},
    });
    if is_extension && let Some(map) = properties.as_object_mut() {
        allow_null(map);
    }
    closed(properties, &[])
}

fn features() -> Value {
    let name = json!({"$ref": "#/$defs/name"});
    let part = json!({"anyOf": [name, {"type": "array", "minItems": 1, "items": name,
        "description": "Properties of which one must agree."}]});
    let parts = json!({"type": "array", "minItems": 1, "maxItems": 10, "items": part});
    let percent =
        |least: u8, text: &str| json!({"type": "integer", "minimum": least, "maximum": 100, "description": text});
    let rule = closed(
        json!({
            "properties": parts,
            "similar": {"anyOf": [{"type": "boolean"}, percent(50, "Percent that texts must be alike.")]},
            "on_create": {"enum": OnCreate::NAMES.map(|(name, _)| name),
                "description": "What happens when a record is made that is a duplicate by this rule; ignore unless given."},
            "weight": percent(1, "Percent sure that records which agree are the same."),
        }),
        &["properties"],
    );
    let mut features = json!({"duplicates": {
        "description": "Rules by which records are duplicates of each other: each a list of properties that must agree.",
        "anyOf": [
            {"type": "array", "maxItems": 20, "items": {"anyOf": [parts, rule]}},
            {"type": ["boolean", "null"], "enum": [false, null]},
        ],
    }});
    if let Some(features) = features.as_object_mut() {
        features.extend(SWITCHES.map(|name| (name.to_owned(), json!({"type": ["boolean", "null"]}))));
    }
    let mut schema = closed(features, &[]);
    schema["description"] = json!("What screens and followers offer: search, timeline, tasks, …");
    schema
}

/// What of an object's records is told on the timelines of the records that they are linked to.
fn entry(is_extension: bool) -> Value {
    let name = |description: &str| json!({"$ref": "#/$defs/name", "description": description});
    let fixed = closed(json!({"text": label("The type of all of them, email.sent.")}), &["text"]);
    let mut properties = json!({
        "kind": {"enum": ["activity", "note"]},
        "about": name("The association that links one with the records on whose timelines it stands."),
        "at": name("The property that says when it happened; when it was made without."),
        "type": {"oneOf": [name("The property that says what happened."), fixed]},
        "details": name("The json property with what is told of it."),
        "text": name("The property with what is said of it."),
        "pinned": name("The boolean property that says whether it is to be seen first."),
        "by": name("The user property that says who did it; who made it without."),
    });
    if is_extension && let Some(map) = properties.as_object_mut() {
        allow_null(map);
        for key in ["kind", "type"] {
            map[key] = json!({"anyOf": [map[key].take(), {"type": "null"}]});
        }
    }
    let mut entry = closed(properties, if is_extension { &[] } else { &["kind", "about"] });
    entry["description"] = json!("Its records are entries of the timelines of the records that they are linked to.");
    entry
}

/// A definition, or with `extend: true` a change of another pack's.
fn either(what: &str) -> Value {
    json!({
        "if": {"properties": {"extend": {"const": true}}, "required": ["extend"]},
        "then": {"$ref": format!("#/$defs/{what}_extension")},
        "else": {"$ref": format!("#/$defs/{what}_definition")},
    })
}

/// A closed schema of a definition; or of a change of one, which has no more than `changed` to have, and where any key
/// may be `null`.
fn definition(is_extension: bool, mut properties: Value, required: &[&str], changed: &[&str]) -> Value {
    if is_extension && let Some(map) = properties.as_object_mut() {
        allow_null(map);
    }
    if let Some(map) = properties.as_object_mut() {
        let extend = "Changes what another pack defines under this name, instead of defining it.";
        map.insert("extend".to_owned(), json!({"type": "boolean", "description": extend}));
    }
    closed(properties, if is_extension { changed } else { required })
}

/// Lets every key be `null`, which takes away what a layer below gives.
fn allow_null(properties: &mut Map<String, Value>) {
    for schema in properties.values_mut() {
        if schema.get("$ref").is_some() {
            *schema = json!({"anyOf": [schema.take(), {"type": "null"}]});
        } else if let Some(Value::Array(kinds)) = schema.get_mut("type") {
            kinds.push(json!("null"));
        } else if let Some(kind) = schema.get_mut("type") {
            *kind = json!([kind.take(), "null"]);
        }
    }
}

fn constraint() -> Value {
    let name = || json!({"$ref": "#/$defs/name"});
    let interval = closed(json!({"within": name(), "from": name(), "to": name()}), &["within", "from", "to"]);
    let prefixes = json!({"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 64}, "minItems": 1,
        "maxItems": 50, "description": "How values begin that only administrators and automation set, as `bot:`."});
    let reserved = closed(json!({"property": name(), "prefixes": prefixes}), &["property", "prefixes"]);
    json!({"oneOf": [
        closed(
            json!({"unique": {"type": "array", "items": name(), "minItems": 1, "uniqueItems": true,
                "description": "No two records share the values of all of these."}}),
            &["unique"],
        ),
        {"$ref": "#/$defs/rule"},
        closed(json!({"no_overlap": interval}), &["no_overlap"]),
        closed(json!({"reserved": reserved}), &["reserved"]),
    ]})
}

fn rule() -> Value {
    let properties = json!({
        "rule": {"type": "string", "description": "CEL over the record's properties; must be true."},
        "message": {"type": "string", "description": "What the user is told."},
        "at": {"$ref": "#/$defs/name", "description": "The property that the message points at."},
    });
    closed(properties, &["rule"])
}

fn association(is_extension: bool) -> Value {
    let property = if is_extension { "#/$defs/property_extension" } else { "#/$defs/property" };
    let text = if is_extension { json!(["string", "null"]) } else { json!("string") };
    let is_given = json!({"properties": {
        "type": {"not": {"enum": ["auto_number", "formula", "rollup"]}}, "unique": {"enum": [false, null]}}});
    let property = json!({"allOf": [{"$ref": property}, is_given]});
    let properties = json!({
        "name": {"$ref": "#/$defs/name"},
        "from": {"$ref": "#/$defs/name", "description": "Object whose record a link starts at."},
        "to": {"description": "Where a link may lead: an object, a list of objects, or `any`.",
            "oneOf": [{"$ref": "#/$defs/name"}, {"type": "array", "items": {"$ref": "#/$defs/name"}, "minItems": 1}]},
        "label": label("What people read at the `from` side."),
        "inverse": label("What people read at the `to` side."),
        "cardinality": {"enum": ["one_to_one", "one_to_many", "many_to_one", "many_to_many"]},
        "labels": named(json!({"type": text}), "Labels that a link may carry."),
        "properties": named(property, "Properties that a link may carry."),
        "archived": {"type": "boolean"},
        "archived_at": {"type": "string", "format": "date-time", "description": "When it was archived."},
    });
    definition(is_extension, properties, &["from", "to"], &[])
}

fn pipeline(is_extension: bool) -> Value {
    let stage = if is_extension { "stage_extension" } else { "stage" };
    let reference = json!({"$ref": format!("#/$defs/{stage}")});
    let mut forms = vec![reference.clone(), json!({"type": "string"})];
    forms.extend(is_extension.then(|| json!({"type": "null"})));
    let next = if is_extension {
        json!({"anyOf": [{"$ref": "#/$defs/names"}, {"type": "null"}]})
    } else {
        json!({"$ref": "#/$defs/names"})
    };
    let ended = "Whether a record there has ended, neither won nor lost; not unless said.";
    let written =
        closed(json!({"label": label("What people read."), "ended": {"type": "boolean", "description": ended}}), &[]);
    let mut category = json!({"anyOf": [written, {"type": "string"}]});
    if is_extension && let Some(Value::Array(forms)) = category.get_mut("anyOf") {
        forms.push(json!({"type": "null"}));
    }
    let properties = json!({
        "name": {"$ref": "#/$defs/name", "description": "Its name, where that is another than its key."},
        "object": {"$ref": "#/$defs/name", "description": "The object whose records move through it."},
        "label": label("What people read."),
        "default": {"type": "boolean", "description": "New records start here."},
        "categories": named(category, "What stages may mean beside `open`, `won`, `lost` and `closed`."),
        "defaults": {"type": "object", "description": "Values of new records that begin here, where nothing else gives one.",
            "propertyNames": {"$ref": "#/$defs/name"}},
        "stages": {"description": "Stages in order.", "oneOf": [
            {"type": "object", "propertyNames": {"$ref": "#/$defs/name"}, "additionalProperties": {"anyOf": forms},
                "minProperties": 1},
            {"type": "array", "items": {"allOf": [reference, {"required": ["name"]}]}, "minItems": 1},
        ]},
        "transitions": named(next, "Allowed moves; without it every move is allowed."),
        "archived": {"type": "boolean"},
        "archived_at": {"type": "string", "format": "date-time", "description": "When it was archived."},
    });
    definition(is_extension, properties, &["object", "stages"], &["object"])
}

fn stage(is_extension: bool) -> Value {
    let mut properties = json!({
        "name": {"$ref": "#/$defs/name"},
        "label": label("What people read."),
        "type": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$", "examples": ["open", "won", "lost", "closed"],
            "description": "What being here means: open, unless given, won, lost, closed, or a category of the pipeline."},
        "probability": {"type": "integer", "minimum": 0, "maximum": 100},
        "requires": {"$ref": "#/$defs/names", "description": "Properties that need a value before a record enters."},
        "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}, "description": "What must be true before a record enters."},
        "color": {"type": "string"},
        "archived": {"type": "boolean"},
    });
    if is_extension && let Some(map) = properties.as_object_mut() {
        allow_null(map);
    }
    closed(properties, &[])
}
