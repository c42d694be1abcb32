//! What is left of an index when its disk fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use engine_model::RecordId;
use engine_model::property::Storage;
use engine_model::query::Filter;
use engine_model::time::Timestamp;
use tantivy::TantivyDocument;
use tantivy::schema::OwnedValue;
use tempfile::TempDir;

use super::*;
use crate::census::Entry;
use crate::directory::LARGE;
use crate::document::Document;
use crate::schema::system_path;
use crate::search::Limits;

/// Versions of contacts by id.
type Contents = BTreeMap<i64, i64>;

fn put(id: i64, version: i64, text: &str) -> Edit {
    let fields = fields();
    let at = |storage| system_path("contact", "version", storage, false);
    let mut document = TantivyDocument::default();
    document.add_u64(fields.id, id.cast_unsigned());
    document.add_text(fields.kind, "contact");
    let number = vec![(at(Storage::Scaled(0)), OwnedValue::from(version))];
    document.add_field_value(fields.numbers, &OwnedValue::Object(number));
    let words = vec![(at(Storage::LongText), OwnedValue::from(text))];
    document.add_field_value(fields.words, &OwnedValue::Object(words));
    Edit::Put(RecordId(id), Document(document))
}

/// Words that occur nowhere else, so many that a few such texts make large files.
fn long_text(seed: i64) -> String {
    (0..4_000).map(|word| format!("{seed}x{word}\u{1f}")).collect()
}

fn contents(index: &Index) -> Contents {
    let mut contents = Contents::new();
    let visit = |entry: Entry<'_>| {
        let former = contents.insert(entry.id.0, entry.version.unwrap());
        assert_eq!(former, None, "record {} is there twice", entry.id);
    };
    index.view().each_entry(&(RecordId(1)..=RecordId(i64::MAX)), visit).unwrap();
    contents
}

fn reached(sequence: i64) -> Reached {
    Reached { sequence: Sequence(sequence), at: Timestamp(sequence), notes: String::new() }
}

fn new_index() -> (TempDir, Index) {
    let folder = TempDir::new().unwrap();
    let index = Index::create(folder.path(), Pace::Steady).unwrap();
    (folder, index)
}

/// What is found if the folder is opened as it is now.
fn found_in(folder: &Path) -> (Contents, Reached) {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let index = Index::open(copy.path()).unwrap();
    (contents(&index), index.reached())
}

fn commit(index: &Index, sequence: i64, edits: Vec<Edit>) {
    index.apply(edits).unwrap();
    index.commit(reached(sequence)).unwrap();
}

/// Persists while `fail` makes the disk fail more and more rarely, until it does not. Nothing may be lost on the way.
fn persist_on_failing_disk(fail: impl Fn(&Index, u64)) -> u64 {
    let (folder, index) = new_index();
    commit(&index, 1, (1..=20).map(|id| put(id, 1, "first")).collect());
    index.persist().unwrap();
    commit(&index, 2, (10..=30).map(|id| put(id, 2, "second")).collect());
    let (first, second) = (contents(&index), (1..=20).map(|id| (id, 1)).collect::<Contents>());
    for step in 0.. {
        fail(&index, step);
        let result = index.persist();
        assert_eq!(contents(&index), first);
        if result.is_ok() {
            assert_eq!(index.durable(), Sequence(2));
            assert_eq!(found_in(folder.path()), (first, reached(2)));
            assert_eq!(index.unpersisted_bytes(), 0);
            return step;
        }
        assert!(matches!(result, Err(SearchError::Failed(_))));
        assert_eq!(index.durable(), Sequence(1));
        let found = found_in(folder.path());
        assert!(found == (second.clone(), reached(1)) || found == (first.clone(), reached(2)));
    }
    unreachable!("the disk holds it at some time")
}

#[test]
fn a_full_disk_loses_nothing() {
    let steps = persist_on_failing_disk(|index, step| index.inner.directory.faults().leave_room(step * 150));
    assert!(steps > 3, "it was full {steps} times");
}

#[test]
fn a_failing_disk_loses_nothing() {
    let steps = persist_on_failing_disk(|index, step| index.inner.directory.faults().leave_syncs(step));
    assert!(steps > 3, "it failed {steps} times");
}

#[test]
fn a_writer_that_fails_is_replaced() {
    let (_folder, index) = new_index();
    commit(&index, 1, vec![put(1, 1, "first")]);
    for count in [8, 300] {
        let edits = || (1..=count).map(|id| put(id, 2, &if id <= 8 { long_text(id) } else { String::new() })).collect();
        index.inner.directory.faults().leave_room(0);
        let result = index.apply(edits()).and_then(|()| index.commit(reached(2)));
        assert!(matches!(result, Err(SearchError::WriterLost(_))), "{result:?}");
        assert_eq!((index.reached(), index.has_writer()), (reached(1), false));
        assert_eq!(contents(&index), Contents::from([(1, 1)]));
        index.inner.directory.faults().leave_room(u64::MAX);
        commit(&index, 2, edits());
        assert_eq!(contents(&index), (1..=count).map(|id| (id, 2)).collect());
        commit(&index, 1, (1..=count).map(|id| Edit::Remove(RecordId(id))).collect());
        commit(&index, 1, vec![put(1, 1, "first")]);
    }
}

#[test]
fn large_merges_do_not_fill_the_memory() {
    let (_folder, index) = new_index();
    let mut most = 0;
    thread::scope(|scope| {
        let work = scope.spawn(|| {
            for id in 1..=16 {
                commit(&index, id, vec![put(id, 1, &long_text(id))]);
                index.persist().unwrap();
            }
            index.rest().unwrap();
        });
        while !work.is_finished() {
            most = most.max(index.unpersisted_bytes());
            thread::yield_now();
        }
    });
    let size = index.size();
    // One where the first merge began late.
    assert!(size.documents == 16 && size.segments <= 2, "{size:?}");
    assert!(size.disk_bytes + size.memory_bytes > 14 * LARGE, "{size:?}");
    assert!(most < 12 * LARGE, "{most} bytes were in memory of {size:?}");
    assert_eq!(contents(&index), (1..=16).map(|id| (id, 1)).collect());
}

#[test]
fn edits_that_come_while_the_writer_ends_are_not_lost() {
    let (folder, index) = new_index();
    let mut expected = Contents::new();
    for version in 1..=60 {
        let ids = (1..=30).map(|at| at * version % 97);
        let edits: Vec<_> = ids.clone().map(|id| put(id, version, "text")).collect();
        expected.extend(ids.map(|id| (id, version)));
        thread::scope(|scope| {
            scope.spawn(|| index.rest());
            index.apply(edits).unwrap();
        });
        index.commit(reached(version)).unwrap();
        assert_eq!(contents(&index), expected);
    }
    index.rest().unwrap();
    index.persist().unwrap();
    assert_eq!(found_in(folder.path()), (expected, reached(60)));
}

#[test]
fn a_merge_of_what_is_deleted_meanwhile_comes_to_nothing() {
    let (_folder, index) = new_index();
    for id in 1..=7 {
        commit(&index, id, vec![put(id, 1, &long_text(id))]);
    }
    // With the eighth segment the merge begins, and it takes longer than to empty that again.
    commit(&index, 8, vec![put(8, 1, "")]);
    commit(&index, 9, vec![Edit::Remove(RecordId(8))]);
    index.rest().unwrap();
    assert_eq!(contents(&index), (1..=7).map(|id| (id, 1)).collect());
    assert_eq!(index.size().segments, 1);
}

#[test]
fn a_loss_of_power_leaves_a_state_that_was_persisted() {
    let mut random = 1_u64;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % limit
    };
    let (_folder, index) = new_index();
    let journal = index.inner.directory.journal();
    let mut states = vec![(0, Contents::new(), None)];
    let mut expected = Contents::new();
    for version in 1..=16 {
        let ids = (0..12).map(|at| at * version % 61 + 1);
        let text = if version % 7 == 0 { long_text(version) } else { String::new() };
        expected.extend(ids.clone().map(|id| (id, version)));
        commit(&index, version, ids.map(|id| put(id, version, &text)).collect());
        if version % 2 == 0 {
            index.persist().unwrap();
            states.push((journal.length(), expected.clone(), Some(reached(version))));
        }
    }
    for _ in 0..120 {
        let steps = below(journal.length() + 1);
        let left = journal.lose_power(&BTreeMap::new(), steps, &mut below);
        let found = open_from(&left);
        // The last that was persisted by then, or the one that was being persisted.
        let last = states.iter().rposition(|(at, ..)| *at <= steps).unwrap();
        let may_be = states
            .iter()
            .skip(last)
            .take(2)
            .map(|(_, contents, reached)| reached.clone().map(|reached| (contents.clone(), reached)));
        assert!(
            may_be.clone().any(|state| state == found),
            "after {steps} steps: {found:?}, not {:?}",
            may_be.collect::<Vec<_>>()
        );
    }
}

/// What is found if a folder holds such files; none where there is no index.
fn open_from(files: &BTreeMap<PathBuf, Vec<u8>>) -> Option<(Contents, Reached)> {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    match Index::open(folder.path()) {
        Ok(index) => Some((contents(&index), index.reached())),
        Err(SearchError::Missing) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The files of a folder that belong to segments.
fn segment_files(folder: &Path) -> BTreeSet<PathBuf> {
    let names = fs::read_dir(folder).unwrap().map(|entry| PathBuf::from(entry.unwrap().file_name()));
    names.filter(|name| !name.to_string_lossy().contains("meta")).collect()
}

/// Erases to the end, with `between` the steps; how many there were.
fn erase(index: &Index, mut between: impl FnMut(i64)) -> i64 {
    for step in 1.. {
        if index.erase().unwrap() {
            return step;
        }
        between(step);
        thread::yield_now();
    }
    unreachable!("it ends at some time")
}

#[test]
fn what_is_erased_is_in_no_file_any_more() {
    let (folder, index) = new_index();
    commit(&index, 1, (1..=50).map(|id| put(id, 1, "first")).collect());
    commit(&index, 2, (51..=60).map(|id| put(id, 1, "first")).collect());
    index.persist().unwrap();
    let before = segment_files(folder.path());
    commit(&index, 3, vec![Edit::Remove(RecordId(5))]);
    index.persist().unwrap();
    assert_eq!(index.size().deleted, 1, "it is only marked as deleted");
    erase(&index, |_| ());
    let mut expected: Contents = (1..=60).map(|id| (id, 1)).collect();
    expected.remove(&5);
    assert_eq!((contents(&index), index.size().deleted), (expected.clone(), 0));
    assert_eq!(found_in(folder.path()), (expected, reached(3)));
    let kept = segment_files(folder.path());
    assert_eq!(kept.intersection(&before).count(), 6, "what nothing was deleted from stays as it is");
    assert_eq!(kept.difference(&before).count(), 6);
    assert_eq!(erase(&index, |_| ()), 1, "there is nothing to do");
}

#[test]
fn erasing_ends_while_edits_go_on() {
    let (folder, index) = new_index();
    let mut expected: Contents = (1..=2_000).map(|id| (id, 1)).collect();
    let text: String = (0..100).map(|word| format!("x{word}\u{1f}")).collect();
    commit(&index, 1, (1..=2_000).map(|id| put(id, 1, &text)).collect());
    index.persist().unwrap();
    let before = segment_files(folder.path());
    commit(&index, 2, vec![Edit::Remove(RecordId(7))]);
    expected.remove(&7);
    let mut version = 2;
    erase(&index, |_| {
        version += 1;
        let id = 8 + version % 1_000;
        commit(&index, version, vec![put(id, version, "more")]);
        expected.insert(id, version);
    });
    assert_eq!(segment_files(folder.path()).intersection(&before).count(), 0);
    assert_eq!(contents(&index), expected);
    assert_eq!(found_in(folder.path()), (expected, reached(version)));
}

#[test]
fn whoever_searches_notices_a_file_that_is_overwritten_though_all_of_it_is_known() {
    let (folder, index) = new_index();
    let text = |id: i64| format!("common {id} {}", id * 7_919 % 65_537);
    commit(&index, 1, (1..=5_000).map(|id| put(id, id * 7_919 % 65_537, &text(id))).collect());
    index.rest().unwrap();
    index.persist().unwrap();
    drop(index);
    let files = segment_files(folder.path());
    let is_mapped = |name: &&PathBuf| fs::metadata(folder.path().join(name)).unwrap().len() > 4_096;
    let mapped: BTreeSet<_> = files.iter().filter(is_mapped).collect();
    let kinds: BTreeSet<_> = mapped.iter().filter_map(|name| name.extension()?.to_str()).collect();
    assert!(kinds.is_superset(&BTreeSet::from(["fast", "idx", "pos", "term"])), "{kinds:?}");
    for name in mapped {
        let copy = TempDir::new().unwrap();
        for name in files.iter().map(PathBuf::as_path).chain([Path::new("meta.json")]) {
            fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        let index = Index::open(copy.path()).unwrap();
        let found = || index.view().matching("contact", &Filter::everything(), Limits::default());
        assert!((0..100).all(|_| found().unwrap().count() == 5_000));

        let length = fs::metadata(copy.path().join(name)).unwrap().len();
        let mut file = OpenOptions::new().write(true).open(copy.path().join(name)).unwrap();
        file.write_all(&vec![0xa5; usize::try_from(length / 2).unwrap()]).unwrap();
        let refused = (0..100).find_map(|_| found().err()).unwrap_or_else(|| panic!("{name:?} was overwritten"));
        assert_eq!(refused.to_string(), format!("the index is damaged: {} was overwritten", name.display()));
        drop(index);
    }
}
