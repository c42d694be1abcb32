//! Dashboards: reports and views on one screen.

use serde_json::Value;

use super::view::SHARINGS;
use super::{Names, Section};
use crate::name::{Name, did_you_mean};
use crate::spec::SpecReader;

/// Most items of a dashboard.
const MOST_ITEMS: usize = 50;
/// Columns of the grid in which items stand.
const COLUMNS: u64 = 12;

/// Reports and views on one screen.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// In order.
    pub items: Vec<Item>,
    /// `private`, `team` or `everyone`.
    pub sharing: &'static str,
}

/// A report or a view on a dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which of the two.
    pub section: Section,
    /// The name of a pack's, or the id of a saved one.
    pub of: String,
}

impl Dashboard {
    pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Self> {
        let sharing = reader.choice("sharing", &SHARINGS).unwrap_or("everyone");
        let Some(list) = reader.list("items") else {
            if reader.value("items").is_none() {
                reader.missing("items");
            }
            return None;
        };
        if list.is_empty() || list.len() > MOST_ITEMS {
            reader.problem("items", "invalid", format!("a dashboard has 1 to {MOST_ITEMS} items"));
        }
        let pointer = reader.pointer_of("items");
        let items = list.iter().take(MOST_ITEMS).enumerate();
        let items = items.filter_map(|(index, spec)| read_item(spec, &format!("{pointer}/{index}"), reader));
        Some(Self { items: items.collect(), sharing })
    }

    pub(super) fn look_up(&self, names: &mut Names<'_>) {
        for (index, item) in self.items.iter().enumerate().filter(|(_, item)| !item.is_saved()) {
            let known = names.behaviors(item.section);
            if !known.contains(&item.of.as_str()) {
                let (kind, hint) = (item.section.kind(), did_you_mean(&item.of, known));
                let message = format!("there is no {kind} `{}`{hint}", item.of);
                names.problem(&format!("/items/{index}/{kind}"), "unknown", message);
            }
        }
    }
}

impl Item {
    /// Whether it is of what somebody has saved, and not of a pack's.
    pub fn is_saved(&self) -> bool {
        Name::new(&self.of).is_err()
    }
}

fn read_item(spec: &Value, at: &str, reader: &mut SpecReader<'_>) -> Option<Item> {
    let mut reader = SpecReader::new(spec, at, reader.problems())?;
    let [report, view] = ["report", "view"].map(|key| reader.string(key).map(str::to_owned));
    reader.string("label");
    for key in ["width", "height"] {
        if reader.count(key).is_some_and(|count| !(1..=COLUMNS).contains(&count)) {
            reader.problem(key, "out_of_range", format!("it is from 1 to {COLUMNS}"));
        }
    }
    let item = match (report, view) {
        (Some(of), None) => Some(Item { section: Section::Reports, of }),
        (None, Some(of)) => Some(Item { section: Section::Views, of }),
        _ => {
            reader.problem("report", "required", "an item shows either a `report` or a `view`");
            None
        }
    };
    reader.finish();
    item
}
