//! What queries find out about segments again and again, kept from one to the next.
//!
//! A segment never changes but for what is deleted from it, which is not looked at here.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;

use super::presence::Presence;
use crate::error::Result;

/// Bytes that are kept of one index; with more, all is forgotten. The largest need an eighth and a sixteenth of a byte
/// for each document and property that is asked for.
const MOST_BYTES: usize = 16 << 20;

/// What an opened column takes, about; its values stay in their file.
const COLUMN_BYTES: usize = 4 << 10;

/// What is known of the segments of one index.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Segments>);

#[derive(Debug, Default)]
struct Segments {
    by_id: FxHashMap<SegmentId, Known>,
    bytes: usize,
}

/// What is known of one segment, each by a name.
#[derive(Debug, Default)]
struct Known {
    sets: FxHashMap<String, Arc<Presence>>,
    columns: FxHashMap<String, Option<Opened>>,
    facts: FxHashMap<String, bool>,
    bytes: usize,
}

/// A column as the library opens it.
#[derive(Clone)]
pub(crate) enum Opened {
    Numbers(Column<u64>),
    Texts(StrColumn),
}

impl Kept {
    /// The set of this name in a segment, found first where it is not kept.
    pub(crate) fn set(
        &self,
        segment: SegmentId,
        name: &str,
        find: impl FnOnce() -> Result<Presence>,
    ) -> Result<Arc<Presence>> {
        let known = |known: &Known| known.sets.get(name).map(Arc::clone);
        let keep = |known: &mut Known, set: &Arc<Presence>| {
            known.sets.insert(name.to_owned(), Arc::clone(set));
            set.bytes()
        };
        self.get_or_find(segment, known, || find().map(Arc::new), keep)
    }

    /// The column of this name in a segment, opened first where it is not kept; none where there is none.
    pub(crate) fn column(
        &self,
        segment: SegmentId,
        name: &str,
        open: impl FnOnce() -> Result<Option<Opened>>,
    ) -> Result<Option<Opened>> {
        let known = |known: &Known| known.columns.get(name).cloned();
        let keep = |known: &mut Known, column: &Option<Opened>| {
            known.columns.insert(name.to_owned(), column.clone());
            if column.is_some() { COLUMN_BYTES } else { 0 }
        };
        self.get_or_find(segment, known, open, keep)
    }

    /// Whether something of this name holds of a segment, found out first where it is not kept.
    pub(crate) fn fact(&self, segment: SegmentId, name: &str, find: impl FnOnce() -> Result<bool>) -> Result<bool> {
        let known = |known: &Known| known.facts.get(name).copied();
        let keep = |known: &mut Known, fact: &bool| {
            known.facts.insert(name.to_owned(), *fact);
            0
        };
        self.get_or_find(segment, known, find, keep)
    }

    /// Forgets all other segments.
    pub(crate) fn forget_others(&self, segments: &HashSet<SegmentId>) {
        let mut kept = self.segments();
        let Segments { by_id, bytes } = &mut *kept;
        by_id.retain(|segment, known| {
            let is_there = segments.contains(segment);
            if !is_there {
                *bytes -= known.bytes;
            }
            is_there
        });
    }

    /// What is known, else what is found; `keep` keeps that, and says how many bytes it takes.
    fn get_or_find<T>(
        &self,
        segment: SegmentId,
        known: impl FnOnce(&Known) -> Option<T>,
        find: impl FnOnce() -> Result<T>,
        keep: impl FnOnce(&mut Known, &T) -> usize,
    ) -> Result<T> {
        /// What a name and its place take, about.
        const NAME_BYTES: usize = 128;
        if let Some(known) = self.segments().by_id.get(&segment).and_then(known) {
            return Ok(known);
        }
        // Whoever comes meanwhile finds it too, which costs less than waiting. Counted twice, it is forgotten sooner.
        let found = find()?;
        let mut kept = self.segments();
        let known = kept.by_id.entry(segment).or_default();
        let bytes = NAME_BYTES + keep(known, &found);
        known.bytes += bytes;
        kept.bytes += bytes;
        if kept.bytes > MOST_BYTES {
            *kept = Segments::default();
        }
        Ok(found)
    }

    fn segments(&self) -> MutexGuard<'_, Segments> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Numbers(_) => "Numbers",
            Self::Texts(_) => "Texts",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::bits::Bits;
    use super::*;

    #[test]
    fn sets_are_found_once_and_forgotten_with_their_segment_or_when_there_are_too_many() {
        let kept = Kept::default();
        let [one, other] = [(); 2].map(|()| SegmentId::generate_random());
        let mut found = 0;
        let mut get = |segment, name: &str, length| {
            let before = found;
            let find = || {
                found += 1;
                Ok(Presence::new(Bits::none(length)))
            };
            kept.set(segment, name, find).expect("found");
            found > before
        };
        assert_eq!(
            [get(one, "a", 9), get(one, "a", 9), get(one, "b", 9), get(other, "a", 9)],
            [true, false, true, true]
        );
        kept.forget_others(&HashSet::from([other]));
        assert_eq!([get(other, "a", 9), get(one, "a", 9)], [false, true]);
        assert!(get(one, "large", 1 << 26) && get(one, "larger", 1 << 26));
        assert!(get(other, "a", 9), "there was no room for all");
        kept.forget_others(&HashSet::new());
        assert_eq!(kept.segments().bytes, 0);
    }
}
