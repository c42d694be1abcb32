//! What can go wrong with an index.

use tantivy::TantivyError;

/// An index that cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// There is no index in the folder.
    #[error("there is no index here")]
    Missing,
    /// The folder has an index already.
    #[error("there is an index here already")]
    Exists,
    /// The index is open already; two over one folder would take its files away from each other.
    #[error("the index is in use")]
    InUse,
    /// The writer cannot end before what was applied is committed.
    #[error("the index has edits that are not committed")]
    Uncommitted,
    /// The writer failed, and everything since the last commit has to be applied again.
    #[error("the index's writer failed, and the edits since its last commit are lost: {0}")]
    WriterLost(#[source] Box<SearchError>),
    /// The index was written in a form that this version does not read.
    #[error("the index has the form {found}, and this version reads {}", crate::schema::FORMAT)]
    Outdated {
        /// The form that was found.
        found: String,
    },
    /// What is stored cannot be read.
    #[error("the index is damaged: {0}")]
    Damaged(String),
    /// A query of one tenant was put to the index of another.
    #[error("the query is another tenant's")]
    Foreign,
    /// The query would take more time or memory than it may.
    #[error("{0}")]
    TooCostly(String),
    /// The disk or the library below failed.
    #[error("the index failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a call to the index comes to.
pub type Result<T> = std::result::Result<T, SearchError>;

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::DataCorruption(corruption) => Self::Damaged(format!("{corruption:?}")),
            TantivyError::IncompatibleIndex(found) => Self::Outdated { found: format!("{found:?}") },
            other => Self::Failed(Box::new(other)),
        }
    }
}

impl From<std::io::Error> for SearchError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}
