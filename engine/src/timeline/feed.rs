//! Follows the change log to know which entries stand on which timelines.
//!
//! The log says which entries and links to look at; what is kept is drawn from them as they are, under a lock, so that
//! looking twice, or late, comes to the same.

use std::collections::{BTreeSet, HashMap};

use engine_model::TenantId;
use engine_model::change::ChangeKind;
use engine_store::Tx;
use engine_store::record::{self, RecordRow};
use engine_store::timeline::{self, EntryTime, Placed, SourceRow};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::FOLLOWER;
use super::source::time_of;
use crate::definitions::catalog::Catalog;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::followers::{Followed, Follower, Following};

/// Keeps which entries stand on which timelines, for those tenants whose timelines somebody has asked for.
#[derive(Debug)]
pub(crate) struct Timelines {
    engine: Engine,
}

impl Timelines {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone() }
    }

    async fn follow_page(&self, tenant: TenantId, changes: &[Following]) -> Result<()> {
        if !changes.iter().any(may_matter) {
            return Ok(());
        }
        let store = self.engine.store();
        let sources = timeline::sources(&mut store.read(tenant).await?).await?;
        let touched = Touched::by(changes, &sources)?;
        if touched.is_empty() {
            return Ok(());
        }
        let catalog = self.engine.catalog(tenant).await?;
        let mut tx = timeline::keep(store, tenant, FOLLOWER).await?;
        touched.keep(&mut tx, &catalog).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl Follower for Timelines {
    fn name(&self) -> &'static str {
        FOLLOWER
    }

    fn follows(&self) -> Followed {
        Followed::WithPosition
    }

    fn follow<'a>(&'a self, tenant: TenantId, changes: &'a [Following]) -> BoxFuture<'a, Result<()>> {
        self.follow_page(tenant, changes).boxed()
    }
}

/// What changes have to do with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Touched {
    /// Entries whose time may be another, or that have come or gone.
    entries: BTreeSet<i64>,
    /// Entries that may have been linked to a record, or no longer are.
    placed: BTreeSet<Placed>,
    /// Records that were purged.
    purged: BTreeSet<i64>,
}

impl Touched {
    fn by(changes: &[Following], sources: &[SourceRow]) -> Result<Self> {
        let mut touched = Self::default();
        for change in changes.iter().filter(|change| may_matter(change)) {
            touched.add(change, sources)?;
        }
        touched.placed.retain(|placed| !touched.entries.contains(&placed.entry));
        Ok(touched)
    }

    fn add(&mut self, change: &Following, sources: &[SourceRow]) -> Result<()> {
        let Some(record) = change.record_id else { return Ok(()) };
        if change.kind == ChangeKind::RecordPurged.as_str() {
            self.purged.insert(record);
            return Ok(());
        }
        let mut own =
            sources.iter().filter(|source| change.object.as_deref() == Some(source.object.as_str())).peekable();
        if own.peek().is_none() {
            return Ok(());
        }
        if is_link(&change.kind) {
            let changes = read(&change.changes)?;
            let association = side(&changes, "type");
            let other = side(&changes, "to").and_then(|id| id.parse().ok());
            if let (Some(association), Some(other)) = (association, other)
                && own.any(|source| source.association == association)
            {
                self.placed.insert(Placed { entry: record, association: association.to_owned(), record: other });
            }
        } else if ChangeKind::is_of_values(&change.kind) || change.kind == ChangeKind::RecordMerged.as_str() {
            let changes = read(&change.changes)?;
            let mut times = own.filter_map(|source| source.at_property.as_deref());
            if times.any(|property| changes.contains_key(property)) {
                self.entries.insert(record);
            }
        } else {
            self.entries.insert(record);
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.placed.is_empty() && self.purged.is_empty()
    }

    /// Brings what is kept of them up to what they are.
    async fn keep(self, tx: &mut Tx, catalog: &Catalog) -> Result<()> {
        let Self { entries, placed, purged } = self;
        let sources = timeline::sources(tx.reader()).await?;
        let mut named: Vec<i64> = entries.iter().copied().chain(placed.iter().map(|placed| placed.entry)).collect();
        named.dedup();
        let found = record::many(tx.reader(), named).await?.into_iter().filter(|row| row.archived_at.is_none());
        let found: HashMap<i64, RecordRow> = found.map(|row| (row.id, row)).collect();
        let (mut whole, mut single) = (Vec::new(), Vec::new());
        for row in entries.iter().filter_map(|entry| found.get(entry)) {
            whole.extend(times(row, &sources, catalog)?);
        }
        for one in &placed {
            let source = sources.iter().find(|source| source.association == one.association);
            if let Some((row, source)) =
                found.get(&one.entry).zip(source).filter(|(row, source)| row.object == source.object)
            {
                single.push((one.clone(), time_of(row, source, catalog)?));
            }
        }
        let gone: Vec<i64> = entries.into_iter().chain(purged.iter().copied()).collect();
        timeline::take(tx, gone).await?;
        timeline::take_placed(tx, &placed.into_iter().collect::<Vec<_>>()).await?;
        timeline::forget(tx, purged.into_iter().collect()).await?;
        timeline::put(tx, &whole).await?;
        timeline::put_placed(tx, &single).await?;
        Ok(())
    }
}

/// When an entry happened, for each association by which it may stand on timelines.
pub(super) fn times(row: &RecordRow, sources: &[SourceRow], catalog: &Catalog) -> Result<Vec<EntryTime>> {
    let of_its = sources.iter().filter(|source| source.object == row.object);
    let time = |source: &SourceRow| {
        let at = time_of(row, source, catalog)?;
        Ok(EntryTime { entry: row.id, association: source.association.clone(), at })
    };
    of_its.map(time).collect()
}

/// Whether a change can have to do with timelines at all.
fn may_matter(change: &Following) -> bool {
    let kinds =
        [ChangeKind::RecordArchived, ChangeKind::RecordRestored, ChangeKind::RecordMerged, ChangeKind::RecordPurged];
    is_link(&change.kind)
        || ChangeKind::is_of_values(&change.kind)
        || kinds.iter().any(|kind| kind.as_str() == change.kind)
}

fn is_link(kind: &str) -> bool {
    [ChangeKind::AssociationCreated, ChangeKind::AssociationRemoved].iter().any(|link| link.as_str() == kind)
}

fn read(changes: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(changes).map_err(Error::internal)
}

/// The one side of `[old, new]` that is not null, the new one first. What was purged says nothing.
fn side<'c>(changes: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    let pair = changes.get(name)?.as_array()?;
    pair.iter().rev().find_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: ChangeKind, object: &str, record: i64, changes: &str) -> Following {
        Following {
            sequence: 1,
            at: 1,
            kind: kind.as_str().to_owned(),
            object: Some(object.to_owned()),
            record_id: Some(record),
            changes: changes.to_owned(),
            actor: None,
            source: "api".to_owned(),
            request_id: None,
            ip: None,
            user_agent: None,
        }
    }

    fn source(association: &str, object: &str, at_property: Option<&str>) -> SourceRow {
        let at_property = at_property.map(str::to_owned);
        SourceRow { association: association.to_owned(), object: object.to_owned(), at_property, filled_to: None }
    }

    #[test]
    fn changes_say_what_to_look_at() {
        use ChangeKind::{
            AssociationCreated, AssociationRemoved, RecordArchived, RecordCreated, RecordMerged, RecordPurged,
            RecordRestored, RecordUpdated, StageChanged,
        };
        let sources = [source("visit_about", "visit", Some("seen_on")), source("memo_about", "memo", None)];
        let made = |kind, object, record, association: &str, to: &str| {
            change(kind, object, record, &format!(r#"{{"type":[null,"{association}"],"to":[null,"{to}"]}}"#))
        };
        let changes = [
            change(RecordCreated, "visit", 1, r#"{"seen_on":[null,"2026-01-01"]}"#),
            made(AssociationCreated, "visit", 1, "visit_about", "70"),
            made(AssociationCreated, "visit", 1, "visit_site", "71"),
            made(AssociationCreated, "site", 2, "visit_about", "72"),
            change(AssociationRemoved, "memo", 3, r#"{"type":["memo_about",null],"to":["73",null]}"#),
            change(AssociationRemoved, "memo", 4, "{}"),
            change(RecordUpdated, "visit", 5, r#"{"name":["a","b"]}"#),
            change(RecordUpdated, "visit", 6, r#"{"seen_on":["2026-01-01",null]}"#),
            change(RecordMerged, "visit", 7, r#"{"seen_on":[null,"2026-01-01"]}"#),
            change(StageChanged, "visit", 8, r#"{"stage":["a","b"]}"#),
            change(RecordUpdated, "memo", 9, r#"{"seen_on":["2026-01-01",null]}"#),
            change(RecordArchived, "memo", 10, "{}"),
            change(RecordRestored, "memo", 11, "{}"),
            change(RecordArchived, "site", 12, "{}"),
            change(RecordPurged, "site", 13, "{}"),
            made(AssociationCreated, "memo", 11, "memo_about", "74"),
        ];
        let touched = Touched::by(&changes, &sources).expect("read");
        let placed = |entry, association: &str, record| Placed { entry, association: association.to_owned(), record };
        let expected = Touched {
            entries: BTreeSet::from([6, 7, 10, 11]),
            placed: BTreeSet::from([placed(1, "visit_about", 70), placed(3, "memo_about", 73)]),
            purged: BTreeSet::from([13]),
        };
        assert_eq!(touched, expected);
        assert!(Touched::by(&changes, &[]).expect("read").entries.is_empty());
    }
}
