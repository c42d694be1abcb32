//! One condition on one property.

use std::ops::Bound;

use serde_json::value::RawValue;

use super::super::moment;
use super::super::span::{Comparison, Span, ranges};
use super::super::text::{fold, words};
use super::super::typed::{Filter, Form, Test};
use super::ResolveContext;
use super::keys;
use super::known::{Known, Role};
use super::operand::{one, read_values, text};
use super::operator::Operator;
use super::words::{MAX_WORDS, check_size, check_words};
use crate::json::{Reading, read};
use crate::problem::Problems;
use crate::property::{Storage, around, excerpt};

/// What `known operator value` asks, which is one of the operators that `known` takes; pointers of problems begin at
/// the value.
pub(crate) fn condition(
    known: &Known<'_>,
    operator: Operator,
    value: Option<&RawValue>,
    context: &ResolveContext<'_>,
) -> Result<Filter, Problems> {
    let complement = match operator {
        Operator::Neq => Operator::Eq,
        Operator::NotIn => Operator::In,
        Operator::NotExists => Operator::Exists,
        _ => return positive(known, operator, value, operator, context),
    };
    positive(known, complement, value, operator, context).map(|filter| Filter::Not(Box::new(filter)))
}

/// [`condition`] for operators that are no complements; `written` is the one that was sent.
fn positive(
    known: &Known<'_>,
    operator: Operator,
    value: Option<&RawValue>,
    written: Operator,
    context: &ResolveContext<'_>,
) -> Result<Filter, Problems> {
    if operator == Operator::Exists {
        return match value.filter(|value| value.get() != "null") {
            None => Ok(Filter::Exists(known.field.clone())),
            Some(_) => Err(one("not_applicable", format!("`{}` takes no value", written.name()))),
        };
    }
    if known.role == Role::Id {
        let ids = read_values(written, value, keys::record_id)?;
        return Ok(match comparison(operator) {
            Comparison::In => Filter::Ids(sorted(ids)),
            comparison => numbers(known, comparison, &ids.iter().map(|id| Span::of(id.0)).collect::<Vec<_>>()),
        });
    }
    match known.field.storage {
        Storage::Scaled(_) | Storage::Date | Storage::Datetime => {
            let spans = read_values(written, value, |raw| span(known, raw, context))?;
            Ok(numbers(known, comparison(operator), &spans))
        }
        Storage::Option => {
            let found = read_values(written, value, |raw| keys::option(known, raw, context))?;
            let spans: Vec<_> = found.into_iter().map(Span::of).collect();
            let chosen = ranges(comparison(operator), &spans);
            let options = (0..).zip(known.field.options.iter());
            let is_chosen = |position: &i64| chosen.iter().any(|range| range.contains(position));
            Ok(texts(known, options.filter(|(at, _)| is_chosen(at)).map(|(_, key)| key.clone()).collect()))
        }
        Storage::Boolean => Ok(texts(known, read_values(written, value, keys::boolean)?)),
        Storage::TextList => {
            let elements = read_values(written, value, |raw| keys::element(known, raw, context))?;
            Ok(match operator {
                Operator::HasAll if elements.is_empty() => Filter::everything(),
                Operator::HasAll => Filter::Is(known.field.clone(), Test::HasAll(sorted(elements))),
                _ => texts(known, elements),
            })
        }
        Storage::Text | Storage::LongText | Storage::Opaque => text_condition(known, operator, value, written, context),
    }
}

fn text_condition(
    known: &Known<'_>,
    operator: Operator,
    value: Option<&RawValue>,
    written: Operator,
    context: &ResolveContext<'_>,
) -> Result<Filter, Problems> {
    let is = |test| Ok(Filter::Is(known.field.clone(), test));
    match operator {
        Operator::Contains => {
            let sought = read_values(written, value, |raw| sought(known, raw))?.pop().unwrap_or_default();
            return match sought {
                Sought::Blank => Ok(Filter::Exists(known.field.clone())),
                Sought::Parts(parts) if parts.is_empty() => Ok(Filter::nothing()),
                Sought::Parts(parts) if known.is_substring => is(Test::Parts(parts)),
                Sought::Parts(words) => is(Test::Words(words)),
            };
        }
        Operator::StartsWith => {
            let beginning = read_values(written, value, |raw| read::<String>(raw))?.pop().unwrap_or_default();
            return match fold(&beginning) {
                folded if folded.is_empty() => Ok(Filter::Exists(known.field.clone())),
                folded => is(Test::StartsWith(folded)),
            };
        }
        _ => {}
    }
    let mut found = read_values(written, value, |raw| keys::compared(known, raw, context))?;
    let comparison = comparison(operator);
    if comparison == Comparison::In {
        return Ok(texts(known, found));
    }
    let (Some(last), first) = (found.pop(), found.pop()) else { return Ok(Filter::nothing()) };
    let (from, to) = match comparison {
        Comparison::Less => (Bound::Unbounded, Bound::Excluded(last)),
        Comparison::LessOrEqual => (Bound::Unbounded, Bound::Included(last)),
        Comparison::Greater => (Bound::Excluded(last), Bound::Unbounded),
        Comparison::GreaterOrEqual => (Bound::Included(last), Bound::Unbounded),
        Comparison::Between | Comparison::In => match first {
            Some(first) if first <= last => (Bound::Included(first), Bound::Included(last)),
            _ => return Ok(Filter::nothing()),
        },
    };
    is(Test::Between(from, to))
}

/// What a value of `contains` is made of.
#[derive(Default)]
enum Sought {
    /// Nothing at all, which every value holds.
    #[default]
    Blank,
    /// Words or parts; none where the text has none, which no value holds.
    Parts(Vec<String>),
}

fn sought(known: &Known<'_>, raw: &RawValue) -> Result<Sought, Problems> {
    let text: String = read(raw)?;
    if text.is_empty() {
        return Ok(Sought::Blank);
    }
    // A phone number has no words: people write its digits in groups of their own, and zeros before them.
    let digits: String = text.chars().filter(char::is_ascii_digit).skip_while(|digit| *digit == '0').collect();
    let parts = || text.split_whitespace().map(fold).filter(|part| !part.is_empty()).take(MAX_WORDS + 1);
    let words = || words(&text).take(MAX_WORDS + 1);
    let is_phone = known.kind.name() == "phone" && !digits.is_empty();
    let checked = match known.is_substring {
        true => check_size(&text, || if is_phone { 1 } else { parts().count() }),
        false => check_words(&text, || if is_phone { 1 } else { words().count() }),
    };
    checked.map_err(|(code, message)| one(code, message))?;
    Ok(Sought::Parts(match known.is_substring {
        _ if is_phone => vec![digits],
        true => parts().collect(),
        false => words().collect(),
    }))
}

/// What a value covers of the numbers of the index.
fn span(known: &Known<'_>, raw: &RawValue, context: &ResolveContext<'_>) -> Result<Span, Problems> {
    let moment = |read: fn(&str, moment::Clock) -> Result<Span, String>| {
        read(&text(raw)?, context.clock()).map_err(|reason| one("invalid", reason))
    };
    match known.field.storage {
        Storage::Date => moment(moment::days),
        Storage::Datetime => moment(moment::microseconds),
        Storage::Scaled(scale) => number(known.field.form, raw, scale),
        _ => Err(one("not_applicable", "a number cannot be compared with it".to_owned())),
    }
}

/// A number as written: integers are JSON numbers, decimals are strings too.
fn number(form: Form, raw: &RawValue, scale: u32) -> Result<Span, Problems> {
    let is_number = raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let written = match form {
        _ if is_number => raw.get().into(),
        Form::Decimal { .. } if raw.get().starts_with('"') => text(raw)?,
        Form::Decimal { .. } => return Err(expected("a number or a decimal string", raw)),
        _ => return Err(expected("a number", raw)),
    };
    let written = written.trim();
    let Some((first, last)) = around(written, scale) else {
        let message = format!("`{}` is no decimal number; write it plainly, such as `-1234.5`", excerpt(written));
        return Err(one("invalid", message));
    };
    Ok(Span { first, last })
}

fn expected(noun: &str, raw: &RawValue) -> Problems {
    let mut reading = Reading::default();
    reading.wrong_type(noun, raw);
    reading.into_problems()
}

/// A whole number as written.
pub(super) fn integer(raw: &RawValue) -> Result<Span, Problems> {
    number(Form::Integer, raw, 0)
}

/// How an operator that is no complement compares.
pub(super) fn comparison(operator: Operator) -> Comparison {
    match operator {
        Operator::Lt => Comparison::Less,
        Operator::Lte => Comparison::LessOrEqual,
        Operator::Gt => Comparison::Greater,
        Operator::Gte => Comparison::GreaterOrEqual,
        Operator::Between => Comparison::Between,
        _ => Comparison::In,
    }
}

fn numbers(known: &Known<'_>, comparison: Comparison, spans: &[Span]) -> Filter {
    match ranges(comparison, spans) {
        ranges if ranges.is_empty() => Filter::nothing(),
        ranges => Filter::Is(known.field.clone(), Test::Numbers(ranges)),
    }
}

fn texts(known: &Known<'_>, texts: Vec<String>) -> Filter {
    match texts.is_empty() {
        true => Filter::nothing(),
        false => Filter::Is(known.field.clone(), Test::Texts(sorted(texts))),
    }
}

/// Each once.
fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}
