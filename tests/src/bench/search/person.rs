//! The contacts that are searched: 25 properties and about 770 bytes, spread so that each filter finds a known share.

use chrono::{DateTime, SecondsFormat};

use super::super::contact::{self, DEPARTMENTS, Form, Object, SOURCES, TITLES, mix, pick};

/// Stages with their shares of a thousand.
const STAGES: [(&str, u64); 4] = [("visitor", 310), ("lead", 390), ("customer", 260), ("evangelist", 40)];

/// Standings of leads with their shares of a thousand.
const LEAD_STATUSES: [(&str, u64); 3] = [("new", 400), ("contacted", 360), ("qualified", 240)];

const STATUSES: [&str; 3] = ["active", "inactive", "bounced"];
const CHANNELS: [&str; 4] = ["organic", "paid", "direct", "referral"];
const REGIONS: [&str; 6] = ["north", "east", "south", "west", "coast", "abroad"];

/// The first moment of the two years in which contacts were made, in seconds: 2024-07-01.
pub(super) const FIRST_SECOND: i64 = 1_719_792_000;
/// Seconds of those two years.
pub(super) const SECONDS: i64 = 730 * 86_400;

/// What a contact is worth at most, in units of the currency; the values lie evenly below.
pub(super) const MOST_VALUE: i64 = 1_000_000;
/// Parts of a unit of the currency that values are counted in.
const PARTS: i64 = 10_000;

/// Words of the language in which notes are written.
const WORDS: usize = 2_000;
/// Words of a note.
const NOTE: u64 = 9;
/// A word that one contact of ten thousand has.
pub(super) const RARE: &str = "quixotic";

/// What a plain reference needs to know of a contact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) number: u64,
    pub(super) stage: &'static str,
    pub(super) lead_status: &'static str,
    /// Ten-thousandths of a unit of the currency.
    pub(super) value: i64,
    /// Seconds since 1970.
    pub(super) contacted: i64,
    /// Seven of ten have.
    pub(super) has_purchased: bool,
}

impl Person {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            stage: share(&STAGES, draw(number, 1)),
            lead_status: share(&LEAD_STATUSES, draw(number, 2)),
            value: below(number, 3, MOST_VALUE * PARTS),
            contacted: FIRST_SECOND + below(number, 4, SECONDS),
            has_purchased: draw(number, 5) % 10 < 7,
        }
    }

    /// Whether the value lies between two whole units, both included.
    pub(super) fn is_worth(&self, from: i64, to: i64) -> bool {
        (from * PARTS..=to * PARTS).contains(&self.value)
    }

    /// The contact's properties as a JSON object.
    pub(super) fn properties(&self) -> String {
        let mut object = Object::new(Form::Value);
        self.write_names(&mut object);
        self.write_standing(&mut object);
        self.write_rest(&mut object);
        object.finish()
    }

    fn write_names(&self, object: &mut Object) {
        let number = self.number;
        let drawn = mix(number);
        let (first, last) = contact::name(drawn);
        object.write("first_name", format_args!("\"{first}\""));
        if draw(number, 6) % 10 < 8 {
            object.write("middle_name", format_args!("\"Q.\""));
        }
        object.write("last_name", format_args!("\"{last}\""));
        object.write("email", format_args!("\"{}\"", contact::email(number)));
        object.write("email_verified", format_args!("{}", !drawn.is_multiple_of(4)));
        object.write("phone", format_args!("\"+1201555{:04}\"", drawn % 10_000));
        if draw(number, 7) % 10 < 8 {
            object.write("mobile", format_args!("\"+1202555{:04}\"", (drawn >> 16) % 10_000));
        }
        object.write("title", format_args!("\"{}\"", pick(&TITLES, drawn >> 12)));
        object.write("department", format_args!("\"{}\"", pick(&DEPARTMENTS, drawn >> 20)));
        object.write("employer", format_args!("\"{}\"", employer(number)));
        object.write("source_id", format_args!("\"legacy-{number:07}\""));
    }

    fn write_standing(&self, object: &mut Object) {
        let number = self.number;
        object.write("contact_status", format_args!("\"{}\"", pick(&STATUSES, draw(number, 8))));
        object.write("lifecycle_stage", format_args!("\"{}\"", self.stage));
        object.write("lead_status", format_args!("\"{}\"", self.lead_status));
        object.write("lead_source", format_args!("\"{}\"", pick(&SOURCES, draw(number, 9))));
        object.write("lead_score", format_args!("{}", draw(number, 10) % 101));
        object.write("source", format_args!("\"{}\"", pick(&CHANNELS, draw(number, 11))));
        object.write("region", format_args!("\"{}\"", pick(&REGIONS, draw(number, 12))));
        object.write("customer_value", format_args!("\"{}\"", money(i128::from(self.value))));
        object.write("last_contacted_at", format_args!("\"{}\"", moment(self.contacted)));
        if self.has_purchased {
            let purchased = FIRST_SECOND + below(number, 13, SECONDS);
            object.write("last_purchase_at", format_args!("\"{}\"", moment(purchased)));
            object.write("last_purchase_amount", format_args!("\"{}.50\"", draw(number, 14) % 100_000));
        }
    }

    fn write_rest(&self, object: &mut Object) {
        let number = self.number;
        let joined = moment(FIRST_SECOND + below(number, 15, SECONDS));
        object.write("joined_on", format_args!("\"{}\"", joined.get(..10).unwrap_or_default()));
        object.write("preferences", format_args!("{{\"communication\":\"email\"}}"));
        object.write("tags", format_args!("[\"imported\",\"wave-{}\"]", draw(number, 16) % 10));
        object.write("about", format_args!("\"{}\"", note(number)));
    }
}

/// A word of the language; the lower its rank, the more notes have it.
pub(super) fn word(rank: usize) -> String {
    const CONSONANTS: &[u8; 12] = b"bdfgklmnprst";
    const VOWELS: &[u8; 5] = b"aeiou";
    // Coprime to the number of syllables, so that each rank has three of its own.
    let mut rest = rank * 7_919 + 12_345;
    let mut word = String::with_capacity(6);
    for _ in 0..3 {
        let syllable = rest % (CONSONANTS.len() * VOWELS.len());
        rest /= CONSONANTS.len() * VOWELS.len();
        word.push(char::from(CONSONANTS[syllable / VOWELS.len()]));
        word.push(char::from(VOWELS[syllable % VOWELS.len()]));
    }
    word
}

/// Ten-thousandths as the API writes them.
pub(super) fn money(parts: i128) -> String {
    let unit = i128::from(PARTS);
    format!("{}.{:04}", parts / unit, parts % unit)
}

/// A moment as the API writes it.
pub(super) fn moment(seconds: i64) -> String {
    let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn employer(number: u64) -> String {
    // About 35,000 of them at a million contacts, with names of their own.
    let drawn = draw(number, 17) % 35_000;
    let rank = usize::try_from(drawn).unwrap_or_default();
    let mut name = word(rank % WORDS);
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{name} {drawn} Ltd")
}

fn note(number: u64) -> String {
    let mut note = String::with_capacity(80);
    for place in 0..NOTE {
        note.push_str(&word(rank(draw(number, 32 + place))));
        note.push(' ');
    }
    if draw(number, 18).is_multiple_of(10_000) {
        note.push_str(RARE);
    }
    note.truncate(note.trim_end().len());
    note
}

/// A rank of which the low ones are much more frequent: the cube of an even draw.
fn rank(drawn: u64) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "a draw needs no more than 53 bits")]
    let even = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "between 0 and the number of words"
    )]
    let rank = (even.powi(3) * WORDS as f64) as usize;
    rank.min(WORDS - 1)
}

/// A number of its own for each contact and purpose.
fn draw(number: u64, purpose: u64) -> u64 {
    mix(number ^ mix(purpose).rotate_left(17))
}

fn below(number: u64, purpose: u64, bound: i64) -> i64 {
    let bound = u64::try_from(bound).unwrap_or(1);
    i64::try_from(draw(number, purpose) % bound).unwrap_or_default()
}

fn share(of: &[(&'static str, u64)], drawn: u64) -> &'static str {
    let mut left = drawn % 1_000;
    for (name, part) in of {
        if left < *part {
            return name;
        }
        left -= part;
    }
    of.last().map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn contacts_have_the_size_and_the_properties_of_real_ones() {
        let texts: Vec<String> = (0..1_000).map(|number| Person::new(number).properties()).collect();
        let mean = texts.iter().map(String::len).sum::<usize>() / texts.len();
        assert!((740..800).contains(&mean), "{mean} bytes");
        let objects: Vec<Value> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let properties = objects.iter().map(|object| object.as_object().unwrap().len()).sum::<usize>();
        assert!((24_000..26_000).contains(&properties), "{properties} in all");
        let person = Person::new(7);
        assert_eq!(objects[7]["lifecycle_stage"], person.stage);
        assert_eq!(objects[7]["customer_value"], money(i128::from(person.value)));
        assert_eq!(objects[7]["last_contacted_at"], moment(person.contacted));
    }

    #[test]
    fn filters_find_their_shares() {
        let people: Vec<Person> = (0..100_000).map(Person::new).collect();
        let leads = people.iter().filter(|person| person.stage == "lead").count();
        assert!((38_000..40_000).contains(&leads), "{leads}");
        let three = |person: &&Person| person.stage == "lead" && person.lead_status == "contacted";
        let three = people.iter().filter(three).filter(|person| person.is_worth(200_000, 300_000)).count();
        assert!((1_250..1_550).contains(&three), "{three}");
    }

    #[test]
    fn words_of_the_language_differ() {
        let words: HashSet<String> = (0..WORDS).map(word).collect();
        assert_eq!(words.len(), WORDS);
    }
}
