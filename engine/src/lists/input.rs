//! What is sent of lists.

use engine_model::json::{FromJson, Reading};
use engine_model::query::ast::FilterText;
use serde_json::Value;
use serde_json::value::RawValue;

/// Records that are put into a list, or taken out of it, at a time.
const MAX_RECORDS: usize = 1_000;

/// A list to be made, or what to change of one: what is null is to be taken away, what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ListInput {
    /// Whose records are in it.
    pub object: Option<Option<String>>,
    /// What people read.
    pub name: Option<Option<String>>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// What its members meet; none where they are put by hand.
    pub filter: Option<Option<SentFilter>>,
    /// `private`, `team` or `everyone`.
    pub sharing: Option<Option<String>>,
    /// Id of the team that it is shared with.
    pub team: Option<Option<Value>>,
}

/// A filter as it was written, and as it was read.
#[derive(Debug, Clone)]
pub struct SentFilter {
    pub(super) written: Box<RawValue>,
    pub(super) text: FilterText,
}

impl<'a> FromJson<'a> for SentFilter {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let text = reading.value::<FilterText>(raw)?;
        Some(Self { written: raw.to_owned(), text })
    }
}

impl<'a> FromJson<'a> for ListInput {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let input = Self {
            object: object.patch("object"),
            name: object.patch("name"),
            description: object.patch("description"),
            filter: object.patch("filter"),
            sharing: object.patch("sharing"),
            team: object.patch("team"),
        };
        object.finish();
        Some(input)
    }
}

/// Which records are to be put into a static list, and which are to be taken out.
#[derive(Debug, Clone, Default)]
pub struct MemberChange {
    /// Ids of records to put in, at most 1,000.
    pub add: Vec<Value>,
    /// Ids of records to take out, at most 1,000.
    pub remove: Vec<Value>,
}

impl<'a> FromJson<'a> for MemberChange {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let (add, remove) = (object.list("add", MAX_RECORDS), object.list("remove", MAX_RECORDS));
        if add.as_ref().zip(remove.as_ref()).is_some_and(|(add, remove)| add.is_empty() && remove.is_empty()) {
            object.reading().problem("required", "`add` or `remove` says which records are meant");
        }
        object.finish();
        Some(Self { add: add?, remove: remove? })
    }
}
