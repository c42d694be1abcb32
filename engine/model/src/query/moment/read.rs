//! Reads the language of dates.

use chrono::{DateTime, NaiveDate};

use super::Meaning;
use super::clock::{Clock, Unit, move_day};
use crate::name::did_you_mean;
use crate::property::{excerpt, is_moment, parse_day};
use crate::time::{Timestamp, start_of_day};

/// Longest text that is looked at, in bytes.
const LONGEST: usize = 64;

/// Digits of the number in a step.
const MOST_DIGITS: usize = 6;

/// What is expected where no time of day is.
pub(super) const DAY: &str = "day";

const OUT_OF_RANGE: &str = "it lies outside of the years 0001 to 9999";

const UNITS: [(&str, Unit); 7] = [
    ("min", Unit::Minute),
    ("h", Unit::Hour),
    ("d", Unit::Day),
    ("w", Unit::Week),
    ("m", Unit::Month),
    ("q", Unit::Quarter),
    ("y", Unit::Year),
];

const PERIODS: [(&str, Unit); 5] = [
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
];

type Read<T> = Result<T, String>;

/// What `text` names; `noun` is what is expected, for the message.
pub(super) fn read(text: &str, clock: Clock, noun: &str) -> Read<Meaning> {
    let text = text.trim();
    let unknown = |reason: &str| Err(format!("`{}` is no {noun}{reason}", excerpt(text)));
    let form = match noun {
        DAY => "; write it as `2026-03-01`, or relative as `today-30d` or `this_month`",
        _ => "; write it as `2026-03-01` or `2026-03-01T09:30:00Z`, or relative as `today-30d` or `this_month`",
    };
    if text.len() > LONGEST {
        return unknown(form);
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return match written(text) {
            Some(meaning) => Ok(meaning),
            None => unknown(&time_hint(text, noun).unwrap_or_else(|| form.to_owned())),
        };
    }
    let found = match text.split_once('_') {
        Some((which, rest)) => period(which, rest, clock),
        None => relative(text, clock),
    };
    match found {
        Some(Ok(meaning)) => Ok(meaning),
        Some(Err(reason)) => unknown(&format!(": {reason}")),
        None => {
            let hint = did_you_mean(text, words().iter().map(String::as_str));
            unknown(if hint.is_empty() { form } else { &hint })
        }
    }
}

/// A day or a moment that is written out.
fn written(text: &str) -> Option<Meaning> {
    if let Some(day) = parse_day(text) {
        return Some(Meaning::Days(day, day));
    }
    let moment = DateTime::parse_from_rfc3339(text).ok()?;
    is_moment(Timestamp(moment.timestamp_micros())).then_some(Meaning::Written(moment))
}

/// What is missing where a time lacks its offset, or too much where a day is expected.
fn time_hint(text: &str, noun: &str) -> Option<String> {
    let zoned = format!("{text}Z");
    let moment = DateTime::parse_from_rfc3339(&zoned).ok()?;
    Some(match noun {
        DAY => format!("; without the time it is `{}`", moment.date_naive()),
        _ => format!("; add the offset, such as `{zoned}` or `{text}+02:00`"),
    })
}

/// `now` and the like, with its steps. `None` where the word is not known.
fn relative(text: &str, clock: Clock) -> Option<Read<Meaning>> {
    let end = text.find(|each: char| !each.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, steps) = text.split_at(end);
    let day_after = |count| {
        let day = move_day(clock.today(), count, Unit::Day).unwrap_or(clock.today());
        Meaning::Days(day, day)
    };
    let base = match word {
        "now" => Meaning::Moment(clock.now),
        "today" => day_after(0),
        "yesterday" => day_after(-1),
        "tomorrow" => day_after(1),
        _ => return None,
    };
    Some(walk(base, steps, clock))
}

fn walk(base: Meaning, mut steps: &str, clock: Clock) -> Read<Meaning> {
    let mut meaning = base;
    loop {
        steps = steps.trim_start();
        let sign = match steps.as_bytes().first() {
            None => return Ok(meaning),
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return Err("a step begins with `+` or `-`".to_owned()),
        };
        let (count, unit, rest) = read_step(steps.get(1..).unwrap_or_default())?;
        meaning = step(meaning, sign * count, unit, clock).ok_or(OUT_OF_RANGE)?;
        steps = rest;
    }
}

fn step(from: Meaning, count: i64, unit: Unit, clock: Clock) -> Option<Meaning> {
    let is_clock_time = matches!(unit, Unit::Minute | Unit::Hour);
    match from {
        Meaning::Moment(moment) => clock.move_moment(moment, count, unit).map(Meaning::Moment),
        Meaning::Days(day, _) if is_clock_time => {
            clock.move_moment(start_of_day(clock.zone, day), count, unit).map(Meaning::Moment)
        }
        Meaning::Days(day, _) => move_day(day, count, unit).map(|day| Meaning::Days(day, day)),
        Meaning::Written(_) | Meaning::Since(_) | Meaning::Until(_) | Meaning::Between(..) => None,
    }
}

/// `this_month`, `last_30d` and the like. `None` where the words are not known.
fn period(which: &str, rest: &str, clock: Clock) -> Option<Read<Meaning>> {
    let offset = offset_of(which)?;
    let found = if let Some((_, unit)) = PERIODS.iter().find(|(name, _)| *name == rest) {
        Ok(clock.period(*unit, offset).map(|(first, last)| Meaning::Days(first, last)))
    } else if offset != 0 && rest.starts_with(|first: char| first.is_ascii_digit()) {
        read_step(rest).and_then(|(count, unit, rest)| match rest {
            "" => Ok(rolling(offset, count, unit, clock)),
            _ => Err("nothing can follow a period".to_owned()),
        })
    } else {
        return None;
    };
    Some(found.and_then(|meaning| meaning.ok_or_else(|| OUT_OF_RANGE.to_owned())))
}

/// First and last day of the period before one that is called by a unit of the calendar, such as `this_month`.
pub(super) fn period_before(text: &str, clock: Clock) -> Option<(NaiveDate, NaiveDate)> {
    let (which, rest) = text.split_once('_')?;
    let (_, unit) = PERIODS.iter().find(|(name, _)| *name == rest)?;
    clock.period(*unit, offset_of(which)? - 1)
}

fn offset_of(which: &str) -> Option<i64> {
    match which {
        "this" => Some(0),
        "last" => Some(-1),
        "next" => Some(1),
        _ => None,
    }
}

/// From so many units ago until now, or from now until so many units later.
fn rolling(offset: i64, count: i64, unit: Unit, clock: Clock) -> Option<Meaning> {
    if matches!(unit, Unit::Minute | Unit::Hour) {
        let other = clock.move_moment(clock.now, offset * count, unit)?;
        return Some(Meaning::Between(clock.now.min(other), clock.now.max(other)));
    }
    let day = move_day(clock.today(), offset * count, unit)?;
    Some(if offset < 0 { Meaning::Since(day) } else { Meaning::Until(day) })
}

/// Reads a number and a unit, and gives what follows.
fn read_step(text: &str) -> Read<(i64, Unit, &str)> {
    let text = text.trim_start();
    let digits = text.find(|each: char| !each.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    if number.is_empty() {
        return Err("a number is missing, as in `today-30d`".to_owned());
    }
    let count = Some(number).filter(|number| number.len() <= MOST_DIGITS).and_then(|number| number.parse().ok());
    let count = count.ok_or_else(|| format!("a number has at most {MOST_DIGITS} digits"))?;
    let rest = rest.trim_start();
    let letters = rest.find(|each: char| !each.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(letters);
    match UNITS.iter().find(|(unit, _)| *unit == name) {
        Some((_, unit)) => Ok((count, *unit, rest)),
        None if name.is_empty() => Err("a unit is missing, as in `today-30d`".to_owned()),
        None => {
            let units = UNITS.map(|(unit, _)| format!("`{unit}`")).join(", ");
            Err(format!("`{name}` is no unit; units are {units}"))
        }
    }
}

/// Every word of the language that stands for itself.
fn words() -> Vec<String> {
    let periods = ["this", "last", "next"]
        .iter()
        .flat_map(|which| PERIODS.iter().map(move |(period, _)| format!("{which}_{period}")));
    ["now", "today", "yesterday", "tomorrow"].iter().map(|word| (*word).to_owned()).chain(periods).collect()
}
