//! Searches: resolve what is asked, wait for the index, ask it, and read what it found from the store.
//!
//! What the caller may not see is part of the query itself, so it is in no hit, count, group or suggestion; the page
//! is then read from the store, which looks once more.

mod access;
mod highlight;
mod hydrate;
mod list;
mod search;
mod suggest;
mod table;
mod unread;

pub use hydrate::FoundRecord;
pub(crate) use list::of_parameters;
pub use search::SearchAnswer;
pub use suggest::Suggestion;
pub(crate) use table::answered;
pub use table::{Answered, AnsweredRow, AnsweredTable};

/// Searches that are computed at a time: one for each processor, and one more for when one of them waits for the disk.
pub(crate) fn places() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from) + 1
}
