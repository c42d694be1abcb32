//! Reports of a pipeline: what is to come, from records as they are, and how they have fared, from their stays in stages.
//!
//! | report | what it says of a period |
//! | --- | --- |
//! | forecast | what is open and due then: amounts, and amounts times the chance of their stages |
//! | win rate | of the records that were won or lost then, how many were won |
//! | conversion | of the records that entered a stage then, how many have gone on, and have been won, since |
//! | velocity | how long the stays were that ended then, and how long what was won then took |

mod conversion;
mod forecast;
mod period;
mod velocity;
mod win_rate;

use engine_model::access::{Action, Reach};
use engine_model::query::{Every, Form, QueryText};
use engine_model::{Problems, Sequence};
use engine_store::visit::Seen;
use serde_json::Value;

use self::period::Periods;
use super::amount::Amount;
use super::filter::put_filter;
use crate::error::{Error, Result};
use crate::query::of_parameters;
use crate::session::{Session, with_current};

/// Records that a filter may leave to be looked at one by one.
const MOST_FILTERED: usize = 100_000;

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// What is open, by when it is due.
    Forecast,
    /// How much of what ended was won.
    WinRate,
    /// How much of what entered a stage went on.
    Conversion,
    /// How long it took.
    Velocity,
}

impl ReportKind {
    /// Every report with its name.
    pub const NAMES: [(&str, Self); 4] = [
        ("forecast", Self::Forecast),
        ("win_rate", Self::WinRate),
        ("conversion", Self::Conversion),
        ("velocity", Self::Velocity),
    ];

    /// The word for it on the wire.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| *name)
    }
}

/// What a report is of.
#[derive(Debug, Clone, Default)]
pub struct ReportQuery {
    /// The first day, `YYYY-MM-DD`.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
    /// How long a period is; a month unless said.
    pub every: Option<String>,
    /// What records meet: an expression, or the JSON of a search's filter.
    pub filter: Option<String>,
    /// For a forecast, what is added up; the object's first amount unless said.
    pub amount: Option<String>,
    /// For a forecast, when a record is due; the object's first date unless said.
    pub date: Option<String>,
}

/// A report.
#[derive(Debug)]
pub struct Report {
    /// Which one.
    pub kind: ReportKind,
    /// Name of the pipeline.
    pub pipeline: String,
    /// The first day; none where there is no bound.
    pub from: Option<String>,
    /// The last day; none where there is no bound.
    pub to: Option<String>,
    /// How long a period is.
    pub every: Every,
    /// By period, then in the order of the pipeline.
    pub rows: Vec<ReportRow>,
    /// The position of the change log that it has seen.
    pub sequence: Sequence,
}

/// One line of a report. Periods are called by their first day, rates are decimal strings.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportRow {
    /// Of a forecast.
    Forecast {
        /// None for what is not said when it is due.
        period: Option<String>,
        /// An ISO 4217 code.
        currency: String,
        /// All amounts.
        amount: Amount,
        /// Each times the chance of its stage.
        weighted: Amount,
        /// Open records.
        count: u64,
    },
    /// Of the win rate.
    WinRate {
        /// When they ended.
        period: String,
        /// Records won.
        won: i64,
        /// Records lost.
        lost: i64,
        /// Won of both; none where nothing ended.
        rate: Option<Value>,
    },
    /// Of the conversion.
    Conversion {
        /// When they entered.
        period: String,
        /// The stage.
        stage: String,
        /// Records that entered it.
        entered: i64,
        /// Those that have entered a stage further on since.
        advanced: i64,
        /// Those that have been won since.
        won: i64,
        /// Advanced of entered.
        advance_rate: Value,
        /// Won of entered.
        win_rate: Value,
    },
    /// Of the velocity.
    Velocity {
        /// When the stays ended.
        period: String,
        /// The stage; none for the way from entering the pipeline to being won.
        stage: Option<String>,
        /// How many stays, or ways.
        count: i64,
        /// The one in the middle.
        median: i64,
        /// The mean.
        mean: i64,
    },
}

impl Session {
    /// A report of a pipeline. What the caller may not see counts nowhere.
    pub async fn pipeline_report(
        &mut self,
        object: &str,
        pipeline: &str,
        kind: ReportKind,
        wanted: &ReportQuery,
    ) -> Result<Report> {
        let at_least = self.search_position(&QueryText::default()).await?;
        with_current!(self, self.try_report(object, pipeline, kind, wanted, at_least).await.map_err(of_parameters))
    }

    async fn try_report(
        &self,
        object: &str,
        pipeline: &str,
        kind: ReportKind,
        wanted: &ReportQuery,
        at_least: Sequence,
    ) -> Result<Report> {
        let definition = self.catalog.object(object)?;
        let pipeline = self.seen_pipeline(definition, pipeline)?;
        let mut problems = Problems::new();
        let periods = Periods::read(wanted, self.catalog.zone(), self.now(), &mut problems);
        let (every, bounds) = (periods.every, |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()));
        let (from, to, rows, sequence) = if kind == ReportKind::Forecast {
            let (rows, sequence) = self.forecast(definition, pipeline, wanted, &periods, problems, at_least).await?;
            (bounds(periods.from), bounds(periods.to), rows, sequence)
        } else {
            check_unused(wanted, kind, &mut problems);
            let periods = periods.of_past(&mut problems);
            let seen = self.seen(object, &pipeline.name, wanted, problems, at_least).await?;
            let sequence = self.await_visits(at_least).await?;
            let mut reader = self.reader().await?;
            let rows = match kind {
                ReportKind::WinRate => win_rate::rows(&mut reader, pipeline, &seen, &periods).await?,
                ReportKind::Conversion => conversion::rows(&mut reader, pipeline, &seen, &periods).await?,
                ReportKind::Velocity | ReportKind::Forecast => {
                    velocity::rows(&mut reader, pipeline, &seen, &periods).await?
                }
            };
            (Some(periods.from.to_string()), Some(periods.to.to_string()), rows, sequence)
        };
        Ok(Report { kind, pipeline: pipeline.name.to_string(), from, to, every, rows, sequence })
    }

    /// Which records the caller asks for and may see.
    async fn seen(
        &self,
        object: &str,
        pipeline: &str,
        wanted: &ReportQuery,
        mut problems: Problems,
        at_least: Sequence,
    ) -> Result<Seen> {
        let mut text = QueryText::default();
        put_filter(&mut text, wanted.filter.as_deref(), &mut problems);
        let (query, _) = self.resolve_search(&[object], &text, problems).await?;
        let own = self.caller.user.0;
        // What the store does not tell by the owner alone, the index does.
        let (owners, unclaimed, is_told) = match self.caller.rights.grants(object).reach(Action::Read) {
            Reach::ALL => (None, false, true),
            Reach::NONE => (Some(Vec::new()), false, true),
            Reach::OWN => (Some(vec![own]), false, true),
            Reach::OWN_OR_UNCLAIMED => (Some(vec![own]), true, true),
            _ => (None, false, false),
        };
        let records = match wanted.filter.is_some() || !is_told {
            true => Some(self.all_ids(query, at_least).await?),
            false => None,
        };
        Ok(Seen { object: object.to_owned(), pipeline: pipeline.to_owned(), owners, unclaimed, records })
    }

    /// The ids of all records that a query finds.
    async fn all_ids(&self, mut query: engine_model::query::Query, at_least: Sequence) -> Result<Vec<i64>> {
        query.limit = MOST_FILTERED;
        let view = self.view_of(&[&query], at_least).await?;
        let answer = self.engine.ask(view, std::sync::Arc::new(query)).await?;
        if answer.has_more {
            let message = format!(
                "with a filter, or for who does not see all records, a report is of at most {MOST_FILTERED}; narrow it \
                 by `filter`"
            );
            return Err(Error::invalid_at("/filter", "too_costly", message));
        }
        Ok(answer.hits.iter().map(|hit| hit.place.id.0).collect())
    }
}

/// Refuses what only a forecast takes.
fn check_unused(wanted: &ReportQuery, kind: ReportKind, problems: &mut Problems) {
    for (name, given) in [("amount", &wanted.amount), ("date", &wanted.date)] {
        if given.is_some() {
            let message = format!("`{name}` is for the report `forecast`; leave it out of `{}`", kind.as_str());
            problems.push(engine_model::Problem::new(format!("/{name}"), "not_applicable", message));
        }
    }
}

/// A part of a whole that is not nothing, as a decimal string.
fn rate(part: i64, whole: i64) -> Value {
    let whole = u64::try_from(whole).unwrap_or_default();
    Form::Decimal { scale: 0, is_padded: false }.mean(i128::from(part), whole)
}
