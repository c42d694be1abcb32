//! What is asked of each object's records.

use super::super::ast::QueryText;
use super::super::expression::filter_of_expression;
use super::super::typed::{Field, Filter, Scope, SortKey};
use super::ResolveContext;
use super::aggregate::{aggregate, differences};
use super::filter::filter;
use super::known::{known, unknown};
use super::sort::sort;
use super::work::Work;
use crate::object::{ObjectDefinition, SYSTEM_FIELDS};
use crate::problem::{Problem, Problems, push_segment};
use crate::property::Storage;

/// What `text` asks of records of `object`.
pub(super) fn scope(
    text: &QueryText,
    object: &ObjectDefinition,
    has_words: bool,
    work: &Work<'_>,
    problems: &mut Problems,
) -> Scope {
    let context = work.context;
    let visible = (context.readable)(&object.name).unwrap_or_else(Filter::nothing);
    let mut filters = vec![visible];
    if let Some(sent) = &text.filter {
        filters.extend(filter(sent, object, 0, work, problems));
    }
    if let Some(source) = &text.expression {
        match filter_of_expression(source, object, context) {
            Ok(filter) => filters.push(filter),
            Err(found) => {
                let at = push_segment(&text.pointer, "filter");
                problems.extend(found.into_iter().map(|problem| problem.within(&at)));
            }
        }
    }
    let sort = sort(text, object, has_words, context, problems);
    let aggregates = text.aggregates.iter().map(|sent| aggregate(sent, object, context, problems)).collect();
    let searched = searched(object, context);
    Scope { object: object.name.clone(), filter: Filter::All(filters), searched, sort, aggregates }
}

/// Where full text is looked for: in what a record is called, and in its searchable texts.
fn searched(object: &ObjectDefinition, context: &ResolveContext<'_>) -> Vec<Field> {
    let is_text = |storage| matches!(storage, Storage::Text | Storage::LongText | Storage::TextList);
    let properties = object.properties.values().filter(|property| property.searchable);
    let fields = properties.filter_map(|property| known(&property.name, object, context)).map(|known| known.field);
    known("display_name", object, context)
        .map(|known| known.field)
        .into_iter()
        .chain(fields.filter(|field| is_text(field.storage)))
        .collect()
}

/// Names to answer with: each must be one that some object has.
pub(super) fn check_select(
    text: &QueryText,
    objects: &[&ObjectDefinition],
    context: &ResolveContext<'_>,
    problems: &mut Problems,
) {
    for (index, name) in text.select.iter().flatten().enumerate() {
        let is_known = objects
            .iter()
            .any(|object| object.property_called(name).is_some_and(|property| (context.may_see)(object, property)));
        if is_known || objects.is_empty() {
            continue;
        }
        let at = format!("{}/{index}", push_segment(&text.pointer, "select"));
        let (code, message) = match SYSTEM_FIELDS.contains(&name.as_str()) {
            true => ("not_applicable", format!("`{name}` comes with every record: leave it out of `select`")),
            false => ("unknown_property", unknown(name, objects, context)),
        };
        problems.push(Problem::new(at, code, message));
    }
}

/// What several objects are sorted and grouped by must be of one type.
pub(super) fn check_alike(text: &QueryText, scopes: &[Scope], problems: &mut Problems) {
    let Some((first, others)) = scopes.split_first() else { return };
    for other in others {
        for (one, another) in first.sort.iter().zip(&other.sort) {
            let is_same = match (one, another) {
                (SortKey::Value { field: one, .. }, SortKey::Value { field: another, .. }) => {
                    (one.storage, one.form, &one.options) == (another.storage, another.form, &another.options)
                }
                (one, another) => one == another,
            };
            let name = [one, another].into_iter().find_map(SortKey::name);
            let sent = text.sort.iter().find(|sent| Some(sent.property.as_str()) == name);
            if let (false, Some(sent)) = (is_same, sent) {
                let at = push_segment(&sent.pointer, "property");
                problems.push(Problem::new(at, "not_applicable", not_alike(&sent.property, first, other)));
            }
        }
        for (sent, (one, another)) in text.aggregates.iter().zip(first.aggregates.iter().zip(&other.aggregates)) {
            for (at, one, _) in differences(sent, one, another) {
                problems.push(Problem::new(at, "not_applicable", not_alike(&one.name, first, other)));
            }
        }
    }
}

impl SortKey {
    /// The name of what is sorted by, where that is a value.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Value { field, .. } => Some(&field.name),
            Self::Relevance | Self::Id { .. } => None,
        }
    }
}

fn not_alike(name: &str, one: &Scope, other: &Scope) -> String {
    format!("`{name}` is of another type in `{}` than in `{}`", other.object, one.object)
}
