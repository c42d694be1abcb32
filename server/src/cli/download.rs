//! Writes what the server answers into a file, or to standard output.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use reqwest::Method;

use super::client::Client;
use super::output;

/// Writes the answer to a read of `path` into `out`, or to standard output where there is none.
pub(super) async fn download(client: &Client, path: &str, out: Option<&Path>) -> anyhow::Result<()> {
    match out {
        Some(out) => write_file(client, path, out).await,
        None => copy(client, path, &mut std::io::stdout()).await.map(drop),
    }
}

/// The file has its name only once it is whole.
async fn write_file(client: &Client, path: &str, out: &Path) -> anyhow::Result<()> {
    let mut part = out.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let cannot = || format!("cannot write `{}`", out.display());
    let mut file = File::create(&part).with_context(cannot)?;
    let copied = match copy(client, path, &mut file).await {
        Ok(bytes) => file.sync_all().with_context(cannot).map(|()| bytes),
        failed => failed,
    };
    match copied {
        Ok(bytes) => {
            std::fs::rename(&part, out).with_context(cannot)?;
            output::note(&format!("wrote `{}`, {bytes} bytes", out.display()));
            Ok(())
        }
        Err(error) => {
            // What is no whole file is of no use; why there is none is told.
            drop(std::fs::remove_file(&part));
            Err(error)
        }
    }
}

async fn copy(client: &Client, path: &str, to: &mut impl Write) -> anyhow::Result<u64> {
    let mut response = client.send(client.request(Method::GET, path)).await?;
    let announced = response.content_length();
    let mut bytes = 0;
    while let Some(piece) = response.chunk().await.context("the export broke off")? {
        to.write_all(&piece).context("the export cannot be written")?;
        bytes += piece.len() as u64;
    }
    ensure!(announced.is_none_or(|announced| announced == bytes), "the export broke off");
    to.flush().context("the export cannot be written")?;
    Ok(bytes)
}
