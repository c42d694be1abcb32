//! `datetime`: a moment, RFC 3339 with an offset, kept in UTC to the microsecond.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::spec::SpecReader;
use crate::time::Timestamp;

/// First moment of the year 1 and last of the year 9999: beyond them the text would need another form.
const FIRST: Timestamp = Timestamp(-62_135_596_800_000_000);
const LAST: Timestamp = Timestamp(253_402_300_799_999_999);

/// No RFC 3339 text that means something is longer.
const LONGEST: usize = 64;

#[derive(Debug)]
struct Datetime;

pub(super) fn read(_: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Datetime))
}

impl PropertyKind for Datetime {
    fn name(&self) -> &'static str {
        "datetime"
    }

    fn storage(&self) -> Storage {
        Storage::Datetime
    }

    /// A leap second is the first moment of the next minute.
    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let text = input.text("a moment as a string, such as `2026-03-01T09:30:00Z`,")?.trim();
        let moment = Some(text).filter(|text| text.len() <= LONGEST).and_then(Timestamp::parse);
        match moment {
            Some(moment) if is_moment(moment) => Ok(Value::from(moment.to_rfc3339())),
            Some(_) => {
                let message = format!("`{text}` lies outside of the years 0001 to 9999 in UTC");
                Err(vec![Fault::new("invalid", message)])
            }
            None => Err(vec![Fault::new("invalid", format!("`{}` is no moment{}", excerpt(text), hint(text)))]),
        }
    }

    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([("type".to_owned(), json!("string")), ("format".to_owned(), json!("date-time"))])
    }
}

/// A moment lies within the years that can be written.
pub(crate) fn is_moment(moment: Timestamp) -> bool {
    (FIRST..=LAST).contains(&moment)
}

fn hint(text: &str) -> String {
    let lacks_offset = text.len() < LONGEST && Timestamp::parse(&format!("{text}Z")).is_some();
    match lacks_offset {
        true => format!("; add the offset, such as `{text}Z` or `{text}+02:00`"),
        false => "; write RFC 3339 with an offset, such as `2026-03-01T09:30:00Z`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, refuse};
    use super::*;

    #[test]
    fn moments_are_brought_to_utc() {
        let datetime = kind(json!({"type": "datetime"}));
        for (written, canonical) in [
            ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000000Z"),
            ("2026-03-01t09:30:00.5+02:00", "2026-03-01T07:30:00.500000Z"),
            ("2026-03-01T00:00:00.1234569-00:30", "2026-03-01T00:30:00.123456Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(accept(&datetime, &json!(written).to_string()), json!(canonical), "{written}");
        }
    }

    #[test]
    fn others_are_refused() {
        let datetime = kind(json!({"type": "datetime"}));
        for wrong in [
            "2026-03-01",
            "2026-03-01T09:30:00",
            "2026-02-30T09:30:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T09:30Z",
            "9999-12-31T23:59:59-01:00",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:60Z",
            "+12026-03-01T09:30:00Z",
            "now",
            "09:30",
        ] {
            assert_eq!(codes(&refuse(&datetime, &json!(wrong).to_string())), ["invalid"], "{wrong}");
        }
        assert_eq!(codes(&refuse(&datetime, "1772357400")), ["wrong_type"]);
        assert_eq!(
            refuse(&datetime, r#""2026-03-01T09:30:00""#)[0].message,
            "`2026-03-01T09:30:00` is no moment; add the offset, such as `2026-03-01T09:30:00Z` or `2026-03-01T09:30:00+02:00`"
        );
    }
}
