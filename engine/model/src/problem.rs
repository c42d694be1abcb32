//! What is wrong with an input: all of it at once, each with the place and a stable code.

use serde::Serialize;

/// One mistake in an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// RFC 6901 pointer into the input, `/properties/amount`; empty for the whole input.
    pub pointer: String,
    /// Stable word that programs may rely on.
    pub code: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
    /// How many records are concerned, where that is the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// Ids of some of the records concerned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
}

impl Problem {
    /// A problem at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, message: message.into(), count: None, samples: Vec::new() }
    }

    /// Whether it says the same as another of definitions that were folded from other layers: what an object has is told
    /// where the topmost layer speaks of it, and that is `objects` or `extend`.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.place_in_object() == other.place_in_object() && self.code == other.code && self.message == other.message
    }

    fn place_in_object(&self) -> (bool, &str) {
        let inside = ["/objects/", "/extend/"].iter().find_map(|section| self.pointer.strip_prefix(section));
        (inside.is_some(), inside.unwrap_or(&self.pointer))
    }

    /// The same problem seen from further out: `prefix` goes before its pointer.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

/// Problems in the order they were found.
pub type Problems = Vec<Problem>;

/// Appends one segment to a pointer, escaped as RFC 6901 asks.
pub fn push_segment(pointer: &str, segment: &str) -> String {
    format!("{pointer}/{}", escaped(segment))
}

/// A name as it stands in a pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The name that a pointer's segment stands for.
pub(crate) fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}
