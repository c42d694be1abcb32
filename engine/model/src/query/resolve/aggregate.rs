//! Tables of groups and measures.

use super::super::ast::{AggregateText, GroupingText, MeasureForm, MeasureText, OrderText};
use super::super::typed::{Aggregate, Field, Group, Measure, Order};
use super::ResolveContext;
use super::known::{Known, Role, is_compared, known, unknown};
use crate::name::did_you_mean;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::{Storage, around, excerpt};

/// Rows of a table unless asked otherwise.
const DEFAULT_ROWS: usize = 1_000;

/// Most rows of a table.
pub const MAX_ROWS: usize = 10_000;

/// What is computed where nothing was asked for.
const DEFAULT_MEASURE: &str = "count";

/// Why a part of a table cannot be: where, below its own place, with code and message.
type Refusal = (&'static str, &'static str, String);

/// The table that `text` asks for of records of `object`.
pub(super) fn aggregate(
    text: &AggregateText,
    object: &ObjectDefinition,
    context: &ResolveContext<'_>,
    problems: &mut Problems,
) -> Aggregate {
    let groups = text.groups.iter().filter_map(|sent| {
        // The width is looked at for itself, so that it is told beside a property that does not exist.
        let every = match &sent.grouping {
            GroupingText::Number(_, Some(every)) => told(check_width(every.get()), &sent.pointer, problems),
            GroupingText::Property(_) | GroupingText::Date(..) | GroupingText::Number(_, None) => None,
        };
        let found = group(&sent.grouping, every, object, context);
        told(found, &sent.pointer, problems).flatten()
    });
    let groups = groups.collect();
    let measures = text.measures.iter().filter_map(|sent| {
        let found = measure(&sent.form, object, context);
        told(found, &sent.pointer, problems).map(|measure| (sent.name.clone(), measure))
    });
    let mut measures: Vec<_> = measures.collect();
    if text.measures.is_empty() {
        measures.push((DEFAULT_MEASURE.to_owned(), Measure::Count));
    }
    let rows = text.limit.unwrap_or(DEFAULT_ROWS);
    if !(1..=MAX_ROWS).contains(&rows) {
        let code = if rows == 0 { "too_small" } else { "too_large" };
        let message = format!("a table has between 1 and {MAX_ROWS} rows");
        problems.push(Problem::new(push_segment(&text.pointer, "limit"), code, message));
    }
    let order = text.order.iter().filter_map(|sent| told(order(sent, &text.measures), &sent.pointer, problems));
    let mut order: Vec<_> = order.collect();
    if text.order.is_empty() {
        order.push(Order::Measure { index: 0, is_descending: true });
    }
    Aggregate { name: text.name.clone(), groups, measures, limit: rows, order }
}

fn told<T>(found: Result<T, Refusal>, pointer: &str, problems: &mut Problems) -> Option<T> {
    let told = |(segment, code, message): Refusal| {
        let at = if segment.is_empty() { pointer.to_owned() } else { format!("{pointer}/{segment}") };
        problems.push(Problem::new(at, code, message));
    };
    found.map_err(told).ok()
}

/// What is grouped by; nothing where its interval, or `width`, could not be read, which has been told.
fn group(
    sent: &GroupingText,
    width: Option<&str>,
    object: &ObjectDefinition,
    context: &ResolveContext<'_>,
) -> Result<Option<Group>, Refusal> {
    match sent {
        GroupingText::Property(name) if name == "object" => Ok(Some(Group::Object)),
        GroupingText::Property(name) => {
            let known = find("", name, object, context)?;
            match is_compared(known.field.storage) {
                true => Ok(Some(Group::Value(known.field))),
                false => Err(("", "not_applicable", format!("there are no groups by {}", known.subject()))),
            }
        }
        GroupingText::Date(name, every) => {
            let known = find("date", name, object, context)?;
            match known.field.storage {
                Storage::Date | Storage::Datetime => {
                    Ok(every.map(|every| Group::Calendar { field: known.field, every, zone: context.zone }))
                }
                _ => Err((
                    "date",
                    "not_applicable",
                    format!("only dates and moments have intervals, not {}", known.subject()),
                )),
            }
        }
        GroupingText::Number(name, _) => {
            let known = find("number", name, object, context)?;
            let Storage::Scaled(scale) = known.field.storage else {
                return Err(("number", "not_applicable", format!("only numbers have steps, not {}", known.subject())));
            };
            let every = width.map(|written| in_units(written, scale)).transpose()?;
            Ok(every.map(|every| Group::Bucket { field: known.field, every }))
        }
    }
}

/// The width of a step as a plain number above 0.
fn check_width(written: &str) -> Result<&str, Refusal> {
    let written = written.trim_matches('"').trim();
    match around(written, 0) {
        None => Err(("every", "wrong_type", "a number or a decimal string is expected".to_owned())),
        Some((above, _)) if above <= 0 => Err(("every", "too_small", "must be above 0".to_owned())),
        Some(_) => Ok(written),
    }
}

/// The width of a step, in units of the last digit kept.
fn in_units(written: &str, scale: u32) -> Result<i64, Refusal> {
    match around(written, scale) {
        Some((above, below)) if above == below => i64::try_from(above)
            .map_err(|_| ("every", "too_large", "is wider than any two numbers lie apart".to_owned())),
        _ => Err(("every", "too_precise", format!("has more than {scale} digits after the point"))),
    }
}

fn measure(sent: &MeasureForm, object: &ObjectDefinition, context: &ResolveContext<'_>) -> Result<Measure, Refusal> {
    let number = |storage| matches!(storage, Storage::Scaled(_));
    let ordered = |storage| matches!(storage, Storage::Scaled(_) | Storage::Date | Storage::Datetime);
    let of = |function, name: &str, takes: fn(Storage) -> bool, noun: &str| -> Result<Field, Refusal> {
        let known = find(function, name, object, context)?;
        match takes(known.field.storage) {
            true => Ok(known.field),
            false => Err((function, "not_applicable", format!("{noun} is expected, not {}", known.subject()))),
        }
    };
    let told_apart = "a value that can be told from others";
    let any_ordered = "a number, a date or a moment";
    Ok(match sent {
        MeasureForm::Count => Measure::Count,
        MeasureForm::CountDistinct(name) => {
            Measure::CountDistinct(of("count_distinct", name, is_compared, told_apart)?)
        }
        MeasureForm::Sum(name) => Measure::Sum(of("sum", name, number, "a number")?),
        MeasureForm::Avg(name) => Measure::Avg(of("avg", name, number, "a number")?),
        MeasureForm::Min(name) => Measure::Min(of("min", name, ordered, any_ordered)?),
        MeasureForm::Max(name) => Measure::Max(of("max", name, ordered, any_ordered)?),
        MeasureForm::Percentiles(name, at) => {
            Measure::Percentiles(of("percentiles/property", name, number, "a number")?, at.clone())
        }
    })
}

fn find<'a>(
    segment: &'static str,
    name: &str,
    object: &'a ObjectDefinition,
    context: &ResolveContext<'_>,
) -> Result<Known<'a>, Refusal> {
    let missing = || (segment, "unknown_property", unknown(name, &[object], context));
    let known = known(name, object, context).ok_or_else(missing)?;
    match known.role {
        Role::Value => Ok(known),
        Role::Id | Role::Uid => {
            let message =
                format!("every record has a `{}` of its own; `count` says how many there are", known.field.name);
            Err((segment, "not_applicable", message))
        }
    }
}

fn order(sent: &OrderText, measures: &[MeasureText]) -> Result<Order, Refusal> {
    let is_descending = sent.is_descending;
    let Some(name) = &sent.measure else { return Ok(Order::Key { is_descending }) };
    let default = [DEFAULT_MEASURE];
    let names = measures.iter().map(|measure| measure.name.as_str());
    let names: Vec<_> = if measures.is_empty() { default.to_vec() } else { names.collect() };
    match names.iter().position(|known| known == name) {
        Some(index) => Ok(Order::Measure { index, is_descending }),
        None => {
            let hint = did_you_mean(name, names.iter().copied());
            Err(("measure", "unknown", format!("`{}` is no measure of this table{hint}", excerpt(name))))
        }
    }
}

/// The parts of two tables that are not of the same type though the same was sent, each with its place.
pub(super) fn differences(text: &AggregateText, one: &Aggregate, other: &Aggregate) -> Vec<(String, Field, Field)> {
    let groups = text.groups.iter().zip(one.groups.iter().zip(&other.groups));
    let groups = groups.map(|(sent, (one, other))| (&sent.pointer, one.field(), other.field()));
    let measures = text.measures.iter().zip(one.measures.iter().zip(&other.measures));
    let measures = measures.map(|(sent, (one, other))| (&sent.pointer, one.1.field(), other.1.field()));
    let fields = groups.chain(measures).filter_map(|(pointer, one, other)| Some((pointer, one?, other?)));
    let differing = fields.filter(|(_, one, other)| (one.storage, one.form) != (other.storage, other.form));
    differing.map(|(pointer, one, other)| (pointer.clone(), one.clone(), other.clone())).collect()
}
