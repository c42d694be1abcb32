//! Whose entries are kept: compared with what definitions say whenever a timeline is asked for, so that a definition
//! that is declared later has the entries that are there already.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use engine_model::registry::Registry;
use engine_model::time::{Timestamp, start_of_day};
use engine_model::{Sequence, TenantId};
use engine_store::change;
use engine_store::record::{self, RecordRow};
use engine_store::timeline::{self, SourceRow};
use tokio::time::Instant;

use super::FOLLOWER;
use super::feed::{Timelines, times};
use crate::definitions::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};
use crate::followers::{Follower, catch_up};
use crate::records::stored;
use crate::session::Session;

/// Entries that are put on timelines at a time.
const CHUNK: i64 = 500;

/// How long a reader waits until everything is taken over that was acknowledged before.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits, and works, until the entries that were there before are in.
const FILLING: Duration = Duration::from_secs(20);

impl Session {
    /// Waits until timelines show everything up to a position.
    pub(super) async fn await_timelines(&self, at_least: Sequence) -> Result<()> {
        let tenant = self.tenant();
        let is_complete = self.declare_sources().await?;
        let timelines: Arc<dyn Follower> = Arc::new(Timelines::new(&self.engine));
        let reached = catch_up(&self.engine, &timelines, tenant, at_least, Instant::now() + PATIENCE).await?;
        if reached < at_least {
            return Err(not_yet("timelines are behind the change log; try again shortly"));
        }
        let deadline = Instant::now() + FILLING;
        while !is_complete && self.fill_sources().await? {
            if Instant::now() >= deadline {
                return Err(not_yet("timelines are being drawn up for the first time; try again shortly"));
            }
        }
        Ok(())
    }

    /// Has the sources kept that definitions declare; whether all that was there before is in.
    async fn declare_sources(&self) -> Result<bool> {
        let declared = declared(&self.catalog.effective.registry);
        let mut reader = self.reader().await?;
        let kept = timeline::sources(&mut reader).await?;
        if declared.iter().all(|source| is_kept(source, &kept)) {
            return Ok(kept.iter().all(|source| source.filled_to.is_none()));
        }
        drop(reader);
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        // What happens from here on is followed; what has happened is drawn from the records as they are.
        let position = tx.head.sequence();
        change::start_following(&mut tx, FOLLOWER, position, self.now()).await?;
        timeline::lock(&mut tx, FOLLOWER).await?;
        let kept = timeline::sources(tx.reader()).await?;
        for source in declared.iter().filter(|source| !is_kept(source, &kept)) {
            timeline::save_source(&mut tx, source).await?;
        }
        tx.commit().await?;
        Ok(false)
    }

    /// Puts the next entries of a source that is not complete on timelines; false where all are.
    async fn fill_sources(&self) -> Result<bool> {
        let kept = timeline::sources(&mut self.reader().await?).await?;
        let Some(next) = kept.into_iter().find(|source| source.filled_to.is_some()) else { return Ok(false) };
        fill(self, self.tenant(), &next.association).await?;
        Ok(true)
    }
}

async fn fill(session: &Session, tenant: TenantId, association: &str) -> Result<()> {
    let mut tx = timeline::keep(session.engine.store(), tenant, FOLLOWER).await?;
    let kept = timeline::sources(tx.reader()).await?;
    let source = kept.iter().find(|source| source.association == association);
    let Some((source, after)) = source.and_then(|source| Some((source, source.filled_to?))) else { return Ok(()) };
    let rows = record::list(tx.reader(), &source.object, false, after, CHUNK).await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        entries.extend(times(row, &kept, &session.catalog)?);
    }
    timeline::take(&mut tx, rows.iter().map(|row| row.id).collect()).await?;
    timeline::put(&mut tx, &entries).await?;
    let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < CHUNK);
    let filled_to = rows.last().map(|row| row.id).filter(|_| !is_last);
    timeline::save_source(&mut tx, &SourceRow { filled_to, ..source.clone() }).await?;
    tx.commit().await?;
    Ok(())
}

/// Whose entries definitions say are to be kept, from the first on.
fn declared(registry: &Registry) -> Vec<SourceRow> {
    let objects = registry.objects.values().filter(|object| !object.archived);
    let source = |object: &engine_model::object::ObjectDefinition| {
        let entry = object.entry.as_ref()?;
        registry.associations.get(&entry.about).filter(|association| !association.archived)?;
        Some(SourceRow {
            association: entry.about.to_string(),
            object: object.name.to_string(),
            at_property: object.entry_time().map(|property| property.name.to_string()),
            filled_to: Some(0),
        })
    };
    objects.filter_map(source).collect()
}

fn is_kept(source: &SourceRow, kept: &[SourceRow]) -> bool {
    kept.iter().any(|kept| SourceRow { filled_to: source.filled_to, ..kept.clone() } == *source)
}

/// When an entry happened, in microseconds since 1970; a day is its beginning where the tenant is.
pub(super) fn time_of(row: &RecordRow, source: &SourceRow, catalog: &Catalog) -> Result<i64> {
    let Some(property) = &source.at_property else { return Ok(row.created_at) };
    let properties = stored::read(&catalog.effective.registry, &row.object, &row.properties)?;
    let text = properties.get(property.as_str()).and_then(|value| value.as_str());
    let moment = text.and_then(|text| {
        let day = || text.parse::<NaiveDate>().ok().map(|day| start_of_day(catalog.zone(), day));
        Timestamp::parse(text).or_else(day)
    });
    Ok(moment.map_or(row.created_at, |moment| moment.0))
}

fn not_yet(detail: &str) -> Error {
    Error::new(ErrorCode::Unavailable, detail)
}
