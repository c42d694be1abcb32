//! Events of the YAML parser put together to a value with places.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use saphyr_parser::{Event, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};

use super::super::place::{Children, LocatedProblem, Place, Places};
use super::super::scalar;
use super::{Budget, Document, MAX_DEPTH, MAX_PROBLEMS, Stop};
use crate::problem::push_segment;

/// How long a key may be, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 1024;

/// How much a value, with all that is in it, counts.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    values: usize,
    bytes: usize,
    height: usize,
}

/// A value read to its end.
#[derive(Debug, Clone)]
struct Built {
    value: Value,
    places: Places,
    size: Size,
}

/// A map or list that is being read.
struct Frame {
    place: Place,
    anchor: usize,
    size: Size,
    content: Content,
}

enum Content {
    List { items: Vec<Value>, places: Vec<Places> },
    Map { entries: Map<String, Value>, places: IndexMap<String, Places>, key: Key },
}

/// The key whose value comes next.
enum Key {
    /// None: a key comes next.
    Awaited,
    /// This one.
    Read(String, Place),
    /// One that was wrong: its value is read and dropped.
    Wrong,
}

pub(super) struct Builder<'a> {
    file: &'a Arc<str>,
    budget: &'a mut Budget,
    problems: &'a mut Vec<LocatedProblem>,
    frames: Vec<Frame>,
    /// Values by the parser's number of their anchor.
    anchors: HashMap<usize, Built>,
    root: Option<Built>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(file: &'a Arc<str>, budget: &'a mut Budget, problems: &'a mut Vec<LocatedProblem>) -> Self {
        Self { file, budget, problems, frames: Vec::new(), anchors: HashMap::new(), root: None }
    }

    /// Takes the next event; `None` where reading ends early, for a reason that is now among the problems.
    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let place = Place { file: Arc::clone(self.file), line: span.start.line().max(1), column: span.start.col() + 1 };
        self.take_at(event, &place)
            .map_err(|stop| {
                let problem = LocatedProblem { pointer: self.pointer(), ..stop.problem(place) };
                self.problems.push(problem);
            })
            .ok()
    }

    /// The document, once every event is taken; null where there was none.
    pub(super) fn finish(self) -> Document {
        let empty = || (Value::Null, leaf(Place::start_of(self.file)));
        let (value, places) = self.root.map_or_else(empty, |root| (root.value, root.places));
        Document { value, places }
    }

    fn take_at(&mut self, event: Event<'_>, place: &Place) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(Stop::SecondDocument),
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(Frame { content: Content::Map { key: Key::Awaited, .. }, .. }) = self.frames.last() {
                    self.take_key(text, style, place);
                    return Ok(());
                }
                let value = self.scalar(text, style, tag.as_deref(), place);
                let bytes = value.as_str().map_or(0, str::len);
                self.budget.spend(1, bytes)?;
                let size = Size { values: 1, bytes, height: 0 };
                self.complete(Built { value, places: leaf(place.clone()), size }, anchor)
            }
            Event::Alias(anchor) => self.take_alias(anchor, place),
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", place);
                self.open(Content::List { items: Vec::new(), places: Vec::new() }, anchor, place)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", place);
                self.open(
                    Content::Map { entries: Map::new(), places: IndexMap::new(), key: Key::Awaited },
                    anchor,
                    place,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn open(&mut self, content: Content, anchor: usize, place: &Place) -> Result<(), Stop> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Stop::TooDeep);
        }
        self.budget.spend(1, 0)?;
        let size = Size { values: 1, bytes: 0, height: 1 };
        self.frames.push(Frame { place: place.clone(), anchor, size, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let (value, children) = match frame.content {
            Content::List { items, places } => (Value::Array(items), Children::List(places)),
            Content::Map { entries, places, .. } => (Value::Object(entries), Children::Map(places)),
        };
        let places = Places { key: None, value: frame.place, children };
        self.complete(Built { value, places, size: frame.size }, frame.anchor)
    }

    /// Puts a finished value where it belongs.
    fn complete(&mut self, built: Built, anchor: usize) -> Result<(), Stop> {
        if anchor != 0 {
            self.budget.spend(built.size.values, built.size.bytes)?;
            self.anchors.insert(anchor, built.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(built);
            return Ok(());
        };
        frame.size.values += built.size.values;
        frame.size.bytes += built.size.bytes;
        frame.size.height = frame.size.height.max(built.size.height + 1);
        match &mut frame.content {
            Content::List { items, places } => {
                items.push(built.value);
                places.push(built.places);
            }
            Content::Map { entries, places, key } => match std::mem::replace(key, Key::Awaited) {
                Key::Read(name, at) => {
                    places.insert(name.clone(), Places { key: Some(at), ..built.places });
                    entries.insert(name, built.value);
                }
                Key::Awaited => {
                    *key = Key::Wrong;
                    self.problem(&built.places.value, "invalid_key", "a key is a text, not a map or list");
                }
                Key::Wrong => {}
            },
        }
        if self.problems.len() < MAX_PROBLEMS { Ok(()) } else { Err(Stop::TooManyProblems) }
    }

    fn take_key(&mut self, text: Cow<'_, str>, style: ScalarStyle, place: &Place) {
        let Some(Frame { content: Content::Map { places, key, .. }, size, .. }) = self.frames.last_mut() else {
            return;
        };
        *key = Key::Wrong;
        let (code, message) = if text.len() > MAX_KEY_BYTES {
            ("too_long", format!("a key has at most {MAX_KEY_BYTES} bytes"))
        } else if text.contains('\0') {
            ("invalid", "the character U+0000 cannot be stored".to_owned())
        } else if text == "<<" && style == ScalarStyle::Plain {
            ("invalid_key", "merge keys are not part of YAML 1.2; write the keys out".to_owned())
        } else if let Some(first) = places.get(text.as_ref()) {
            let first = first.key.as_ref().unwrap_or(&first.value);
            ("duplicate_key", format!("`{text}` is already given at {first}; keep one of the two"))
        } else {
            size.bytes += text.len();
            *key = Key::Read(text.into_owned(), place.clone());
            return;
        };
        let pointer = self.pointer();
        let pointer = if code == "too_long" { pointer } else { push_segment(&pointer, &text) };
        self.problems.push(LocatedProblem { place: place.clone(), pointer, code, message });
    }

    fn take_alias(&mut self, anchor: usize, place: &Place) -> Result<(), Stop> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.problem(place, "invalid_yaml", "an alias inside the value that it stands for");
            let (value, size) = (Value::Null, Size::default());
            return self.complete(Built { value, places: leaf(place.clone()), size }, 0);
        };
        if self.frames.len() + anchored.size.height > MAX_DEPTH {
            return Err(Stop::TooDeep);
        }
        self.budget.spend(anchored.size.values, anchored.size.bytes)?;
        let copy = anchored.clone();
        self.complete(copy, 0)
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, place: &Place) -> Value {
        if text.contains('\0') {
            self.problem(place, "invalid", "the character U+0000 cannot be stored");
            return Value::Null;
        }
        let is_plain = style == ScalarStyle::Plain;
        let plain = if is_plain { scalar::resolve(&text) } else { Some(Value::from(text.as_ref())) };
        let Some(tag) = tag else {
            return plain.unwrap_or_else(|| {
                self.problem(
                    place,
                    "invalid",
                    format!("`{text}` is no number that JSON has; quote it to make it a text"),
                );
                Value::Null
            });
        };
        let suffix = if tag.is_yaml_core_schema() { tag.suffix.as_str() } else { "" };
        let tagged = match suffix {
            "str" => Some(Value::from(text.as_ref())),
            "int" | "float" => scalar::number(&text),
            "bool" => scalar::resolve(&text).filter(Value::is_boolean),
            "null" => scalar::resolve(&text).filter(Value::is_null),
            // A lone `!` makes any scalar a text.
            _ if tag.handle.is_empty() && tag.suffix == "!" => Some(Value::from(text.as_ref())),
            _ => {
                self.problem(
                    place,
                    "invalid_yaml",
                    "tags other than !!str, !!int, !!float, !!bool, !!null are unknown",
                );
                return Value::Null;
            }
        };
        tagged.unwrap_or_else(|| {
            self.problem(place, "invalid", format!("`{text}` is no !!{suffix}"));
            Value::Null
        })
    }

    fn check_tag(&mut self, tag: Option<&Tag>, expected: &str, place: &Place) {
        if tag.is_some_and(|tag| !(tag.is_yaml_core_schema() && tag.suffix == expected)) {
            self.problem(place, "invalid_yaml", format!("a tag other than !!{expected} is unknown here"));
        }
    }

    fn problem(&mut self, place: &Place, code: &'static str, message: impl Into<String>) {
        let pointer = self.pointer();
        self.problems.push(LocatedProblem { place: place.clone(), pointer, code, message: message.into() });
    }

    /// Pointer to the value that is being read.
    fn pointer(&self) -> String {
        self.frames.iter().fold(String::new(), |pointer, frame| match &frame.content {
            Content::List { items, .. } => format!("{pointer}/{}", items.len()),
            Content::Map { key: Key::Read(name, _), .. } => push_segment(&pointer, name),
            Content::Map { .. } => pointer,
        })
    }
}

fn leaf(place: Place) -> Places {
    Places { key: None, value: place, children: Children::None }
}
