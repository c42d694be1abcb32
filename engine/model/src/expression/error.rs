//! What is wrong with an expression, and where.

use std::fmt;

use super::fault::{Fault, FaultKind};
use super::value::Value;

/// An expression that cannot be compiled or evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    /// What is wrong and what to do about it.
    pub message: String,
    /// Where in the source.
    pub position: Position,
    /// Of an expression that was evaluated.
    kind: Option<FaultKind>,
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub byte: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The place after `byte` bytes of `source`, or its end where it is shorter.
    pub(super) fn at(source: &str, byte: usize) -> Self {
        let byte = source.floor_char_boundary(byte);
        let before = source.get(..byte).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).map_or(0, |line| line.chars().count()) + 1;
        Self { byte, line: before.matches('\n').count() + 1, column }
    }

    /// The place at a line and column, both from 1, the column in characters.
    pub(super) fn at_line(source: &str, line: usize, column: usize) -> Self {
        let line_start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = source.get(line_start..).unwrap_or("");
        let in_line: usize = rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
        Self::at(source, line_start + in_line)
    }
}

impl ExpressionError {
    /// An error at a place in the source.
    pub(crate) fn new(message: impl Into<String>, position: Position) -> Self {
        Self { message: message.into(), position, kind: None }
    }

    pub(super) fn from_fault(fault: Fault, source: &str) -> Self {
        let position = Position::at(source, fault.at.map_or(0, |at| at as usize));
        Self { message: fault.message, position, kind: Some(fault.kind) }
    }

    pub(super) fn not_a_condition(value: &Value, source: &str) -> Self {
        let message = format!("a condition must be true or false, and this is {}", value.shape());
        let kind = if matches!(value, Value::Null) { FaultKind::MissingValue } else { FaultKind::Undefined };
        Self { message, position: Position::at(source, 0), kind: Some(kind) }
    }

    /// The expression met a null where it needs a value: what it reads is incomplete, not wrong.
    ///
    /// A formula over such a record has no value yet.
    pub fn is_missing_value(&self) -> bool {
        self.kind == Some(FaultKind::MissingValue)
    }

    /// Why there is no value, for those who do not see what the expression reads: it quotes no value.
    pub(crate) fn without_values(&self) -> String {
        let place = &self.position;
        let why = match self.kind {
            // These speak of shapes and operators alone.
            None | Some(FaultKind::MissingValue | FaultKind::Undefined | FaultKind::Exhausted) => {
                return self.to_string();
            }
            Some(FaultKind::Wrong) => "what it reads there does not fit",
        };
        match place.line {
            1 => format!("{why} (at column {})", place.column),
            line => format!("{why} (at line {line}, column {})", place.column),
        }
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column, .. } = self.position;
        match line {
            1 => write!(formatter, "{} (at column {column})", self.message),
            _ => write!(formatter, "{} (at line {line}, column {column})", self.message),
        }
    }
}

impl std::error::Error for ExpressionError {}
