//! What was done to a disk, and what a loss of power at any moment could leave of it.
//!
//! The worst that the system allows: contents are safe up to the last time that their file was made durable, and of
//! anything written since there may be all, nothing or a part; of the names that were given and taken since the folder
//! was made durable, any may be there or not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Everything that was done, once begun.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Option<Vec<Step>>>);

#[derive(Debug, Clone)]
enum Step {
    Create(PathBuf),
    Write(PathBuf, Vec<u8>),
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// Files by name.
pub(crate) type Folder = BTreeMap<PathBuf, Vec<u8>>;

/// A disk, of which some is safe.
#[derive(Debug, Default)]
struct Machine {
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    safe_names: BTreeMap<PathBuf, usize>,
    /// What became of names since they were safe: given to a file, or taken away.
    renamed: Vec<(PathBuf, Option<usize>)>,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    safe: usize,
}

impl Journal {
    /// How many steps there are by now.
    pub(crate) fn length(&self) -> usize {
        self.steps().as_ref().map_or(0, Vec::len)
    }

    /// What could be left of `before`, which is safe, if power were lost after so many steps. `chance` decides what is:
    /// it returns a number below its argument.
    pub(crate) fn lose_power(&self, before: &Folder, steps: usize, chance: &mut dyn FnMut(usize) -> usize) -> Folder {
        let mut machine = Machine::holding(before);
        self.steps().iter().flatten().take(steps).for_each(|step| machine.take(step));
        machine.lose_power(chance)
    }

    pub(super) fn begin(&self) {
        self.steps().get_or_insert_default();
    }

    pub(super) fn create(&self, name: &Path) {
        self.note(|| Step::Create(name.to_owned()));
    }

    pub(super) fn write(&self, name: &Path, bytes: &[u8]) {
        self.note(|| Step::Write(name.to_owned(), bytes.to_owned()));
    }

    pub(super) fn sync(&self, name: &Path) {
        self.note(|| Step::Sync(name.to_owned()));
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) {
        self.note(|| Step::Rename(from.to_owned(), to.to_owned()));
    }

    pub(super) fn remove(&self, name: &Path) {
        self.note(|| Step::Remove(name.to_owned()));
    }

    fn note(&self, step: impl FnOnce() -> Step) {
        if let Some(steps) = self.steps().as_mut() {
            steps.push(step());
        }
    }

    fn steps(&self) -> MutexGuard<'_, Option<Vec<Step>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine {
    fn holding(folder: &Folder) -> Self {
        let mut machine = Self::default();
        for (name, bytes) in folder {
            machine.safe_names.insert(name.clone(), machine.files.len());
            machine.files.push(File { bytes: bytes.clone(), safe: bytes.len() });
        }
        machine.names = machine.safe_names.clone();
        machine
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Create(name) => {
                self.files.push(File::default());
                self.give(name, self.files.len() - 1);
            }
            Step::Write(name, bytes) => {
                let file = self.names.get(name).copied();
                file.into_iter().for_each(|file| self.files[file].bytes.extend(bytes));
            }
            Step::Sync(name) if name == Path::new("") => {
                self.safe_names = self.names.clone();
                self.renamed.clear();
            }
            Step::Sync(name) => {
                let file = &mut self.files[self.names[name]];
                file.safe = file.bytes.len();
            }
            Step::Rename(from, to) => {
                let file = self.names[from];
                self.drop_name(from);
                self.give(to, file);
            }
            Step::Remove(name) => self.drop_name(name),
        }
    }

    fn give(&mut self, name: &Path, file: usize) {
        self.names.insert(name.to_owned(), file);
        self.renamed.push((name.to_owned(), Some(file)));
    }

    fn drop_name(&mut self, name: &Path) {
        self.names.remove(name);
        self.renamed.push((name.to_owned(), None));
    }

    fn lose_power(mut self, chance: &mut dyn FnMut(usize) -> usize) -> Folder {
        for (name, file) in self.renamed {
            match file {
                _ if chance(2) == 0 => {}
                Some(file) => drop(self.safe_names.insert(name, file)),
                None => drop(self.safe_names.remove(&name)),
            }
        }
        let mut left_of = |file: &File| {
            let unsafe_bytes = file.bytes.len() - file.safe;
            let kept = [0, unsafe_bytes, chance(unsafe_bytes + 1)][chance(3)];
            file.bytes[..file.safe + kept].to_vec()
        };
        self.safe_names.iter().map(|(name, file)| (name.clone(), left_of(&self.files[*file]))).collect()
    }
}
