//! A query as sent: its form is read here, its names and values are for [`resolve`](super::resolve()) to understand.
//!
//! What cannot be read is a problem and left out, so that the rest can be resolved and all problems told at once.
//! Values stay as they were written, numbers with all their digits.

mod aggregate;
mod filter;
mod sort;

use serde_json::value::RawValue;

pub use aggregate::{
    AggregateText, GroupText, GroupingText, MAX_AGGREGATES, MAX_GROUPS, MAX_MEASURES, MAX_PERCENTILES, MeasureForm,
    MeasureText, OrderText,
};
pub use filter::{
    AssociationText, CountText, FilterForm, FilterText, MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES, PropertyText,
    QuantifierText,
};
pub use sort::{MAX_SORT_KEYS, SortText};

use crate::json::{FromJson, Reading};

/// Hits on a page unless asked otherwise.
pub const DEFAULT_LIMIT: usize = 50;

/// Objects that one search may name.
const MAX_OBJECTS: usize = 200;

/// Names that `select` or `include` may hold.
const MAX_NAMES: usize = 500;

/// What a search asks, as sent: contract of `POST /records/{object}/search`.
#[derive(Debug, Clone)]
pub struct QueryText {
    /// Pointer to where the query stands in what was sent; empty where it is the whole of it.
    pub pointer: String,
    /// Full text that records must match; words, and phrases in quotation marks.
    pub q: Option<String>,
    /// Forgives typing errors in `q`.
    pub fuzzy: bool,
    /// What records must meet.
    pub filter: Option<FilterText>,
    /// What they must meet besides, as a CEL expression. No body has it; `?filter=` of a list does.
    pub expression: Option<String>,
    /// The order, first key first.
    pub sort: Vec<SortText>,
    /// Properties to answer with; all where absent.
    pub select: Option<Vec<String>>,
    /// Associated records to answer with, as in `company(name)`.
    pub include: Vec<String>,
    /// Hits on the page.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// The number of all matches is wanted.
    pub count: bool,
    /// Tables wanted.
    pub aggregates: Vec<AggregateText>,
    /// What the search must have seen.
    pub consistency: Consistency,
    /// Only archived records rather than only active ones.
    pub archived: bool,
    /// Objects to search, for searches across objects; all where absent.
    pub objects: Option<Vec<String>>,
}

/// What a search must have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// Every write that was acknowledged before the search began.
    #[default]
    Strong,
    /// Whatever the index has at the moment.
    Eventual,
}

impl Default for QueryText {
    /// The first page of everything.
    fn default() -> Self {
        Self {
            pointer: String::new(),
            q: None,
            fuzzy: false,
            filter: None,
            expression: None,
            sort: Vec::new(),
            select: None,
            include: Vec::new(),
            limit: DEFAULT_LIMIT,
            cursor: None,
            count: false,
            aggregates: Vec::new(),
            consistency: Consistency::Strong,
            archived: false,
            objects: None,
        }
    }
}

/// A search of one object, which its address names.
impl<'a> FromJson<'a> for QueryText {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        Self::read(raw, reading, false)
    }
}

/// A search across objects: contract of `POST /search`.
#[derive(Debug, Clone)]
pub struct AcrossObjects(pub QueryText);

impl<'a> FromJson<'a> for AcrossObjects {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        QueryText::read(raw, reading, true).map(Self)
    }
}

impl QueryText {
    fn read<'a>(raw: &'a RawValue, reading: &mut Reading<'a>, takes_objects: bool) -> Option<Self> {
        const CONSISTENCIES: &[(&str, Consistency)] =
            &[("strong", Consistency::Strong), ("eventual", Consistency::Eventual)];
        let pointer = reading.pointer();
        let mut object = reading.object(raw)?;
        let objects = takes_objects.then(|| object.optional_with("objects", searched));
        let query = Self {
            pointer,
            q: object.optional("q"),
            fuzzy: object.optional("fuzzy").unwrap_or(false),
            filter: object.optional("filter"),
            expression: None,
            sort: object.optional_with("sort", SortText::list).unwrap_or_default(),
            select: object.optional_with("select", |raw, reading| names(raw, reading, MAX_NAMES)),
            include: object.optional_with("include", |raw, reading| names(raw, reading, MAX_NAMES)).unwrap_or_default(),
            limit: object.optional("limit").unwrap_or(DEFAULT_LIMIT),
            cursor: object.optional("cursor"),
            count: object.optional("count").unwrap_or(false),
            aggregates: object.optional_with("aggregate", AggregateText::map).unwrap_or_default(),
            consistency: object.choice("consistency", CONSISTENCIES).unwrap_or_default(),
            archived: object.optional("archived").unwrap_or(false),
            objects: objects.flatten(),
        };
        object.finish();
        Some(query)
    }
}

/// Objects to search: one at least, since a list of none is more likely a mistake than a search for nothing.
fn searched<'a>(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Vec<String>> {
    if reading.elements(raw, MAX_OBJECTS)?.is_empty() {
        reading.problem("required", "name one object at least, or leave `objects` out to search all");
        return None;
    }
    names(raw, reading, MAX_OBJECTS)
}

fn names<'a>(raw: &'a RawValue, reading: &mut Reading<'a>, most: usize) -> Option<Vec<String>> {
    reading.each(raw, most, |raw, reading| reading.value(raw))
}
