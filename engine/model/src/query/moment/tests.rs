use chrono::{Datelike, NaiveDate, TimeDelta, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

fn clock(now: &str, zone: Tz) -> Clock {
    Clock { now: Timestamp::parse(now).expect("a moment"), zone }
}

/// Half past ten in Paris, on a Wednesday.
fn wednesday() -> Clock {
    clock("2026-03-18T09:30:00Z", chrono_tz::Europe::Paris)
}

fn day(number: i128) -> String {
    let days = TimeDelta::days(i64::try_from(number).expect("a day"));
    (NaiveDate::default() + days).to_string()
}

/// First and last day, or the message.
fn days_of(text: &str, clock: Clock) -> String {
    days(text, clock).map_or_else(|reason| reason, |span| format!("{} {}", day(span.first), day(span.last)))
}

fn moment(number: i128) -> String {
    Timestamp(i64::try_from(number).expect("a moment")).to_rfc3339().replace(":00.000000Z", "Z")
}

/// First and last moment, or the message.
fn moments_of(text: &str, clock: Clock) -> String {
    let shown = |span: Span| format!("{} {}", moment(span.first), moment(span.last));
    microseconds(text, clock).map_or_else(|reason| reason, shown)
}

#[test]
fn words_name_days_in_the_zone_of_the_tenant() {
    for (text, expected) in [
        ("2026-03-01", "2026-03-01 2026-03-01"),
        ("today", "2026-03-18 2026-03-18"),
        ("yesterday", "2026-03-17 2026-03-17"),
        ("tomorrow", "2026-03-19 2026-03-19"),
        ("now", "2026-03-18 2026-03-18"),
        ("now-11h", "2026-03-17 2026-03-17"),
        ("today-30d", "2026-02-16 2026-02-16"),
        (" today + 1 w - 1 d ", "2026-03-24 2026-03-24"),
        ("tomorrow+1q", "2026-06-19 2026-06-19"),
        ("today-1y", "2025-03-18 2025-03-18"),
        ("this_day", "2026-03-18 2026-03-18"),
        ("last_day", "2026-03-17 2026-03-17"),
        ("this_week", "2026-03-16 2026-03-22"),
        ("last_week", "2026-03-09 2026-03-15"),
        ("next_week", "2026-03-23 2026-03-29"),
        ("this_month", "2026-03-01 2026-03-31"),
        ("last_month", "2026-02-01 2026-02-28"),
        ("this_quarter", "2026-01-01 2026-03-31"),
        ("last_quarter", "2025-10-01 2025-12-31"),
        ("next_quarter", "2026-04-01 2026-06-30"),
        ("this_year", "2026-01-01 2026-12-31"),
        ("next_year", "2027-01-01 2027-12-31"),
        ("last_30d", "2026-02-16 2026-03-18"),
        ("last_0d", "2026-03-18 2026-03-18"),
        ("next_2w", "2026-03-18 2026-04-01"),
        ("last_36h", "2026-03-16 2026-03-18"),
        ("2026-03-01T00:00:00-08:00", "2026-03-01 2026-03-01"),
    ] {
        assert_eq!(days_of(text, wednesday()), expected, "{text}");
    }
    let late = clock("2026-03-18T23:30:00Z", chrono_tz::Europe::Paris);
    assert_eq!(days_of("today", late), "2026-03-19 2026-03-19");
    let early = clock("2026-03-18T03:30:00Z", chrono_tz::America::New_York);
    assert_eq!(days_of("now", early), "2026-03-17 2026-03-17");
}

#[test]
fn words_name_moments() {
    for (text, expected) in [
        ("now", "2026-03-18T09:30Z 2026-03-18T09:30Z"),
        ("now-90min", "2026-03-18T08:00Z 2026-03-18T08:00Z"),
        ("now+3h", "2026-03-18T12:30Z 2026-03-18T12:30Z"),
        ("today", "2026-03-17T23:00Z 2026-03-18T22:59:59.999999Z"),
        ("2026-03-18", "2026-03-17T23:00Z 2026-03-18T22:59:59.999999Z"),
        ("today+9h", "2026-03-18T08:00Z 2026-03-18T08:00Z"),
        ("last_1h", "2026-03-18T08:30Z 2026-03-18T09:30Z"),
        ("next_30min", "2026-03-18T09:30Z 2026-03-18T10:00Z"),
        ("last_1d", "2026-03-16T23:00Z 2026-03-18T09:30Z"),
        ("next_1d", "2026-03-18T09:30Z 2026-03-19T22:59:59.999999Z"),
        ("this_month", "2026-02-28T23:00Z 2026-03-31T21:59:59.999999Z"),
        ("2026-03-18T10:30:00.000001+01:00", "2026-03-18T09:30:00.000001Z 2026-03-18T09:30:00.000001Z"),
    ] {
        assert_eq!(moments_of(text, wednesday()), expected, "{text}");
    }
}

#[test]
fn days_of_23_and_25_hours_are_whole_days() {
    let paris = chrono_tz::Europe::Paris;
    let spring = clock("2026-03-29T12:00:00Z", paris);
    assert_eq!(moments_of("today", spring), "2026-03-28T23:00Z 2026-03-29T21:59:59.999999Z");
    let autumn = clock("2026-10-25T12:00:00Z", paris);
    assert_eq!(moments_of("today", autumn), "2026-10-24T22:00Z 2026-10-25T22:59:59.999999Z");
    // Steps of days keep the time of day, hours are exact.
    assert_eq!(moments_of("now-1d", spring), "2026-03-28T13:00Z 2026-03-28T13:00Z");
    assert_eq!(moments_of("now-24h", spring), "2026-03-28T12:00Z 2026-03-28T12:00Z");
    // 02:30 is skipped on the 29th of March, and comes twice on the 25th of October.
    assert_eq!(moments_of("now-1d", clock("2026-03-30T00:30:00Z", paris)), "2026-03-29T01:30Z 2026-03-29T01:30Z");
    assert_eq!(moments_of("now-1d", clock("2026-10-26T01:30:00Z", paris)), "2026-10-25T00:30Z 2026-10-25T00:30Z");
    // Midnight itself is skipped in Beirut.
    let beirut = clock("2026-03-29T12:00:00Z", chrono_tz::Asia::Beirut);
    assert_eq!(moments_of("today", beirut), "2026-03-28T22:00Z 2026-03-29T20:59:59.999999Z");
}

#[test]
fn months_clamp_to_their_last_day() {
    let clock = clock("2024-03-31T12:00:00Z", chrono_tz::UTC);
    for (text, expected) in [
        ("today-1m", "2024-02-29 2024-02-29"),
        ("today-13m", "2023-02-28 2023-02-28"),
        ("today+1q", "2024-06-30 2024-06-30"),
        ("today-1m-1y", "2023-02-28 2023-02-28"),
        ("last_1m", "2024-02-29 2024-03-31"),
    ] {
        assert_eq!(days_of(text, clock), expected, "{text}");
    }
    assert_eq!(moments_of("now-1m", clock), "2024-02-29T12:00Z 2024-02-29T12:00Z");
}

#[test]
fn what_is_not_understood_is_told_with_what_was_meant() {
    let form = "; write it as `2026-03-01`, or relative as `today-30d` or `this_month`";
    for (text, reason) in [
        ("soon", format!("`soon` is no day{form}")),
        ("todya", "`todya` is no day; did you mean `today`?".to_owned()),
        ("this_mont", "`this_mont` is no day; did you mean `this_month`?".to_owned()),
        ("previous_month", format!("`previous_month` is no day{form}")),
        ("today-30", "`today-30` is no day: a unit is missing, as in `today-30d`".to_owned()),
        ("today-d", "`today-d` is no day: a number is missing, as in `today-30d`".to_owned()),
        ("today 30d", "`today 30d` is no day: a step begins with `+` or `-`".to_owned()),
        (
            "today-30days",
            "`today-30days` is no day: `days` is no unit; units are `min`, `h`, `d`, `w`, `m`, `q`, `y`".to_owned(),
        ),
        ("last_30d-1d", "`last_30d-1d` is no day: nothing can follow a period".to_owned()),
        ("this_30d", format!("`this_30d` is no day{form}")),
        ("today-1234567d", "`today-1234567d` is no day: a number has at most 6 digits".to_owned()),
        ("today-3000y", "`today-3000y` is no day: it lies outside of the years 0001 to 9999".to_owned()),
        ("last_9000y", "`last_9000y` is no day: it lies outside of the years 0001 to 9999".to_owned()),
        ("2026-02-30", format!("`2026-02-30` is no day{form}")),
        ("01/02/2026", format!("`01/02/2026` is no day{form}")),
        ("2026-3-1", format!("`2026-3-1` is no day{form}")),
        ("2026-03-01T09:30:00", "`2026-03-01T09:30:00` is no day; without the time it is `2026-03-01`".to_owned()),
        ("2026-03-01T09:30:00Z", "`2026-03-01T09:30:00Z` is no day; without the time it is `2026-03-01`".to_owned()),
        (&"9".repeat(1_000), format!("`{}…` is no day{form}", "9".repeat(60))),
    ] {
        assert_eq!(days_of(text, wednesday()), reason);
    }
    assert_eq!(
        moments_of("2026-03-01T09:30:00", wednesday()),
        "`2026-03-01T09:30:00` is no moment; add the offset, such as `2026-03-01T09:30:00Z` or `2026-03-01T09:30:00+02:00`"
    );
    let form = "; write it as `2026-03-01` or `2026-03-01T09:30:00Z`, or relative as `today-30d` or `this_month`";
    assert_eq!(
        moments_of("9999-12-31T23:59:59-01:00", wednesday()),
        format!("`9999-12-31T23:59:59-01:00` is no moment{form}")
    );
    assert_eq!(
        moments_of("now+999999h-8000y", wednesday()),
        "`now+999999h-8000y` is no moment: it lies outside of the years 0001 to 9999"
    );
    assert_eq!(moments_of("9999-12-31", wednesday()), "9999-12-30T23:00Z 9999-12-31T22:59:59.999999Z");
}

/// Zones that set their clocks, some at midnight, one by half an hour, and such as never do.
const ZONES: [Tz; 10] = [
    chrono_tz::UTC,
    chrono_tz::Europe::Paris,
    chrono_tz::America::New_York,
    chrono_tz::America::Havana,
    chrono_tz::America::Sao_Paulo,
    chrono_tz::America::Santiago,
    chrono_tz::Asia::Beirut,
    chrono_tz::Asia::Kathmandu,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::Pacific::Chatham,
];

/// Days one after the other, from some years before to some years after.
fn days_around(today: NaiveDate) -> Vec<NaiveDate> {
    (-1_500..1_500).map(|offset| today + TimeDelta::days(offset)).collect()
}

/// What all days of a period have in common.
fn key(day: NaiveDate, unit: &str) -> (i32, u32) {
    match unit {
        "day" => (day.num_days_from_ce(), 0),
        "week" => (day.iso_week().year(), day.iso_week().week()),
        "month" => (day.year(), day.month()),
        "quarter" => (day.year(), day.month().div_ceil(3)),
        _ => (day.year(), 0),
    }
}

/// The days of the period that lies so many after the one of today, found by looking at one day after the other.
fn period_by_looking(today: NaiveDate, unit: &str, offset: i32) -> (NaiveDate, NaiveDate) {
    let days = days_around(today);
    let mut periods: Vec<Vec<NaiveDate>> = Vec::new();
    for day in days {
        match periods.last_mut() {
            Some(period) if key(period[0], unit) == key(day, unit) => period.push(day),
            _ => periods.push(vec![day]),
        }
    }
    let present = periods.iter().position(|period| period.contains(&today)).expect("today");
    let found = &periods[usize::try_from(i32::try_from(present).expect("few") + offset).expect("in the window")];
    (found[0], found[found.len() - 1])
}

/// So many months from a day, found by looking at one day after the other.
fn months_by_looking(from: NaiveDate, months: i32) -> NaiveDate {
    let index = |day: NaiveDate| day.year() * 12 + i32::try_from(day.month0()).expect("small");
    let in_month: Vec<_> = days_around(from).into_iter().filter(|day| index(*day) == index(from) + months).collect();
    let same_day = in_month.iter().find(|day| day.day() == from.day());
    *same_day.unwrap_or(&in_month[in_month.len() - 1])
}

proptest! {
    #[test]
    fn relative_days_are_those_that_looking_at_each_day_finds(
        now in 946_684_800_i64..2_145_916_800,
        zone in prop::sample::select(ZONES.to_vec()),
        (word, base) in prop::sample::select(vec![("yesterday", -1), ("today", 0), ("tomorrow", 1)]),
        count in -40_i32..40,
    ) {
        let clock = Clock { now: Timestamp(now * 1_000_000), zone };
        let today = zone.timestamp_opt(now, 0).single().expect("a moment").date_naive();
        let base = today + TimeDelta::days(base);
        for (unit, expected) in [
            ("d", base + TimeDelta::days(count.into())),
            ("w", base + TimeDelta::days(i64::from(count) * 7)),
            ("m", months_by_looking(base, count)),
            ("q", months_by_looking(base, count / 3 * 3)),
            ("y", months_by_looking(base, count / 12 * 12)),
        ] {
            let count = match unit {
                "q" => count / 3,
                "y" => count / 12,
                _ => count,
            };
            let text = format!("{word}{count:+}{unit}");
            prop_assert_eq!(days_of(&text, clock), format!("{expected} {expected}"), "{} in {}", text, zone);
        }
    }

    #[test]
    fn periods_are_those_that_looking_at_each_day_finds(
        now in 946_684_800_i64..2_145_916_800,
        zone in prop::sample::select(ZONES.to_vec()),
        unit in prop::sample::select(vec!["day", "week", "month", "quarter", "year"]),
        (which, offset) in prop::sample::select(vec![("last", -1), ("this", 0), ("next", 1)]),
        samples in prop::collection::vec(-40_000_000_i64..40_000_000, 20),
    ) {
        let clock = Clock { now: Timestamp(now * 1_000_000), zone };
        let local = |seconds| zone.timestamp_opt(seconds, 0).single().expect("a moment").date_naive();
        let (first, last) = period_by_looking(local(now), unit, offset);
        let text = format!("{which}_{unit}");
        prop_assert_eq!(days_of(&text, clock), format!("{first} {last}"));
        // A moment belongs to the period when the calendar on the wall says so; the edges are looked at closely.
        let span = microseconds(&text, clock).expect("a period");
        let edges = [span.first, span.last + 1].map(|edge| i64::try_from(edge / 1_000_000).expect("a moment"));
        let near = edges.into_iter().flat_map(|edge| [edge - 3_600, edge - 1, edge, edge + 3_600]);
        for seconds in samples.into_iter().map(|offset| now + offset).chain(near) {
            let is_within = (first..=last).contains(&local(seconds));
            let number = i128::from(seconds) * 1_000_000;
            prop_assert_eq!((span.first..=span.last).contains(&number), is_within, "{} {} {}", text, zone, seconds);
        }
    }

    #[test]
    fn no_text_panics(
        text in "(now|today|last_|next_|this_|[0-9-]{1,12})?([-+_]?[0-9]{0,7}(min|h|d|w|m|q|y|T| |:)?){0,6}",
        other in "\\PC{0,70}",
        now in any::<i64>(),
        zone in prop::sample::select(ZONES.to_vec()),
    ) {
        for text in [text, other] {
            let clock = Clock { now: Timestamp(now), zone };
            let _ = (days(&text, clock), microseconds(&text, clock));
        }
    }
}

#[test]
fn a_period_has_one_before_it() {
    let found = |text: &str| {
        let days = period_days(text, wednesday().now, wednesday().zone);
        days.map(|[period, before]| [period, before].map(|(first, last)| format!("{first} {last}")))
    };
    for (text, period, before) in [
        ("this_month", "2026-03-01 2026-03-31", "2026-02-01 2026-02-28"),
        ("last_month", "2026-02-01 2026-02-28", "2026-01-01 2026-01-31"),
        ("this_quarter", "2026-01-01 2026-03-31", "2025-10-01 2025-12-31"),
        ("next_year", "2027-01-01 2027-12-31", "2026-01-01 2026-12-31"),
        ("this_week", "2026-03-16 2026-03-22", "2026-03-09 2026-03-15"),
        ("today", "2026-03-18 2026-03-18", "2026-03-17 2026-03-17"),
        ("last_30d", "2026-02-16 2026-03-18", "2026-01-16 2026-02-15"),
        ("next_7d", "2026-03-18 2026-03-25", "2026-03-10 2026-03-17"),
    ] {
        assert_eq!(found(text), Ok([period.to_owned(), before.to_owned()]), "{text}");
    }
    for text in ["now", "last_3h", "2026-03-18T12:00:00Z", "this_yaer"] {
        assert!(found(text).is_err(), "{text}");
    }
}
