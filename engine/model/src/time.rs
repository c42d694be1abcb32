//! Moments as microseconds since 1970 in UTC, and their RFC 3339 text.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// A moment in UTC, microseconds since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// RFC 3339 in UTC with microseconds: `2026-03-01T09:30:00.000000Z`.
    pub fn to_rfc3339(self) -> String {
        DateTime::<Utc>::from_timestamp_micros(self.0)
            .map_or_else(|| "invalid".to_owned(), |moment| moment.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    /// Reads RFC 3339 with an offset; digits beyond microseconds are cut.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|moment| Self(moment.timestamp_micros()))
    }

    /// The moment that comes so much later; the last that there is where it would lie beyond.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// The first moment of a day in a time zone: midnight, or where clocks skip it the moment to which they are set.
pub fn start_of_day(zone: Tz, day: NaiveDate) -> Timestamp {
    /// Clocks are set by steps of a quarter of an hour at least, and by less than a day.
    const STEPS: i32 = 96;
    let midnight = day.and_time(NaiveTime::MIN);
    let moments = (0..STEPS).map(|step| midnight + TimeDelta::minutes(15) * step);
    let first = moments.filter_map(|moment| zone.from_local_datetime(&moment).earliest()).next();
    Timestamp(first.map_or_else(|| midnight.and_utc().timestamp_micros(), |moment| moment.timestamp_micros()))
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_its_first_moment() {
        let start = |zone: Tz, day: &str| start_of_day(zone, day.parse().expect("a day")).to_rfc3339();
        assert_eq!(start(chrono_tz::Europe::Paris, "2026-03-29"), "2026-03-28T23:00:00.000000Z");
        assert_eq!(start(chrono_tz::Europe::Paris, "2026-03-30"), "2026-03-29T22:00:00.000000Z");
        // Midnight was skipped in Beirut, and came twice in Havana.
        assert_eq!(start(chrono_tz::Asia::Beirut, "2026-03-29"), "2026-03-28T22:00:00.000000Z");
        assert_eq!(start(chrono_tz::America::Havana, "2025-11-02"), "2025-11-02T04:00:00.000000Z");
    }
}
