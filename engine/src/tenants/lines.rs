//! Reading the file of a tenant line by line, and seeing whether it is whole before anything is made of it.

use engine_model::name::did_you_mean;
use engine_store::transfer::{Carried, Pack};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use super::file::{Counts, End, FORMAT, Header, KINDS, OLDEST_FORMAT, Standing, Tables, each_table};
use crate::digest::{digest, hexadecimal};
use crate::error::{Error, Result};

/// Longest line, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

/// What the file is read in, in bytes.
const BUFFER: usize = 256 * 1024;

/// A file's lines, of which one is looked at.
pub(super) struct Lines<R> {
    file: BufReader<R>,
    line: Vec<u8>,
    /// What the line is about; empty after the last.
    kind: String,
    /// Where its content begins and ends.
    content: (usize, usize),
    /// Counts lines from 1.
    pub(super) number: u64,
    digest: Sha256,
    counts: Counts,
}

impl<R: AsyncRead + Unpin + Send + Sync> Lines<R> {
    /// Looks at the first line.
    pub(super) async fn open(file: R) -> Result<Self> {
        let mut lines = Self {
            file: BufReader::with_capacity(BUFFER, file),
            line: Vec::new(),
            kind: String::new(),
            content: (0, 0),
            number: 0,
            digest: Sha256::new(),
            counts: Counts::new(),
        };
        lines.go_on().await?;
        Ok(lines)
    }

    /// Something is wrong with the line that is looked at.
    pub(super) fn refuse(&self, code: &'static str, message: impl std::fmt::Display) -> Error {
        refuse(self.number, code, message)
    }

    /// Bytes of the line that is looked at.
    pub(super) fn bytes(&self) -> usize {
        self.line.len()
    }

    /// The content of the line that is looked at if it is of this kind, which the next one is looked at after.
    pub(super) async fn take<T: DeserializeOwned>(&mut self, kind: &str) -> Result<Option<T>> {
        if self.kind != kind {
            return Ok(None);
        }
        let read = self.line.get(self.content.0..self.content.1).map(serde_json::from_slice::<T>);
        let content = match read {
            Some(Ok(content)) => content,
            Some(Err(error)) => return Err(self.refuse("invalid", words(&error))),
            None => return Err(Error::internal("a line ends before its content")),
        };
        if kind != End::KIND {
            self.digest.update(&self.line);
            match self.counts.get_mut(kind) {
                Some(count) => *count += 1,
                None => drop(self.counts.insert(kind.to_owned(), 1)),
            }
        }
        self.go_on().await?;
        Ok(Some(content))
    }

    /// The same where no other kind may come.
    pub(super) async fn expect<T: DeserializeOwned>(&mut self, kind: &str) -> Result<T> {
        match self.take(kind).await? {
            Some(content) => Ok(content),
            None => Err(self.misplaced(kind)),
        }
    }

    fn misplaced(&self, expected: &str) -> Error {
        let found = &self.kind;
        if found.is_empty() {
            let message = "the file ends here, without its last line; it was cut off, so export the tenant again";
            return refuse(self.number + 1, "incomplete", message);
        }
        if self.number == 1 {
            return self
                .refuse("invalid", "this is no exported tenant; its first line would say of which format it is");
        }
        if KINDS.contains(&found.as_str()) {
            let message = format!(
                "a line of the kind `{found}` does not belong here; `{expected}` or what is before it \
                                   in the format would"
            );
            return self.refuse("invalid", message);
        }
        let name: String = found.chars().take(64).collect();
        self.refuse("unknown", format!("there is no kind of line `{name}`{}", did_you_mean(found, KINDS)))
    }

    /// Looks at the next line.
    async fn go_on(&mut self) -> Result<()> {
        self.line.clear();
        self.kind.clear();
        let bound = LONGEST + 1;
        let length = (&mut self.file).take(bound).read_until(b'\n', &mut self.line).await.map_err(Error::internal)?;
        if length == 0 {
            return Ok(());
        }
        self.number += 1;
        if self.line.last() != Some(&b'\n') {
            return Err(match u64::try_from(length).is_ok_and(|length| length == bound) {
                true => self.refuse("too_long", format!("a line has at most {LONGEST} bytes")),
                false => self.refuse(
                    "incomplete",
                    "the file ends within this line; it was cut off, so export the \
                                                    tenant again",
                ),
            });
        }
        let text = std::str::from_utf8(&self.line).map_err(|_| self.refuse("invalid", "this is not UTF-8"))?;
        let members: std::collections::BTreeMap<String, &RawValue> =
            serde_json::from_str(text).map_err(|error| self.refuse("invalid", words(&error)))?;
        let mut members = members.into_iter();
        let (Some((kind, content)), None) = (members.next(), members.next()) else {
            return Err(self.refuse("invalid", "an object with one member is expected, which says what the line is"));
        };
        // The content is a part of the line.
        let start = content.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
        self.content = (start, start + content.get().len());
        self.kind = kind;
        Ok(())
    }
}

/// Reads the whole file and says what it is of. Fails, naming the line, where it is cut, changed, of another format, or
/// where a line is not what it should be.
pub(super) async fn check<R: AsyncRead + Unpin + Send + Sync>(lines: &mut Lines<R>) -> Result<Header> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u64,
    }
    if lines.kind == Header::KIND {
        let raw = lines.line.get(lines.content.0..lines.content.1).unwrap_or_default();
        // Another format may have other members.
        if let Ok(Format { format }) = serde_json::from_slice::<Format>(raw)
            && !(OLDEST_FORMAT..=FORMAT).contains(&format)
        {
            let message = format!(
                "the file has the format {format}, and this server reads the formats {OLDEST_FORMAT} to {FORMAT}; \
                                   use a server of the version that it was exported from, or a newer one"
            );
            return Err(lines.refuse("unknown_format", message));
        }
    }
    let header: Header = lines.expect(Header::KIND).await?;
    each_table(lines).await?;
    loop {
        let number = lines.number;
        let Some(pack) = lines.take::<Pack>(Pack::KIND).await? else { break };
        if digest(&pack.source) != pack.digest {
            return Err(refuse(number, "invalid", "the files of this pack are not those that its digest names"));
        }
    }
    let _: Standing = lines.expect(Standing::KIND).await?;
    let (counts, sha256) = (std::mem::take(&mut lines.counts), hexadecimal(&lines.digest.finalize_reset()));
    let number = lines.number;
    let end: End = lines.expect(End::KIND).await?;
    if end.sha256 != sha256 || end.lines != counts {
        let message = "the lines before this one are not those that were exported: the file was changed, so export \
                       the tenant again";
        return Err(refuse(number, "changed", message));
    }
    if !lines.kind.is_empty() {
        return Err(lines.refuse("invalid", "something comes after the line that ends the file"));
    }
    Ok(header)
}

impl<R: AsyncRead + Unpin + Send + Sync> Tables for Lines<R> {
    /// Looks whether the lines of a table are what they should be.
    async fn table<T: Carried>(&mut self) -> Result<()> {
        while self.take::<T>(T::KIND).await?.is_some() {}
        Ok(())
    }
}

/// Something is wrong with a line.
pub(super) fn refuse(line: u64, code: &'static str, message: impl std::fmt::Display) -> Error {
    Error::invalid_at("", code, format!("line {line}: {message}"))
}

/// What is wrong, with the place in the line.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    match error.column() {
        0 => what.to_owned(),
        column => format!("{what}, at column {column}"),
    }
}
