//! The part of the pack format's schema that speaks of views, reports, workflows, scores, roles and translations.

use serde_json::{Map, Value, json};

use super::{allow_null, closed, definition, label, named};
use crate::behavior::SHARINGS;

/// The definitions that [`sections`] refers to.
pub(super) fn definitions() -> Map<String, Value> {
    let all = [
        ("view", view as fn(bool) -> Value),
        ("report", report),
        ("dashboard", dashboard),
        ("workflow", workflow),
        ("activity", activity),
        ("score", score),
        ("role", role),
    ];
    let mut definitions = Map::new();
    for (name, schema) in all {
        definitions.insert(name.to_owned(), super::either(name));
        definitions.insert(format!("{name}_definition"), schema(false));
        definitions.insert(format!("{name}_extension"), schema(true));
    }
    definitions.insert("effect".to_owned(), effect());
    definitions.insert("grants".to_owned(), grants());
    definitions.insert("translation".to_owned(), translation());
    definitions
}

/// The sections of a pack.
pub(super) fn sections() -> [(&'static str, Value); 8] {
    let of = |name: &str| json!({"$ref": format!("#/$defs/{name}")});
    let languages = json!({
        "type": "object",
        "description": "What people read in other languages, by language.",
        "propertyNames": {"pattern": "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"},
        "additionalProperties": of("translation"),
    });
    [
        ("views", named(of("view"), "Saved views.")),
        ("reports", named(of("report"), "Reports.")),
        ("dashboards", named(of("dashboard"), "Reports and views on one screen.")),
        ("workflows", named(of("workflow"), "What is done when something changes.")),
        ("activities", activities(of("activity"))),
        ("scores", named(of("score"), "How well records do by criteria.")),
        ("roles", named(of("role"), "Who may do what.")),
        ("translations", languages),
    ]
}

fn name(description: &str) -> Value {
    json!({"$ref": "#/$defs/name", "description": description})
}

fn names(description: &str) -> Value {
    json!({"$ref": "#/$defs/names", "description": description})
}

fn map(description: &str) -> Value {
    json!({"type": "object", "description": description})
}

fn sharing() -> Value {
    json!({"enum": SHARINGS})
}

fn view(is_extension: bool) -> Value {
    let properties = json!({
        "object": name("The object whose records are shown."),
        "label": label("What people read."),
        "kind": {"enum": ["table", "board", "calendar", "map", "list"]},
        "filter": map("Which records, as in a search."),
        "sort": {"type": "array", "description": "Their order, as in a search."},
        "columns": names("Properties and fields that are shown."),
        "group": name("The property whose values are columns of a board, or groups of a table or list."),
        "date": name("The date or moment at which a calendar shows a record."),
        "place": name("The place at which a map shows a record."),
        "sharing": sharing(),
    });
    definition(is_extension, properties, &["object"], &[])
}

fn report(is_extension: bool) -> Value {
    let properties = json!({
        "object": name("The object whose records are counted."),
        "label": label("What people read."),
        "filter": map("Which records, as in a search."),
        "group": {"type": "array", "description": "What they are grouped by, as in a search's `aggregate`."},
        "measures": map("What is computed of each group, as in a search's `aggregate`."),
        "order": {"type": "array", "description": "The order of rows, as in a search's `aggregate`."},
        "limit": {"type": "integer", "minimum": 1, "maximum": 10_000},
        "chart": {"enum": ["table", "number", "line", "column", "bar", "pie", "funnel"]},
        "period": closed(json!({
            "date": name("The date or moment that lies within it."),
            "within": label("`this_month`, `last_30d` and the like, as in a search."),
        }), &["date", "within"]),
        "compare": {"const": "previous", "description": "The period before is told, too."},
        "sharing": sharing(),
    });
    definition(is_extension, properties, &["object"], &[])
}

fn dashboard(is_extension: bool) -> Value {
    let size = || json!({"type": "integer", "minimum": 1, "maximum": 12});
    let item = closed(
        json!({
            "report": name("The report that it shows."),
            "view": name("The view that it shows."),
            "label": label("What people read, where that is another than the report's or view's."),
            "width": size(),
            "height": size(),
        }),
        &[],
    );
    let properties = json!({
        "label": label("What people read."),
        "items": {"type": "array", "items": item, "minItems": 1, "maxItems": 50},
        "sharing": sharing(),
    });
    definition(is_extension, properties, &["items"], &[])
}

fn workflow(is_extension: bool) -> Value {
    let when = json!({"oneOf": [
        closed(json!({
            "event": label("record.created, stage.changed, or a business event."),
            "object": name("The object whose record it happened to."),
            "changed": names("Only changes of one of these properties."),
            "pipeline": name("Only in this pipeline."),
            "from": name("Only from this stage."),
            "to": name("Only to this stage."),
            "association": name("Only links of this association."),
        }), &["event"]),
        closed(json!({
            "every": {"type": "string", "pattern": "^[1-9][0-9]*(min|h|d|w)$", "description": "15min, 6h, 1d or 1w."},
            "object": name("The object whose records it looks at."),
            "filter": map("Which of them, as in a search."),
        }), &["every"]),
    ]});
    let properties = json!({
        "label": label("What people read."),
        "when": when,
        "if": label("CEL over the record; must be true."),
        "do": {"type": "array", "items": {"$ref": "#/$defs/effect"}, "minItems": 1, "maxItems": 50},
    });
    definition(is_extension, properties, &["when", "do"], &[])
}

/// Names of events, which several names may make.
fn activities(activity: Value) -> Value {
    json!({
        "type": "object",
        "description": "What may be recorded as having happened to a record.",
        "propertyNames": {"maxLength": 64, "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"},
        "additionalProperties": activity,
    })
}

fn activity(is_extension: bool) -> Value {
    let property = if is_extension { "#/$defs/property_extension" } else { "#/$defs/property" };
    let properties = json!({
        "label": label("What people read."),
        "icon": label("Name of an icon."),
        "details": named(json!({"$ref": property}), "What is told of one, each as a property of an object."),
        "objects": names("The objects whose records it may happen to; any without."),
    });
    definition(is_extension, properties, &[], &[])
}

fn score(is_extension: bool) -> Value {
    let needed = |keys: &'static [&'static str]| if is_extension { &[][..] } else { keys };
    let criteria = closed(
        json!({
            "object": name("The object whose records are criteria."),
            "expression": name("The string or text with the CEL over `subject` and `for_record`."),
            "weight": name("The number that says how much one counts."),
            "active": name("The boolean that says whether one is in use."),
            "for": name("The association that leads to the record that one is asked for alone."),
        }),
        needed(&["object", "expression", "weight"]),
    );
    let assessments = closed(
        json!({
            "object": name("The object whose records are answers, and totals of them."),
            "score": name("The integer from 0 to 100."),
            "rationale": name("The text that says why."),
            "at": name("The datetime at which it was answered."),
            "by": name("The enum, with the options person and rule, that says who answered."),
            "user": name("The user who did."),
            "review": name("The enum with the options pending, accepted and rejected."),
            "current": name("The boolean that says whether it is the one that stands."),
            "key": name("The unique string that says what it answers as long as it stands."),
            "criterion": name("The association that leads to the criterion."),
            "subject": name("The association that leads to the record that was assessed."),
            "for": name("The association that leads to the record that it was assessed for."),
        }),
        needed(&[
            "object",
            "score",
            "rationale",
            "at",
            "by",
            "user",
            "review",
            "current",
            "key",
            "criterion",
            "subject",
        ]),
    );
    let properties = json!({
        "label": label("What people read."),
        "description": label("What it says, for people."),
        "criteria": criteria,
        "assessments": assessments,
        "totals": named(json!({"$ref": "#/$defs/name"}), "By object, the integer property of a subject that takes its total."),
    });
    definition(is_extension, properties, &["criteria", "assessments"], &[])
}

fn effect() -> Value {
    let values = || map("Values, and texts with properties of the record, \"Visit {{ address }}\".");
    let record = || json!({"const": "record"});
    json!({"oneOf": [
        closed(json!({
            "create": name("The object of the record that is made."),
            "properties": values(),
            "link": name("The association that links it with the record that set it off."),
        }), &["create"]),
        closed(json!({"update": record(), "properties": values()}), &["update", "properties"]),
        closed(json!({"archive": record()}), &["archive"]),
    ]})
}

fn role(is_extension: bool) -> Value {
    let property = closed(json!({"read": {"type": "boolean"}, "write": {"type": "boolean"}}), &[]);
    let properties = json!({
        "label": label("What people read."),
        "objects": {"type": "object", "description": "Grants by object; `*` for all others.",
            "propertyNames": {"pattern": "^([a-z][a-z0-9_]{0,63}|\\*)$"},
            "additionalProperties": {"$ref": "#/$defs/grants"}},
        "properties": {"type": "object", "description": "Grants by object.property.",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,63}\\.[a-z][a-z0-9_]{0,63}$"},
            "additionalProperties": property},
        "admin": {"type": "boolean", "description": "May change definitions, users, tokens and settings, and purge."},
    });
    definition(is_extension, properties, &[], &[])
}

fn grants() -> Value {
    let reach = || json!({"enum": [true, false, "all", "team", "own", "own_or_unclaimed", "none"]});
    let create = json!({"enum": [true, false, "all", "none"]});
    closed(json!({"create": create, "read": reach(), "update": reach(), "archive": reach()}), &[])
}

fn translation() -> Value {
    let text = || json!({"type": "string"});
    let of_names =
        |value: Value| json!({"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, value]}});
    let labelled = || of_names(closed(json!({"label": text()}), &[]));
    let property = || of_names(closed(json!({"label": text(), "description": text(), "options": labelled()}), &[]));
    let object = json!({"label": text(), "plural_label": text(), "description": text(), "properties": property(),
        "groups": labelled()});
    let association = json!({"label": text(), "inverse": text(), "labels": labelled(), "properties": property()});
    let pipeline = of_names(closed(json!({"label": text(), "stages": labelled(), "categories": labelled()}), &[]));
    let mut properties = json!({
        "objects": of_names(closed(object, &[])),
        "associations": of_names(closed(association, &[])),
        "pipelines": {"type": "object", "description": "By object, then by name.", "additionalProperties": pipeline},
        "views": labelled(), "reports": labelled(), "dashboards": labelled(), "workflows": labelled(),
        "activities": labelled(), "scores": labelled(), "roles": labelled(),
    });
    if let Some(map) = properties.as_object_mut() {
        allow_null(map);
    }
    closed(properties, &[])
}
