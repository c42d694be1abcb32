//! Moments as microseconds since 1970 in UTC, and their RFC 3339 text.

use chrono::{DateTime, SecondsFormat, Utc};

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
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}
