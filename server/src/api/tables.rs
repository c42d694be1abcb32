//! How tables of groups and measures are written: straight to text, since sums can have more digits than a value of
//! JSON in memory holds.

use engine::query::{AnsweredRow, AnsweredTable};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Tables by name.
#[derive(Debug)]
pub(crate) struct TablesBody(pub(crate) Vec<AnsweredTable>);

impl Serialize for TablesBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|table| (&table.name, RowsBody(&table.rows))))
    }
}

/// The rows of one table.
#[derive(Debug)]
pub(crate) struct TableBody(pub(crate) AnsweredTable);

impl Serialize for TableBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RowsBody(&self.0.rows).serialize(serializer)
    }
}

struct RowsBody<'a>(&'a [AnsweredRow]);

impl Serialize for RowsBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(RowBody))
    }
}

/// `key`, or `other` for the rest of the groups, and the measures.
struct RowBody<'a>(&'a AnsweredRow);

impl Serialize for RowBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.0.key {
            Some(key) => map.serialize_entry("key", key)?,
            None => map.serialize_entry("other", &true)?,
        }
        for (name, computed) in &self.0.measures {
            map.serialize_entry(name, computed)?;
        }
        map.end()
    }
}
