//! The functions of the language: CEL's own for the types there are, and ours for decimals and dates.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike};

use super::calendar;
use super::fault::Fault;
use super::number::{self, Number};
use super::text;
use super::value::Value;

/// A function, looked up by name when an expression is compiled.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) style: Style,
    /// How many arguments it takes, the value before the dot not counted.
    pub(super) arguments: RangeInclusive<usize>,
    /// Steps beside those of reading the texts that it is given: what it makes may be longer.
    cost: fn(&[Value]) -> usize,
    /// Computes the result, or nothing where it is not defined for such values. A method's first value is the one
    /// before the dot.
    run: fn(&[Value]) -> Option<Result<Value, Fault>>,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `f(x)`
    Global,
    /// `x.f()`
    Method,
}

use Style::{Global, Method};

/// Every function. A new one is a line here.
#[rustfmt::skip]
pub(super) static TABLE: &[Function] = &[
    Function { name: "size", style: Global, arguments: 1..=1, cost: nothing, run: size },
    Function { name: "size", style: Method, arguments: 0..=0, cost: nothing, run: size },
    Function { name: "contains", style: Method, arguments: 1..=1, cost: nothing, run: |values| texts(values, |text, part| text.contains(part)) },
    Function { name: "startsWith", style: Method, arguments: 1..=1, cost: nothing, run: |values| texts(values, |text, part| text.starts_with(part)) },
    Function { name: "endsWith", style: Method, arguments: 1..=1, cost: nothing, run: |values| texts(values, |text, part| text.ends_with(part)) },
    Function { name: "split", style: Method, arguments: 1..=1, cost: text::cost_of_split, run: text::split },
    Function { name: "substring", style: Method, arguments: 1..=2, cost: nothing, run: text::substring },
    Function { name: "indexOf", style: Method, arguments: 1..=1, cost: nothing, run: text::index_of },
    Function { name: "replace", style: Method, arguments: 2..=2, cost: text::cost_of_replace, run: text::replace },
    Function { name: "trim", style: Method, arguments: 0..=0, cost: nothing, run: text::trim },
    Function { name: "lowerAscii", style: Method, arguments: 0..=0, cost: nothing, run: text::lower_ascii },
    Function { name: "upperAscii", style: Method, arguments: 0..=0, cost: nothing, run: text::upper_ascii },
    Function { name: "join", style: Method, arguments: 0..=1, cost: text::cost_of_join, run: text::join },
    Function { name: "bool", style: Global, arguments: 1..=1, cost: nothing, run: to_boolean },
    Function { name: "int", style: Global, arguments: 1..=1, cost: nothing, run: to_integer },
    Function { name: "decimal", style: Global, arguments: 1..=1, cost: nothing, run: to_decimal },
    Function { name: "double", style: Global, arguments: 1..=1, cost: nothing, run: to_decimal },
    Function { name: "string", style: Global, arguments: 1..=1, cost: nothing, run: to_text },
    Function { name: "date", style: Global, arguments: 1..=2, cost: nothing, run: to_date },
    Function { name: "timestamp", style: Global, arguments: 1..=1, cost: nothing, run: to_timestamp },
    Function { name: "duration", style: Global, arguments: 1..=1, cost: nothing, run: to_duration },
    Function { name: "days", style: Global, arguments: 1..=1, cost: nothing, run: days },
    Function { name: "getFullYear", style: Method, arguments: 0..=1, cost: nothing, run: |values| part(values, |day| day.year().into()) },
    Function { name: "getMonth", style: Method, arguments: 0..=1, cost: nothing, run: |values| part(values, |day| day.month0().into()) },
    Function { name: "getDate", style: Method, arguments: 0..=1, cost: nothing, run: |values| part(values, |day| day.day().into()) },
    Function { name: "getDayOfMonth", style: Method, arguments: 0..=1, cost: nothing, run: |values| part(values, |day| day.day0().into()) },
    Function { name: "getDayOfWeek", style: Method, arguments: 0..=1, cost: nothing, run: |values| part(values, |day| day.weekday().num_days_from_sunday().into()) },
    Function { name: "getDayOfYear", style: Method, arguments: 0..=1, cost: nothing, run: |values| part(values, |day| day.ordinal0().into()) },
    Function { name: "getDays", style: Method, arguments: 0..=0, cost: nothing, run: |values| length(values, TimeDelta::num_days) },
    Function { name: "getHours", style: Method, arguments: 0..=1, cost: nothing, run: |values| clock(values, |time| time.hour().into(), TimeDelta::num_hours) },
    Function { name: "getMinutes", style: Method, arguments: 0..=1, cost: nothing, run: |values| clock(values, |time| time.minute().into(), TimeDelta::num_minutes) },
    Function { name: "getSeconds", style: Method, arguments: 0..=1, cost: nothing, run: |values| clock(values, |time| time.second().into(), TimeDelta::num_seconds) },
    Function { name: "getMilliseconds", style: Method, arguments: 0..=1, cost: nothing, run: |values| clock(values, |time| (time.nanosecond() / 1_000_000).into(), TimeDelta::num_milliseconds) },
];

impl Function {
    /// Steps that calling it takes beside those of reading the texts among its values.
    pub(super) fn cost(&self, values: &[Value]) -> usize {
        (self.cost)(values)
    }

    /// Calls it; for a method, the first value is the one before the dot.
    pub(super) fn call(&self, values: &[Value]) -> Result<Value, Fault> {
        let undefined = || Err(Fault::undefined(self.name, &values.iter().collect::<Vec<_>>()));
        (self.run)(values).unwrap_or_else(undefined)
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// What a function gives; none where it is not defined for such values.
pub(super) type Outcome = Option<Result<Value, Fault>>;

/// What it makes is no longer than what it is given.
fn nothing(_: &[Value]) -> usize {
    0
}

/// Characters of a text, elements of a list, entries of a map.
fn size(values: &[Value]) -> Outcome {
    let size = match values {
        [Value::String(text)] => text.chars().count(),
        [Value::List(items)] => items.len(),
        [Value::Map(entries)] => entries.len(),
        _ => return None,
    };
    Some(i64::try_from(size).map(Value::Integer).map_err(|_| Fault::out_of_range("size")))
}

fn texts(values: &[Value], test: fn(&str, &str) -> bool) -> Outcome {
    match values {
        [Value::String(text), Value::String(part)] => Some(Ok(Value::Boolean(test(text, part)))),
        _ => None,
    }
}

fn to_boolean(values: &[Value]) -> Outcome {
    match values {
        [Value::Boolean(value)] => Some(Ok(Value::Boolean(*value))),
        [Value::String(text)] => {
            let value = text.parse().map(Value::Boolean);
            Some(value.map_err(|_| Fault::new(format!("`{text}` is neither true nor false"))))
        }
        _ => None,
    }
}

/// Cuts a decimal's digits after the point; a datetime gives its seconds since 1970.
fn to_integer(values: &[Value]) -> Outcome {
    let integer = match values {
        [Value::Integer(value)] => Ok(*value),
        [Value::Decimal(value)] => number::whole(value.trunc()).ok_or_else(|| Fault::out_of_range("int")),
        [Value::String(text)] => text.parse().map_err(|_| Fault::new(format!("`{text}` is no integer"))),
        [Value::Datetime(moment)] => Ok(calendar::seconds_of(*moment)),
        _ => return None,
    };
    Some(integer.map(Value::Integer))
}

fn to_decimal(values: &[Value]) -> Outcome {
    match values {
        [Value::String(text)] => Some(number::parse_decimal(text).map(Value::Decimal)),
        [value] => Number::of(value).map(|number| Ok(Value::Decimal(number.to_decimal()))),
        _ => None,
    }
}

fn to_text(values: &[Value]) -> Outcome {
    match values {
        [value] => value.to_text().map(|text| Ok(Value::from(text))),
        _ => None,
    }
}

fn to_date(values: &[Value]) -> Outcome {
    let date = match values {
        [Value::Date(date)] => Ok(*date),
        [Value::String(text)] => calendar::parse_date(text),
        [Value::Datetime(moment)] => calendar::local(*moment, None).map(|local| local.date()),
        [Value::Datetime(moment), Value::String(zone)] => {
            calendar::local(*moment, Some(zone)).map(|local| local.date())
        }
        _ => return None,
    };
    Some(date.map(Value::Date))
}

fn to_timestamp(values: &[Value]) -> Outcome {
    let moment = match values {
        [Value::Datetime(moment)] => Ok(*moment),
        [Value::Date(date)] => Ok(calendar::moment_of(*date)),
        [Value::String(text)] => calendar::parse_moment(text),
        [Value::Integer(seconds)] => calendar::moment_of_seconds(*seconds),
        _ => return None,
    };
    Some(moment.map(Value::Datetime))
}

fn to_duration(values: &[Value]) -> Outcome {
    match values {
        [Value::Duration(length)] => Some(Ok(Value::Duration(*length))),
        [Value::String(text)] => Some(calendar::parse_duration(text).map(Value::Duration)),
        _ => None,
    }
}

fn days(values: &[Value]) -> Outcome {
    match values {
        [Value::Integer(count)] => Some(calendar::days(*count).map(Value::Duration)),
        _ => None,
    }
}

/// A part of a date, or of a datetime in UTC or the zone given.
fn part(values: &[Value], read: fn(NaiveDateTime) -> i64) -> Outcome {
    match values {
        [Value::Date(date)] => Some(Ok(Value::Integer(read(calendar::midnight(*date))))),
        _ => time_part(values, read),
    }
}

fn time_part(values: &[Value], read: fn(NaiveDateTime) -> i64) -> Outcome {
    let local = match values {
        [Value::Datetime(moment)] => calendar::local(*moment, None),
        [Value::Datetime(moment), Value::String(zone)] => calendar::local(*moment, Some(zone)),
        _ => return None,
    };
    Some(local.map(|local| Value::Integer(read(local))))
}

/// A whole duration in some unit.
fn length(values: &[Value], count: fn(&TimeDelta) -> i64) -> Outcome {
    match values {
        [Value::Duration(length)] => Some(Ok(Value::Integer(count(length)))),
        _ => None,
    }
}

/// A part of a datetime's time of day, or a whole duration in that unit.
fn clock(values: &[Value], read: fn(NaiveDateTime) -> i64, count: fn(&TimeDelta) -> i64) -> Outcome {
    length(values, count).or_else(|| time_part(values, read))
}

#[cfg(test)]
mod tests {
    use super::super::compile::LOOPS;
    use super::*;

    /// What people read of the language.
    const PAGE: &str = include_str!("../../../../docs/expressions.md");

    #[test]
    fn the_page_about_expressions_names_every_function_as_it_is_called() {
        let of_table = TABLE.iter().map(|function| match function.style {
            Global => format!("`{}(", function.name),
            Method => format!(".{}(", function.name),
        });
        let of_loops = LOOPS.iter().map(|name| format!(".{name}("));
        let others = ["`has(", ".matches(", "`now()`", "`today()`"].map(str::to_owned);
        for call in of_table.chain(of_loops).chain(others) {
            assert!(PAGE.contains(&call), "docs/expressions.md lacks {call}…)");
        }
    }
}
