use super::*;

fn permit() -> Scope<'static> {
    Scope::new()
        .bind("applied_on", date("2026-01-30"))
        .bind("issued_on", date("2026-03-02"))
        .bind("closed_on", Value::Null)
}

#[test]
fn the_contracts_formula_counts_days() {
    assert_eq!(evaluate("(issued_on - applied_on).getDays()", &permit()), Ok(31.into()));
    assert_eq!(evaluate("(applied_on - issued_on).getDays()", &permit()), Ok((-31).into()));
}

#[test]
fn the_contracts_rule_holds_without_the_date_in_either_order() {
    for (source, expected) in [
        ("issued_on == null || issued_on >= applied_on", true),
        ("closed_on == null || closed_on >= applied_on", true),
        ("closed_on >= applied_on || closed_on == null", true),
        ("issued_on >= applied_on || issued_on == null", true),
        ("applied_on == null || applied_on >= issued_on", false),
        ("closed_on != null && closed_on >= applied_on", false),
        ("closed_on >= applied_on && closed_on != null", false),
    ] {
        let expression = Expression::compile(source).expect("an expression");
        assert_eq!(expression.evaluate_bool(&permit()), Ok(expected), "{source}");
    }
}

#[test]
fn dates_move_by_whole_days() {
    for (source, expected) in [
        ("applied_on + days(30)", "2026-03-01"),
        ("duration('48h') + applied_on", "2026-02-01"),
        ("applied_on - days(30)", "2025-12-31"),
        ("date('2024-02-28') + days(1)", "2024-02-29"),
        ("timestamp(applied_on) + duration('36h')", "2026-01-31T12:00:00.000000Z"),
        ("date(timestamp('2026-01-30T23:30:00Z'), 'Europe/Paris')", "2026-01-31"),
        ("date(timestamp('2026-01-30T23:30:00Z'), '+02:00')", "2026-01-31"),
        ("date(timestamp('2026-01-30T23:30:00Z'))", "2026-01-30"),
        ("string(applied_on)", "2026-01-30"),
    ] {
        assert_eq!(evaluate(source, &permit()), Ok(expected.into()), "{source}");
    }
}

#[test]
fn parts_of_dates_and_datetimes_are_as_in_cel() {
    let scope = permit().bind("at", Value::Datetime(crate::time::Timestamp(1_767_225_599_123_000)));
    for (source, expected) in [
        ("applied_on.getFullYear()", 2026),
        ("applied_on.getMonth()", 0),
        ("applied_on.getDate()", 30),
        ("applied_on.getDayOfMonth()", 29),
        ("applied_on.getDayOfWeek()", 5),
        ("applied_on.getDayOfYear()", 29),
        // 2025-12-31T23:59:59.123Z
        ("at.getFullYear()", 2025),
        ("at.getFullYear('Asia/Tokyo')", 2026),
        ("at.getHours()", 23),
        ("at.getHours('-05:30')", 18),
        ("at.getMinutes('05:30')", 29),
        ("at.getSeconds()", 59),
        ("at.getMilliseconds()", 123),
        ("int(at)", 1_767_225_599),
        ("duration('36h30m').getDays()", 1),
        ("duration('36h30m').getHours()", 36),
        ("duration('-90m').getHours()", -1),
        ("duration('36h30m').getMinutes()", 2190),
        ("duration('1.5s').getMilliseconds()", 1500),
        ("(at - timestamp('2025-12-31T00:00:00Z')).getSeconds()", 86_399),
    ] {
        assert_eq!(evaluate(source, &scope), Ok(expected.into()), "{source}");
    }
}

#[test]
fn durations_are_written_in_seconds() {
    for (source, expected) in [
        ("duration('1h30m')", "\"5400s\""),
        ("duration('-1.5s')", "\"-1.5s\""),
        ("duration('1us') + duration('1ms')", "\"0.001001s\""),
        ("days(2) - duration('1h')", "\"169200s\""),
        ("duration('1h') < duration('61m')", "true"),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn wrong_dates_say_what_to_write() {
    for (source, expected) in [
        (
            "applied_on >= '2026-01-01'",
            "`>=` is not defined for a date and a string; write a date as date('2026-01-31') (at column 12)",
        ),
        (
            "applied_on == '2026-01-30'",
            "`==` is not defined for a date and a string; write a date as date('2026-01-31') (at column 12)",
        ),
        (
            "applied_on < timestamp('2026-01-01T00:00:00Z')",
            "`<` is not defined for a date and a datetime; take the day of the datetime with date(…), or the beginning of the date with timestamp(…) (at column 12)",
        ),
        (
            "applied_on + duration('36h')",
            "a date moves by whole days; for hours and minutes, move timestamp(…) of it (at column 12)",
        ),
        ("applied_on + 3", "`+` is not defined for a date and an integer (at column 12)"),
        ("date('2026-02-30')", "`2026-02-30` is no date such as 2026-01-31 (at column 1)"),
        ("date('2026-2-3')", "`2026-2-3` is no date such as 2026-01-31 (at column 1)"),
        (
            "duration('3 days')",
            "`3 days` is no duration such as 36h or 1h30m; units are h, m, s, ms, us and ns (at column 1)",
        ),
        ("date('9999-12-31') + days(1)", "the result of `+` is out of range (at column 20)"),
        ("days(9223372036854775807)", "the result of `days` is out of range (at column 1)"),
        (
            "timestamp('2026-01-30T23:30:00Z').getHours('Mars/Olympus')",
            "there is no time zone `Mars/Olympus`; write one as 'Europe/Paris' or '+02:00' (at column 35)",
        ),
    ] {
        assert_eq!(evaluate(source, &permit()), Err(expected.to_owned()), "{source}");
    }
}
