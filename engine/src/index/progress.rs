//! How far the making of an index has come, for those who wait for it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::error::{Error, ErrorCode};

/// Records up to which it is so soon done that a search waits for it.
const SOON_DONE: i64 = 20_000;

/// How many records are in an index that is being made, of how many.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    done: AtomicI64,
    /// About; 0 as long as nobody has looked.
    total: AtomicI64,
    /// Every record is in; links and files take a while longer.
    has_all: AtomicBool,
}

impl Progress {
    /// So many records there are, about.
    pub(super) fn begin(&self, total: i64) {
        self.done.store(0, Ordering::Relaxed);
        self.has_all.store(false, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// So many more are in the index.
    pub(super) fn add(&self, records: usize) {
        self.done.fetch_add(i64::try_from(records).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Every record is in the index.
    pub(super) fn end_records(&self) {
        self.has_all.store(true, Ordering::Relaxed);
    }

    /// How many are done, of how many, about.
    pub(super) fn read(&self) -> (i64, i64) {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        (done.min(total), total)
    }

    /// Whether there is so much to do that nobody should wait for it.
    pub(super) fn takes_long(&self) -> bool {
        self.total.load(Ordering::Relaxed) > SOON_DONE
    }

    /// What a search is told meanwhile.
    pub(super) fn error(&self) -> Error {
        let (done, total) = self.read();
        let how_far = if self.has_all.load(Ordering::Relaxed) {
            format!("all {} records are in, links and files are being written", grouped(done))
        } else if total == 0 {
            "it is about to begin".to_owned()
        } else {
            format!("{} of about {} records", grouped(done), grouped(total))
        };
        let detail =
            format!("the search index is being built: {how_far}; lists and reads by id work, try again shortly");
        Error::new(ErrorCode::Unavailable, detail)
    }
}

/// A number of things as people read it.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_words() {
        let progress = Progress::default();
        assert!(progress.error().detail.contains("it is about to begin"));
        progress.begin(1_000_000);
        progress.add(120_000);
        let error = progress.error();
        assert_eq!(error.code, ErrorCode::Unavailable);
        assert!(error.detail.contains("120,000 of about 1,000,000 records"), "{}", error.detail);
        progress.add(700_000);
        progress.end_records();
        let detail = progress.error().detail;
        assert!(detail.contains("all 820,000 records are in, links and files are being written"), "{detail}");
        assert!(progress.takes_long());
        progress.begin(SOON_DONE);
        assert!(!progress.takes_long());
    }

    #[test]
    fn digits_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 12_345, 1_234_567].map(grouped), ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
