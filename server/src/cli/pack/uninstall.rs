//! `trellis pack uninstall NAME`: says what taking a pack away does, and does it; what it defines is archived, with what is
//! stored under it, or erased.

use std::process::ExitCode;

use anyhow::Context;
use engine::model::Name;
use serde_json::{Value, json};

use super::super::{client, output};
use super::plan::{CHANGES, print};
use crate::config::ClientFlags;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Uninstall {
    /// The pack's name
    name: String,
    /// For good: what is stored under its definitions is erased
    #[arg(long)]
    purge: bool,
    /// Only say what that would do; exit code 3 where it is anything
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    client: ClientFlags,
}

impl Uninstall {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let name = Name::new(&self.name).with_context(|| format!("`{}` is no pack's name", self.name))?;
        let asked = json!({"pack": name, "uninstall": true, "purge": self.purge});
        let plan = client::run(&self.client, async |client| client.post("/packs/plan", &asked).await)?;
        match self.client.json {
            true if self.dry_run => output::json(&plan)?,
            true => {}
            false => print(&plan).iter().for_each(|line| output::line(line)),
        }
        if self.dry_run {
            return Ok(ExitCode::from(CHANGES));
        }
        // Exactly what was said.
        let consent = json!({"plan": plan["plan"], "allow_destructive": true});
        let done = client::run(&self.client, async |client| client.post("/packs/apply", &consent).await)?;
        match self.client.json {
            true => output::json(&done)?,
            false => output::line(&self.told(&done)),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn told(&self, done: &Value) -> String {
        let job = done["jobs"].as_array().and_then(|jobs| jobs.last()?.as_str());
        match job.filter(|_| self.purge) {
            Some(job) => format!("{} is uninstalled; job {job} erases what it has brought", self.name),
            None => format!("{} is uninstalled", self.name),
        }
    }
}
