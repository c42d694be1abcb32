//! Arithmetic of integers and exact decimals.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::fault::Fault;
use super::node::BinaryOperator;
use super::value::Value;

/// A number of either kind.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Integer(i64),
    Decimal(Decimal),
}

impl Number {
    /// The number that a value is, if it is one.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(value) => Some(Self::Integer(*value)),
            Value::Decimal(value) => Some(Self::Decimal(*value)),
            _ => None,
        }
    }

    pub(super) fn to_decimal(self) -> Decimal {
        match self {
            Self::Integer(value) => Decimal::from(value),
            Self::Decimal(value) => value,
        }
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(&right),
            _ => self.to_decimal().cmp(&other.to_decimal()),
        }
    }

    pub(super) fn negate(self) -> Result<Value, Fault> {
        match self {
            Self::Integer(value) => value.checked_neg().map(Value::Integer).ok_or_else(|| Fault::out_of_range("-")),
            Self::Decimal(value) => Ok(Value::Decimal(-value)),
        }
    }
}

/// `left operator right`: an integer where both are, else a decimal.
pub(super) fn calculate(operator: BinaryOperator, left: Number, right: Number) -> Result<Value, Fault> {
    if matches!(operator, BinaryOperator::Divide | BinaryOperator::Remainder) && right.to_decimal().is_zero() {
        return Err(Fault::new("division by zero"));
    }
    let result = match (left, right) {
        (Number::Integer(left), Number::Integer(right)) => integers(operator, left, right).map(Value::Integer),
        _ => decimals(operator, left.to_decimal(), right.to_decimal()).map(Value::Decimal),
    };
    result.ok_or_else(|| Fault::out_of_range(operator.symbol()))
}

fn integers(operator: BinaryOperator, left: i64, right: i64) -> Option<i64> {
    match operator {
        BinaryOperator::Add => left.checked_add(right),
        BinaryOperator::Subtract => left.checked_sub(right),
        BinaryOperator::Multiply => left.checked_mul(right),
        BinaryOperator::Divide => left.checked_div(right),
        BinaryOperator::Remainder => left.checked_rem(right),
        _ => None,
    }
}

fn decimals(operator: BinaryOperator, left: Decimal, right: Decimal) -> Option<Decimal> {
    match operator {
        BinaryOperator::Add => left.checked_add(right),
        BinaryOperator::Subtract => left.checked_sub(right),
        BinaryOperator::Multiply => left.checked_mul(right),
        BinaryOperator::Divide => left.checked_div(right).map(|quotient| quotient.normalize()),
        BinaryOperator::Remainder => left.checked_rem(right),
        _ => None,
    }
}

/// Reads a decimal as written, with or without an exponent, exactly.
pub(super) fn parse_decimal(text: &str) -> Result<Decimal, Fault> {
    let (base, exponent) = text.split_once(['e', 'E']).unwrap_or((text, ""));
    let exact = match Decimal::from_str_exact(base) {
        Ok(_) if !exponent.is_empty() => Decimal::from_scientific(text),
        exact => exact,
    };
    // The library takes `1_000` too, which no other reader of decimals here does.
    exact
        .ok()
        .filter(|_| !text.contains('_'))
        .ok_or_else(|| Fault::new(format!("`{text}` is no number of up to 28 digits")))
}

/// The integer that a decimal equals, if it is whole and in range.
pub(super) fn whole(value: Decimal) -> Option<i64> {
    if value.fract().is_zero() { value.to_i64() } else { None }
}
