//! Reads the members of one JSON object by name; those that nobody asks for are mistakes.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::entries::Entries;
use super::reading::{FromJson, Reading, Segment, is_null};

/// Members of an object, asked for one by one. Call [`finish`](Self::finish) when all were.
#[derive(Debug)]
#[must_use = "`finish` reports the members that nobody asked for"]
pub struct ObjectReader<'a, 'r> {
    reading: &'r mut Reading<'a>,
    /// Members not yet asked for.
    members: Vec<(Cow<'a, str>, Option<&'a RawValue>)>,
    asked: Vec<&'static str>,
}

impl<'a, 'r> ObjectReader<'a, 'r> {
    pub(super) fn new(reading: &'r mut Reading<'a>, entries: Entries<'a>) -> Self {
        let members = entries.members.into_iter().map(|(name, raw)| (name, Some(raw))).collect();
        Self { reading, members, asked: Vec::new() }
    }

    /// A member that must be there; null is the same as absent.
    pub fn required<T: FromJson<'a>>(&mut self, name: &'static str) -> Option<T> {
        match self.take(name).filter(|raw| !is_null(raw)) {
            Some(raw) => self.read(name, raw),
            None => {
                self.reading.problem_at(name, "required", format!("`{name}` is required"));
                None
            }
        }
    }

    /// A member that may be absent; null is the same.
    pub fn optional<T: FromJson<'a>>(&mut self, name: &'static str) -> Option<T> {
        let raw = self.take(name).filter(|raw| !is_null(raw))?;
        self.read(name, raw)
    }

    /// A member of a patch: `None` leaves things as they are, `Some(None)` (null) clears, `Some(Some(…))` sets.
    pub fn patch<T: FromJson<'a>>(&mut self, name: &'static str) -> Option<Option<T>> {
        let raw = self.take(name)?;
        if is_null(raw) { Some(None) } else { self.read(name, raw).map(Some) }
    }

    /// A list of at most `most`; empty where it is absent.
    pub fn list<T: FromJson<'a>>(&mut self, name: &'static str, most: usize) -> Option<Vec<T>> {
        match self.take(name).filter(|raw| !is_null(raw)) {
            Some(raw) => self.reading.at(Segment::Key(Cow::Borrowed(name)), |reading| reading.list(raw, most)),
            None => Some(Vec::new()),
        }
    }

    /// Notes that a member is wrong in a way that its type does not tell.
    pub fn problem_at(&mut self, name: &'static str, code: &'static str, message: impl Into<String>) {
        self.reading.problem_at(name, code, message);
    }

    /// Reports the members that nobody asked for.
    pub fn finish(self) {
        for (name, raw) in &self.members {
            // A second member of a name that was asked for is a duplicate and was reported as one.
            if raw.is_some() && !self.asked.contains(&name.as_ref()) {
                self.reading.unknown(name, &self.asked);
            }
        }
    }

    fn take(&mut self, name: &'static str) -> Option<&'a RawValue> {
        self.asked.push(name);
        self.members.iter_mut().find(|(key, _)| key == name).and_then(|(_, raw)| raw.take())
    }

    fn read<T: FromJson<'a>>(&mut self, name: &'static str, raw: &'a RawValue) -> Option<T> {
        self.reading.at(Segment::Key(Cow::Borrowed(name)), |reading| T::from_json(raw, reading))
    }
}
