//! Reading a definition from JSON: every mistake is collected with its pointer, unknown keys included.

use serde_json::{Map, Value};

use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems, push_segment};

/// Reads the keys of one JSON object; whatever was not asked for by the end is an unknown key.
///
/// Every getter returns `None` both for an absent key and for one of the wrong shape; the latter is also a problem.
/// `null` counts as absent.
pub struct SpecReader<'a> {
    map: &'a Map<String, Value>,
    pointer: String,
    known: Vec<&'static str>,
    problems: &'a mut Problems,
}

impl<'a> SpecReader<'a> {
    /// Starts to read `value`; anything but an object is a problem and `None`.
    pub fn new(value: &'a Value, pointer: &str, problems: &'a mut Problems) -> Option<Self> {
        match value.as_object() {
            Some(map) => Some(Self::of_map(map, pointer, problems)),
            None => {
                problems.push(wrong_shape(pointer, "an object", value));
                None
            }
        }
    }

    /// Starts to read `map`.
    pub fn of_map(map: &'a Map<String, Value>, pointer: &str, problems: &'a mut Problems) -> Self {
        Self { map, pointer: pointer.to_owned(), known: Vec::new(), problems }
    }

    /// Where this object stands.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Pointer of one of this object's keys.
    pub fn pointer_of(&self, key: &str) -> String {
        push_segment(&self.pointer, key)
    }

    /// Adds a problem at `key`.
    pub fn problem(&mut self, key: &str, code: &'static str, message: impl Into<String>) {
        let pointer = self.pointer_of(key);
        self.problems.push(Problem::new(pointer, code, message));
    }

    /// The list that problems go to, for readers of nested values.
    pub fn problems(&mut self) -> &mut Problems {
        self.problems
    }

    /// The raw value of `key`.
    pub fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn typed<T>(&mut self, key: &'static str, expected: &str, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let typed = read(value);
        if typed.is_none() {
            let pointer = self.pointer_of(key);
            self.problems.push(wrong_shape(&pointer, expected, value));
        }
        typed
    }

    /// A text.
    pub fn string(&mut self, key: &'static str) -> Option<&'a str> {
        self.typed(key, "a string", Value::as_str)
    }

    /// A switch.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// A whole number that is not negative.
    pub fn count(&mut self, key: &'static str) -> Option<u64> {
        let value = self.value(key)?;
        let count = value.as_u64();
        if count.is_none() {
            let found = match value {
                Value::Number(number) => number.to_string(),
                // A number that 64 bits do not hold has come as its digits.
                Value::String(text) if text.len() > 18 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("one of {} digits", text.len())
                }
                other => shape(other).to_owned(),
            };
            self.problem(key, "wrong_type", format!("a whole number of 0 or more is expected, not {found}"));
        }
        count
    }

    /// A nested object.
    pub fn map(&mut self, key: &'static str) -> Option<&'a Map<String, Value>> {
        self.typed(key, "an object", Value::as_object)
    }

    /// A list.
    pub fn list(&mut self, key: &'static str) -> Option<&'a Vec<Value>> {
        self.typed(key, "a list", Value::as_array)
    }

    /// A list of texts.
    pub fn strings(&mut self, key: &'static str) -> Option<Vec<&'a str>> {
        let list = self.typed(key, "a list of strings", Value::as_array)?;
        let at = self.pointer_of(key);
        let strings: Vec<_> = list.iter().filter_map(Value::as_str).collect();
        for (index, item) in list.iter().enumerate().filter(|(_, item)| !item.is_string()) {
            self.problems.push(wrong_shape(&format!("{at}/{index}"), "a string", item));
        }
        (strings.len() == list.len()).then_some(strings)
    }

    /// An internal name.
    pub fn name(&mut self, key: &'static str) -> Option<Name> {
        let text = self.string(key)?;
        self.name_at(key, text)
    }

    /// A list of internal names.
    pub fn names(&mut self, key: &'static str) -> Option<Vec<Name>> {
        let texts = self.strings(key)?;
        let at = self.pointer_of(key);
        let mut names = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match Name::new(text) {
                Ok(name) => names.push(name),
                Err(error) => {
                    let message = format!("`{text}`: {error}");
                    self.problems.push(Problem::new(format!("{at}/{index}"), "invalid_name", message));
                }
            }
        }
        (names.len() == texts.len()).then_some(names)
    }

    /// An internal name, or a list of them.
    pub fn name_or_names(&mut self, key: &'static str) -> Option<Vec<Name>> {
        match self.map.get(key) {
            Some(Value::Array(_)) => self.names(key),
            _ => self.name(key).map(|name| vec![name]),
        }
    }

    fn name_at(&mut self, key: &str, text: &str) -> Option<Name> {
        Name::new(text).map_err(|error| self.problem(key, "invalid_name", error.to_string())).ok()
    }

    /// Reports `key` as missing.
    pub fn missing(&mut self, key: &str) {
        self.problem(key, "required", format!("`{key}` is required"));
    }

    /// One of `choices`.
    pub fn choice(&mut self, key: &'static str, choices: &[&'static str]) -> Option<&'static str> {
        let text = self.string(key)?;
        let found = choices.iter().copied().find(|choice| *choice == text);
        if found.is_none() {
            let hint = did_you_mean(text, choices.iter().copied());
            self.problem(key, "unknown", format!("`{text}` is none of {}{hint}", choices.join(", ")));
        }
        found
    }

    /// Ends reading: every key that nobody asked for is a problem that names the nearest known one.
    pub fn finish(self) {
        for key in self.map.keys() {
            if !self.known.iter().any(|known| known == key) {
                let hint = did_you_mean(key, self.known.iter().copied());
                let pointer = push_segment(&self.pointer, key);
                self.problems.push(Problem::new(pointer, "unknown_key", format!("`{key}` is not known here{hint}")));
            }
        }
    }
}

/// Reads a map of internal names to specs, in order; wrong names are problems and left out.
pub fn named_entries<'a>(
    map: &'a Map<String, Value>,
    pointer: &str,
    problems: &mut Problems,
) -> Vec<(Name, &'a Value, String)> {
    entries_by(map, pointer, problems, |key| Name::new(key).map_err(|error| error.to_string()))
}

/// The same of a map whose keys are read by `read`, which says what is wrong with one.
pub(crate) fn entries_by<'a>(
    map: &'a Map<String, Value>,
    pointer: &str,
    problems: &mut Problems,
    read: impl Fn(&str) -> Result<Name, String>,
) -> Vec<(Name, &'a Value, String)> {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map {
        let at = push_segment(pointer, key);
        match read(key) {
            Ok(name) => entries.push((name, value, at)),
            Err(error) => problems.push(Problem::new(at, "invalid_name", format!("`{key}`: {error}"))),
        }
    }
    entries
}

fn wrong_shape(pointer: &str, expected: &str, value: &Value) -> Problem {
    Problem::new(pointer, "wrong_type", format!("{expected} is expected, not {}", shape(value)))
}

/// What kind of JSON `value` is, in words.
pub fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
