//! Looks at all records of a list's object: those that differ from who is in it are looked at again, a thousand at a
//! time, on an index that is no older than what the follower knows.
//!
//! Only who differs is held in memory, and one bit for each record; it can be stopped and done again at any time.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use engine_model::query::Filter;
use engine_model::time::Timestamp;
use engine_model::{RecordId, TenantId};
use engine_search::{Limits, RecordSet, SearchError};
use engine_store::counter;
use engine_store::list::{self, ListRow, Upkeep};
use tokio::time::Instant;

use super::ask::Question;
use super::compiled::{Asked, BROKEN};
use super::list::ListState;
use super::settle::Basis;
use super::{EPOCH, FOLLOWER};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// Records that differ and are settled in one commit.
const AT_A_TIME: usize = 1_000;

/// Members that are read at a time, and how many of such pages make a step.
const MEMBERS: i64 = 10_000;
const PAGES: usize = 10;

/// How often it is tried again where something is changed meanwhile.
const ATTEMPTS: usize = 32;

/// How long somebody has a list to himself unless he says that he goes on.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// How often lists are looked at whose members change while nothing is written, at most.
const EVERY: Duration = Duration::from_secs(60);

/// Such a look takes at most one part of so many of the time.
const SHARE: u32 = 30;

/// A list that is looked at as a whole.
struct Look {
    session: Session,
    id: i64,
    /// Until when it is in these hands.
    lease: i64,
    began: Instant,
    /// The moment that it asks about.
    asked_at: Timestamp,
}

/// What a step has come to.
enum Stepped {
    Done,
    /// The list is another now, or in other hands.
    Other,
}

/// Looks at all records of a list that is held until `lease`.
pub(super) async fn look_at_all(engine: &Engine, tenant: TenantId, id: i64, lease: i64) -> Result<()> {
    let session = engine.session_of_engine(tenant, FOLLOWER).await?;
    let asked_at = session.now();
    let mut look = Look { session, id, lease, began: Instant::now(), asked_at };
    for _ in 0..ATTEMPTS {
        if let Stepped::Done = look.attempt().await? {
            return Ok(());
        }
    }
    Err(Error::new(ErrorCode::Unavailable, "a list keeps being changed"))
}

impl Look {
    async fn attempt(&mut self) -> Result<Stepped> {
        self.session.refresh().await?;
        let mut reader = self.session.reader().await?;
        let epoch = counter::last(&mut reader, EPOCH).await?;
        let row = list::get(&mut reader, self.id).await?;
        let Some(row) = row.filter(|row| row.due_at == Some(self.lease)) else { return Ok(Stepped::Done) };
        let Some(asked) = self.session.asked(&mut reader, row.clone()).await? else { return Ok(Stepped::Done) };
        self.asked_at = self.session.now();
        let filter = self.session.asked_now(&mut reader, &asked).await?;
        drop(reader);
        let Some(filter) = filter else {
            if row.shape != BROKEN {
                let tenant = self.session.tenant();
                tracing::warn!(
                    tenant.id = %tenant, list.id = self.id,
                    "a list asks for something that is not there any more; its members stay as they are"
                );
            }
            return self.finish(epoch, &asked, None).await;
        };
        if self.is_known(&row, &asked, &filter).await {
            return self.finish(epoch, &asked, Some(&filter)).await;
        }
        let set = self.matching(&asked, &filter).await?;
        let mut cursor = if asked.is_new { row.filled_to.unwrap_or(0) } else { 0 };
        loop {
            if self.session.engine.stopping().is_cancelled() {
                return Err(Error::new(ErrorCode::Unavailable, "the server is closing"));
            }
            let suspects = self.suspects(&set, cursor).await?;
            cursor = suspects.to;
            let stepped = match suspects.records.is_empty() {
                true => self.renew().await?,
                false => self.settle(epoch, &row, &asked, &filter, suspects.records, cursor).await?,
            };
            if let Stepped::Other = stepped {
                return Ok(Stepped::Other);
            }
            if suspects.is_last {
                return self.finish(epoch, &asked, Some(&filter)).await;
            }
        }
    }

    /// Nothing can be otherwise than when all records were looked at last: what it asks is the same.
    async fn is_known(&self, row: &ListRow, asked: &Asked, filter: &Filter) -> bool {
        if !asked.statics.is_empty() {
            return false;
        }
        let known = self.session.engine.inner.lists.asked.get(&self.key()).await;
        row.state == ListState::Current.as_str() && !asked.is_live && known == Some(fingerprint(row.version, filter))
    }

    fn key(&self) -> (TenantId, i64) {
        (self.session.tenant(), self.id)
    }

    async fn matching(&self, asked: &Asked, filter: &Filter) -> Result<RecordSet> {
        let (engine, tenant) = (&self.session.engine, self.session.tenant());
        let at_least = self.session.position().await?;
        let fresh_at = asked.is_live.then(|| self.session.now());
        let view = engine.list_view(tenant, at_least, fresh_at).await?;
        view.check_filled(filter.fields())?;
        let (object, filter) = (asked.object.clone(), filter.clone());
        let found = engine.inner.tasks.spawn_blocking(move || view.matching(&object, &filter, Limits::default()));
        match found.await.map_err(Error::internal)? {
            Ok(found) => Ok(found),
            Err(SearchError::TooCostly(reason)) => Err(Error::invalid_at("/filter", "too_costly", reason)),
            Err(error) => {
                engine.inner.indexes.suspect(tenant);
                Err(Error::internal(error))
            }
        }
    }

    /// The next records that are in the list and not in the set, or the other way round.
    async fn suspects(&self, set: &RecordSet, after: i64) -> Result<Suspects> {
        let mut reader = self.session.reader().await?;
        let (mut records, mut after) = (BTreeSet::new(), after);
        for _ in 0..PAGES {
            let page = list::ids(&mut reader, self.id, after, MEMBERS).await?;
            let is_last = i64::try_from(page.len()).is_ok_and(|count| count < MEMBERS);
            let until = page.last().copied().filter(|_| !is_last).unwrap_or(i64::MAX);
            if !differences(&page, set, (after, until), &mut records) {
                let to = records.last().copied().unwrap_or(after);
                return Ok(Suspects { records, to, is_last: false });
            }
            after = until;
            if is_last {
                return Ok(Suspects { records, to: after, is_last });
            }
        }
        Ok(Suspects { records, to: after, is_last: false })
    }

    async fn settle(
        &mut self,
        epoch: i64,
        row: &ListRow,
        asked: &Asked,
        filter: &Filter,
        records: BTreeSet<i64>,
        to: i64,
    ) -> Result<Stepped> {
        let (engine, tenant) = (self.session.engine.clone(), self.session.tenant());
        let records = Arc::new(records);
        for _ in 0..ATTEMPTS {
            let at_least = self.session.position().await?;
            let fresh_at = asked.is_live.then(|| self.session.now());
            let view = engine.list_view(tenant, at_least, fresh_at).await?;
            let basis = Basis::Index(view.sequence());
            let question = Question {
                list: self.id,
                object: asked.object.clone(),
                filter: filter.clone(),
                records: Arc::clone(&records),
                is_new: asked.is_new,
            };
            let (found, costly) = self.session.ask_lists(&view, vec![question]).await?;
            if let Some((_, reason)) = costly.into_iter().next() {
                return Err(Error::invalid_at("/filter", "too_costly", reason));
            }
            let lease = self.next_lease();
            let upkeep = Upkeep {
                state: ListState::Filling.as_str(),
                shape: row.shape.clone(),
                filled_to: row.fill_until.map(|_| to),
                fill_until: row.fill_until,
                due_at: Some(lease),
            };
            let upkeep = Some((self.id, self.lease, upkeep));
            if self.session.settle_lists(epoch, basis, &found, None, upkeep).await? {
                self.lease = lease;
                return Ok(Stepped::Done);
            }
            let mut reader = self.session.reader().await?;
            let is_same = counter::last(&mut reader, EPOCH).await? == epoch
                && list::get(&mut reader, self.id).await?.is_some_and(|row| row.due_at == Some(self.lease));
            if !is_same {
                return Ok(Stepped::Other);
            }
        }
        Ok(Stepped::Other)
    }

    fn next_lease(&self) -> i64 {
        self.session.now().after(LEASE).0.max(self.lease + 1)
    }

    async fn renew(&mut self) -> Result<Stepped> {
        let (lease, tenant) = (self.next_lease(), self.session.tenant());
        let is_held = list::claim(self.session.engine.store(), tenant, self.id, self.lease, Timestamp(lease)).await?;
        if !is_held {
            return Ok(Stepped::Other);
        }
        self.lease = lease;
        Ok(Stepped::Done)
    }

    /// All records have been looked at.
    async fn finish(&mut self, epoch: i64, asked: &Asked, filter: Option<&Filter>) -> Result<Stepped> {
        let mut tx = self.session.engine.store().begin(self.session.tenant()).await?;
        let row = list::get(tx.reader(), self.id).await?;
        let is_same =
            counter::last(tx.reader(), EPOCH).await? == epoch && row.is_some_and(|row| row.due_at == Some(self.lease));
        if !is_same {
            return Ok(Stepped::Other);
        }
        let pause = (self.began.elapsed() * SHARE).max(EVERY);
        let upkeep = Upkeep {
            state: ListState::Current.as_str(),
            shape: asked.shape.clone(),
            filled_to: None,
            fill_until: None,
            due_at: asked.is_timed.then(|| self.asked_at.after(pause).0),
        };
        list::save_upkeep(&mut tx, self.id, &upkeep).await?;
        tx.commit().await?;
        let known = &self.session.engine.inner.lists;
        if let Some(filter) = filter.filter(|_| asked.statics.is_empty()) {
            known.asked.insert(self.key(), fingerprint(asked.version, filter)).await;
        }
        known.looked.send_replace(());
        Ok(Stepped::Done)
    }
}

/// Records to look at again.
struct Suspects {
    records: BTreeSet<i64>,
    /// All up to this one are found.
    to: i64,
    /// There are no others.
    is_last: bool,
}

/// Adds the records within a range of ids, its beginning left out, that only the page or only the set has; false where
/// there are more than are settled at a time.
fn differences(page: &[i64], set: &RecordSet, (after, until): (i64, i64), found: &mut BTreeSet<i64>) -> bool {
    let mut members = page.iter().copied().peekable();
    let mut wanted = set.after(RecordId(after)).map(|record| record.0).take_while(|id| *id <= until).peekable();
    while found.len() < AT_A_TIME {
        match (members.peek().copied(), wanted.peek().copied()) {
            (None, None) => return true,
            (Some(member), Some(meets)) if member == meets => {
                members.next();
                wanted.next();
            }
            (Some(member), meets) if meets.is_none_or(|meets| member < meets) => {
                found.insert(member);
                members.next();
            }
            (_, Some(meets)) => {
                found.insert(meets);
                wanted.next();
            }
            (Some(_), None) => return true,
        }
    }
    false
}

fn fingerprint(version: i64, filter: &Filter) -> u64 {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    format!("{filter:?}").hash(&mut hasher);
    hasher.finish()
}
