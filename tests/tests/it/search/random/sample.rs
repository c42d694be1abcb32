//! Random values, few enough of each property that records share them.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

use crate::search::reference::{Kind, fold};

const WORDS: [&str; 16] = [
    "bolt", "Bolt", "été", "Été", "ete", "łuk", "Straße", "strasse", "Ørsted", "gear", "Gearbox", "CAP", "nut", "öl",
    "42", "x9",
];

/// One of a property's values.
pub(super) fn value(name: &str, kind: Kind, users: &[String], random: &mut StdRng) -> Value {
    match (name, kind) {
        ("email", _) => {
            json!(format!("{}@{}.example", pick(&["ada", "bob", "eve.b"], random), pick(&["one", "two"], random)))
        }
        ("phone", _) => json!(format!("+16135550{}", random.random_range(100..112))),
        ("site", _) => {
            json!(format!("https://{}.example/{}", pick(&["one", "two"], random), pick(&["", "a", "B"], random)))
        }
        ("host", _) => json!(format!("{}.example", pick(&["one", "two", "api.one"], random))),
        ("serial", _) => json!(format!("SN-{:04}", random.random_range(1..300))),
        ("version", _) => json!(random.random_range(1..5)),
        (_, Kind::Text { is_substring: true }) => json!(code(random)),
        (_, Kind::Text { is_substring: false }) => json!(phrase(1, random)),
        (_, Kind::LongText) => json!(phrase(4, random)),
        (_, Kind::User) => json!(users.choose(random)),
        (_, Kind::Id) => json!(random.random_range(1..400).to_string()),
        (_, Kind::Integer) => json!(integer(random)),
        (_, Kind::Decimal { scale, .. }) => json!(decimal(scale, random)),
        (_, Kind::Boolean) => json!(random.random_bool(0.5)),
        (_, Kind::Date) => json!(date(random)),
        (_, Kind::Datetime) => json!(moment(random)),
        (_, Kind::Choice(options)) => json!(pick(options, random)),
        (_, Kind::Choices(options)) => json!([pick(options, random)]),
        (_, Kind::Tags) => json!([tag(random)]),
    }
}

/// What a record is given: lists may have several values.
pub(super) fn stored(name: &str, kind: Kind, users: &[String], random: &mut StdRng) -> Value {
    match kind {
        Kind::Choices(options) => json!(options.choose_multiple(random, 2).collect::<Vec<_>>()),
        Kind::Tags => {
            let mut tags: Vec<String> = (0..random.random_range(1..4)).map(|_| tag(random)).collect();
            tags.sort();
            tags.dedup_by_key(|tag| fold(tag));
            json!(tags)
        }
        _ => value(name, kind, users, random),
    }
}

/// A text that is compared like this one.
pub(super) fn disguised(text: &str, random: &mut StdRng) -> String {
    match random.random_range(0..3) {
        0 => text.to_uppercase(),
        1 => fold(text),
        _ => text.to_owned(),
    }
}

pub(super) fn word(random: &mut StdRng) -> &'static str {
    pick(&WORDS, random)
}

pub(super) fn pick<'a>(from: &[&'a str], random: &mut StdRng) -> &'a str {
    from.choose(random).unwrap()
}

fn phrase(most: usize, random: &mut StdRng) -> String {
    let mut text = word(random).to_owned();
    for _ in 0..random.random_range(0..=most) {
        text.push_str(pick(&[" ", ", ", "-", " / ", "_", ".", "'"], random));
        text.push_str(word(random));
    }
    text
}

fn code(random: &mut StdRng) -> String {
    let letter = |random: &mut StdRng| pick(&["A", "b", "É", "ł", "7"], random);
    (0..random.random_range(2..6)).map(|_| letter(random)).collect()
}

fn tag(random: &mut StdRng) -> String {
    pick(&["VIP", "vip", "été", "Ete", "new", "bot:off", "two words"], random).to_owned()
}

/// Sums of the largest need more than a float has.
fn integer(random: &mut StdRng) -> i64 {
    if random.random_bool(0.1) { 9_007_199_254_740_993 } else { random.random_range(-12..30) }
}

/// A decimal string with at most so many digits after the point; some have 18 digits in all.
fn decimal(scale: u32, random: &mut StdRng) -> String {
    let digits = random.random_range(0..=scale) as usize;
    let whole: i64 = match random.random_range(0..10) {
        0 => 999_999_999_999 - random.random_range(0..2),
        1..4 => 0,
        _ => random.random_range(1..12),
    };
    let fraction = random.random_range(0..10_u64.pow(digits as u32));
    let sign = if random.random_bool(0.3) { "-" } else { "" };
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction:0>digits$}") }
}

/// Around the turn of a year, and around the days on which clocks are set.
pub(super) fn date(random: &mut StdRng) -> String {
    let months = ["2025-12-2", "2025-12-3", "2026-01-0", "2026-03-0", "2026-04-1", "2026-10-3", "2026-11-0"];
    let month = pick(&months, random);
    let last = random.random_range(if month.ends_with('0') { 1..10 } else { 0..2 });
    format!("{month}{last}")
}

fn moment(random: &mut StdRng) -> String {
    let hour = random.random_range(0..24);
    let offset = pick(&["Z", "+02:00", "-02:30", "-03:30"], random);
    let fraction = pick(&["", ".000001", ".5", ".999999"], random);
    format!("{}T{hour:02}:{}:00{fraction}{offset}", date(random), pick(&["00", "29", "30"], random))
}
