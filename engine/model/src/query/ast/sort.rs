//! Orders as sent.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::Reading;

/// Keys of an order.
pub const MAX_SORT_KEYS: usize = 8;

/// The words for the two directions, and whether the highest comes first.
pub(super) const DIRECTIONS: &[(&str, bool)] = &[("asc", false), ("desc", true)];

/// One key of an order: `{property, direction?}`, or `"name"` and `"-amount"` for short.
#[derive(Debug, Clone, Serialize)]
pub struct SortText {
    /// Where it stands.
    #[serde(skip)]
    pub pointer: String,
    /// The property's name.
    pub property: String,
    /// Highest first; where nothing was said, lowest first, but the best match first.
    pub is_descending: Option<bool>,
}

impl SortText {
    /// Reads the short form: a name, after a minus for highest first.
    pub fn parse(text: &str, pointer: String) -> Self {
        match text.strip_prefix('-') {
            Some(property) => Self { pointer, property: property.to_owned(), is_descending: Some(true) },
            None => Self { pointer, property: text.to_owned(), is_descending: None },
        }
    }

    /// The keys of an order, first key first, as a search has them under `sort`.
    pub fn list<'a>(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Vec<Self>> {
        reading.each(raw, MAX_SORT_KEYS, Self::read)
    }

    fn read<'a>(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let pointer = reading.pointer();
        if raw.get().starts_with('"') {
            return reading.value::<String>(raw).map(|text| Self::parse(&text, pointer));
        }
        let mut object = reading.object(raw)?;
        let property = object.required("property");
        let is_descending = object.choice("direction", DIRECTIONS);
        object.finish();
        Some(Self { pointer, property: property?, is_descending })
    }
}
