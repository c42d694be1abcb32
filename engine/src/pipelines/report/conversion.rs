//! How much of what entered a stage went on.

use engine_model::pipeline::{Pipeline, StageCategory};
use engine_store::Reader;
use engine_store::visit::{Seen, StepOf, conversions};

use super::period::PastPeriods;
use super::{ReportRow, rate};
use crate::error::Result;

/// A line for each period and stage that records entered and that does not end their way.
pub(super) async fn rows(
    reader: &mut Reader,
    pipeline: &Pipeline,
    seen: &Seen,
    periods: &PastPeriods,
) -> Result<Vec<ReportRow>> {
    let steps: Vec<StepOf> = (0..)
        .zip(pipeline.stages.values())
        .map(|(position, stage)| {
            let is_won = stage.category == StageCategory::Won;
            let is_forward = is_won || !stage.category.has_ended();
            StepOf { stage: stage.name.to_string(), position, is_forward, is_won }
        })
        .collect();
    let found = conversions(reader, seen, &periods.all, &steps).await?;
    let mut rows = Vec::with_capacity(found.len());
    for period in &periods.all {
        for step in steps.iter().filter(|step| step.is_forward && !step.is_won) {
            let of_step = found.iter().find(|one| one.at == period.at && one.stage == step.stage);
            rows.extend(of_step.map(|one| ReportRow::Conversion {
                period: periods.name(one.at),
                stage: one.stage.clone(),
                entered: one.entered,
                advanced: one.advanced,
                won: one.won,
                advance_rate: rate(one.advanced, one.entered),
                win_rate: rate(one.won, one.entered),
            }));
        }
    }
    Ok(rows)
}
