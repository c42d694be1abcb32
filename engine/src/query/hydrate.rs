//! From hits to records: one statement for a page, and what of each the caller may see.

use std::collections::HashMap;

use engine_model::access::Action;
use engine_model::query::{Hit, Query, Words};
use engine_store::record::{RecordRow, many};

use super::highlight::{Highlight, highlights};
use crate::error::Result;
use crate::records::{Record, Shown, View};
use crate::session::Session;

/// A record that a search found.
#[derive(Debug, Clone)]
pub struct FoundRecord {
    /// The record.
    pub record: Record,
    /// Where full text was found in it; empty where none was looked for, or nobody asks for marks.
    pub highlights: Vec<Highlight>,
}

impl Session {
    /// The records of a page, in order, with `marked` words marked. One that is gone since the index saw it is left out.
    pub(crate) async fn read_hits(
        &self,
        hits: &[Hit],
        query: &Query,
        view: &View,
        marked: Option<&Words>,
    ) -> Result<Vec<FoundRecord>> {
        let mut rows = self.rows_of(hits).await?;
        let mut found = Vec::with_capacity(hits.len());
        for (at, scope) in query.scopes.iter().enumerate() {
            let object = self.catalog.object(&scope.object)?;
            // A property that only some of the objects have is shown where it is.
            let selected = view.select.as_ref().map(|names| {
                let properties = names.iter().filter_map(|name| object.property_called(name));
                properties.map(|property| property.name.to_string()).collect::<Vec<_>>()
            });
            let shown = Shown::of(&self.catalog, object, &self.caller.rights, selected.as_deref(), self.now());
            let (mut places, mut records, mut marks) = (Vec::new(), Vec::new(), Vec::new());
            for (place, hit) in hits.iter().enumerate().filter(|(_, hit)| hit.scope == at) {
                let row = rows.remove(&hit.place.id.0).filter(|row| self.may_show(row, &scope.object));
                if let Some(row) = row {
                    let found = marked.map_or_else(Vec::new, |words| highlights(&row, object, scope, words));
                    let mut record = Record::from_row(row, &shown)?;
                    record.add_sensitive(object, found.iter().map(|found| found.property.as_str()));
                    marks.push(found);
                    places.push(place);
                    records.push(record);
                }
            }
            if !view.include.is_empty() {
                self.include(object, &mut records, &view.include).await?;
            }
            let records = records.into_iter().zip(marks).map(|(record, highlights)| FoundRecord { record, highlights });
            found.extend(places.into_iter().zip(records));
        }
        found.sort_by_key(|(place, _)| *place);
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    async fn rows_of(&self, hits: &[Hit]) -> Result<HashMap<i64, RecordRow>> {
        if hits.is_empty() {
            return Ok(HashMap::new());
        }
        let mut reader = self.reader().await?;
        let rows = many(&mut reader, hits.iter().map(|hit| hit.place.id.0).collect()).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// The index may know less than the store: rights are looked at once more, with what is stored.
    fn may_show(&self, row: &RecordRow, object: &str) -> bool {
        row.object == object && row.merged_into.is_none() && self.caller.may(Action::Read, object, row)
    }
}
