//! The shape of what a property is compared with: one value, two, or a list.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::operator::Operator;
use crate::json::read;
use crate::problem::{Problem, Problems};

/// Values of one list that are told to be wrong, one by one.
const MOST_PROBLEMS: usize = 20;

/// Reads what `operator` takes with `read_one`: one value, two, or any number. Pointers of problems begin at `raw`.
pub(super) fn read_values<T>(
    operator: Operator,
    raw: Option<&RawValue>,
    read_one: impl Fn(&RawValue) -> Result<T, Problems>,
) -> Result<Vec<T>, Problems> {
    let Some(raw) = raw else { return Err(one("required", "`value` is required".to_owned())) };
    let checked = |raw: &RawValue| if raw.get() == "null" { Err(null(operator)) } else { read_one(raw) };
    let list = match operator {
        Operator::In | Operator::NotIn | Operator::HasAny | Operator::HasAll => {
            elements(raw, operator, "a list of values")?
        }
        Operator::Between => {
            let pair = elements(raw, operator, "a list of two values, `[lowest, highest]`,")?;
            if pair.len() != 2 {
                let message = format!("`between` takes two values, `[lowest, highest]`, not {}", pair.len());
                return Err(one("invalid", message));
            }
            pair
        }
        _ => return checked(raw).map(|value| vec![value]),
    };
    let (mut values, mut problems, mut untold) = (Vec::with_capacity(list.len()), Problems::new(), 0_usize);
    for (index, raw) in list.into_iter().enumerate() {
        match checked(raw) {
            Ok(value) => values.push(value),
            Err(found) if problems.len() < MOST_PROBLEMS => {
                problems.extend(found.into_iter().map(|problem| problem.within(&format!("/{index}"))));
            }
            Err(_) => untold += 1,
        }
    }
    if untold > 0 {
        problems.push(Problem::new("", "invalid", format!("{untold} more values are wrong")));
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// A text that is not empty, since an empty one is no value.
pub(super) fn text(raw: &RawValue) -> Result<Cow<'_, str>, Problems> {
    let text: Cow<'_, str> = read(raw)?;
    if text.is_empty() {
        return Err(one("invalid", "an empty text is no value; use `exists` or `not_exists`".to_owned()));
    }
    Ok(text)
}

/// One problem of the value itself.
pub(super) fn one(code: &'static str, message: String) -> Problems {
    vec![Problem::new("", code, message)]
}

fn null(operator: Operator) -> Problems {
    let message = format!("`{}` takes no null; use `exists` or `not_exists`", operator.name());
    one("required", message)
}

fn elements<'a>(raw: &'a RawValue, operator: Operator, expected: &str) -> Result<Vec<&'a RawValue>, Problems> {
    if raw.get() == "null" {
        return Err(null(operator));
    }
    serde_json::from_str(raw.get()).map_err(|_| one("wrong_type", format!("{expected} is expected")))
}
