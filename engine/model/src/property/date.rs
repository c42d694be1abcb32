//! `date`: a calendar day, `YYYY-MM-DD`, years 0001 to 9999.

use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::spec::SpecReader;

#[derive(Debug)]
struct Date;

pub(super) fn read(_: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Date))
}

impl PropertyKind for Date {
    fn name(&self) -> &'static str {
        "date"
    }

    fn storage(&self) -> Storage {
        Storage::Date
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let text = input.text("a day as a string, such as `2026-03-01`,")?.trim();
        if parse(text).is_some() {
            return Ok(Value::from(text));
        }
        let hint = match text.get(..10) {
            Some(day) if parse(day).is_some() => format!("; without the time it is `{day}`"),
            _ => "; write it as YYYY-MM-DD".to_owned(),
        };
        Err(vec![Fault::new("invalid", format!("`{}` is no calendar day{hint}", excerpt(text)))])
    }

    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([("type".to_owned(), json!("string")), ("format".to_owned(), json!("date"))])
    }
}

/// The day that a text of exactly this form names.
pub(crate) fn parse(text: &str) -> Option<NaiveDate> {
    let is_shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<u16>().ok());
    let (year, month, day) = is_shaped.then(|| Some((number(0..4)?, number(5..7)?, number(8..10)?)))??;
    NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day)).filter(|_| year >= 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, refuse};
    use super::*;

    #[test]
    fn real_days_are_taken() {
        let date = kind(json!({"type": "date"}));
        for day in ["0001-01-01", "9999-12-31", "2024-02-29", "2000-02-29"] {
            assert_eq!(accept(&date, &json!(day).to_string()), json!(day));
        }
        assert_eq!(accept(&date, r#"" 2026-03-01\n""#), json!("2026-03-01"));
    }

    #[test]
    fn other_days_are_refused_with_a_hint() {
        let date = kind(json!({"type": "date"}));
        for wrong in [
            "2023-02-29",
            "1900-02-29",
            "0000-01-01",
            "2026-13-01",
            "2026-00-01",
            "2026-1-1",
            "10000-01-01",
            "20260301",
            "01/03/2026",
            "2026-03-+1",
            "２０２６-03-01",
            "today",
        ] {
            assert_eq!(codes(&refuse(&date, &json!(wrong).to_string())), ["invalid"], "{wrong}");
        }
        assert_eq!(codes(&refuse(&date, "20260301")), ["wrong_type"]);
        let message = &refuse(&date, r#""2026-03-01T09:30:00Z""#)[0].message;
        assert_eq!(message, "`2026-03-01T09:30:00Z` is no calendar day; without the time it is `2026-03-01`");
    }
}
