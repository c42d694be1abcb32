//! `trellis pack check | plan | apply | export | list | uninstall | schema`.

mod apply;
mod check;
mod differences;
mod export;
mod files;
mod list;
mod plan;
mod report;
mod tenants;
mod uninstall;

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
    /// Install a pack on the tenant of the token, or bring it, or all tenants, to this version.
    Apply(apply::Apply),
    /// Write what the tenant has defined itself, or a pack that it has, as a pack.
    Export(export::Export),
    /// List the packs that the tenant has, and those that it could have.
    List(list::List),
    /// Take a pack away; what it defines is archived.
    Uninstall(uninstall::Uninstall),
    /// Print the JSON Schema of the pack format, with which editors complete and check packs.
    Schema,
}

impl Pack {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(check) => check.run(),
            Self::Plan(plan) => plan.run(),
            Self::Apply(apply) => apply.run(),
            Self::Export(export) => export.run(),
            Self::List(list) => list.run(),
            Self::Uninstall(uninstall) => uninstall.run(),
            Self::Schema => output::json(&json_schema()).map(|()| ExitCode::SUCCESS),
        }
    }
}
