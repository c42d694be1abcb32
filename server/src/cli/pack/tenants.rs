//! `--all-tenants`: a pack planned or applied over many tenants, with the platform's token.

use std::process::ExitCode;

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::Value;

use super::super::client::{self, Client};
use super::super::output;
use super::report::Report;
use crate::config::ClientFlags;

/// Tenants after which the terminal hears how far it is.
const NEWS_EVERY: u64 = 100;

/// Which tenants, where it is not the one of the token.
#[derive(Debug, clap::Args)]
pub(super) struct OverTenants {
    /// Every tenant that has the pack, one by one; the token is the platform's
    #[arg(long)]
    all_tenants: bool,
    /// Of these, only this one; may be repeated
    #[arg(long = "tenant", value_name = "SLUG", requires = "all_tenants")]
    tenants: Vec<String>,
    /// Tenants that do not have the pack get it, too
    #[arg(long, requires = "all_tenants")]
    install: bool,
}

impl OverTenants {
    pub(super) fn is_meant(&self) -> bool {
        self.all_tenants
    }

    /// Sends `body`, with the tenants that are meant, and prints what became of them.
    pub(super) fn run(&self, path: &str, mut body: Value, flags: &ClientFlags) -> anyhow::Result<ExitCode> {
        body["install"] = self.install.into();
        if !self.tenants.is_empty() {
            body["tenants"] = self.tenants.clone().into();
        }
        let report = client::run_on_platform(flags, async |client| follow(&client, path, &body, flags.json).await)?;
        if !flags.json {
            report.lines().iter().for_each(|line| output::line(line));
        }
        if !report.is_whole() {
            bail!("{}", report.why_not_whole());
        }
        Ok(report.exit_code())
    }
}

/// Reads the answer line by line; for machines each is printed as it comes.
async fn follow(client: &Client, path: &str, body: &Value, json: bool) -> anyhow::Result<Report> {
    // A tenant with very many records may keep the others waiting.
    let request = client.without_hurry()?.request(Method::POST, path).json(body);
    let mut response = client.send(request).await?;
    let (mut report, mut rest, mut done) = (Report::default(), Vec::new(), 0);
    // What breaks off lacks its last line, and is told so with what has come.
    while let Ok(Some(piece)) = response.chunk().await {
        rest.extend_from_slice(&piece);
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
        let further = rest.split_off(end + 1);
        let whole = std::mem::replace(&mut rest, further);
        for line in whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let value: Value = serde_json::from_slice(line).context("the server's answer is not JSON line by line")?;
            if json {
                output::line(&String::from_utf8_lossy(line));
            }
            report.add(value);
            done += 1;
            if !json && done % NEWS_EVERY == 0 {
                output::note(&format!("{done} tenants are done"));
            }
        }
    }
    Ok(report)
}
