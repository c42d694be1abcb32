//! `trellis pack apply PATH`: asks the server for the plan and has exactly that done.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::super::{client, output};
use super::files;
use crate::config::ClientFlags;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Apply {
    /// Folder with `pack.yaml`, or one file.
    path: PathBuf,
    #[command(flatten)]
    client: ClientFlags,
}

impl Apply {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let files = files::read(&self.path)?;
        let applied = client::run(&self.client, async |client| {
            let plan = client.post("/packs/plan", &json!({"files": files})).await?;
            let id = plan["plan"].as_str().context("the server's answer is no plan")?;
            client.post("/packs/apply", &json!({"plan": id})).await
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
