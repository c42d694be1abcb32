//! An open index and how far the log is in it.
//!
//! Whoever has the feed is the only one who applies and commits. Everything can be done again: after a failure the feed
//! is where the index is, and goes on from there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, TenantId};
use engine_search::{Edit, Index, IndexSize, LinkEnds, Reached, SearchError};
use engine_store::record::{self, RecordRow};
use engine_store::{Reader, change};
use tokio::time::Instant;

use super::compose::{self, Rules};
use super::notes::{Notes, PropertySet};
use super::page::Page;
use super::place::Generation;
use super::portion::Portion;
use crate::definitions::catalog::Catalog;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Changes that are read at a time.
pub(super) const PAGE: usize = 1_000;

/// An open index, how far the log is in it, and what is known to go on.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) engine: Engine,
    pub(super) tenant: TenantId,
    pub(super) generation: Generation,
    pub(super) index: Index,
    /// The last change that was applied, and when it was made.
    pub(super) sequence: Sequence,
    pub(super) at: Timestamp,
    pub(super) notes: Arc<Notes>,
    /// The same as text.
    notes_text: String,
    /// No record in the index has an id above this one.
    highest: i64,
    /// Version of the definitions that the notes speak of; none where they are to be looked at again.
    version: Option<i64>,
    /// The definitions that documents are built by, as long as some are.
    catalog: Option<Arc<Catalog>>,
    pub(super) portion: Portion,
    /// Edits since the last commit.
    pub(super) pending: usize,
    /// Since when the index has been behind what was applied.
    pub(super) pending_since: Option<Instant>,
    /// When it was written last, unless that was told already: from then on there is a writer.
    edited: Option<Instant>,
    /// What the index took when it was committed to last.
    pub(super) size: IndexSize,
    /// When the first record is to be put again, since a value of it depends on the time; perhaps sooner than needed.
    pub(super) due: Option<Timestamp>,
}

impl Feed {
    /// Goes on with an index from where it is.
    pub(super) async fn resume(
        engine: &Engine,
        tenant: TenantId,
        (generation, index, notes): (Generation, Index, Notes),
    ) -> Result<Self> {
        let reached = index.reached();
        let highest = index.view().highest_id().map_err(Error::internal)?.0;
        let (size, due) = (index.size(), index.view().next_due().map_err(Error::internal)?);
        let mut feed = Self {
            engine: engine.clone(),
            tenant,
            generation,
            index,
            sequence: reached.sequence,
            at: reached.at,
            notes: Arc::new(notes),
            notes_text: reached.notes,
            highest,
            version: None,
            catalog: None,
            portion: Portion::default(),
            pending: 0,
            pending_since: None,
            edited: None,
            size,
            due,
        };
        feed.catalog().await?;
        Ok(feed)
    }

    /// Applies the next page of the log; how many changes that were, fewer than [`PAGE`] at the end of the log.
    pub(super) async fn follow(&mut self) -> Result<usize> {
        self.catalog().await?;
        let mut reader = self.engine.store().read(self.tenant).await?;
        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
        let movements = change::movements_after(&mut reader, self.sequence, limit).await?;
        let Some(page) = Page::of(&movements)? else { return Ok(0) };
        if page.has_definitions {
            self.look_at_definitions(&mut reader).await?;
        }
        let highest = self.highest;
        let (gone, are_erased) = self.put_many(reader, page.records.into_iter().collect()).await?;
        if are_erased {
            self.write_notes(|notes| notes.purged = Some(page.sequence.0));
        }
        // Records that are gone take their links with them, so they come last.
        self.apply_links(page.links, highest).await?;
        self.apply(gone.into_iter().map(Edit::Remove).collect()).await?;
        (self.sequence, self.at) = (page.sequence, page.at);
        self.pending_since.get_or_insert_with(Instant::now);
        Ok(page.changes)
    }

    /// Puts the records with these ids as they are now; those that are not there any more, or are found under the record
    /// that they were merged into, are returned, and whether values of some are to be erased.
    pub(super) async fn put_many(&mut self, reader: Reader, mut ids: Vec<i64>) -> Result<(Vec<RecordId>, bool)> {
        let mut reader = Some(reader);
        let (mut gone, mut are_erased) = (Vec::new(), false);
        while !ids.is_empty() {
            let rest = ids.split_off(self.portion.rows().min(ids.len()));
            // No connection is kept while documents are built.
            let mut reader = match reader.take() {
                Some(reader) => reader,
                None => self.engine.store().read(self.tenant).await?,
            };
            let mut rows = record::many(&mut reader, ids.clone()).await?;
            drop(reader);
            are_erased |= rows.len() < ids.len();
            rows.retain(|row| row.merged_into.is_none());
            let found: HashSet<i64> = rows.iter().map(|row| row.id).collect();
            gone.extend(ids.into_iter().filter(|id| !found.contains(id)).map(RecordId));
            self.put(rows).await?;
            ids = rest;
        }
        Ok((gone, are_erased))
    }

    /// Puts records as they were read.
    pub(super) async fn put(&mut self, rows: Vec<RecordRow>) -> Result<()> {
        self.portion.saw(&rows);
        let highest = self.highest;
        // Before anything is applied: what is done again after a failure may be there.
        self.highest = rows.iter().fold(highest, |highest, row| highest.max(row.id));
        let rows = Arc::new(rows);
        let mut done = 0;
        while done < rows.len() {
            let (index, rows) = (self.index.clone(), Arc::clone(&rows));
            let (catalog, notes) = (self.catalog().await?, Arc::clone(&self.notes));
            let (by, now) = (Arc::clone(&catalog), self.engine.now());
            let put = move || {
                let rows = rows.get(done..).unwrap_or_default();
                compose::put(&index, rows, Rules { catalog: &by, notes: &notes, now }, highest)
            };
            let written = self.blocking(put).await?;
            self.due = [self.due, written.due].into_iter().flatten().min();
            if !written.met.is_empty() {
                self.write_notes(|notes| notes.meet(&written.met, &catalog.effective.registry));
            }
            done += written.done;
            self.count(written.done);
            if !written.strays.is_empty() {
                self.explain(&written.strays).await?;
            }
        }
        Ok(())
    }

    /// Values were met that no definition explains: the definitions are newer by now, or the values are lost.
    async fn explain(&mut self, strays: &PropertySet) -> Result<()> {
        let before = self.version;
        let mut reader = self.engine.store().read(self.tenant).await?;
        self.look_at_definitions(&mut reader).await?;
        if self.version == before {
            self.write_notes(|notes| strays.iter().for_each(|(object, property)| notes.lose(object, property)));
        }
        Ok(())
    }

    /// Applies links, each with whether it is there. No record or link that the index can know of has an id above
    /// `highest`.
    pub(super) async fn apply_links(&mut self, links: HashMap<LinkEnds, bool>, highest: i64) -> Result<()> {
        let edit = |(ends, is_there): (LinkEnds, bool)| match is_there {
            true if ends.from.0 > highest || ends.to.0 > highest => Edit::AddLink(ends),
            true => Edit::Link(ends),
            false => Edit::Unlink(ends),
        };
        self.highest = links.keys().fold(self.highest, |highest, ends| highest.max(ends.from.0).max(ends.to.0));
        self.apply(links.into_iter().map(edit).collect()).await
    }

    async fn apply(&mut self, edits: Vec<Edit>) -> Result<()> {
        if edits.is_empty() {
            return Ok(());
        }
        let (index, count) = (self.index.clone(), edits.len());
        self.blocking(move || index.apply(edits).map_err(Error::internal)).await?;
        self.count(count);
        Ok(())
    }

    fn count(&mut self, edits: usize) {
        self.pending += edits;
        self.edited = Some(Instant::now());
        self.pending_since.get_or_insert_with(Instant::now);
    }

    /// When it was written last, if it was since this was asked.
    pub(super) fn take_edited(&mut self) -> Option<Instant> {
        self.edited.take()
    }

    /// Makes what was applied visible.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let reached = Reached { sequence: self.sequence, at: self.at, notes: self.notes_text.clone() };
        let (index, began) = (self.index.clone(), Instant::now());
        let commit = move || index.commit(reached).map(|()| index.size()).map_err(Error::internal);
        self.size = self.blocking(commit).await?;
        self.engine.inner.indexes.counts.commits.add(began.elapsed());
        self.pending = 0;
        self.pending_since = None;
        Ok(())
    }

    /// Whether a commit would show anything.
    pub(super) fn has_news(&self) -> bool {
        self.pending_since.is_some()
    }

    /// Makes what is visible durable.
    pub(super) async fn persist(&mut self) -> Result<()> {
        let index = self.index.clone();
        self.blocking(move || index.persist().map_err(Error::internal)).await
    }

    /// Reads the definitions that are in force.
    async fn look_at_definitions(&mut self, reader: &mut Reader) -> Result<()> {
        let head = reader.head().await?;
        self.engine.saw_versions(self.tenant, head.metadata_version, head.access_version).await;
        self.release();
        self.catalog().await.map(drop)
    }

    /// The definitions, which the notes speak of from here on.
    async fn catalog(&mut self) -> Result<Arc<Catalog>> {
        if let Some(catalog) = &self.catalog {
            return Ok(Arc::clone(catalog));
        }
        let catalog = self.engine.catalog(self.tenant).await?;
        if self.version.is_none_or(|version| version < catalog.version) {
            self.version = Some(catalog.version);
            if Arc::make_mut(&mut self.notes).take_over(&catalog.effective.registry) {
                self.write_notes(|_| ());
            }
        }
        Ok(Arc::clone(self.catalog.insert(catalog)))
    }

    /// Lets go of what is not needed before something is to be done again: many feeds are open and few are at work.
    pub(super) fn release(&mut self) {
        self.catalog = None;
    }

    /// Changes the notes, which are kept with the next commit.
    pub(super) fn write_notes(&mut self, change: impl FnOnce(&mut Notes)) {
        let notes = Arc::make_mut(&mut self.notes);
        change(notes);
        self.notes_text = notes.text();
        self.pending_since.get_or_insert_with(Instant::now);
    }

    /// Runs what may take long or wait for the disk. Where the index has lost edits, goes back to where it is.
    pub(super) async fn blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let done = self.engine.inner.tasks.spawn_blocking(work).await.map_err(Error::internal)?;
        if done.as_ref().is_err_and(has_lost_edits) {
            self.go_back()?;
        }
        done
    }

    /// Forgets what was applied since the last commit, which the index has lost.
    pub(super) fn go_back(&mut self) -> Result<()> {
        let reached = self.index.reached();
        (self.sequence, self.at) = (reached.sequence, reached.at);
        self.highest = self.index.view().highest_id().map_err(Error::internal)?.0;
        self.due = self.index.view().next_due().map_err(Error::internal)?;
        self.notes = Arc::new(Notes::read(&reached.notes, self.tenant).map_err(Error::internal)?);
        self.notes_text = reached.notes;
        (self.pending, self.pending_since) = (0, None);
        (self.version, self.catalog) = (None, None);
        Ok(())
    }
}

fn has_lost_edits(error: &Error) -> bool {
    let source = error.source.as_ref().and_then(|source| source.downcast_ref::<SearchError>());
    matches!(source, Some(SearchError::WriterLost(_)))
}
