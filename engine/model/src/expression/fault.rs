//! Errors inside an evaluation, before they are given their place in the source.

use super::value::Value;

/// Why a part of an expression has no value.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) kind: FaultKind,
    /// Byte offset of the part, once known.
    pub(super) at: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// These values do not fit the operation; others of their shapes may.
    Wrong,
    /// The operation has no meaning for values of these shapes.
    Undefined,
    /// A null where a value is needed.
    MissingValue,
    /// Too much work. Unlike the others, `||`, `&&`, `all` and `exists` do not absorb it.
    Exhausted,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: FaultKind::Wrong, at: None }
    }

    pub(super) fn exhausted() -> Self {
        let message = "the expression takes too many steps for the values it is given";
        Self { message: message.to_owned(), kind: FaultKind::Exhausted, at: None }
    }

    /// `operation` is not defined for `values`; a null among them makes it a missing value.
    pub(super) fn undefined(operation: &str, values: &[&Value]) -> Self {
        let shapes: Vec<_> = values.iter().map(|value| value.shape()).collect();
        let message = match shapes.as_slice() {
            [] => format!("`{operation}` needs a value"),
            [one] => format!("`{operation}` is not defined for {one}"),
            [first, .., last] => format!("`{operation}` is not defined for {first} and {last}"),
        };
        let missing = values.iter().any(|value| matches!(value, Value::Null));
        let kind = if missing { FaultKind::MissingValue } else { FaultKind::Undefined };
        Self { message, kind, at: None }
    }

    /// `need`, such as "`!` needs true or false", and what is there instead.
    pub(super) fn unmet(need: &str, value: &Value) -> Self {
        Self { message: format!("{need}, not {}", value.shape()), ..Self::undefined("", &[value]) }
    }

    pub(super) fn out_of_range(operation: &str) -> Self {
        Self::new(format!("the result of `{operation}` is out of range"))
    }

    pub(super) fn is_fatal(&self) -> bool {
        self.kind == FaultKind::Exhausted
    }

    /// Gives the fault its place, unless an inner part already has.
    pub(super) fn at(mut self, at: u32) -> Self {
        self.at.get_or_insert(at);
        self
    }
}
