//! What an import is asked to do.

use serde::{Deserialize, Serialize};

use super::map::ColumnMap;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Cells with a header, as RFC 4180 writes them.
    Csv,
    /// One JSON object on each line.
    Ndjson,
}

impl Format {
    /// The format called `word`.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "csv" => Self::Csv,
            "ndjson" => Self::Ndjson,
            _ => return None,
        })
    }

    /// What a file's name says that it is.
    pub fn of_file(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        Some(match extension.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => Self::Csv,
            "ndjson" | "jsonl" => Self::Ndjson,
            _ => return None,
        })
    }
}

/// What an import is asked to do.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The object whose records the rows become, or `user`.
    pub object: String,
    /// YAML or JSON: which column goes where; columns called like properties where none is given.
    pub map: Option<String>,
    /// What the file is; told from the map or the file's name where not given.
    pub format: Option<Format>,
    /// Only says what would happen.
    pub dry_run: bool,
    /// Name of the file, for people.
    pub file_name: Option<String>,
}

/// An import as its job keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) object: String,
    pub(super) format: Format,
    pub(super) dry_run: bool,
    pub(super) file_name: Option<String>,
    pub(super) map: Option<String>,
}

impl ImportRequest {
    /// What the file is, by whatever says so.
    pub(super) fn told_format(&self, map: &ColumnMap) -> Option<Format> {
        self.format.or(map.format).or_else(|| Format::of_file(self.file_name.as_deref()?))
    }
}
