//! What merging and unmerging look at beside the records themselves: their links, and earlier merges.

use std::collections::{HashMap, HashSet};

use engine_model::RecordId;
use engine_store::association::{self, Direction, LinkKey, StoredLink};
use engine_store::{Reader, merge, record};

use super::MOST_LINKS;
use super::detail::{Detail, KeptLink};
use crate::caller::Standing;
use crate::definitions::catalog::Catalog;
use crate::error::Result;
use crate::records::operation::Operation;
use crate::records::workspace::Workspace;

/// Records that are read at a time to see where they lead.
const PAGE: usize = 1_000;

/// How many links records may have at the ends of an association.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    /// A record where it starts has at most one.
    pub(super) from: bool,
    /// A record where it leads has at most one.
    pub(super) to: bool,
}

impl Limits {
    /// Whether a record that sees its links in this direction has at most one.
    pub(super) fn at(self, direction: Direction) -> bool {
        match direction {
            Direction::Out => self.from,
            Direction::In => self.to,
        }
    }
}

/// What an association allows; one that is defined no more allows anything.
pub(super) fn limits_of(catalog: &Catalog, kind: &str) -> Limits {
    let association = catalog.effective.registry.associations.get(kind);
    association.map_or_else(Limits::default, |association| Limits {
        from: association.cardinality.limits_from(),
        to: association.cardinality.limits_to(),
    })
}

/// An earlier merge that has not been taken back.
#[derive(Debug)]
pub(super) struct Merged {
    /// The record that remained then; it may have been merged itself since.
    pub(super) winner: RecordId,
    pub(super) detail: Detail,
}

/// What merging and unmerging look at beside records.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// Links of the records to be merged.
    links: Vec<StoredLink>,
    by_end: HashMap<i64, Vec<usize>>,
    pub(super) has_too_many_links: bool,
    /// Links that stand where moved ones would stand.
    present: HashMap<LinkKey, StoredLink>,
    /// Records that have a link of a kind of which they may have only one.
    occupied: HashSet<(String, i64, Direction)>,
    /// By the record that was merged.
    merges: HashMap<i64, Merged>,
    /// Where remembered links lead; records that are gone are left out.
    ends: HashMap<i64, FarEnd>,
}

/// The record at the other end of a link that a merge has remembered.
#[derive(Debug)]
pub(super) struct FarEnd {
    pub(super) id: RecordId,
    /// Where its id leads now.
    pub(super) led: i64,
    pub(super) object: String,
    pub(super) standing: Standing,
}

impl Surroundings {
    /// Loads what the operations look at; most look at nothing.
    pub(crate) async fn load(
        reader: &mut Reader,
        catalog: &Catalog,
        workspace: &Workspace,
        operations: &[&Operation],
    ) -> Result<Self> {
        let mut seen = Self::default();
        for operation in operations {
            match operation {
                Operation::Merge { object, target, from, .. } => {
                    let Ok(object) = catalog.object(object) else { continue };
                    let Ok(winner) = workspace.find(catalog, object, target) else { continue };
                    let losers = from.iter().filter_map(|id| workspace.find_any(id)?.id()).map(|id| id.0);
                    if let Some(winner) = winner.id() {
                        seen.load_links(reader, catalog, winner.0, losers.collect()).await?;
                    }
                }
                Operation::Unmerge { id, .. } => {
                    if let Some((loser, winner)) = workspace.merged(id)
                        && let Some(loser) = loser.id()
                    {
                        seen.load_merge(reader, catalog, loser.0, winner.0).await?;
                    }
                }
                _ => {}
            }
        }
        Ok(seen)
    }

    async fn load_links(
        &mut self,
        reader: &mut Reader,
        catalog: &Catalog,
        winner: i64,
        losers: Vec<i64>,
    ) -> Result<()> {
        // A link between two of the records comes twice.
        let limit = i64::try_from(2 * MOST_LINKS + 1).unwrap_or(i64::MAX);
        let found = association::touching(reader, losers.clone(), limit).await?;
        let is_cut = found.len() > 2 * MOST_LINKS;
        let mut known: HashSet<LinkKey> = self.links.iter().map(StoredLink::key).collect();
        let found: Vec<StoredLink> = found.into_iter().filter(|link| known.insert(link.key())).collect();
        if is_cut || found.len() > MOST_LINKS {
            self.has_too_many_links = true;
            return Ok(());
        }
        let mut wanted = Vec::with_capacity(found.len());
        for link in &found {
            for (near, direction) in [(link.from_id, Direction::Out), (link.to_id, Direction::In)] {
                if losers.contains(&near) {
                    let kept = KeptLink::of(link, true);
                    wanted.push(kept.between(near, winner, kept.far(near)));
                    if limits_of(catalog, &link.kind).at(direction) {
                        self.look_for_room(reader, &link.kind, winner, direction).await?;
                    }
                }
            }
        }
        self.load_present(reader, wanted).await?;
        for link in found {
            let index = self.links.len();
            for end in [link.from_id, link.to_id] {
                self.by_end.entry(end).or_default().push(index);
            }
            self.links.push(link);
        }
        Ok(())
    }

    async fn load_merge(&mut self, reader: &mut Reader, catalog: &Catalog, loser: i64, now: i64) -> Result<()> {
        let Some(row) = merge::of_losers(reader, vec![loser]).await?.into_iter().next() else { return Ok(()) };
        let detail = Detail::read(&row.detail)?;
        let mut ends: Vec<i64> = detail.links.iter().map(|link| link.far(loser)).collect();
        ends.sort_unstable();
        ends.dedup();
        for page in ends.chunks(PAGE) {
            for row in record::many(reader, page.to_vec()).await? {
                let (id, led, standing) = (row.record_id(), row.merged_into.unwrap_or(row.id), Standing::from(&row));
                self.ends.insert(id.0, FarEnd { id, led, object: row.object, standing });
            }
        }
        let mut wanted = Vec::new();
        for link in &detail.links {
            let Some(far) = self.ends.get(&link.far(loser)).map(|end| end.led) else { continue };
            if link.is_moved {
                wanted.push(link.between(loser, now, far));
                continue;
            }
            let direction = if link.from == loser { Direction::In } else { Direction::Out };
            if limits_of(catalog, &link.kind).at(direction) {
                self.look_for_room(reader, &link.kind, far, direction).await?;
            }
        }
        self.load_present(reader, wanted).await?;
        self.merges.insert(loser, Merged { winner: RecordId(row.winner_id), detail });
        Ok(())
    }

    /// Whether a record has a link that leaves no room for another one; one to an archived record gives way.
    async fn look_for_room(
        &mut self,
        reader: &mut Reader,
        kind: &str,
        record: i64,
        direction: Direction,
    ) -> Result<()> {
        let found = association::list(reader, RecordId(record), kind, direction, 0, 1).await?;
        if !found.is_empty() {
            self.occupied.insert((kind.to_owned(), record, direction));
        }
        Ok(())
    }

    async fn load_present(&mut self, reader: &mut Reader, mut wanted: Vec<LinkKey>) -> Result<()> {
        wanted.sort_unstable();
        wanted.dedup();
        if !wanted.is_empty() {
            let found = association::among(reader, &wanted).await?;
            self.present.extend(found.into_iter().map(|link| (link.key(), link)));
        }
        Ok(())
    }

    /// Links of all records that are to be merged.
    pub(super) fn links(&self) -> impl Iterator<Item = &StoredLink> {
        self.links.iter()
    }

    /// Links of one of them.
    pub(super) fn links_of(&self, record: i64) -> impl Iterator<Item = &StoredLink> {
        self.by_end.get(&record).into_iter().flatten().filter_map(|index| self.links.get(*index))
    }

    pub(super) fn is_present(&self, key: &LinkKey) -> bool {
        self.present.contains_key(key)
    }

    pub(super) fn present(&self, key: &LinkKey) -> Option<&StoredLink> {
        self.present.get(key)
    }

    pub(super) fn is_occupied(&self, kind: &str, record: i64, direction: Direction) -> bool {
        self.occupied.contains(&(kind.to_owned(), record, direction))
    }

    pub(super) fn merge_of(&self, loser: RecordId) -> Option<&Merged> {
        self.merges.get(&loser.0)
    }

    /// The record at the other end of a remembered link; none where it is gone.
    pub(super) fn far_end(&self, record: i64) -> Option<&FarEnd> {
        self.ends.get(&record)
    }
}
