//! `trellis tenant export`: writes all that a tenant has into a file.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::client;
use super::super::download::download;
use crate::config::ClientFlags;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    /// File to write to, instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    client: ClientFlags,
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        client::run(&self.client, async |client| download(&client, "/tenant/export", self.out.as_deref()).await)?;
        Ok(ExitCode::SUCCESS)
    }
}
