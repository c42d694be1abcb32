//! A column of one segment as queries read it: many documents at a time.

use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;

use tantivy::columnar::{Cardinality, Column, ColumnIndex};

use super::bits::Bits;
use super::presence::Presence;
use crate::error::Result;

/// Values as numbers that compare as the values do.
#[derive(Debug)]
pub(crate) struct ValueColumn {
    column: Column<u64>,
    rows: Rows,
}

/// Where the values of a document are.
#[derive(Debug)]
enum Rows {
    /// Each document has one.
    Full,
    /// Each of these has one.
    Some(Arc<Presence>),
    /// A document may have several.
    Many,
}

/// Reads the first values of many documents.
#[derive(Debug)]
pub(crate) struct Firsts {
    column: Rc<ValueColumn>,
    /// Each of the documents has a value.
    has_all: bool,
    places: Vec<u32>,
    rows: Vec<u32>,
    values: Vec<u64>,
}

/// Documents looked at before what was found is taken over, so that little memory is held.
const STRETCH: u32 = 1 << 16;

impl ValueColumn {
    /// `find` tells which documents have a value, where some have none.
    pub(crate) fn new(column: Column<u64>, find: impl FnOnce(&ColumnIndex) -> Result<Arc<Presence>>) -> Result<Self> {
        let rows = match &column.index {
            ColumnIndex::Full => Rows::Full,
            ColumnIndex::Multivalued(_) => Rows::Many,
            index @ (ColumnIndex::Optional(_) | ColumnIndex::Empty { .. }) => Rows::Some(find(index)?),
        };
        Ok(Self { column, rows })
    }

    /// Which documents have a value, in the library's own form.
    pub(crate) fn index(&self) -> &ColumnIndex {
        &self.column.index
    }

    /// Whether a document can have several values.
    pub(crate) fn is_multiple(&self) -> bool {
        self.column.get_cardinality() == Cardinality::Multivalued
    }

    /// The documents that have a value, where each has one at most and some have none.
    pub(crate) fn presence(&self) -> Option<&Presence> {
        match &self.rows {
            Rows::Some(presence) => Some(presence),
            Rows::Full | Rows::Many => None,
        }
    }

    /// No value is below the first of these or above the second.
    pub(crate) fn bounds(&self) -> (u64, u64) {
        (self.column.min_value(), self.column.max_value())
    }

    /// The row of a document's value, where it cannot have several.
    fn row(&self, document: u32) -> Option<u32> {
        match &self.rows {
            Rows::Full => Some(document),
            Rows::Some(presence) => presence.row(document),
            Rows::Many => None,
        }
    }

    /// The first value of a document.
    pub(crate) fn first(&self, document: u32) -> Option<u64> {
        match &self.rows {
            Rows::Many => self.column.first(document),
            Rows::Full | Rows::Some(_) => self.row(document).map(|row| self.column.values.get_val(row)),
        }
    }

    /// Every value of a document.
    pub(crate) fn all(&self, document: u32) -> impl Iterator<Item = u64> + '_ {
        self.column.values_for_doc(document)
    }

    /// Adds the documents that have a value in the range.
    pub(crate) fn add_range(&self, range: &RangeInclusive<u64>, bits: &mut Bits) {
        let mut found = Vec::new();
        let count = match &self.rows {
            Rows::Many => bits.length(),
            Rows::Full | Rows::Some(_) => self.column.values.num_vals(),
        };
        for start in (0..count).step_by(STRETCH as usize) {
            let part = start..start.saturating_add(STRETCH).min(count);
            found.clear();
            match &self.rows {
                Rows::Full => {
                    self.column.values.get_row_ids_for_value_range(range.clone(), part, &mut found);
                    found.iter().for_each(|document| bits.insert(*document));
                }
                Rows::Some(presence) => {
                    self.column.values.get_row_ids_for_value_range(range.clone(), part, &mut found);
                    presence.add_documents_of(&found, bits);
                }
                Rows::Many => {
                    self.column.get_docids_for_value_range(range.clone(), part, &mut found);
                    found.iter().for_each(|document| bits.insert(*document));
                }
            }
        }
    }
}

impl Firsts {
    /// Those of documents among these.
    pub(crate) fn of(column: Rc<ValueColumn>, documents: &Bits) -> Self {
        let has_all = match &column.rows {
            Rows::Full => true,
            Rows::Some(presence) => documents.is_within(presence.bits()),
            Rows::Many => false,
        };
        Self { column, has_all, places: Vec::new(), rows: Vec::new(), values: Vec::new() }
    }

    /// Calls `take` with the place of each of the documents that has a value, and with its first value. Documents come in
    /// order, perhaps some of them several times.
    pub(crate) fn each(&mut self, documents: &[u32], mut take: impl FnMut(usize, u64)) {
        let (Some(first), Some(last)) = (documents.first(), documents.last()) else { return };
        let Self { column, has_all, places, rows, values } = self;
        let source = &column.column.values;
        if *has_all && let (Some(first), Some(last)) = (column.row(*first), column.row(*last)) {
            values.clear();
            values.resize(documents.len(), 0);
            let are_all = (last - first) as usize == documents.len() - 1;
            if are_all && documents.is_sorted_by(|one, other| one < other) {
                source.get_range(u64::from(first), values);
            } else {
                match &column.rows {
                    Rows::Some(presence) => {
                        rows.clear();
                        presence.rows_of_all(documents, rows);
                        source.get_vals(rows, values);
                    }
                    Rows::Full | Rows::Many => source.get_vals(documents, values),
                }
            }
            return values.iter().enumerate().for_each(|(place, value)| take(place, *value));
        }
        if let Rows::Some(presence) = &column.rows {
            places.clear();
            rows.clear();
            presence.rows(documents, places, rows);
            values.clear();
            values.resize(rows.len(), 0);
            source.get_vals(rows, values);
            return places.iter().zip(&*values).for_each(|(place, value)| take(*place as usize, *value));
        }
        let firsts = documents.iter().map(|document| column.first(*document)).enumerate();
        firsts.for_each(|(place, value)| value.into_iter().for_each(|value| take(place, value)));
    }
}
