//! Which segments become one.
//!
//! Every commit adds a segment, each segment costs every commit and every search a little, and each merge costs about
//! as much as indexing its documents did. So small ones are merged when there are several of about the same size, and
//! no merge is so large that it would take long.

use tantivy::index::SegmentMeta;
use tantivy::indexer::{MergeCandidate, MergePolicy};

/// Segments of a level that become one.
const SEVERAL: usize = 8;

/// Documents up to which segments are of the lowest level: merging them costs about the same however few they have.
const FEW: u32 = 128;

/// How many times more documents the segments of a level have than those of the level below.
const STEP: u32 = 8;

/// Documents of the largest segments, unless the index is so large that these would be many.
const MANY: u64 = 250_000;

/// Largest segments that an index has, give or take a few.
const LARGEST: u64 = 4;

/// Segments that are merged at a time.
const WIDEST: usize = 64;

/// Part of a segment that is deleted before it is written anew.
const DELETED: f64 = 0.3;

/// The rule. What is being merged already is not offered.
#[derive(Debug)]
pub(super) struct Merging {
    /// Segments of a level that become one.
    pub(super) several: usize,
}

impl Default for Merging {
    fn default() -> Self {
        Self { several: SEVERAL }
    }
}

impl MergePolicy for Merging {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let total: u64 = segments.iter().map(documents).sum();
        let most = MANY.max(total / LARGEST);
        let mut small: Vec<&SegmentMeta> = segments.iter().filter(|segment| documents(segment) < most / 2).collect();
        small.sort_by_key(|segment| segment.num_docs());
        let mut groups: Vec<Vec<&SegmentMeta>> = Vec::new();
        for level in small.chunk_by(|one, other| level_of(one) == level_of(other)) {
            if level.len() >= self.several {
                groups.extend(groups_of(level, most));
            }
        }
        let is_grouped = |segment: &SegmentMeta| groups.iter().flatten().any(|other| other.id() == segment.id());
        let stale =
            segments.iter().filter(|segment| is_stale(segment) && !is_grouped(segment)).map(|segment| vec![segment]);
        let groups: Vec<_> = stale.chain(groups.iter().cloned()).collect();
        groups.iter().map(|group| MergeCandidate(group.iter().map(|segment| segment.id()).collect())).collect()
    }
}

/// Segments of a level, smallest first, in groups of `most` documents together.
fn groups_of<'a>(level: &[&'a SegmentMeta], most: u64) -> Vec<Vec<&'a SegmentMeta>> {
    let mut groups = vec![Vec::new()];
    let mut sum = 0;
    for segment in level {
        sum += documents(segment);
        let group = groups.last().map_or(0, Vec::len);
        if sum > most || group == WIDEST {
            groups.push(Vec::new());
            sum = documents(segment);
        }
        if let Some(group) = groups.last_mut() {
            group.push(*segment);
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

fn documents(segment: &SegmentMeta) -> u64 {
    u64::from(segment.num_docs())
}

fn level_of(segment: &SegmentMeta) -> u32 {
    (segment.num_docs() / FEW).checked_ilog(STEP).map_or(0, |level| level + 1)
}

fn is_stale(segment: &SegmentMeta) -> bool {
    segment.max_doc() > FEW && f64::from(segment.num_deleted_docs()) > f64::from(segment.max_doc()) * DELETED
}
