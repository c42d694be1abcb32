//! Internal names of objects, properties, stages and the like.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// An internal name: `^[a-z][a-z0-9_]{0,63}$`, immutable, unique in its scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// A text that is no internal name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name is a lower-case letter followed by up to 63 lower-case letters, digits or underscores")]
pub struct InvalidName;

impl Name {
    /// Takes `text` as a name if it is one.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if first && rest && text.len() <= 64 { Ok(Self(text.into())) } else { Err(InvalidName) }
    }

    /// Takes `text` as the name of a kind of event: one name, or several that are joined by dots, as in `email.sent`; at
    /// most 64 characters in all.
    pub fn event(text: &str) -> Result<Self, InvalidName> {
        match text.len() <= 64 && text.split('.').all(|part| Self::new(part).is_ok()) {
            true => Ok(Self(text.into())),
            false => Err(InvalidName),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a label for people: `first_name` becomes `First name`, `email.sent` becomes `Email sent`.
    pub fn to_label(&self) -> String {
        let words = self.0.replace(['_', '.'], " ");
        let mut characters = words.chars();
        characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The candidate that `text` most likely meant, if any is close enough to suggest.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A huge unknown name is nobody's typing error, and comparing it would cost its square.
    if text.len() > 128 {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let near = |candidate: &str| {
        let candidate = candidate.to_ascii_lowercase();
        let distance = strsim::damerau_levenshtein(&text, &candidate);
        let is_beginning =
            text.len().min(candidate.len()) > 2 && (candidate.starts_with(&text) || text.starts_with(&candidate));
        (is_beginning || distance <= text.len().max(3) / 3 && distance < text.len()).then_some(distance)
    };
    candidates
        .into_iter()
        .filter_map(|candidate| Some((near(candidate)?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?` with a leading space, or nothing where no candidate is near.
pub fn did_you_mean<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(text, candidates).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_and_at_most_64_long() {
        assert!(Name::new("deal_2").is_ok());
        for bad in ["", "2deal", "Deal", "de-al", "_x", &"a".repeat(65), "é"] {
            assert_eq!(Name::new(bad), Err(InvalidName), "{bad}");
        }
    }

    #[test]
    fn a_kind_of_event_is_names_joined_by_dots() {
        for good in ["call", "email.sent", "a.b.c"] {
            assert_eq!(Name::event(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
        assert_eq!(Name::event("email.sent").expect("a name").to_label(), "Email sent");
        for bad in ["", ".", "email.", ".sent", "a..b", "Email.sent", "a.2", &"a.".repeat(40)] {
            assert_eq!(Name::event(bad), Err(InvalidName), "{bad}");
        }
    }

    #[test]
    fn nearest_suggests_only_what_is_near() {
        assert_eq!(nearest("amuont", ["name", "amount", "stage"]), Some("amount"));
        assert_eq!(nearest("nme", ["Name", "amount", "stage"]), Some("Name"));
        assert_eq!(nearest("created", ["size", "created_at"]), Some("created_at"));
        assert_eq!(nearest("zzzzzz", ["name", "amount", "stage"]), None);
        assert_eq!(nearest("durtion", ["direction", "domain"]), None);
        assert_eq!((nearest("zz", ["a"]), nearest("ssn", ["mon"]), nearest("bee", ["b"])), (None, None, None));
    }
}
