//! Carries an export out: reads, has the file written, and keeps its parts, all three at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine_model::query::ast::Consistency;
use engine_model::query::{Query, QueryText};
use engine_store::job_file;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::pipeline::{Ends, Input, Making, Output, Seen};
use super::plan::{Needs, Plan, Rows};
use super::request::ExportRequest;
use super::source::Records;
use crate::access::Given;
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::{Ending, Work};
use crate::query::answered;
use crate::session::Session;

/// How often a file is begun anew since definitions or rights have changed what is in it.
const ATTEMPTS: usize = 5;

/// How often it is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Rows of which it is told what was cut.
const KEPT_ERRORS: u64 = 10_000;

/// Bytes that a workbook may be put together from, for each byte that a file may have.
const SCRATCH: u64 = 4;

/// How far it has got.
#[derive(Debug, Clone, Default, Serialize)]
struct Progress {
    /// Rows that are written.
    records: u64,
    /// Rows that there will be, about.
    total: Option<u64>,
    /// Bytes of the file that are kept.
    bytes: u64,
    parts: i64,
    /// Rows of which a text was cut, since the format has no room for it.
    cut: u64,
    /// What the file is called.
    file: String,
    needs: Option<Needs>,
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadEnd {
    /// Everything is read.
    Done,
    /// Nobody takes it any more.
    Closed,
    /// The engine is closing.
    Stopped,
    /// Definitions or rights have changed what the file has.
    Moved,
}

/// Makes the file.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let ended = attempts(work).await;
    if ended.is_err() {
        // What cannot be taken away now goes when it is looked for what has had its time.
        drop(work.restart_file().await);
    }
    ended
}

async fn attempts(work: &mut Work) -> Result<Ending> {
    for _ in 0..ATTEMPTS {
        if let Some(ending) = attempt(work).await? {
            return Ok(ending);
        }
    }
    let detail = "definitions and rights kept changing what the file has; export again when they are settled";
    Err(Error::new(ErrorCode::Conflict, detail))
}

/// None where it has to be begun anew.
async fn attempt(work: &mut Work) -> Result<Option<Ending>> {
    work.restart_file().await?;
    let mut session = work.session().await?;
    check_room(work, &session).await?;
    let (request, malformed) = ExportRequest::read(&work.asked())?;
    let plan = session.plan_export(&request, malformed).await?;
    let mut reading = Reading::open(&mut session, plan, request).await?;
    let written = Arc::new(AtomicU64::new(0));
    let (make, Ends { rows, parts }) = reading.making(work, &written).begin();
    let making = work.engine.inner.tasks.spawn_blocking(make);
    let mut storing = Storing {
        session: session.clone(),
        written,
        progress: Progress {
            total: reading.total(),
            file: reading.file_name(work),
            needs: Some(reading.plan.needs.clone()),
            ..Progress::default()
        },
    };
    let (read, stored) = tokio::join!(reading.read(session, rows), storing.store(work, parts));
    let made = making.await.map_err(Error::internal)?;
    // Who breaks off first knows why; the others only notice.
    if !stored? {
        return Ok(Some(Ending::Lost));
    }
    match read? {
        ReadEnd::Stopped => return Ok(Some(Ending::Stopped)),
        ReadEnd::Moved => return Ok(None),
        ReadEnd::Done | ReadEnd::Closed => made?,
    }
    storing.progress.records = storing.written.load(Ordering::Relaxed);
    let is_held = work.save(&storing.progress).await?;
    Ok(Some(if is_held { Ending::Done } else { Ending::Lost }))
}

async fn check_room(work: &Work, session: &Session) -> Result<()> {
    let bounds = &work.engine.inner.export_bounds;
    let most = bounds.max_parts();
    if job_file::kept(&mut session.reader().await?, most).await? < most {
        return Ok(());
    }
    let detail = "the files of earlier exports take all the room that there is for them; they are gone 24 hours after \
                  they were made, so try again later";
    Err(Error::new(ErrorCode::TooLarge, detail))
}

/// Reads what the file is made of.
struct Reading {
    plan: Plan,
    request: ExportRequest,
    from: From,
}

enum From {
    Records(Records),
    Table(Option<Query>),
}

impl Reading {
    async fn open(session: &mut Session, plan: Plan, request: ExportRequest) -> Result<Self> {
        let from = match &plan.rows {
            Rows::Records { query, is_all, .. } => {
                From::Records(Records::open(session, &plan.object, query, *is_all).await?)
            }
            Rows::Table { query, .. } => From::Table(Some(query.clone())),
        };
        Ok(Self { plan, request, from })
    }

    fn total(&self) -> Option<u64> {
        match &self.from {
            From::Records(records) => records.total,
            From::Table(_) => None,
        }
    }

    fn file_name(&self, work: &Work) -> String {
        let name = self.request.source.as_ref().map(super::request::Source::file_name).unwrap_or_default();
        let moment = work.engine.now().to_rfc3339();
        let day = moment.get(..10).unwrap_or_default();
        format!("{name}-{day}.{}", self.plan.format.as_str())
    }

    fn making(&self, work: &Work, written: &Arc<AtomicU64>) -> Making {
        let bounds = &work.engine.inner.export_bounds;
        let (selected, places, groups) = match &self.plan.rows {
            Rows::Records { selected, .. } => (selected.clone(), Vec::new(), 0),
            Rows::Table { places, groups, .. } => (None, places.clone(), *groups),
        };
        Making {
            format: self.plan.format,
            object: self.plan.object.clone(),
            columns: self.plan.columns.clone(),
            selected,
            places,
            groups,
            title: self.plan.object.clone(),
            escape_formulas: self.request.escape_formulas,
            scratch_dir: bounds.scratch_dir.clone(),
            max_scratch_bytes: bounds.max_bytes.saturating_mul(SCRATCH),
            written: Arc::clone(written),
        }
    }

    async fn read(&mut self, mut session: Session, rows: mpsc::Sender<Input>) -> Result<ReadEnd> {
        let stopping = session.engine.stopping();
        let seen = |session: &Session, now| {
            let (catalog, rights) = (Arc::clone(&session.catalog), Arc::clone(&session.caller.rights));
            Arc::new(Seen { catalog, rights, now })
        };
        let now = session.now();
        let mut looked_at_by = seen(&session, now);
        if let From::Table(query) = &mut self.from {
            let Some(query) = query.take() else { return Ok(ReadEnd::Done) };
            let table = table_of(&mut session, query).await?;
            if rows.send(Input::Table(table)).await.is_err() {
                return Ok(ReadEnd::Closed);
            }
        }
        loop {
            if stopping.is_cancelled() {
                return Ok(ReadEnd::Stopped);
            }
            let From::Records(records) = &mut self.from else { break };
            let Some(page) = records.next(&session).await? else { break };
            // What was read under earlier definitions is what they say of it; what comes after goes by the newer ones.
            if rows.send(Input::Records(page, Arc::clone(&looked_at_by))).await.is_err() {
                return Ok(ReadEnd::Closed);
            }
            if session.refresh().await? {
                let plan = session.plan_export(&self.request, Vec::new()).await?;
                if plan.columns != self.plan.columns || plan.needs != self.plan.needs {
                    return Ok(ReadEnd::Moved);
                }
                looked_at_by = seen(&session, now);
            }
        }
        let is_taken = rows.send(Input::End).await.is_ok();
        Ok(if is_taken { ReadEnd::Done } else { ReadEnd::Closed })
    }
}

/// Computes a report, and writes down what sensitive values it draws together.
async fn table_of(session: &mut Session, query: Query) -> Result<crate::query::AnsweredTable> {
    let position = session.search_position(&QueryText::default()).await?;
    let view = session.snapshot_for(&query, Consistency::Strong, position).await?;
    let query = Arc::new(query);
    let answer = session.engine.ask(view, Arc::clone(&query)).await?;
    let table = answered(answer.tables, &query).into_iter().next();
    let table = table.ok_or_else(|| Error::internal("a report came to no table"))?;
    let mut given = Given::default();
    session.note_table(&table, &mut given);
    session.write_down_given(given).await?;
    Ok(table)
}

/// Keeps what comes out.
struct Storing {
    session: Session,
    written: Arc<AtomicU64>,
    progress: Progress,
}

impl Storing {
    /// Whether the job is still this worker's when there is nothing more.
    async fn store(&mut self, work: &mut Work, mut outputs: mpsc::Receiver<Output>) -> Result<bool> {
        let mut ticks = tokio::time::interval(TELL_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let output = tokio::select! {
                output = outputs.recv() => output,
                _ = ticks.tick() => {
                    self.progress.records = self.written.load(Ordering::Relaxed);
                    if !work.save(&self.progress).await? {
                        return Ok(false);
                    }
                    continue;
                }
            };
            match output {
                None => return Ok(true),
                Some(Output::Part(part)) => {
                    if !self.keep(work, part).await? {
                        return Ok(false);
                    }
                }
                Some(Output::Given(given)) => self.session.write_down_given(given).await?,
                Some(Output::Cut(mut errors)) => {
                    let room = KEPT_ERRORS.saturating_sub(self.progress.cut);
                    self.progress.cut += errors.len() as u64;
                    errors.truncate(usize::try_from(room).unwrap_or(usize::MAX));
                    work.keep_errors(errors).await?;
                }
            }
        }
    }

    async fn keep(&mut self, work: &mut Work, part: Vec<u8>) -> Result<bool> {
        let most = work.engine.inner.export_bounds.max_bytes;
        let bytes = self.progress.bytes + part.len() as u64;
        if bytes > most {
            let detail = format!(
                "the file would have more than the {most} bytes that `max_export_bytes` allows; narrow it by `filter` \
                 or `select`, or take `parquet`, which is the smallest format"
            );
            return Err(Error::new(ErrorCode::TooLarge, detail));
        }
        let is_kept = work.add_to_file(self.progress.parts, part).await?;
        self.progress.bytes = bytes;
        self.progress.parts += 1;
        Ok(is_kept)
    }
}
