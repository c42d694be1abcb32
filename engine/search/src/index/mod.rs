//! The index of one tenant.
//!
//! Edits are applied, then committed, which is when they are seen, then persisted, which is when they survive. Whoever
//! feeds an index says with each commit how far the log is in it; after a crash the index is where it was persisted
//! last, and what the log has since is applied again.

mod erasing;
mod library;
mod merging;
mod payload;
mod queue;
mod reading;
mod small;
#[cfg(test)]
mod tests;
mod view;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use engine_model::Sequence;
use tantivy::index::IndexSettings;
use tantivy::store::Compressor;
use tantivy::{IndexReader, ReloadPolicy, SegmentReader, TantivyError};

use crate::directory::{Claim, Manifest, WriteBehind, claim_existing, claim_new};
use crate::document::{Edit, Reached};
use crate::error::{Result, SearchError};
use crate::fields;
use crate::search::Kept;
use library::{damaged, open_library};
use merging::Rule;
use payload::{nothing_reached, payload_of, reached_of};
use writer::Writer;

pub(crate) use reading::reading;
pub use view::{IndexSize, View};
pub use writer::Pace;

/// An index in a folder. Cheap to clone; all clones are the same index, and the folder is free once the last is
/// dropped. All calls may block for as long as the disk does.
#[derive(Clone)]
pub struct Index {
    inner: Arc<Inner>,
}

struct Inner {
    writing: Mutex<Writing>,
    /// A commit that happened and is not seen yet. Held while commits happen and are published, so that a view holds
    /// what it says and nothing more.
    publishing: Mutex<Option<Published>>,
    published: RwLock<(Published, View)>,
    durable: AtomicI64,
    reader: IndexReader,
    kept: Arc<Kept>,
    directory: WriteBehind,
    /// Goes last.
    _claim: Claim,
}

/// Whoever writes.
struct Writing {
    writer: Option<Writer>,
    /// The way of a writer that is about to end.
    resting: Option<WriteBehind>,
    pace: Pace,
}

/// Why a commit fails.
enum Failure {
    /// The writer did, and whatever it had is lost.
    Writer(TantivyError),
    /// The commit has happened.
    Other(SearchError),
}

/// What is seen.
#[derive(Debug, Clone)]
struct Published {
    reached: Arc<Reached>,
    /// Number of the library's commit that it stands on; commits without edits do not reach the library.
    opstamp: u64,
}

impl Index {
    /// Makes an empty index, and the folder if it is not there. Nothing is durable before [`Index::persist`].
    ///
    /// # Errors
    /// [`SearchError::Exists`] where there is an index, [`SearchError::InUse`] where it is open.
    pub fn create(folder: &Path, pace: Pace) -> Result<Self> {
        let claim = claim_new(folder)?;
        let directory = WriteBehind::create(&claim)?;
        let settings = IndexSettings {
            docstore_compression: Compressor::None,
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        tantivy::Index::create(directory.clone(), fields().schema.clone(), settings)?;
        Self::over(claim, directory, nothing_reached(), pace)
    }

    /// Opens an index where it was persisted last.
    ///
    /// # Errors
    /// [`SearchError::Missing`], [`SearchError::Outdated`] and [`SearchError::Damaged`] where it has to be made anew;
    /// [`SearchError::InUse`] where it is open.
    pub fn open(folder: &Path) -> Result<Self> {
        let claim = claim_existing(folder)?;
        let mut reached = nothing_reached();
        let directory = WriteBehind::open(&claim, |manifest| {
            reached = reached_of(manifest.payload.as_deref())?;
            Ok(())
        })?;
        Self::over(claim, directory, reached, Pace::Steady)
    }

    /// How far an index reaches on disk, without opening it or looking at its files.
    ///
    /// # Errors
    /// [`SearchError::Missing`], [`SearchError::Outdated`] and [`SearchError::Damaged`] as far as that shows.
    pub fn peek(folder: &Path) -> Result<Reached> {
        reached_of(Manifest::of(folder)?.payload.as_deref())
    }

    fn over(claim: Claim, directory: WriteBehind, reached: Reached, pace: Pace) -> Result<Self> {
        let library = open_library(directory.clone())?;
        let reader = library
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(0)
            .try_into()
            .map_err(damaged)?;
        let durable = AtomicI64::new(reached.sequence.0);
        let published = Published { reached: Arc::new(reached), opstamp: directory.manifest()?.opstamp };
        let kept = Arc::new(Kept::default());
        let view = View::new(published.reached.clone(), reader.searcher(), kept.clone(), directory.clone());
        let inner = Inner {
            writing: Mutex::new(Writing { writer: None, resting: None, pace }),
            publishing: Mutex::new(None),
            published: RwLock::new((published, view)),
            durable,
            reader,
            kept,
            directory,
            _claim: claim,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Hands edits to the writer, in their order, and opens one if there is none. They are seen after the next commit.
    ///
    /// # Errors
    /// [`SearchError::WriterLost`]: everything since [`Index::reached`] has to be applied again.
    pub fn apply(&self, edits: Vec<Edit>) -> Result<()> {
        if edits.is_empty() {
            return Ok(());
        }
        let mut writing = self.inner.writing();
        let applied = writing.writer(&self.inner.directory)?.apply(edits);
        applied.map_err(|error| self.inner.lose_writer(&mut writing, error))
    }

    /// Makes what was applied visible, and says how far that reaches. Where nothing was applied, it only says so.
    ///
    /// # Errors
    /// [`SearchError::WriterLost`]: everything since [`Index::reached`] has to be applied again. Any other: the commit
    /// has happened and is not visible yet; another call makes it so.
    pub fn commit(&self, reached: Reached) -> Result<()> {
        let mut writing = self.inner.writing();
        let Some(writer) = writing.writer.as_mut().filter(|writer| writer.has_edits()) else {
            return self.inner.move_on(reached);
        };
        match self.inner.commit(writer, reached) {
            Err(Failure::Writer(error)) => Err(self.inner.lose_writer(&mut writing, error)),
            Err(Failure::Other(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// Makes what is visible durable. What is applied or committed meanwhile waits for the next call.
    ///
    /// # Errors
    /// The disk is full or fails: what was durable still is, and another call tries again.
    pub fn persist(&self) -> Result<()> {
        let inner = &self.inner;
        let payload = inner.directory.persist(|state| inner.note(state))?;
        let reached = reached_of(payload.as_deref())?;
        inner.durable.store(reached.sequence.0, Ordering::SeqCst);
        // Readers let go of what is on disk now.
        inner.publish(&mut inner.publishing())
    }

    /// Ends the writer and its threads once all merges are done; settles first. Edits that are applied meanwhile do not
    /// wait for that: they have a writer of their own, and the merges come to nothing.
    ///
    /// # Errors
    /// [`SearchError::Uncommitted`] where edits wait for a commit: nothing has ended.
    pub fn rest(&self) -> Result<()> {
        let inner = &self.inner;
        let mut writing = inner.writing();
        inner.settle(&mut writing)?;
        let Some(writer) = writing.writer.take() else { return Ok(()) };
        let way = writer.way();
        writing.resting = Some(way.clone());
        drop(writing);
        let finished = writer.finish();
        let mut writing = inner.writing();
        if writing.resting.as_ref().is_some_and(|resting| resting.is(&way)) {
            writing.resting = None;
            finished?;
        }
        drop(writing);
        inner.publish(&mut inner.publishing())
    }

    /// Goes over to [`Pace::Steady`], once all is there that was to be written in [`Pace::Bulk`]. What was not merged
    /// is merged from now on, while the index is in use.
    ///
    /// # Errors
    /// [`SearchError::Uncommitted`] where edits wait for a commit: nothing has changed.
    pub fn settle(&self) -> Result<()> {
        self.inner.settle(&mut self.inner.writing())
    }

    /// Has everything that is deleted by now taken out of the files, while the index is in use. Called again and again
    /// until it says that this is done, and durable. Views that are kept longer keep their files with them.
    ///
    /// # Errors
    /// The disk fails; another call goes on.
    pub fn erase(&self) -> Result<bool> {
        let inner = &self.inner;
        if !inner.writing().writer(&inner.directory)?.erase()? {
            return Ok(false);
        }
        self.persist()?;
        // Nobody looks at what the merged segments were made of any more.
        match &inner.writing().writer {
            Some(writer) => writer.collect_garbage().map(|()| true),
            None => Ok(true),
        }
    }

    /// Compares every file on disk with the checksum that it was written with. Reads all of them.
    ///
    /// # Errors
    /// [`SearchError::Damaged`] where one is not as it was written.
    pub fn check_files(&self) -> Result<()> {
        self.inner.directory.check_files()
    }

    /// How far what is visible reaches.
    pub fn reached(&self) -> Reached {
        (*self.inner.published().0.reached).clone()
    }

    /// How far what is durable reaches.
    pub fn durable(&self) -> Sequence {
        Sequence(self.inner.durable.load(Ordering::SeqCst))
    }

    /// What is visible now, kept as it is.
    pub fn view(&self) -> View {
        self.inner.published().1
    }

    /// Whether there is a writer, which takes memory and threads.
    pub fn has_writer(&self) -> bool {
        let writing = self.inner.writing();
        writing.writer.is_some() || writing.resting.is_some()
    }

    /// Bytes that are in memory until [`Index::persist`] puts them on disk.
    pub fn unpersisted_bytes(&self) -> u64 {
        self.inner.directory.memory_bytes()
    }

    /// How much the index takes.
    pub fn size(&self) -> IndexSize {
        let view = self.view();
        let segments = view.searcher.segment_readers();
        IndexSize {
            disk_bytes: self.inner.directory.disk_bytes(),
            memory_bytes: self.unpersisted_bytes(),
            segments: segments.len(),
            documents: view.documents(),
            deleted: segments.iter().map(|segment| u64::from(segment.num_deleted_docs())).sum(),
        }
    }
}

impl Inner {
    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publishing(&self) -> MutexGuard<'_, Option<Published>> {
        self.publishing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn published(&self) -> (Published, View) {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows the last state as it is now, be it that edits were committed or that merges ended.
    fn publish(&self, pending: &mut Option<Published>) -> Result<()> {
        self.reader.reload()?;
        let published = pending.take().unwrap_or_else(|| self.published().0);
        self.show(published);
        Ok(())
    }

    fn show(&self, published: Published) {
        let searcher = self.reader.searcher();
        self.kept.forget_others(&searcher.segment_readers().iter().map(SegmentReader::segment_id).collect());
        let view = View::new(published.reached.clone(), searcher, self.kept.clone(), self.directory.clone());
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = (published, view);
    }

    /// A commit without edits.
    fn move_on(&self, reached: Reached) -> Result<()> {
        let mut pending = self.publishing();
        if pending.is_some() {
            self.publish(&mut pending)?;
        }
        let (published, _) = self.published();
        self.show(Published { reached: Arc::new(reached), ..published });
        Ok(())
    }

    /// What is to be noted with a state that becomes durable: commits without edits have moved on since the library's.
    fn note(&self, state: &Manifest) -> Option<String> {
        let (published, _) = self.published();
        let payload = payload_of(&published.reached);
        (published.opstamp == state.opstamp && state.payload.as_ref() != Some(&payload)).then_some(payload)
    }

    fn settle(&self, writing: &mut Writing) -> Result<()> {
        if writing.writer.as_ref().is_some_and(Writer::has_edits) {
            return Err(SearchError::Uncommitted);
        }
        if writing.pace == Pace::Bulk {
            writing.pace = Pace::Steady;
            writing.writer = None;
            writing.writer(&self.directory)?.merge(Rule::BUSY)?;
        }
        Ok(())
    }

    /// Makes what is applied the last state, and shows it.
    fn commit(&self, writer: &mut Writer, reached: Reached) -> std::result::Result<(), Failure> {
        let prepared = writer.prepare(&payload_of(&reached)).map_err(Failure::Writer)?;
        let mut pending = self.publishing();
        let opstamp = prepared.commit().map_err(Failure::Writer)?;
        *pending = Some(Published { reached: Arc::new(reached), opstamp });
        self.publish(&mut pending).and_then(|()| writer.merge(Rule::BUSY)).map_err(Failure::Other)
    }

    /// Ends a writer that failed. Its last commit may have happened all the same.
    fn lose_writer(&self, writing: &mut Writing, error: TantivyError) -> SearchError {
        writing.writer = None;
        let lost = self.find_last_commit().err().unwrap_or_else(|| error.into());
        SearchError::WriterLost(Box::new(lost))
    }

    fn find_last_commit(&self) -> Result<()> {
        let mut pending = self.publishing();
        let state = self.directory.manifest()?;
        if state.opstamp != self.published().0.opstamp {
            let reached = Arc::new(reached_of(state.payload.as_deref())?);
            *pending = Some(Published { reached, opstamp: state.opstamp });
        }
        self.publish(&mut pending)
    }
}

impl Writing {
    fn writer(&mut self, directory: &WriteBehind) -> Result<&mut Writer> {
        if let Some(resting) = self.resting.take() {
            resting.close();
        }
        match &mut self.writer {
            Some(writer) => Ok(writer),
            none => Ok(none.insert(Writer::open(directory, self.pace)?)),
        }
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Index").field("reached", &self.reached()).finish_non_exhaustive()
    }
}
