//! What callers send of records and links.

use std::borrow::Cow;

use engine::records::{LinkInput, PropertiesInput, RecordInput};
use serde_json::value::RawValue;

use crate::extract::json::{FromJson, ObjectReader, PropertiesBody, Reading};

/// Most links that one write makes beside its record.
const MOST_LINKS: usize = 1_000;

/// `{properties, owner_id?, team_id?, associations?}`.
#[derive(Debug)]
pub(crate) struct RecordFields(pub(crate) RecordInput);

impl<'a> FromJson<'a> for RecordFields {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let input = read_fields(&mut object);
        object.finish();
        input.map(Self)
    }
}

/// The members of a record's body, for bodies that have others beside them.
pub(crate) fn read_fields<'a>(object: &mut ObjectReader<'a, '_>) -> Option<RecordInput> {
    let properties = object.optional::<PropertiesBody>("properties").map(|body| PropertiesInput(body.0));
    let owner = object.patch::<Id>("owner_id").map(|owner| owner.map(|Id(id)| id));
    let team = object.patch::<Id>("team_id").map(|team| team.map(|Id(id)| id));
    let associations = object.list::<LinkFields>("associations", MOST_LINKS)?;
    let associations = associations.into_iter().map(|LinkFields(link)| link).collect();
    Some(RecordInput { properties: properties.unwrap_or_default(), owner, team, associations })
}

/// An id: a string, or, since people write it, a whole number.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

impl<'a> FromJson<'a> for Id {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let text = raw.get();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self(text.to_owned()));
        }
        reading.value::<Cow<'a, str>>(raw).map(|id| Self(id.into_owned()))
    }
}

/// `{type, to, label?, properties?}`.
#[derive(Debug)]
pub(crate) struct LinkFields(pub(crate) LinkInput);

impl<'a> FromJson<'a> for LinkFields {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let kind = object.required::<String>("type");
        let to = object.required::<Id>("to");
        let label = object.optional::<String>("label");
        let properties = object.optional::<PropertiesBody>("properties");
        object.finish();
        let properties = PropertiesInput(properties.map(|body| body.0).unwrap_or_default());
        Some(Self(LinkInput { kind: kind?, to: to?.0, label, properties }))
    }
}
