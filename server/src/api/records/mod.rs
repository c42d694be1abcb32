//! Records: one by one, in batches, in transactions; their links and their past.

pub(crate) mod associations;
pub(crate) mod batch;
pub(crate) mod body;
pub(crate) mod history;
mod inputs;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod owner;
pub(crate) mod read;
pub(crate) mod scores;
pub(crate) mod search;
pub(crate) mod stage;
pub(crate) mod timeline;
pub(crate) mod transaction;
pub(crate) mod write;
