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
        let number = self.required::<usize>(key)?;
        if number == 0 {
            self.layers.problems.push(format!("`{key}` must be at least 1"));
            return None;
        }
        Some(number)
    }

    /// What was found wrong, and what looks wrong.
    pub(super) fn finish(self) -> (Vec<String>, Vec<String>) {
        (self.layers.problems, self.layers.warnings)
    }
}
