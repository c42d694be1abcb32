//! Runs an import: chunk by chunk, from wherever an earlier run got to.
//!
//! After each chunk the progress is kept. A chunk that happened without that, because the process ended in between,
//! happens once more: by the key it changes nothing, and without a key a claim keeps it from making records twice.

use std::sync::Arc;

use engine_model::JobId;
use engine_store::commit::UniqueValue;
use serde_json::Value;

use super::bind::{Bound, bind};
use super::chunk::{How, carry_out};
use super::layout::{self, Layout};
use super::lookup::Users;
use super::map::ColumnMap;
use super::outcome::Outcome;
use super::progress::{KEPT_ERRORS, Place, Progress, SHOWN, SHOWN_BY_DRY_RUN};
use super::row::{self, Given, RowDraft};
use super::rows::{Chunk, Rows, unreadable};
use super::seen::{Known, Seen};
use super::spec::{Format, Spec};
use super::split::Splitter;
use super::{line, users};
use crate::definitions::catalog::Catalog;
use crate::error::{Error, Result};
use crate::jobs::{Ending, Work};
use crate::records::unique_value;
use crate::session::Session;

/// How many rows are carried out at a time.
const CHUNK_ROWS: usize = 500;

/// Runs an import from where it stands.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let spec: Spec = work.spec()?;
    let mut progress: Progress = work.progress()?;
    let session = work.session().await?;
    let map = spec.map.as_deref().map_or_else(|| Ok(ColumnMap::default()), ColumnMap::read).map_err(Error::invalid)?;
    let mut run = Run::new(session, spec, map)?;
    let mut rows = run.open(work, &progress).await?;
    while let Some(chunk) = rows.next(CHUNK_ROWS).await? {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        run.refresh().await?;
        let mut outcome = run.chunk(&chunk, progress.place(), work.id).await?;
        let room = KEPT_ERRORS.saturating_sub(progress.failed);
        outcome.errors.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        let shown = if run.spec.dry_run { SHOWN_BY_DRY_RUN } else { SHOWN };
        let more = shown.saturating_sub(progress.problems.len());
        progress.problems.extend(outcome.errors.iter().take(more).cloned());
        work.keep_errors(outcome.errors).await?;
        progress.advance(chunk.end, outcome.counts);
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
    }
    progress.advance(rows.place(), Default::default());
    let is_held = work.save(&progress).await?;
    Ok(if is_held { Ending::Done } else { Ending::Lost })
}

/// An import that is under way.
struct Run {
    session: Session,
    spec: Spec,
    map: ColumnMap,
    /// The definitions that rows are fitted to: the tenant's, or those of users.
    catalog: Arc<Catalog>,
    is_of_users: bool,
    bound: Bound,
    header: Vec<String>,
    layout: Layout,
    users: Users,
    /// Keys that came so far, where that matters.
    seen: Option<Seen>,
}

impl Run {
    fn new(session: Session, spec: Spec, map: ColumnMap) -> Result<Self> {
        let is_of_users = is_of_users(&session, &spec.object);
        let catalog = catalog_for(&session, &spec.object)?;
        let bound = bind(&map, &catalog, &spec.object, &session.caller.rights).map_err(Error::invalid)?;
        let seen = (map.distinct || spec.dry_run).then(Seen::default);
        Ok(Self {
            session,
            spec,
            map,
            catalog,
            is_of_users,
            bound,
            header: Vec::new(),
            layout: Layout::default(),
            users: Users::default(),
            seen,
        })
    }

    /// The rows behind the header, from where an earlier run got to.
    async fn open(&mut self, work: &Work, progress: &Progress) -> Result<Rows> {
        let store = work.engine.store().clone();
        let (tenant, job, total) = (work.tenant, work.id, progress.total_bytes);
        let splitter = || match self.spec.format {
            Format::Csv => Splitter::csv(self.delimiter()),
            Format::Ndjson => Splitter::lines(),
        };
        let mut rows = Rows::open(&store, tenant, job, total, splitter()).await?;
        let resumed = splitter();
        if self.spec.format == Format::Csv {
            let Some(header) = rows.next(1).await? else {
                return Err(unreadable("the file is empty; a CSV file begins with its header".to_owned()));
            };
            let names = self.cells(&header)?.into_iter().next().unwrap_or_default();
            self.header = names.iter().map(|name| name.trim().to_owned()).collect();
            rows.restart_numbers();
        }
        self.fit()?;
        if progress.bytes == 0 {
            return Ok(rows);
        }
        self.recall(&mut rows, progress.place()).await?;
        Rows::resume(&store, tenant, job, total, resumed, progress.place()).await
    }

    /// Notes the keys of rows that an earlier run has dealt with.
    async fn recall(&mut self, rows: &mut Rows, until: Place) -> Result<()> {
        while self.seen.is_some() && rows.place().offset < until.offset {
            let left = usize::try_from(until.rows.saturating_sub(rows.place().rows))
                .unwrap_or(CHUNK_ROWS)
                .clamp(1, CHUNK_ROWS);
            let before = rows.place().rows;
            let Some(chunk) = rows.next(left).await? else { break };
            for draft in self.drafts(&chunk, before)? {
                self.note(&draft)?;
            }
        }
        Ok(())
    }

    /// Takes over newer definitions and rights.
    async fn refresh(&mut self) -> Result<()> {
        self.session.refresh().await?;
        if self.catalog.version != self.session.catalog.version {
            self.catalog = catalog_for(&self.session, &self.spec.object)?;
            self.bound = bind(&self.map, &self.catalog, &self.spec.object, &self.session.caller.rights)
                .map_err(Error::invalid)?;
            self.fit()?;
        }
        let known = std::mem::take(&mut self.users);
        self.users = Users::load(&self.session, Some(known)).await?;
        Ok(())
    }

    fn fit(&mut self) -> Result<()> {
        self.layout = match self.spec.format {
            Format::Csv => {
                layout::of_header(&self.map, &self.bound, &self.catalog, &self.header).map_err(Error::invalid)?
            }
            Format::Ndjson => layout::of_map(&self.map, &self.bound),
        };
        Ok(())
    }

    async fn chunk(&mut self, chunk: &Chunk, from: Place, job: JobId) -> Result<Outcome> {
        let drafts = self.drafts(chunk, from.rows)?;
        let mut wanted = Vec::with_capacity(drafts.len());
        for mut draft in drafts {
            draft.came_again = self.note(&draft)?;
            if !(draft.came_again && self.map.distinct) {
                wanted.push(draft);
            }
        }
        let passed_over = chunk.len() - wanted.len();
        let mut outcome = self.carry_out(wanted, from, job).await?;
        outcome.counts.skipped += passed_over as u64;
        Ok(outcome)
    }

    async fn carry_out(&mut self, drafts: Vec<RowDraft>, from: Place, job: JobId) -> Result<Outcome> {
        if self.is_of_users {
            let is_rehearsal = self.spec.dry_run;
            return users::carry_out(
                &mut self.session,
                &self.bound,
                &self.layout,
                &mut self.users,
                drafts,
                is_rehearsal,
            )
            .await;
        }
        // No header can carry a line feed, so that no caller's own key is like this one.
        let claim = format!("job\n{job}\n{}", from.offset);
        let how = match &self.seen {
            Some(seen) if self.spec.dry_run => How::Rehearse(seen),
            _ => How::Write { claim: self.bound.key.is_none().then_some(&claim) },
        };
        carry_out(&mut self.session, &self.bound, &self.layout, &self.users, drafts, how).await
    }

    /// Notes a row's key; whether it came before.
    fn note(&mut self, draft: &RowDraft) -> Result<bool> {
        let Some(key) = self.key_of(draft) else { return Ok(false) };
        let Some(seen) = &mut self.seen else { return Ok(false) };
        match seen.note(&key) {
            Known::First => Ok(false),
            Known::Again => Ok(true),
            Known::Full if self.map.distinct => {
                Err(unreadable("`distinct` works for up to 2 million different keys; split the file".to_owned()))
            }
            Known::Full => Ok(false),
        }
    }

    fn key_of(&self, draft: &RowDraft) -> Option<UniqueValue> {
        let name = self.bound.key.as_deref()?;
        let object = self.catalog.object(&self.bound.object).ok()?;
        let value: Value = serde_json::from_str(draft.value(name)?.get()).ok()?;
        unique_value(&self.catalog.locale, object, name, &value)
    }

    /// Reads the rows of a chunk, the first of which has the number after `before`, but for those to be passed over.
    fn drafts(&self, chunk: &Chunk, before: u64) -> Result<Vec<RowDraft>> {
        let mut drafts = Vec::with_capacity(chunk.len());
        let cells = if self.spec.format == Format::Csv { self.cells(chunk)? } else { Vec::new() };
        for (index, (line_number, text)) in chunk.rows().enumerate() {
            let number = before + index as u64 + 1;
            let mut draft = RowDraft::new(i64::try_from(number).unwrap_or(i64::MAX), line_number);
            let is_wanted = match self.spec.format {
                Format::Csv => self.read_cells(cells.get(index).map(Vec::as_slice).unwrap_or_default(), &mut draft),
                Format::Ndjson => line::read(&self.map, &self.bound, &self.layout, &self.catalog, text, &mut draft),
            };
            if is_wanted {
                drafts.push(draft);
            }
        }
        Ok(drafts)
    }

    fn read_cells(&self, cells: &[String], draft: &mut RowDraft) -> bool {
        if cells.len() != self.header.len() {
            let message = format!("the row has {} cells and the header {}", cells.len(), self.header.len());
            draft.problem(None, "", "cell_count", message);
            return true;
        }
        let given: Vec<Given<'_>> = cells.iter().map(|cell| Given::Text(cell)).collect();
        row::read(&self.map, &self.bound, &self.layout, &given, draft)
    }

    /// The cells of each row of CSV.
    fn cells(&self, chunk: &Chunk) -> Result<Vec<Vec<String>>> {
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(self.delimiter());
        let mut reader = reader.from_reader(chunk.text().as_bytes());
        let rows = reader.records().map(|row| Ok(row.map_err(Error::internal)?.iter().map(str::to_owned).collect()));
        let rows: Vec<Vec<String>> = rows.collect::<Result<_>>()?;
        if rows.len() == chunk.len() { Ok(rows) } else { Err(Error::internal("rows were split in two ways")) }
    }

    fn delimiter(&self) -> u8 {
        self.map.delimiter.unwrap_or(b',')
    }
}

/// Rows become users, unless the tenant has an object of that name.
pub(super) fn is_of_users(session: &Session, object: &str) -> bool {
    object == users::OBJECT && session.catalog.object(object).is_err()
}

/// The definitions that an import into `object` is fitted to.
pub(super) fn catalog_for(session: &Session, object: &str) -> Result<Arc<Catalog>> {
    if is_of_users(session, object) { users::catalog(session).map(Arc::new) } else { Ok(Arc::clone(&session.catalog)) }
}

#[cfg(test)]
mod tests;
