//! Reports: tables that are computed of records.

use serde_json::{Map, Value, json};

use super::Names;
use super::view::{SHARINGS, required_object};
use crate::spec::SpecReader;

const CHARTS: [&str; 7] = ["table", "number", "line", "column", "bar", "pie", "funnel"];

/// The members that a report has in common with a table of a search.
const TABLE: [&str; 4] = ["group", "measures", "order", "limit"];

/// Name of the table in the search that a report is.
const NAME: &str = "report";

/// A table that is computed of the records of an object.
#[derive(Debug, Clone)]
pub struct Report {
    /// The object.
    pub object: String,
    /// Which records, as in a search.
    pub filter: Option<Value>,
    /// `{group, measures, order, limit}` as in a search's `aggregate`.
    pub table: Map<String, Value>,
    /// `table`, `number`, `line`, `column`, `bar`, `pie` or `funnel`.
    pub chart: &'static str,
    /// `private`, `team` or `everyone`.
    pub sharing: &'static str,
}

impl Report {
    pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Self> {
        let object = required_object(reader);
        let filter = reader.value("filter").cloned();
        let table = TABLE.into_iter().filter_map(|key| Some((key.to_owned(), reader.value(key)?.clone()))).collect();
        let chart = reader.choice("chart", &CHARTS).unwrap_or("table");
        let sharing = reader.choice("sharing", &SHARINGS).unwrap_or("everyone");
        Some(Self { object: object?, filter, table, chart, sharing })
    }

    pub(super) fn look_up(&self, names: &mut Names<'_>) {
        let Some(object) = names.object(&self.object, "/object") else { return };
        let mut query = Map::from_iter([("aggregate".to_owned(), json!({NAME: self.table}))]);
        query.extend(self.filter.clone().map(|filter| ("filter".to_owned(), filter)));
        names.query(object, query, &[("/aggregate/report", "")]);
    }
}
