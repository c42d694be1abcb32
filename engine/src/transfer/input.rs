//! A job's input as one stream of bytes, from whichever place.

use std::collections::VecDeque;

use engine_model::{JobId, TenantId};
use engine_store::{Store, job};

use super::progress::Cursor;
use crate::error::{Error, Result};

/// A job's input as one stream of bytes. Holds what was read and not yet taken.
#[derive(Debug)]
pub(super) struct Input {
    store: Store,
    tenant: TenantId,
    job: JobId,
    /// Bytes of all parts together.
    total: u64,
    bytes: Vec<u8>,
    /// How many of `bytes` are taken.
    taken: usize,
    /// Offset in the file of the first byte that is not taken.
    offset: u64,
    /// Offset in the file behind the last byte that was read.
    read: u64,
    /// The part to read next.
    next_part: i64,
    /// The parts in `bytes`, each with the offset at which it begins.
    parts: VecDeque<Cursor>,
}

impl Input {
    /// Opens the input of `job`, which has `total` bytes, at the part that `cursor` names.
    pub(super) fn open(store: &Store, tenant: TenantId, job: JobId, total: u64, cursor: Cursor) -> Self {
        let Cursor { part, part_start } = cursor;
        Self {
            store: store.clone(),
            tenant,
            job,
            total,
            bytes: Vec::new(),
            taken: 0,
            offset: part_start,
            read: part_start,
            next_part: part,
            parts: VecDeque::new(),
        }
    }

    /// What was read and not yet taken.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// Everything has been read.
    pub(super) fn is_whole(&self) -> bool {
        self.read >= self.total
    }

    /// Offset in the file of the first byte that is not taken.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The part in which the first byte is that is not taken.
    pub(super) fn cursor(&self) -> Cursor {
        let unread = Cursor { part: self.next_part, part_start: self.read };
        self.parts.front().copied().unwrap_or(unread)
    }

    /// Reads one more part; there must be one.
    pub(super) async fn fill(&mut self) -> Result<()> {
        let part = job::input(&mut self.store.read(self.tenant).await?, self.job, self.next_part).await?;
        // The parts go when the job ends, in whosever hands it is.
        let part = part.ok_or_else(|| Error::internal("a part of the job's input is not there any more"))?;
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.parts.push_back(Cursor { part: self.next_part, part_start: self.read });
        self.read += part.len() as u64;
        self.next_part += 1;
        self.bytes.extend(part);
        Ok(())
    }

    /// Takes the first `count` bytes away.
    pub(super) fn take(&mut self, count: usize) {
        let count = count.min(self.bytes.len() - self.taken);
        self.taken += count;
        self.offset += count as u64;
        while self.parts.len() > 1 && self.parts.get(1).is_some_and(|part| part.part_start <= self.offset) {
            self.parts.pop_front();
        }
    }

    /// Takes everything before `offset` away, which is not before what was taken.
    pub(super) async fn seek(&mut self, offset: u64) -> Result<()> {
        while self.offset < offset {
            if self.bytes().is_empty() {
                self.fill().await?;
            }
            let left = offset - self.offset;
            self.take(usize::try_from(left).unwrap_or(usize::MAX).min(self.bytes().len()));
        }
        Ok(())
    }
}
