//! What an answer must be, from a plain look at every contact: a fast answer that is wrong is worth nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::person::{Person, moment, money};
use super::question::PAGE;

/// Whether a contact meets a question of a turn.
pub(super) type Meets = fn(&Person, u64) -> bool;

/// What is known of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Truth {
    /// `total` is the number of contacts that meet this, or their only page is as long.
    Count(Meets),
    /// The table has the number and the exact sum of value of each stage of those that meet this.
    Sums(Meets),
    /// The page has the latest of those that meet this, in order.
    Newest(Meets),
    /// Nothing.
    Unknown,
}

/// The number and the sum of value by stage.
pub(super) type Sums = BTreeMap<String, (u64, String)>;

impl Truth {
    /// What is wrong with an answer of a turn, if anything is.
    pub(super) fn refute(self, answer: &Value, turn: u64, records: u64) -> Option<String> {
        match self {
            Self::Count(meets) => {
                let expected = count(meets, turn, records);
                let found = answer["total"].as_u64().unwrap_or_else(|| results(answer).len() as u64);
                (found != expected).then(|| format!("{found} were found of {expected}"))
            }
            Self::Sums(meets) => {
                let (found, expected) = (found_sums(answer), sums(meets, turn, records));
                (found != expected).then(|| format!("the table is {found:?} instead of {expected:?}"))
            }
            Self::Newest(meets) => {
                let moments = results(answer).iter().map(|record| record["properties"]["last_contacted_at"].as_str());
                let found: Vec<&str> = moments.map(Option::unwrap_or_default).collect();
                let expected = newest(meets, turn, records);
                (found != expected).then(|| format!("the page has {found:?} instead of {expected:?}"))
            }
            Self::Unknown => None,
        }
    }
}

/// How many contacts meet it.
pub(super) fn count(meets: Meets, turn: u64, records: u64) -> u64 {
    people(meets, turn, records).count() as u64
}

/// The table of those who meet it.
pub(super) fn sums(meets: Meets, turn: u64, records: u64) -> Sums {
    let mut sums: BTreeMap<&str, (u64, i128)> = BTreeMap::new();
    for person in people(meets, turn, records) {
        let (number, total) = sums.entry(person.stage).or_default();
        *number += 1;
        *total += i128::from(person.value);
    }
    sums.into_iter().map(|(stage, (number, total))| (stage.to_owned(), (number, money(total)))).collect()
}

fn newest(meets: Meets, turn: u64, records: u64) -> Vec<String> {
    let mut moments: Vec<i64> = people(meets, turn, records).map(|person| person.contacted).collect();
    moments.sort_unstable_by(|one, other| other.cmp(one));
    moments.truncate(usize::try_from(PAGE).unwrap_or_default());
    moments.into_iter().map(moment).collect()
}

fn people(meets: Meets, turn: u64, records: u64) -> impl Iterator<Item = Person> {
    (0..records).map(Person::new).filter(move |person| meets(person, turn))
}

fn found_sums(answer: &Value) -> Sums {
    let rows = answer["aggregates"]["by"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.iter().map(|row| (text(&row["key"][0]), (row["n"].as_u64().unwrap_or(0), text(&row["total"])))).collect()
}

fn results(answer: &Value) -> &[Value] {
    answer["results"].as_array().map(Vec::as_slice).unwrap_or_default()
}
