//! The rows of a file, some at a time, with the place of each.

use engine_model::JobId;
use engine_model::TenantId;
use engine_store::Store;

use super::input::Input;
use super::progress::{Cursor, Place};
use super::split::Splitter;
use crate::error::{Error, ErrorCode, Result};

/// The longest row, in bytes.
const MAX_ROW: usize = 1024 * 1024;

/// Bytes after which a chunk has enough rows.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Some rows that follow each other.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Their text, one after the other.
    text: String,
    rows: Vec<RawRow>,
    /// The place behind them.
    pub(super) end: Place,
}

/// One row as it stands in the file.
#[derive(Debug, Clone, Copy)]
struct RawRow {
    /// Where it ends in the chunk's text.
    end: usize,
    /// Line of the file on which it begins, counted from 1.
    line: u64,
}

/// The rows of a file, from whichever place.
#[derive(Debug)]
pub(super) struct Rows {
    input: Input,
    splitter: Splitter,
    /// Lines before the next row.
    line: u64,
    /// Rows before the next row.
    rows: u64,
}

impl Rows {
    /// The rows of a job's input from its beginning.
    pub(super) async fn open(
        store: &Store,
        tenant: TenantId,
        job: JobId,
        total: u64,
        splitter: Splitter,
    ) -> Result<Self> {
        let mut input = Input::open(store, tenant, job, total, Cursor::default());
        while input.bytes().len() < BYTE_ORDER_MARK.len() && !input.is_whole() {
            input.fill().await?;
        }
        if input.bytes().starts_with(BYTE_ORDER_MARK) {
            input.take(BYTE_ORDER_MARK.len());
        }
        Ok(Self { input, splitter, line: 0, rows: 0 })
    }

    /// The rows of a job's input from `place`, at which a row begins.
    pub(super) async fn resume(
        store: &Store,
        tenant: TenantId,
        job: JobId,
        total: u64,
        splitter: Splitter,
        place: Place,
    ) -> Result<Self> {
        let mut input = Input::open(store, tenant, job, total, place.cursor);
        input.seek(place.offset).await?;
        Ok(Self { input, splitter, line: place.line, rows: place.rows })
    }

    /// The next rows, blank lines left out: at most `limit`, fewer where they are long; none at the end of the file.
    pub(super) async fn next(&mut self, limit: usize) -> Result<Option<Chunk>> {
        let (mut bytes, mut rows) = (Vec::new(), Vec::new());
        while rows.len() < limit && bytes.len() < CHUNK_BYTES {
            let Some(length) = self.next_length().await? else { break };
            let row = self.input.bytes().get(..length).unwrap_or_default();
            let line = self.line + 1;
            // The last line need not have an end.
            self.line += count_lines(row) + u64::from(!row.ends_with(b"\n") && !row.ends_with(b"\r"));
            if row.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
                bytes.extend_from_slice(row);
                rows.push(RawRow { end: bytes.len(), line });
            }
            self.input.take(length);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(error.as_bytes(), error.utf8_error(), &rows))?;
        self.rows += rows.len() as u64;
        Ok(Some(Chunk { text, rows, end: self.place() }))
    }

    /// The place behind the rows that were read.
    pub(super) fn place(&self) -> Place {
        let (offset, cursor) = (self.input.offset(), self.input.cursor());
        Place { offset, cursor, line: self.line, rows: self.rows }
    }

    /// The rows so far were no rows: numbers begin here.
    pub(super) fn restart_numbers(&mut self) {
        self.rows = 0;
    }

    async fn next_length(&mut self) -> Result<Option<usize>> {
        loop {
            let is_whole = self.input.is_whole();
            let found = self.splitter.row(self.input.bytes(), is_whole);
            let waiting = self.input.bytes().len();
            if found.is_none() && waiting == 0 && is_whole {
                return Ok(None);
            }
            if found.unwrap_or(waiting) > MAX_ROW {
                return Err(self.broken(if self.splitter.is_open() { UNCLOSED_LONG } else { TOO_LONG }));
            }
            match found {
                Some(length) => return Ok(Some(length)),
                None if is_whole => return Err(self.broken(UNCLOSED)),
                None => self.input.fill().await?,
            }
        }
    }

    fn broken(&self, what: &str) -> Error {
        unreadable(format!("the row that begins on line {} {what}", self.line + 1))
    }
}

const TOO_LONG: &str = "is longer than 1 MiB; is this the right format?";
const UNCLOSED: &str = "has a quotation mark that is never closed; write a mark inside a cell twice";
const UNCLOSED_LONG: &str = "is longer than 1 MiB: a quotation mark in it seems not to be closed";

impl Chunk {
    /// Each row's line and text, the line end included.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, &str)> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let text = self.text.get(start..row.end).unwrap_or_default();
            start = row.end;
            (row.line, text)
        })
    }

    /// The text of all rows.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Lines end with a line feed, a carriage return, or both.
fn count_lines(row: &[u8]) -> u64 {
    let feeds = row.iter().filter(|byte| **byte == b'\n').count();
    let returns =
        row.iter().zip(row.iter().skip(1).chain([&0])).filter(|(byte, next)| **byte == b'\r' && **next != b'\n');
    (feeds + returns.count()) as u64
}

fn not_utf8(bytes: &[u8], error: std::str::Utf8Error, rows: &[RawRow]) -> Error {
    let at = error.valid_up_to();
    let index = rows.partition_point(|row| row.end <= at);
    let start = index.checked_sub(1).and_then(|before| rows.get(before)).map_or(0, |row| row.end);
    let first = rows.get(index).map_or(1, |row| row.line);
    let line = first + count_lines(bytes.get(start..at).unwrap_or_default());
    let byte = bytes.get(at).copied().unwrap_or_default();
    let hint = if first == 1 && matches!(byte, 0xFE | 0xFF) { "it looks like UTF-16; " } else { "" };
    unreadable(format!("line {line} is not UTF-8 (byte 0x{byte:02X}); {hint}save the file as UTF-8"))
}

/// The file as a whole cannot be read.
pub(super) fn unreadable(detail: String) -> Error {
    Error::new(ErrorCode::BadRequest, detail)
}
