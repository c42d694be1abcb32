//! Dates and moments as searches name them: `2026-03-01`, `now`, `today-30d`, `this_month`, `last_30d`.
//!
//! # The language
//! - A day, `YYYY-MM-DD`, or a moment in RFC 3339 with an offset.
//! - `now`, `today`, `yesterday` or `tomorrow`, and after it any number of steps: `+` or `-`, a number, and one of `min`,
//!   `h`, `d`, `w`, `m` (months), `q` and `y`.
//! - `this_`, `last_` or `next_` with `day`, `week`, `month`, `quarter` or `year`: the whole of it. Weeks begin on Monday.
//! - `last_30d`, with any unit: from the beginning of the day 30 days ago until now; with hours and minutes, from that
//!   moment on. `next_30d` is from now until the end of the day in 30 days.
//!
//! Days begin and end where they do in the tenant's time zone. Months clamp to their last day. Steps of days and more
//! keep the time of day, hours and minutes are exact; a time that clocks skip is as much later as they were set.
//!
//! # A day where moments are, and the reverse
//! A day means all of it. Against a date, a moment relative to now is the day that it falls on in the tenant's time
//! zone. A moment that was written out names a day only at midnight of its own offset, which is how programs without
//! dates write one; any other is a mistake, as it is in the value of a date.

mod clock;
mod read;

#[cfg(test)]
mod tests;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};
use chrono_tz::Tz;

pub(crate) use clock::Clock;

use super::span::Span;
use crate::time::{Timestamp, start_of_day};

/// What a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Days, both included.
    Days(NaiveDate, NaiveDate),
    /// A moment relative to now.
    Moment(Timestamp),
    /// A moment written out.
    Written(DateTime<FixedOffset>),
    /// From the beginning of a day until now.
    Since(NaiveDate),
    /// From now until the end of a day.
    Until(NaiveDate),
    /// Between two moments, both included.
    Between(Timestamp, Timestamp),
}

/// The days since 1970-01-01 that a text covers, or why it names none.
pub(crate) fn days(text: &str, clock: Clock) -> Result<Span, String> {
    let (first, last) = match read::read(text, clock, read::DAY)? {
        Meaning::Days(first, last) => (first, last),
        Meaning::Moment(moment) => (clock.day_of(moment), clock.day_of(moment)),
        Meaning::Since(first) => (first, clock.today()),
        Meaning::Until(last) => (clock.today(), last),
        Meaning::Between(first, last) => (clock.day_of(first), clock.day_of(last)),
        Meaning::Written(moment) => {
            let local = moment.naive_local();
            if local.time() != NaiveTime::MIN {
                return Err(format!("`{}` is no day; without the time it is `{}`", text.trim(), local.date()));
            }
            (local.date(), local.date())
        }
    };
    Ok(Span { first: number_of(first), last: number_of(last) })
}

/// The microseconds since 1970 that a text covers, or why it names none.
pub(crate) fn microseconds(text: &str, clock: Clock) -> Result<Span, String> {
    let start = |day| i128::from(start_of_day(clock.zone, day).0);
    let end = |day: NaiveDate| day.succ_opt().map_or(i128::MAX, start) - 1;
    let now = i128::from(clock.now.0);
    let (first, last) = match read::read(text, clock, "moment")? {
        Meaning::Days(first, last) => (start(first), end(last)),
        Meaning::Moment(moment) => (moment.0.into(), moment.0.into()),
        Meaning::Written(moment) => (moment.timestamp_micros().into(), moment.timestamp_micros().into()),
        Meaning::Since(first) => (start(first), now),
        Meaning::Until(last) => (now, end(last)),
        Meaning::Between(first, last) => (first.0.into(), last.0.into()),
    };
    Ok(Span { first, last })
}

/// First and last day of a period such as `this_month` or `last_30d`, and of the one before it; or why it is none.
///
/// The one before a month, quarter or year is the whole one before; before any other it has as many days.
pub fn period_days(text: &str, now: Timestamp, zone: Tz) -> Result<[(NaiveDate, NaiveDate); 2], String> {
    let clock = Clock { now, zone };
    let period = match read::read(text, clock, read::DAY)? {
        Meaning::Days(first, last) => (first, last),
        Meaning::Since(first) => (first, clock.today()),
        Meaning::Until(last) => (clock.today(), last),
        Meaning::Moment(_) | Meaning::Written(_) | Meaning::Between(..) => {
            return Err(format!("`{}` is no period of days, such as `this_month` or `last_30d`", text.trim()));
        }
    };
    let before = read::period_before(text.trim(), clock).or_else(|| clock::days_before(period));
    before.map(|before| [period, before]).ok_or_else(|| "it lies outside of the years 0001 to 9999".to_owned())
}

/// Whether a text names one day or moment relative to now, such as `today+7d`.
pub(crate) fn is_relative_moment(text: &str) -> bool {
    let clock = Clock { now: Timestamp(0), zone: chrono_tz::UTC };
    let is_written_out = text.trim_start().starts_with(|first: char| first.is_ascii_digit());
    !is_written_out
        && match read::read(text, clock, "moment") {
            Ok(Meaning::Moment(_)) => true,
            Ok(Meaning::Days(first, last)) => first == last,
            Ok(_) | Err(_) => false,
        }
}

fn number_of(day: NaiveDate) -> i128 {
    day.signed_duration_since(NaiveDate::default()).num_days().into()
}
