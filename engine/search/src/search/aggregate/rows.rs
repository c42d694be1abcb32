//! From cells to rows: their order, the cut, the rest, and how values are written.

use std::cmp::Ordering;

use engine_model::query::{Aggregate, Field, Form, Group, Measure, Order, Row, fold};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value as Json};

use super::cells::Cells;
use super::values::Value;
use crate::error::Result;
use crate::search::budget::Budget;

/// The rows of an aggregate, in order; what is beyond its limit is the last.
pub(super) fn rows(
    aggregate: &Aggregate,
    groups: FxHashMap<Vec<Value>, u32>,
    mut cells: Vec<Cells>,
    budget: &Budget,
) -> Result<Vec<Row>> {
    budget.check_time()?;
    let finished: Vec<Finished> = aggregate
        .measures
        .iter()
        .zip(&mut cells)
        .map(|((_, measure), cells)| Finished::of(measure, cells, groups.len()))
        .collect();
    let mut ordered: Vec<(Vec<Value>, u32)> = groups.into_iter().collect();
    let compare = |one: &(Vec<Value>, u32), other: &(Vec<Value>, u32)| compare(aggregate, &finished, one, other);
    if ordered.len() > aggregate.limit {
        ordered.select_nth_unstable_by(aggregate.limit, compare);
    }
    let rest = ordered.split_off(aggregate.limit.min(ordered.len()));
    ordered.sort_unstable_by(compare);
    budget.check_time()?;
    let row = |(key, group): &(Vec<Value>, u32)| Row {
        key: Some(key.iter().zip(&aggregate.groups).map(|(value, by)| write_key(value, by)).collect()),
        measures: write_measures(aggregate, &finished, *group as usize),
    };
    let mut rows: Vec<Row> = ordered.iter().map(row).collect();
    if !rest.is_empty() {
        let rest: Vec<u32> = rest.into_iter().map(|(_, group)| group).collect();
        let combined: Vec<Finished> = finished.iter().map(|cells| cells.combine(&rest)).collect();
        rows.push(Row { key: None, measures: write_measures(aggregate, &combined, 0) });
    }
    Ok(rows)
}

/// The cells of one measure, ready to be compared and written.
enum Finished {
    Count(Vec<u64>),
    Sum(Vec<(i128, u64)>),
    Extreme {
        cells: Vec<Option<i64>>,
        is_max: bool,
    },
    /// Counts, and what was counted, for the rest of the groups.
    Distinct {
        counts: Vec<u64>,
        values: FxHashSet<(u32, u128)>,
    },
    /// Sorted values.
    Percentiles(Vec<Vec<i64>>),
}

impl Finished {
    fn of(measure: &Measure, cells: &mut Cells, groups: usize) -> Self {
        cells.grow(groups);
        match std::mem::replace(cells, Cells::of(measure)) {
            Cells::Count(cells) => Self::Count(cells),
            Cells::Sum(cells) => Self::Sum(cells),
            Cells::Extreme { cells, is_max } => Self::Extreme { cells, is_max },
            Cells::Distinct { values, .. } => {
                let mut counts = vec![0; groups];
                values.iter().for_each(|(group, _)| counts[*group as usize] += 1);
                Self::Distinct { counts, values }
            }
            Cells::Percentiles(mut cells) => {
                cells.iter_mut().for_each(|values| values.sort_unstable());
                Self::Percentiles(cells)
            }
        }
    }

    /// All these groups as one.
    fn combine(&self, groups: &[u32]) -> Self {
        let indices = groups.iter().map(|group| *group as usize);
        match self {
            Self::Count(cells) => Self::Count(vec![indices.map(|group| cells[group]).sum()]),
            Self::Sum(cells) => {
                let add = |(sum, count), group: usize| (sum + cells[group].0, count + cells[group].1);
                Self::Sum(vec![indices.fold((0, 0), add)])
            }
            Self::Extreme { cells, is_max } => {
                let values = indices.filter_map(|group| cells[group]);
                let cell = if *is_max { values.max() } else { values.min() };
                Self::Extreme { cells: vec![cell], is_max: *is_max }
            }
            Self::Distinct { values, .. } => {
                let all: FxHashSet<u32> = groups.iter().copied().collect();
                let hashes: FxHashSet<u128> =
                    values.iter().filter(|(group, _)| all.contains(group)).map(|(_, hash)| *hash).collect();
                Self::Distinct { counts: vec![hashes.len() as u64], values: FxHashSet::default() }
            }
            Self::Percentiles(cells) => {
                let mut values: Vec<i64> = indices.flat_map(|group| &cells[group]).copied().collect();
                values.sort_unstable();
                Self::Percentiles(vec![values])
            }
        }
    }

    fn compare(&self, measure: &Measure, one: usize, other: usize) -> (bool, bool, Ordering) {
        match self {
            Self::Count(cells) => (true, true, cells[one].cmp(&cells[other])),
            Self::Distinct { counts, .. } => (true, true, counts[one].cmp(&counts[other])),
            Self::Sum(cells) => match (measure, cells[one], cells[other]) {
                // Means compare without dividing.
                (Measure::Avg(_), (sum, count), (other_sum, other_count)) => {
                    let order = sum.saturating_mul(other_count.into()).cmp(&other_sum.saturating_mul(count.into()));
                    (count > 0, other_count > 0, order)
                }
                (_, (sum, _), (other, _)) => (true, true, sum.cmp(&other)),
            },
            Self::Extreme { cells, .. } => {
                (cells[one].is_some(), cells[other].is_some(), cells[one].cmp(&cells[other]))
            }
            Self::Percentiles(cells) => {
                let at = match measure {
                    Measure::Percentiles(_, asked) => asked.first().map_or(50.0, |(_, at)| *at),
                    _ => 50.0,
                };
                let (one, other) = (percentile(&cells[one], at), percentile(&cells[other], at));
                (one.is_some(), other.is_some(), one.cmp(&other))
            }
        }
    }
}

fn compare(
    aggregate: &Aggregate,
    finished: &[Finished],
    one: &(Vec<Value>, u32),
    other: &(Vec<Value>, u32),
) -> Ordering {
    let turned = |order: Ordering, is_descending: bool| if is_descending { order.reverse() } else { order };
    for order in &aggregate.order {
        let order = match order {
            Order::Key { is_descending } => compare_keys(aggregate, &one.0, &other.0, *is_descending),
            Order::Measure { index, is_descending } => {
                let Some((cells, (_, measure))) = finished.get(*index).zip(aggregate.measures.get(*index)) else {
                    continue;
                };
                match cells.compare(measure, one.1 as usize, other.1 as usize) {
                    (true, true, order) => turned(order, *is_descending),
                    // Rows without a value come last either way.
                    (has_one, has_other, _) => has_other.cmp(&has_one),
                }
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    compare_keys(aggregate, &one.0, &other.0, false)
}

fn compare_keys(aggregate: &Aggregate, one: &[Value], other: &[Value], is_descending: bool) -> Ordering {
    let turned = |order: Ordering| if is_descending { order.reverse() } else { order };
    let orders = one.iter().zip(other).zip(&aggregate.groups).map(|((one, other), by)| match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Number(one), Value::Number(other)) => turned(one.cmp(other)),
        (Value::Text(one), Value::Text(other)) => turned(compare_texts(by, one, other)),
        (Value::Number(_), Value::Text(_)) => Ordering::Less,
        (Value::Text(_), Value::Number(_)) => Ordering::Greater,
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn compare_texts(by: &Group, one: &str, other: &str) -> Ordering {
    let place = |text: &str| match by {
        Group::Value(field) => field.options.iter().position(|option| option == text).unwrap_or(field.options.len()),
        Group::Calendar { .. } | Group::Bucket { .. } | Group::Object => 0,
    };
    place(one).cmp(&place(other)).then_with(|| fold(one).cmp(&fold(other))).then_with(|| one.cmp(other))
}

fn write_key(value: &Value, by: &Group) -> Json {
    let form = match by {
        Group::Value(field) | Group::Bucket { field, .. } => field.form,
        Group::Calendar { .. } => Form::Date,
        Group::Object => Form::Text,
    };
    match value {
        Value::Null => Json::Null,
        Value::Number(number) => form.number(*number),
        Value::Text(text) => form.text(text),
    }
}

fn write_measures(aggregate: &Aggregate, finished: &[Finished], group: usize) -> Vec<(String, Json)> {
    let measures = aggregate.measures.iter().zip(finished);
    measures.map(|((name, measure), cells)| (name.clone(), write_measure(measure, cells, group))).collect()
}

fn write_measure(measure: &Measure, cells: &Finished, group: usize) -> Json {
    let number = |field: &Field, value: Option<i128>| value.map_or(Json::Null, |value| field.form.number(value));
    match (measure, cells) {
        (_, Finished::Count(cells)) => Json::from(cells[group]),
        (_, Finished::Distinct { counts, .. }) => Json::from(counts[group]),
        (Measure::Avg(field), Finished::Sum(cells)) => match cells[group] {
            (_, 0) => Json::Null,
            (sum, count) => field.form.mean(sum, count),
        },
        // The sum of no values is 0.
        (Measure::Sum(field), Finished::Sum(cells)) => field.form.number(cells[group].0),
        (Measure::Min(field) | Measure::Max(field), Finished::Extreme { cells, .. }) => {
            number(field, cells[group].map(i128::from))
        }
        (Measure::Percentiles(field, asked), Finished::Percentiles(cells)) => {
            let value = |at: f64| number(field, percentile(&cells[group], at).map(i128::from));
            Json::Object(asked.iter().map(|(name, at)| (name.clone(), value(*at))).collect::<Map<_, _>>())
        }
        // Cells were made for their measure.
        _ => Json::Null,
    }
}

/// The lowest value that so many percent of the sorted values do not exceed.
fn percentile(sorted: &[i64], at: f64) -> Option<i64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = (at / 100.0 * sorted.len() as f64).ceil();
    // A float beyond the range of integers stops at its end.
    let index = (rank as usize).saturating_sub(1).min(last);
    sorted.get(index).copied()
}
