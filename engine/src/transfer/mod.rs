//! Import: rows of CSV or NDJSON become records, links and users.
//!
//! An import is a [job](crate::Job): [`Session::import_begin`](crate::Session::import_begin) makes it, its file comes in
//! parts, and once that is whole a worker carries it out. A file flows through `input` (bytes), `split` and
//! `rows` (rows, with their places), `row` or `line` (what a row says, by the `map`), `lookup` and `steps`
//! (operations), and `chunk` (carried out, five hundred at a time).
//!
//! # Adding an option to the column map
//! Its key in `map/read.rs`, its effect in `map/cell.rs` where it concerns single cells and in `row.rs` where it
//! concerns rows, and its line in `seeds/README.md`.

mod bind;
mod chunk;
mod import;
mod input;
mod layout;
mod line;
mod lookup;
mod map;
mod outcome;
mod progress;
mod row;
mod rows;
mod seen;
mod spec;
mod split;
mod steps;
#[cfg(test)]
mod testing;
mod upload;
mod users;

pub(crate) use import::run;
pub use progress::Progress;
pub use spec::{Format, ImportRequest};
pub use upload::MAX_PART;

/// What import jobs are called.
pub(crate) const IMPORT: &str = "import";
