//! Where a tenant's index stands: a folder for each time that it was made, of which the newest finished one counts.

use std::fs;
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use engine_model::{Sequence, TenantId};
use engine_search::{Index, Result, SearchError};

use super::notes::Notes;

/// The folder of one tenant.
#[derive(Debug, Clone)]
pub(super) struct Place {
    tenant: TenantId,
    folder: PathBuf,
}

/// What is in it.
#[derive(Debug)]
pub(super) enum Found {
    /// An index that is finished, and what was noted with it.
    Index(Box<(Generation, Index, Notes)>),
    /// None that can be used, and why.
    Nothing(String),
}

/// Counts how often a tenant's index was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Generation(u64);

impl Place {
    pub(super) fn of(index_dir: &Path, tenant: TenantId) -> Self {
        Self { tenant, folder: index_dir.join(tenant.to_string()) }
    }

    /// The folder of one generation.
    pub(super) fn folder(&self, generation: Generation) -> PathBuf {
        self.folder.join(generation.0.to_string())
    }

    /// Opens the index, and removes what was left behind beside it.
    ///
    /// # Errors
    /// The disk fails, or the index is open already.
    pub(super) fn open(&self) -> Result<Found> {
        let mut reason = SearchError::Missing.to_string();
        for generation in self.generations()?.into_iter().rev() {
            match open(&self.folder(generation)) {
                Ok(index) => match Notes::read(&index.reached().notes, self.tenant) {
                    Ok(notes) if notes.tenant() != self.tenant => {
                        "the index is another tenant's".clone_into(&mut reason);
                    }
                    Ok(notes) if !notes.is_unfinished => {
                        self.remove_all_but(Some(generation))?;
                        return Ok(Found::Index(Box::new((generation, index, notes))));
                    }
                    Ok(_) => "the index was not finished".clone_into(&mut reason),
                    Err(error) => reason = SearchError::Damaged(error.to_string()).to_string(),
                },
                Err(error @ (SearchError::Missing | SearchError::Outdated { .. } | SearchError::Damaged(_))) => {
                    reason = error.to_string();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Found::Nothing(reason))
    }

    /// How far the index reaches that would be opened, as it says itself; none where it has to be opened to tell.
    pub(super) fn peek(&self) -> Option<Sequence> {
        let newest = self.generations().ok()?.pop()?;
        let reached = Index::peek(&self.folder(newest)).ok()?;
        let notes = Notes::read(&reached.notes, self.tenant).ok()?;
        (notes.tenant() == self.tenant && !notes.is_unfinished).then_some(reached.sequence)
    }

    /// A generation to be made, after removing all but the one that is in use.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn begin(&self, in_use: Option<Generation>) -> io::Result<Generation> {
        self.remove_all_but(in_use)?;
        let last = self.generations()?.last().map_or(0, |generation| generation.0);
        Ok(Generation(last + 1))
    }

    /// Removes all generations but one, or all.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn remove_all_but(&self, kept: Option<Generation>) -> io::Result<()> {
        for generation in self.generations()? {
            if Some(generation) != kept {
                fs::remove_dir_all(self.folder(generation))?;
            }
        }
        Ok(())
    }

    /// Every generation, oldest first.
    fn generations(&self) -> io::Result<Vec<Generation>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut generations = Vec::new();
        for entry in entries {
            if let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                generations.push(Generation(number));
            }
        }
        generations.sort_unstable();
        Ok(generations)
    }
}

/// Opens an index. The library may panic where files are not what it expects, which is damage like any other.
fn open(folder: &Path) -> Result<Index> {
    let opened = catch_unwind(|| {
        let index = Index::open(folder)?;
        // What is asked first of every index.
        index.view().highest_id()?;
        Ok(index)
    });
    opened.unwrap_or_else(|_| Err(SearchError::Damaged("its files are not what they should be".to_owned())))
}

#[cfg(test)]
mod tests {
    use engine_model::time::Timestamp;
    use engine_search::{Pace, Reached};

    use super::*;

    fn finished(tenant: TenantId) -> Notes {
        let mut notes = Notes::unfinished(tenant);
        notes.is_unfinished = false;
        notes
    }

    fn make(place: &Place, generation: Generation, notes: &Notes) {
        let index = Index::create(&place.folder(generation), Pace::Steady).expect("an index");
        let reached = Reached { sequence: Sequence(1), at: Timestamp(1), notes: notes.text() };
        index.commit(reached).expect("committed");
        index.persist().expect("persisted");
    }

    fn opened(place: &Place) -> std::result::Result<u64, String> {
        match place.open().expect("a look") {
            Found::Index(found) => Ok(found.0.0),
            Found::Nothing(reason) => Err(reason),
        }
    }

    #[test]
    fn the_newest_finished_generation_counts_and_the_others_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::of(folder.path(), TenantId(7));
        assert_eq!(opened(&place), Err("there is no index here".to_owned()));
        let first = place.begin(None).expect("a generation");
        make(&place, first, &Notes::unfinished(TenantId(7)));
        assert_eq!(place.peek(), None);
        assert_eq!(opened(&place), Err("the index was not finished".to_owned()));
        let first = place.begin(None).expect("a generation");
        make(&place, first, &finished(TenantId(7)));
        assert_eq!((place.peek(), Place { tenant: TenantId(8), ..place.clone() }.peek()), (Some(Sequence(1)), None));
        let second = place.begin(Some(first)).expect("a generation");
        make(&place, second, &Notes::unfinished(TenantId(7)));
        assert_eq!(opened(&place), Ok(1));
        assert!(!place.folder(second).exists());
        let second = place.begin(Some(first)).expect("a generation");
        make(&place, second, &finished(TenantId(7)));
        assert_eq!(opened(&place), Ok(2));
        assert!(!place.folder(first).exists());
        fs::write(place.folder(second).join("meta.json"), "{").expect("written");
        assert_eq!(place.peek(), None);
        assert!(opened(&place).expect_err("nothing").contains("damaged"));
        let other = place.begin(None).expect("a generation");
        assert_eq!(other, Generation(1));
        make(&place, other, &finished(TenantId(8)));
        assert_eq!(opened(&place), Err("the index is another tenant's".to_owned()));
    }
}
