//! `trellis tenant import`: makes a tenant of an exported one.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use reqwest::{Body, Method};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::super::{client, output};
use crate::config::ClientFlags;

/// Piece in which the file is read, in bytes.
const PIECE: usize = 64 * 1024;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Import {
    /// What `tenant export` has written.
    file: PathBuf,
    /// Short name in addresses: lower-case letters, digits and `-`.
    #[arg(long)]
    slug: String,
    /// Name for people; the one in the file without it.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    client: ClientFlags,
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut query = vec![("slug", &self.slug)];
        query.extend(self.name.as_ref().map(|name| ("name", name)));
        let made = client::run_on_platform(&self.client, async |client| {
            let cannot = || format!("cannot read `{}`", self.file.display());
            let file = File::open(&self.file).await.with_context(cannot)?;
            let pieces = Body::wrap_stream(ReaderStream::with_capacity(file, PIECE));
            // The server says nothing until all of it is written.
            let request = client.without_hurry()?.request(Method::POST, "/tenants/import").query(&query);
            client.json(request.header("content-type", "application/x-ndjson").body(pieces)).await
        })?;
        if self.client.json {
            output::json(&made)?;
        } else {
            output::note(&format!("made the tenant `{}`; its owner's token is shown only now:", self.slug));
            output::line(made["token"].as_str().unwrap_or_default());
        }
        Ok(ExitCode::SUCCESS)
    }
}
