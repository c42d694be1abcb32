//! CEL filters: an expression becomes the same filter that a search would send.
//!
//! It means what the search means, which is not all that it would mean as a rule: texts are compared without case and
//! accents, `!=` holds for records without a value, strings stand for dates too, and `contains` asks for words.
//!
//! | expression | asks |
//! | --- | --- |
//! | `a == v`, `a != v`, `a < v`, `a in [v, w]` | `eq`, the complement of `eq`, `lt`, `in` |
//! | `a == null`, `a != null`, `has(a)` | `not_exists`, `exists` |
//! | `a` | that a boolean is true |
//! | `a.startsWith(v)`, `a.contains(v)` | `starts_with`, `contains` |
//! | `v in a`, `a.exists(x, x == v)` | `has_any` |
//! | `&&`, `\|\|`, `!` | `all`, `any`, `not` |
//!
//! Whatever reads no property is computed first: `due_on < today + days(7)`.

use serde_json::value::RawValue;

use super::ast::MAX_DEPTH;
use super::resolve::{Known, Operator, ResolveContext, condition, known, unknown};
use super::typed::Filter;
use crate::expression::{Asked, Condition, Expression, ExpressionError, Question, Scope, Value};
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems};
use crate::property::Storage;

/// The filter that a CEL expression over the properties of `object` asks for; `now` and `today` are names of it.
///
/// Problems have no pointer, since the expression is one text; their messages say at which column.
pub fn filter_of_expression(
    source: &str,
    object: &ObjectDefinition,
    context: &ResolveContext<'_>,
) -> Result<Filter, Problems> {
    let invalid = |error: ExpressionError| Problem::new("", "invalid_expression", error.to_string());
    let expression = Expression::compile(source).map_err(|error| vec![invalid(error)])?;
    let constants = Scope::new().bind("now", context.now).bind("today", context.clock().today());
    let asked = expression.condition(&constants);
    let asked = asked.map_err(|errors| errors.into_iter().map(invalid).collect::<Problems>())?;
    let mut problems = Problems::new();
    let filter = lower(&asked, object, context, &mut problems);
    if depth(&asked) > MAX_DEPTH {
        problems.push(Problem::new("", "too_deep", format!("a filter nests at most {MAX_DEPTH} levels deep")));
    }
    filter.filter(|_| problems.is_empty()).ok_or(problems)
}

fn depth(condition: &Condition) -> usize {
    match condition {
        Condition::All(list) | Condition::Any(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Condition::Not(inner) => 1 + depth(inner),
        Condition::Constant(_) | Condition::Asked(_) => 1,
    }
}

fn lower(
    asked: &Condition,
    object: &ObjectDefinition,
    context: &ResolveContext<'_>,
    problems: &mut Problems,
) -> Option<Filter> {
    let mut each = |list: &[Condition]| {
        let found: Vec<_> = list.iter().map(|inner| lower(inner, object, context, problems)).collect();
        found.into_iter().collect::<Option<Vec<_>>>()
    };
    match asked {
        Condition::All(list) => each(list).map(Filter::All),
        Condition::Any(list) => each(list).map(Filter::Any),
        Condition::Not(inner) => lower(inner, object, context, problems).map(|inner| Filter::Not(Box::new(inner))),
        Condition::Constant(true) => Some(Filter::everything()),
        Condition::Constant(false) => Some(Filter::nothing()),
        Condition::Asked(asked) => match question(asked, object, context) {
            Ok(filter) => Some(filter),
            Err(found) => {
                let place = |(code, message): (_, String)| {
                    Problem::new("", code, ExpressionError::new(message, asked.position).to_string())
                };
                problems.extend(found.into_iter().map(place));
                None
            }
        },
    }
}

/// What one question asks, or codes and messages of what is wrong with it.
fn question(
    asked: &Asked,
    object: &ObjectDefinition,
    context: &ResolveContext<'_>,
) -> Result<Filter, Vec<(&'static str, String)>> {
    let Some(known) = known(&asked.name, object, context) else {
        return Err(vec![("unknown_property", unknown(&asked.name, &[object], context))]);
    };
    let (operator, symbol) = match asked.question {
        Question::Exists => (Operator::Exists, "!= null"),
        Question::Equal => (Operator::Eq, "=="),
        Question::Less => (Operator::Lt, "<"),
        Question::LessOrEqual => (Operator::Lte, "<="),
        Question::Greater => (Operator::Gt, ">"),
        Question::GreaterOrEqual => (Operator::Gte, ">="),
        Question::In => (Operator::In, "in"),
        Question::Holds => (Operator::HasAny, "in"),
        Question::StartsWith => (Operator::StartsWith, "startsWith"),
        Question::Contains => (Operator::Contains, "contains"),
    };
    if !known.operators.contains(&operator.name()) {
        let message = format!("`{symbol}` does not fit {}{}", known.subject(), hint(&known));
        return Err(vec![("not_applicable", message)]);
    }
    let value = match asked.question {
        Question::Exists => None,
        _ => {
            let text = written(&asked.value, &known, context)?;
            Some(RawValue::from_string(text).map_err(|error| vec![("invalid", error.to_string())])?)
        }
    };
    condition(&known, operator, value.as_deref(), context)
        .map_err(|found| found.into_iter().map(|problem| (problem.code, problem.message)).collect())
}

/// How such a property is asked about.
fn hint(known: &Known<'_>) -> String {
    let name = &known.field.name;
    match known.field.storage {
        Storage::TextList => format!("; write `'x' in {name}` or `{name} != null`"),
        Storage::LongText => format!("; write `{name}.contains('x')` or `{name} != null`"),
        Storage::Boolean => format!("; write `{name}` or `!{name}`"),
        Storage::Opaque => format!("; write `{name} != null`"),
        Storage::Text | Storage::Option | Storage::Scaled(_) | Storage::Date | Storage::Datetime => String::new(),
    }
}

/// A value as a search would send it: decimals as numbers with all their digits.
fn written(
    value: &Value,
    known: &Known<'_>,
    context: &ResolveContext<'_>,
) -> Result<String, Vec<(&'static str, String)>> {
    match value {
        Value::Decimal(number) => Ok(number.to_string()),
        // As `now` does in a search, a moment means its day where days are compared.
        Value::Datetime(moment) if known.field.storage == Storage::Date => {
            Ok(format!("\"{}\"", context.clock().day_of(*moment)))
        }
        Value::List(values) => {
            let texts = values.iter().map(|value| written(value, known, context)).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", texts.join(",")))
        }
        Value::Null
        | Value::Boolean(_)
        | Value::Integer(_)
        | Value::String(_)
        | Value::Date(_)
        | Value::Datetime(_) => Ok(value.to_json().to_string()),
        Value::Duration(_) | Value::Map(_) => {
            Err(vec![("wrong_type", format!("`{}` is compared with no duration and no map", known.field.name))])
        }
    }
}
