//! The `properties` of a record as they were written: in order, numbers with all their digits.

use serde_json::value::RawValue;

use super::{FromJson, Reading};

/// Property name to value, in the order of the body, no name twice. Values may be null.
#[derive(Debug, Default)]
pub struct PropertiesBody(pub Vec<(String, Box<RawValue>)>);

impl<'a> FromJson<'a> for PropertiesBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let members = reading.members(raw)?;
        Some(Self(members.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned())).collect()))
    }
}
