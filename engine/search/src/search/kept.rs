//! What queries find out about segments again and again, kept from one to the next.
//!
//! A segment never changes but for what is deleted from it, which is not looked at here.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::schema::Field;

use super::bits::Bits;
use super::blocks::IdBlocks;
use super::presence::Presence;
use crate::error::Result;

/// Bytes that are kept of one index; with more, all is forgotten. The largest need an eighth and a sixteenth of a byte
/// for each document and property that is asked for.
const MOST_BYTES: usize = 16 << 20;

/// Bytes of lists that are kept of one index beside that; with more, all lists are forgotten. The most frequent terms
/// of thirty properties of a million documents fit.
const MOST_LIST_BYTES: usize = 4 << 20;

/// What an opened column takes, about; its values stay in their file.
const COLUMN_BYTES: usize = 4 << 10;

/// What a name and its place take, about.
const NAME_BYTES: usize = 128;

/// The documents of a term, by the term's field and the place of its list in the segment's file.
pub(crate) type List = (Field, usize);

/// What is known of the segments of one index.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Segments>);

#[derive(Debug, Default)]
struct Segments {
    by_id: FxHashMap<SegmentId, Known>,
    bytes: usize,
    list_bytes: usize,
}

/// What is known of one segment, each by a name.
#[derive(Debug, Default)]
struct Known {
    sets: FxHashMap<String, Arc<Presence>>,
    columns: FxHashMap<String, Option<Opened>>,
    facts: FxHashMap<String, bool>,
    lists: FxHashMap<List, Arc<Bits>>,
    id_blocks: Option<Arc<IdBlocks>>,
    bytes: usize,
    list_bytes: usize,
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

    /// Where which ids are in a segment, found first where it is not kept.
    pub(crate) fn id_blocks(
        &self,
        segment: SegmentId,
        find: impl FnOnce() -> Result<IdBlocks>,
    ) -> Result<Arc<IdBlocks>> {
        let known = |known: &Known| known.id_blocks.as_ref().map(Arc::clone);
        let keep = |known: &mut Known, blocks: &Arc<IdBlocks>| {
            known.id_blocks = Some(Arc::clone(blocks));
            blocks.bytes()
        };
        self.get_or_find(segment, known, || find().map(Arc::new), keep)
    }

    /// The documents of a list, where they are kept.
    pub(crate) fn known_list(&self, segment: SegmentId, list: List) -> Option<Arc<Bits>> {
        self.segments().by_id.get(&segment)?.lists.get(&list).map(Arc::clone)
    }

    /// The documents of a list, read first where they are not kept.
    pub(crate) fn list(
        &self,
        segment: SegmentId,
        list: List,
        read: impl FnOnce() -> Result<Bits>,
    ) -> Result<Arc<Bits>> {
        if let Some(known) = self.known_list(segment, list) {
            return Ok(known);
        }
        let documents = Arc::new(read()?);
        let bytes = NAME_BYTES + Bits::bytes(documents.length());
        let mut kept = self.segments();
        let known = kept.by_id.entry(segment).or_default();
        if known.lists.insert(list, Arc::clone(&documents)).is_none() {
            known.list_bytes += bytes;
            kept.list_bytes += bytes;
        }
        if kept.list_bytes > MOST_LIST_BYTES {
            kept.forget_lists();
        }
        Ok(documents)
    }

    /// Forgets all other segments.
    pub(crate) fn forget_others(&self, segments: &HashSet<SegmentId>) {
        let mut kept = self.segments();
        let Segments { by_id, bytes, list_bytes } = &mut *kept;
        by_id.retain(|segment, known| {
            let is_there = segments.contains(segment);
            if !is_there {
                *bytes -= known.bytes;
                *list_bytes -= known.list_bytes;
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

impl Segments {
    fn forget_lists(&mut self) {
        for known in self.by_id.values_mut() {
            known.lists = FxHashMap::default();
            known.list_bytes = 0;
        }
        self.list_bytes = 0;
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

    #[test]
    fn lists_are_read_once_and_forgotten_with_their_segment_or_when_there_are_too_many() {
        let kept = Kept::default();
        let [one, other] = [(); 2].map(|()| SegmentId::generate_random());
        let mut read = 0;
        let mut get = |segment, place: usize, length| {
            let before = read;
            let documents = kept.list(segment, (Field::from_field_id(1), place), || {
                read += 1;
                Ok(Bits::none(length))
            });
            assert_eq!(documents.expect("read").length(), length);
            read > before
        };
        assert_eq!([get(one, 1, 9), get(one, 1, 9), get(one, 2, 9), get(other, 1, 9)], [true, false, true, true]);
        assert_eq!(kept.known_list(other, (Field::from_field_id(2), 1)), None, "another field's");
        kept.forget_others(&HashSet::from([other]));
        assert_eq!([get(other, 1, 9), get(one, 1, 9)], [false, true]);
        // Each takes an eighth of what there is room for.
        let large = u32::try_from(MOST_LIST_BYTES).expect("a length");
        assert!((10..17).all(|place| get(one, place, large)));
        assert!(!get(one, 10, large) && kept.segments().list_bytes <= MOST_LIST_BYTES);
        assert!(get(one, 20, large) && kept.segments().list_bytes == 0, "there was no room for all");
        assert!(get(other, 1, 9), "forgotten with them");
        kept.set(one, "a", || Ok(Presence::new(Bits::none(9)))).expect("found");
        assert!((30..38).all(|place| get(one, place, large)));
        let again = kept.set(one, "a", || panic!("sets stay where lists go"));
        assert_eq!(again.expect("kept").bits().length(), 9);
        kept.forget_others(&HashSet::new());
        assert_eq!(kept.segments().list_bytes, 0);
    }
}
