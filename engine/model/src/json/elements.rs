//! The elements of one JSON list, left as they were written.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Most elements that any list may have.
pub(super) const MAX_ELEMENTS: usize = 10_000;

/// Elements of a list; those beyond [`MAX_ELEMENTS`] are only counted.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    pub(super) kept: Vec<&'a RawValue>,
    pub(super) count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Elements { kept: Vec::new(), count: 0 };
        while elements.count < MAX_ELEMENTS {
            let Some(element) = list.next_element()? else { return Ok(elements) };
            elements.kept.push(element);
            elements.count += 1;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            elements.count += 1;
        }
        Ok(elements)
    }
}
