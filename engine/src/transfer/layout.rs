//! Fits the columns that a file has to those that a map speaks of.

use std::collections::{HashMap, HashSet};

use engine_model::name::did_you_mean;
use engine_model::problem::push_segment;
use engine_model::{Problem, Problems};

use super::bind::{Bound, BoundAim, BoundProperty, BoundTarget, property_called};
use super::map::ColumnMap;
use crate::definitions::catalog::{Catalog, shortened};

/// Which cell of a row goes where.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// Name of each cell's column.
    pub(super) names: Vec<String>,
    /// Where each cell goes; nowhere for those that are left out or only composed.
    pub(super) targets: Vec<Vec<BoundTarget>>,
    /// The cell of each column that is used.
    pub(super) positions: HashMap<String, usize>,
    /// Cells without which a row is passed over.
    pub(super) skip_without: Vec<usize>,
}

impl Layout {
    /// The column that fills a place in the record, `/properties/amount` or something in it.
    pub(super) fn column_of(&self, pointer: &str) -> Option<&str> {
        let property = pointer.strip_prefix("/properties/").and_then(|rest| rest.split('/').next());
        let fills = |target: &BoundTarget| match &target.aim {
            BoundAim::Property(BoundProperty { name, .. }) | BoundAim::User(name, _) => property == Some(name.as_str()),
            BoundAim::Owner(_) => pointer == "/owner_id",
            BoundAim::Link(_) => false,
        };
        let index = self.targets.iter().position(|targets| targets.iter().any(fills))?;
        self.names.get(index).map(String::as_str)
    }
}

/// The layout of a file whose columns stand in its header; everything that does not fit is a problem.
pub(super) fn of_header(
    map: &ColumnMap,
    bound: &Bound,
    catalog: &Catalog,
    header: &[String],
) -> Result<Layout, Problems> {
    let (mut layout, mut problems) = (Layout::default(), Problems::new());
    let used: HashSet<&str> = map.used_columns().into_iter().collect();
    for (index, name) in header.iter().enumerate() {
        let mut targets = bound.columns.get(name).cloned().unwrap_or_default();
        let is_ignored = map.ignore.iter().any(|ignored| ignored == name);
        if !is_ignored {
            match place(map, bound, catalog, &used, name, header.len()) {
                Ok(automatic) => targets.extend(automatic),
                Err(problem) => problems.push(problem),
            }
            if layout.positions.insert(name.clone(), index).is_some() {
                let message = format!("the file has two columns `{}`; rename one of them", shortened(name));
                problems.push(column_problem(name, "duplicate", message));
            }
        }
        layout.names.push(name.clone());
        layout.targets.push(targets);
    }
    for name in map.used_columns().into_iter().filter(|name| !layout.positions.contains_key(*name)) {
        let hint = did_you_mean(name, header.iter().map(String::as_str));
        let message = format!("the file has no column `{}`, which the map names{hint}", shortened(name));
        problems.push(column_problem(name, "missing_column", message));
    }
    if let Some(key) = bound.key.as_ref().filter(|key| map.is_automatic() && !is_filled(map, &layout, key)) {
        problems.push(column_problem(
            key,
            "missing_column",
            format!("the file has no column `{key}`, which is the key"),
        ));
    }
    layout.skip_without = map.skip_without.iter().filter_map(|name| layout.positions.get(name).copied()).collect();
    if problems.is_empty() { Ok(layout) } else { Err(problems) }
}

/// The layout of a file whose rows name their columns themselves.
pub(super) fn of_map(map: &ColumnMap, bound: &Bound) -> Layout {
    let names: Vec<String> = map.used_columns().into_iter().map(str::to_owned).collect();
    let targets = names.iter().map(|name| bound.columns.get(name).cloned().unwrap_or_default()).collect();
    let positions: HashMap<_, _> = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
    let skip_without = map.skip_without.iter().filter_map(|name| positions.get(name).copied()).collect();
    Layout { names, targets, positions, skip_without }
}

/// Where a column goes that the map does not ignore: further targets, by its name.
fn place(
    map: &ColumnMap,
    bound: &Bound,
    catalog: &Catalog,
    used: &HashSet<&str>,
    name: &str,
    width: usize,
) -> Result<Option<BoundTarget>, Problem> {
    if used.contains(name) {
        return Ok(None);
    }
    if name.is_empty() {
        let message = "a column has no name; name it, or ignore it with `\"\"`";
        return Err(column_problem(name, "unknown_column", message.to_owned()));
    }
    let object = catalog.object(&bound.object).map_err(|error| column_problem(name, "unknown_object", error.detail))?;
    let is_one_cell = width == 1 && name.contains([';', '\t', ',', '|']);
    if map.constants.contains_key(name) || map.compose.contains_key(name) {
        let message = format!("the map fills `{name}` itself; name the column in `ignore`");
        return Err(column_problem(name, "duplicate", message));
    }
    if map.is_automatic() && !is_one_cell {
        return property_called(object, name, catalog.seen_by(&bound.rights, object)).map(Some).map_err(|problem| {
            let message = format!("{}; map the column, or name it in `ignore`", problem.message);
            column_problem(name, "unknown_column", message)
        });
    }
    let hint = did_you_mean(name, used.iter().copied());
    let hint = if is_one_cell { "; what separates its cells is said by `delimiter`".to_owned() } else { hint };
    let message = format!("the map neither uses nor ignores the column `{}`{hint}", shortened(name));
    Err(column_problem(name, "unknown_column", message))
}

fn is_filled(map: &ColumnMap, layout: &Layout, key: &str) -> bool {
    layout.positions.contains_key(key) || map.compose.contains_key(key) || map.constants.contains_key(key)
}

fn column_problem(name: &str, code: &'static str, message: String) -> Problem {
    Problem::new(push_segment("/columns", &shortened(name)), code, message)
}
