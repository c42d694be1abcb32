//! Dates that are told from today, and days where moments are.
//!
//! The tenant's zone is chosen so that it is noon there: no day ends while the test runs.

use chrono::{DateTime, Datelike as _, Days, FixedOffset, Months, NaiveDate, TimeDelta, Timelike as _, Utc};
use serde_json::{Value, json};
use tests::{Tenant, TestServer};

use crate::fixture::define_thing;
use crate::search::{check, create_all, names, search};

/// A tenant where it is about noon, and what time it is there.
async fn at_noon(server: &TestServer) -> (Tenant, DateTime<FixedOffset>) {
    let tenant = server.tenant("generic").await;
    let now = Utc::now();
    let hours = 12 - i32::try_from(now.hour()).unwrap();
    // The names of these zones count the other way round.
    let zone = format!("Etc/GMT{}{}", if hours > 0 { "-" } else { "+" }, hours.abs());
    tenant.patch("/tenant", &json!({"time_zone": zone})).await.ok(200);
    (tenant, now.with_timezone(&FixedOffset::east_opt(hours * 3_600).unwrap()))
}

/// First and last day of the period that lies so many after the one of a day.
fn period(day: NaiveDate, unit: &str, offset: i32) -> (NaiveDate, NaiveDate) {
    let months = |first: NaiveDate, count: i32| {
        let months = Months::new(count.unsigned_abs());
        if count < 0 { first - months } else { first + months }
    };
    let first_of = |month0: u32| NaiveDate::from_ymd_opt(day.year(), month0 + 1, 1).unwrap();
    let monday = day - Days::new(day.weekday().num_days_from_monday().into());
    let begins = |offset: i32| match unit {
        "day" => day + TimeDelta::days(offset.into()),
        "week" => monday + TimeDelta::weeks(offset.into()),
        "month" => months(first_of(day.month0()), offset),
        "quarter" => months(first_of(day.month0() / 3 * 3), offset * 3),
        _ => months(first_of(0), offset * 12),
    };
    (begins(offset), begins(offset + 1).pred_opt().unwrap())
}

async fn periods_and_steps_are_counted_from_today(server: TestServer) {
    let (tenant, now) = at_noon(&server).await;
    define_thing(&tenant, json!({"on": {"type": "date"}})).await;
    let today = now.date_naive();
    let mut named: Vec<(String, NaiveDate, NaiveDate)> = Vec::new();
    for unit in ["day", "week", "month", "quarter", "year"] {
        for (which, offset) in [("last", -1), ("this", 0), ("next", 1)] {
            let (first, last) = period(today, unit, offset);
            named.push((format!("{which}_{unit}"), first, last));
        }
    }
    for (text, day) in [
        ("now", today),
        ("today", today),
        ("yesterday", today.pred_opt().unwrap()),
        ("tomorrow", today.succ_opt().unwrap()),
        ("today-30d", today - Days::new(30)),
        ("today+2w", today + Days::new(14)),
        ("today-1m", today - Months::new(1)),
        ("today+1q", today + Months::new(3)),
        ("today-4y+1d", today - Months::new(48) + Days::new(1)),
        ("now-24h", today.pred_opt().unwrap()),
    ] {
        named.push((text.to_owned(), day, day));
    }
    named.push(("last_30d".to_owned(), today - Days::new(30), today));
    let mut days: Vec<NaiveDate> = named
        .iter()
        .flat_map(|(_, first, last)| [first.pred_opt(), Some(*first), Some(*last), last.succ_opt()])
        .flatten()
        .collect();
    days.sort_unstable();
    days.dedup();
    let things: Vec<Value> = days.iter().map(|day| json!({"name": day.to_string(), "on": day.to_string()})).collect();
    create_all(&tenant, "thing", &things).await;
    for (text, first, last) in &named {
        let that = |is_met: &dyn Fn(NaiveDate) -> bool| -> Vec<String> {
            days.iter().filter(|day| is_met(**day)).map(ToString::to_string).collect()
        };
        for (op, value, expected) in [
            ("eq", json!(text), that(&|day| (*first..=*last).contains(&day))),
            ("neq", json!(text), that(&|day| !(*first..=*last).contains(&day))),
            ("lt", json!(text), that(&|day| day < *first)),
            ("lte", json!(text), that(&|day| day <= *last)),
            ("gt", json!(text), that(&|day| day > *last)),
            ("gte", json!(text), that(&|day| day >= *first)),
            ("between", json!([text, text]), that(&|day| (*first..=*last).contains(&day))),
            ("in", json!([text]), that(&|day| (*first..=*last).contains(&day))),
        ] {
            let condition = json!({"property": "on", "op": op, "value": value});
            assert_eq!(
                names(&tenant, "thing", json!({"filter": condition, "limit": 200})).await,
                expected,
                "{condition}"
            );
        }
    }
}

async fn a_day_is_all_of_it_where_moments_are(server: TestServer) {
    let (tenant, now) = at_noon(&server).await;
    define_thing(&tenant, json!({"at": {"type": "datetime"}})).await;
    let midnight = now.with_time(chrono::NaiveTime::MIN).unwrap();
    let tomorrow = midnight + TimeDelta::days(1);
    let thing = |name: &str, at: DateTime<FixedOffset>| json!({"name": name, "at": at.to_rfc3339()});
    let moment = TimeDelta::microseconds(1);
    let things = [
        thing("a month ago", midnight - TimeDelta::days(30)),
        thing("before that", midnight - TimeDelta::days(30) - moment),
        thing("end of yesterday", midnight - moment),
        thing("start of today", midnight),
        thing("an hour ago", now - TimeDelta::hours(1)),
        thing("in an hour", now + TimeDelta::hours(1)),
        thing("end of today", tomorrow - moment),
        thing("start of tomorrow", tomorrow),
        json!({"name": "never"}),
    ];
    create_all(&tenant, "thing", &things).await;
    let today = now.date_naive().to_string();
    let of_today: &[&str] = &["start of today", "an hour ago", "in an hour", "end of today"];
    let to_yesterday: &[&str] = &["a month ago", "before that", "end of yesterday"];
    let since_today: &[&str] = &["start of today", "an hour ago", "in an hour", "end of today", "start of tomorrow"];
    let table: &[(&str, Value, &[&str])] = &[
        ("eq", json!("today"), of_today),
        ("eq", json!(today), of_today),
        ("lt", json!(today), to_yesterday),
        ("gt", json!("today"), &["start of tomorrow"]),
        ("gte", json!(today), since_today),
        ("between", json!([today, "tomorrow"]), since_today),
        ("between", json!([today, today]), of_today),
        ("gte", json!("now"), &["in an hour", "end of today", "start of tomorrow"]),
        ("gte", json!("now-90min"), &["an hour ago", "in an hour", "end of today", "start of tomorrow"]),
        ("eq", json!("last_30d"), &["a month ago", "end of yesterday", "start of today", "an hour ago"]),
        ("lt", json!("last_30d"), &["before that"]),
        ("eq", json!("last_2h"), &["an hour ago"]),
        ("eq", json!(midnight.to_rfc3339()), &["start of today"]),
        ("lt", json!(midnight.with_timezone(&Utc).to_rfc3339()), to_yesterday),
    ];
    check(&tenant, "thing", "at", table).await;
    let group = json!([{"date": "at", "every": "day"}]);
    let filter = json!({"property": "at", "op": "gte", "value": "yesterday"});
    let tables = json!({"t": {"group": group, "order": [{"key": "asc"}]}});
    let found = search(&tenant, "thing", json!({"limit": 0, "filter": filter, "aggregate": tables})).await;
    let day = |offset: i64, count: u32| json!({"key": [(now.date_naive() + TimeDelta::days(offset)).to_string()], "count": count});
    assert_eq!(found["aggregates"]["t"], json!([day(-1, 1), day(0, 4), day(1, 1)]));
}

scenarios![periods_and_steps_are_counted_from_today, a_day_is_all_of_it_where_moments_are];
