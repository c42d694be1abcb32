//! The history of metadata versions.

use engine_model::UserId;
use engine_model::time::Timestamp;
use engine_store::definition;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::records::{Page, make_cursor, read_cursor};
use crate::session::Session;

const LIST: &[&str] = &["metadata"];

/// One change of definitions or settings.
#[derive(Debug, Clone)]
pub struct MetadataVersion {
    /// Counts from 1.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// Who made it.
    pub by: Option<UserId>,
    /// One line for people.
    pub summary: String,
    /// What changed, each `[before, after]`: `objects.deal`, `associations.deal_company`, `pipelines.deal.sales` hold
    /// what the tenant's own layer says of them; `packs.crm` holds versions.
    pub changes: Value,
}

impl Session {
    /// Metadata versions, newest first.
    pub async fn metadata_history(&mut self, limit: usize, cursor: Option<&str>) -> Result<Page<MetadataVersion>> {
        let before = cursor.map_or(Ok(i64::MAX), |cursor| read_cursor(cursor, LIST))?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut rows = definition::versions(&mut self.reader().await?, before, wanted).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| make_cursor(LIST, row.version));
        let results = rows
            .into_iter()
            .map(|row| {
                Ok(MetadataVersion {
                    version: row.version,
                    at: Timestamp(row.at),
                    by: row.actor.map(UserId),
                    summary: row.summary,
                    changes: serde_json::from_str(&row.changes).map_err(Error::internal)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Page { results, next_cursor })
    }
}
