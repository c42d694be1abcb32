//! Conditions on being a member of a list.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::ast::FilterText;
use super::super::typed::Filter;
use super::filter::filter;
use super::work::Work;
use crate::RecordId;
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::excerpt;

/// The lists that a filter may name, by id, those that they name themselves among them.
pub type NamedLists = HashMap<String, NamedList>;

/// A list that a filter may name.
#[derive(Debug, Clone)]
pub struct NamedList {
    /// Whose records are in it.
    pub object: Name,
    /// Which of them are.
    pub members: Members,
}

/// Which records are in a list.
#[derive(Debug, Clone)]
pub enum Members {
    /// These, lowest first, each once.
    Static(Arc<[RecordId]>),
    /// All that meet this.
    Dynamic(Arc<FilterText>),
}

/// What being in the list with this id asks of a record of `object`: what a list asks stands in the place of its name,
/// so that it is asked with the caller's own rights. Lists do not name each other in circles.
pub(super) fn listed(
    id: &str,
    pointer: &str,
    object: &ObjectDefinition,
    hops: usize,
    work: &Work<'_>,
    problems: &mut Problems,
) -> Option<Filter> {
    let mut refuse = |code, message: String| {
        problems.push(Problem::new(push_segment(pointer, "list"), code, message));
        None
    };
    let Some(lists) = work.context.lists else { return Some(Filter::everything()) };
    let Some(list) = lists.get(id) else {
        return refuse("unknown", format!("there is no list `{}`", excerpt(id)));
    };
    if list.object != object.name {
        return refuse(
            "not_applicable",
            format!("list {id} is one of `{}` records, not of `{}`", list.object, object.name),
        );
    }
    match &list.members {
        Members::Static(ids) => Some(Filter::Listed(Arc::clone(ids))),
        Members::Dynamic(text) => {
            let mut found = Problems::new();
            let asked = filter(text, object, hops, work, &mut found);
            match asked {
                Some(asked) if found.is_empty() => Some(asked),
                // Names that the caller may not see are not told.
                _ if !work.is_exhausted() => refuse("not_applicable", unusable(id, &found)),
                _ => None,
            }
        }
    }
}

fn unusable(id: &str, found: &Problems) -> String {
    match found.iter().any(|problem| problem.code == "too_deep") {
        true => format!("what list {id} asks leads along too many associations from here"),
        false => format!("list {id} asks for something that is not there any more; look at its `problems`"),
    }
}
