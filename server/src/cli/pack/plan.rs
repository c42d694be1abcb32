//! `trellis pack plan PATH`: what applying a pack would do, step by step.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::super::{client, output};
use super::differences::differences;
use super::files;
use super::tenants::OverTenants;
use crate::config::ClientFlags;

/// Exit code of a plan that would change something.
pub(super) const CHANGES: u8 = 3;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Plan {
    /// Folder with `pack.yaml`, or one file.
    path: PathBuf,
    #[command(flatten)]
    accept: Accept,
    #[command(flatten)]
    over: OverTenants,
    #[command(flatten)]
    client: ClientFlags,
}

/// Whose side holds where both the pack and the tenant have changed something.
#[derive(Debug, clap::Args)]
pub(super) struct Accept {
    /// Whose side holds of a conflict, `pack` or `tenant`; may be repeated
    #[arg(long = "accept", value_name = "NAME=SIDE", value_parser = side)]
    sides: Vec<(String, &'static str)>,
}

impl Accept {
    pub(super) fn sides(&self) -> BTreeMap<&str, &str> {
        self.sides.iter().map(|(name, side)| (name.as_str(), *side)).collect()
    }
}

fn side(given: &str) -> Result<(String, &'static str), String> {
    let (name, side) = given.split_once('=').unwrap_or((given, ""));
    let side = ["pack", "tenant"].into_iter().find(|known| *known == side);
    side.map(|side| (name.to_owned(), side)).ok_or_else(|| "it says NAME=pack or NAME=tenant".to_owned())
}

impl Plan {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let files = files::read_all(&self.path)?;
        let body = json!({"files": files, "accept": self.accept.sides()});
        if self.over.is_meant() {
            return self.over.run("/tenants/packs/plan", body, &self.client);
        }
        let plan = client::run(&self.client, async |client| client.post("/packs/plan", &body).await)?;
        let steps = plan["steps"].as_array().context("the server's answer is no plan")?;
        match self.client.json {
            true => output::json(&plan)?,
            false => print(&plan).iter().for_each(|line| output::line(line)),
        }
        Ok(if steps.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CHANGES) })
    }
}

/// The plan for people, line by line.
pub(super) fn print(plan: &Value) -> Vec<String> {
    let list = |key: &str| plan[key].as_array().map(Vec::as_slice).unwrap_or_default();
    if list("steps").is_empty() {
        return vec!["nothing to do: the tenant has this version".to_owned()];
    }
    let mut lines: Vec<String> = list("steps").iter().flat_map(step).collect();
    for (heading, holds) in SIDES {
        let conflicts: Vec<&Value> = list("conflicts").iter().filter(|found| is_held_by(found, holds)).collect();
        if conflicts.is_empty() {
            continue;
        }
        lines.push(String::new());
        lines.push(format!("changed by both the pack and the tenant, {heading}:"));
        for conflict in conflicts {
            lines.push(format!("  {}", text(&conflict["name"])));
            lines.push(format!("      pack: {}", conflict["pack"]));
            lines.push(format!("      tenant: {}", conflict["tenant"]));
        }
    }
    let warnings = warnings(&plan["warnings"]);
    if !warnings.is_empty() {
        lines.push(String::new());
        lines.extend(warnings);
    }
    let summary = &plan["summary"];
    lines.push(String::new());
    lines.push(format!("{} to add, {} to change, {} to remove", summary["add"], summary["change"], summary["remove"]));
    lines
}

/// Whose side holds of what both have changed.
const SIDES: [(&str, &str); 2] =
    [("whose side holds unless `--accept NAME=pack`", "tenant"), ("of which the pack's side is accepted", "pack")];

/// Whether this side holds; the tenant's, where nothing is said.
pub(super) fn is_held_by(conflict: &Value, side: &str) -> bool {
    conflict["holds"].as_str().unwrap_or("tenant") == side
}

/// What views, reports, workflows and roles would name that is not there; nothing where all is well.
pub(super) fn warnings(told: &Value) -> Vec<String> {
    let told = told.as_array().map(Vec::as_slice).unwrap_or_default();
    let head = (!told.is_empty()).then(|| "left without what they name:".to_owned());
    let each = told.iter().map(|told| format!("  {}: {}", text(&told["pointer"]), text(&told["message"])));
    head.into_iter().chain(each).collect()
}

pub(super) fn step(step: &Value) -> Vec<String> {
    let sign = match step["action"].as_str() {
        Some("add") => "+",
        Some("remove") => "-",
        _ => "~",
    };
    let mut lines = vec![format!("{sign} {} {}", text(&step["kind"]), text(&step["name"]))];
    if sign == "~" {
        let differences = differences(&step["before"], &step["after"]);
        lines.extend(differences.iter().map(|line| format!("      {line}")));
    }
    let records = step["records"].as_u64().unwrap_or_default();
    if records > 0 {
        let what = match step["effect"].as_str() {
            Some("in_the_way") => "in the way",
            Some("rewritten") => "written anew by a job",
            Some("computed") => "computed by a job",
            Some("erased") => "erased for good",
            _ => "no longer seen",
        };
        let samples = step["samples"].as_array().map(Vec::as_slice).unwrap_or_default();
        let samples = samples.iter().map(text).collect::<Vec<_>>().join(", ");
        let such_as = if samples.is_empty() { String::new() } else { format!(", such as {samples}") };
        lines.push(format!("      records {what}: {records}{such_as}"));
    }
    if step["effect"] == "erased" && step["records"].is_null() {
        lines.push("      all that is stored under it is erased for good".to_owned());
    }
    for used in step["uses"].as_array().map(Vec::as_slice).unwrap_or_default() {
        lines.push(format!(
            "      used by {} {}, {}",
            text(&used["kind"]),
            text(&used["name"]),
            text(&used["pointer"])
        ));
    }
    lines
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_like_a_list_of_what_is_done() {
        let plan = json!({
            "summary": {"add": 1, "change": 1, "remove": 1},
            "steps": [
                {"action": "add", "kind": "property", "name": "deal.margin", "before": null, "after": {}, "records": 0},
                {"action": "change", "kind": "property", "name": "deal.amount", "before": {"label": "Amount"},
                    "after": {"label": "Amount", "minimum": 0}, "records": 2, "samples": ["7", "9"],
                    "effect": "in_the_way"},
                {"action": "change", "kind": "property", "name": "deal.size", "before": {"type": "string"},
                    "after": {"type": "integer"}, "records": 12, "samples": [], "effect": "rewritten"},
                {"action": "remove", "kind": "property", "name": "deal.old", "before": {}, "after": null,
                    "records": null, "samples": [], "effect": "erased"},
                {"action": "remove", "kind": "object", "name": "visit", "before": {}, "after": null, "records": 0,
                    "uses": [{"kind": "view", "name": "visits", "pointer": "/views/visits/columns/0", "layer": "own"}]},
            ],
            "warnings": [{"pointer": "/views/visits/object", "message": "the object `visit` is archived"}],
            "conflicts": [
                {"name": "deal.name", "pack": {"label": "Title"}, "tenant": {"label": "Project"}, "holds": "tenant"},
                {"name": "deal.stage", "pack": {"label": "Phase"}, "tenant": {"label": "Step"}, "holds": "pack"},
            ],
        });
        assert_eq!(
            print(&plan),
            [
                "+ property deal.margin",
                "~ property deal.amount",
                "      minimum: (none) → 0",
                "      records in the way: 2, such as 7, 9",
                "~ property deal.size",
                "      type: \"string\" → \"integer\"",
                "      records written anew by a job: 12",
                "- property deal.old",
                "      all that is stored under it is erased for good",
                "- object visit",
                "      used by view visits, /views/visits/columns/0",
                "",
                "changed by both the pack and the tenant, whose side holds unless `--accept NAME=pack`:",
                "  deal.name",
                "      pack: {\"label\":\"Title\"}",
                "      tenant: {\"label\":\"Project\"}",
                "",
                "changed by both the pack and the tenant, of which the pack's side is accepted:",
                "  deal.stage",
                "      pack: {\"label\":\"Phase\"}",
                "      tenant: {\"label\":\"Step\"}",
                "",
                "left without what they name:",
                "  /views/visits/object: the object `visit` is archived",
                "",
                "1 to add, 1 to change, 1 to remove",
            ]
        );
        assert_eq!(print(&json!({"steps": []})), ["nothing to do: the tenant has this version"]);
    }
}
