//! Calendar intervals in a time zone.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use engine_model::query::Every;
use engine_model::time::start_of_day;

/// Finds the interval that a value lies in. Reckoning with time zones is slow, so an interval is reckoned once.
#[derive(Debug)]
pub(crate) struct Calendar {
    every: Every,
    /// Where days begin; none for values that are days themselves.
    zone: Option<Tz>,
    /// Intervals met so far: the first value to the first value beyond, and the first day.
    known: BTreeMap<i64, (i64, i64)>,
    last: Option<Interval>,
}

/// One interval: its first value, the first beyond it, and its first day since 1970-01-01.
#[derive(Debug, Clone, Copy)]
struct Interval {
    start: i64,
    end: i64,
    day: i64,
}

impl Calendar {
    /// Intervals of moments in microseconds, with days of `zone`; of days where it is none.
    pub(crate) fn new(every: Every, zone: Option<Tz>) -> Self {
        Self { every, zone, known: BTreeMap::new(), last: None }
    }

    /// The first day of the interval that a value lies in, in days since 1970-01-01; none beyond the years that there
    /// are dates for.
    pub(crate) fn first_day(&mut self, value: i64) -> Option<i64> {
        if let Some(last) = self.last
            && (last.start..last.end).contains(&value)
        {
            return Some(last.day);
        }
        let interval = match self.known.range(..=value).next_back() {
            Some((start, (end, day))) if value < *end => Interval { start: *start, end: *end, day: *day },
            _ => self.reckon(value)?,
        };
        self.last = Some(interval);
        Some(interval.day)
    }

    fn reckon(&mut self, value: i64) -> Option<Interval> {
        let date = match self.zone {
            Some(zone) => DateTime::from_timestamp_micros(value)?.with_timezone(&zone).date_naive(),
            None => date_of(value)?,
        };
        let first = self.every.first_day(date)?;
        let next = self.every.next_day(first)?;
        let (start, end) = match self.zone {
            Some(zone) => (start_of_day(zone, first).0, start_of_day(zone, next).0),
            None => (days_of(first), days_of(next)),
        };
        let interval = Interval { start, end, day: days_of(first) };
        self.known.insert(start, (end, interval.day));
        Some(interval)
    }
}

fn date_of(days: i64) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(chrono::TimeDelta::try_days(days)?)
}

fn days_of(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

#[cfg(test)]
mod tests {
    use engine_model::time::Timestamp;

    use super::*;

    fn day(text: &str) -> i64 {
        days_of(text.parse().expect("a day"))
    }

    #[test]
    fn intervals_begin_where_the_calendar_says() {
        for (every, date, first) in [
            (Every::Day, "2026-05-17", "2026-05-17"),
            (Every::Week, "2026-05-17", "2026-05-11"),
            (Every::Week, "2027-01-01", "2026-12-28"),
            (Every::Month, "2026-05-31", "2026-05-01"),
            (Every::Quarter, "2026-05-31", "2026-04-01"),
            (Every::Quarter, "2026-12-31", "2026-10-01"),
            (Every::Year, "2024-12-31", "2024-01-01"),
        ] {
            assert_eq!(Calendar::new(every, None).first_day(day(date)), Some(day(first)), "{every:?} {date}");
        }
    }

    #[test]
    fn moments_belong_to_the_day_of_their_zone() {
        let mut calendar = Calendar::new(Every::Day, Some(chrono_tz::Europe::Paris));
        let mut first = |text: &str| calendar.first_day(Timestamp::parse(text).expect("a moment").0);
        // The day on which clocks go forward is an hour shorter.
        assert_eq!(first("2026-03-28T22:59:59.999999Z"), Some(day("2026-03-28")));
        assert_eq!(first("2026-03-28T23:00:00Z"), Some(day("2026-03-29")));
        assert_eq!(first("2026-03-29T21:59:59.999999Z"), Some(day("2026-03-29")));
        assert_eq!(first("2026-03-29T22:00:00Z"), Some(day("2026-03-30")));
        assert_eq!(first("2026-03-29T12:00:00Z"), Some(day("2026-03-29")));
    }

    #[test]
    fn the_first_and_the_last_years_have_intervals() {
        for (every, date, first) in [
            (Every::Week, "0001-01-07", "0001-01-01"),
            (Every::Week, "9999-12-31", "9999-12-27"),
            (Every::Quarter, "0001-01-01", "0001-01-01"),
            (Every::Year, "9999-12-31", "9999-01-01"),
        ] {
            assert_eq!(Calendar::new(every, None).first_day(day(date)), Some(day(first)), "{every:?} {date}");
        }
        // West of Greenwich the first moment lies in the year before, east of it the last one in the year after.
        let first = |every, zone, text: &str| {
            Calendar::new(every, Some(zone)).first_day(Timestamp::parse(text).expect("a moment").0)
        };
        for every in [Every::Day, Every::Week, Every::Month, Every::Quarter, Every::Year] {
            let start = "0001-01-01T00:00:00Z";
            assert_eq!(first(every, chrono_tz::UTC, start), Some(day("0001-01-01")), "{every:?}");
            assert!(first(every, chrono_tz::America::New_York, start) < Some(day("0001-01-01")), "{every:?}");
            let end = "9999-12-31T23:59:59.999999Z";
            assert!(first(every, chrono_tz::UTC, end) <= Some(day("9999-12-31")), "{every:?}");
            assert!(first(every, chrono_tz::Asia::Tokyo, end) >= Some(day("9999-12-27")), "{every:?}");
        }
    }

    #[test]
    fn values_beyond_all_dates_have_no_interval() {
        assert_eq!(Calendar::new(Every::Year, None).first_day(i64::MAX), None);
        assert_eq!(Calendar::new(Every::Year, Some(chrono_tz::UTC)).first_day(i64::MIN), None);
    }
}
