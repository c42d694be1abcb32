//! Whether two records agree by a rule, and how sure it is that they are the same.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::host::host_of;
use super::rule::DuplicateRule;
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::property::Property;
use crate::query::{fold, words};
use crate::{Properties, query};

/// Percent that each part must be alike where parts may be similar, whatever the others are.
const LEAST: f64 = 0.8;

/// Words that say in which form a company is run, which names of the same one have or lack.
const LEGAL_FORMS: [&str; 26] = [
    "ag",
    "as",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "gmbh",
    "inc",
    "incorporated",
    "kg",
    "limited",
    "llc",
    "llp",
    "ltd",
    "nv",
    "oy",
    "plc",
    "pty",
    "sa",
    "sarl",
    "sas",
    "spa",
    "srl",
    "the",
    "ug",
];

/// How two records are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// Percent sure that they are the same.
    pub score: u8,
    /// Positions of the rules by which they agree, among the object's.
    pub rules: Vec<usize>,
}

/// What of a record is compared, by rule and part.
#[derive(Debug, Clone)]
pub struct Traits(Vec<Option<Vec<Part>>>);

/// What of one part is compared.
#[derive(Debug, Clone)]
enum Part {
    /// Values of which one must be equal to one of the other's.
    Keys(BTreeSet<String>),
    /// Texts of which one must be like one of the other's.
    Texts(Texts),
}

/// Texts that are compared with others, the words of each in order.
#[derive(Debug, Clone)]
pub(super) struct Texts(Vec<String>);

impl Texts {
    /// Those of one part of a rule.
    pub(super) fn of(part: &[Name], object: &ObjectDefinition, record: &Properties) -> Self {
        Self(texts_of(part, object, record).into_iter().map(joined).collect())
    }

    /// Whether a text is like one of them, as much as each part must be at least.
    pub(super) fn may_be_like(&self, text: &str) -> bool {
        let words = telling_words(text);
        !words.is_empty() && self.most_alike(&Self(vec![joined(words)])) >= LEAST
    }

    /// How much alike two are that are the most, from 0 to 1.
    fn most_alike(&self, others: &Self) -> f64 {
        let each = self.0.iter().flat_map(|one| others.0.iter().map(move |other| strsim::jaro_winkler(one, other)));
        each.fold(0.0, f64::max)
    }
}

impl Traits {
    /// What of a record is compared by those of the object's rules that are `wanted`.
    pub fn of(object: &ObjectDefinition, record: &Properties, wanted: impl Fn(&DuplicateRule) -> bool) -> Self {
        let part = |rule: &DuplicateRule, part: &Vec<Name>| match rule.similar {
            None => Part::Keys(keys_of(part, object, record)),
            Some(_) => Part::Texts(Texts::of(part, object, record)),
        };
        let parts = |rule: &DuplicateRule| rule.parts.iter().map(|names| part(rule, names)).collect();
        Self(object.duplicates.iter().map(|rule| wanted(rule).then(|| parts(rule))).collect())
    }

    /// How two records are alike; none where they agree by no rule.
    pub fn likeness(&self, object: &ObjectDefinition, other: &Self) -> Option<Likeness> {
        let (mut doubt, mut rules) = (1.0, Vec::new());
        for (at, (rule, (one, other))) in object.duplicates.iter().zip(self.0.iter().zip(&other.0)).enumerate() {
            let alike = one.as_ref().zip(other.as_ref()).and_then(|(one, other)| agree(rule, one, other));
            if let Some(alike) = alike {
                doubt *= 1.0 - alike * f64::from(rule.weight(object)) / 100.0;
                rules.push(at);
            }
        }
        // Between 1 and 100, so that it fits.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentage")]
        let score = ((1.0 - doubt) * 100.0).round().clamp(1.0, 100.0) as u8;
        (!rules.is_empty()).then_some(Likeness { score, rules })
    }
}

/// How much alike two records are by a rule, from 0 to 1; none where they do not agree by it.
fn agree(rule: &DuplicateRule, one: &[Part], other: &[Part]) -> Option<f64> {
    let mut sum = 0.0;
    for (one, other) in one.iter().zip(other) {
        let alike = match (one, other) {
            (Part::Keys(keys), Part::Keys(others)) if !keys.is_disjoint(others) => 1.0,
            (Part::Texts(texts), Part::Texts(others)) => texts.most_alike(others),
            _ => 0.0,
        };
        if alike < LEAST {
            return None;
        }
        sum += alike;
    }
    // A rule has a few parts.
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let mean = sum / one.len() as f64;
    (mean * 100.0 + 1e-9 >= f64::from(rule.similar.unwrap_or(100))).then_some(mean)
}

/// What stands for the values that a rule looks at, where those must be equal: records of which one of these is the same
/// agree by it.
pub fn shared_keys(rule: &DuplicateRule, object: &ObjectDefinition, record: &Properties) -> Vec<String> {
    if rule.similar.is_some() {
        return Vec::new();
    }
    let mut keys = vec![String::new()];
    for part in &rule.parts {
        let of_part = keys_of(part, object, record);
        keys = keys.iter().flat_map(|key| of_part.iter().map(move |next| format!("{key}\u{1f}{next}"))).collect();
    }
    keys
}

/// The properties of a part that are there, each with the value that a record has.
pub(super) fn values_of<'a>(
    part: &'a [Name],
    object: &'a ObjectDefinition,
    record: &'a Properties,
) -> impl Iterator<Item = (&'a Property, &'a Value)> {
    let found = part.iter().filter_map(|name| object.property(name));
    found.filter_map(|property| Some((property, record.get(property.name.as_str()).filter(|value| !value.is_null())?)))
}

/// Whether values of a part are compared by the hosts of addresses.
pub(super) fn is_of_hosts(part: &[Name], object: &ObjectDefinition) -> bool {
    part.iter().filter_map(|name| object.property(name)).any(|property| property.kind.name() == "domain")
}

/// What the values of a part are compared by.
pub(super) fn keys_of(part: &[Name], object: &ObjectDefinition, record: &Properties) -> BTreeSet<String> {
    let by_host = is_of_hosts(part, object);
    let key = |(property, value): (&Property, &Value)| {
        let text = value.as_str().map_or_else(|| Cow::from(value.to_string()), Cow::from);
        let key = match by_host {
            true => fold(host_of(property.kind.name(), &text)?),
            false => fold(&text),
        };
        Some(key).filter(|key| !key.trim().is_empty())
    };
    values_of(part, object, record).filter_map(key).collect()
}

/// The words of the values of a part that are compared where they may be similar.
pub(super) fn texts_of(part: &[Name], object: &ObjectDefinition, record: &Properties) -> Vec<Vec<String>> {
    let texts = values_of(part, object, record).filter_map(|(_, value)| value.as_str());
    texts.map(telling_words).filter(|words| !words.is_empty()).collect()
}

/// Words without those that say little, unless there are no others.
fn telling_words(text: &str) -> Vec<String> {
    let all: Vec<String> = words(text).take(query::resolve::MAX_WORDS).collect();
    let telling: Vec<String> = all.iter().filter(|word| !LEGAL_FORMS.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

/// Words in one order, whichever they are written in.
fn joined(mut words: Vec<String>) -> String {
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layer::tests::layer;
    use crate::registry::Registry;

    fn registry(duplicates: &Value) -> Registry {
        let properties = json!({"name": {"type": "string"}, "given": {"type": "string"}, "mail": {"type": "email"},
            "phone": {"type": "phone"}, "mobile": {"type": "phone"}, "site": {"type": "domain"},
            "page": {"type": "url"}, "size": {"type": "integer"}});
        let object = json!({"properties": properties, "features": {"duplicates": duplicates}});
        let (registry, problems) = Registry::fold(&[layer("own", &json!({"objects": {"visit": object}}))]);
        assert_eq!(problems, []);
        registry
    }

    fn score(duplicates: &Value, one: &Value, other: &Value) -> Option<u8> {
        let registry = registry(duplicates);
        let properties = |value: &Value| value.as_object().expect("an object").clone();
        let (one, other) = (properties(one), properties(other));
        let object = &registry.objects["visit"];
        let (one, other) = (Traits::of(object, &one, |_| true), Traits::of(object, &other, |_| true));
        let (there, back) = (one.likeness(object, &other), other.likeness(object, &one));
        assert_eq!(there, back, "{one:?} {other:?}");
        there.map(|likeness| likeness.score)
    }

    #[test]
    fn equal_values_agree_whatever_their_case_and_accents() {
        let rules = json!([["mail"], ["given", "name"], ["size"]]);
        for (one, other, expected) in [
            (json!({"mail": "a@b.example"}), json!({"mail": "a@b.example"}), Some(90)),
            (json!({"mail": "a@b.example"}), json!({"mail": "b@b.example"}), None),
            (json!({"given": "Zoë", "name": "GROSS"}), json!({"given": "zoe", "name": "Groß"}), Some(75)),
            (json!({"given": "Zoë"}), json!({"given": "zoe"}), None),
            (json!({"given": "Zoë", "name": null}), json!({"given": "zoe", "name": null}), None),
            (json!({"size": 3}), json!({"size": 3}), Some(60)),
            (json!({"size": 3, "mail": "a@b.example"}), json!({"size": 3, "mail": "a@b.example"}), Some(96)),
            (json!({}), json!({}), None),
        ] {
            assert_eq!(score(&rules, &one, &other), expected, "{one} {other}");
        }
    }

    #[test]
    fn one_of_several_properties_is_enough() {
        let rules = json!([[["phone", "mobile"]]]);
        assert_eq!(score(&rules, &json!({"phone": "+16135550100"}), &json!({"mobile": "+16135550100"})), Some(90));
        assert_eq!(score(&rules, &json!({"phone": "+16135550100"}), &json!({"mobile": "+16135550101"})), None);
    }

    #[test]
    fn addresses_are_compared_by_their_hosts_beside_a_domain() {
        let rules = json!([[["site", "page", "mail"]]]);
        for (one, other, expected) in [
            (json!({"site": "acme.example"}), json!({"mail": "ada@acme.example"}), Some(90)),
            (json!({"site": "acme.example"}), json!({"page": "https://www.acme.example/about"}), Some(90)),
            (json!({"page": "http://acme.example"}), json!({"page": "https://acme.example/x"}), Some(90)),
            (json!({"mail": "a@gmail.com"}), json!({"mail": "b@gmail.com"}), None),
            (json!({"site": "acme.example"}), json!({"site": "acme.example.org"}), None),
        ] {
            assert_eq!(score(&rules, &one, &other), expected, "{one} {other}");
        }
    }

    #[test]
    fn similar_names_agree_as_far_as_they_are_alike() {
        let people = json!([{"properties": ["given", "name"], "similar": true}]);
        let person = |given: &str, name: &str| json!({"given": given, "name": name});
        for (one, other, agrees) in [
            (person("Jon", "Smith"), person("John", "Smith"), true),
            (person("Kristin", "Meyer"), person("Christin", "Meyer"), true),
            (person("Ada", "Lovelace"), person("Ada", "Lovelace"), true),
            (person("Ada", "Lovelace"), person("Eve", "Lovelace"), false),
            (person("Ada", "Lovelace"), person("Ada", "Byron"), false),
        ] {
            assert_eq!(score(&people, &one, &other).is_some(), agrees, "{one} {other}");
        }
        let firms = json!([{"properties": ["name"], "similar": true}]);
        let firm = |name: &str| json!({"name": name});
        for (one, other, agrees) in [
            ("Acme Robotics, Inc.", "ACME Robotics", true),
            ("The Acme Robotics Company Ltd", "Robotics Acme GmbH", true),
            ("Acme Robotic", "Acme Robotics", true),
            ("Acme Robotics", "Acme Furniture", false),
            ("Inc", "Ltd", false),
        ] {
            assert_eq!(score(&firms, &firm(one), &firm(other)).is_some(), agrees, "{one} {other}");
        }
        assert_eq!(score(&firms, &firm("Acme"), &firm("acme Ltd.")), Some(60));
    }

    #[test]
    fn records_that_agree_share_a_key_and_others_do_not() {
        let registry = registry(&json!([[["phone", "mobile"], "name"]]));
        let object = &registry.objects["visit"];
        let keys = |record: Value| shared_keys(&object.duplicates[0], object, record.as_object().expect("an object"));
        let both = keys(json!({"phone": "+1", "mobile": "+2", "name": "A"}));
        assert_eq!(both, ["\u{1f}+1\u{1f}a", "\u{1f}+2\u{1f}a"]);
        assert!(both.contains(&keys(json!({"mobile": "+1", "name": "Á"}))[0]));
        assert!(keys(json!({"name": "A"})).is_empty());
    }
}
