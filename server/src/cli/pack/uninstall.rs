//! `trellis pack uninstall NAME`: takes a pack away; what it defines is archived, with what is stored under it.

use std::process::ExitCode;

use anyhow::Context;
use engine::model::Name;
use reqwest::Method;

use super::super::{client, output};
use crate::config::ClientFlags;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Uninstall {
    /// The pack's name
    name: String,
    /// For good: what is stored under its definitions is erased
    #[arg(long)]
    purge: bool,
    #[command(flatten)]
    client: ClientFlags,
}

impl Uninstall {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let name = Name::new(&self.name).with_context(|| format!("`{}` is no pack's name", self.name))?;
        let path = format!("/packs/{name}");
        let done = client::run(&self.client, async |client| {
            let mut request = client.request(Method::DELETE, &path);
            if self.purge {
                request = request.query(&[("purge", "true")]);
            }
            client.json(request).await
        })?;
        match self.client.json {
            true => output::json(&done)?,
            false => output::line(&format!("{} is uninstalled", self.name)),
        }
        Ok(ExitCode::SUCCESS)
    }
}
