//! Where a column goes.

use engine_model::name::did_you_mean;
use engine_model::problem::push_segment;
use engine_model::spec::SpecReader;
use engine_model::{Problem, Problems};
use serde_json::Value;

use super::cell::CellRules;
use super::read::{missing_one_of, read_rules};

/// Where a column goes, and how its cells are read for that.
#[derive(Debug, Clone)]
pub(in crate::transfer) struct Target {
    /// Where it goes.
    pub(in crate::transfer) aim: Aim,
    /// How its cells are read.
    pub(in crate::transfer) rules: CellRules,
}

/// Where a column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transfer) enum Aim {
    /// Into a property.
    Property(String),
    /// Into a property that holds a user, who is found by this.
    User(String, UserKey),
    /// Into a link.
    Link(LinkAim),
    /// It names the record's owner, who is found by this.
    Owner(UserKey),
}

/// A link to the record that has a cell's text as the value of a unique property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transfer) struct LinkAim {
    /// Name of the association.
    pub(in crate::transfer) association: String,
    /// The object at the other end.
    pub(in crate::transfer) object: String,
    /// Its unique property.
    pub(in crate::transfer) by: String,
    /// What the link is called.
    pub(in crate::transfer) label: Option<String>,
}

/// What finds a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transfer) enum UserKey {
    /// The identifier.
    Id,
    /// The name.
    Name,
    /// The address.
    Email,
}

impl UserKey {
    const CHOICES: &'static [&'static str] = &["name", "email", "id"];

    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "id" => Self::Id,
            "name" => Self::Name,
            "email" => Self::Email,
            _ => return None,
        })
    }
}

/// The targets of one column: one, or a list.
pub(super) fn read_targets(value: &Value, pointer: &str, problems: &mut Problems) -> Vec<Target> {
    match value {
        Value::Array(list) if list.is_empty() => {
            let message = "a column that goes nowhere belongs into `ignore`";
            problems.push(Problem::new(pointer, "required", message));
            Vec::new()
        }
        Value::Array(list) => {
            let one = |(index, value)| read_target(value, &push_segment(pointer, &format!("{index}")), problems);
            list.iter().enumerate().filter_map(one).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            read_target(value, pointer, problems).into_iter().collect()
        }
    }
}

fn read_target(value: &Value, pointer: &str, problems: &mut Problems) -> Option<Target> {
    if let Value::String(name) = value {
        return Some(Target { aim: Aim::Property(name.clone()), rules: CellRules::default() });
    }
    if !value.is_object() {
        let message = "a property's name is expected, or an object with `property`, `link` or `owner`";
        problems.push(Problem::new(pointer, "wrong_type", message));
        return None;
    }
    let before = problems.len();
    let mut reader = SpecReader::new(value, pointer, problems)?;
    let aim = read_aim(&mut reader);
    let rules = read_rules(&mut reader);
    reader.finish();
    let is_whole = problems.len() == before;
    aim.filter(|_| is_whole).map(|aim| Target { aim, rules })
}

fn read_aim(reader: &mut SpecReader<'_>) -> Option<Aim> {
    let property = reader.string("property").map(str::to_owned);
    let link = reader.string("link").map(str::to_owned);
    let owner = read_user_key(reader, "owner");
    match (property, link, owner) {
        (Some(property), None, None) => Some(match read_user_key(reader, "user") {
            Some(key) => Aim::User(property, key),
            None => Aim::Property(property),
        }),
        (None, Some(association), None) => {
            let [object, by] = ["object", "by"].map(|key| {
                let text = reader.string(key).map(str::to_owned);
                if text.is_none() {
                    reader.missing(key);
                }
                text
            });
            let label = reader.string("label").map(str::to_owned);
            Some(Aim::Link(LinkAim { association, object: object?, by: by?, label }))
        }
        (None, None, Some(key)) => Some(Aim::Owner(key)),
        (None, None, None) | (Some(_), _, _) | (_, Some(_), _) => {
            missing_one_of(reader, "exactly one of `property`, `link` and `owner` is expected");
            None
        }
    }
}

fn read_user_key(reader: &mut SpecReader<'_>, key: &'static str) -> Option<UserKey> {
    let word = reader.string(key)?;
    let found = UserKey::read(word);
    if found.is_none() {
        let hint = did_you_mean(word, UserKey::CHOICES.iter().copied());
        reader.problem(key, "unknown", format!("users are found by {}{hint}", UserKey::CHOICES.join(", ")));
    }
    found
}
