//! Filters: the tree that was sent, with each condition resolved.

use super::super::ast::{FilterForm, FilterText, PropertyText};
use super::super::typed::Filter;
use super::condition::condition;
use super::known::{known, unknown};
use super::linked::linked;
use super::listed::listed;
use super::operator::Operator;
use super::work::Work;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};

/// What `text` asks of a record of `object`, which stands behind so many associations.
pub(super) fn filter(
    text: &FilterText,
    object: &ObjectDefinition,
    hops: usize,
    work: &Work<'_>,
    problems: &mut Problems,
) -> Option<Filter> {
    let value = match &text.form {
        FilterForm::Property(asked) => asked.value.as_deref(),
        _ => None,
    };
    work.charge_condition(value)?;
    let mut each = |list: &[FilterText]| {
        // All of them are looked at, so that all problems are told.
        let found: Vec<_> = list.iter().map(|inner| filter(inner, object, hops, work, problems)).collect();
        found.into_iter().collect::<Option<Vec<_>>>()
    };
    match &text.form {
        FilterForm::All(list) => each(list).map(Filter::All),
        FilterForm::Any(list) => each(list).map(Filter::Any),
        FilterForm::Not(inner) => filter(inner, object, hops, work, problems).map(|inner| Filter::Not(Box::new(inner))),
        FilterForm::Property(asked) => of_property(asked, &text.pointer, object, work, problems),
        FilterForm::Association(asked) => linked(asked, &text.pointer, object, hops, work, problems),
        FilterForm::List(id) => listed(id, &text.pointer, object, hops, work, problems),
    }
}

fn of_property(
    asked: &PropertyText,
    pointer: &str,
    object: &ObjectDefinition,
    work: &Work<'_>,
    problems: &mut Problems,
) -> Option<Filter> {
    let context = work.context;
    let at = |segment| push_segment(pointer, segment);
    let Some(known) = known(&asked.property, object, context) else {
        let message = unknown(&asked.property, &[object], context);
        problems.push(Problem::new(at("property"), "unknown_property", message));
        if let Some(message) = asked.op.as_deref().and_then(Operator::unknown) {
            problems.push(Problem::new(at("op"), "unknown_operator", message));
        }
        return None;
    };
    work.charge(known.field.options.len())?;
    let operator = match Operator::find(asked.op.as_deref()?, known.operators, &known.subject()) {
        Ok(operator) => operator,
        Err((code, message)) => {
            problems.push(Problem::new(at("op"), code, message));
            return None;
        }
    };
    match condition(&known, operator, asked.value.as_deref(), context) {
        Ok(filter) => Some(filter),
        Err(found) => {
            problems.extend(found.into_iter().map(|problem| problem.within(&at("value"))));
            None
        }
    }
}
