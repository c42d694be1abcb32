//! Reports of a pipeline.

use engine::model::Sequence;
use engine::model::name::did_you_mean;
use engine::pipelines::{Amount, Report, ReportKind, ReportQuery, ReportRow};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::error::{ApiError, ApiResult};
use crate::extract::query::{FromQuery, Query, QueryReader};
use crate::extract::{Authorized, Path};

/// What a report is of.
#[derive(Debug)]
pub(crate) struct Wanted(ReportQuery);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        Some(Self(ReportQuery {
            from: query.text("from"),
            to: query.text("to"),
            every: query.text("every"),
            filter: query.text("filter"),
            amount: query.text("amount"),
            date: query.text("date"),
        }))
    }
}

/// A report of a pipeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PipelineReport)]
pub(crate) struct ReportBody {
    /// `forecast`, `win_rate`, `conversion` or `velocity`.
    report: String,
    pipeline: String,
    /// The first day; null where there is no bound.
    #[schema(required)]
    from: Option<String>,
    /// The last day; null where there is no bound.
    #[schema(required)]
    to: Option<String>,
    /// `day`, `week`, `month`, `quarter` or `year`.
    every: String,
    /// By period.
    results: Vec<RowBody>,
    /// The position of the change log that it has seen.
    #[schema(value_type = String)]
    sequence: Sequence,
}

/// One line of a report; periods are called by their first day, rates are decimal strings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PipelineReportRow)]
#[serde(untagged)]
pub(crate) enum RowBody {
    /// Of a forecast.
    Forecast {
        /// Null for what is not said when it is due.
        #[schema(required)]
        period: Option<String>,
        currency: String,
        /// All amounts.
        #[schema(value_type = String)]
        amount: Amount,
        /// Each times the chance of its stage.
        #[schema(value_type = String)]
        weighted: Amount,
        /// Open records.
        count: u64,
    },
    /// Of the win rate.
    WinRate {
        period: String,
        won: i64,
        lost: i64,
        /// Won of both; null where nothing ended.
        #[schema(required, value_type = Option<String>)]
        win_rate: Option<Value>,
    },
    /// Of the conversion.
    Conversion {
        period: String,
        stage: String,
        /// Records that entered it in the period.
        entered: i64,
        /// Those that have entered a stage further on since.
        advanced: i64,
        /// Those that have been won since.
        won: i64,
        #[schema(value_type = String)]
        advance_rate: Value,
        #[schema(value_type = String)]
        win_rate: Value,
    },
    /// Of the velocity.
    Velocity {
        period: String,
        /// Null for the way from entering the pipeline to being won.
        #[schema(required)]
        stage: Option<String>,
        /// How many stays, or ways, ended in the period.
        count: i64,
        median_seconds: i64,
        mean_seconds: i64,
    },
}

impl From<ReportRow> for RowBody {
    fn from(row: ReportRow) -> Self {
        match row {
            ReportRow::Forecast { period, currency, amount, weighted, count } => {
                Self::Forecast { period, currency, amount, weighted, count }
            }
            ReportRow::WinRate { period, won, lost, rate } => Self::WinRate { period, won, lost, win_rate: rate },
            ReportRow::Conversion { period, stage, entered, advanced, won, advance_rate, win_rate } => {
                Self::Conversion { period, stage, entered, advanced, won, advance_rate, win_rate }
            }
            ReportRow::Velocity { period, stage, count, median, mean } => {
                Self::Velocity { period, stage, count, median_seconds: median, mean_seconds: mean }
            }
        }
    }
}

impl From<Report> for ReportBody {
    fn from(report: Report) -> Self {
        let Report { kind, pipeline, from, to, every, rows, sequence } = report;
        let results = rows.into_iter().map(RowBody::from).collect();
        let (report, every) = (kind.as_str().to_owned(), every.as_str().to_owned());
        Self { report, pipeline, from, to, every, results, sequence }
    }
}

/// Reports what of a pipeline is to come, or how it has fared.
#[utoipa::path(get, path = "/pipelines/{object}/{pipeline}/report/{report}", tag = "pipelines", operation_id = "report",
    params(("object" = String, Path, description = "The object's name"),
        ("pipeline" = String, Path, description = "The pipeline's name"),
        ("report" = String, Path, description = "`forecast`, `win_rate`, `conversion` or `velocity`"),
        ("from" = Option<String>, Query, description = "The first day, as 2026-01-31; twelve periods back, or for a forecast no bound, where none is given"),
        ("to" = Option<String>, Query, description = "The last day; today, or for a forecast no bound, where none is given"),
        ("every" = Option<String>, Query, description = "How long a period is: `day`, `week`, `month`, `quarter` or `year`, by default `month`"),
        ("filter" = Option<String>, Query, description = "What records meet: a CEL expression, or the JSON of a search's `filter`"),
        ("amount" = Option<String>, Query, description = "For a forecast: what is added up; the object's first amount, where none is given"),
        ("date" = Option<String>, Query, description = "For a forecast: when a record is due; the object's first date, where none is given")),
    responses((status = 200, description = "The report", body = ReportBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path((object, pipeline, report)): Path<(String, String, String)>,
    Query(Wanted(query)): Query<Wanted>,
) -> ApiResult<Answer> {
    let names = ReportKind::NAMES.iter().map(|(name, _)| *name);
    let Some((_, kind)) = ReportKind::NAMES.iter().find(|(name, _)| *name == report) else {
        let all = names.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = did_you_mean(&report, names);
        return Err(ApiError::not_found(format!("there is no such report; there are {all}{hint}")));
    };
    let report = session.pipeline_report(&object, &pipeline, *kind, &query).await?;
    let sequence = report.sequence;
    Ok(Answer::ok(&ReportBody::from(report))?.at(sequence))
}
