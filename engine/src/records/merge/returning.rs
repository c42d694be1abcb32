//! Which links a record gets back when it is taken out of the one that it was merged into.

use std::collections::HashSet;

use engine_model::RecordId;
use engine_store::association::{Direction, LinkKey};
use engine_store::commit::NewLink;

use super::detail::KeptLink;
use super::moved_link;
use super::surroundings::{FarEnd, Surroundings, limits_of};
use crate::definitions::catalog::Catalog;
use crate::records::operation::LeftOut;
use crate::records::refusal::called;

/// Links that go back.
#[derive(Default)]
pub(super) struct Returned {
    pub(super) unlinks: Vec<LinkKey>,
    pub(super) links: Vec<NewLink>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Takes back from the winner what was moved and is still there, and makes again what there was no room for. `is_seen`
/// is whether the caller may know of the record at the other end.
pub(super) fn return_links(
    catalog: &Catalog,
    seen: &Surroundings,
    kept: &[KeptLink],
    loser: RecordId,
    winner: RecordId,
    is_seen: impl Fn(Option<&FarEnd>) -> bool,
) -> Returned {
    let mut returned = Returned::default();
    let mut occupied: HashSet<(String, Direction)> = HashSet::new();
    for link in kept {
        let far = link.far(loser.0);
        let end = seen.far_end(far);
        let is_seen = is_seen(end);
        let mut leave_out = |record: i64, reason: String| {
            let record = is_seen.then_some(RecordId(record));
            returned.left_out.push(LeftOut { kind: link.kind.clone(), record, reason });
        };
        let Some(now) = end.map(|end| end.led) else {
            leave_out(far, "the record at the other end is gone".to_owned());
            continue;
        };
        let limits = limits_of(catalog, &link.kind);
        let direction = if link.from == loser.0 { Direction::Out } else { Direction::In };
        let back = link.between(loser.0, loser.0, now);
        if link.is_moved {
            let there = link.between(loser.0, winner.0, now);
            // One that was taken away and made again since is the winner's own.
            let found = seen.present(&there).filter(|found| found.created_at == link.created_at);
            if let Some(found) = found.filter(|_| now != winner.0) {
                returned.unlinks.push(there);
                let link =
                    KeptLink { label: found.label.clone(), properties: found.properties.clone(), ..link.clone() };
                returned.links.push(moved_link(&back, &link, limits));
                occupied.insert((link.kind.clone(), direction));
            }
            continue;
        }
        // Linked with a record that is still merged into the same one: that record remembers it as well.
        if now == winner.0 && far != winner.0 {
            continue;
        }
        let opposite = if direction == Direction::Out { Direction::In } else { Direction::Out };
        let full = [
            (direction, occupied.contains(&(link.kind.clone(), direction)), loser.0),
            (opposite, seen.is_occupied(&link.kind, now, opposite), now),
        ];
        if let Some((.., record)) = full.into_iter().find(|(end, is_full, _)| limits.at(*end) && *is_full) {
            let full = called(RecordId(record), is_seen || record == loser.0);
            leave_out(now, format!("`{}` allows {full} only one link, and it has another one", link.kind));
            continue;
        }
        occupied.insert((link.kind.clone(), direction));
        returned.links.push(moved_link(&back, link, limits));
    }
    returned
}
