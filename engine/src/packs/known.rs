//! The packs that can be asked for by name: those of the binary, those of the server's folders, and those that the
//! tenant has or had.

use engine_model::Problem;
use engine_model::name::did_you_mean;
use engine_model::pack::{LocatedProblem, Pack};
use engine_store::pack;

use super::shipped::{self, Files};
use crate::digest::digest;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::session::Session;

/// Where a pack comes from.
#[derive(Debug, Clone)]
pub enum PackSource {
    /// Its files: name and text.
    Files(Files),
    /// One that the server knows, by name; the newest version unless one is named.
    Known {
        /// The pack's name.
        name: String,
        /// Its version.
        version: Option<String>,
    },
}

/// A pack without mistakes of form, and its files.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) pack: Pack,
    pub(crate) files: Files,
}

impl Known {
    /// Reads a pack; every mistake of form where it has some.
    pub(crate) fn read(files: Files) -> Result<Self, Vec<LocatedProblem>> {
        Ok(Self { pack: Pack::read(&files)?, files })
    }

    /// Bytes of the files.
    pub(crate) fn bytes(&self) -> u32 {
        let bytes = self.files.iter().map(|(_, text)| text.len()).sum::<usize>();
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    pub(super) fn name(&self) -> &str {
        self.pack.name.as_str()
    }

    /// Whether both say the same, however their files are called and laid out.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        // As text, since the order of options and properties is part of what they say.
        let text = |known: &Self| serde_json::to_string(&known.pack.document).ok();
        text(self) == text(other)
    }

    /// What tells the files from all others.
    pub(super) fn digest(&self) -> Result<String> {
        Ok(digest(&serde_json::to_string(&self.files).map_err(Error::internal)?))
    }
}

impl Engine {
    /// Every pack that the server knows, shipped ones first.
    pub(super) fn known_packs(&self) -> Vec<Files> {
        let shipped = shipped::packs().map(|(_, files)| files);
        shipped.chain(self.inner.packs.iter().cloned()).collect()
    }

    /// The same read; a folder with mistakes is left out.
    pub(super) fn readable_packs(&self) -> Vec<(Pack, Files)> {
        self.known_packs().into_iter().filter_map(|files| read(&files).map(|pack| (pack, files))).collect()
    }
}

impl Session {
    /// The packs that this tenant can ask for by name, with their files; a folder with mistakes is left out.
    pub(super) async fn known_packs(&self) -> Result<Vec<(Pack, Files)>> {
        let kept = pack::sources(&mut self.reader().await?).await?;
        let kept = kept.iter().filter_map(|row| serde_json::from_str::<Files>(&row.source).ok());
        let all = self.engine.known_packs().into_iter().chain(kept);
        Ok(all.filter_map(|files| read(&files).map(|pack| (pack, files))).collect())
    }

    /// The files that a source stands for.
    pub(super) async fn files_of(&self, source: PackSource) -> Result<Files> {
        match source {
            PackSource::Files(files) => Ok(files),
            PackSource::Known { name, version } => {
                let known = self.known_packs().await?;
                newest(&known, &name, version.as_deref()).map(|(_, files)| files.clone())
            }
        }
    }
}

/// A pack without mistakes. Who brings folders tells what is wrong in them, once.
pub(super) fn read(files: &Files) -> Option<Pack> {
    Pack::read(files).ok()
}

/// The newest version of a pack, or the version that is named.
pub(super) fn newest<'a>(known: &'a [(Pack, Files)], name: &str, version: Option<&str>) -> Result<&'a (Pack, Files)> {
    let mut versions: Vec<&(Pack, Files)> = known.iter().filter(|(pack, _)| pack.name.as_str() == name).collect();
    if versions.is_empty() {
        let hint = did_you_mean(name, known.iter().map(|(pack, _)| pack.name.as_str()));
        return Err(Error::not_found(format!("there is no pack `{name}`{hint}")));
    }
    versions.sort_by(|(one, _), (other, _)| one.version.cmp(&other.version));
    let is_wanted = |pack: &Pack| version.is_none_or(|version| pack.version.to_string() == version);
    versions.iter().rev().find(|(pack, _)| is_wanted(pack)).copied().ok_or_else(|| {
        let mut listed: Vec<String> = versions.iter().map(|(pack, _)| pack.version.to_string()).collect();
        listed.dedup();
        let listed = listed.join(", ");
        let version = version.unwrap_or_default();
        Error::not_found(format!("there is no version `{version}` of `{name}`; known are {listed}"))
    })
}

/// Mistakes in a pack's files, each with file, line and column in its message.
pub(super) fn mistakes(problems: Vec<LocatedProblem>) -> Error {
    let problems = problems
        .into_iter()
        .map(|problem| Problem::new(problem.pointer.clone(), problem.code, problem.to_string()))
        .collect();
    Error::invalid(problems)
}
