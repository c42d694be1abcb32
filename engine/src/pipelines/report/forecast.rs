//! What is open, by when it is due: all of it, and as much of it as the chances of its stages let expect.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::object::ObjectDefinition;
use engine_model::pipeline::Pipeline;
use engine_model::property::{Property, Storage};
use engine_model::query::ast::{FilterForm, FilterText, GroupingText, PropertyText};
use engine_model::query::{Query, QueryText};
use engine_model::{Name, Problem, Problems, Sequence};
use serde_json::value::to_raw_value;

use super::period::Periods;
use super::{ReportQuery, ReportRow};
use crate::access::Given;
use crate::error::{Error, Result};
use crate::pipelines::amount::Amount;
use crate::pipelines::filter::{narrowed, put_filter};
use crate::pipelines::sums::{Sums, is_money};
use crate::session::Session;

/// What is expected of a period in a currency: all, as much as it is likely, and of how many records.
type Expected = (Amount, Amount, u64);

impl Session {
    /// A line for each period and currency in which something is due; what is not said when comes last.
    pub(super) async fn forecast(
        &self,
        object: &ObjectDefinition,
        pipeline: &Pipeline,
        wanted: &ReportQuery,
        periods: &Periods,
        problems: Problems,
        at_least: Sequence,
    ) -> Result<(Vec<ReportRow>, Sequence)> {
        let (query, sums) = self.ask_for_forecast(object, pipeline, wanted, periods, problems).await?;
        let mut given = Given::default();
        for name in sums.names() {
            given.add_sensitive(object, name);
        }
        self.write_down(given).await?;
        if self.await_rollups(&object.name, at_least).await? {
            tracing::trace!("roll-ups were waited for");
        }
        let view = self.view_of(&[&query], at_least).await?;
        let sequence = view.sequence();
        let answer = self.engine.ask(view, Arc::new(query)).await?;
        let scale = sums.scale();
        let mut expected: BTreeMap<(bool, String, String), Expected> = BTreeMap::new();
        sums.read(&answer.tables, &self.catalog.tenant.currency, |key, _, currency, amount, count| {
            let [period, stage] = key else { return };
            let chance = stage.as_str().and_then(|stage| pipeline.stages.get(stage)).map_or(0, |stage| stage.chance());
            let amount = amount.unwrap_or_else(|| Amount::zero(scale));
            let period = period.as_str().map(str::to_owned);
            let place = (period.is_none(), period.unwrap_or_default(), currency.to_owned());
            let nothing = (Amount::zero(scale), Amount::zero(scale).percent(0), 0);
            let (all, likely, records) = expected.entry(place).or_insert(nothing);
            (*all, *likely, *records) = (all.plus(amount), likely.plus(amount.percent(chance)), *records + count);
        })?;
        let row = |((is_unknown, period, currency), (amount, weighted, count)): ((bool, String, String), Expected)| {
            let (period, weighted) = ((!is_unknown).then_some(period), weighted.shortened(scale));
            ReportRow::Forecast { period, currency, amount, weighted, count }
        };
        Ok((expected.into_iter().map(row).collect(), sequence))
    }

    async fn ask_for_forecast(
        &self,
        object: &ObjectDefinition,
        pipeline: &Pipeline,
        wanted: &ReportQuery,
        periods: &Periods,
        mut problems: Problems,
    ) -> Result<(Query, Sums)> {
        let registry = &self.catalog.effective.registry;
        let may_see = |property: &Property| self.caller.reads(registry, object, property);
        let amount = find(object, "amount", wanted.amount.as_ref(), may_see, is_money, &mut problems);
        let date = find(object, "date", wanted.date.as_ref(), may_see, is_date, &mut problems);
        let sums = Sums::of(object, Some(amount.as_slice()), may_see, "/amount", &mut problems);
        let mut text = QueryText { limit: 0, ..QueryText::default() };
        put_filter(&mut text, wanted.filter.as_deref(), &mut problems);
        let mut text = narrowed(&text, &[("pipeline", &pipeline.name)])?;
        let open = pipeline.stages.values().filter(|stage| !stage.category.has_ended()).map(|stage| &stage.name);
        let date = date.first().cloned().unwrap_or_else(|| "created_at".to_owned());
        let mut conditions = vec![condition("stage", "in", &open.collect::<Vec<&Name>>())?];
        for (op, day) in [("gte", periods.from), ("lte", periods.to)] {
            if let Some(day) = day {
                conditions.push(condition(&date, op, &day.to_string())?);
            }
        }
        if let Some(FilterText { form: FilterForm::All(all), .. }) = &mut text.filter {
            all.extend(conditions);
        }
        let groups = [GroupingText::Date(date, Some(periods.every)), GroupingText::Property("stage".to_owned())];
        text.aggregates = sums.aggregates(&groups, "/amount");
        let (query, _) = self.resolve_search(&[&object.name], &text, problems).await?;
        Ok((query, sums))
    }
}

/// The property that is named, or the object's first of its kind; a list of one, or of none where there is none.
fn find(
    object: &ObjectDefinition,
    parameter: &str,
    named: Option<&String>,
    may_see: impl Fn(&Property) -> bool,
    is_of_kind: impl Fn(&Property) -> bool,
    problems: &mut Problems,
) -> Vec<String> {
    let mut known = object.properties.values().filter(|property| !property.archived && may_see(property));
    let at = format!("/{parameter}");
    match named {
        None => match known.find(|property| is_of_kind(property)) {
            Some(property) => vec![property.name.to_string()],
            None => {
                let message =
                    format!("`{}` has no property that `{parameter}` could be; a forecast needs one", object.name);
                problems.push(Problem::new(at, "required", message));
                Vec::new()
            }
        },
        Some(name) => {
            let found = object.property_called(name).filter(|property| may_see(property));
            if let Some(property) = found.filter(|property| !is_of_kind(property)) {
                let message = format!("`{name}` is of type `{}`, which `{parameter}` cannot be", property.kind.name());
                problems.push(Problem::new(at, "not_applicable", message));
                return Vec::new();
            }
            if found.is_none() {
                let hint = engine_model::name::did_you_mean(name, known.map(|property| property.name.as_str()));
                let name = crate::definitions::catalog::shortened(name);
                let message = format!("`{name}` is no property of `{}`{hint}", object.name);
                problems.push(Problem::new(at, "unknown_property", message));
                return Vec::new();
            }
            vec![name.clone()]
        }
    }
}

fn is_date(property: &Property) -> bool {
    matches!(property.kind.storage(), Storage::Date | Storage::Datetime)
}

fn condition(property: &str, op: &str, value: &impl serde::Serialize) -> Result<FilterText> {
    let value = Some(to_raw_value(value).map_err(Error::internal)?);
    let form = PropertyText { property: property.to_owned(), op: Some(op.to_owned()), value };
    Ok(FilterText { pointer: "/date".to_owned(), form: FilterForm::Property(form) })
}
