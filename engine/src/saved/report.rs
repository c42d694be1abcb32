//! What a report computes.

use chrono::NaiveDate;
use engine_model::behavior::{Content, Period, Report, Section};
use engine_model::query::{QueryText, period_days};
use engine_model::{Problem, Sequence};
use serde_json::{Map, Value, json};

use super::item::{Known, SavedItem};
use super::seen::check_hidden;
use super::view::read_query;
use crate::error::{Error, ErrorCode, Result};
use crate::query::{AnsweredTable, SearchAnswer};
use crate::session::Session;

/// Name of the table in the search that a report is.
const TABLE: &str = "report";

/// First and last day.
pub type Days = (NaiveDate, NaiveDate);

/// A report and what it comes to.
#[derive(Debug)]
pub struct ReportData {
    /// The report.
    pub report: SavedItem,
    /// Its rows.
    pub table: AnsweredTable,
    /// The days that it is of, where it has a period.
    pub period: Option<Days>,
    /// The same of the period before, where it compares.
    pub previous: Option<(Days, AnsweredTable)>,
    /// The position of the change log that it has seen.
    pub sequence: Sequence,
}

impl Session {
    /// Computes a report over the records that the caller may see. `within` is another period than its own.
    pub async fn report_data(&mut self, id: &str, within: Option<&str>) -> Result<ReportData> {
        self.refresh().await?;
        let (item, report) = self.report_known(id).await?;
        let Some(period) = &report.period else {
            if within.is_some() {
                let error = Error::invalid_at("/within", "not_applicable", "this report has no `period`");
                return Err(Error { code: ErrorCode::BadRequest, ..error });
            }
            let (table, sequence) = self.compute(&report, None).await?;
            return Ok(ReportData { report: item, table, period: None, previous: None, sequence });
        };
        let [days, before] = self.days_of(period, within)?;
        let (table, sequence) = self.compute(&report, Some((period, days))).await?;
        let previous = match report.compares {
            true => Some((before, self.compute(&report, Some((period, before))).await?.0)),
            false => None,
        };
        Ok(ReportData { report: item, table, period: Some(days), previous, sequence })
    }

    async fn report_known(&self, id: &str) -> Result<(SavedItem, Report)> {
        let Known { item, behavior, hidden } = self.saved_known(Section::Reports, id).await?;
        match behavior.map(|behavior| behavior.content) {
            Some(Content::Report(report)) => check_hidden(hidden).map(|()| (item, report)),
            _ => Err(Error::invalid(item.warnings)),
        }
    }

    /// The object of a report, and the search that computes it for the time that it is of.
    pub(crate) async fn report_search(&self, id: &str) -> Result<(String, QueryText)> {
        let (_, report) = self.report_known(id).await?;
        let text = match &report.period {
            Some(period) => search_of(&report, Some((period, self.days_of(period, None)?[0])))?,
            None => search_of(&report, None)?,
        };
        Ok((report.object, text))
    }

    fn days_of(&self, period: &Period, within: Option<&str>) -> Result<[Days; 2]> {
        let found = period_days(within.unwrap_or(&period.within), self.now(), self.catalog.zone());
        found.map_err(|why| {
            let (at, code) = match within {
                Some(_) => ("/within", ErrorCode::BadRequest),
                None => ("/period/within", ErrorCode::ValidationFailed),
            };
            Error { code, ..Error::invalid(vec![Problem::new(at, "invalid", why)]) }
        })
    }

    async fn compute(&mut self, report: &Report, of: Option<(&Period, Days)>) -> Result<(AnsweredTable, Sequence)> {
        let text = search_of(report, of)?;
        let SearchAnswer { tables, sequence, .. } =
            self.record_search(&report.object, &text, Vec::new()).await.map_err(of_report)?;
        let table = tables.into_iter().next().ok_or_else(|| Error::internal("a report came to no table"))?;
        Ok((table, sequence))
    }
}

/// The search that a report is.
fn search_of(report: &Report, of: Option<(&Period, Days)>) -> Result<QueryText> {
    let days = of.map(|(period, (first, last))| {
            json!({"property": period.date, "op": "between", "value": [first.to_string(), last.to_string()]})
        });
    let filter = match (report.filter.clone(), days) {
        (Some(filter), Some(days)) => Some(json!({"all": [filter, days]})),
        (filter, days) => filter.or(days),
    };
    let mut query = Map::from_iter([("limit".to_owned(), json!(0))]);
    query.insert("aggregate".to_owned(), json!({TABLE: report.table}));
    query.extend(filter.map(|filter: Value| ("filter".to_owned(), filter)));
    read_query(&query)
}

/// Places in the search are places in the report.
pub(crate) fn of_report(mut error: Error) -> Error {
    for problem in &mut error.problems {
        if let Some(rest) = problem.pointer.strip_prefix("/aggregate/report") {
            problem.pointer = rest.to_owned();
        }
    }
    error
}
