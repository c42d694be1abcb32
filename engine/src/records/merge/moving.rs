//! Where the losers' links go.

use std::collections::HashSet;

use engine_model::RecordId;
use engine_store::association::{Direction, LinkKey, StoredLink};
use engine_store::commit::NewLink;

use super::detail::KeptLink;
use super::moved_link;
use super::surroundings::{Surroundings, limits_of};
use crate::definitions::catalog::Catalog;
use crate::records::state::State;

/// What becomes of the losers' links.
#[derive(Default)]
pub(super) struct Moved {
    pub(super) unlinks: Vec<LinkKey>,
    pub(super) links: Vec<NewLink>,
    /// As they were, in the order of the losers.
    pub(super) kept: Vec<Vec<KeptLink>>,
}

/// Moves the losers' links to the winner. One that it has already stays as the winner has it; where it may have only
/// one, its own stays; links among those that become one vanish.
pub(super) fn move_links(catalog: &Catalog, seen: &Surroundings, winner: RecordId, losers: &[State]) -> Moved {
    let ids: Vec<i64> = losers.iter().filter_map(|loser| loser.id()).map(|id| id.0).collect();
    let is_inside = |id: i64| id == winner.0 || ids.contains(&id);
    let mut moved = Moved::default();
    let mut made: HashSet<LinkKey> = HashSet::new();
    let mut occupied: HashSet<(String, Direction)> = HashSet::new();
    for id in &ids {
        let mut kept = Vec::new();
        for link in seen.links_of(*id) {
            let direction = if link.from_id == *id { Direction::Out } else { Direction::In };
            let limits = limits_of(catalog, &link.kind);
            let as_kept = KeptLink::of(link, true);
            let key = as_kept.between(*id, winner.0, as_kept.far(*id));
            let spot = (link.kind.clone(), direction);
            let is_full =
                limits.at(direction) && (occupied.contains(&spot) || seen.is_occupied(&link.kind, winner.0, direction));
            let is_moved =
                !is_inside(as_kept.far(*id)) && !seen.is_present(&key) && !is_full && made.insert(key.clone());
            if is_moved {
                occupied.insert(spot);
                moved.links.push(moved_link(&key, &as_kept, limits));
            }
            kept.push(KeptLink { is_moved, ..as_kept });
        }
        moved.kept.push(kept);
    }
    moved.unlinks = seen
        .links()
        .filter(|link| ids.contains(&link.from_id) || ids.contains(&link.to_id))
        .map(StoredLink::key)
        .collect();
    moved
}
