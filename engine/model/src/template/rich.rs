//! Templates with expressions, conditions, loops or filters, by minijinja.

use std::collections::BTreeMap;
use std::io;
use std::sync::LazyLock;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, UndefinedBehavior, filters, tests};
use serde_json::Value as Json;

use crate::Properties;

use super::line::Line;
use super::{TemplateError, guard};

/// Filters that templates may use.
pub const FILTERS: &[&str] =
    &["capitalize", "default", "first", "join", "last", "length", "lower", "title", "trim", "upper"];

/// Instructions that one rendering may take: a usual template takes ten.
const FUEL: u64 = 10_000;

/// Bytes of a text that a template sees; far more than a name can show.
const MAX_TEXT_BYTES: usize = 2_048;

const NAME: &str = "display";

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("join", join);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("upper", filters::upper);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_formatter(|out, _, value| write_value(out, value));
    environment.set_fuel(Some(FUEL));
    environment
});

/// A template that minijinja renders.
#[derive(Debug)]
pub(super) struct Rich {
    environment: Environment<'static>,
    names: Vec<String>,
}

impl Rich {
    pub(super) fn compile(source: &str) -> Result<Self, TemplateError> {
        guard::check(source)?;
        let mut environment = ENVIRONMENT.clone();
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| translate(&error))?;
        let template = environment.get_template(NAME).map_err(|error| translate(&error))?;
        let mut names: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        names.sort();
        let rich = Self { environment, names };
        rich.try_out()?;
        Ok(rich)
    }

    /// The names that it reads, in alphabetical order.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn render(&self, properties: &Properties) -> String {
        let names = self.names.iter();
        let context = names.filter_map(|name| Some((name.as_str(), to_value(properties.get(name)?)))).collect();
        self.render_with(context).unwrap_or_default()
    }

    fn render_with(&self, context: BTreeMap<&str, Value>) -> Result<String, Error> {
        let mut writer = LineWriter(Line::new());
        let rendered = self.environment.get_template(NAME)?.render_captured_to(Value::from(context), &mut writer);
        match rendered {
            Err(error) if !writer.0.is_full() => Err(error),
            _ => Ok(writer.0.into_text()),
        }
    }

    /// Looks filters and tests up, which minijinja does only where it comes by them: once without any value, and once
    /// with all of them, so that both sides of a usual condition are seen.
    fn try_out(&self) -> Result<(), TemplateError> {
        let filled = self.names.iter().map(|name| (name.as_str(), Value::from("x"))).collect();
        for context in [BTreeMap::new(), filled] {
            if let Err(error) = self.render_with(context)
                && matches!(
                    error.kind(),
                    ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction
                )
            {
                return Err(translate(&error));
            }
        }
        Ok(())
    }
}

fn translate(error: &Error) -> TemplateError {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let message = match error.kind() {
        ErrorKind::UnknownFilter => format!("{detail}; there are {}", FILTERS.join(", ")),
        ErrorKind::UnknownTest => format!("{detail}; there are defined, undefined and none"),
        ErrorKind::UnknownFunction => format!("{detail}; there are no functions"),
        _ => detail,
    };
    TemplateError { message, line: error.line().unwrap_or(1) }
}

/// A property's value for minijinja, its texts cut to what a name could show.
fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Value::from(integer),
            (None, Some(integer)) => Value::from(integer),
            (None, None) => number.as_f64().map_or_else(|| Value::from(()), Value::from),
        },
        Json::String(text) => Value::from(text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or_default()),
        Json::Array(items) => items.iter().map(to_value).collect(),
        Json::Object(entries) => Value::from_pairs(entries.iter().map(|(key, value)| (key.as_str(), to_value(value)))),
    }
}

/// As in a plain template: nothing for no value or a map, the elements of a list with commas between them.
fn write_value(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(());
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => write_all(out, value.try_iter()?),
        ValueKind::Map => Ok(()),
        // Not Python's `True`.
        ValueKind::Bool => write_text(out, if value.is_true() { "true" } else { "false" }),
        _ => match value.as_str() {
            Some(text) => write_text(out, text),
            None => write_text(out, &value.to_string()),
        },
    }
}

fn write_text(out: &mut Output<'_>, text: &str) -> Result<(), Error> {
    out.write_str(text).map_err(|_| Error::from(ErrorKind::WriteFailure))
}

fn write_all(out: &mut Output<'_>, values: impl Iterator<Item = Value>) -> Result<(), Error> {
    for (index, value) in values.filter(|value| !value.is_undefined() && !value.is_none()).enumerate() {
        if index > 0 {
            write_text(out, ", ")?;
        }
        write_value(out, &value)?;
    }
    Ok(())
}

/// Joins a list. Unlike minijinja's own it takes no text apart, and stops where no name can show more, so that a chain
/// of joins cannot grow.
fn join(list: &Value, separator: Option<&str>) -> Result<String, Error> {
    if !matches!(list.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::Undefined | ValueKind::None) {
        return Err(Error::new(ErrorKind::InvalidOperation, "`join` takes a list"));
    }
    let mut joined = String::new();
    for (index, item) in list.try_iter()?.enumerate() {
        if index > 0 {
            joined.push_str(separator.unwrap_or_default());
        }
        joined.push_str(&item.to_string());
        if joined.len() > MAX_TEXT_BYTES {
            break;
        }
    }
    Ok(joined)
}

/// Writes to a line, and fails once that is full so that rendering stops.
struct LineWriter(Line);

impl io::Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = str::from_utf8(bytes).map_err(io::Error::other)?;
        if self.0.push(text) { Ok(bytes.len()) } else { Err(io::Error::other("the line is full")) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
