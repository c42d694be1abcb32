//! Noticing that a file was overwritten since it was mapped.
//!
//! Queries keep what they have read of a file, so that reading it again is nothing that they could fail at.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use tantivy::directory::{FileHandle, OwnedBytes};

use crate::error::{Result, SearchError};

/// Samples of each file, evenly spread.
const COUNT: usize = 16;

/// Bytes of a sample.
const LENGTH: usize = 8;

/// Some bytes of a mapped file, and what they were at first.
#[derive(Debug)]
pub(crate) struct Samples {
    name: PathBuf,
    file: OwnedBytes,
    first: [[u8; LENGTH]; COUNT],
    /// Which one is looked at next.
    turn: AtomicUsize,
}

impl Samples {
    /// Of a file of so many bytes; it has to have more than all samples together.
    pub(super) fn of(name: PathBuf, file: &dyn FileHandle, length: u64) -> io::Result<Self> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let file = file.read_bytes(0..length)?;
        let mut first = [[0; LENGTH]; COUNT];
        for (at, sample) in first.iter_mut().enumerate() {
            let there = file.get(range(at, length)).ok_or(io::ErrorKind::UnexpectedEof)?;
            sample.copy_from_slice(there);
        }
        Ok(Self { name, file, first, turn: AtomicUsize::default() })
    }

    /// Compares one of them, which costs next to nothing; as many calls compare all.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] where the file was overwritten.
    pub(crate) fn check_next(&self) -> Result<()> {
        let at = self.turn.fetch_add(1, Ordering::Relaxed) % COUNT;
        match self.file.get(range(at, self.file.len())) == self.first.get(at).map(<[u8; LENGTH]>::as_slice) {
            true => Ok(()),
            false => Err(SearchError::Damaged(format!("{} was overwritten", self.name.display()))),
        }
    }
}

/// Where a sample is: the first one at the beginning of the file, the last one at its end.
fn range(at: usize, length: usize) -> Range<usize> {
    let start = length.saturating_sub(LENGTH) * at / (COUNT - 1);
    start..start + LENGTH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_as_many_calls_compares_another_sample() {
        let bytes: Vec<u8> = (0..10_000_u32).map(|at| (at % 251) as u8).collect();
        let samples = Samples::of(PathBuf::from("a.idx"), &OwnedBytes::new(bytes.clone()), 10_000).unwrap();
        (0..2 * COUNT).for_each(|_| samples.check_next().unwrap());
        let mut places: Vec<_> = (0..COUNT).map(|at| range(at, bytes.len())).collect();
        assert_eq!((places.remove(0), places.pop().unwrap().end), (0..LENGTH, bytes.len()));
        assert!(places.windows(2).all(|two| two[0].end < two[1].start));

        let other: Vec<u8> = bytes.iter().map(|byte| byte ^ 1).collect();
        let overwritten = Samples { file: OwnedBytes::new(other), ..samples };
        for _ in 0..COUNT {
            let refused = overwritten.check_next().unwrap_err();
            assert_eq!(refused.to_string(), "the index is damaged: a.idx was overwritten");
        }
    }

    #[test]
    fn a_file_that_is_too_short_for_samples_is_refused() {
        let file = OwnedBytes::new(vec![1; 100]);
        assert!(Samples::of(PathBuf::from("a.idx"), &file, 4).is_err());
    }
}
