//! Opening the library's index.

use std::sync::LazyLock;

use tantivy::TantivyError;
use tantivy::tokenizer::TokenizerManager;

use crate::directory::WriteBehind;
use crate::error::{Result, SearchError};
use crate::{fields, tokens};

/// The library's index over a folder.
pub(super) fn open_library(directory: WriteBehind) -> Result<tantivy::Index> {
    static TOKENIZERS: LazyLock<TokenizerManager> = LazyLock::new(tokens::tokenizers);
    let mut library = tantivy::Index::open(directory)?;
    if library.schema() != fields().schema {
        return Err(SearchError::Outdated { found: "another schema".to_owned() });
    }
    library.set_tokenizers(TOKENIZERS.clone());
    Ok(library)
}

/// What the library could not open is what it could not read.
pub(super) fn damaged(error: TantivyError) -> SearchError {
    match error.into() {
        SearchError::Failed(error) => SearchError::Damaged(error.to_string()),
        error => error,
    }
}
