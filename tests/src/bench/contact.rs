//! Contacts of realistic size: about 770 bytes of properties, the same for the same number.

use std::fmt::{Arguments, Write as _};

const FIRST: [&str; 16] = [
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Frances",
    "John",
    "Margaret",
    "Dennis",
    "Radia",
    "Ken",
    "Katherine",
    "Leslie",
    "Sophie",
    "Niklaus",
];
const LAST: [&str; 16] = [
    "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Backus", "Hamilton", "Ritchie", "Perlman",
    "Thompson", "Johnson", "Lamport", "Wilson", "Wirth",
];
pub(super) const TITLES: [&str; 8] = [
    "Chief Executive Officer",
    "Head of Procurement",
    "Site Manager",
    "Senior Account Manager",
    "Office Manager",
    "Software Engineer",
    "Director of Operations",
    "Financial Controller",
];
pub(super) const DEPARTMENTS: [&str; 8] =
    ["Management", "Procurement", "Construction", "Sales", "Administration", "Engineering", "Operations", "Finance"];
pub(super) const SOURCES: [&str; 6] =
    ["Website", "Trade fair", "Referral", "Newsletter", "Cold call", "Partner programme"];

/// How a property is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// `"name":value`, as it is sent and stored.
    Value,
    /// `"name":[null,value]`, as the change log has it.
    Change,
}

/// The properties of contact `number` as a JSON object.
///
/// Every value is in normal form already, so what is sent and what is stored have the same size.
pub(crate) fn properties(number: u64, form: Form) -> String {
    let mut object = Object::new(form);
    write_person(&mut object, number);
    write_standing(&mut object, number);
    write_profiles(&mut object, number);
    object.finish()
}

fn write_person(object: &mut Object, number: u64) {
    let mixed = mix(number);
    let (first, last) = name(mixed);
    object.write("first_name", format_args!("\"{first}\""));
    object.write("middle_name", format_args!("\"Q.\""));
    object.write("last_name", format_args!("\"{last}\""));
    object.write("email", format_args!("\"{}\"", email(number)));
    object.write("phone", format_args!("\"+1201555{:04}\"", mixed % 10_000));
    object.write("mobile", format_args!("\"+1202555{:04}\"", (mixed >> 16) % 10_000));
    object.write("title", format_args!("\"{}\"", pick(&TITLES, mixed >> 12)));
    object.write("department", format_args!("\"{}\"", pick(&DEPARTMENTS, mixed >> 20)));
}

fn write_standing(object: &mut Object, number: u64) {
    let mixed = mix(number);
    let (month, day) = (1 + (mixed >> 5) % 12, 1 + mixed % 28);
    object.write("contact_status", format_args!("\"active\""));
    object.write("lifecycle_stage", format_args!("\"lead\""));
    object.write("lead_status", format_args!("\"contacted\""));
    object.write("lead_source", format_args!("\"{}\"", pick(&SOURCES, mixed >> 24)));
    object.write("lead_score", format_args!("{}", mixed % 101));
    object.write("source", format_args!("\"direct\""));
    object.write("email_verified", format_args!("true"));
    object.write("last_contacted_at", format_args!("\"2026-{month:02}-{day:02}T09:30:00.000000Z\""));
    object.write("next_follow_up", format_args!("\"2027-{month:02}-{day:02}T14:00:00.000000Z\""));
    object.write("customer_value", format_args!("\"{}.0000\"", mixed % 1_000_000));
}

fn write_profiles(object: &mut Object, number: u64) {
    let mixed = mix(number);
    let (first, last) = name(mixed);
    let linkedin = format!("https://www.linkedin.com/in/{first}-{last}-{number}").to_lowercase();
    object.write("social_profiles", format_args!("{{\"linkedin\":\"{linkedin}\"}}"));
    let interests = r#"["prices","new products"]"#;
    object.write("preferences", format_args!("{{\"communication\":\"email\",\"interests\":{interests}}}"));
    object.write("tags", format_args!("[\"imported\",\"wave-{}\"]", mixed % 10));
}

/// A JSON object that is being written.
pub(super) struct Object {
    text: String,
    form: Form,
}

impl Object {
    pub(super) fn new(form: Form) -> Self {
        Self { text: String::with_capacity(1024), form }
    }

    pub(super) fn write(&mut self, name: &str, value: Arguments<'_>) {
        let separator = if self.text.is_empty() { '{' } else { ',' };
        // Writing to a string does not fail.
        let _ = match self.form {
            Form::Value => write!(self.text, "{separator}\"{name}\":{value}"),
            Form::Change => write!(self.text, "{separator}\"{name}\":[null,{value}]"),
        };
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// The unique value of contact `number`.
pub(crate) fn email(number: u64) -> String {
    let (first, last) = name(mix(number));
    format!("{first}.{last}.{number}@example.com").to_lowercase()
}

/// What people call contact `number`.
pub(crate) fn display_name(number: u64) -> String {
    let (first, last) = name(mix(number));
    format!("{first} {last}")
}

pub(super) fn name(mixed: u64) -> (&'static str, &'static str) {
    (pick(&FIRST, mixed), pick(&LAST, mixed >> 8))
}

pub(super) fn pick<const N: usize>(list: &[&'static str; N], mixed: u64) -> &'static str {
    list[usize::try_from(mixed % N as u64).unwrap_or_default()]
}

/// SplitMix64: neighbours in number are strangers in value.
pub(super) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn contact_has_the_size_of_a_real_one_and_an_email_of_its_own() {
        let sizes: Vec<usize> = (0..1000).map(|number| properties(number, Form::Value).len()).collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((640..800).contains(&mean), "{mean} bytes");
        for number in [0, 1, 999_999] {
            let contact: Value = serde_json::from_str(&properties(number, Form::Value)).unwrap();
            let changes: Value = serde_json::from_str(&properties(number, Form::Change)).unwrap();
            assert_eq!(contact["email"], email(number));
            assert_eq!(changes["email"], serde_json::json!([null, email(number)]));
        }
    }
}
