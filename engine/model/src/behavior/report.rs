//! Reports: tables that are computed of records.

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::Names;
use super::view::{SHARINGS, expect, required_object};
use crate::property::Storage;
use crate::query::period_days;
use crate::spec::SpecReader;
use crate::time::Timestamp;

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
    /// The time that it is of; all of it where there is none.
    pub period: Option<Period>,
    /// Whether the period before is told, too.
    pub compares: bool,
    /// `private`, `team` or `everyone`.
    pub sharing: &'static str,
}

/// A time that goes with the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The date or moment of a record that lies within it.
    pub date: String,
    /// `this_month`, `last_30d` and the like, as in a search.
    pub within: String,
}

impl Report {
    pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Self> {
        let object = required_object(reader);
        let filter = reader.value("filter").cloned();
        let table = TABLE.into_iter().filter_map(|key| Some((key.to_owned(), reader.value(key)?.clone()))).collect();
        let chart = reader.choice("chart", &CHARTS).unwrap_or("table");
        let period = read_period(reader);
        let compares = reader.choice("compare", &["previous"]).is_some();
        if compares && period.is_none() && reader.value("period").is_none() {
            reader.problem("compare", "not_applicable", "what is compared with the time before has a `period`");
        }
        let sharing = reader.choice("sharing", &SHARINGS).unwrap_or("everyone");
        Some(Self { object: object?, filter, table, chart, period, compares, sharing })
    }

    pub(super) fn look_up(&self, names: &mut Names<'_>) {
        let Some(object) = names.object(&self.object, "/object") else { return };
        let mut query = Map::from_iter([("aggregate".to_owned(), json!({NAME: self.table}))]);
        query.extend(self.filter.clone().map(|filter| ("filter".to_owned(), filter)));
        names.query(object, query, &[("/aggregate/report", "")]);
        if let Some(period) = &self.period {
            let found = names.field(object, &period.date, "/period/date");
            let is_day = |storage| matches!(storage, Storage::Date | Storage::Datetime);
            expect(names, found, "/period/date", "dates and moments", is_day);
        }
    }
}

fn read_period(reader: &mut SpecReader<'_>) -> Option<Period> {
    let map = reader.map("period")?;
    let at = reader.pointer_of("period");
    let mut reader = SpecReader::of_map(map, &at, reader.problems());
    let [date, within] = ["date", "within"].map(|key| {
        if !map.contains_key(key) {
            reader.missing(key);
        }
        reader.string(key).map(str::to_owned)
    });
    if let Some(Err(why)) = within.as_ref().map(|within| period_days(within, Timestamp(0), Tz::UTC)) {
        reader.problem("within", "invalid", why);
    }
    reader.finish();
    Some(Period { date: date?, within: within? })
}
