//! The column map: which column of a file goes where, as people write it. `seeds/README.md` describes the format.
//!
//! A map is read once, with everything that is wrong with it, and knows nothing of definitions; [`super::bind`] fits it
//! to them.

mod cell;
mod read;
mod target;

pub(super) use cell::{Cell, CellRules};
pub(super) use target::{Aim, LinkAim, Target, UserKey};

use indexmap::IndexMap;
use serde_json::Value;

use super::spec::Format;

/// Which column of a file goes where.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnMap {
    /// The object whose records are made.
    pub(super) object: Option<String>,
    /// The unique property that finds the record to update; without it every row makes a record.
    pub(super) key: Option<String>,
    /// What the file is.
    pub(super) format: Option<Format>,
    /// What separates the cells of a CSV file.
    pub(super) delimiter: Option<u8>,
    /// Where each column goes; where none is named, columns are called like properties.
    pub(super) columns: IndexMap<String, Vec<Target>>,
    /// Properties made of several columns.
    pub(super) compose: IndexMap<String, Template>,
    /// The same value on every row, by property.
    pub(super) constants: IndexMap<String, Value>,
    /// Rows that have nothing in one of these columns are passed over.
    pub(super) skip_without: Vec<String>,
    /// Cells that are no value, whatever the column.
    pub(super) skip_values: Vec<String>,
    /// Columns that are left out.
    pub(super) ignore: Vec<String>,
    /// Rows whose key came earlier in the file are passed over.
    pub(super) distinct: bool,
}

/// A text with `{COLUMN}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Piece>);

/// One piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands.
    Text(String),
    /// What this column holds.
    Column(String),
}

impl Template {
    /// Names of the columns in it.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Column(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }
}

impl ColumnMap {
    /// Every column that the map takes something from, each once.
    pub(super) fn used_columns(&self) -> Vec<&str> {
        let composed = self.compose.values().flat_map(Template::columns);
        let needed = self.skip_without.iter().map(String::as_str);
        let mut names: Vec<&str> = self.columns.keys().map(String::as_str).chain(composed).chain(needed).collect();
        let mut known = std::collections::HashSet::new();
        names.retain(|name| known.insert(*name));
        names
    }

    /// Columns are called like properties, since the map does not name any.
    pub(super) fn is_automatic(&self) -> bool {
        self.columns.is_empty()
    }
}

#[cfg(test)]
mod tests;
