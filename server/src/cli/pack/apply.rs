//! `trellis pack apply PATH`: asks the server for the plan and has exactly that done.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::super::{client, output};
use super::files;
use super::plan::Accept;
use super::tenants::OverTenants;
use crate::config::ClientFlags;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Apply {
    /// Folder with `pack.yaml`, or one file.
    path: PathBuf,
    /// Definitions may be archived, with what is stored under them
    #[arg(long)]
    allow_destructive: bool,
    #[command(flatten)]
    accept: Accept,
    #[command(flatten)]
    over: OverTenants,
    #[command(flatten)]
    client: ClientFlags,
}

impl Apply {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let files = files::read_all(&self.path)?;
        let accept = self.accept.sides();
        if self.over.is_meant() {
            let body = json!({"files": files, "accept": accept, "allow_destructive": self.allow_destructive});
            return self.over.run("/tenants/packs/apply", body, &self.client);
        }
        let applied = client::run(&self.client, async |client| {
            let plan = client.post("/packs/plan", &json!({"files": files, "accept": accept})).await?;
            let id = plan["plan"].as_str().context("the server's answer is no plan")?;
            let consent = json!({"plan": id, "accept": accept, "allow_destructive": self.allow_destructive});
            client.post("/packs/apply", &consent).await
        })?;
        if self.client.json {
            output::json(&applied)?;
        } else {
            output::line(&summary(&applied));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn summary(applied: &Value) -> String {
    let text = |key: &str| applied[key].as_str().unwrap_or_default();
    format!("{} {} is installed", text("pack"), text("version"))
}
