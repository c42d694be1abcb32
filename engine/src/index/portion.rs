//! How many records are read at a time: as many as memory bears, however large they are.

use engine_store::record::RecordRow;

/// Bytes of records that are read at a time, about.
const BYTES: usize = 8 << 20;

/// Records that are read at a time at most.
pub(super) const MOST: usize = 1_000;

/// Records that are read first, when nothing is known of their size.
const FIRST: usize = 100;

/// How many records are to be read next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portion(usize);

impl Default for Portion {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Portion {
    /// How many are to be read next.
    pub(super) fn rows(self) -> usize {
        self.0
    }

    /// These were read: as many of their size as memory bears, and at most twice as many as before.
    pub(super) fn saw(&mut self, rows: &[RecordRow]) {
        if let Some(each) = rows.iter().map(|row| row.properties.len()).sum::<usize>().checked_div(rows.len()) {
            self.0 = (BYTES / each.max(1)).min(self.0 * 2).clamp(1, MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn rows(count: usize, bytes: usize) -> Vec<RecordRow> {
        let row = RecordRow {
            id: 1,
            uid: Uuid::nil(),
            object: "note".to_owned(),
            properties: "x".repeat(bytes),
            display_name: String::new(),
            owner_id: None,
            team_id: None,
            version: 1,
            created_at: 0,
            created_by: None,
            updated_at: 0,
            updated_by: None,
            archived_at: None,
            merged_into: None,
        };
        vec![row; count]
    }

    #[test]
    fn large_records_are_read_few_at_a_time() {
        let mut portion = Portion::default();
        assert_eq!(portion.rows(), 100);
        let mut after = |rows: &[RecordRow]| {
            portion.saw(rows);
            portion.rows()
        };
        assert_eq!([1, 2, 3, 4].map(|_| after(&rows(3, 700))), [200, 400, 800, MOST]);
        assert_eq!(after(&rows(2, 4 << 20)), 2);
        assert_eq!(after(&rows(1, 32 << 20)), 1);
        assert_eq!(after(&[]), 1);
        assert_eq!([1, 2, 3].map(|_| after(&rows(3, 700))), [2, 4, 8]);
    }
}
