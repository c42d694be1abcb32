//! What criteria read: whole records, whatever the caller sees of them, since a score is the tenant's and not somebody's.

use engine_model::RecordId;
use engine_model::expression::Value;
use engine_model::score::Sight;
use engine_model::time::Timestamp;
use engine_store::Reader;
use engine_store::record::{self, RecordRow};

use crate::error::{Error, Result};
use crate::records::{About, stored};
use crate::session::Session;

/// The records that a score is about, as they are stored.
#[derive(Debug, Clone)]
pub(super) struct Records {
    pub(super) subject: RecordRow,
    pub(super) counterpart: Option<RecordRow>,
}

impl Records {
    /// Reads records that were found before.
    pub(super) async fn read(reader: &mut Reader, subject: RecordId, counterpart: Option<RecordId>) -> Result<Self> {
        let ids = [Some(subject), counterpart].into_iter().flatten().map(|id| id.0).collect();
        let rows = record::many(reader, ids).await?;
        let find = |id: RecordId| rows.iter().find(|row| row.id == id.0).cloned();
        let gone = || Error::not_found("the record was taken away meanwhile");
        let counterpart = counterpart.map(|id| find(id).ok_or_else(gone)).transpose()?;
        Ok(Self { subject: find(subject).ok_or_else(gone)?, counterpart })
    }
}

impl Session {
    /// What criteria read at a moment.
    pub(super) fn score_sight(&self, records: &Records, now: Timestamp) -> Result<Sight> {
        let subject = self.whole(&records.subject, now)?;
        let counterpart = records.counterpart.as_ref().map_or(Ok(Value::Null), |row| self.whole(row, now))?;
        Ok(Sight { subject, counterpart, now, zone: self.catalog.zone() })
    }

    /// A record with all that is stored and computed of it.
    fn whole(&self, row: &RecordRow, now: Timestamp) -> Result<Value> {
        let registry = &self.catalog.effective.registry;
        let object = self.catalog.object(&row.object)?;
        let mut properties = stored::read(registry, &row.object, &row.properties)?;
        let about = About::from(row);
        if let Some(formulas) = self.catalog.live_formulas(&row.object) {
            formulas.compute_live(object, &mut properties, &self.catalog.circumstances(now, &about));
        }
        let About { created_at, updated_at, owner } = about;
        Ok(Value::of_record(&object.properties, &properties, (created_at, updated_at, owner)))
    }
}
