//! What becomes of one cell on its way to a value: matched, left out, replaced, split, read as a date or rounded.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use engine_model::time::Timestamp;
use regex::Regex;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::definitions::catalog::shortened;

/// How a column's cells are read, in this order.
#[derive(Debug, Clone, Default)]
pub(in crate::transfer) struct CellRules {
    /// Only what the first group matches.
    pub(super) pattern: Option<Regex>,
    /// These cells are no value.
    pub(super) skip_values: Vec<String>,
    /// These cells are read as another text, or as no value.
    pub(super) values: HashMap<String, Option<String>>,
    /// What is then made of the text.
    pub(super) shape: Shape,
    /// Where clocks show what dates without an offset say; UTC where none is named.
    pub(super) time_zone: Option<Tz>,
}

/// What is made of a cell's text.
#[derive(Debug, Clone, Default)]
pub(super) enum Shape {
    /// Nothing: it stays as it is.
    #[default]
    Plain,
    /// A list of the parts between these.
    Split(String),
    /// A date or moment, written like this.
    Date(String),
    /// A number with so many digits after the point.
    Round(u32),
}

/// A cell after its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transfer) enum Cell<'a> {
    /// No value.
    Empty,
    /// One text.
    Text(Cow<'a, str>),
    /// Several texts.
    List(Vec<String>),
}

impl CellRules {
    /// Nothing happens to a cell.
    pub(in crate::transfer) fn is_plain(&self) -> bool {
        self.pattern.is_none()
            && self.skip_values.is_empty()
            && self.values.is_empty()
            && matches!(self.shape, Shape::Plain)
    }

    /// Reads a cell, for a property that holds moments where `is_moment`. `Err` says why it cannot be read.
    pub(in crate::transfer) fn read<'a>(&self, text: &'a str, is_moment: bool) -> Result<Cell<'a>, String> {
        let Some(text) = self.choose(text.trim()) else { return Ok(Cell::Empty) };
        Ok(match &self.shape {
            Shape::Plain if is_moment => Cell::Text(self.zoned(text)),
            Shape::Plain => Cell::Text(text),
            Shape::Split(separator) => {
                let parts = text.split(separator.as_str()).map(str::trim).filter(|part| !part.is_empty());
                let parts: Vec<String> = parts.map(str::to_owned).collect();
                if parts.is_empty() { Cell::Empty } else { Cell::List(parts) }
            }
            Shape::Date(format) if is_moment => Cell::Text(self.moment(&text, format)?.into()),
            Shape::Date(format) => match NaiveDate::parse_from_str(&text, format) {
                Ok(date) => Cell::Text(date.to_string().into()),
                Err(_) => return Err(format!("`{}` is no date of the form `{format}`", shortened(&text))),
            },
            Shape::Round(digits) => Cell::Text(rounded(&text, *digits)?.into()),
        })
    }

    /// The text that counts; none where the cell is no value.
    fn choose<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        let matched = match &self.pattern {
            Some(pattern) => pattern.captures(text).and_then(|found| found.get(1)).map_or("", |group| group.as_str()),
            None => text,
        };
        if matched.is_empty() || self.skip_values.iter().any(|skipped| skipped == matched) {
            return None;
        }
        match self.values.get(matched) {
            Some(replacement) => replacement.clone().filter(|text| !text.is_empty()).map(Cow::Owned),
            None => Some(Cow::Borrowed(matched)),
        }
    }

    /// A moment without an offset is given the one of the time zone; anything else stays, to be refused by its type.
    fn zoned<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        const FORMS: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        if Timestamp::parse(&text).is_some() {
            return text;
        }
        let moment = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
        let moment = moment.or_else(|| midnight(NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?));
        match moment.and_then(|moment| self.at_zone(moment)) {
            Some(moment) => Cow::Owned(moment.to_rfc3339()),
            None => text,
        }
    }

    fn moment(&self, text: &str, format: &str) -> Result<String, String> {
        if let Ok(moment) = DateTime::parse_from_str(text, format) {
            return Ok(moment.to_rfc3339());
        }
        let unreadable = || format!("`{}` is no moment of the form `{format}`", shortened(text));
        let local = NaiveDateTime::parse_from_str(text, format).ok();
        let local = local.or_else(|| midnight(NaiveDate::parse_from_str(text, format).ok()?)).ok_or_else(unreadable)?;
        let skipped = || format!("clocks never showed `{}`: summer time began then", shortened(text));
        Ok(self.at_zone(local).ok_or_else(skipped)?.to_rfc3339())
    }

    /// Of two moments at which clocks show the same, the first is meant.
    fn at_zone(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.time_zone {
            Some(zone) => zone.from_local_datetime(&local).earliest().map(|moment| moment.to_utc()),
            None => Some(local.and_utc()),
        }
    }
}

fn midnight(date: NaiveDate) -> Option<NaiveDateTime> {
    date.and_hms_opt(0, 0, 0)
}

/// Half away from zero, as people round.
fn rounded(text: &str, digits: u32) -> Result<String, String> {
    let number = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
    let number = number.map_err(|_| format!("`{}` is no number that can be rounded", shortened(text)))?;
    Ok(number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero).to_string())
}
