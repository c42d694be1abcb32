//! `enum` and `multi_enum`: one or several of a list of options, stored as their keys.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::options::{MOST_OPTIONS, read_options};
use super::{EnumOption, Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::name::did_you_mean;
use crate::spec::SpecReader;

/// Options that a message about an unknown one names.
const SHOWN_OPTIONS: usize = 5;

/// Unknown options of one value for which the nearest known one is looked for: comparing costs time.
const MOST_HINTS: usize = 3;

/// The options of an enumeration, found by key.
#[derive(Debug)]
struct Options {
    list: Vec<EnumOption>,
    positions: HashMap<String, usize>,
}

#[derive(Debug)]
struct Enumeration(Options);

#[derive(Debug)]
struct MultiEnumeration(Options);

pub(super) fn read_enum(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Enumeration(Options::read(reader))))
}

pub(super) fn read_multi_enum(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(MultiEnumeration(Options::read(reader))))
}

impl Options {
    fn read(reader: &mut SpecReader<'_>) -> Self {
        let list = read_options(reader);
        let positions = list.iter().enumerate().map(|(position, option)| (option.key.clone(), position)).collect();
        Self { list, positions }
    }

    /// Where the option stands; keys are exact.
    fn position(&self, key: &str, is_hinted: bool) -> Result<usize, Fault> {
        let Some(position) = self.positions.get(key).copied() else {
            return Err(Fault::new("unknown_option", self.unknown(key, is_hinted)));
        };
        match self.list.get(position) {
            Some(option) if option.archived => {
                let message = format!("the option `{key}` is archived; {}", self.choices());
                Err(Fault::new("archived_option", message))
            }
            _ => Ok(position),
        }
    }

    fn unknown(&self, key: &str, is_hinted: bool) -> String {
        // Keys of very different length are never near, and leaving them out keeps the search cheap.
        let is_near =
            |candidate: &&str| candidate.len().abs_diff(key.len()) <= 2.max(candidate.len().max(key.len()) / 3);
        let candidates = self.active().map(|option| option.key.as_str()).filter(is_near);
        let hint = if is_hinted { did_you_mean(key, candidates) } else { String::new() };
        let separator = if hint.is_empty() { ";" } else { "" };
        format!("`{}` is no option{hint}{separator} {}", excerpt(key), self.choices())
    }

    fn choices(&self) -> String {
        let shown: Vec<_> =
            self.active().take(SHOWN_OPTIONS).map(|option| format!("`{}`", excerpt(&option.key))).collect();
        let more = self.active().count().saturating_sub(shown.len());
        match (shown.is_empty(), more) {
            (true, _) => "there are no options to choose from".to_owned(),
            (false, 0) => format!("options are {}", shown.join(", ")),
            (false, more) => format!("options are {} and {more} more", shown.join(", ")),
        }
    }

    fn active(&self) -> impl Iterator<Item = &EnumOption> {
        self.list.iter().filter(|option| !option.archived)
    }

    /// Archived options too: stored values may hold them.
    fn schema(&self) -> Value {
        let keys: Vec<_> = self.list.iter().map(|option| option.key.as_str()).collect();
        json!({"type": "string", "enum": keys})
    }

    fn canonical(&self) -> Map<String, Value> {
        let option = |option: &EnumOption| {
            let mut shown = json!({"key": option.key, "label": option.label});
            if let Some(color) = &option.color {
                shown["color"] = json!(color);
            }
            shown["archived"] = json!(option.archived);
            shown
        };
        Map::from_iter([("options".to_owned(), self.list.iter().map(option).collect())])
    }
}

impl PropertyKind for Enumeration {
    fn name(&self) -> &'static str {
        "enum"
    }

    fn storage(&self) -> Storage {
        Storage::Option
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let key = input.text("an option's key as a string")?;
        self.0.position(key, true).map_err(|fault| vec![fault])?;
        Ok(Value::from(key))
    }

    fn schema(&self) -> Map<String, Value> {
        self.0.schema().as_object().cloned().unwrap_or_default()
    }

    fn canonical_options(&self) -> Map<String, Value> {
        self.0.canonical()
    }

    fn options(&self) -> &[EnumOption] {
        &self.0.list
    }
}

impl PropertyKind for MultiEnumeration {
    fn name(&self) -> &'static str {
        "multi_enum"
    }

    fn storage(&self) -> Storage {
        Storage::TextList
    }

    /// Each option once, in the order of the options.
    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let mut hints_left = MOST_HINTS;
        let mut positions = input.texts("a list of option keys", MOST_OPTIONS, |key| {
            let found = self.0.position(key, hints_left > 0);
            if found.is_err() {
                hints_left = hints_left.saturating_sub(1);
            }
            found
        })?;
        positions.sort_unstable();
        positions.dedup();
        let chosen = positions.into_iter().filter_map(|position| self.0.list.get(position));
        Ok(chosen.map(|option| Value::from(option.key.as_str())).collect())
    }

    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([
            ("type".to_owned(), json!("array")),
            ("items".to_owned(), self.0.schema()),
            ("uniqueItems".to_owned(), json!(true)),
        ])
    }

    /// Keys separated by `;`.
    fn from_text(&self, text: &str) -> Result<Value, String> {
        Ok(split_cell(text))
    }

    fn canonical_options(&self) -> Map<String, Value> {
        self.0.canonical()
    }

    fn options(&self) -> &[EnumOption] {
        &self.0.list
    }
}

/// The texts that stand in one CSV cell, separated by `;`, or in a JSON array where they hold one themselves; null where
/// there are none.
pub(super) fn split_cell(text: &str) -> Value {
    if text.trim_start().starts_with('[')
        && let Ok(texts) = serde_json::from_str::<Vec<String>>(text)
    {
        return if texts.is_empty() { Value::Null } else { Value::from(texts) };
    }
    let parts: Vec<_> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect();
    if parts.is_empty() { Value::Null } else { Value::Array(parts) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, pointers, refuse};
    use super::*;

    fn kinds() -> Value {
        json!({"new": "New", "repair": "Repair", "Single Family": null, "old": {"label": "Old", "archived": true}})
    }

    #[test]
    fn option_keys_are_exact() {
        let single = kind(json!({"type": "enum", "options": kinds()}));
        assert_eq!(accept(&single, r#""Single Family""#), json!("Single Family"));
        let faults = refuse(&single, r#""single family""#);
        assert_eq!(codes(&faults), ["unknown_option"]);
        assert_eq!(
            faults[0].message,
            "`single family` is no option; did you mean `Single Family`? options are `new`, `repair`, `Single Family`"
        );
        assert_eq!(codes(&refuse(&single, r#"" new""#)), ["unknown_option"]);
        assert_eq!(codes(&refuse(&single, "1")), ["wrong_type"]);
        assert_eq!(single.from_text(" new "), Ok(json!("new")));
    }

    #[test]
    fn a_long_list_is_not_recited() {
        let many: Vec<_> = (0..100).map(|number| format!("option-{number}")).collect();
        let single = kind(json!({"type": "enum", "options": many}));
        let message = &refuse(&single, &json!("x".repeat(10_000)).to_string())[0].message;
        assert!(
            message.ends_with("options are `option-0`, `option-1`, `option-2`, `option-3`, `option-4` and 95 more")
        );
        assert!(message.len() < 300, "{message}");
        let none = kind(json!({"type": "enum", "options": []}));
        assert_eq!(refuse(&none, r#""a""#)[0].message, "`a` is no option; there are no options to choose from");
    }

    #[test]
    fn an_archived_option_is_refused_and_stays_in_the_schema() {
        let single = kind(json!({"type": "enum", "options": kinds()}));
        assert_eq!(codes(&refuse(&single, r#""old""#)), ["archived_option"]);
        assert_eq!(single.schema()["enum"], json!(["new", "repair", "Single Family", "old"]));
        assert_eq!(single.options().iter().filter(|option| option.archived).count(), 1);
    }

    #[test]
    fn several_options_come_once_and_in_their_order() {
        let multi = kind(json!({"type": "multi_enum", "options": kinds()}));
        assert_eq!(accept(&multi, r#"["repair", "new", "repair"]"#), json!(["new", "repair"]));
        assert_eq!(accept(&multi, "[]"), json!([]));
        let faults = refuse(&multi, r#"["new", "old", "nwe", 3]"#);
        assert_eq!(pointers(&faults), ["/1", "/2", "/3"]);
        assert_eq!(codes(&faults), ["archived_option", "unknown_option", "wrong_type"]);
        assert_eq!(codes(&refuse(&multi, r#""new""#)), ["wrong_type"]);
        assert_eq!(multi.from_text("repair ; new"), Ok(json!(["repair", "new"])));
    }

    #[test]
    fn options_are_given_back_as_a_list_of_objects() {
        let spec =
            json!({"type": "enum", "options": ["a_b", {"key": "C", "label": "See", "color": "red", "archived": true}]});
        assert_eq!(
            Value::Object(kind(spec).canonical_options()),
            json!({"options": [
                {"key": "a_b", "label": "A b", "archived": false},
                {"key": "C", "label": "See", "color": "red", "archived": true},
            ]})
        );
    }

    #[test]
    fn only_removing_an_option_narrows() {
        for type_name in ["enum", "multi_enum"] {
            let all = kind(json!({"type": type_name, "options": ["a", "b"]}));
            let more = kind(json!({"type": type_name, "options": ["c", "b", "a"]}));
            let relabelled = kind(json!({"type": type_name, "options": {"a": "First", "b": {"archived": true}}}));
            assert!(!all.narrows_to(more.as_ref()));
            assert!(!all.narrows_to(relabelled.as_ref()));
            assert!(more.narrows_to(all.as_ref()));
        }
        let single = kind(json!({"type": "enum", "options": ["a"]}));
        assert!(single.narrows_to(kind(json!({"type": "multi_enum", "options": ["a"]})).as_ref()));
    }
}
