//! Keys that have come so far in a file, as far as memory allows.

use std::collections::HashSet;

use engine_store::commit::UniqueValue;
use sha2::{Digest, Sha256};

/// How many keys are remembered: about 60 MB.
const CAPACITY: usize = 2_000_000;

/// Keys that have come so far in a file. Half a SHA-256 digest stands for each.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<[u8; 16]>);

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It came for the first time.
    First,
    /// It came before.
    Again,
    /// There is no room to tell.
    Full,
}

impl Seen {
    /// Takes a key in.
    pub(super) fn note(&mut self, key: &UniqueValue) -> Known {
        let digest = digest(key);
        if self.0.contains(&digest) {
            Known::Again
        } else if self.0.len() >= CAPACITY {
            Known::Full
        } else {
            self.0.insert(digest);
            Known::First
        }
    }

    /// The key came before.
    pub(super) fn has(&self, key: &UniqueValue) -> bool {
        self.0.contains(&digest(key))
    }
}

fn digest(key: &UniqueValue) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [&key.object, &key.properties, &key.value] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut digest = [0; 16];
    digest.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    digest
}
