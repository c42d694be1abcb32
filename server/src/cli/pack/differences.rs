//! What differs between two documents of a definition, a line each.

use std::collections::HashSet;

use serde_json::Value;

/// What members of lists are told apart by: options and stages by the first, whatever else by the second.
const KEYS: [&str; 2] = ["key", "name"];

/// `path: before → after` of all that differs, in the order of what comes first.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    add("", Some(before), Some(after), &mut lines);
    lines
}

fn add(path: &str, before: Option<&Value>, after: Option<&Value>, lines: &mut Vec<String>) {
    if before == after {
        return;
    }
    if let (Some(before), Some(after)) = (before.and_then(members), after.and_then(members)) {
        add_members(path, &before, &after, lines);
        return;
    }
    let shown = |value: Option<&Value>| value.map_or_else(|| "(none)".to_owned(), Value::to_string);
    let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
    lines.push(format!("{place}{} → {}", shown(before), shown(after)));
}

fn add_members(path: &str, before: &Members<'_>, after: &Members<'_>, lines: &mut Vec<String>) {
    let come = after.named.iter().filter(|(name, _)| before.get(name).is_none());
    for (name, _) in before.named.iter().chain(come) {
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        add(&path, before.get(name), after.get(name), lines);
    }
    let stay = |one: &Members<'_>, other: &Members<'_>| -> Vec<String> {
        let stay = one.named.iter().filter(|(name, _)| other.get(name).is_some());
        stay.map(|(name, _)| (*name).to_owned()).collect()
    };
    let (old, new) = (stay(before, after), stay(after, before));
    if before.is_ordered && after.is_ordered && old != new {
        lines.push(format!("{path}: in the order {} → {}", old.join(", "), new.join(", ")));
    }
}

/// What a document consists of, where that has names.
struct Members<'a> {
    named: Vec<(&'a str, &'a Value)>,
    is_ordered: bool,
}

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.named.iter().find(|(member, _)| *member == name).map(|(_, value)| *value)
    }
}

fn members(document: &Value) -> Option<Members<'_>> {
    match document {
        Value::Object(map) => {
            let named = map.iter().map(|(name, value)| (name.as_str(), value)).collect();
            Some(Members { named, is_ordered: false })
        }
        Value::Array(list) => {
            let named = KEYS.iter().find_map(|key| {
                list.iter().map(|member| Some((member.get(key)?.as_str()?, member))).collect::<Option<Vec<_>>>()
            })?;
            let mut seen = HashSet::new();
            named.iter().all(|(name, _)| seen.insert(*name)).then_some(Members { named, is_ordered: true })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_shown_at_its_place() {
        let before = json!({
            "label": "Stage", "minimum": 1, "constraints": {"required": true}, "tags": ["a", "b"],
            "options": [{"key": "new", "label": "New"}, {"key": "won", "label": "Won"}, {"key": "lost", "label": "Lost"}],
        });
        let after = json!({
            "label": "Phase", "constraints": {"required": true, "unique": true}, "tags": ["b", "c"],
            "options": [
                {"key": "won", "label": "Closed"}, {"key": "new", "label": "New"}, {"key": "open", "label": "Open"},
            ],
        });
        let mut lines = differences(&before, &after);
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                "constraints.unique: (none) → true",
                "label: \"Stage\" → \"Phase\"",
                "minimum: 1 → (none)",
                "options.lost: {\"key\":\"lost\",\"label\":\"Lost\"} → (none)",
                "options.open: (none) → {\"key\":\"open\",\"label\":\"Open\"}",
                "options.won.label: \"Won\" → \"Closed\"",
                "options: in the order new, won → won, new",
                "tags: [\"a\",\"b\"] → [\"b\",\"c\"]",
            ]
        );
        assert_eq!(differences(&before, &before), Vec::<String>::new());
        assert_eq!(differences(&json!("a"), &json!(null)), ["\"a\" → null"]);
    }

    #[test]
    fn a_list_whose_members_cannot_be_told_apart_is_shown_whole() {
        let (before, after) = (json!({"stages": [{"key": "a"}, {"key": "a"}]}), json!({"stages": [{"key": "a"}]}));
        assert_eq!(differences(&before, &after), ["stages: [{\"key\":\"a\"},{\"key\":\"a\"}] → [{\"key\":\"a\"}]"]);
        let (before, after) = (json!({"stages": []}), json!({"stages": [{"key": "a"}]}));
        assert_eq!(differences(&before, &after), ["stages.a: (none) → {\"key\":\"a\"}"]);
    }
}
