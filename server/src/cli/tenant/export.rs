//! `trellis tenant export`: writes all that a tenant has into a file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use reqwest::Method;

use super::super::client::{self, Client};
use super::super::output;
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
        client::run(&self.client, async |client| match &self.out {
            Some(path) => write_file(&client, path).await,
            None => copy(&client, &mut std::io::stdout()).await.map(drop),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The file has its name only once it is whole.
async fn write_file(client: &Client, path: &Path) -> anyhow::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let cannot = || format!("cannot write `{}`", path.display());
    let mut file = File::create(&part).with_context(cannot)?;
    let copied = match copy(client, &mut file).await {
        Ok(bytes) => file.sync_all().with_context(cannot).map(|()| bytes),
        failed => failed,
    };
    match copied {
        Ok(bytes) => {
            std::fs::rename(&part, path).with_context(cannot)?;
            output::note(&format!("wrote `{}`, {bytes} bytes", path.display()));
            Ok(())
        }
        Err(error) => {
            // What is no whole file is of no use; why there is none is told.
            drop(std::fs::remove_file(&part));
            Err(error)
        }
    }
}

async fn copy(client: &Client, to: &mut impl Write) -> anyhow::Result<u64> {
    let mut response = client.send(client.request(Method::GET, "/tenant/export")).await?;
    let mut bytes = 0;
    while let Some(piece) = response.chunk().await.context("the export broke off")? {
        to.write_all(&piece).context("the export cannot be written")?;
        bytes += piece.len() as u64;
    }
    to.flush().context("the export cannot be written")?;
    Ok(bytes)
}
