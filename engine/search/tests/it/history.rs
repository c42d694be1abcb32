//! Any history of edits, commits, persists and restarts, held against a plain map.

use std::collections::BTreeSet;

use engine_search::{Edit, Index, Pace};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::fixture::{Contents, contact, contents_of, ends, links, put, reached, remove};

/// What is done with an index.
#[derive(Debug, Clone)]
enum Step {
    Apply(Vec<Change>),
    Commit,
    Persist,
    Rest,
    Settle,
    /// Goes on from what is durable.
    Restart,
}

/// One edit; ids are few, so that they meet.
#[derive(Debug, Clone, Copy)]
enum Change {
    Put(i64),
    Remove(i64),
    /// The next record that there never was.
    Add,
    Link(i64, i64),
    Unlink(i64, i64),
    /// Many records at once, from here on.
    PutMany(i64),
}

/// What should be in the index.
#[derive(Debug, Clone, Default, PartialEq)]
struct Expected {
    sequence: i64,
    contacts: Contents,
    links: BTreeSet<(i64, i64)>,
}

impl Expected {
    fn take(&mut self, change: Change) -> Vec<Edit> {
        self.sequence += 1;
        let version = self.sequence;
        match change {
            Change::Put(id) => {
                self.contacts.insert(id, version);
                vec![put(id, version)]
            }
            Change::Remove(id) => {
                self.contacts.remove(&id);
                self.links.retain(|(from, to)| *from != id && *to != id);
                vec![remove(id)]
            }
            Change::Add => {
                self.contacts.insert(1_000 + version, version);
                vec![Edit::Add(contact(1_000 + version, version))]
            }
            Change::Link(from, to) => {
                self.links.insert((from, to));
                vec![Edit::Link(ends(from, to))]
            }
            Change::Unlink(from, to) => {
                self.links.remove(&(from, to));
                vec![Edit::Unlink(ends(from, to))]
            }
            Change::PutMany(first) => {
                self.contacts.extend((first..first + 300).map(|id| (id, version)));
                (first..first + 300).map(|id| put(id, version)).collect()
            }
        }
    }
}

fn check(index: &Index, expected: &Expected) {
    let found: BTreeSet<_> = links(&index.view()).into_iter().collect();
    assert_eq!(links(&index.view()).len(), found.len(), "each link is there once");
    let found = Expected { sequence: index.reached().sequence.0, contacts: contents_of(index), links: found };
    assert_eq!(&found, expected);
}

fn run(pace: Pace, steps: Vec<Step>) {
    let folder = TempDir::new().unwrap();
    let mut index = Index::create(folder.path(), pace).unwrap();
    index.persist().unwrap();
    let mut now = Expected::default();
    let (mut visible, mut durable) = (now.clone(), now.clone());
    let mut is_clean = true;
    for step in steps {
        match step {
            Step::Apply(changes) => {
                is_clean &= changes.is_empty();
                index.apply(changes.into_iter().flat_map(|change| now.take(change)).collect()).unwrap();
            }
            Step::Commit => {
                index.commit(reached(now.sequence)).unwrap();
                (visible, is_clean) = (now.clone(), true);
            }
            Step::Persist => {
                index.persist().unwrap();
                durable = visible.clone();
            }
            Step::Rest => assert_eq!(index.rest().is_ok(), is_clean),
            Step::Settle => assert_eq!(index.settle().is_ok(), is_clean),
            Step::Restart => {
                drop(index);
                index = Index::open(folder.path()).unwrap();
                (now, visible, is_clean) = (durable.clone(), durable.clone(), true);
            }
        }
        check(&index, &visible);
        assert_eq!(index.durable().0, durable.sequence);
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (1_i64..12).prop_map(Change::Put),
        3 => (1_i64..12).prop_map(Change::Remove),
        2 => Just(Change::Add),
        3 => (1_i64..6, 1_i64..6).prop_map(|(from, to)| Change::Link(from, to)),
        2 => (1_i64..6, 1_i64..6).prop_map(|(from, to)| Change::Unlink(from, to)),
        1 => (1_i64..400).prop_map(Change::PutMany),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec(change(), 0..6).prop_map(Step::Apply),
        8 => Just(Step::Commit),
        2 => Just(Step::Persist),
        1 => Just(Step::Rest),
        1 => Just(Step::Settle),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_holds_what_it_was_told(is_bulk in any::<bool>(), steps in prop::collection::vec(step(), 1..60)) {
        run(if is_bulk { Pace::Bulk } else { Pace::Steady }, steps);
    }
}
