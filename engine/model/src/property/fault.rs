//! What is wrong with a value.

use std::fmt::Display;

/// One thing wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Pointer from the value on, empty for the value itself, `/2` for its third element.
    pub pointer: String,
    /// Stable word, one of those that the module's documentation lists.
    pub code: &'static str,
    /// What is wrong and what is expected.
    pub message: String,
}

/// Everything wrong with a value.
pub type Faults = Vec<Fault>;

impl Fault {
    /// A fault of the value itself.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: String::new(), code, message: message.into() }
    }

    /// The same fault one step further in: of the element or key `segment`, which needs no escaping.
    #[must_use]
    pub(super) fn at(mut self, segment: impl Display) -> Self {
        self.pointer.insert_str(0, &format!("/{segment}"));
        self
    }
}

/// `text` as it can stand in a message: a caller may have sent megabytes.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut characters = text.chars();
    let shown = characters.by_ref().take(LONGEST).map(|each| if each.is_control() { '\u{fffd}' } else { each });
    let mut shown: String = shown.collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_printable() {
        assert_eq!(excerpt("a\tb"), "a\u{fffd}b");
        assert_eq!(excerpt(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(excerpt(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}
