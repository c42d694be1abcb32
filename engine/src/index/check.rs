//! Comparing a tenant's index with the store, record by record and link by link.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine_model::{RecordId, TenantId};
use engine_search::{Entry, LinkEnds, SearchError};
use engine_store::association::{self, LinkKey};
use engine_store::record;
use tokio::time::Instant;

use super::SearchView;
use super::keeper::damage::damage_of;
use super::turn::{self, Opened};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Ids that are compared at a time.
const RANGE: i64 = 20_000;
/// Rows that are read at a time.
const PAGE: i64 = 1_000;
/// Differences that are told; the others are counted.
const TOLD: usize = 20;
/// How long the index may take to reach the log's end.
const PATIENCE: Duration = Duration::from_secs(600);

/// What came of comparing an index with the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexCheck {
    /// Records in the store.
    pub records: u64,
    /// Links in the store.
    pub links: u64,
    /// Differences in all.
    pub count: u64,
    /// The first 20 of them in words, lowest id first.
    pub differences: Vec<String>,
    /// The last id that was compared, where there are more.
    pub next: Option<RecordId>,
}

/// What is known of the records of a range, by id: object, version and whether they are archived.
type Records = BTreeMap<i64, (String, Option<i64>, bool)>;

/// What one side has in a range of ids.
#[derive(Default)]
struct Side {
    records: Records,
    links: BTreeSet<LinkKey>,
    /// Records that it has more than once.
    twice: BTreeSet<i64>,
}

impl Engine {
    /// Compares the tenant's index, brought up to its log, with the store: objects, versions and archiving of all
    /// records, and all links. What changes meanwhile is looked at again.
    ///
    /// # Errors
    /// The index is being made; the store or the disk fails.
    pub async fn index_check(&self, tenant: TenantId) -> Result<IndexCheck> {
        let mut check = IndexCheck { next: Some(RecordId(0)), ..IndexCheck::default() };
        while let Some(after) = check.next {
            check.add(self.index_check_after(tenant, after).await?);
        }
        Ok(check)
    }

    /// The same for the 20,000 ids above `after`.
    ///
    /// # Errors
    /// As for all.
    pub async fn index_check_after(&self, tenant: TenantId, after: RecordId) -> Result<IndexCheck> {
        self.check_tenant(tenant).await?;
        let mut check = IndexCheck::default();
        let head = self.store().read(tenant).await?.head().await?;
        if let Some(reason) = self.what_is_wrong(tenant).await? {
            if head.last_sequence > 0 {
                (check.count, check.differences) = (1, vec![reason]);
            }
            return Ok(check);
        }
        let view = self.reach(tenant, head.sequence(), None, Instant::now() + PATIENCE).await?;
        if after == RecordId(0)
            && let Some(damage) = self.damage(&view).await?
        {
            (check.count, check.differences) = (1, vec![damage]);
            return Ok(check);
        }
        let highest = view.highest_id().map_err(Error::internal)?.0.max(head.last_record_id);
        let last = after.0.saturating_add(RANGE);
        self.check_range(tenant, &(RecordId(after.0.saturating_add(1))..=RecordId(last)), &mut check).await?;
        check.next = (last < highest).then_some(RecordId(last));
        Ok(check)
    }

    /// Why the index on disk cannot be used, where nobody makes it anew by himself.
    async fn what_is_wrong(&self, tenant: TenantId) -> Result<Option<String>> {
        let indexes = &self.inner.indexes;
        if indexes.follows.load(Ordering::Relaxed) || indexes.slot(tenant).shown_sequence().is_some() {
            return Ok(None);
        }
        match turn::open(self, tenant).await? {
            Opened::Nothing(reason) => Ok(Some(reason)),
            Opened::Feed(feed) => {
                let dropped = self.inner.tasks.spawn_blocking(move || drop(feed)).await;
                dropped.map(|()| None).map_err(Error::internal)
            }
        }
    }

    /// What is wrong with the files of the index, which are read once for each comparison.
    async fn damage(&self, view: &SearchView) -> Result<Option<String>> {
        let view = view.clone();
        let checked = self.inner.tasks.spawn_blocking(move || view.check_files()).await.map_err(Error::internal)?;
        Ok(damage_of(checked)?.map(|reason| SearchError::Damaged(reason).to_string()))
    }

    async fn check_range(
        &self,
        tenant: TenantId,
        range: &RangeInclusive<RecordId>,
        check: &mut IndexCheck,
    ) -> Result<()> {
        let (store, mut found) = self.compare(tenant, range).await?;
        if !found.is_empty() {
            // What has changed between looking here and there looks otherwise now.
            let (_, again) = self.compare(tenant, range).await?;
            found.retain(|difference| again.contains(difference));
        }
        check.records += u64::try_from(store.records.len()).unwrap_or_default();
        check.links += u64::try_from(store.links.len()).unwrap_or_default();
        check.count += u64::try_from(found.len()).unwrap_or_default();
        found.truncate(TOLD);
        check.differences = found;
        Ok(())
    }

    /// What the store has, and in what the index differs.
    async fn compare(&self, tenant: TenantId, range: &RangeInclusive<RecordId>) -> Result<(Side, Vec<String>)> {
        let head = self.store().read(tenant).await?.head().await?;
        let view = self.reach(tenant, head.sequence(), None, Instant::now() + PATIENCE).await?;
        let ids = range.clone();
        let index = self.inner.tasks.spawn_blocking(move || {
            let mut side = Side::default();
            view.each_entry(&ids, |entry| side.add(entry))?;
            view.each_link_from(&ids, |ends| side.links.extend([key_of(ends)]))?;
            Ok::<_, SearchError>(side)
        });
        let index = index.await.map_err(Error::internal)?.map_err(Error::internal)?;
        let store = self.stored(tenant, range).await?;
        let found = store.differences(&index);
        Ok((store, found))
    }

    async fn stored(&self, tenant: TenantId, range: &RangeInclusive<RecordId>) -> Result<Side> {
        let mut reader = self.store().read(tenant).await?;
        let mut side = Side::default();
        let mut after = RecordId(range.start().0 - 1);
        loop {
            let rows = record::page(&mut reader, after, PAGE).await?;
            let inside = rows.iter().filter(|row| row.id <= range.end().0);
            side.records
                .extend(inside.map(|row| (row.id, (row.object.clone(), Some(row.version), row.archived_at.is_some()))));
            match rows.last() {
                Some(last) if last.id < range.end().0 => after = last.record_id(),
                _ => break,
            }
        }
        let mut after = LinkKey { from_id: range.start().0, ..LinkKey::default() };
        loop {
            let links = association::page(&mut reader, &after, PAGE).await?;
            let last = links.last().cloned();
            side.links.extend(links.into_iter().filter(|link| link.from_id <= range.end().0));
            match last {
                Some(last) if last.from_id <= range.end().0 => after = last,
                _ => return Ok(side),
            }
        }
    }
}

fn key_of(ends: LinkEnds) -> LinkKey {
    LinkKey { from_id: ends.from.0, kind: ends.association, to_id: ends.to.0 }
}

impl IndexCheck {
    /// Adds what came of comparing further ids.
    fn add(&mut self, further: Self) {
        (self.records, self.links) = (self.records + further.records, self.links + further.links);
        self.count += further.count;
        self.differences.extend(further.differences);
        self.differences.truncate(TOLD);
        self.next = further.next;
    }
}

impl Side {
    fn add(&mut self, entry: Entry<'_>) {
        let Entry { id, object, version, is_archived } = entry;
        if self.records.insert(id.0, (object.to_owned(), version, is_archived)).is_some() {
            self.twice.insert(id.0);
        }
    }

    /// In what an index differs from the store that this is.
    fn differences(&self, index: &Self) -> Vec<String> {
        let ids: BTreeSet<i64> = self.records.keys().chain(index.records.keys()).copied().collect();
        let records = ids.into_iter().filter_map(|id| difference(id, self.records.get(&id), index.records.get(&id)));
        let twice = index.twice.iter().map(|id| format!("record {id} is in the index more than once"));
        let link = |link: &LinkKey| format!("link `{}` from {} to {}", link.kind, link.from_id, link.to_id);
        let missing = self.links.difference(&index.links).map(|key| format!("{} is not in the index", link(key)));
        let needless = index.links.difference(&self.links).map(|key| format!("{} is in the index only", link(key)));
        records.chain(twice).chain(missing).chain(needless).collect()
    }
}

type Known = (String, Option<i64>, bool);

fn difference(id: i64, stored: Option<&Known>, indexed: Option<&Known>) -> Option<String> {
    let told = |(object, version, is_archived): &Known| {
        let version = version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"));
        format!("{}`{object}` at {version}", if *is_archived { "an archived " } else { "" })
    };
    match (stored, indexed) {
        (stored, indexed) if stored == indexed => None,
        (Some(stored), None) => Some(format!("record {id}, {}, is not in the index", told(stored))),
        (None, Some(indexed)) => Some(format!("record {id}, {}, is in the index only", told(indexed))),
        (Some(stored), Some(indexed)) => {
            Some(format!("record {id} is {} in the store and {} in the index", told(stored), told(indexed)))
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(records: &[(i64, &str, i64, bool)], links: &[(i64, &str, i64)]) -> Side {
        let mut side = Side::default();
        for (id, object, version, is_archived) in records.iter().copied() {
            side.add(Entry { id: RecordId(id), object, version: Some(version), is_archived });
        }
        let key = |(from_id, kind, to_id): &(i64, &str, i64)| LinkKey {
            from_id: *from_id,
            kind: (*kind).to_owned(),
            to_id: *to_id,
        };
        side.links = links.iter().map(key).collect();
        side
    }

    #[test]
    fn every_difference_is_named() {
        let store = side(
            &[(1, "deal", 1, false), (2, "deal", 3, false), (3, "deal", 1, true), (4, "deal", 1, false)],
            &[(1, "a", 2), (1, "b", 2)],
        );
        let index = side(
            &[
                (1, "deal", 1, false),
                (1, "deal", 1, false),
                (2, "deal", 2, false),
                (3, "deal", 1, false),
                (5, "x", 1, true),
            ],
            &[(1, "b", 2), (2, "b", 1)],
        );
        assert_eq!(
            store.differences(&index),
            [
                "record 2 is `deal` at version 3 in the store and `deal` at version 2 in the index",
                "record 3 is an archived `deal` at version 1 in the store and `deal` at version 1 in the index",
                "record 4, `deal` at version 1, is not in the index",
                "record 5, an archived `x` at version 1, is in the index only",
                "record 1 is in the index more than once",
                "link `a` from 1 to 2 is not in the index",
                "link `b` from 2 to 1 is in the index only",
            ]
        );
        assert_eq!(store.differences(&store), [""; 0]);
    }
}
