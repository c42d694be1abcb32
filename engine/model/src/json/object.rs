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
        self.optional_with(name, T::from_json)
    }

    /// A member that may be absent, read by `read`; null is the same.
    pub fn optional_with<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue, &mut Reading<'a>) -> Option<T>,
    ) -> Option<T> {
        self.written(name, |raw, reading| if is_null(raw) { None } else { read(raw, reading) })
    }

    /// A member that may be absent, read by `read`, to whom null is a value too.
    pub fn written<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a RawValue, &mut Reading<'a>) -> Option<T>,
    ) -> Option<T> {
        let raw = self.take(name)?;
        self.reading.at(Segment::Key(Cow::Borrowed(name)), |reading| read(raw, reading))
    }

    /// A text that may be absent and is the name of one of `choices`.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        self.optional_with(name, |raw, reading| {
            let text = reading.text(raw)?;
            let found = choices.iter().find(|(choice, _)| *choice == text);
            if found.is_none() {
                reading.no_choice(&text, choices.iter().map(|(choice, _)| *choice));
            }
            found.map(|(_, chosen)| *chosen)
        })
    }

    /// There is a member of this name that is not null and that nobody has asked for yet.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(key, raw)| key == name && raw.is_some_and(|raw| !is_null(raw)))
    }

    /// Names of the members that nobody has asked for yet.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().filter(|(_, raw)| raw.is_some()).map(|(name, _)| name.as_ref())
    }

    /// Where problems of the object as a whole go.
    pub fn reading(&mut self) -> &mut Reading<'a> {
        self.reading
    }

    /// A member of a patch: `None` leaves things as they are, `Some(None)` (null) clears, `Some(Some(…))` sets.
    pub fn patch<T: FromJson<'a>>(&mut self, name: &'static str) -> Option<Option<T>> {
        self.written(name, |raw, reading| match is_null(raw) {
            true => Some(None),
            false => T::from_json(raw, reading).map(Some),
        })
    }

    /// A list of at most `most`; empty where it is absent.
    pub fn list<T: FromJson<'a>>(&mut self, name: &'static str, most: usize) -> Option<Vec<T>> {
        match self.take(name).filter(|raw| !is_null(raw)) {
            Some(raw) => self.reading.at(Segment::Key(Cow::Borrowed(name)), |reading| reading.list(raw, most)),
            None => Some(Vec::new()),
        }
    }

    /// The same with nothing in the place of an element that cannot be read, so that the others can be looked at.
    pub fn list_as_far<T: FromJson<'a>>(&mut self, name: &'static str, most: usize) -> Vec<Option<T>> {
        let raw = self.take(name).filter(|raw| !is_null(raw));
        let read = |raw| {
            self.reading.at(Segment::Key(Cow::Borrowed(name)), |reading| {
                reading.each(raw, most, |element, reading| Some(reading.value(element)))
            })
        };
        raw.and_then(read).unwrap_or_default()
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
