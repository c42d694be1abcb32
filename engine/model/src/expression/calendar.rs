//! Dates, datetimes and durations.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::time::Timestamp;

use super::fault::Fault;
use super::node::BinaryOperator;
use super::number;
use super::value::Value;

const MICROSECONDS_PER_SECOND: i64 = 1_000_000;

/// `left operator right` where both are dates, datetimes or durations and the operator is defined for them.
pub(super) fn calculate(operator: BinaryOperator, left: &Value, right: &Value) -> Option<Result<Value, Fault>> {
    let result = match (operator, left, right) {
        (BinaryOperator::Subtract, Value::Date(left), Value::Date(right)) => {
            Some(Value::Duration(left.signed_duration_since(*right)))
        }
        (BinaryOperator::Subtract, Value::Datetime(left), Value::Datetime(right)) => {
            left.0.checked_sub(right.0).map(|difference| Value::Duration(TimeDelta::microseconds(difference)))
        }
        (BinaryOperator::Add, Value::Date(date), Value::Duration(length))
        | (BinaryOperator::Add, Value::Duration(length), Value::Date(date)) => return Some(move_date(*date, *length)),
        (BinaryOperator::Subtract, Value::Date(date), Value::Duration(length)) => {
            return Some(move_date(*date, -*length));
        }
        (BinaryOperator::Add, Value::Datetime(moment), Value::Duration(length))
        | (BinaryOperator::Add, Value::Duration(length), Value::Datetime(moment)) => move_moment(*moment, *length),
        (BinaryOperator::Subtract, Value::Datetime(moment), Value::Duration(length)) => move_moment(*moment, -*length),
        (BinaryOperator::Add, Value::Duration(left), Value::Duration(right)) => {
            left.checked_add(right).map(Value::Duration)
        }
        (BinaryOperator::Subtract, Value::Duration(left), Value::Duration(right)) => {
            left.checked_sub(right).map(Value::Duration)
        }
        _ => return None,
    };
    Some(result.ok_or_else(|| Fault::out_of_range(operator.symbol())))
}

fn move_date(date: NaiveDate, length: TimeDelta) -> Result<Value, Fault> {
    if TimeDelta::try_days(length.num_days()) != Some(length) {
        return Err(Fault::new("a date moves by whole days; for hours and minutes, move timestamp(…) of it"));
    }
    let moved = date.checked_add_signed(length).filter(is_in_range);
    moved.map(Value::Date).ok_or_else(|| Fault::out_of_range("+"))
}

fn move_moment(moment: Timestamp, length: TimeDelta) -> Option<Value> {
    let microseconds = moment.0.checked_add(length.num_microseconds()?)?;
    checked_moment(microseconds).map(Value::Datetime)
}

/// RFC 3339 has four digits for the year.
fn is_in_range(date: &NaiveDate) -> bool {
    (1..=9999).contains(&date.year())
}

fn checked_moment(microseconds: i64) -> Option<Timestamp> {
    utc(Timestamp(microseconds)).map(|_| Timestamp(microseconds))
}

fn utc(moment: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(moment.0).filter(|moment| is_in_range(&moment.date_naive()))
}

/// A moment in UTC, or in a zone: an IANA name such as `Europe/Paris`, or an offset such as `+02:00`.
pub(super) fn local(moment: Timestamp, zone: Option<&str>) -> Result<NaiveDateTime, Fault> {
    let utc = utc(moment).ok_or_else(|| Fault::new("the datetime is out of range"))?;
    let Some(zone) = zone else { return Ok(utc.naive_utc()) };
    if let Ok(zone) = zone.parse::<Tz>() {
        return Ok(utc.with_timezone(&zone).naive_local());
    }
    let offset = if zone.starts_with(['+', '-']) { zone.parse() } else { format!("+{zone}").parse::<FixedOffset>() };
    let unknown = |_| Fault::new(format!("there is no time zone `{zone}`; write one as 'Europe/Paris' or '+02:00'"));
    offset.map(|offset| utc.with_timezone(&offset).naive_local()).map_err(unknown)
}

/// The beginning of a day in UTC.
pub(super) fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

/// A date as a moment: its beginning in UTC.
pub(super) fn moment_of(date: NaiveDate) -> Timestamp {
    Timestamp(midnight(date).and_utc().timestamp_micros())
}

/// The moment so many seconds after 1970.
pub(super) fn moment_of_seconds(seconds: i64) -> Result<Timestamp, Fault> {
    let moment = seconds.checked_mul(MICROSECONDS_PER_SECOND).and_then(checked_moment);
    moment.ok_or_else(|| Fault::out_of_range("timestamp"))
}

/// Whole seconds since 1970.
pub(super) fn seconds_of(moment: Timestamp) -> i64 {
    moment.0.div_euclid(MICROSECONDS_PER_SECOND)
}

pub(super) fn parse_moment(text: &str) -> Result<Timestamp, Fault> {
    let moment = Timestamp::parse(text).and_then(|moment| checked_moment(moment.0));
    moment.ok_or_else(|| Fault::new(format!("`{text}` is no datetime such as 2026-01-31T09:00:00Z")))
}

/// Reads a date. Every date of a record comes by here, and a general parser takes five times as long.
pub(super) fn parse_date(text: &str) -> Result<NaiveDate, Fault> {
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()));
        part?.parse::<u16>().ok()
    };
    let date = match (part(4), part(2), part(2), parts.next()) {
        (Some(year), Some(month), Some(day), None) => NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()),
        _ => None,
    };
    date.filter(is_in_range).ok_or_else(|| Fault::new(format!("`{text}` is no date such as 2026-01-31")))
}

pub(super) fn days(count: i64) -> Result<TimeDelta, Fault> {
    TimeDelta::try_days(count).ok_or_else(|| Fault::out_of_range("days"))
}

/// Reads a duration as CEL writes it: numbers with units, `1h30m`, `-1.5s`.
pub(super) fn parse_duration(text: &str) -> Result<TimeDelta, Fault> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let wrong =
        || Fault::new(format!("`{text}` is no duration such as 36h or 1h30m; units are h, m, s, ms, us and ns"));
    let mut nanoseconds: i64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (count, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let part = unit_nanoseconds(unit).and_then(|unit| number::parse_decimal(count).ok()?.checked_mul(unit));
        let total = part.and_then(|part| nanoseconds.checked_add(part.to_i64()?));
        nanoseconds = total.ok_or_else(wrong)?;
        rest = tail;
    }
    Ok(TimeDelta::nanoseconds(sign * nanoseconds))
}

fn unit_nanoseconds(unit: &str) -> Option<Decimal> {
    let nanoseconds: i64 = match unit {
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" | "µs" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    Some(Decimal::from(nanoseconds))
}
