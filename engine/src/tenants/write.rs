//! Writing the lines of an exported tenant, many rows in each of many short transactions.

use engine_store::tenant::{Unfinished, write_unfinished};
use engine_store::transfer::{Carried, Pack, add_pack};
use engine_store::{StoreError, Tx};
use tokio::io::AsyncRead;
use tokio_util::sync::CancellationToken;

use super::file::{Header, Standing, Tables, each_table};
use super::import::{given_up, not_wanted};
use super::lines::{Lines, refuse};
use crate::engine::Engine;
use crate::error::Result;

/// Rows and bytes of one transaction, about.
const ROWS: usize = 1_000;
const BYTES: usize = 1024 * 1024;

/// Writes into a tenant that nobody knows of yet.
pub(super) struct Writer<'a, R> {
    engine: &'a Engine,
    tenant: &'a Unfinished,
    lines: Lines<R>,
    wanted: &'a CancellationToken,
}

impl<'a, R: AsyncRead + Unpin + Send + Sync> Writer<'a, R> {
    pub(super) fn new(
        engine: &'a Engine,
        tenant: &'a Unfinished,
        lines: Lines<R>,
        wanted: &'a CancellationToken,
    ) -> Self {
        Self { engine, tenant, lines, wanted }
    }

    /// Writes all rows of a file that was looked through before; where the tenant's counters stand in it.
    pub(super) async fn write(mut self) -> Result<Standing> {
        let _: Header = self.lines.expect(Header::KIND).await?;
        each_table(&mut self).await?;
        while let Some(pack) = self.lines.take::<Pack>(Pack::KIND).await? {
            let mut tx = self.begin().await?;
            add_pack(&mut tx, &pack, self.engine.now()).await?;
            tx.commit().await?;
        }
        self.lines.expect(Standing::KIND).await
    }

    async fn begin(&self) -> Result<Tx> {
        if self.wanted.is_cancelled() || self.engine.inner.stopping.is_cancelled() {
            return Err(not_wanted());
        }
        write_unfinished(self.engine.store(), self.tenant, self.engine.now()).await?.ok_or_else(given_up)
    }

    /// Writes rows that begin at a line.
    async fn put<T: Carried>(&self, rows: &[T], first: u64) -> Result<()> {
        let mut tx = self.begin().await?;
        let last = first + u64::try_from(rows.len()).unwrap_or_default().saturating_sub(1);
        match T::insert(&mut tx, rows).await {
            Ok(written) if usize::try_from(written) == Ok(rows.len()) => {}
            Ok(_) => {
                let message = format!("up to line {last} there is a `{}` whose key another one has", T::KIND);
                return Err(refuse(first, "duplicate", message));
            }
            // A digest does not keep anybody from writing what no store takes.
            Err(error @ StoreError::Statement(_)) => {
                let message = format!("up to line {last} there is a `{}` that cannot be stored", T::KIND);
                let mut refused = refuse(first, "invalid", message);
                refused.source = Some(Box::new(error));
                return Err(refused);
            }
            Err(error) => return Err(error.into()),
        }
        tx.commit().await?;
        Ok(())
    }
}

impl<R: AsyncRead + Unpin + Send + Sync> Tables for Writer<'_, R> {
    async fn table<T: Carried>(&mut self) -> Result<()> {
        let mut rows: Vec<T> = Vec::new();
        let (mut first, mut bytes) = (self.lines.number, 0);
        loop {
            let length = self.lines.bytes();
            match self.lines.take::<T>(T::KIND).await? {
                Some(row) => rows.push(row),
                None if rows.is_empty() => return Ok(()),
                None => return self.put(&rows, first).await,
            }
            bytes += length;
            if rows.len() >= ROWS || bytes >= BYTES {
                self.put(&rows, first).await?;
                rows.clear();
                (first, bytes) = (self.lines.number, 0);
            }
        }
    }
}
