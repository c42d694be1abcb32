//! Merge patches (RFC 7396) against what a definition's reply shows, so that what was read can be sent back.

use engine_model::layer::option_entries;
use engine_model::name::did_you_mean;
use engine_model::problem::push_segment;
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// Keys that a reply carries and a body may only repeat, and what to say to who tries to set them.
const GIVEN: [(&str, &str); 4] = [
    ("name", "a name cannot be changed; leave it out"),
    ("layer", "the engine says which layer this is from; leave `layer` out"),
    ("archived_at", "DELETE archives and `restore` brings back; leave `archived_at` out"),
    ("operators", "the type decides the operators; leave `operators` out"),
];

/// The entries of `patch` that `shown` does not have already; attempts to change what only the engine gives are
/// problems.
pub(crate) fn news(
    patch: &Map<String, Value>,
    shown: &Map<String, Value>,
    at: &str,
    problems: &mut Problems,
) -> Map<String, Value> {
    let mut news = Map::new();
    for (key, value) in patch {
        if shown.get(key) == Some(value) {
            continue;
        }
        match GIVEN.iter().find(|(given, _)| given == key) {
            Some(_) if value.is_null() && !shown.contains_key(key) => {}
            Some((_, message)) => problems.push(Problem::new(push_segment(at, key), "immutable", *message)),
            None => drop(news.insert(key.clone(), value.clone())),
        }
    }
    news
}

/// Reports nulls that would take away what no definition has: once merged, nobody would notice them.
pub(crate) fn check_nulls(news: &Map<String, Value>, known: &[&str], at: &str, problems: &mut Problems) {
    for (key, _) in news.iter().filter(|(key, value)| value.is_null() && !known.contains(&key.as_str())) {
        let hint = did_you_mean(key, known.iter().copied());
        problems.push(Problem::new(push_segment(at, key), "unknown_key", format!("`{key}` is not known here{hint}")));
    }
}

/// Applies a merge patch: maps merge key by key, null takes away, anything else replaces.
pub(crate) fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(target.shift_remove(&key)),
            Value::Object(inner) => {
                let slot = target.entry(key).or_insert(Value::Null);
                match slot {
                    Value::Object(present) => merge(present, inner),
                    other => {
                        let mut fresh = Map::new();
                        merge(&mut fresh, inner);
                        *other = Value::Object(fresh);
                    }
                }
            }
            other => drop(target.insert(key, other)),
        }
    }
}

/// Keeps `archived_at` in step with `archived`.
pub(crate) fn stamp(spec: &mut Map<String, Value>, was_archived: bool, now: Timestamp) {
    match spec.get("archived") {
        Some(Value::Bool(true)) if !was_archived => {
            spec.insert("archived_at".to_owned(), Value::from(now.to_rfc3339()));
        }
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) | None => {
            spec.shift_remove("archived");
            spec.shift_remove("archived_at");
        }
        Some(_) => {}
    }
}

/// Entries of a list by the key that tells them apart.
pub(crate) type Entries = IndexMap<String, Map<String, Value>>;

/// The options that a patch leads to: a list replaces what is there, a map merges into it.
pub(crate) fn options(
    given: Value,
    shown: Option<&Value>,
    written: Option<&Value>,
    at: &str,
    problems: &mut Problems,
) -> Value {
    let Some(mut written) = written.and_then(option_entries) else { return given };
    match &given {
        Value::Array(list) => {
            let Some(entries) = option_entries(&given) else { return given };
            if entries.len() < list.len() {
                problems.push(Problem::new(at, "taken", "an option is there twice"));
            }
            // The list's order is what counts now.
            for entry in written.values_mut() {
                entry.shift_remove("order");
            }
            let shown = shown.and_then(option_entries).unwrap_or_default();
            reuse(entries, &shown, &written).into_values().map(Value::Object).collect()
        }
        Value::Object(map) => {
            merge_entries(&mut written, map, "key");
            written.into_values().map(Value::Object).collect()
        }
        _ => given,
    }
}

/// Lays a map of key to spec, label or null over entries.
pub(crate) fn merge_entries(entries: &mut Entries, patch: &Map<String, Value>, name: &str) {
    for (key, value) in patch {
        let entry = || Map::from_iter([(name.to_owned(), Value::from(key.as_str()))]);
        match value {
            Value::Null => drop(entries.shift_remove(key)),
            Value::String(label) => {
                let present = entries.entry(key.clone()).or_insert_with(entry);
                present.insert("label".to_owned(), Value::from(label.as_str()));
            }
            Value::Object(inner) => merge(entries.entry(key.clone()).or_insert_with(entry), inner.clone()),
            other => {
                // No form of an entry; the reader of the whole says so at its place.
                let mut broken = entry();
                broken.insert("label".to_owned(), other.clone());
                entries.insert(key.clone(), broken);
            }
        }
    }
}

/// Entries as given; those that repeat what was shown stay as they were written, so that a client that sends back what
/// it read changes nothing.
pub(crate) fn reuse(given: Entries, shown: &Entries, written: &Entries) -> Entries {
    given
        .into_iter()
        .map(|(key, entry)| {
            let repeats = shown.get(&key).is_some_and(|shown| compact(shown) == compact(&entry));
            let kept = written.get(&key).filter(|_| repeats).cloned();
            (key, kept.unwrap_or(entry))
        })
        .collect()
}

/// An entry without what means the same as nothing.
fn compact(entry: &Map<String, Value>) -> Map<String, Value> {
    let says_something =
        |value: &Value| !(value.is_null() || value == false || value.as_array().is_some_and(Vec::is_empty));
    entry.iter().filter(|(_, value)| says_something(value)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn what_was_read_can_be_sent_back_and_only_news_count() {
        let shown = map(json!({"name": "deal", "label": "Deal", "icon": null, "layer": "crm", "archived_at": null}));
        let mut problems = Problems::new();
        let mut patch = shown.clone();
        patch.insert("label".to_owned(), json!("Sale"));
        patch.insert("operators".to_owned(), Value::Null);
        assert_eq!(Value::from(news(&patch, &shown, "", &mut problems)), json!({"label": "Sale"}));
        assert_eq!(problems, []);
        let patch =
            map(json!({"name": "sale", "layer": "custom", "operators": [], "archived_at": "2026-01-01T00:00:00Z"}));
        assert!(news(&patch, &shown, "/properties/a", &mut problems).is_empty());
        let found: Vec<_> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
        assert_eq!(
            found,
            [
                ("/properties/a/name", "immutable"),
                ("/properties/a/layer", "immutable"),
                ("/properties/a/operators", "immutable"),
                ("/properties/a/archived_at", "immutable"),
            ]
        );
    }

    #[test]
    fn a_merge_patch_follows_rfc_7396() {
        for (target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": ["c", null]}), json!({"a": ["c", null]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": "foo"}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut target = map(target);
            merge(&mut target, map(patch));
            assert_eq!(Value::from(target), merged);
        }
    }

    #[test]
    fn archived_at_follows_archived() {
        let now = Timestamp(0);
        let mut spec = map(json!({"archived": true}));
        stamp(&mut spec, false, now);
        assert_eq!(spec["archived_at"], "1970-01-01T00:00:00.000000Z");
        stamp(&mut spec, true, Timestamp(5));
        assert_eq!(spec["archived_at"], "1970-01-01T00:00:00.000000Z");
        spec.insert("archived".to_owned(), json!(false));
        stamp(&mut spec, true, now);
        assert!(spec.is_empty());
    }

    #[test]
    fn a_list_of_options_replaces_and_a_map_merges() {
        let written = json!({"new": {"color": "red", "order": 1}, "old": "Old"});
        let shown = json!([
            {"key": "new", "label": "New", "color": "red", "archived": false},
            {"key": "old", "label": "Old", "archived": false},
        ]);
        let mut problems = Problems::new();
        let mut apply = |given| options(given, Some(&shown), Some(&written), "/options", &mut problems);
        let list = json!([{"key": "old", "label": "Old", "archived": true}, shown[0], "third"]);
        assert_eq!(
            apply(list),
            json!([{"key": "old", "label": "Old", "archived": true}, {"key": "new", "color": "red"}, {"key": "third"}])
        );
        assert_eq!(
            apply(json!({"old": null, "new": {"color": null}, "third": "Third"})),
            json!([{"key": "new", "order": 1}, {"key": "third", "label": "Third"}])
        );
        assert_eq!(apply(json!(["a", "a"])), json!([{"key": "a"}]));
        assert_eq!(apply(json!("a")), json!("a"));
        assert_eq!(problems.len(), 1);
    }
}
