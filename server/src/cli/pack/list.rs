//! `trellis pack list`: the packs that the tenant has, and those that it could have.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use super::super::{client, output};
use crate::config::ClientFlags;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    client: ClientFlags,
}

impl List {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let answer = client::run(&self.client, async |client| client.get("/packs").await)?;
        let packs = answer["results"].as_array().context("the server's answer is no list of packs")?;
        if self.client.json {
            output::json(packs)?;
        } else {
            output::table(["PACK", "INSTALLED", "VERSIONS", "LABEL"], &packs.iter().map(row).collect::<Vec<_>>());
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn row(pack: &Value) -> [String; 4] {
    let text = |key: &str| pack[key].as_str().unwrap_or("-").to_owned();
    let versions = pack["versions"].as_array().into_iter().flatten().filter_map(Value::as_str);
    [text("pack"), text("installed"), versions.collect::<Vec<_>>().join(", "), text("label")]
}
