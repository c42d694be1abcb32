//! Display names: a record's properties in one line of text.
//!
//! A template is text with properties in double braces, `{{ number }} {{ site }}`. Nearly all are just that, and are
//! kept as a list of parts, since a name is rendered for each record written. Anything beyond goes to minijinja:
//! `{% if %}`, `{% for %}`, the filters of [`FILTERS`] and the tests `defined`, `undefined` and `none`.
//!
//! A value that is missing is nothing, and so is a map, whose parts are named singly (`{{ site.city }}`). The elements
//! of a list stand with commas between them. Nothing is escaped. White space collapses to single spaces, and a name
//! ends after [`MAX_CHARACTERS`].
//!
//! Templates are tenants' input. What could fill the memory is refused when they are compiled: assignments, other
//! statements, repetition by `*`, and filters that multiply texts. What could take long runs out of fuel.

mod guard;
mod line;
mod plain;
mod rich;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::Properties;
use crate::name::Name;

use line::Line;
use plain::Part;
use rich::Rich;

pub use line::MAX_CHARACTERS;
pub use rich::FILTERS;

/// Longest source taken, in bytes. minijinja recurses once per operator of a chain: twice as many would take more than
/// half a thread's stack in a build without optimisation.
pub const MAX_SOURCE_BYTES: usize = 512;

/// A compiled template; cheap to clone.
#[derive(Clone)]
pub struct Template {
    inner: Arc<Inner>,
}

struct Inner {
    source: String,
    names: Vec<String>,
    /// What it calls properties otherwise than they are called, with their names.
    former: Vec<(String, String)>,
    program: Arc<Program>,
}

enum Program {
    Plain(Vec<Part>),
    Rich(Box<Rich>),
}

/// A template that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// What is wrong and what to do about it.
    pub message: String,
    /// Line of the source, from 1.
    pub line: usize,
}

impl Template {
    /// Parses and checks a source.
    ///
    /// Names are not checked, since only the caller knows which exist: see [`names`](Self::names).
    pub fn compile(source: &str) -> Result<Self, TemplateError> {
        if source.len() > MAX_SOURCE_BYTES {
            let message = format!("a template has at most {MAX_SOURCE_BYTES} bytes, and this one {}", source.len());
            return Err(TemplateError { message, line: 1 });
        }
        let (names, program) = match plain::parse(source) {
            Some(parts) => (plain::names(&parts), Program::Plain(parts)),
            None => {
                let rich = Rich::compile(source)?;
                (rich.names().to_vec(), Program::Rich(Box::new(rich)))
            }
        };
        Ok(Self {
            inner: Arc::new(Inner { source: source.to_owned(), names, former: Vec::new(), program: Arc::new(program) }),
        })
    }

    /// The same over properties that are called otherwise: `now` gives the name that there is for one that it reads.
    #[must_use]
    pub(crate) fn renamed<'n>(&self, now: impl Fn(&str) -> Option<&'n Name>) -> Self {
        let former: Vec<_> = self.names().filter_map(|name| Some((name.to_owned(), now(name)?.to_string()))).collect();
        if former.is_empty() {
            return self.clone();
        }
        let mut names: Vec<String> = Vec::with_capacity(self.inner.names.len());
        for name in self.names().map(|name| now(name).map_or(name, Name::as_str)) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let (source, program) = (self.inner.source.clone(), Arc::clone(&self.inner.program));
        Self { inner: Arc::new(Inner { source, names, former, program }) }
    }

    /// The names that it reads, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.names.iter().map(String::as_str)
    }

    /// The source as written.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// A record's name. Never fails: a template that cannot deal with the values gives an empty text, since no write
    /// should be refused for what the record is called.
    pub fn render(&self, properties: &Properties) -> String {
        if self.inner.former.is_empty() {
            return self.rendered(properties);
        }
        let mut properties = properties.clone();
        for (former, now) in &self.inner.former {
            match properties.get(now.as_str()).cloned() {
                Some(value) => drop(properties.insert(former.clone(), value)),
                None => drop(properties.shift_remove(former.as_str())),
            }
        }
        self.rendered(&properties)
    }

    fn rendered(&self, properties: &Properties) -> String {
        match &*self.inner.program {
            Program::Plain(parts) => {
                let mut line = Line::new();
                plain::render(parts, properties, &mut line);
                line.into_text()
            }
            Program::Rich(rich) => rich.render(properties),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Template").field(&self.inner.source).finish()
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            1 => formatter.write_str(&self.message),
            line => write!(formatter, "{} (at line {line})", self.message),
        }
    }
}

impl std::error::Error for TemplateError {}
