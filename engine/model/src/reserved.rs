//! Values that administrators and automation keep to themselves, told by how they begin: `bot:` and the like.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::Properties;
use crate::name::Name;
use crate::object::known_name;
use crate::problem::Problems;
use crate::property::{Property, Storage};
use crate::query::fold;
use crate::spec::SpecReader;

/// Most beginnings of one constraint.
const MOST: usize = 50;
/// Characters of one.
const LONGEST: usize = 64;

/// Values of a property that are kept so.
#[derive(Debug, Clone)]
pub struct Reserved {
    /// A text, whose records are kept as a whole; or a list of texts, of which each is kept for itself.
    pub property: Name,
    /// How they begin, folded: what a search finds by a reserved value is reserved.
    prefixes: Vec<String>,
}

impl Reserved {
    /// Reads `{property, prefixes}`.
    pub(crate) fn read(
        map: &Map<String, Value>,
        at: &str,
        properties: &IndexMap<Name, Property>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut reader = SpecReader::of_map(map, at, problems);
        let property = reader.name("property");
        if !map.contains_key("property") {
            reader.missing("property");
        }
        let property = property.map(|name| known_name(&mut reader, "property", &name, properties).unwrap_or(name));
        let known = property.as_ref().and_then(|name| properties.get(name.as_str()));
        let storage = known.map(|found| found.kind.storage());
        if storage.is_some_and(|storage| !matches!(storage, Storage::Text | Storage::TextList)) {
            reader.problem("property", "wrong_type", "what is reserved is told by how a text or a tag begins");
        }
        let prefixes = reader.strings("prefixes");
        if prefixes.is_none() && !map.contains_key("prefixes") {
            reader.missing("prefixes");
        }
        let prefixes: Vec<String> = prefixes.unwrap_or_default().into_iter().map(fold).collect();
        let fits = |prefix: &String| (1..=LONGEST).contains(&prefix.chars().count()) && prefix.trim_start() == prefix;
        if map.contains_key("prefixes") && !((1..=MOST).contains(&prefixes.len()) && prefixes.iter().all(fits)) {
            let message = format!("1 to {MOST} beginnings of 1 to {LONGEST} characters, as `bot:`");
            reader.problem("prefixes", "invalid", message);
        }
        reader.finish();
        Some(Self { property: property?, prefixes })
    }

    /// The reserved ones of these values.
    pub fn among<'a>(&self, properties: &'a Properties) -> Vec<&'a str> {
        let is_reserved = |text: &&str| {
            let folded = fold(text);
            self.prefixes.iter().any(|prefix| folded.trim_start().starts_with(prefix.as_str()))
        };
        match properties.get(self.property.as_str()) {
            Some(Value::String(text)) => Some(text.as_str()).into_iter().filter(is_reserved).collect(),
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).filter(is_reserved).collect(),
            _ => Vec::new(),
        }
    }

    /// How they begin, for people.
    pub fn beginnings(&self) -> String {
        let quoted: Vec<String> = self.prefixes.iter().map(|prefix| format!("`{prefix}`")).collect();
        quoted.join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_told_by_how_they_begin() {
        let reserved =
            Reserved { property: Name::new("tags").expect("a name"), prefixes: vec!["bot:".into(), "sys-".into()] };
        let among = |value: Value| -> Vec<String> {
            let properties = Properties::from_iter([("tags".to_owned(), value)]);
            reserved.among(&properties).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(among(json!(["a", "bot:x", "Sys-y", "robot:z", " BOT: q"])), ["bot:x", "Sys-y", " BOT: q"]);
        assert_eq!(among(json!("BOT:x")), ["BOT:x"]);
        for alike in ["bót:x", "ｂｏｔ:x", "bot：x", "\u{3000}bot:x"] {
            assert_eq!(among(json!([alike])), [alike]);
        }
        assert_eq!(among(json!("x bot:")), Vec::<String>::new());
        assert_eq!(among(Value::Null), Vec::<String>::new());
        assert_eq!(reserved.beginnings(), "`bot:` or `sys-`");
    }
}
