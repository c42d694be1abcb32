//! `trellis pack check PATH`: every mistake of a pack with file, line and column. Needs no server.

use std::path::PathBuf;
use std::process::ExitCode;

use engine::model::pack::Pack;
use engine::packs::{check, shipped};

use super::super::output;
use super::files;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Check {
    /// Folder with `pack.yaml`, or one file.
    path: PathBuf,
    /// Further folders of packs that it builds on, besides the shipped ones.
    #[arg(long, value_name = "FOLDER")]
    with: Vec<PathBuf>,
    /// Answer in JSON, for machines.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let known = self.known_packs()?;
        let files: Vec<_> = files::read_all(&self.path)?.into_iter().collect();
        let mistakes = check(&files, &known);
        if self.json {
            output::json(&mistakes)?;
        } else if mistakes.is_empty() {
            output::line("no mistakes");
        } else {
            mistakes.iter().for_each(|mistake| output::line(&mistake.to_string()));
        }
        Ok(ExitCode::from(u8::from(!mistakes.is_empty())))
    }

    /// The packs that others can build on.
    fn known_packs(&self) -> anyhow::Result<Vec<Pack>> {
        let mut known: Vec<Pack> = shipped::packs().filter_map(|(_, files)| Pack::read(&files).ok()).collect();
        for folder in &self.with {
            let files: Vec<_> = files::read_all(folder)?.into_iter().collect();
            let wrong = |_| anyhow::anyhow!("`{}` has mistakes of its own; check it first", folder.display());
            known.push(Pack::read(&files).map_err(wrong)?);
        }
        Ok(known)
    }
}
