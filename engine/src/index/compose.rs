//! From stored records to documents. Takes its time: not for the threads that others wait for.

use engine_model::migration::is_hidden;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, TeamId, UserId};
use engine_search::{Document, Edit, Index, RecordState};
use engine_store::record::RecordRow;

use super::notes::{Notes, PropertySet};
use crate::definitions::catalog::Catalog;
use crate::error::{Error, Result};
use crate::records::{About, stored};

/// Records that become documents before they are handed over, so that the index is at work meanwhile.
const CHUNK: usize = 64;

/// How far records were put.
#[derive(Default)]
pub(super) struct Written {
    /// How many of them.
    pub(super) done: usize,
    /// Properties of which the notes do not know, and of which there are values in the index now.
    pub(super) met: PropertySet,
    /// What stopped it: values without a definition, of which the notes do not know.
    pub(super) strays: PropertySet,
    /// When the first of them is to be put again, since a value depends on the time.
    pub(super) due: Option<Timestamp>,
}

/// What documents are made by.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) notes: &'a Notes,
    /// The moment whose values are put.
    pub(super) now: Timestamp,
}

/// Puts records into an index, until values without a definition are met that the notes do not know.
///
/// A record above `highest`, which no record in the index is above, cannot be there yet.
pub(super) fn put(index: &Index, rows: &[RecordRow], rules: Rules<'_>, highest: i64) -> Result<Written> {
    let mut written = Written::default();
    for chunk in rows.chunks(CHUNK) {
        let mut edits = Vec::with_capacity(chunk.len());
        for row in chunk {
            let mut properties = stored::read(&rules.catalog.effective.registry, &row.object, &row.properties)?;
            let due = add_live(row, &mut properties, rules);
            written.due = [written.due, due].into_iter().flatten().min();
            find_unknown(row, &properties, rules, &mut written);
            let document = document(row, &properties, due, rules);
            let is_new = row.id > highest;
            edits.push(if is_new { Edit::Add(document) } else { Edit::Put(row.record_id(), document) });
        }
        if !written.strays.is_empty() {
            return Ok(written);
        }
        index.apply(edits).map_err(Error::internal)?;
        written.done += chunk.len();
    }
    Ok(written)
}

/// Adds the values that depend on the time; until when they hold.
fn add_live(row: &RecordRow, properties: &mut Properties, rules: Rules<'_>) -> Option<Timestamp> {
    let Rules { catalog, now, .. } = rules;
    let formulas = catalog.live_formulas(&row.object)?;
    let object = catalog.effective.registry.objects.get(row.object.as_str())?;
    formulas.compute_live(object, properties, &catalog.circumstances(now, &About::from(row)))
}

fn find_unknown(row: &RecordRow, properties: &Properties, rules: Rules<'_>, written: &mut Written) {
    let Rules { catalog, notes, .. } = rules;
    let definition = catalog.effective.registry.objects.get(row.object.as_str());
    let properties = properties.keys().filter(|name| !is_hidden(name));
    for name in properties.filter(|name| !notes.knows(&row.object, name)) {
        let is_defined = definition.is_some_and(|object| object.properties.contains_key(name.as_str()));
        let unknown = if is_defined { &mut written.met } else { &mut written.strays };
        unknown.insert((row.object.clone(), name.clone()));
    }
}

fn document(row: &RecordRow, properties: &Properties, due: Option<Timestamp>, rules: Rules<'_>) -> Document {
    let definition = rules.catalog.effective.registry.objects.get(row.object.as_str());
    let former = |name| {
        let property = definition?.properties.get(name)?;
        Some((property.former()?, property.former_value(properties)?))
    };
    let former: Vec<_> = rules.notes.formerly_of(&row.object).filter_map(former).collect();
    Document::of(&RecordState {
        id: RecordId(row.id),
        uid: &row.uid.to_string(),
        object: &row.object,
        definition,
        properties,
        display_name: &row.display_name,
        owner: row.owner_id.map(UserId),
        team: row.team_id.map(TeamId),
        version: row.version,
        created_at: Timestamp(row.created_at),
        created_by: row.created_by.map(UserId),
        updated_at: Timestamp(row.updated_at),
        updated_by: row.updated_by.map(UserId),
        archived_at: row.archived_at.map(Timestamp),
        former: &former,
        due,
    })
}
