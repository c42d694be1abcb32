//! The members of one JSON object, in order, values left as they were written.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Most members that are kept; an object with more is a mistake or an attack.
pub(super) const MAX_ENTRIES: usize = 10_000;

/// Members of an object. Names are borrowed where they hold no escapes.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    pub(super) members: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// How many there are in all, those beyond [`MAX_ENTRIES`] included.
    pub(super) count: usize,
}

impl<'a> Entries<'a> {
    /// Names that occur more than once, each told once.
    pub(super) fn repeated(&self) -> Vec<&str> {
        let names = || self.members.iter().map(|(name, _)| name.as_ref());
        // Comparing all pairs is faster for the sizes that occur; the set keeps the rest linear.
        if self.members.len() <= 32 {
            let is_repeated = |(at, name): &(usize, &str)| names().take(*at).filter(|other| other == name).count() == 1;
            return names().enumerate().filter(is_repeated).map(|(_, name)| name).collect();
        }
        let (mut seen, mut told) = (HashSet::new(), HashSet::new());
        names().filter(|name| !seen.insert(*name) && told.insert(*name)).collect()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Entries { members: Vec::new(), count: 0 };
        while let Some(Text(name)) = map.next_key()? {
            entries.count += 1;
            if entries.count > MAX_ENTRIES {
                map.next_value::<IgnoredAny>()?;
            } else {
                entries.members.push((name, map.next_value()?));
            }
        }
        Ok(entries)
    }
}

/// A text that is borrowed where it holds no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Entries<'_> {
        serde_json::from_str(text).expect("an object")
    }

    #[test]
    fn members_keep_their_order_and_their_spelling() {
        let read = entries(r#"{"b": 1.50, "a": {"x": [1, 2]}}"#);
        let members: Vec<_> = read.members.iter().map(|(name, raw)| (name.as_ref(), raw.get())).collect();
        assert_eq!(members, [("b", "1.50"), ("a", r#"{"x": [1, 2]}"#)]);
    }

    #[test]
    fn names_that_come_twice_are_told_once() {
        assert_eq!(entries(r#"{"a": 1, "b": 2, "a": 3, "a": 4, "\u0062": 5}"#).repeated(), ["a", "b"]);
        let many: Vec<String> = (0..100).map(|n| format!("\"k{}\": 1", n % 99)).collect();
        assert_eq!(entries(&format!("{{{}}}", many.join(","))).repeated(), ["k0"]);
    }

    #[test]
    fn an_object_of_a_million_members_keeps_few() {
        let text = format!("{{{}}}", vec!["\"\":0"; 1_000_000].join(","));
        let read = entries(&text);
        assert_eq!((read.members.len(), read.count), (MAX_ENTRIES, 1_000_000));
    }
}
