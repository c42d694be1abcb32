//! Reading what is stored, which may be damaged.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Result, SearchError};

/// Reads files. The library panics or fails where they are not what it expects, which is damage; or a mistake of ours,
/// which [`Index::check_files`](crate::Index::check_files) tells apart.
pub(crate) fn reading<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    // What a query makes goes with it, and what it leaves to others is put there as a whole.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Err(SearchError::Failed(error))) => Err(SearchError::Damaged(error.to_string())),
        Ok(result) => result,
        Err(panic) => Err(SearchError::Damaged(format!("reading it panicked: {}", message(&*panic)))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
