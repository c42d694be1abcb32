//! Exporting: everything that a tenant has, as of one position of its log, written while it is read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use engine_model::Sequence;
use engine_store::tenant::{self, TenantRow};
use engine_store::transfer::{Carried, Pack};
use engine_store::{Reader, definition, pack};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::file::{Counts, End, FORMAT, Header, Standing, Tables, each_table};
use crate::digest::hexadecimal;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// Exports of one node that are under way at a time: each holds a connection, and keeps the database from tidying up.
pub(crate) fn export_places(connections: usize) -> usize {
    (connections / 2).clamp(1, 4)
}

/// Bytes that are handed over at a time, about.
const PIECE: usize = 64 * 1024;

/// How long it is waited for somebody to take a piece. The database ends a transaction that rests for a minute.
const PATIENCE: Duration = Duration::from_secs(40);

/// Rows that are read at a time, and between how many bytes they should have.
const MOST_ROWS: i64 = 1_000;
const FIRST_ROWS: i64 = 50;
const FEW_BYTES: usize = 512 * 1024;
const MANY_BYTES: usize = 4 * 1024 * 1024;

/// Versions of the definitions that are looked through at a time.
const VERSIONS: i64 = 100;

/// A tenant on its way out.
#[derive(Debug)]
pub struct TenantExport {
    /// The last change that is in it.
    pub position: Sequence,
    pieces: mpsc::Receiver<Result<Piece>>,
    is_whole: bool,
}

#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    is_last: bool,
}

impl TenantExport {
    /// The next bytes of the file; none after the last. An error where it breaks off, and nothing after that.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        if self.is_whole {
            return None;
        }
        match self.pieces.recv().await {
            Some(Ok(piece)) => {
                self.is_whole = piece.is_last;
                Some(Ok(piece.bytes))
            }
            failed => {
                self.is_whole = true;
                let broken = || Error::new(ErrorCode::Unavailable, "the export broke off; begin it again");
                Some(Err(failed.and_then(Result::err).unwrap_or_else(broken)))
            }
        }
    }
}

impl Session {
    /// Begins to export the tenant: its definitions, users, records, links and history, but no tokens.
    ///
    /// What is exported is what there is now, however long it takes. Whoever takes no piece for 40 seconds gets no
    /// further ones.
    pub async fn tenant_export(&mut self) -> Result<TenantExport> {
        self.refresh().await?;
        self.caller.check_admin()?;
        if !self.caller.rights.reads_everything() {
            let detail = "an export has everything that the tenant has, and the caller may not see all of it";
            return Err(Error::new(ErrorCode::Forbidden, detail));
        }
        self.wait_for_position().await?;
        let busy = |_| Error::new(ErrorCode::Unavailable, "other tenants are being exported; try again shortly");
        let place = Arc::clone(&self.engine.inner.exports).try_acquire_owned().map_err(busy)?;
        let mut reader = self.engine.store().snapshot(self.tenant()).await?;
        let head = reader.head().await?;
        let row = tenant::get(&mut reader).await?.ok_or_else(|| Error::not_found("there is no such tenant"))?;
        let (sender, pieces) = mpsc::channel(2);
        let exporter = Exporter {
            reader,
            standing: head.into(),
            sender,
            piece: Vec::new(),
            digest: Sha256::new(),
            counts: Counts::new(),
            rows: FIRST_ROWS,
            _place: place,
        };
        let stopping = self.engine.stopping();
        drop(self.engine.inner.tasks.spawn(async move {
            // Where it is stopped, the last piece is missing.
            stopping.run_until_cancelled(exporter.run(row)).await;
        }));
        Ok(TenantExport { position: head.sequence(), pieces, is_whole: false })
    }
}

/// Reads a tenant, and writes what it reads.
struct Exporter {
    reader: Reader,
    standing: Standing,
    sender: mpsc::Sender<Result<Piece>>,
    /// What has been written and not handed over.
    piece: Vec<u8>,
    digest: Sha256,
    counts: Counts,
    /// How many rows are read at a time.
    rows: i64,
    _place: OwnedSemaphorePermit,
}

impl Exporter {
    async fn run(mut self, row: TenantRow) {
        if let Err(error) = self.write(row).await {
            tracing::warn!(%error, "an export broke off");
            // Who has gone, or does not take what there is, finds that the last piece is missing.
            drop(self.sender.try_send(Err(error)));
            return;
        }
        if let Err(error) = self.reader.end().await {
            tracing::debug!(%error, "an export's connection is of no use any more");
        }
    }

    async fn write(&mut self, row: TenantRow) -> Result<()> {
        self.line(Header::KIND, &header(row)).await?;
        each_table(self).await?;
        for digest in self.packs().await? {
            if let Some(source) = pack::source(&mut self.reader, &digest).await? {
                self.line(Pack::KIND, &Pack { digest, source }).await?;
            }
        }
        self.line(Standing::KIND, &self.standing.clone()).await?;
        let sha256 = hexadecimal(&self.digest.finalize_reset());
        let end = End { lines: std::mem::take(&mut self.counts), sha256 };
        self.line(End::KIND, &end).await?;
        self.hand_over(true).await
    }

    /// The packs that the tenant has, had, or could go back to.
    async fn packs(&mut self) -> Result<BTreeSet<String>> {
        let installed = pack::all(&mut self.reader).await?;
        let mut digests: BTreeSet<String> = installed.into_iter().map(|row| row.digest).collect();
        let mut before = i64::MAX;
        loop {
            let versions = definition::versions(&mut self.reader, before, VERSIONS).await?;
            let Some(last) = versions.last() else { return Ok(digests) };
            before = last.version;
            for version in &versions {
                let changes: Map<String, Value> = serde_json::from_str(&version.changes).unwrap_or_default();
                let pairs = changes.iter().filter(|(name, _)| name.starts_with("digests."));
                let pairs = pairs.filter_map(|(_, pair)| pair.as_array());
                digests.extend(pairs.flatten().filter_map(|digest| digest.as_str().map(str::to_owned)));
            }
        }
    }

    /// Writes a line; how many bytes it has.
    async fn line(&mut self, kind: &str, content: &(impl Serialize + Sync)) -> Result<usize> {
        let start = self.piece.len();
        self.piece.extend_from_slice(b"{\"");
        self.piece.extend_from_slice(kind.as_bytes());
        self.piece.extend_from_slice(b"\":");
        serde_json::to_writer(&mut self.piece, content).map_err(Error::internal)?;
        self.piece.extend_from_slice(b"}\n");
        self.digest.update(&self.piece[start..]);
        match self.counts.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(kind.to_owned(), 1)),
        }
        let bytes = self.piece.len() - start;
        if self.piece.len() >= PIECE {
            self.hand_over(false).await?;
        }
        Ok(bytes)
    }

    async fn hand_over(&mut self, is_last: bool) -> Result<()> {
        let piece = Piece { bytes: std::mem::take(&mut self.piece), is_last };
        match tokio::time::timeout(PATIENCE, self.sender.send(Ok(piece))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Error::new(ErrorCode::Unavailable, "nobody takes the export any more")),
        }
    }
}

impl Tables for Exporter {
    async fn table<T: Carried>(&mut self) -> Result<()> {
        let mut last: Option<T> = None;
        loop {
            let mut rows = T::page(&mut self.reader, last.as_ref(), self.rows).await?;
            let mut bytes = 0;
            for row in &rows {
                bytes += self.line(T::KIND, row).await?;
            }
            let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == self.rows);
            match bytes {
                MANY_BYTES.. => self.rows = (self.rows / 4).max(1),
                0..FEW_BYTES if is_full => self.rows = (self.rows * 2).min(MOST_ROWS),
                _ => {}
            }
            last = rows.pop();
            if !is_full {
                return Ok(());
            }
        }
    }
}

fn header(row: TenantRow) -> Header {
    Header {
        format: FORMAT,
        product: env!("CARGO_PKG_VERSION").to_owned(),
        slug: row.slug,
        name: row.name,
        profile: row.profile,
        time_zone: row.time_zone,
        currency: row.currency,
        country: row.country,
        capabilities: row.capabilities,
        created_at: row.created_at,
    }
}
