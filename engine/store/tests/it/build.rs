//! Units of writes with defaults, so that a test says only what it is about.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{RecordId, TenantId, UserId};
use engine_store::commit::{
    Committed, IdempotencyClaim, Interval, Item, LogEntry, MergedRecord, NewLink, NewRecord, Origin, RecordRef,
    RecordUpdate, Replace, UniqueValue, Unit, Write,
};
use engine_store::idempotency::StoredReply;
use uuid::{NoContext, Uuid};

/// When units are written, unless they say otherwise.
pub(crate) const NOW: Timestamp = Timestamp(1_760_000_000_000_000);

/// A unit in the making.
pub(crate) struct UnitBuilder(Unit);

/// A unit without items: every item for itself, version 1 of everything.
pub(crate) fn unit(tenant: TenantId) -> UnitBuilder {
    UnitBuilder(Unit {
        tenant,
        metadata_version: 1,
        access_version: 1,
        origin: Arc::new(origin()),
        at: NOW,
        items: Vec::new(),
        is_atomic: false,
        idempotency: None,
    })
}

pub(crate) fn origin() -> Origin {
    Origin {
        actor: Some(UserId(7)),
        source: "api".to_owned(),
        request_id: Some("request-1".to_owned()),
        ip: Some("192.0.2.1".to_owned()),
        user_agent: Some("test/1".to_owned()),
    }
}

impl UnitBuilder {
    /// One more item.
    pub(crate) fn item(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.0.items.push(Item { writes: writes.into_iter().collect() });
        self
    }

    pub(crate) fn atomic(mut self) -> Self {
        self.0.is_atomic = true;
        self
    }

    pub(crate) fn at(mut self, at: Timestamp) -> Self {
        self.0.at = at;
        self
    }

    pub(crate) fn metadata_version(mut self, version: i64) -> Self {
        self.0.metadata_version = version;
        self
    }

    pub(crate) fn access_version(mut self, version: i64) -> Self {
        self.0.access_version = version;
        self
    }

    /// Happens once under this key; the reply tells the id of the first inserted record.
    pub(crate) fn key(self, key: &str, fingerprint: &str) -> Self {
        self.reply(key, fingerprint, |committed| {
            let id = committed.inserted.first().copied().flatten().map_or(0, |id| id.0);
            StoredReply { status: 201, headers: "{}".to_owned(), body: format!(r#"{{"id":"{id}"}}"#) }
        })
    }

    /// Happens once under this key and is answered by `reply`.
    pub(crate) fn reply(
        mut self,
        key: &str,
        fingerprint: &str,
        reply: impl FnOnce(&Committed) -> StoredReply + Send + 'static,
    ) -> Self {
        let (key, fingerprint) = (key.to_owned(), fingerprint.to_owned());
        self.0.idempotency = Some(IdempotencyClaim { key, fingerprint, reply: Box::new(reply) });
        self
    }

    pub(crate) fn build(self) -> Unit {
        self.0
    }
}

impl From<UnitBuilder> for Unit {
    fn from(builder: UnitBuilder) -> Self {
        builder.0
    }
}

static UIDS: AtomicU64 = AtomicU64::new(1);

pub(crate) fn new_uid() -> Uuid {
    let number = u32::try_from(UIDS.fetch_add(1, Ordering::Relaxed)).unwrap();
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, 1_760_000_000, number))
}

/// A new contact with a name.
pub(crate) fn insert(name: &str) -> Write {
    insert_as("contact", name)
}

/// A new record of an object with a name.
pub(crate) fn insert_as(object: &str, name: &str) -> Write {
    Write::Insert(NewRecord {
        uid: new_uid(),
        object: object.to_owned(),
        properties: named(name),
        display_name: name.to_owned(),
        owner: Some(UserId(3)),
        team: None,
    })
}

/// The properties of a record with a name.
pub(crate) fn named(name: &str) -> String {
    serde_json::json!({ "name": name }).to_string()
}

/// A new name for a record that was last seen at a version.
pub(crate) fn update(record: impl Into<Ref>, version: i64, name: &str) -> Write {
    Write::Update(RecordUpdate {
        record: record.into().0,
        expected_version: version,
        properties: named(name),
        display_name: name.to_owned(),
        owner: None,
        team: None,
        archived_at: None,
    })
}

/// Archives a record that was last seen at a version.
pub(crate) fn archive(record: impl Into<Ref>, version: i64) -> Write {
    Write::Update(RecordUpdate {
        record: record.into().0,
        expected_version: version,
        properties: named("archived"),
        display_name: "archived".to_owned(),
        owner: None,
        team: None,
        archived_at: Some(NOW),
    })
}

pub(crate) fn log(kind: ChangeKind, record: impl Into<Ref>) -> Write {
    log_of(kind, record, "{}")
}

pub(crate) fn log_of(kind: ChangeKind, record: impl Into<Ref>, changes: &str) -> Write {
    let (object, changes) = ("contact".to_owned(), changes.to_owned());
    Write::Log(LogEntry { kind, object, record: record.into().0, changes })
}

/// The writes of a plain creation: the n-th record of its unit and its entry in the log.
pub(crate) fn create(name: &str, index: usize) -> Vec<Write> {
    vec![insert(name), log_of(ChangeKind::RecordCreated, New(index), &named(name))]
}

pub(crate) fn email(value: &str) -> UniqueValue {
    UniqueValue { object: "contact".to_owned(), properties: "email".to_owned(), value: value.to_owned() }
}

pub(crate) fn claim(record: impl Into<Ref>, value: &str) -> Write {
    Write::Claim(record.into().0, email(value))
}

pub(crate) fn release(record: impl Into<Ref>, value: &str) -> Write {
    Write::Release(record.into().0, email(value))
}

pub(crate) fn span(within: &str, starts_at: i64, ends_at: i64) -> Interval {
    let (object, properties) = ("booking".to_owned(), "room,from,to".to_owned());
    Interval { object, properties, within: within.to_owned(), starts_at, ends_at }
}

pub(crate) fn occupy(record: impl Into<Ref>, interval: &Interval) -> Write {
    Write::Occupy(record.into().0, interval.clone())
}

pub(crate) fn vacate(record: impl Into<Ref>, interval: &Interval) -> Write {
    Write::Vacate(record.into().0, interval.clone())
}

/// How many links each end may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cardinality {
    OneToOne,
    OneToMany,
    ManyToOne,
    ManyToMany,
}

/// A link of the association `works_at`.
pub(crate) fn new_link(from: impl Into<Ref>, to: impl Into<Ref>, cardinality: Cardinality) -> NewLink {
    NewLink {
        kind: "works_at".to_owned(),
        from: from.into().0,
        to: to.into().0,
        label: None,
        properties: "{}".to_owned(),
        limits_from: matches!(cardinality, Cardinality::OneToOne | Cardinality::ManyToOne),
        limits_to: matches!(cardinality, Cardinality::OneToOne | Cardinality::OneToMany),
        replace: Replace::Nothing,
        moved: None,
    }
}

pub(crate) fn link(from: impl Into<Ref>, to: impl Into<Ref>, cardinality: Cardinality) -> Write {
    Write::Link(new_link(from, to, cardinality))
}

pub(crate) fn unlink(from: impl Into<Ref>, to: impl Into<Ref>) -> Write {
    Write::Unlink { kind: "works_at".to_owned(), from: from.into().0, to: to.into().0 }
}

/// Merges records into another one, with a detail that says which.
pub(crate) fn merge(winner: RecordId, losers: &[RecordId]) -> Write {
    let merged = |record: &RecordId| MergedRecord { record: *record, detail: format!(r#"{{"loser":"{record}"}}"#) };
    Write::Merge { winner, losers: losers.iter().map(merged).collect() }
}

pub(crate) fn unmerge(winner: RecordId, loser: RecordId) -> Write {
    Write::Unmerge { winner, loser }
}

/// What stands for a record in a builder: an id, or [`New`].
#[derive(Clone, Copy)]
pub(crate) struct Ref(pub(crate) RecordRef);

/// The n-th record that the unit inserts.
#[derive(Clone, Copy)]
pub(crate) struct New(pub(crate) usize);

impl From<RecordId> for Ref {
    fn from(id: RecordId) -> Self {
        Self(RecordRef::Id(id))
    }
}

impl From<New> for Ref {
    fn from(new: New) -> Self {
        Self(RecordRef::New(new.0))
    }
}
