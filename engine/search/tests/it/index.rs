//! What is applied, committed and persisted, and when it is seen.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use engine_model::Sequence;
use engine_search::{Edit, Index, Pace, Reached, SearchError, View};
use tempfile::TempDir;

use crate::fixture::{Contents, contact, contents, contents_of, ends, links, put, reached, remove};

fn new_index() -> (TempDir, Index) {
    let folder = TempDir::new().unwrap();
    let index = Index::create(folder.path(), Pace::Steady).unwrap();
    (folder, index)
}

fn reopen(folder: &Path, index: Index) -> Index {
    drop(index);
    Index::open(folder).unwrap()
}

#[test]
fn a_new_index_is_empty_and_not_durable() {
    let (folder, index) = new_index();
    assert_eq!(contents_of(&index), Contents::new());
    assert_eq!(index.reached().sequence, Sequence(0));
    drop(index);
    assert!(matches!(Index::open(folder.path()), Err(SearchError::Missing)));
    let index = Index::create(folder.path(), Pace::Steady).unwrap();
    index.persist().unwrap();
    let index = reopen(folder.path(), index);
    assert_eq!((contents_of(&index), index.durable()), (Contents::new(), Sequence(0)));
}

#[test]
fn edits_are_seen_after_their_commit_and_survive_after_persist() {
    let (folder, index) = new_index();
    index.apply(vec![put(1, 1), put(2, 1)]).unwrap();
    assert_eq!(contents_of(&index), Contents::new());
    index.commit(reached(2)).unwrap();
    assert_eq!(contents_of(&index), Contents::from([(1, 1), (2, 1)]));
    assert_eq!((index.reached(), index.durable()), (reached(2), Sequence(0)));
    index.persist().unwrap();
    assert_eq!(index.durable(), Sequence(2));
    index.apply(vec![put(1, 2), remove(2), put(3, 1)]).unwrap();
    index.commit(reached(5)).unwrap();
    assert_eq!(contents_of(&index), Contents::from([(1, 2), (3, 1)]));
    let index = reopen(folder.path(), index);
    assert_eq!(contents_of(&index), Contents::from([(1, 1), (2, 1)]));
    assert_eq!((index.reached(), index.durable()), (reached(2), Sequence(2)));
}

#[test]
fn links_come_and_go_by_their_ends() {
    let (_folder, index) = new_index();
    let link = |from, to| Edit::Link(ends(from, to));
    index.apply(vec![link(1, 2), link(1, 2), link(2, 1), link(3, 1), Edit::AddLink(ends(4, 5))]).unwrap();
    index.commit(reached(1)).unwrap();
    assert_eq!(links(&index.view()), [(1, 2), (2, 1), (3, 1), (4, 5)]);
    index.apply(vec![Edit::Unlink(ends(1, 2)), link(4, 5), Edit::Unlink(ends(9, 9))]).unwrap();
    index.commit(reached(2)).unwrap();
    assert_eq!(links(&index.view()), [(2, 1), (3, 1), (4, 5)]);
    index.apply(vec![put(1, 1), remove(1)]).unwrap();
    index.commit(reached(3)).unwrap();
    assert_eq!(links(&index.view()), [(4, 5)]);
    assert_eq!(contents_of(&index), Contents::new());
}

#[test]
fn edits_of_one_commit_count_in_their_order() {
    let (_folder, index) = new_index();
    index.apply(vec![put(1, 1), put(1, 2), remove(2), put(2, 1), put(3, 1), remove(3)]).unwrap();
    index.apply(vec![put(1, 3), Edit::Add(contact(4, 1))]).unwrap();
    index.commit(reached(8)).unwrap();
    assert_eq!(contents_of(&index), Contents::from([(1, 3), (2, 1), (4, 1)]));
}

#[test]
fn what_was_removed_may_come_again() {
    let (_folder, index) = new_index();
    for round in 0..3 {
        let edits = [
            vec![remove(1), Edit::Unlink(ends(1, 2)), remove(2)],
            vec![put(1, round)],
            vec![remove(3)],
            vec![Edit::Link(ends(1, 2))],
            vec![put(3, round)],
        ];
        for (at, edits) in (round * 10..).zip(edits) {
            index.apply(edits).unwrap();
            index.commit(reached(at)).unwrap();
        }
        assert_eq!(contents_of(&index), Contents::from([(1, round), (3, round)]));
        assert_eq!(links(&index.view()), [(1, 2)]);
        // Until nothing is left, not even an empty segment.
        index.apply(vec![remove(1), remove(3)]).unwrap();
        index.commit(reached(round * 10 + 9)).unwrap();
        index.rest().unwrap();
        assert_eq!((contents_of(&index), index.size().segments), (Contents::new(), 0));
    }
}

#[test]
fn a_commit_without_edits_only_moves_on() {
    let (folder, index) = new_index();
    index.apply(vec![put(1, 1)]).unwrap();
    index.commit(reached(1)).unwrap();
    index.rest().unwrap();
    index.commit(reached(7)).unwrap();
    assert!(!index.has_writer());
    assert_eq!((index.reached(), index.view().reached().clone()), (reached(7), reached(7)));
    index.persist().unwrap();
    assert_eq!(index.durable(), Sequence(7));
    index.commit(reached(9)).unwrap();
    index.persist().unwrap();
    let index = reopen(folder.path(), index);
    assert_eq!((index.reached(), index.durable()), (reached(9), Sequence(9)));
    assert_eq!(contents_of(&index), Contents::from([(1, 1)]));
    index.apply(vec![put(1, 2)]).unwrap();
    index.commit(reached(10)).unwrap();
    index.persist().unwrap();
    let index = reopen(folder.path(), index);
    assert_eq!((index.reached(), contents_of(&index)), (reached(10), Contents::from([(1, 2)])));
}

#[test]
fn a_view_stays_as_it_is() {
    let (folder, index) = new_index();
    let empty = index.view();
    let mut views = Vec::new();
    for version in 1..=20 {
        index.apply((1..=50).map(|id| put(id, version)).collect()).unwrap();
        index.commit(reached(version)).unwrap();
        views.push(index.view());
        if version % 5 == 0 {
            index.persist().unwrap();
        }
    }
    index.rest().unwrap();
    drop(index);
    fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(contents(&empty), Contents::new());
    for (version, view) in (1..).zip(&views) {
        assert_eq!(view.reached(), &reached(version));
        assert_eq!(contents(view), (1..=50).map(|id| (id, version)).collect());
    }
}

/// Says so when it is dropped, be it by a failure.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn readers_see_whole_commits_whatever_else_happens() {
    let (_folder, index) = new_index();
    index.apply((1..=40).map(|id| put(id, 0)).collect()).unwrap();
    index.commit(reached(0)).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = Over(&is_over);
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                index.persist().unwrap();
            }
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                // Refused in the middle of a commit.
                drop(index.rest());
            }
        });
        let writing = scope.spawn(|| {
            for version in 1..=60 {
                // In parts, of which nobody may see one alone.
                index.apply((1..=20).map(|id| put(id, version)).collect()).unwrap();
                index.apply((21..=40).map(|id| put(id, version)).collect()).unwrap();
                index.commit(reached(version)).unwrap();
            }
        });
        let check = |view: &View| {
            let version = view.reached().sequence.0;
            assert_eq!(contents(view), (1..=40).map(|id| (id, version)).collect());
        };
        let mut kept = Vec::new();
        while !writing.is_finished() {
            let view = index.view();
            check(&view);
            kept.push(view);
        }
        kept.dedup_by_key(|view| view.reached().sequence);
        kept.iter().for_each(check);
    });
    assert_eq!(index.reached(), reached(60));
}

#[test]
fn open_indexes_hold_no_files_open() {
    let folder = TempDir::new().unwrap();
    let indexes: Vec<_> = (0..20)
        .map(|at| {
            let place = folder.path().join(at.to_string());
            let index = Index::create(&place, Pace::Steady).unwrap();
            index.apply((1..=20).map(|id| put(id, at)).collect()).unwrap();
            index.commit(reached(at)).unwrap();
            index.persist().unwrap();
            drop(index);
            Index::open(&place).unwrap()
        })
        .collect();
    for (at, index) in (0..).zip(&indexes) {
        assert_eq!(contents_of(index), (1..=20).map(|id| (id, at)).collect());
        assert!(!index.has_writer());
        assert_eq!(index.unpersisted_bytes(), 0);
    }
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    assert_eq!(open.filter(|path| path.starts_with(folder.path())).count(), 0);
}

#[test]
fn a_folder_has_one_index_at_a_time() {
    let (folder, index) = new_index();
    index.persist().unwrap();
    assert!(matches!(Index::open(folder.path()), Err(SearchError::InUse)));
    assert!(matches!(Index::create(&folder.path().join("."), Pace::Steady), Err(SearchError::InUse)));
    let other = index.clone();
    drop(index);
    assert!(matches!(Index::open(folder.path()), Err(SearchError::InUse)));
    drop(other);
    assert!(matches!(Index::create(folder.path(), Pace::Steady), Err(SearchError::Exists)));
    assert_eq!(Index::open(folder.path()).unwrap().reached(), Reached { notes: String::new(), ..reached(0) });
}

#[test]
fn a_folder_without_an_index_has_none() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(Index::open(folder.path()), Err(SearchError::Missing)));
    assert!(matches!(Index::open(&folder.path().join("nowhere")), Err(SearchError::Missing)));
}

#[test]
fn a_writer_rests_only_when_nothing_waits() {
    let (_folder, index) = new_index();
    assert!(!index.has_writer());
    index.rest().unwrap();
    index.apply(vec![put(1, 1)]).unwrap();
    assert!(index.has_writer());
    assert!(matches!(index.rest(), Err(SearchError::Uncommitted)));
    index.commit(reached(1)).unwrap();
    index.rest().unwrap();
    assert!(!index.has_writer());
    index.apply(vec![put(1, 2)]).unwrap();
    index.commit(reached(2)).unwrap();
    assert_eq!(contents_of(&index), Contents::from([(1, 2)]));
}
