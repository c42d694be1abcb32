//! CSV after RFC 4180: UTF-8 without a mark, commas, lines that end with CR and LF, quotes where they are needed.
//!
//! Cells are what an import reads as the same values: lists are joined by `;`, or are a JSON array where an element has
//! one itself; points are `lat,lon`; anything else is as the API has it, without quotation marks.

use std::borrow::Cow;
use std::io::Write;

use csv::{Terminator, Writer, WriterBuilder};

use super::{Cut, Layout, Row, RowWriter, failed};
use crate::error::Result;
use crate::exports::cell::Cell;

/// Bytes that are gathered before the sink has them.
const BUFFER: usize = 64 * 1024;

/// Writes CSV.
pub(super) struct CsvWriter<W: Write> {
    writer: Writer<W>,
    escape_formulas: bool,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn open(layout: &Layout<'_>, sink: W) -> Result<Self> {
        let writer = WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(BUFFER).from_writer(sink);
        let mut opened = Self { writer, escape_formulas: layout.escape_formulas };
        for column in layout.columns {
            opened.text(&column.heading)?;
        }
        opened.end_row()?;
        Ok(opened)
    }

    fn field(&mut self, text: &str) -> Result<()> {
        self.writer.write_field(text).map_err(failed)
    }

    /// A text that somebody wrote.
    fn text(&mut self, text: &str) -> Result<()> {
        match self.escape_formulas && is_taken_for_a_formula(text) {
            true => self.field(&format!("'{text}")),
            false => self.field(text),
        }
    }

    fn end_row(&mut self) -> Result<()> {
        self.writer.write_record(None::<&[u8]>).map_err(failed)
    }
}

impl<W: Write> RowWriter for CsvWriter<W> {
    fn write(&mut self, row: &Row<'_>) -> Result<Vec<Cut>> {
        for cell in &row.cells {
            match cell {
                Cell::Text(text) | Cell::Json(text) => self.text(text)?,
                Cell::List(texts) => self.text(&joined(texts))?,
                plain => self.field(&plain_text(plain))?,
            }
        }
        self.end_row()?;
        Ok(Vec::new())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.flush().map_err(failed)
    }
}

/// What stands in a cell that is no text.
pub(super) fn plain_text<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    match cell {
        Cell::Empty => Cow::Borrowed(""),
        Cell::Text(text) | Cell::Decimal(text) | Cell::Date(text) | Cell::Datetime(text) | Cell::Json(text) => {
            Cow::Borrowed(text)
        }
        Cell::Integer(number) => Cow::Owned(number.to_string()),
        Cell::Boolean(true) => Cow::Borrowed("true"),
        Cell::Boolean(false) => Cow::Borrowed("false"),
        Cell::List(texts) => Cow::Owned(joined(texts)),
        Cell::Geo(lat, lon) => Cow::Owned(format!("{lat},{lon}")),
    }
}

/// A list in one cell.
fn joined(texts: &[Cow<'_, str>]) -> String {
    let is_plain = |text: &Cow<'_, str>| !text.contains(';') && !text.starts_with('[');
    match texts.iter().all(is_plain) {
        true => texts.join(";"),
        // Texts always become JSON.
        false => serde_json::to_string(texts).unwrap_or_default(),
    }
}

/// Whether a spreadsheet may compute a cell that begins so.
fn is_taken_for_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}
