//! Erasing what was deleted: a deleted document stays in its segment's files until the segment is written anew.

use std::collections::HashSet;

use tantivy::index::SegmentId;

use crate::directory::Segment;

/// The segments that may hold what is to be erased.
#[derive(Debug, Default)]
pub(super) struct Erasing {
    segments: HashSet<SegmentId>,
    is_begun: bool,
}

impl Erasing {
    /// Begins with the segments that have something deleted, unless it has; whether it begins now.
    pub(super) fn begin(&mut self, segments: &[Segment]) -> bool {
        if self.is_begun {
            return false;
        }
        let with_deleted = segments.iter().filter(|segment| segment.deleted() > 0);
        self.segments = with_deleted.map(Segment::id).collect();
        self.is_begun = true;
        true
    }

    /// The segments that are left.
    pub(super) fn segments(&self) -> &HashSet<SegmentId> {
        &self.segments
    }

    /// A merge has ended; what it made may hold what is to be erased where it `carries` that on.
    pub(super) fn saw_end(&mut self, carries: bool, made: Option<SegmentId>) {
        if carries {
            self.segments.extend(made);
        }
    }

    /// Looks at which are left of those that are there now; ends where none are, and no merge carries on any.
    pub(super) fn end(&mut self, segments: &[Segment], is_carried: bool) -> bool {
        let there: HashSet<SegmentId> = segments.iter().map(Segment::id).collect();
        self.segments.retain(|segment| there.contains(segment));
        let is_over = self.segments.is_empty() && !is_carried;
        self.is_begun = !is_over;
        is_over
    }
}
