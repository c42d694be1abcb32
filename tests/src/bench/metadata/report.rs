//! What was measured of definitions, for people and for programs.

use serde_json::{Value, json};

use crate::Store;

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) values: Value,
}

/// Collects lines as they come.
#[derive(Debug)]
pub(super) struct MetadataReport {
    quick: bool,
    lines: Vec<String>,
    values: Vec<Value>,
}

impl MetadataReport {
    pub(super) fn new(quick: bool) -> Self {
        Self { quick, lines: Vec::new(), values: Vec::new() }
    }

    pub(super) fn add(&mut self, store: Store, part: &str, lines: Vec<Line>) {
        for Line { text, values } in lines {
            let line = format!("{:<9} {part:<8} {text}", store.name());
            eprintln!("{line}");
            self.lines.push(line);
            self.values.push(json!({"store": store.name(), "part": part, "values": values}));
        }
    }

    /// Shows the lines.
    #[expect(clippy::print_stdout, reason = "the lines are what the program is for")]
    pub(super) fn print(&self) {
        self.lines.iter().for_each(|line| println!("{line}"));
        if self.quick {
            println!("A quick run: the figures show that it works, not how fast.");
        }
    }

    /// Everything as one JSON document.
    pub(super) fn json(&self) -> String {
        format!("{:#}\n", json!({"quick": self.quick, "lines": self.values}))
    }
}
