//! The formats: each takes rows one after the other, and writes what becomes of them to a sink.
//!
//! They block, and run on a thread of their own.

mod csv;
mod ndjson;
mod number;
mod parquet;
#[cfg(test)]
mod tests;
mod xlsx;

use std::io::Write;
use std::path::Path;

use super::cell::Cell;
use super::column::Column;
use super::format::Format;
use crate::error::{Error, ErrorCode, Result};
use crate::query::AnsweredRow;
use crate::records::Record;

/// A row, in both of its looks.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// One for each column; none where the format takes the whole.
    pub(super) cells: Vec<Cell<'a>>,
    /// What it is made of.
    pub(super) whole: Whole<'a>,
}

/// What a row is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whole<'a> {
    /// A record.
    Record(&'a Record),
    /// A row of a report, with its columns among groups and measures.
    Group(&'a AnsweredRow),
}

/// A text that had to be cut, since the format has no room for all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// The column's name.
    pub(super) column: String,
    /// Characters that the format has room for.
    pub(super) most: usize,
}

/// Writes rows in a format.
pub(super) trait RowWriter {
    /// Writes one row; what of it was cut.
    fn write(&mut self, row: &Row<'_>) -> Result<Vec<Cut>>;

    /// Writes what comes at the end.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// How a file is written.
#[derive(Debug, Clone)]
pub(super) struct Layout<'a> {
    pub(super) format: Format,
    pub(super) columns: &'a [Column],
    /// What sheets are called.
    pub(super) title: &'a str,
    /// Texts that spreadsheets would take for formulas are kept from it.
    pub(super) escape_formulas: bool,
    /// Folder of temporary files.
    pub(super) scratch_dir: &'a Path,
    /// Bytes of temporary files.
    pub(super) max_scratch_bytes: u64,
}

/// Begins a file.
pub(super) fn open<'a>(layout: &Layout<'a>, sink: impl Write + Send + 'a) -> Result<Box<dyn RowWriter + 'a>> {
    Ok(match layout.format {
        Format::Csv => Box::new(csv::CsvWriter::open(layout, sink)?),
        Format::Xlsx => Box::new(xlsx::XlsxWriter::open(layout, sink)?),
        Format::Ndjson => Box::new(ndjson::NdjsonWriter::open(sink)),
        Format::Parquet => Box::new(parquet::ParquetWriter::open(layout, sink)?),
    })
}

/// Nobody takes what is written, or there is no room for it.
fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::internal(error)
}

fn too_large(what: &str) -> Error {
    Error::new(ErrorCode::TooLarge, format!("{what}; narrow the export by `filter` or `select`"))
}
