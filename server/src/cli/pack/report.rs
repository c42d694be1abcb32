//! What became of many tenants, for people: those to which the same happens together, then whatever is each one's own.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::problem::Problem;
use super::plan::{CHANGES, is_held_by, step, text, warnings};

/// Tenants that are named of those to which the same happens.
const NAMED: usize = 8;

/// The lines of an answer, as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Report {
    groups: Vec<Group>,
    /// Where a group stands, by what happens: versions, and steps without the records that they touch.
    places: HashMap<String, usize>,
    conflicts: Vec<(String, Value)>,
    failed: Vec<(String, Value)>,
    /// By the reason.
    skipped: BTreeMap<String, Vec<String>>,
    end: Option<Value>,
}

/// Tenants to which the same happens.
#[derive(Debug)]
struct Group {
    from: Value,
    to: Value,
    is_plan: bool,
    summary: Value,
    /// The first tenant's, with the records of all.
    steps: Vec<Value>,
    warnings: Value,
    tenants: Vec<String>,
}

impl Report {
    /// Takes a line of the answer.
    pub(super) fn add(&mut self, mut line: Value) {
        if line.get("done").is_some() {
            self.end = Some(line);
            return;
        }
        let tenant = text(&line["tenant"]).to_owned();
        if let Value::Array(conflicts) = line["conflicts"].take() {
            // What is settled by accepting the pack's side is a step like any other.
            let open = conflicts.into_iter().filter(|conflict| is_held_by(conflict, "tenant"));
            self.conflicts.extend(open.map(|conflict| (tenant.clone(), conflict)));
        }
        match text(&line["status"]) {
            "changed" | "planned" => self.group(tenant, line),
            "failed" => self.failed.push((tenant, line["problem"].take())),
            "skipped" => self.skipped.entry(text(&line["reason"]).to_owned()).or_default().push(tenant),
            _ => {}
        }
    }

    fn group(&mut self, tenant: String, mut line: Value) {
        let steps = match line["steps"].take() {
            Value::Array(steps) => steps,
            _ => Vec::new(),
        };
        let bare_steps: Vec<Value> = steps.iter().map(bare).collect();
        let same = json!([line["from"], line["to"], line["summary"], bare_steps, line["warnings"]]);
        let at = *self.places.entry(same.to_string()).or_insert(self.groups.len());
        if at == self.groups.len() {
            self.groups.push(Group {
                from: line["from"].take(),
                to: line["to"].take(),
                is_plan: line["status"] == "planned",
                summary: line["summary"].take(),
                steps: bare_steps,
                warnings: line["warnings"].take(),
                tenants: Vec::new(),
            });
        }
        let Some(group) = self.groups.get_mut(at) else { return };
        for (sum, step) in group.steps.iter_mut().zip(&steps) {
            let records = |step: &Value| step["records"].as_u64().unwrap_or_default();
            sum["records"] = (records(sum) + records(step)).into();
        }
        group.tenants.push(tenant);
    }

    /// Whether the answer has come to its end, and all tenants had their turn.
    pub(super) fn is_whole(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end["done"] == true)
    }

    pub(super) fn why_not_whole(&self) -> String {
        let problem = self.end.as_ref().and_then(|end| problem(end.get("problem")?.clone()));
        let why = problem.unwrap_or_else(|| "the server stops, or cannot be reached any more".to_owned());
        format!("not all tenants had their turn: {why}\nthe same command goes on with those that are left")
    }

    /// Failed tenants make it fail; a plan that would change something has a code of its own.
    pub(super) fn exit_code(&self) -> ExitCode {
        if !self.failed.is_empty() {
            return ExitCode::FAILURE;
        }
        let is_plan = self.groups.iter().any(|group| group.is_plan);
        if is_plan { ExitCode::from(CHANGES) } else { ExitCode::SUCCESS }
    }

    /// All of it, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.groups.iter().flat_map(Group::lines).collect();
        if !self.conflicts.is_empty() {
            let held = "changed by both the pack and tenants, whose sides hold unless `--accept NAME=pack`:";
            lines.push(held.to_owned());
        }
        let mut last = "";
        for (tenant, conflict) in &self.conflicts {
            if tenant != last {
                lines.push(format!("  {tenant}"));
            }
            last = tenant;
            lines.push(format!("      {}", text(&conflict["name"])));
            lines.push(format!("          pack: {}", conflict["pack"]));
            lines.push(format!("          tenant: {}", conflict["tenant"]));
        }
        if !self.conflicts.is_empty() {
            lines.push(String::new());
        }
        for (tenant, failure) in &self.failed {
            let told = problem(failure.clone()).unwrap_or_else(|| failure.to_string());
            lines.push(format!("! {tenant}: {}", told.replace('\n', "\n    ")));
        }
        if !self.failed.is_empty() {
            lines.push(String::new());
        }
        for (reason, tenants) in &self.skipped {
            lines.extend([format!("skipped, {reason}: {}", shortened(tenants)), String::new()]);
        }
        lines.extend(self.end.as_ref().map(counts));
        lines
    }
}

impl Group {
    fn lines(&self) -> Vec<String> {
        let versions = match self.from.as_str() {
            Some(from) => format!("{from} → {}", text(&self.to)),
            None => format!("new in {}", text(&self.to)),
        };
        let mut lines = vec![format!("{versions}, {}: {}", number(self.tenants.len()), shortened(&self.tenants))];
        let told = self.steps.iter().flat_map(step).chain(warnings(&self.warnings));
        lines.extend(told.map(|line| format!("  {line}")));
        let [add, change, remove] = ["add", "change", "remove"].map(|key| &self.summary[key]);
        lines.push(match self.is_plan {
            true => format!("  {add} to add, {change} to change, {remove} to remove"),
            false => format!("  {add} added, {change} changed, {remove} removed"),
        });
        lines.push(String::new());
        lines
    }
}

/// A step without what differs from tenant to tenant.
fn bare(step: &Value) -> Value {
    let mut step = step.clone();
    if let Some(step) = step.as_object_mut() {
        step.remove("records");
        step.remove("samples");
    }
    step
}

fn number(tenants: usize) -> String {
    if tenants == 1 { "1 tenant".to_owned() } else { format!("{tenants} tenants") }
}

fn shortened(tenants: &[String]) -> String {
    let named = tenants.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match tenants.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn counts(end: &Value) -> String {
    let planned = end["planned"].as_u64().unwrap_or_default();
    let changed = if planned > 0 { format!("{planned} to change") } else { format!("{} changed", end["changed"]) };
    let [unchanged, failed, skipped] = ["unchanged", "failed", "skipped"].map(|key| &end[key]);
    let tenants = usize::try_from(end["tenants"].as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
    format!("{}: {changed}, {unchanged} unchanged, {failed} failed, {skipped} skipped", number(tenants))
}

fn problem(body: Value) -> Option<String> {
    serde_json::from_value::<Problem>(body).ok().map(|problem| problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_to_which_the_same_happens_stand_together() {
        let steps = |records: u64| {
            json!([{"action": "remove", "kind": "property", "name": "book.shelf", "before": {}, "after": null,
                "destructive": true, "records": records, "samples": ["7"], "job": false}])
        };
        let planned = |tenant: &str, records: u64| {
            json!({"tenant": tenant, "from": "1.0.0", "to": "1.1.0", "status": "planned", "steps": steps(records),
                "summary": {"add": 0, "change": 0, "remove": 1}, "conflicts": [],
                "warnings": [{"pointer": "/views/books/sort/0", "message": "`book` has no property `shelf`"}]})
        };
        let mut report = Report::default();
        (0..10).for_each(|number| report.add(planned(&format!("t{number}"), number)));
        let conflict =
            json!({"kind": "property", "name": "book.title", "pack": {"label": "A"}, "tenant": {"label": "B"}});
        report.add(json!({"tenant": "own", "from": null, "to": "1.1.0", "status": "planned", "steps": [],
            "summary": {"add": 0, "change": 0, "remove": 0}, "conflicts": [conflict]}));
        let problem = json!({"status": 409, "code": "conflict", "detail": "it collides; see `errors`",
            "errors": [{"pointer": "/objects/book", "message": "there is one"}]});
        report.add(json!({"tenant": "bad", "from": "1.0.0", "to": "1.1.0", "status": "failed", "problem": problem}));
        report.add(json!({"tenant": "gone", "from": null, "to": "1.1.0", "status": "skipped", "reason": "it is gone"}));
        assert!(!report.is_whole());
        report.add(json!({"done": true, "tenants": 13, "changed": 0, "planned": 11, "unchanged": 0, "failed": 1,
            "skipped": 1}));
        assert!(report.is_whole());
        assert_eq!(
            report.lines(),
            [
                "1.0.0 → 1.1.0, 10 tenants: t0, t1, t2, t3, t4, t5, t6, t7 and 2 more",
                "  - property book.shelf",
                "        records no longer seen: 45",
                "  left without what they name:",
                "    /views/books/sort/0: `book` has no property `shelf`",
                "  0 to add, 0 to change, 1 to remove",
                "",
                "new in 1.1.0, 1 tenant: own",
                "  0 to add, 0 to change, 0 to remove",
                "",
                "changed by both the pack and tenants, whose sides hold unless `--accept NAME=pack`:",
                "  own",
                "      book.title",
                "          pack: {\"label\":\"A\"}",
                "          tenant: {\"label\":\"B\"}",
                "",
                "! bad: it collides; see `errors` (conflict, 409)\n      /objects/book: there is one",
                "",
                "skipped, it is gone: gone",
                "",
                "13 tenants: 11 to change, 0 unchanged, 1 failed, 1 skipped",
            ]
        );
    }
}
