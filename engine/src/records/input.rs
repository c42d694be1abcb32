//! What callers send: values as written, so that decimals stay exact until their property reads them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Properties as sent, in order; no name twice.
#[derive(Debug, Default, Clone)]
pub struct PropertiesInput(pub Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for PropertiesInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PropertiesVisitor)
    }
}

struct PropertiesVisitor;

impl<'de> Visitor<'de> for PropertiesVisitor {
    type Value = PropertiesInput;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of property names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PropertiesInput, A::Error> {
        let mut properties: Vec<(String, Box<RawValue>)> = Vec::with_capacity(map.size_hint().unwrap_or(16).min(64));
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            properties.push((name, value));
        }
        let mut names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom(format!("the property `{}` is given twice", pair[0])));
        }
        Ok(PropertiesInput(properties))
    }
}

/// A record to be made, or what to change of one.
#[derive(Debug, Default, Clone)]
pub struct RecordInput {
    /// Values to set; null takes a value away.
    pub properties: PropertiesInput,
    /// New owner: `Some(None)` releases, `None` leaves as is.
    pub owner: Option<Option<String>>,
    /// Id of the new team: `Some(None)` takes it out of its team, `None` leaves as is.
    pub team: Option<Option<String>>,
    /// Links to make in the same transaction.
    pub associations: Vec<LinkInput>,
}

/// Where a record is moved to, and what it is given on the way.
#[derive(Debug, Clone)]
pub struct MoveInput {
    /// The pipeline; the one that the record is in where none is named.
    pub pipeline: Option<String>,
    /// The stage.
    pub stage: String,
    /// Values to set; null takes a value away.
    pub properties: PropertiesInput,
    /// Its place on the board from then on; unless given it keeps the one it has.
    pub rank: Option<String>,
}

/// A link to make from or to a record.
#[derive(Debug, Clone)]
pub struct LinkInput {
    /// Name of the association.
    pub kind: String,
    /// The record at the other end: id, uid, or `$ref` in a transaction.
    pub to: String,
    /// What the link is called.
    pub label: Option<String>,
    /// The link's own properties.
    pub properties: PropertiesInput,
}
