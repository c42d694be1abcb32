//! Expressions: one language, CEL, for rules, formulas, roll-up conditions, stage gates and workflow conditions.
//!
//! The [`cel`] crate parses; this module evaluates. The crate's own interpreter was measured first: it has no exact
//! decimals that a literal or an integer can stand to the left of, no bound on time and memory (a short `map` chain
//! fills any machine), takes 40 KiB of stack a level in debug builds, and reports no positions. A tree of our own
//! costs less code than bending it would, and a property test holds the two equal where both apply.
//!
//! # The dialect
//! - **Numbers** are 64-bit integers and exact decimals; there are no floats. `0.2` is a decimal, as is a property of
//!   type decimal, percent or money. Integers and decimals mix in every operator, on either side. An operation on
//!   two integers stays an integer, so `7 / 2` is 3, as CEL has it; write `decimal(7) / 2` for 3.5.
//! - **Precision**: decimals have up to 28 significant digits. Sums, differences and products are exact up to there;
//!   what is longer, and every quotient that does not end before, is rounded to 28 digits. A result whose whole part
//!   alone is longer is an error, never a wrong number.
//! - **Dates** subtract to a duration, move by durations of whole days (`applied_on + days(30)`), and compare with
//!   dates. Datetimes compare with datetimes; `date(x)`, `date(x, 'Europe/Paris')` and `timestamp(x)` convert.
//!   Durations have `getDays()` beside CEL's `getHours()` and so on, each the whole duration in that unit.
//! - **Null** is the value of a property that a record lacks. It equals only null, and any other operator on it is an
//!   error, which `||` and `&&` absorb as CEL prescribes: `due >= start || due == null` holds without `due`.
//! - **Equality** of a string with a number, a date, a datetime or a duration is an error that says what to write,
//!   rather than silently false: as JSON these are strings, so the mistake is easy to make.
//! - **Texts** are taken apart and put together by the functions of CEL's extension for strings, such as `split` and
//!   `join`; places are counted in characters.
//! - `has(a.b)` is true where `b` is present and not null, and `has(a)` where `a` is not null. `matches` takes a literal pattern, compiled once.
//! - Not taken: unsigned integers, bytes, `type()`, messages and optional syntax, which no property has a use for.
//!
//! # Bounds
//! A source has up to [`MAX_SOURCE_BYTES`] bytes, 32 nested brackets, a tree [`MAX_DEPTH`] deep and
//! [`MAX_LOOP_DEPTH`] nested loops. Evaluation stops after a fixed number of steps, where building and comparing
//! large values counts as many. No input panics.
//!
//! This module never reads the clock: `now` and `today` are bound by the caller; `now()` and `today()` mean the same.

mod budget;
mod calendar;
mod check;
mod compile;
mod condition;
mod error;
mod evaluate;
mod fault;
mod function;
mod horizon;
mod node;
mod number;
mod operator;
mod parse;
mod scope;
mod shapes;
mod text;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::name::Name;
use crate::time::Timestamp;

pub use budget::Allowance;
pub use check::{ExpressionProblem, Types, check, check_condition, check_formula};
pub(crate) use check::{check_points, check_result};
pub use compile::{MAX_DEPTH, MAX_LOOP_DEPTH};
pub(crate) use condition::{Asked, Condition, Question};
pub use error::{ExpressionError, Position};
pub use parse::MAX_SOURCE_BYTES;
pub use scope::Scope;
pub use value::{Key, Value};

use budget::Budget;
use compile::Compiler;
use evaluate::Evaluation;
use horizon::Horizon;
use node::Node;

/// A compiled expression; cheap to clone.
#[derive(Clone)]
pub struct Expression {
    inner: Arc<Inner>,
}

struct Inner {
    source: String,
    names: Vec<String>,
    root: Arc<Node>,
}

impl Expression {
    /// Parses and checks a source: syntax, functions and their numbers of arguments, literal patterns, bounds.
    ///
    /// Names are not checked, since only the caller knows which exist: see [`names`](Self::names).
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        let (root, names) = parse::parse(source, |tree, info| Compiler::new(source, info).compile(tree))?;
        Ok(Self { inner: Arc::new(Inner { source: source.to_owned(), names, root: Arc::new(root) }) })
    }

    /// The same over properties that are called otherwise: `now` gives the name that there is for one that it reads.
    #[must_use]
    pub(crate) fn renamed(&self, now: impl Fn(&str) -> Option<Name>) -> Self {
        let names = self.names().map(|name| now(name).map_or_else(|| name.to_owned(), |now| now.to_string())).collect();
        let (source, root) = (self.inner.source.clone(), Arc::clone(&self.inner.root));
        Self { inner: Arc::new(Inner { source, names, root }) }
    }

    /// The names that it reads, in order of appearance, each once; loop variables are not among them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.names.iter().map(String::as_str)
    }

    /// The source as written.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The expression's value with the names of `scope`.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, ExpressionError> {
        let variables = self.inner.names.iter().map(|name| scope.lookup(name)).collect();
        let mut evaluation = Evaluation::new(&self.inner.names, variables, Budget::new());
        evaluation.run(&self.inner.root).map_err(|fault| ExpressionError::from_fault(fault, &self.inner.source))
    }

    /// The same of one of several evaluations, which together take no more steps than an allowance has.
    pub fn evaluate_within(&self, scope: &Scope<'_>, allowance: &mut Allowance) -> Result<Value, ExpressionError> {
        let variables = self.inner.names.iter().map(|name| scope.lookup(name)).collect();
        let mut evaluation = Evaluation::new(&self.inner.names, variables, Budget::within(allowance));
        let value = evaluation.run(&self.inner.root);
        evaluation.budget().settle(allowance);
        value.map_err(|fault| ExpressionError::from_fault(fault, &self.inner.source))
    }

    /// The expression's value at the moment that `now` and `today` of the scope stand for, and from when on it may be
    /// another; `None` where it holds for ever.
    pub(crate) fn evaluate_at(
        &self,
        scope: &Scope<'_>,
        now: Timestamp,
        zone: Tz,
    ) -> (Result<Value, ExpressionError>, Option<Timestamp>) {
        let value = self.evaluate(scope);
        let names = self.inner.names.as_slice();
        if !names.iter().any(|name| matches!(name.as_str(), "now" | "today")) {
            return (value, None);
        }
        let variables = names.iter().map(|name| scope.lookup(name)).collect();
        let mut evaluation = Evaluation::new(names, variables, Budget::new());
        let until = Horizon::new(&mut evaluation, names, now, zone).of(&self.inner.root);
        (value, until)
    }

    /// What it asks of a record, as a search can ask it: the names that `constants` has are values, all others are
    /// properties. Otherwise every part that a search cannot ask, with its place.
    pub(crate) fn condition(&self, constants: &Scope<'_>) -> Result<Condition, Vec<ExpressionError>> {
        condition::lower(&self.inner.root, &self.inner.names, &self.inner.source, constants)
    }

    /// [`evaluate`](Self::evaluate) for a condition: anything but true or false is an error.
    pub fn evaluate_bool(&self, scope: &Scope<'_>) -> Result<bool, ExpressionError> {
        match self.evaluate(scope)? {
            Value::Boolean(value) => Ok(value),
            other => Err(ExpressionError::not_a_condition(&other, &self.inner.source)),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Expression").field(&self.inner.source).finish()
    }
}
