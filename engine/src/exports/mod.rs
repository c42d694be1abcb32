//! Exports: the records of an object or a view, or the rows of a report, as a file.
//!
//! An export is a [job](crate::Job) that works with the rights of whoever asked for it. What is wanted is read by
//! `request`, understood by `plan`, found by `source` page by page, laid out by `cell`, written by one of the formats
//! in `write`, on a thread of its own, and kept by `run` part by part in the store, from where `file` gives it to
//! whoever may have it. A run that breaks off begins anew, with nothing of what was there before.
//!
//! # Adding a format
//! A file in `write` with a `RowWriter`, its variant and names in `format.rs`, and its line in `write::open`.

mod bounds;
mod cell;
mod column;
mod file;
mod format;
mod pipeline;
mod plan;
mod request;
mod run;
mod source;
mod write;

pub use bounds::ExportBounds;
pub use file::ExportFile;
pub use format::Format;
pub use request::ExportRequest;
pub(crate) use run::run;

/// What export jobs are called.
pub(crate) const EXPORT: &str = "export";

/// How long a file can be fetched once it is there: 24 hours.
pub(crate) const LIFETIME_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Bytes of a part of a file; the last one has fewer.
const PART: usize = 1024 * 1024;
