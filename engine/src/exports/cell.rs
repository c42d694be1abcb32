//! The cells of a row: values as they are stored, picked out of a record or of a report's row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use engine_model::time::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::column::{Column, Type};
use crate::error::{Error, Result};
use crate::query::{Answered, AnsweredRow};
use crate::records::Record;

/// What stands in one place of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// No value.
    Empty,
    Text(Cow<'a, str>),
    Integer(i64),
    /// Digits, with at most one point and a sign.
    Decimal(Cow<'a, str>),
    Boolean(bool),
    /// `YYYY-MM-DD`.
    Date(Cow<'a, str>),
    /// RFC 3339 in UTC with microseconds.
    Datetime(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
    /// Latitude and longitude in degrees.
    Geo(f64, f64),
    /// Any JSON.
    Json(Cow<'a, str>),
}

/// Picks the values of some columns out of records.
#[derive(Debug)]
pub(super) struct Picker {
    columns: Vec<Column>,
    /// Where the value of a property goes.
    places: HashMap<String, usize>,
}

impl Picker {
    pub(super) fn new(columns: Vec<Column>) -> Self {
        let properties = columns.iter().enumerate().filter(|(_, column)| !column.is_system);
        let places = properties.map(|(place, column)| (column.name.clone(), place)).collect();
        Self { columns, places }
    }

    /// The cells of a record, one for each column.
    pub(super) fn cells<'r>(&self, record: &'r Record) -> Result<Vec<Cell<'r>>> {
        let mut cells = vec![Cell::Empty; self.columns.len()];
        if !self.places.is_empty() {
            let mut reader = serde_json::Deserializer::from_str(record.properties.get());
            Slots { picker: self, cells: &mut cells }
                .deserialize(&mut reader)
                .map_err(|error| Error::internal(format!("record {} cannot be written: {error}", record.id)))?;
        }
        for (cell, column) in cells.iter_mut().zip(&self.columns).filter(|(_, column)| column.is_system) {
            *cell = of_system(record, &column.name);
        }
        Ok(cells)
    }
}

fn of_system<'r>(record: &'r Record, name: &str) -> Cell<'r> {
    let id = |id: Option<i64>| id.map_or(Cell::Empty, Cell::Integer);
    let moment = |at: Timestamp| Cell::Datetime(Cow::Owned(at.to_rfc3339()));
    match name {
        "id" => Cell::Integer(record.id.0),
        "uid" => Cell::Text(Cow::Owned(record.uid.to_string())),
        "display_name" => text(Cow::Borrowed(&record.display_name)),
        "owner_id" => id(record.owner.map(|user| user.0)),
        "team_id" => id(record.team.map(|team| team.0)),
        "version" => Cell::Integer(record.version),
        "created_at" => moment(record.created_at),
        "created_by" => id(record.created_by.map(|user| user.0)),
        "updated_at" => moment(record.updated_at),
        "updated_by" => id(record.updated_by.map(|user| user.0)),
        "archived_at" => record.archived_at.map_or(Cell::Empty, moment),
        _ => Cell::Empty,
    }
}

/// The cells of a report's row. `places` are those of the columns among groups and measures; none marks the rest.
pub(super) fn cells_of_group<'r>(
    row: &'r AnsweredRow,
    columns: &[Column],
    places: &[Option<usize>],
    groups: usize,
) -> Result<Vec<Cell<'r>>> {
    let cell = |(column, place): (&Column, &Option<usize>)| {
        let Some(place) = place else { return Ok(Cell::Boolean(row.key.is_none())) };
        let answered = match place.checked_sub(groups) {
            None => row.key.as_ref().and_then(|key| key.get(*place)),
            Some(measure) => row.measures.get(measure).map(|(_, answered)| answered),
        };
        match answered {
            None | Some(Answered::Value(Value::Null)) => Ok(Cell::Empty),
            Some(Answered::Integer(digits)) => Ok(Cell::Decimal(Cow::Borrowed(digits.get()))),
            Some(Answered::Value(value)) => {
                let raw = serde_json::value::to_raw_value(value).map_err(Error::internal)?;
                owned(of_json(column.kind, &raw).map_err(Error::internal)?)
            }
        }
    };
    columns.iter().zip(places).map(cell).collect()
}

fn owned(cell: Cell<'_>) -> Result<Cell<'static>> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    Ok(match cell {
        Cell::Empty => Cell::Empty,
        Cell::Text(text) => Cell::Text(own(text)),
        Cell::Integer(number) => Cell::Integer(number),
        Cell::Decimal(digits) => Cell::Decimal(own(digits)),
        Cell::Boolean(is_true) => Cell::Boolean(is_true),
        Cell::Date(day) => Cell::Date(own(day)),
        Cell::Datetime(moment) => Cell::Datetime(own(moment)),
        Cell::List(texts) => Cell::List(texts.into_iter().map(own).collect()),
        Cell::Geo(lat, lon) => Cell::Geo(lat, lon),
        Cell::Json(json) => Cell::Json(own(json)),
    })
}

/// A value in normal form as a cell of a column's type.
fn of_json<'v>(kind: Type, raw: &'v RawValue) -> Result<Cell<'v>, serde_json::Error> {
    let json = raw.get();
    if json == "null" {
        return Ok(Cell::Empty);
    }
    Ok(match kind {
        Type::Text => text(string(raw)?),
        Type::Id => string(raw)?.parse().map(Cell::Integer).map_err(serde_json::Error::custom)?,
        Type::Integer => json.parse().map(Cell::Integer).map_err(serde_json::Error::custom)?,
        Type::Decimal { .. } => Cell::Decimal(string(raw)?),
        Type::Boolean => Cell::Boolean(json == "true"),
        Type::Date => Cell::Date(string(raw)?),
        Type::Datetime => Cell::Datetime(string(raw)?),
        Type::List => {
            let elements: Vec<&RawValue> = serde_json::from_str(json)?;
            Cell::List(elements.into_iter().map(string).collect::<Result<_, _>>()?)
        }
        Type::Geo => {
            let point: Value = serde_json::from_str(json)?;
            match (point["lat"].as_f64(), point["lon"].as_f64()) {
                (Some(lat), Some(lon)) => Cell::Geo(lat, lon),
                _ => Cell::Json(Cow::Borrowed(json)),
            }
        }
        Type::Json => Cell::Json(Cow::Borrowed(json)),
    })
}

fn text(text: Cow<'_, str>) -> Cell<'_> {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
}

/// A JSON string's text; of anything else what stands there. Borrowed where nothing is escaped.
fn string(raw: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    let json = raw.get();
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        Some(_) => serde_json::from_str(json).map(Cow::Owned),
        None => Ok(Cow::Borrowed(json)),
    }
}

/// Fills cells from the members of an object.
struct Slots<'p, 'c, 'v> {
    picker: &'p Picker,
    cells: &'c mut [Cell<'v>],
}

impl<'v> DeserializeSeed<'v> for Slots<'_, '_, 'v> {
    type Value = ();

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'v> Visitor<'v> for Slots<'_, '_, 'v> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'v>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { picker, cells } = self;
        while let Some(place) = members.next_key_seed(PlaceOf(&picker.places))? {
            let slot = place.and_then(|place| Some((cells.get_mut(place)?, picker.columns.get(place)?)));
            match slot {
                Some((cell, column)) => {
                    let raw: &'v RawValue = members.next_value()?;
                    *cell = of_json(column.kind, raw)
                        .map_err(|error| A::Error::custom(format!("`{}`: {error}", column.name)))?;
                }
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Where a member goes, by its name.
struct PlaceOf<'p>(&'p HashMap<String, usize>);

impl<'v> DeserializeSeed<'v> for PlaceOf<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for PlaceOf<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.get(name).copied())
    }
}
