//! The thread that makes a file of rows: rows go in, parts come out, and neither side runs ahead of the other.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine_model::access::Rights;
use engine_model::time::Timestamp;
use engine_store::record::RecordRow;
use tokio::sync::mpsc;

use super::PART;
use super::cell::{Picker, cells_of_group};
use super::column::{Column, of_rest};
use super::format::Format;
use super::write::{Cut, Layout, Row, RowWriter, Whole, open};
use crate::access::Given;
use crate::definitions::catalog::Catalog;
use crate::error::{Error, Result};
use crate::jobs::{JobError, RowProblem};
use crate::query::AnsweredTable;
use crate::records::{Record, Shown};

/// Pages and parts that wait at a time.
const WAITING: usize = 2;

/// By what a page of records is looked at.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) catalog: Arc<Catalog>,
    pub(super) rights: Arc<Rights>,
    /// The moment at which values that depend on it are computed; the same for the whole file.
    pub(super) now: Timestamp,
}

/// What goes in.
#[derive(Debug)]
pub(super) enum Input {
    /// A page of records.
    Records(Vec<RecordRow>, Arc<Seen>),
    /// All rows of a report.
    Table(AnsweredTable),
    /// There is nothing more. Without it there is no file.
    End,
}

/// What comes out.
#[derive(Debug)]
pub(super) enum Output {
    /// The next part of the file.
    Part(Vec<u8>),
    /// Sensitive values that are in it.
    Given(Given),
    /// Rows of which something was cut.
    Cut(Vec<JobError>),
}

/// What the thread has to know.
#[derive(Debug)]
pub(super) struct Making {
    pub(super) format: Format,
    pub(super) object: String,
    pub(super) columns: Vec<Column>,
    pub(super) selected: Option<Vec<String>>,
    /// Of a report, where each column is found, and how many groups there are.
    pub(super) places: Vec<Option<usize>>,
    pub(super) groups: usize,
    pub(super) title: String,
    pub(super) escape_formulas: bool,
    pub(super) scratch_dir: PathBuf,
    pub(super) max_scratch_bytes: u64,
    /// Rows that are written.
    pub(super) written: Arc<AtomicU64>,
}

/// The two ends of the thread.
pub(super) struct Ends {
    pub(super) rows: mpsc::Sender<Input>,
    pub(super) parts: mpsc::Receiver<Output>,
}

impl Making {
    /// What is to be run on the thread, and its ends.
    pub(super) fn begin(self) -> (impl FnOnce() -> Result<()> + Send + 'static, Ends) {
        let (rows, inputs) = mpsc::channel(WAITING);
        let (outputs, parts) = mpsc::channel(WAITING);
        (move || self.make(inputs, &outputs), Ends { rows, parts })
    }

    fn make(mut self, mut inputs: mpsc::Receiver<Input>, outputs: &mpsc::Sender<Output>) -> Result<()> {
        let first = inputs.blocking_recv().ok_or_else(broken_off)?;
        if let Input::Table(table) = &first
            && table.rows.iter().any(|row| row.key.is_none())
        {
            self.columns.push(of_rest(&self.columns));
            self.places.push(None);
        }
        let layout = Layout {
            format: self.format,
            columns: &self.columns,
            title: &self.title,
            escape_formulas: self.escape_formulas,
            scratch_dir: &self.scratch_dir,
            max_scratch_bytes: self.max_scratch_bytes,
        };
        let mut sink = PartSink { part: Vec::with_capacity(PART), outputs };
        let mut writer = open(&layout, &mut sink)?;
        // The whole of a record is all that NDJSON looks at.
        let picked = if self.format == Format::Ndjson { Vec::new() } else { self.columns.clone() };
        let picker = Picker::new(picked);
        let mut input = Some(first);
        loop {
            match input.take().ok_or_else(broken_off)? {
                Input::End => break,
                Input::Records(rows, seen) => self.records(rows, &seen, &picker, writer.as_mut(), outputs)?,
                Input::Table(table) => self.table(&table, writer.as_mut())?,
            }
            input = inputs.blocking_recv();
        }
        writer.finish()?;
        sink.close()
    }

    fn records(
        &self,
        rows: Vec<RecordRow>,
        seen: &Seen,
        picker: &Picker,
        writer: &mut (dyn RowWriter + '_),
        outputs: &mpsc::Sender<Output>,
    ) -> Result<()> {
        let object = seen.catalog.object(&self.object)?;
        let shown = Shown::of(&seen.catalog, object, &seen.rights, self.selected.as_deref(), seen.now);
        let (mut given, mut cuts) = (Given::default(), Vec::new());
        for row in rows {
            let record = Record::from_row(row, &shown)?;
            given.add_record(&record);
            let row = Row { cells: picker.cells(&record)?, whole: Whole::Record(&record) };
            let cut = writer.write(&row)?;
            let number = self.written.fetch_add(1, Ordering::Relaxed) + 1;
            if !cut.is_empty() {
                cuts.push(told(number, cut));
            }
        }
        if !cuts.is_empty() {
            outputs.blocking_send(Output::Cut(cuts)).map_err(|_| broken_off())?;
        }
        if !given.is_empty() {
            outputs.blocking_send(Output::Given(given)).map_err(|_| broken_off())?;
        }
        Ok(())
    }

    fn table(&self, table: &AnsweredTable, writer: &mut (dyn RowWriter + '_)) -> Result<()> {
        for group in &table.rows {
            let cells = cells_of_group(group, &self.columns, &self.places, self.groups)?;
            writer.write(&Row { cells, whole: Whole::Group(group) })?;
            self.written.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// What of a row was cut, as jobs tell what went wrong.
fn told(number: u64, cuts: Vec<Cut>) -> JobError {
    let problem = |Cut { column, most }| {
        let pointer = engine_model::problem::push_segment("/properties", &column);
        let message = format!("the text has more than the {most} characters that a cell holds, and was cut there");
        RowProblem::new(Some(&column), pointer, "too_long", message)
    };
    let row = i64::try_from(number).unwrap_or(i64::MAX);
    JobError { row, line: number.saturating_add(1), problems: cuts.into_iter().map(problem).collect() }
}

/// Nobody gives rows any more, or nobody takes parts: who has broken off knows why.
fn broken_off() -> Error {
    Error::internal("the file was broken off")
}

/// Gathers what is written into parts.
struct PartSink<'o> {
    part: Vec<u8>,
    outputs: &'o mpsc::Sender<Output>,
}

impl PartSink<'_> {
    fn send(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
        self.outputs.blocking_send(Output::Part(part)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Sends what is left.
    fn close(mut self) -> Result<()> {
        if self.part.is_empty() {
            return Ok(());
        }
        self.send().map_err(Error::internal)
    }
}

impl Write for PartSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART - self.part.len());
        self.part.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.part.len() >= PART {
            self.send()?;
        }
        Ok(taken)
    }

    /// Parts are sent when they are full.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
