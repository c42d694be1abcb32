//! Workbooks: a head that stays in sight, typed cells, and a further sheet where one is full.
//!
//! A cell holds 15 digits of a number and 32,767 characters of a text. Numbers with more digits are texts, so that
//! nothing is rounded; longer texts are cut, and it is told which. Days before March 1900 are texts, since Excel counts
//! a day that never was.

use std::io::Write;

use rust_xlsxwriter::{Format, Workbook, Worksheet};

use super::csv::plain_text;
use super::number::{days, microseconds, significant_digits};
use super::{Cut, Layout, Row, RowWriter, failed, too_large};
use crate::error::Result;
use crate::exports::cell::Cell;
use crate::exports::column::{Column, Type};

/// Rows of a sheet, its head included.
const ROWS: u32 = 1_048_576;

/// Columns of a sheet.
const COLUMNS: usize = 16_384;

/// Characters of a cell, in units of UTF-16.
const LONGEST: usize = 32_767;

/// Digits that a number keeps.
const DIGITS: usize = 15;

/// Characters of a sheet's name.
const LONGEST_NAME: usize = 31;

/// Days from the one that Excel counts from to 1970-01-01.
const EPOCH: f64 = 25_569.0;

/// Days from 1970-01-01 to 1900-03-01, before which Excel counts one too many.
const FIRST_DAY: i32 = -25_508;

const MICROS_A_DAY: f64 = 86_400_000_000.0;

/// What a cell takes in the temporary file beside its text, at most.
const CELL_BYTES: u64 = 64;

/// Writes a workbook. Rows go to a temporary file, and are packed at the end.
pub(super) struct XlsxWriter<W> {
    workbook: Workbook,
    sink: W,
    columns: Vec<Column>,
    title: String,
    sheets: u32,
    row: u32,
    /// How a cell of each column is shown, where not as it is.
    formats: Vec<Option<Format>>,
    scratch_bytes: u64,
    max_scratch_bytes: u64,
    /// Rows of a sheet.
    rows: u32,
}

impl<W: Write + Send> XlsxWriter<W> {
    pub(super) fn open(layout: &Layout<'_>, sink: W) -> Result<Self> {
        Self::with_rows(layout, sink, ROWS)
    }

    /// The same with sheets of so many rows.
    pub(super) fn with_rows(layout: &Layout<'_>, sink: W, rows: u32) -> Result<Self> {
        if layout.columns.len() > COLUMNS {
            return Err(too_large(&format!("a sheet has at most {COLUMNS} columns")));
        }
        let mut workbook = Workbook::new();
        workbook.set_tempdir(layout.scratch_dir).map_err(failed)?;
        let mut opened = Self {
            workbook,
            sink,
            columns: layout.columns.to_vec(),
            title: layout.title.to_owned(),
            sheets: 0,
            row: 0,
            formats: layout.columns.iter().map(|column| format_of(column.kind)).collect(),
            scratch_bytes: 0,
            max_scratch_bytes: layout.max_scratch_bytes,
            rows,
        };
        opened.begin_sheet()?;
        Ok(opened)
    }

    fn begin_sheet(&mut self) -> Result<()> {
        self.sheets += 1;
        let name = self.sheet_name();
        let sheet = self.workbook.add_worksheet_with_constant_memory().map_err(failed)?;
        // A name that Excel does not take is no reason to have no file.
        drop(sheet.set_name(name));
        sheet.set_freeze_panes(1, 0).map_err(failed)?;
        let bold = Format::new().set_bold();
        for (place, column) in (0..).zip(&self.columns) {
            let (heading, _) = cut(&column.heading);
            sheet.write_string_with_format(0, place, heading, &bold).map_err(failed)?;
        }
        self.row = 1;
        Ok(())
    }

    fn sheet_name(&self) -> String {
        let number = if self.sheets > 1 { format!(" {}", self.sheets) } else { String::new() };
        let room = LONGEST_NAME - number.len();
        let title: String = self.title.chars().take(room).collect();
        format!("{title}{number}")
    }
}

impl<W: Write + Send> RowWriter for XlsxWriter<W> {
    fn write(&mut self, row: &Row<'_>) -> Result<Vec<Cut>> {
        if self.row >= self.rows {
            self.begin_sheet()?;
        }
        let at = self.row;
        self.row += 1;
        let index = usize::try_from(self.sheets).unwrap_or_default().saturating_sub(1);
        let sheet = self.workbook.worksheet_from_index(index).map_err(failed)?;
        let mut cuts = Vec::new();
        for (place, ((cell, column), format)) in (0..).zip(row.cells.iter().zip(&self.columns).zip(&self.formats)) {
            let written = write_cell(sheet, (at, place), cell, format.as_ref())?;
            self.scratch_bytes = self.scratch_bytes.saturating_add(CELL_BYTES + written.bytes);
            if written.is_cut {
                cuts.push(Cut { column: column.name.clone(), most: LONGEST });
            }
        }
        if self.scratch_bytes > self.max_scratch_bytes {
            let most = self.max_scratch_bytes / (1024 * 1024);
            return Err(too_large(&format!("the workbook is put together from more than {most} MiB")));
        }
        Ok(cuts)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let sink = &mut self.sink;
        self.workbook.save_to_writer(&mut *sink).map_err(failed)?;
        sink.flush().map_err(failed)
    }
}

/// What was written of a cell.
#[derive(Default)]
struct Written {
    /// Of its text.
    bytes: u64,
    is_cut: bool,
}

fn write_cell(sheet: &mut Worksheet, at: (u32, u16), cell: &Cell<'_>, format: Option<&Format>) -> Result<Written> {
    let (row, column) = at;
    let number = match cell {
        Cell::Empty => return Ok(Written::default()),
        Cell::Boolean(is_true) => {
            sheet.write_boolean(row, column, *is_true).map_err(failed)?;
            return Ok(Written::default());
        }
        Cell::Integer(integer) => exact(&integer.to_string()),
        Cell::Decimal(digits) => exact(digits),
        Cell::Date(date) => days(date).filter(|day| *day >= FIRST_DAY).map(|day| EPOCH + f64::from(day)),
        Cell::Datetime(moment) => microseconds(moment).and_then(serial),
        Cell::Text(_) | Cell::List(_) | Cell::Geo(..) | Cell::Json(_) => None,
    };
    if let Some(number) = number {
        match format {
            Some(format) => sheet.write_number_with_format(row, column, number, format),
            None => sheet.write_number(row, column, number),
        }
        .map_err(failed)?;
        return Ok(Written::default());
    }
    let text = plain_text(cell);
    let (kept, is_cut) = cut(&text);
    sheet.write_string(row, column, kept).map_err(failed)?;
    Ok(Written { bytes: kept.len() as u64, is_cut })
}

/// A number that keeps all its digits.
fn exact(digits: &str) -> Option<f64> {
    (significant_digits(digits) <= DIGITS).then(|| digits.parse().ok()).flatten()
}

/// A moment as days since the one that Excel counts from.
fn serial(microseconds: i64) -> Option<f64> {
    let day = microseconds.div_euclid(86_400_000_000);
    let rest = microseconds.rem_euclid(86_400_000_000);
    let day = i32::try_from(day).ok().filter(|day| *day >= FIRST_DAY)?;
    // Both fit a float without loss.
    let rest =
        f64::from(u32::try_from(rest / 1_000_000).ok()?) * 1e6 + f64::from(u32::try_from(rest % 1_000_000).ok()?);
    Some(EPOCH + f64::from(day) + rest / MICROS_A_DAY)
}

fn format_of(kind: Type) -> Option<Format> {
    match kind {
        Type::Date => Some(Format::new().set_num_format("yyyy-mm-dd")),
        Type::Datetime => Some(Format::new().set_num_format("yyyy-mm-dd hh:mm:ss")),
        Type::Integer | Type::Id => Some(Format::new().set_num_format("0")),
        Type::Decimal { scale, is_padded: true, .. } if scale > 0 => {
            let zeros = "0".repeat(usize::try_from(scale).unwrap_or_default());
            Some(Format::new().set_num_format(format!("0.{zeros}")))
        }
        Type::Decimal { .. } | Type::Text | Type::Boolean | Type::List | Type::Geo | Type::Json => None,
    }
}

/// As much of a text as a cell holds, and whether that is not all.
fn cut(text: &str) -> (&str, bool) {
    if text.len() <= LONGEST {
        return (text, false);
    }
    let mut length = 0;
    for (at, character) in text.char_indices() {
        length += character.len_utf16();
        if length > LONGEST {
            return (text.get(..at).unwrap_or_default(), true);
        }
    }
    (text, false)
}
