//! Calendar arithmetic in a time zone.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::property::is_moment;
use crate::time::Timestamp;

const MICROSECONDS_PER_MINUTE: i64 = 60_000_000;

/// The moment and the zone that relative dates are relative to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// What time it is.
    pub(crate) now: Timestamp,
    /// Where days begin.
    pub(crate) zone: Tz,
}

/// A length of time as calendars count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Clock {
    /// The day that it is.
    pub(crate) fn today(self) -> NaiveDate {
        self.day_of(self.now)
    }

    /// The day on which a moment falls.
    pub(crate) fn day_of(self, moment: Timestamp) -> NaiveDate {
        self.local(moment).date()
    }

    /// A moment so many units later; `None` where that is out of range.
    pub(super) fn move_moment(self, moment: Timestamp, count: i64, unit: Unit) -> Option<Timestamp> {
        let minutes = match unit {
            Unit::Minute => count,
            Unit::Hour => count.checked_mul(60)?,
            Unit::Day | Unit::Week | Unit::Month | Unit::Quarter | Unit::Year => {
                let local = self.local(moment);
                let day = move_day(local.date(), count, unit)?;
                return Some(self.moment_at(day.and_time(local.time())));
            }
        };
        let moved = moment.0.checked_add(minutes.checked_mul(MICROSECONDS_PER_MINUTE)?)?;
        Some(Timestamp(moved)).filter(|moved| is_moment(*moved))
    }

    /// First and last day of the period that lies so many after the present one.
    pub(super) fn period(self, unit: Unit, offset: i64) -> Option<(NaiveDate, NaiveDate)> {
        let today = self.today();
        let present = match unit {
            Unit::Minute | Unit::Hour | Unit::Day => today,
            Unit::Week => today.checked_sub_days(Days::new(today.weekday().num_days_from_monday().into()))?,
            Unit::Month => today.with_day(1)?,
            Unit::Quarter => today.with_day(1)?.with_month0(today.month0() / 3 * 3)?,
            Unit::Year => today.with_day(1)?.with_month(1)?,
        };
        let first = move_day(present, offset, unit)?;
        let last = move_day(first, 1, unit)?.pred_opt()?;
        Some((first, last))
    }

    fn local(self, moment: Timestamp) -> NaiveDateTime {
        // Moments within the years that can be written are all held.
        let utc = DateTime::from_timestamp_micros(moment.0).unwrap_or_default().naive_utc();
        utc.checked_add_offset(self.zone.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
    }

    /// The moment at which clocks show `local`; the first where they do so twice.
    fn moment_at(self, local: NaiveDateTime) -> Timestamp {
        let moment = self.zone.from_local_datetime(&local).earliest().map(|moment| moment.timestamp_micros());
        Timestamp(moment.unwrap_or_else(|| {
            // Clocks skip it: as if they had not been set yet.
            let day_before = local.checked_sub_signed(TimeDelta::days(1)).unwrap_or(local);
            let offset = self.zone.offset_from_utc_datetime(&day_before).fix();
            local.checked_sub_offset(offset).unwrap_or(local).and_utc().timestamp_micros()
        }))
    }
}

/// As many days right before some days.
pub(super) fn days_before((first, last): (NaiveDate, NaiveDate)) -> Option<(NaiveDate, NaiveDate)> {
    let days = last.signed_duration_since(first).num_days().checked_add(1)?;
    Some((move_day(first, -days, Unit::Day)?, move_day(first, -1, Unit::Day)?))
}

/// A day so many units later, in a month that is too short its last one; `None` where that is out of range, or for units
/// shorter than a day.
pub(super) fn move_day(day: NaiveDate, count: i64, unit: Unit) -> Option<NaiveDate> {
    let by_months = |each: i64| {
        let months = Months::new(u32::try_from(count.checked_mul(each)?.unsigned_abs()).ok()?);
        if count < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) }
    };
    let moved = match unit {
        Unit::Minute | Unit::Hour => None,
        Unit::Day => day.checked_add_signed(TimeDelta::try_days(count)?),
        Unit::Week => day.checked_add_signed(TimeDelta::try_weeks(count)?),
        Unit::Month => by_months(1),
        Unit::Quarter => by_months(3),
        Unit::Year => by_months(12),
    };
    moved.filter(|moved| (1..=9999).contains(&moved.year()))
}
