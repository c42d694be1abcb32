//! Group commit: writes that wait together are checked together, applied in a few statements and share one flush.
//!
//! A [`Unit`] is one caller's write. Its preconditions (versions, unique values, cardinality, intervals) are checked
//! against the rows as they are under the tenant's lock, so no check can be overtaken; a unit that fails one fails
//! alone. What a unit changes is in the change log by the same transaction.

mod apply;
mod draft;
mod group;
mod lane;
mod link;
mod load;
mod mention;
mod merge;
mod optimistic;
mod purge;
mod rows;
mod span;
mod state;
mod work;

use std::fmt;
use std::sync::Arc;

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, TeamId, TenantId, UserId};
use uuid::Uuid;

use crate::idempotency::StoredReply;

pub(crate) use lane::Committer;

/// One caller's write: items that are answered one by one, or stand and fall together.
#[derive(Debug)]
pub struct Unit {
    /// Whose data this is.
    pub tenant: TenantId,
    /// The definitions under which the items were prepared; the commit refuses others.
    pub metadata_version: i64,
    /// The access rules under which the items were allowed; the commit refuses others.
    pub access_version: i64,
    /// Who writes, from where.
    pub origin: Arc<Origin>,
    /// When, for the change log.
    pub at: Timestamp,
    /// What is written, in order.
    pub items: Vec<Item>,
    /// One refused item refuses all.
    pub is_atomic: bool,
    /// A key that makes the whole unit happen once.
    pub idempotency: Option<IdempotencyClaim>,
}

/// Who writes, from where; kept with every change.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The user or service that acts; none for the engine itself.
    pub actor: Option<UserId>,
    /// `api`, `import`, `cli` and the like.
    pub source: String,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// Address of the caller.
    pub ip: Option<String>,
    /// The caller's program, as it calls itself.
    pub user_agent: Option<String>,
}

/// Writes that stand and fall together.
#[derive(Debug, Default)]
pub struct Item {
    /// In the order in which they are checked and applied.
    pub writes: Vec<Write>,
}

/// A record that exists, or the n-th one that the unit inserts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordRef {
    /// An existing record.
    Id(RecordId),
    /// The record of the unit's n-th [`Write::Insert`], counted over all its items from 0.
    New(usize),
}

/// One row to write, with what must hold for it.
#[derive(Debug)]
pub enum Write {
    /// A new record; its id is given at commit.
    Insert(NewRecord),
    /// A record's new state, if it is still at the expected version.
    Update(RecordUpdate),
    /// Takes a unique value, which nobody else may have.
    Claim(RecordRef, UniqueValue),
    /// Gives a unique value back.
    Release(RecordRef, UniqueValue),
    /// Takes an interval, which no other may overlap.
    Occupy(RecordRef, Interval),
    /// Gives an interval back.
    Vacate(RecordRef, Interval),
    /// Links two records, or changes the label and properties of their link.
    Link(NewLink),
    /// Takes a link away; nothing happens where there is none.
    Unlink {
        /// Name of the association.
        kind: String,
        /// Where it starts.
        from: RecordRef,
        /// Where it leads.
        to: RecordRef,
    },
    /// Erases a record's values from its row, its links, the log and the kept replies, leaving a tombstone. What it
    /// claims and occupies is released and vacated by writes of the same item.
    Purge(RecordId),
    /// Refuses the item where a record does not have this many links: who wrote it has looked at all of them.
    HasLinks(RecordId, i64),
    /// Has the ids of other records lead to this one, and keeps what it takes to take them apart again. Their next states
    /// and where their links have gone are writes of the same item before it; one that has links left is refused as
    /// stale, since somebody has linked it meanwhile.
    Merge {
        /// The record that remains.
        winner: RecordId,
        /// Those that are merged into it.
        losers: Vec<MergedRecord>,
    },
    /// Takes a merge back: the loser's id, and what led to it before, lead to it again. Its next state is a write of the
    /// same item before it.
    Unmerge {
        /// The record that remained.
        winner: RecordId,
        /// The one that was merged into it.
        loser: RecordId,
    },
    /// An entry of the change log.
    Log(LogEntry),
}

/// A record to be inserted.
#[derive(Debug)]
pub struct NewRecord {
    /// Made by the caller, UUIDv7.
    pub uid: Uuid,
    /// The object's name.
    pub object: String,
    /// JSON object.
    pub properties: String,
    /// What people call it.
    pub display_name: String,
    /// Who owns it.
    pub owner: Option<UserId>,
    /// The team that it belongs to.
    pub team: Option<TeamId>,
}

/// A record's new state.
#[derive(Debug)]
pub struct RecordUpdate {
    /// Which record.
    pub record: RecordRef,
    /// The version that the new state was made from.
    pub expected_version: i64,
    /// JSON object.
    pub properties: String,
    /// What people call it.
    pub display_name: String,
    /// Who owns it.
    pub owner: Option<UserId>,
    /// The team that it belongs to.
    pub team: Option<TeamId>,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// A record that is merged into another one.
#[derive(Debug, Clone)]
pub struct MergedRecord {
    /// Which record.
    pub record: RecordId,
    /// JSON object: what is taken over and what is moved.
    pub detail: String,
}

/// A value that at most one unarchived record of an object has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UniqueValue {
    /// The object's name.
    pub object: String,
    /// The properties concerned, joined by `,`.
    pub properties: String,
    /// Their values as one text.
    pub value: String,
}

/// A half-open interval that no other of the same object, constraint and value may overlap.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The object's name.
    pub object: String,
    /// The properties concerned, joined by `,`.
    pub properties: String,
    /// The value that competing records share.
    pub within: String,
    /// Included.
    pub starts_at: i64,
    /// Not included.
    pub ends_at: i64,
}

/// A link to be made.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Name of the association.
    pub kind: String,
    /// Where it starts.
    pub from: RecordRef,
    /// Where it leads.
    pub to: RecordRef,
    /// What the link is called.
    pub label: Option<String>,
    /// JSON object.
    pub properties: String,
    /// A `from` record has at most one such link.
    pub limits_from: bool,
    /// A `to` record has at most one such link.
    pub limits_to: bool,
    /// Which links in the way are taken away; any other one refuses it.
    pub replace: Replace,
    /// It stood elsewhere before; it keeps since when it is there, and may lead to an archived record.
    pub moved: Option<Made>,
}

/// Which links in the way of a new one are taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {
    /// None.
    Nothing,
    /// Those with one of these records at the other end.
    These(Vec<RecordRef>),
    /// Whichever there are.
    Everything,
}

/// When something was made, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Option<UserId>,
}

/// An entry of the change log; the sequence is given at commit.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// What happened.
    pub kind: ChangeKind,
    /// The object's name.
    pub object: String,
    /// To which record.
    pub record: RecordRef,
    /// JSON object: property to `[old, new]`.
    pub changes: String,
}

/// A key that makes a unit happen once, and the reply that a repetition gets.
pub struct IdempotencyClaim {
    /// The caller's key.
    pub key: String,
    /// Hash of the request; another request under the same key is refused.
    pub fingerprint: String,
    /// Makes the reply from what was committed; runs inside the commit, so it must be quick.
    pub reply: Box<dyn FnOnce(&Committed) -> StoredReply + Send>,
}

impl fmt::Debug for IdempotencyClaim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IdempotencyClaim").field("key", &self.key).finish_non_exhaustive()
    }
}

/// How a unit ended.
#[derive(Debug)]
pub enum Outcome {
    /// It is durable, but for the items that were refused.
    Committed(Committed),
    /// Nothing changed; why, by item. Only for atomic units.
    Refused(Vec<(usize, Refusal)>),
    /// Nothing changed: definitions or access rules moved on; prepare again.
    Outdated,
    /// Nothing changed: this key has been used before, by the same request; its reply.
    Replayed(StoredReply),
    /// Nothing changed: this key has been used before, by another request.
    KeyReused,
}

/// What a committed unit did.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The log's last position after the unit.
    pub sequence: Sequence,
    /// Ids of the inserted records, in order; none where the item was refused.
    pub inserted: Vec<Option<RecordId>>,
    /// For each item, whether it changed anything, or everything that it was refused for.
    pub items: Vec<Result<bool, Vec<Refusal>>>,
}

/// Why an item was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The record is at another version than expected.
    Stale(RecordRef),
    /// There is no such record, or it is archived.
    Missing(RecordRef),
    /// The value belongs to another record.
    Taken {
        /// Which value.
        value: UniqueValue,
        /// Who has it.
        holder: RecordId,
    },
    /// The interval overlaps another record's.
    Overlap {
        /// Which interval.
        interval: Interval,
        /// Whose it overlaps.
        holder: RecordId,
    },
    /// The link would exceed what its association allows.
    Cardinality {
        /// Name of the association.
        kind: String,
        /// The link in the way: where it starts.
        from: RecordId,
        /// The link in the way: where it leads.
        to: RecordId,
    },
}
