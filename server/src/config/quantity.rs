//! Sizes and durations as people write them.

use std::str::FromStr;
use std::time::Duration;

/// A number of bytes: `8388608`, `8 MiB`, `512 KiB`, `1 GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteSize(pub(super) u64);

/// A duration: seconds, or `500 ms`, `30 s`, `5 min`, `1 h`. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) Duration);

/// Splits `8 MiB` into 8 and the factor of its unit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = units.iter().find(|(name, _)| *name == unit.trim())?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: &[(&str, u64)] = &[("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
        scaled(text, UNITS).map(Self).ok_or_else(|| format!("`{text}` is no size; write bytes, or `8 MiB`"))
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: &[(&str, u64)] = &[("", 1000), ("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000)];
        match scaled(text, UNITS) {
            Some(0) => Err("a duration of zero means nothing would ever be in time".to_owned()),
            Some(milliseconds) => Ok(Self(Duration::from_millis(milliseconds))),
            None => Err(format!("`{text}` is no duration; write seconds, or `500 ms`, `30 s`, `5 min`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read_as_people_write_them() {
        let bytes = |text: &str| text.parse::<ByteSize>().map(|size| size.0);
        assert_eq!(bytes("8 MiB"), Ok(8_388_608));
        assert_eq!(bytes("8MiB"), Ok(8_388_608));
        assert_eq!(bytes("17"), Ok(17));
        assert!(bytes("8 MB").is_err() && bytes("").is_err() && bytes("-1").is_err());
        assert!(bytes("99999999999999999999").is_err() && bytes("99999999999 GiB").is_err());

        let time = |text: &str| text.parse::<Time>().map(|time| time.0);
        assert_eq!(time("30 s"), Ok(Duration::from_secs(30)));
        assert_eq!(time("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("2"), Ok(Duration::from_secs(2)));
        assert!(time("0").is_err() && time("soon").is_err());
    }
}
