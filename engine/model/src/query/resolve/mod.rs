//! From a query as sent to one with every name resolved: all that is wrong with it at once, each with its place.
//!
//! Codes of problems beside those of values, which [`property`](crate::property) lists:
//!
//! | code | meaning |
//! | --- | --- |
//! | `unknown_property`, `unknown_association`, `unknown_operator`, `unknown` | no such name; the nearest one is told |
//! | `not_applicable` | what is asked does not fit the type of the property |
//! | `too_deep`, `too_many`, `too_large`, `too_long`, `too_small`, `too_costly` | beyond a limit |
//! | `invalid` | no such value, or a cursor of another search |
//! | `required` | something is missing |

mod aggregate;
mod condition;
mod filter;
mod keys;
mod known;
mod linked;
mod listed;
mod names;
mod operand;
mod operator;
mod scope;
mod sort;
mod words;
mod work;

use std::collections::HashSet;

use chrono_tz::Tz;

pub use aggregate::MAX_ROWS;
pub(crate) use condition::condition;
pub(crate) use known::known;
pub(super) use known::{Known, unknown};
pub use known::{field_of, system_field};
pub use linked::MAX_HOPS;
pub use listed::{Members, NamedList, NamedLists};
pub(crate) use operator::Operator;
pub use words::{MAX_TEXT, MAX_WORDS};

use super::ast::{FilterText, QueryText};
use super::cursor::Cursor;
use super::formerly::Formerly;
use super::moment::Clock;
use super::typed::{Filter, Place, Query, Scope};
use crate::TenantId;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::{Locale, Property};
use crate::registry::Registry;
use crate::time::Timestamp;
use work::Work;

/// Most hits on a page.
pub const MAX_LIMIT: usize = 200;

/// Most problems that are told; a long filter over many objects could have very many.
const MAX_PROBLEMS: usize = 1_000;

/// What names and values of a query mean, and what its caller may see.
#[derive(Clone, Copy)]
pub struct ResolveContext<'a> {
    /// Whose query it is.
    pub tenant: TenantId,
    /// The tenant's definitions.
    pub registry: &'a Registry,
    /// What time it is.
    pub now: Timestamp,
    /// Where days begin.
    pub zone: Tz,
    /// How values such as phone numbers are read.
    pub locale: &'a Locale,
    /// Which records of an object the caller may see; none at all where it is `None`.
    pub readable: &'a dyn Fn(&str) -> Option<Filter>,
    /// Whether the caller may see a property; otherwise it is as if it did not exist.
    pub may_see: &'a dyn Fn(&ObjectDefinition, &Property) -> bool,
    /// The lists that may be named. Where it is `None`, which lists there are is not known, and each is taken to have
    /// every record: whoever resolves so asks for what else is wrong.
    pub lists: Option<&'a NamedLists>,
    /// Properties that are asked for as they were before their migration.
    pub formerly: Option<&'a Formerly>,
}

impl ResolveContext<'_> {
    pub(super) fn clock(&self) -> Clock {
        Clock { now: self.now, zone: self.zone }
    }
}

/// Resolves a query of `objects`, or says everything that is wrong with it.
///
/// Names must be known in each of the objects, and what is sorted and grouped by must be of the same type in all.
pub fn resolve(
    text: &QueryText,
    objects: &[&ObjectDefinition],
    context: &ResolveContext<'_>,
) -> Result<Query, Problems> {
    let mut problems = Problems::new();
    let words = words::full_text(text, &mut problems);
    check_limit(text, &mut problems);
    scope::check_select(text, objects, context, &mut problems);
    let work = Work::new(context);
    let mut scopes = Vec::with_capacity(objects.len());
    for object in objects {
        scopes.push(scope::scope(text, object, words.is_some(), &work, &mut problems));
    }
    names::tell_once(text, objects, context, &mut problems);
    if work.is_exhausted() {
        problems.push(too_costly(push_segment(&text.pointer, "filter")));
    }
    if problems.is_empty() {
        scope::check_alike(text, &scopes, &mut problems);
    }
    let after = place(text, &scopes, context, &mut problems);
    if problems.is_empty() {
        let (archived, limit, count) = (text.archived, text.limit, text.count);
        return Ok(Query { tenant: context.tenant, scopes, archived, words, limit, after, count });
    }
    Err(told(problems))
}

/// Resolves a filter of `object` that stands alone, or says everything that is wrong with it. What the caller may not see
/// of the object is not part of it.
pub fn resolve_filter(
    text: &FilterText,
    object: &ObjectDefinition,
    context: &ResolveContext<'_>,
) -> Result<Filter, Problems> {
    let (mut problems, work) = (Problems::new(), Work::new(context));
    let resolved = filter::filter(text, object, 0, &work, &mut problems);
    if work.is_exhausted() {
        problems.push(too_costly(text.pointer.clone()));
    }
    match resolved {
        Some(resolved) if problems.is_empty() => Ok(resolved),
        _ => Err(told(problems)),
    }
}

fn too_costly(pointer: String) -> Problem {
    let message = "the filter takes too much work for all objects that it leads to; ask less, or of fewer objects";
    Problem::new(pointer, "too_costly", message)
}

/// Where the page begins. Of which search a cursor is can only be told where the rest is in order.
fn place(text: &QueryText, scopes: &[Scope], context: &ResolveContext<'_>, problems: &mut Problems) -> Option<Place> {
    let place = Cursor::read(text.cursor.as_deref()?).and_then(|cursor| match problems.is_empty() {
        true => cursor.place(context.tenant, text, scopes).map(Some),
        false => Ok(None),
    });
    let told = |message| problems.push(Problem::new(push_segment(&text.pointer, "cursor"), "invalid", message));
    place.map_err(told).ok().flatten()
}

fn check_limit(text: &QueryText, problems: &mut Problems) {
    if text.limit > MAX_LIMIT {
        let message = format!("at most {MAX_LIMIT} records are answered at once; go on with `cursor`");
        problems.push(Problem::new(push_segment(&text.pointer, "limit"), "too_large", message));
    }
}

/// What is told of the problems: each once, though several objects may have it.
fn told(problems: Problems) -> Problems {
    let mut seen = HashSet::new();
    let is_new = |problem: &Problem| seen.insert((problem.pointer.clone(), problem.message.clone()));
    problems.into_iter().filter(is_new).take(MAX_PROBLEMS).collect()
}
