//! Conditions on linked records.

use super::super::ast::{AssociationText, CountText, FilterForm, FilterText, QuantifierText};
use super::super::span::{Comparison, complement, ranges};
use super::super::typed::{Direction, Filter, Linked, LinkedScope, Quantifier};
use super::ResolveContext;
use super::condition::{comparison, integer};
use super::filter::filter;
use super::known::{is_known, unknown};
use super::names::listed;
use super::operand::read_values;
use super::operator::Operator;
use super::work::Work;
use crate::association::{AssociationDefinition, Target};
use crate::name::did_you_mean;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::excerpt;

/// Associations that a condition may lead along, one after the other.
pub const MAX_HOPS: usize = 3;

/// What is asked of the records that are linked with one of `object`.
pub(super) fn linked(
    asked: &AssociationText,
    pointer: &str,
    object: &ObjectDefinition,
    hops: usize,
    work: &Work<'_>,
    problems: &mut Problems,
) -> Option<Filter> {
    let at = |segment| push_segment(pointer, segment);
    if hops == MAX_HOPS {
        let message = format!("a filter leads along at most {MAX_HOPS} associations, one after the other");
        problems.push(Problem::new(pointer, "too_deep", message));
        return None;
    }
    let quantifier = quantifier(&asked.quantifier, &at("count"), problems);
    let found = find(&asked.association, object, work.context);
    let association = match found {
        Ok(association) => association,
        Err(message) => {
            problems.push(Problem::new(at("association"), "unknown_association", message));
            return None;
        }
    };
    let direction = direction(asked.direction, association, object);
    let direction = direction.map_err(|(code, message)| problems.push(Problem::new(at("direction"), code, message)));
    // What is asked of the other end is looked at all the same; where both are possible, either will do for that.
    let probable = if association.from == object.name { Direction::Out } else { Direction::In };
    let others = others(asked, pointer, association, direction.unwrap_or(probable), hops, work, problems)?;
    let (association, direction, quantifier) = (association.name.clone(), direction.ok()?, quantifier?);
    Some(Filter::Linked(Linked { association, direction, others, quantifier }))
}

fn find<'a>(
    name: &str,
    object: &ObjectDefinition,
    context: &ResolveContext<'a>,
) -> Result<&'a AssociationDefinition, String> {
    let mut all = context.registry.associations_of(&object.name);
    if let Some(found) = all.find(|association| association.name.as_str() == name) {
        return Ok(found);
    }
    Err(unknown_association(name, &[object], context))
}

/// The message for a name that is no association of any of these objects.
pub(super) fn unknown_association(name: &str, objects: &[&ObjectDefinition], context: &ResolveContext<'_>) -> String {
    let all = objects.iter().flat_map(|object| context.registry.associations_of(&object.name));
    let hint = did_you_mean(name, all.map(|found| found.name.as_str()));
    format!("no association `{}` leads from or to {}{hint}", excerpt(name), listed(objects))
}

/// The end at which a record of `object` stands: the one that is possible, or the one that was given.
fn direction(
    given: Option<Direction>,
    association: &AssociationDefinition,
    object: &ObjectDefinition,
) -> Result<Direction, (&'static str, String)> {
    let name = &association.name;
    let (starts, ends) = (association.from == object.name, association.to.accepts(&object.name));
    match given {
        Some(Direction::Out) if !starts => {
            Err(("not_applicable", format!("`{name}` only leads to `{}`: leave `direction` out", object.name)))
        }
        Some(Direction::In) if !ends => {
            Err(("not_applicable", format!("`{name}` only leads from `{}`: leave `direction` out", object.name)))
        }
        Some(given) => Ok(given),
        None if starts && ends => {
            let message = format!("`{name}` has `{}` at both ends: say `out` or `in`", object.name);
            Err(("required", message))
        }
        None => Ok(if starts { Direction::Out } else { Direction::In }),
    }
}

/// What is asked of the records at the other end, for each object that the caller may see there.
///
/// Where there are several, those count of which the question makes sense; it must of one at least.
fn others(
    asked: &AssociationText,
    pointer: &str,
    association: &AssociationDefinition,
    direction: Direction,
    hops: usize,
    work: &Work<'_>,
    problems: &mut Problems,
) -> Option<Vec<LinkedScope>> {
    let readable = at_other_end(association, direction, work.context);
    let scope = |object: &ObjectDefinition, visible: &Filter, filter| LinkedScope {
        object: object.name.clone(),
        visible: visible.clone(),
        filter,
    };
    let Some(matches) = asked.matches.as_deref() else {
        return Some(readable.iter().map(|(object, visible)| scope(object, visible, Filter::everything())).collect());
    };
    let (mut scopes, mut found) = (Vec::new(), Problems::new());
    for (object, visible) in &readable {
        if readable.len() > 1 && !has_names(matches, object, work.context) {
            continue;
        }
        let mut of_object = Problems::new();
        let resolved = filter(matches, object, hops + 1, work, &mut of_object);
        scopes.extend(resolved.map(|filter| scope(object, visible, filter)));
        if found.is_empty() {
            found = of_object;
        }
    }
    if work.is_exhausted() {
        return None;
    }
    if !scopes.is_empty() || readable.is_empty() {
        return Some(scopes);
    }
    if found.is_empty() {
        let objects: Vec<_> = readable.iter().map(|(object, _)| *object).collect();
        find_unknown(matches, &objects, work.context, &mut found);
    }
    if found.is_empty() {
        let message = format!("no object at the other end of `{}` has everything that this names", association.name);
        found.push(Problem::new(push_segment(pointer, "match"), "unknown_property", message));
    }
    problems.extend(found);
    None
}

/// Objects that stand at the other end, with what of each the caller may see.
fn at_other_end<'a>(
    association: &AssociationDefinition,
    direction: Direction,
    context: &ResolveContext<'a>,
) -> Vec<(&'a ObjectDefinition, Filter)> {
    let is_there = |object: &&ObjectDefinition| match (direction, &association.to) {
        (Direction::In, _) => object.name == association.from,
        (Direction::Out, Target::Any) => true,
        (Direction::Out, Target::Objects(objects)) => objects.contains(&object.name),
    };
    let objects = context.registry.objects.values().filter(|object| !object.archived).filter(is_there);
    objects.filter_map(|object| (context.readable)(&object.name).map(|visible| (object, visible))).collect()
}

/// Whether `object` has all that the filter names, what stands behind further associations not counted.
fn has_names(text: &FilterText, object: &ObjectDefinition, context: &ResolveContext<'_>) -> bool {
    match &text.form {
        FilterForm::All(list) | FilterForm::Any(list) => list.iter().all(|inner| has_names(inner, object, context)),
        FilterForm::Not(inner) => has_names(inner, object, context),
        FilterForm::Property(asked) => is_known(&asked.property, object, context),
        FilterForm::Association(asked) => find(&asked.association, object, context).is_ok(),
        FilterForm::List(id) => {
            context.lists.and_then(|lists| lists.get(id)).is_none_or(|list| list.object == object.name)
        }
    }
}

/// Notes the properties and associations that none of the objects has.
fn find_unknown(
    text: &FilterText,
    objects: &[&ObjectDefinition],
    context: &ResolveContext<'_>,
    problems: &mut Problems,
) {
    let at = |segment| push_segment(&text.pointer, segment);
    match &text.form {
        FilterForm::All(list) | FilterForm::Any(list) => {
            list.iter().for_each(|inner| find_unknown(inner, objects, context, problems));
        }
        FilterForm::Not(inner) => find_unknown(inner, objects, context, problems),
        FilterForm::Property(asked) => {
            let name = &asked.property;
            if !objects.iter().any(|object| is_known(name, object, context)) {
                problems.push(Problem::new(at("property"), "unknown_property", unknown(name, objects, context)));
            }
        }
        FilterForm::Association(asked) => {
            let name = &asked.association;
            if objects.iter().all(|object| find(name, object, context).is_err()) {
                let message = unknown_association(name, objects, context);
                problems.push(Problem::new(at("association"), "unknown_association", message));
            }
        }
        // What is wrong with a list is told with the conditions of the object that it is asked of.
        FilterForm::List(_) => {}
    }
}

fn quantifier(text: &QuantifierText, pointer: &str, problems: &mut Problems) -> Option<Quantifier> {
    match text {
        QuantifierText::Any => Some(Quantifier::Any),
        QuantifierText::None => Some(Quantifier::None),
        QuantifierText::All => Some(Quantifier::All),
        QuantifierText::Count(count) => counted(count, pointer, problems),
    }
}

fn counted(count: &CountText, pointer: &str, problems: &mut Problems) -> Option<Quantifier> {
    const OPERATORS: &[&str] = &["eq", "neq", "lt", "lte", "gt", "gte", "between", "in"];
    let operator = match Operator::find(&count.op, OPERATORS, "a count") {
        Ok(operator) => operator,
        Err((code, message)) => {
            problems.push(Problem::new(push_segment(pointer, "op"), code, message));
            return None;
        }
    };
    match read_values(operator, count.value.as_deref(), integer) {
        Ok(spans) if operator == Operator::Neq => Some(Quantifier::Count(complement(&ranges(Comparison::In, &spans)))),
        Ok(spans) => Some(Quantifier::Count(ranges(comparison(operator), &spans))),
        Err(found) => {
            let at = push_segment(pointer, "value");
            problems.extend(found.into_iter().map(|problem| problem.within(&at)));
            None
        }
    }
}
