//! How long records stay in stages, and take to be won.

use engine_model::pipeline::{Pipeline, StageCategory};
use engine_store::Reader;
use engine_store::visit::{Seen, Stays, stays, ways_to};

use super::ReportRow;
use super::period::PastPeriods;
use crate::error::Result;

/// A line for each period and stage in which stays ended, and for each in which records were won.
pub(super) async fn rows(
    reader: &mut Reader,
    pipeline: &Pipeline,
    seen: &Seen,
    periods: &PastPeriods,
) -> Result<Vec<ReportRow>> {
    let in_stages = stays(reader, seen, &periods.all).await?;
    let won = pipeline.stages.values().filter(|stage| stage.category == StageCategory::Won);
    let won: Vec<String> = won.map(|stage| stage.name.to_string()).collect();
    let ways = ways_to(reader, seen, &periods.all, &won).await?;
    let mut rows = Vec::with_capacity(in_stages.len() + ways.len());
    for period in &periods.all {
        let row = |stage: Option<&str>, one: &Stays| {
            let Stays { stays, seconds, low, high, .. } = *one;
            let (median, mean) = (rounded(low + high, 2), rounded(seconds, stays));
            ReportRow::Velocity {
                period: periods.name(period.at),
                stage: stage.map(str::to_owned),
                count: stays,
                median,
                mean,
            }
        };
        for stage in pipeline.stages.values() {
            let of_stage = in_stages.iter().find(|one| one.at == period.at && one.stage == stage.name.as_str());
            rows.extend(of_stage.map(|one| row(Some(&stage.name), one)));
        }
        rows.extend(ways.iter().find(|one| one.at == period.at).map(|one| row(None, one)));
    }
    Ok(rows)
}

/// A quotient of numbers that are not negative, to the nearest whole one.
fn rounded(sum: i64, count: i64) -> i64 {
    let count = count.max(1);
    sum.saturating_add(count / 2) / count
}
