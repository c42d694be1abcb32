//! `trellis pack export`: the tenant's own layer, or a pack that it has, as YAML.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use reqwest::Method;

use super::super::{client, output};
use crate::config::ClientFlags;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    /// Name of the new pack, by default the tenant's; or of a pack that the tenant has
    #[arg(long = "pack", value_name = "NAME")]
    name: Option<String>,
    /// Version of the new pack; 1.0.0 without it
    #[arg(long)]
    version: Option<String>,
    /// What people read of it
    #[arg(long)]
    label: Option<String>,
    /// Only this object of the own layer; may be repeated
    #[arg(long = "object", value_name = "OBJECT")]
    objects: Vec<String>,
    /// File to write to, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    client: ClientFlags,
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let objects = Some(self.objects.join(",")).filter(|objects| !objects.is_empty());
        let given = [("pack", &self.name), ("version", &self.version), ("label", &self.label), ("object", &objects)];
        let query: Vec<(&str, &String)> =
            given.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))).collect();
        let text = client::run(&self.client, async |client| {
            let request = client.request(Method::GET, "/packs/export").query(&query);
            client.send(request).await?.text().await.context("the server's answer broke off")
        })?;
        match &self.out {
            Some(path) => {
                std::fs::write(path, &text).with_context(|| format!("cannot write `{}`", path.display()))?;
                output::note(&format!("wrote `{}`", path.display()));
            }
            None => output::line(text.trim_end_matches('\n')),
        }
        Ok(ExitCode::SUCCESS)
    }
}
