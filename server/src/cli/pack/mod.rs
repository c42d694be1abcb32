//! `trellis pack check | plan | apply | schema`.

mod apply;
mod check;
mod files;
mod plan;

use std::process::ExitCode;

use engine::model::pack::json_schema;

use super::output;
pub(in crate::cli) use files::read as read_files;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Pack {
    /// Find every mistake in a pack.
    Check(check::Check),
    /// Show what applying a pack would do; exit code 3 where that is anything.
    Plan(plan::Plan),
    /// Install a pack on the tenant of the token, or bring it to this version.
    Apply(apply::Apply),
    /// Print the JSON Schema of the pack format, with which editors complete and check packs.
    Schema,
}

impl Pack {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(check) => check.run(),
            Self::Plan(plan) => plan.run(),
            Self::Apply(apply) => apply.run(),
            Self::Schema => output::json(&json_schema()).map(|()| ExitCode::SUCCESS),
        }
    }
}
