//! The periods of a report.

use chrono::NaiveDate;
use chrono_tz::Tz;
use engine_model::name::did_you_mean;
use engine_model::query::Every;
use engine_model::time::{Timestamp, start_of_day};
use engine_model::{Problem, Problems};
use engine_store::visit::Period;

use super::ReportQuery;
use crate::definitions::catalog::shortened;

/// Periods of a report that says nothing of its bounds.
const UNLESS_SAID: usize = 12;

/// Most periods of a report.
const MOST: usize = 400;

/// Which days a report is of, and how they are put together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Periods {
    pub(super) every: Every,
    pub(super) from: Option<NaiveDate>,
    pub(super) to: Option<NaiveDate>,
    zone: Tz,
    today: NaiveDate,
}

/// Periods of the past, each with its bounds.
#[derive(Debug)]
pub(super) struct PastPeriods {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// The first day of each.
    days: Vec<NaiveDate>,
    pub(super) all: Vec<Period>,
}

impl Periods {
    /// Reads `from`, `to` and `every`.
    pub(super) fn read(wanted: &ReportQuery, zone: Tz, now: Timestamp, problems: &mut Problems) -> Self {
        let every = wanted.every.as_deref().unwrap_or("month");
        let found = Every::named(every);
        if found.is_none() {
            let names = Every::NAMES.iter().map(|(name, _)| *name);
            let all = names.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let message = format!("`{}` is none of {all}{}", shortened(every), did_you_mean(every, names));
            problems.push(Problem::new("/every", "unknown", message));
        }
        let mut day = |name: &str, text: Option<&str>| {
            let day = text.map(str::parse::<NaiveDate>);
            if day.as_ref().is_some_and(Result::is_err) {
                problems.push(Problem::new(format!("/{name}"), "invalid", format!("`{name}` is a day, as 2026-01-31")));
            }
            day.and_then(Result::ok)
        };
        let (from, to) = (day("from", wanted.from.as_deref()), day("to", wanted.to.as_deref()));
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            problems.push(Problem::new("/to", "invalid", "`to` is the last day and not before `from`"));
        }
        let moment = chrono::DateTime::from_timestamp_micros(now.0).unwrap_or_default();
        let today = moment.with_timezone(&zone).date_naive();
        Self { every: found.unwrap_or(Every::Month), from, to, zone, today }
    }

    /// The same with both bounds: until today, and from so many periods before unless said.
    pub(super) fn of_past(self, problems: &mut Problems) -> PastPeriods {
        let to = self.to.unwrap_or_else(|| self.today.max(self.from.unwrap_or(self.today)));
        let from = self.from.or_else(|| self.before(to)).unwrap_or(to);
        let mut past = PastPeriods { from, to, days: Vec::new(), all: Vec::new() };
        let mut first = self.every.first_day(from);
        while let Some(day) = first.filter(|day| *day <= to) {
            if past.days.len() == MOST {
                let message = format!(
                    "a report has at most {MOST} periods; bring `from` and `to` together, or make them longer with `every`"
                );
                problems.push(Problem::new("/from", "too_many", message));
                break;
            }
            let next = self.every.next_day(day);
            let end = next.filter(|next| *next <= to).or_else(|| to.succ_opt()).unwrap_or(to);
            let at = i64::try_from(past.days.len()).unwrap_or(i64::MAX);
            let (starts, ends) = (start_of_day(self.zone, day.max(from)).0, start_of_day(self.zone, end).0);
            past.all.push(Period { at, starts, ends });
            past.days.push(day);
            first = next;
        }
        past
    }

    fn before(self, to: NaiveDate) -> Option<NaiveDate> {
        let mut first = self.every.first_day(to)?;
        for _ in 1..UNLESS_SAID {
            first = self.every.first_day(first.pred_opt()?)?;
        }
        Some(first)
    }
}

impl PastPeriods {
    /// What a period is called: its first day.
    pub(super) fn name(&self, at: i64) -> String {
        let day = usize::try_from(at).ok().and_then(|at| self.days.get(at));
        day.map_or_else(String::new, NaiveDate::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(from: &str, to: &str, every: &str) -> (Vec<String>, Vec<(String, String)>, Problems) {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let wanted = ReportQuery { from: text(from), to: text(to), every: text(every), ..ReportQuery::default() };
        let now = Timestamp::parse("2026-03-10T23:30:00Z").expect("a moment");
        let mut problems = Problems::new();
        let past = Periods::read(&wanted, chrono_tz::Europe::Paris, now, &mut problems).of_past(&mut problems);
        let bounds = past.all.iter().map(|one| (Timestamp(one.starts).to_rfc3339(), Timestamp(one.ends).to_rfc3339()));
        let names = past.all.iter().map(|one| past.name(one.at)).collect();
        (names, bounds.map(|(from, to)| (from[..13].to_owned(), to[..13].to_owned())).collect(), problems)
    }

    #[test]
    fn periods_are_those_of_the_calendar_within_the_bounds() {
        let (names, bounds, problems) = past("2026-01-15", "2026-03-01", "");
        assert_eq!(
            (names, problems),
            (vec!["2026-01-01".to_owned(), "2026-02-01".to_owned(), "2026-03-01".to_owned()], vec![])
        );
        let bound = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let expected = [
            bound("2026-01-14T23", "2026-01-31T23"),
            bound("2026-01-31T23", "2026-02-28T23"),
            bound("2026-02-28T23", "2026-03-01T23"),
        ];
        assert_eq!(bounds, expected);
    }

    #[test]
    fn twelve_periods_until_today_unless_said() {
        let (names, bounds, _) = past("", "", "");
        assert_eq!((names.len(), names[0].as_str(), names[11].as_str()), (12, "2025-04-01", "2026-03-01"));
        assert_eq!(bounds[11].1, "2026-03-11T23", "the day of the tenant");
        let (names, ..) = past("", "", "week");
        assert_eq!((names.len(), names[11].as_str()), (12, "2026-03-09"));
    }

    #[test]
    fn mistakes_are_told_at_once() {
        let (.., problems) = past("yesterday", "2026-13-01", "moth");
        let found: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(found, ["/every", "/from", "/to"]);
        assert!(problems[0].message.contains("`month`"), "{problems:?}");
        assert_eq!(past("2026-02-01", "2026-01-01", "").2[0].pointer, "/to");
        assert_eq!(past("2020-01-01", "2026-01-01", "day").2[0].code, "too_many");
    }
}
