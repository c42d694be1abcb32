//! How far an import has got.

use serde::{Deserialize, Serialize};

use crate::jobs::JobError;

/// How many rows that failed a dry run shows with its progress.
pub(super) const SHOWN_BY_DRY_RUN: usize = 50;

/// How many rows that failed an import shows with its progress, which is written often.
pub(super) const SHOWN: usize = 10;

/// How many rows that failed are kept with what is wrong with them; further ones are only counted.
pub(super) const KEPT_ERRORS: u64 = 100_000;

/// How far an import has got: a job's `progress`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Bytes of the file that are dealt with.
    pub bytes: u64,
    /// Bytes of the file; 0 while it is still coming in.
    pub total_bytes: u64,
    /// Rows that are dealt with, without the header.
    pub rows: u64,
    /// Lines of the file that are dealt with.
    pub line: u64,
    /// Records made.
    pub created: u64,
    /// Records changed.
    pub updated: u64,
    /// Rows that said what was so already.
    pub unchanged: u64,
    /// Rows that the map passes over.
    pub skipped: u64,
    /// Rows with problems, of which nothing was taken over.
    pub failed: u64,
    /// The first rows that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<JobError>,
    /// Where to go on.
    pub(super) cursor: Cursor,
}

/// A place in the parts of the input, besides the offset in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The part in which the place is.
    pub(super) part: i64,
    /// The offset at which that part begins.
    pub(super) part_start: u64,
}

/// A place in the file at which a row begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) cursor: Cursor,
    /// Lines before it.
    pub(super) line: u64,
    /// Rows before it, without the header.
    pub(super) rows: u64,
}

/// How rows ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
}

impl Progress {
    /// Where to go on.
    pub(super) fn place(&self) -> Place {
        Place { offset: self.bytes, cursor: self.cursor, line: self.line, rows: self.rows }
    }

    /// Everything before `place` is dealt with, the rows since the last place like this.
    pub(super) fn advance(&mut self, place: Place, counts: Counts) {
        (self.bytes, self.cursor, self.line, self.rows) = (place.offset, place.cursor, place.line, place.rows);
        self.created += counts.created;
        self.updated += counts.updated;
        self.unchanged += counts.unchanged;
        self.skipped += counts.skipped;
        self.failed += counts.failed;
    }
}
