//! Which segments become one.
//!
//! Every commit adds a segment, each segment costs every commit and every search a little, and merging documents costs
//! about as much as indexing them did. So segments are merged when there are several of about the same size, those of
//! which much is deleted are written anew, and no merge is so large that it would take long.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::{FutureResult, IndexWriter, TantivyError};

use super::erasing::Erasing;
use super::queue::Queued;
use crate::directory::Segment;

/// Merges at a time.
pub(super) const AT_A_TIME: usize = 2;

/// Documents of a large merge. One is under way at most, so that small ones never wait for long.
const LARGE: u64 = 30_000;

/// Documents of the largest segments, unless the index is so large that these would be many.
const MOST: u64 = 250_000;

/// Largest segments that an index has, give or take some.
const LARGEST: u64 = 4;

/// Segments that are merged at a time.
const WIDEST: usize = 64;

/// How thoroughly segments are merged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Segments of a level that become one.
    several: usize,
    /// Documents up to which segments are of the lowest level.
    few: u64,
    /// How many times more documents the segments of a level have than those of the level below.
    step: u64,
}

impl Rule {
    /// While edits come. Merging a hundred documents costs little more than merging one.
    pub(super) const BUSY: Self = Self { several: 8, few: 128, step: 8 };

    /// When none come any more. Small indexes are left with few segments, since there may be many such indexes.
    pub(super) const IDLE: Self = Self { several: 4, few: 16_384, step: 8 };

    fn level_of(self, segment: &Segment) -> u32 {
        (segment.documents() / self.few).checked_ilog(self.step).map_or(0, |level| level + 1)
    }
}

/// Segments that are to become one.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    segments: Vec<SegmentId>,
    documents: u64,
}

/// What is to be merged of segments that are not being merged, the smallest first.
///
/// Those that are to be `rewritten` are, alone if not with others.
fn groups(segments: &[&Segment], rule: Rule, rewritten: &HashSet<SegmentId>) -> Vec<Group> {
    let most = MOST.max(segments.iter().map(|segment| segment.documents()).sum::<u64>() / LARGEST);
    let mut small: Vec<&Segment> = segments.iter().copied().filter(|segment| segment.documents() < most / 2).collect();
    small.sort_by_key(|segment| segment.documents());
    let levels = small.chunk_by(|one, other| rule.level_of(one) == rule.level_of(other));
    let mut groups: Vec<Group> =
        levels.filter(|level| level.len() >= rule.several).flat_map(|level| split(level, most)).collect();
    let grouped: HashSet<SegmentId> = groups.iter().flat_map(|group| &group.segments).copied().collect();
    let is_due = |segment: &Segment| is_stale(segment, rule) || rewritten.contains(&segment.id());
    let stale = segments.iter().filter(|segment| is_due(segment) && !grouped.contains(&segment.id()));
    groups.extend(stale.map(|segment| Group { segments: vec![segment.id()], documents: segment.documents() }));
    groups.sort_by_key(|group| group.documents);
    groups
}

/// A level, smallest first, in groups that have so many documents at most.
fn split(level: &[&Segment], most: u64) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for segment in level {
        match groups.last_mut() {
            Some(group) if group.segments.len() < WIDEST && group.documents + segment.documents() <= most => {
                group.segments.push(segment.id());
                group.documents += segment.documents();
            }
            _ => groups.push(Group { segments: vec![segment.id()], documents: segment.documents() }),
        }
    }
    groups.retain(|group| group.segments.len() > 1);
    groups
}

/// Whether a third of it is deleted. Small segments are merged soon enough anyhow.
fn is_stale(segment: &Segment, rule: Rule) -> bool {
    segment.documents() + segment.deleted() > rule.few && segment.deleted() * 2 > segment.documents()
}

/// Merges that are under way.
#[derive(Default)]
pub(super) struct Merges(Vec<Merge>);

struct Merge {
    group: Group,
    end: FutureResult<Option<SegmentMeta>>,
    /// It began before what is to be erased was deleted, and may carry it on.
    carries: bool,
}

impl Merges {
    /// Begins what is to be merged of the segments of the last commit.
    pub(super) fn begin(
        &mut self,
        library: &mut IndexWriter<Queued>,
        segments: &[Segment],
        rule: Rule,
        erasing: &mut Erasing,
    ) {
        self.end_ended(erasing);
        let merged: HashSet<SegmentId> = self.0.iter().flat_map(|merge| &merge.group.segments).copied().collect();
        let segments: Vec<&Segment> = segments.iter().filter(|segment| !merged.contains(&segment.id())).collect();
        for group in groups(&segments, rule, erasing.segments()) {
            if self.0.len() < AT_A_TIME && (group.documents < LARGE || !self.has_large()) {
                let end = library.merge(&group.segments);
                self.0.push(Merge { group, end, carries: false });
            }
        }
    }

    /// Lets go of those that have ended.
    pub(super) fn end_ended(&mut self, erasing: &mut Erasing) {
        self.0.retain_mut(|merge| match merge.poll(Waker::noop()) {
            Poll::Pending => true,
            Poll::Ready(ended) => {
                if let Err(error) = &ended {
                    tracing::warn!(%error, "segments of an index could not be merged");
                }
                erasing.saw_end(merge.carries, ended.ok().flatten());
                false
            }
        });
    }

    /// Waits for those that are under way, if any are.
    pub(super) fn wait(&mut self, erasing: &mut Erasing) -> Option<tantivy::Result<()>> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let ends = std::mem::take(&mut self.0).into_iter().map(|mut merge| {
            loop {
                match merge.poll(&waker) {
                    Poll::Ready(end) => return end.map(|made| erasing.saw_end(merge.carries, made)),
                    Poll::Pending => thread::park(),
                }
            }
        });
        ends.reduce(tantivy::Result::and)
    }

    /// Whatever is deleted by now may be carried on by those that are under way.
    pub(super) fn may_carry(&mut self) {
        self.0.iter_mut().for_each(|merge| merge.carries = true);
    }

    /// Whether any of those that are under way may carry on what is to be erased.
    pub(super) fn carry(&self) -> bool {
        self.0.iter().any(|merge| merge.carries)
    }

    fn has_large(&self) -> bool {
        self.0.iter().any(|merge| merge.group.documents >= LARGE)
    }
}

impl Merge {
    /// The segment that was made, unless nothing was left for it.
    fn poll(&mut self, waker: &Waker) -> Poll<tantivy::Result<Option<SegmentId>>> {
        // Once it was polled it may not be waited for in the library's own way.
        let made = Pin::new(&mut self.end).poll(&mut Context::from_waker(waker));
        match made.map_ok(|made| made.map(|segment| segment.id())) {
            // All of a segment was deleted meanwhile, and it went with a commit: the others stay as they are.
            Poll::Ready(Err(TantivyError::InvalidArgument(_))) => Poll::Ready(Ok(None)),
            made => made,
        }
    }
}

/// Wakes a thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(sizes: &[(u64, u64)]) -> Vec<Segment> {
        sizes
            .iter()
            .map(|(documents, deleted)| Segment::new(SegmentId::generate_random(), *documents, *deleted))
            .collect()
    }

    /// The sizes of what is merged.
    fn merged(segments: &[Segment], rule: Rule) -> Vec<Vec<u64>> {
        let size_of =
            |id: &SegmentId| segments.iter().find(|segment| segment.id() == *id).map_or(0, Segment::documents);
        let groups = groups(&segments.iter().collect::<Vec<_>>(), rule, &HashSet::new());
        groups.iter().map(|group| group.segments.iter().map(size_of).collect()).collect()
    }

    fn of_sizes(sizes: &[u64]) -> Vec<Segment> {
        segments(&sizes.iter().map(|size| (*size, 0)).collect::<Vec<_>>())
    }

    #[test]
    fn several_of_a_level_become_one() {
        let seven = [1, 2, 3, 100, 5, 127, 7];
        assert_eq!(merged(&of_sizes(&seven), Rule::BUSY), Vec::<Vec<u64>>::new());
        let eight = [&seven[..], &[8, 200, 2_000]].concat();
        assert_eq!(merged(&of_sizes(&eight), Rule::BUSY), [[1, 2, 3, 5, 7, 8, 100, 127]]);
        assert_eq!(merged(&of_sizes(&[128; 8]), Rule::BUSY), [[128; 8]]);
        assert_eq!(
            merged(&of_sizes(&[1_023, 1_024, 1_023, 1_024, 1_023, 1_024, 1_023, 1_024]), Rule::BUSY),
            Vec::<Vec<u64>>::new()
        );
    }

    #[test]
    fn an_idle_index_is_left_with_few_segments() {
        assert_eq!(merged(&of_sizes(&[1, 10, 1_000]), Rule::IDLE), Vec::<Vec<u64>>::new());
        assert_eq!(merged(&of_sizes(&[1, 10, 1_000, 16_000]), Rule::IDLE), [[1, 10, 1_000, 16_000]]);
        assert_eq!(merged(&of_sizes(&[1, 10, 1_000, 20_000]), Rule::IDLE), Vec::<Vec<u64>>::new());
    }

    #[test]
    fn no_segment_grows_beyond_what_is_merged_soon() {
        assert_eq!(merged(&of_sizes(&[200_000; 20]), Rule::BUSY), vec![vec![200_000; 5]; 4]);
        assert_eq!(merged(&of_sizes(&[130_000; 8]), Rule::BUSY), Vec::<Vec<u64>>::new());
        assert_eq!(merged(&of_sizes(&[30_000; 40]), Rule::BUSY), vec![vec![30_000; 10]; 4]);
        assert_eq!(merged(&of_sizes(&[1; 100]), Rule::BUSY), [vec![1; 36], vec![1; 64]]);
    }

    #[test]
    fn what_is_to_be_rewritten_is() {
        let segments = segments(&[(900, 1), (900, 0), (2, 1)]);
        let rewritten = [0, 2].map(|at: usize| segments[at].id()).into();
        let groups = groups(&segments.iter().collect::<Vec<_>>(), Rule::BUSY, &rewritten);
        assert_eq!(groups.iter().map(|group| group.documents).collect::<Vec<_>>(), [2, 900]);
    }

    #[test]
    fn what_is_mostly_deleted_is_written_anew() {
        assert_eq!(merged(&segments(&[(900, 450), (900, 451), (50, 70)]), Rule::BUSY), [[900]]);
        assert_eq!(merged(&segments(&[(400_000, 200_001), (900, 451)]), Rule::BUSY), [[900], [400_000]]);
        // Once is enough.
        assert_eq!(merged(&segments(&[(900, 500); 8]), Rule::BUSY), [[900; 8]]);
    }

    #[test]
    fn merging_comes_to_an_end() {
        for rule in [Rule::BUSY, Rule::IDLE] {
            let mut sizes: Vec<u64> = (0..3_000).map(|at| at * at % 50_021).collect();
            let mut rounds = 0;
            loop {
                let segments = of_sizes(&sizes);
                let groups = merged(&segments, rule);
                if groups.is_empty() {
                    break;
                }
                for size in groups.iter().flatten() {
                    sizes.swap_remove(sizes.iter().position(|other| other == size).unwrap());
                }
                sizes.extend(groups.iter().map(|group| group.iter().sum::<u64>()));
                rounds += 1;
            }
            let total: u64 = sizes.iter().sum();
            assert!(rounds < 20 && sizes.iter().all(|size| *size <= total / 4), "{rounds} rounds: {sizes:?}");
            assert!(sizes.len() < 40, "{sizes:?}");
        }
    }
}
