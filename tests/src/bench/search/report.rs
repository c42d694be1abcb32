//! What searches cost, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::rival::Rivals;
use crate::Store;

/// What was measured on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    pub(super) store: Store,
    pub(super) records: u64,
}

/// A bound that the product is to keep at 1,000,000 contacts on two cores.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// What the times of a question are to be, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) p50: f64,
    pub(super) p99: Option<f64>,
    /// What the parts of it cost alone.
    pub(super) floor: Option<f64>,
}

/// What came of a question.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: &'static str,
    pub(super) target: Option<Times>,
    /// Records that meet it, where that can be counted.
    pub(super) hits: Option<u64>,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) errors: u64,
}

/// Collects results as they come and shows them at the end.
#[derive(Debug)]
pub(super) struct SearchReport {
    quick: bool,
    questions: Vec<String>,
    figures: Vec<String>,
    problems: Vec<String>,
    json_questions: Vec<Value>,
    json_figures: Vec<Value>,
}

const QUESTIONS: &str = "store      records  question                                      hits   p50 ms   p99 ms  target (floor)  \
     jsonb ms   ratio  typed ms   ratio  errors";
const FIGURES: &str =
    "store      records  figure                                                            value  unit        target";

impl SearchReport {
    pub(super) fn new(quick: bool) -> Self {
        Self {
            quick,
            questions: Vec::new(),
            figures: Vec::new(),
            problems: Vec::new(),
            json_questions: Vec::new(),
            json_figures: Vec::new(),
        }
    }

    /// A question was asked.
    pub(super) fn question(&mut self, scene: Scene, asked: &Asked, rivals: &Rivals) {
        let [jsonb, typed] = rivals.of(asked.question);
        let hits = asked.hits.map_or_else(|| "-".to_owned(), |hits| hits.to_string());
        let target = asked.target.map_or_else(|| "-".to_owned(), |target| target.to_string());
        let line = format!(
            "{:<9} {:>8}  {:<41} {hits:>8} {:>8.2} {:>8.2}  {target:<14} {:>9} {:>7} {:>9} {:>7} {:>7}",
            scene.store.name(),
            scene.records,
            asked.question,
            asked.p50,
            asked.p99,
            cell(jsonb),
            ratio(asked.p50, jsonb),
            cell(typed),
            ratio(asked.p50, typed),
            asked.errors,
        );
        eprintln!("{line}");
        self.questions.push(line);
        self.json_questions.push(json!({
            "store": scene.store.name(),
            "records": scene.records,
            "question": asked.question,
            "hits": asked.hits,
            "p50_ms": asked.p50,
            "p99_ms": asked.p99,
            "target_p50_ms": asked.target.map(|target| target.p50),
            "target_p99_ms": asked.target.and_then(|target| target.p99),
            "floor_ms": asked.target.and_then(|target| target.floor),
            "jsonb_p50_ms": jsonb,
            "typed_p50_ms": typed,
            "errors": asked.errors,
        }));
    }

    /// Something else was measured.
    pub(super) fn figure(&mut self, scene: Scene, name: &str, value: f64, unit: &str, target: Option<Target>) {
        let shown = target.map_or_else(String::new, |target| target.to_string());
        let (store, records) = (scene.store.name(), scene.records);
        let line = format!("{store:<9} {records:>8}  {name:<58} {value:>12.2}  {unit:<10}  {shown}");
        eprintln!("{line}");
        self.figures.push(line);
        let (at_most, at_least) = match target {
            Some(Target::AtMost(bound)) => (Some(bound), None),
            Some(Target::AtLeast(bound)) => (None, Some(bound)),
            None => (None, None),
        };
        self.json_figures.push(json!({
            "store": store,
            "records": records,
            "figure": name,
            "value": value,
            "unit": unit,
            "at_most": at_most,
            "at_least": at_least,
        }));
    }

    /// Something is wrong, which no figure says.
    pub(super) fn problem(&mut self, scene: Scene, problem: &str) {
        let line = format!("{}, {} records: {problem}", scene.store.name(), scene.records);
        eprintln!("PROBLEM {line}");
        self.problems.push(line);
    }

    /// Shows the tables.
    #[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
    pub(super) fn print(&self) {
        for (head, lines) in [(QUESTIONS, &self.questions), (FIGURES, &self.figures)] {
            if !lines.is_empty() {
                println!("{head}\n{}\n", lines.join("\n"));
            }
        }
        for problem in &self.problems {
            println!("PROBLEM {problem}");
        }
        println!("Ratios are ours to theirs; targets are for 1,000,000 contacts on two cores.");
        if self.quick {
            println!("A quick run: the figures show that it works, not how fast.");
        }
    }

    /// Everything as one JSON document.
    pub(super) fn json(&self) -> String {
        let all = json!({"quick": self.quick, "questions": self.json_questions, "figures": self.json_figures,
            "problems": self.problems});
        format!("{all:#}\n")
    }
}

impl fmt::Display for Times {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}", self.p50)?;
        if let Some(p99) = self.p99 {
            write!(to, ", {p99}")?;
        }
        match self.floor {
            Some(floor) => write!(to, " ({floor})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(to, "at most {bound}"),
            Self::AtLeast(bound) => write!(to, "at least {bound}"),
        }
    }
}

fn cell(milliseconds: Option<f64>) -> String {
    milliseconds.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

fn ratio(ours: f64, theirs: Option<f64>) -> String {
    theirs.map_or_else(|| "-".to_owned(), |theirs| format!("{:.3}", ours / theirs))
}
