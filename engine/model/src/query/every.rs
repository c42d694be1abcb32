//! Calendar intervals of days.

use chrono::{Datelike as _, Days, Months, NaiveDate};

use super::typed::Every;

impl Every {
    /// The interval called so: `day`, `week`, `month`, `quarter` or `year`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, every)| *every)
    }

    /// Every interval with its name.
    pub const NAMES: &[(&str, Self)] = &[
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("year", Self::Year),
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, every)| *every == self).map_or("", |(name, _)| *name)
    }

    /// The first day of the interval that a day lies in; none beyond the years that there are dates for.
    pub fn first_day(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
            Self::Month => day.with_day(1),
            Self::Quarter => day.with_day(1)?.with_month0(day.month0() / 3 * 3),
            Self::Year => day.with_ordinal(1),
        }
    }

    /// The first day of the interval after the one that begins with `first`.
    pub fn next_day(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => first.succ_opt(),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Quarter => first.checked_add_months(Months::new(3)),
            Self::Year => first.checked_add_months(Months::new(12)),
        }
    }
}
