//! What the library's `meta.json` says: which files make up the index, and what was noted with the last commit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tantivy::index::SegmentId;

use crate::error::{Result, SearchError};

/// Name of the file that names all others.
pub(super) const META: &str = "meta.json";

/// Endings of the files of every segment.
const PARTS: [&str; 6] = ["term", "idx", "pos", "fast", "fieldnorm", "store"];

/// A state of the index.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) segments: Vec<Segment>,
    /// Number of the last commit; merges keep it.
    pub(crate) opstamp: u64,
    /// What was noted with the last commit.
    pub(crate) payload: Option<String>,
}

/// A part of the index, which every search goes through.
#[derive(Debug, Deserialize)]
pub(crate) struct Segment {
    #[serde(rename = "segment_id")]
    id: SegmentId,
    /// Documents, deleted ones included.
    #[serde(rename = "max_doc")]
    length: u64,
    deletes: Option<Deletes>,
}

#[derive(Debug, Deserialize)]
struct Deletes {
    #[serde(rename = "num_deleted_docs")]
    count: u64,
    opstamp: u64,
}

impl Segment {
    #[cfg(test)]
    pub(crate) fn new(id: SegmentId, documents: u64, deleted: u64) -> Self {
        let deletes = (deleted > 0).then_some(Deletes { count: deleted, opstamp: 1 });
        Self { id, length: documents + deleted, deletes }
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.id
    }

    /// How many documents are deleted.
    pub(crate) fn deleted(&self) -> u64 {
        self.deletes.as_ref().map_or(0, |deletes| deletes.count)
    }

    /// How many documents are not deleted.
    pub(crate) fn documents(&self) -> u64 {
        self.length.saturating_sub(self.deleted())
    }
}

impl Manifest {
    /// Reads the last durable state of a folder.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        match fs::read(folder.join(META)) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SearchError::Missing),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a `meta.json`.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        serde_json::from_slice(text).map_err(|error| SearchError::Damaged(format!("{META}: {error}")))
    }

    /// All files that the state is made of.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.segments.iter().flat_map(|segment| {
            let id = segment.id.uuid_string();
            let deletes =
                segment.deletes.as_ref().map(|deletes| PathBuf::from(format!("{id}.{}.del", deletes.opstamp)));
            PARTS.iter().map(move |part| PathBuf::from(format!("{id}.{part}"))).chain(deletes)
        })
    }
}

/// A `meta.json` with another note.
pub(super) fn with_payload(text: &[u8], payload: String) -> Result<Vec<u8>> {
    let mut meta: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(text).map_err(|error| SearchError::Damaged(format!("{META}: {error}")))?;
    meta.insert("payload".to_owned(), payload.into());
    serde_json::to_vec(&meta).map_err(|error| SearchError::Failed(Box::new(error)))
}

/// Whether a file of this name may be an index's, so that it goes where no state names it.
pub(super) fn is_of_an_index(name: &Path) -> bool {
    let Some(name) = name.to_str() else { return false };
    let of_segment = |(id, _): (&str, &str)| SegmentId::from_uuid_string(id).is_ok();
    name.starts_with(META) || name.split_once('.').is_some_and(of_segment)
}
