//! Putting records into static lists, and taking them out.

use std::collections::{BTreeMap, BTreeSet};

use engine_model::change::ChangeKind;
use engine_model::{Problem, Problems, RecordId};
use engine_store::list::{self, ListRow, Mark, MembershipRow};
use engine_store::{Tx, change, record};
use serde_json::Value;

use super::input::MemberChange;
use super::settle::entry;
use super::{MAX_STATIC, MembersReply};
use crate::error::{Error, ErrorCode, Result};
use crate::records::{Record, Target, View, Written};
use crate::session::Session;

/// What putting records into a list and taking them out has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembersChanged {
    /// Records that are members now and were not before.
    pub added: usize,
    /// Records that were members and are none any more.
    pub removed: usize,
}

impl Session {
    /// Puts a record into a static list; nothing happens where it is a member already.
    pub async fn list_put(&mut self, id: &str, target: &Target) -> Result<Written<()>> {
        let record = self.record_for_list(id, target).await?;
        if record.archived_at.is_some() {
            let detail = "the record is archived; restore it before you put it into a list";
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        let written = self.change_members(id, &[record.id], &[], None).await?;
        Ok(Written { value: (), sequence: written.sequence })
    }

    /// Takes a record out of a static list; nothing happens where it is no member.
    pub async fn list_take(&mut self, id: &str, target: &Target) -> Result<Written<()>> {
        let record = self.record_for_list(id, target).await?;
        let written = self.change_members(id, &[], &[record.id], None).await?;
        Ok(Written { value: (), sequence: written.sequence })
    }

    async fn record_for_list(&mut self, id: &str, target: &Target) -> Result<Record> {
        self.refresh().await?;
        let row = self.static_list(&mut self.reader().await?, id).await?;
        Ok(self.record_found(&row.object, target, &View::default()).await?.record)
    }

    /// Puts records into a static list and takes others out, all of them or none.
    pub async fn list_members_change(
        &mut self,
        id: &str,
        wanted: MemberChange,
        reply: Option<MembersReply>,
    ) -> Result<Written<MembersChanged>> {
        self.refresh().await?;
        let row = self.static_list(&mut self.reader().await?, id).await?;
        let mut problems = Problems::new();
        let add = self.named_records(&row.object, "/add", &wanted.add, &mut problems).await?;
        let remove = self.named_records(&row.object, "/remove", &wanted.remove, &mut problems).await?;
        for (index, record) in add.iter().enumerate() {
            let Some(record) = record else { continue };
            if record.archived_at.is_some() {
                let message = "the record is archived; restore it before you put it into a list";
                problems.push(Problem::new(format!("/add/{index}"), "archived", message));
            }
            if remove.iter().flatten().any(|other| other.id == record.id) {
                let message = "the record is to be put in and to be taken out";
                problems.push(Problem::new(format!("/add/{index}"), "not_applicable", message));
            }
        }
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let ids = |records: Vec<Option<Record>>| records.into_iter().flatten().map(|record| record.id);
        let (add, remove): (Vec<_>, Vec<_>) = (ids(add).collect(), ids(remove).collect());
        self.change_members(id, &add, &remove, reply).await
    }

    async fn named_records(
        &mut self,
        object: &str,
        at: &str,
        named: &[Value],
        problems: &mut Problems,
    ) -> Result<Vec<Option<Record>>> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let targets: Vec<Target> = named.iter().map(|value| Target::id(text(value))).collect();
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        // Nothing of them is given, so there is nothing to write down.
        let view = View { select: Some(Vec::new()), ..View::default() };
        let found = self.record_read_many(object, &targets, &view).await?;
        let mut records = Vec::with_capacity(found.len());
        for (index, found) in found.into_iter().enumerate() {
            match found {
                Ok(record) => records.push(Some(record)),
                Err(error) if error.code == ErrorCode::NotFound => {
                    problems.push(Problem::new(format!("{at}/{index}"), "not_found", error.detail));
                    records.push(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }

    /// A list whose members the caller may put.
    async fn static_list(&self, reader: &mut engine_store::Reader, id: &str) -> Result<ListRow> {
        let row = self.own_list(reader, id).await?;
        if row.filter.is_some() {
            let detail = format!(
                "the members of list {} are the records that meet its filter; change the filter, or make a list without \
                 one to put members by hand",
                row.id
            );
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        Ok(row)
    }

    async fn change_members(
        &self,
        id: &str,
        add: &[RecordId],
        remove: &[RecordId],
        reply: Option<MembersReply>,
    ) -> Result<Written<MembersChanged>> {
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        let row = self.static_list(tx.reader(), id).await?;
        let (add, remove): (BTreeSet<i64>, BTreeSet<i64>) =
            (add.iter().map(|id| id.0).collect(), remove.iter().map(|id| id.0).collect());
        let rows = list::memberships_in(tx.reader(), row.id, add.union(&remove).copied().collect()).await?;
        let known: BTreeMap<i64, MembershipRow> = rows.into_iter().map(|found| (found.record_id, found)).collect();
        let active = self.active(&mut tx, &row, &add).await?;
        let is_member = |record: &i64| known.get(record).is_some_and(|found| found.is_away == 0);
        let joining: Vec<i64> = active.into_iter().filter(|record| !is_member(record)).collect();
        let leaving: Vec<i64> = remove.iter().copied().filter(is_member).collect();
        let gone: Vec<(i64, i64)> =
            remove.iter().filter(|record| known.contains_key(record)).map(|record| (row.id, *record)).collect();
        let changed = MembersChanged { added: joining.len(), removed: leaving.len() };
        let more = count_of(joining.len()) - count_of(leaving.len());
        if row.members.saturating_add(more) > MAX_STATIC {
            let detail = format!("a list has at most {MAX_STATIC} members that are put by hand");
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        let mark = |record: &i64| Mark { list_id: row.id, record_id: *record, is_away: false };
        list::add(&mut tx, &joining.iter().map(mark).collect::<Vec<_>>(), self.now().0).await?;
        list::remove(&mut tx, &gone).await?;
        if !joining.is_empty() || !gone.is_empty() {
            list::count(&mut tx, &[(row.id, more)]).await?;
        }
        let joined = joining.iter().map(|record| entry(ChangeKind::SegmentJoined, row.id, *record, &row.object));
        let left = leaving.iter().map(|record| entry(ChangeKind::SegmentLeft, row.id, *record, &row.object));
        change::append_many(&mut tx, &self.origin, self.now(), &joined.chain(left).collect::<Vec<_>>()).await?;
        let written = Written { value: changed, sequence: tx.head.sequence() };
        if let Some(reply) = reply {
            self.keep_reply(&mut tx, &written, reply).await?;
        }
        tx.commit().await?;
        Ok(written)
    }

    /// Those of the records that have not been archived since they were read.
    async fn active(&self, tx: &mut Tx, row: &ListRow, records: &BTreeSet<i64>) -> Result<Vec<i64>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let found = record::many(tx.reader(), records.iter().copied().collect()).await?;
        let is_active = |found: &&record::RecordRow| found.archived_at.is_none() && found.object == row.object;
        let active: Vec<i64> = found.iter().filter(is_active).map(|found| found.id).collect();
        match active.len() == records.len() {
            true => Ok(active),
            false => Err(Error::new(ErrorCode::Conflict, "a record has just been archived; nothing was changed")),
        }
    }
}

fn count_of(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
