//! Records page by page: all of an object by their ids, or those that a search has found, of one state of the index.
//!
//! Which records there are is settled at the beginning, so each comes once, whatever others write meanwhile; what they
//! hold is as it is when they are read.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use engine_model::access::Action;
use engine_model::query::ast::Consistency;
use engine_model::query::{Place, Query, QueryText};
use engine_search::Limits;
use engine_store::record::{self, RecordRow};

use crate::error::{ErrorCode, Result};
use crate::index::SearchView;
use crate::session::Session;

/// Hits that one search finds: a search goes over all records that meet its conditions, so there are few of them.
const HITS: usize = 10_000;

/// What such a search may cost: nobody waits for it.
const LIMITS: Limits = Limits { time: Duration::from_secs(120), memory_bytes: 256 * 1024 * 1024 };

/// Records of a page, at most.
const MOST: usize = 2_000;

/// Records of the first page, of which nothing is known yet.
const FIRST: usize = 250;

/// Bytes that a page should hold, about.
const BYTES: usize = 4 * 1024 * 1024;

/// The records of an export.
pub(super) struct Records {
    object: String,
    way: Way,
    /// Records of the next page.
    many: usize,
    /// How many there are to go through; none where that is not known.
    pub(super) total: Option<u64>,
}

enum Way {
    /// In the order of their ids, up to the last that there was.
    All {
        after: i64,
        last: i64,
    },
    Found(Box<Found>),
}

struct Found {
    view: SearchView,
    query: Query,
    ids: VecDeque<i64>,
    is_last: bool,
}

impl Records {
    pub(super) async fn open(session: &mut Session, object: &str, query: &Query, is_all: bool) -> Result<Self> {
        let text = QueryText::default();
        let position = session.search_position(&text).await?;
        let counted = Query { limit: 0, count: true, ..query.clone() };
        let snapshot = session.snapshot_for(query, Consistency::Strong, position).await;
        if is_all {
            let last = session.reader().await?.head().await?.last_record_id;
            session.settle_rollups(object).await?;
            let total = match snapshot {
                Ok(view) => count(session, view, counted).await?,
                // The walk needs no index.
                Err(error) if error.code == ErrorCode::Unavailable => None,
                Err(error) => return Err(error),
            };
            return Ok(Self { object: object.to_owned(), way: Way::All { after: 0, last }, many: FIRST, total });
        }
        let view = snapshot?;
        let total = count(session, view.clone(), counted).await?;
        let query = Query { limit: HITS, count: false, after: None, ..query.clone() };
        let way = Way::Found(Box::new(Found { view, query, ids: VecDeque::new(), is_last: false }));
        Ok(Self { object: object.to_owned(), way, many: FIRST, total })
    }

    /// The next records, as far as the caller may see them; none after the last.
    pub(super) async fn next(&mut self, session: &Session) -> Result<Option<Vec<RecordRow>>> {
        let rows = match &mut self.way {
            Way::All { after, last } => {
                let limit = i64::try_from(self.many).unwrap_or(i64::MAX);
                let mut rows = record::list(&mut session.reader().await?, &self.object, false, *after, limit).await?;
                rows.retain(|row| row.id <= *last);
                let Some(end) = rows.last() else { return Ok(None) };
                *after = end.id;
                rows
            }
            Way::Found(found) => {
                let ids = found.ids(session, self.many).await?;
                if ids.is_empty() {
                    return Ok(None);
                }
                in_order(record::many(&mut session.reader().await?, ids.clone()).await?, &ids)
            }
        };
        self.adapt(&rows);
        let is_seen = |row: &RecordRow| {
            row.object == self.object
                && row.archived_at.is_none()
                && row.merged_into.is_none()
                && session.caller.may(Action::Read, &self.object, row)
        };
        Ok(Some(rows.into_iter().filter(is_seen).collect()))
    }

    /// Pages of long records have few of them.
    fn adapt(&mut self, rows: &[RecordRow]) {
        let bytes: usize = rows.iter().map(|row| row.properties.len() + size_of::<RecordRow>()).sum();
        if !rows.is_empty() {
            let fitting = BYTES / (bytes / rows.len()).max(1);
            self.many = fitting.clamp(1, MOST).min(self.many.saturating_mul(4));
        }
    }
}

impl Found {
    /// The ids of the next records; none after the last.
    async fn ids(&mut self, session: &Session, many: usize) -> Result<Vec<i64>> {
        if self.ids.is_empty() && !self.is_last {
            let query = Arc::new(self.query.clone());
            let answer = session.engine.ask_within(self.view.clone(), query, LIMITS).await?;
            self.is_last = !answer.has_more;
            let end: Option<Place> = answer.hits.last().map(|hit| hit.place.clone());
            self.query.after = end;
            self.ids.extend(answer.hits.iter().map(|hit| hit.place.id.0));
        }
        Ok(self.ids.drain(..many.min(self.ids.len())).collect())
    }
}

/// How many records there are; none where it would cost too much to say.
async fn count(session: &Session, view: SearchView, query: Query) -> Result<Option<u64>> {
    match session.engine.ask(view, Arc::new(query)).await {
        Ok(answer) => Ok(answer.total),
        Err(error) if error.code == ErrorCode::ValidationFailed => Ok(None),
        Err(error) => Err(error),
    }
}

/// The rows in the order of the ids; those that are gone are left out.
fn in_order(rows: Vec<RecordRow>, ids: &[i64]) -> Vec<RecordRow> {
    let mut by_id: HashMap<i64, RecordRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    ids.iter().filter_map(|id| by_id.remove(id)).collect()
}
