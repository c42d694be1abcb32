//! Binary operators over values of any type.

use std::cmp::Ordering;
use std::sync::Arc;

use super::budget::Budget;
use super::calendar;
use super::fault::Fault;
use super::node::BinaryOperator;
use super::number::{self, Number};
use super::value::{Key, Value};

/// `left operator right`.
pub(super) fn apply(
    operator: BinaryOperator,
    left: &Value,
    right: &Value,
    budget: &mut Budget,
) -> Result<Value, Fault> {
    let ordered = |accepts: fn(Ordering) -> bool| compare(operator, left, right).map(accepts);
    let truth = match operator {
        BinaryOperator::Equal => compare_equal(operator, left, right, budget)?,
        BinaryOperator::NotEqual => !compare_equal(operator, left, right, budget)?,
        BinaryOperator::Less => ordered(Ordering::is_lt)?,
        BinaryOperator::LessOrEqual => ordered(Ordering::is_le)?,
        BinaryOperator::Greater => ordered(Ordering::is_gt)?,
        BinaryOperator::GreaterOrEqual => ordered(Ordering::is_ge)?,
        BinaryOperator::In => contains(left, right, budget)?,
        BinaryOperator::Add
        | BinaryOperator::Subtract
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Remainder => return calculate(operator, left, right, budget),
    };
    Ok(Value::Boolean(truth))
}

fn calculate(operator: BinaryOperator, left: &Value, right: &Value, budget: &mut Budget) -> Result<Value, Fault> {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return number::calculate(operator, left, right);
    }
    match (operator, left, right) {
        (BinaryOperator::Add, Value::String(left), Value::String(right)) => {
            budget.charge_text(left.len() + right.len())?;
            Ok(Value::String(Arc::from([left.as_ref(), right.as_ref()].concat())))
        }
        (BinaryOperator::Add, Value::List(left), Value::List(right)) => {
            budget.charge(left.len() + right.len())?;
            Ok(Value::from([left.as_slice(), right.as_slice()].concat()))
        }
        _ => calendar::calculate(operator, left, right).unwrap_or_else(|| Err(undefined(operator, left, right))),
    }
}

fn compare(operator: BinaryOperator, left: &Value, right: &Value) -> Result<Ordering, Fault> {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Ok(left.compare(right));
    }
    match (left, right) {
        (Value::Boolean(left), Value::Boolean(right)) => Ok(left.cmp(right)),
        (Value::String(left), Value::String(right)) => Ok(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Ok(left.cmp(right)),
        (Value::Datetime(left), Value::Datetime(right)) => Ok(left.cmp(right)),
        (Value::Duration(left), Value::Duration(right)) => Ok(left.cmp(right)),
        _ => Err(undefined(operator, left, right)),
    }
}

/// `==` as written: values that can never be equal, though their JSON might look it, are a mistake.
fn compare_equal(operator: BinaryOperator, left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Fault> {
    let confusable = |one: &Value, other: &Value| match one {
        Value::String(_) => {
            matches!(other, Value::Decimal(_) | Value::Date(_) | Value::Datetime(_) | Value::Duration(_))
        }
        Value::Date(_) => matches!(other, Value::Datetime(_)),
        _ => false,
    };
    if confusable(left, right) || confusable(right, left) {
        return Err(undefined(operator, left, right));
    }
    equal(left, right, budget)
}

/// CEL's equality: numbers by value, lists and maps by their parts, anything else only within its type.
fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Fault> {
    budget.charge(1)?;
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            budget.charge_text(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::List(left), Value::List(right)) => {
            let mut pairs = left.iter().zip(right.iter());
            Ok(left.len() == right.len() && all(&mut pairs, |(left, right)| equal(left, right, budget))?)
        }
        (Value::Map(left), Value::Map(right)) => {
            let mut entries = left.iter();
            let same = |(key, value)| right.get(key).map_or(Ok(false), |other| equal(value, other, budget));
            Ok(left.len() == right.len() && all(&mut entries, same)?)
        }
        _ => Ok(match (Number::of(left), Number::of(right)) {
            (Some(left), Some(right)) => left.compare(right).is_eq(),
            _ => left == right,
        }),
    }
}

fn contains(element: &Value, container: &Value, budget: &mut Budget) -> Result<bool, Fault> {
    match container {
        Value::List(items) => Ok(!all(&mut items.iter(), |item| Ok(!equal(item, element, budget)?))?),
        Value::Map(entries) => Ok(Key::of(element).is_some_and(|key| entries.contains_key(&key))),
        _ => Err(undefined(BinaryOperator::In, element, container)),
    }
}

/// Whether `test` holds for all items; stops at the first for which it does not, or fails.
fn all<T>(items: &mut impl Iterator<Item = T>, mut test: impl FnMut(T) -> Result<bool, Fault>) -> Result<bool, Fault> {
    for item in items {
        if !test(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn undefined(operator: BinaryOperator, left: &Value, right: &Value) -> Fault {
    let mut fault = Fault::undefined(operator.symbol(), &[left, right]);
    fault.message.push_str(hint(left, right).or_else(|| hint(right, left)).unwrap_or_default());
    fault
}

/// What was probably meant where `one` meets `other`.
fn hint(one: &Value, other: &Value) -> Option<&'static str> {
    match (one, other) {
        (Value::String(_), Value::Integer(_) | Value::Decimal(_)) => Some("; write a number without quotes"),
        (Value::String(_), Value::Date(_)) => Some("; write a date as date('2026-01-31')"),
        (Value::String(_), Value::Datetime(_)) => Some("; write a datetime as timestamp('2026-01-31T09:00:00Z')"),
        (Value::String(_), Value::Duration(_)) => Some("; write a duration as duration('36h') or days(2)"),
        (Value::Date(_), Value::Datetime(_)) => {
            Some("; take the day of the datetime with date(…), or the beginning of the date with timestamp(…)")
        }
        _ => None,
    }
}
