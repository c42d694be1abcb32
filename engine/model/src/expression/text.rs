//! Functions of texts, with the names and the meaning that CEL's extension for strings gives them; places in a text are
//! counted in characters, from 0.

use super::budget::Budget;
use super::fault::Fault;
use super::function::Outcome;
use super::value::Value;

/// The parts between separators; without a separator, the characters.
pub(super) fn split(values: &[Value]) -> Outcome {
    let [Value::String(text), Value::String(separator)] = values else { return None };
    let parts: Vec<Value> = match separator.is_empty() {
        true => text.chars().map(|letter| Value::from(letter.to_string())).collect(),
        false => text.split(&**separator).map(Value::from).collect(),
    };
    Some(Ok(Value::from(parts)))
}

/// Each part is a value of its own, however short.
pub(super) fn cost_of_split(values: &[Value]) -> usize {
    match values {
        [Value::String(text), Value::String(separator)] if separator.is_empty() => text.chars().count(),
        [Value::String(text), Value::String(separator)] => text.matches(&**separator).count() + 1,
        _ => 0,
    }
}

/// The characters from one place on, or between two, the second not among them.
pub(super) fn substring(values: &[Value]) -> Outcome {
    let (text, from, to) = match values {
        [Value::String(text), Value::Integer(from)] => (text, *from, None),
        [Value::String(text), Value::Integer(from), Value::Integer(to)] => (text, *from, Some(*to)),
        _ => return None,
    };
    let part = || {
        let from = byte_of(text, usize::try_from(from).ok()?)?;
        let to = to.map_or(Some(text.len()), |to| byte_of(text, usize::try_from(to).ok()?))?;
        text.get(from..to)
    };
    Some(part().map(Value::from).ok_or_else(|| {
        let length = text.chars().count();
        let asked = to.map_or_else(|| format!("from {from}"), |to| format!("from {from} to {to}"));
        Fault::new(format!("the text has {length} characters, and there are none {asked}"))
    }))
}

/// Where a character begins, or the text ends.
fn byte_of(text: &str, place: usize) -> Option<usize> {
    text.char_indices().map(|(byte, _)| byte).chain([text.len()]).nth(place)
}

/// Where a part begins for the first time; -1 where the text does not have it.
pub(super) fn index_of(values: &[Value]) -> Outcome {
    let [Value::String(text), Value::String(part)] = values else { return None };
    let Some(byte) = text.find(&**part) else { return Some(Ok(Value::Integer(-1))) };
    let before = text.get(..byte).unwrap_or_default().chars().count();
    Some(i64::try_from(before).map(Value::Integer).map_err(|_| Fault::out_of_range("indexOf")))
}

/// Another text in each place where one stands; nothing stands before every character and at the end.
pub(super) fn replace(values: &[Value]) -> Outcome {
    let [Value::String(text), Value::String(old), Value::String(new)] = values else { return None };
    Some(Ok(Value::from(text.replace(&**old, new))))
}

/// The result may be many times as long as what it is made of.
pub(super) fn cost_of_replace(values: &[Value]) -> usize {
    let [Value::String(text), Value::String(old), Value::String(new)] = values else { return 0 };
    let added = text.matches(&**old).count().saturating_mul(new.len());
    Budget::steps_of_text(text.len().saturating_add(added))
}

/// The text without white space at both ends.
pub(super) fn trim(values: &[Value]) -> Outcome {
    of_one(values, |text| Value::from(text.trim()))
}

/// The text with `A` to `Z` in lower case.
pub(super) fn lower_ascii(values: &[Value]) -> Outcome {
    of_one(values, |text| Value::from(text.to_ascii_lowercase()))
}

/// The text with `a` to `z` in upper case.
pub(super) fn upper_ascii(values: &[Value]) -> Outcome {
    of_one(values, |text| Value::from(text.to_ascii_uppercase()))
}

fn of_one(values: &[Value], make: fn(&str) -> Value) -> Outcome {
    match values {
        [Value::String(text)] => Some(Ok(make(text))),
        _ => None,
    }
}

/// The texts of a list in a row, with a separator between them where one is given.
pub(super) fn join(values: &[Value]) -> Outcome {
    let (items, separator) = parts_of_join(values)?;
    let texts = items.iter().map(|item| match item {
        Value::String(text) => Some(&**text),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    Some(Ok(Value::from(texts.join(separator))))
}

pub(super) fn cost_of_join(values: &[Value]) -> usize {
    let Some((items, separator)) = parts_of_join(values) else { return 0 };
    let length = |item: &Value| match item {
        Value::String(text) => text.len(),
        _ => 0,
    };
    let separators = items.len().saturating_mul(separator.len());
    let bytes = items.iter().map(length).fold(separators, usize::saturating_add);
    items.len().saturating_add(Budget::steps_of_text(bytes))
}

fn parts_of_join(values: &[Value]) -> Option<(&[Value], &str)> {
    match values {
        [Value::List(items)] => Some((items, "")),
        [Value::List(items), Value::String(separator)] => Some((items, separator)),
        _ => None,
    }
}
