//! Names that stand for nothing, told once however many objects are asked.

use std::collections::HashMap;

use super::super::ast::{AggregateText, FilterForm, FilterText, GroupingText, QueryText};
use super::ResolveContext;
use super::known::{is_known, unknown};
use super::linked::unknown_association;
use crate::object::ObjectDefinition;
use crate::problem::{Problems, push_segment};
use crate::registry::Registry;

/// Objects that a message names one by one.
const MOST: usize = 3;

/// What a query names at a place.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Property(&'a str),
    Association(&'a str),
}

/// Makes one problem of those that several objects have with the same name, and says where it is known.
pub(super) fn tell_once(
    text: &QueryText,
    objects: &[&ObjectDefinition],
    context: &ResolveContext<'_>,
    problems: &mut Problems,
) {
    if objects.len() < 2 {
        return;
    }
    let mut asked = asked(text);
    problems.retain_mut(|problem| {
        if !matches!(problem.code, "unknown_property" | "unknown_association") {
            return true;
        }
        match asked.get_mut(&problem.pointer).map(Option::take) {
            Some(Some(name)) => {
                problem.message = name.message(objects, context);
                true
            }
            // It was told already.
            Some(None) => false,
            None => true,
        }
    });
}

impl Asked<'_> {
    fn message(self, objects: &[&ObjectDefinition], context: &ResolveContext<'_>) -> String {
        let has = |object: &&ObjectDefinition| match self {
            Self::Property(name) => is_known(name, object, context),
            Self::Association(name) => has_association(context.registry, name, object),
        };
        let (having, lacking): (Vec<_>, Vec<_>) = objects.iter().copied().partition(has);
        if having.is_empty() {
            return match self {
                Self::Property(name) => unknown(name, objects, context),
                Self::Association(name) => unknown_association(name, objects, context),
            };
        }
        let (having, lacking) = (listed(&having), listed(&lacking));
        let advice = format!("name those that have it in `objects`: {having}");
        match self {
            Self::Property(name) => format!("`{name}` is no property of {lacking}; {advice}"),
            Self::Association(name) => format!("no association `{name}` leads from or to {lacking}; {advice}"),
        }
    }
}

fn has_association(registry: &Registry, name: &str, object: &ObjectDefinition) -> bool {
    registry.associations_of(&object.name).any(|association| association.name.as_str() == name)
}

/// Every name that the query asks of each object, by its place.
fn asked(text: &QueryText) -> HashMap<String, Option<Asked<'_>>> {
    let mut asked = HashMap::new();
    for sent in &text.sort {
        asked.insert(push_segment(&sent.pointer, "property"), Some(Asked::Property(&sent.property)));
    }
    if let Some(filter) = &text.filter {
        add_filter(filter, &mut asked);
    }
    for table in &text.aggregates {
        add_table(table, &mut asked);
    }
    asked
}

fn add_filter<'a>(filter: &'a FilterText, asked: &mut HashMap<String, Option<Asked<'a>>>) {
    match &filter.form {
        FilterForm::All(list) | FilterForm::Any(list) => list.iter().for_each(|inner| add_filter(inner, asked)),
        FilterForm::Not(inner) => add_filter(inner, asked),
        FilterForm::Property(sent) => {
            asked.insert(push_segment(&filter.pointer, "property"), Some(Asked::Property(&sent.property)));
        }
        FilterForm::Association(sent) => {
            asked.insert(push_segment(&filter.pointer, "association"), Some(Asked::Association(&sent.association)));
        }
        FilterForm::List(_) => {}
    }
}

fn add_table<'a>(table: &'a AggregateText, asked: &mut HashMap<String, Option<Asked<'a>>>) {
    let groups = table.groups.iter().map(|group| match &group.grouping {
        GroupingText::Property(name) => (group.pointer.clone(), name),
        GroupingText::Date(name, _) => (push_segment(&group.pointer, "date"), name),
        GroupingText::Number(name, _) => (push_segment(&group.pointer, "number"), name),
    });
    let measures = table.measures.iter().filter_map(|measure| {
        let (function, name) = measure.form.of()?;
        Some((format!("{}/{function}", measure.pointer), name))
    });
    asked.extend(groups.chain(measures).map(|(pointer, name)| (pointer, Some(Asked::Property(name)))));
}

/// Objects as part of a sentence: a few of them by name.
pub(super) fn listed(objects: &[&ObjectDefinition]) -> String {
    let names = objects.iter().take(MOST).map(|object| format!("`{}`", object.name)).collect::<Vec<_>>().join(", ");
    match objects.len().saturating_sub(MOST) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}
