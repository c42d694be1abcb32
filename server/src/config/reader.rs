//! Reads values into types and collects everything that is wrong with them.

use std::fmt::Display;
use std::str::FromStr;

use super::layers::{Given, Layers};

/// Reads settings by key. Every section takes its own from one reader.
#[derive(Debug)]
pub(super) struct SettingReader {
    layers: Layers,
}

impl SettingReader {
    pub(super) fn new(layers: Layers) -> Self {
        Self { layers }
    }

    /// The value of a setting that may be absent.
    pub(super) fn optional<T: FromStr<Err: Display>>(&mut self, key: &'static str) -> Option<T> {
        let Given { text, origin } = self.layers.values.get(key)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.layers.problems.push(format!("{origin}: `{key}`: {error}"));
                None
            }
        }
    }

    /// The value of a setting that has a default.
    pub(super) fn required<T: FromStr<Err: Display>>(&mut self, key: &'static str) -> Option<T> {
        if !self.layers.values.contains_key(key) {
            self.layers.problems.push(format!("`{key}` is missing"));
        }
        self.optional(key)
    }

    /// A count of something of which there must be at least one.
    pub(super) fn count(&mut self, key: &'static str) -> Option<usize> {
        self.required::<Count>(key).map(|Count(count)| count)
    }

    /// What was found wrong, and what looks wrong.
    pub(super) fn finish(self) -> (Vec<String>, Vec<String>) {
        (self.layers.problems, self.layers.warnings)
    }
}

/// A whole number above zero.
struct Count(usize);

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = text.parse().ok().filter(|count| *count > 0);
        count.map(Self).ok_or_else(|| format!("`{text}` is no whole number above 0"))
    }
}
