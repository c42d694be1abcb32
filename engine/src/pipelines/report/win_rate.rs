//! How much of what ended was won.

use engine_model::pipeline::{Pipeline, StageCategory};
use engine_store::Reader;
use engine_store::visit::{Seen, endings};

use super::period::PastPeriods;
use super::{ReportRow, rate};
use crate::error::Result;

/// A line for each period. A record that ended more than once in one counts for the last time.
pub(super) async fn rows(
    reader: &mut Reader,
    pipeline: &Pipeline,
    seen: &Seen,
    periods: &PastPeriods,
) -> Result<Vec<ReportRow>> {
    let stages = |category: &StageCategory| {
        let of_category = pipeline.stages.values().filter(move |stage| stage.category == *category);
        of_category.map(|stage| stage.name.to_string()).collect::<Vec<_>>()
    };
    let (won, lost) = (stages(&StageCategory::Won), stages(&StageCategory::Lost));
    let ended = endings(reader, seen, &periods.all, &[&won[..], &lost[..]].concat()).await?;
    let count = |at: i64, names: &[String]| -> i64 {
        ended.iter().filter(|one| one.at == at && names.contains(&one.stage)).map(|one| one.records).sum()
    };
    let row = |at: i64| {
        let (won, lost) = (count(at, &won), count(at, &lost));
        let rate = (won + lost > 0).then(|| rate(won, won + lost));
        ReportRow::WinRate { period: periods.name(at), won, lost, rate }
    };
    Ok(periods.all.iter().map(|period| row(period.at)).collect())
}
