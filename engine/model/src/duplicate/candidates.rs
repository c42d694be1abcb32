//! What is asked of the index to find records that may be duplicates of one: a few questions whose answers hold all that
//! agree by a rule of equal values, and most that agree by similar ones.

use std::collections::BTreeSet;

use serde_json::value::to_raw_value;

use super::likeness::{is_of_hosts, keys_of, texts_of, values_of};
use super::rule::DuplicateRule;
use crate::Properties;
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::query::resolve::{Operator, condition, known};
use crate::query::{Field, Filter, Query, ResolveContext, Scope, SortKey, Test, fold, words};

/// Records that one question brings. More are alike only where a value says nothing, such as a switchboard's number.
const AT_MOST: usize = 50;

/// Letters with which a similar text begins that is alone.
const BEGINNING: usize = 5;

/// The same of one of several, where the others are equal.
const BEGINNING_OF_ONE: usize = 1;

/// Questions whose answers may be duplicates of a record with these properties, by those of the object's rules that are
/// `wanted`.
pub fn candidates(
    object: &ObjectDefinition,
    record: &Properties,
    wanted: impl Fn(&DuplicateRule) -> bool,
    context: &ResolveContext<'_>,
) -> Vec<Query> {
    let Some(readable) = (context.readable)(&object.name) else { return Vec::new() };
    let ask = |filter: Filter| Query {
        tenant: context.tenant,
        scopes: vec![Scope {
            object: object.name.clone(),
            filter: Filter::All(vec![readable.clone(), filter]),
            searched: Vec::new(),
            sort: vec![SortKey::Id { is_descending: false }],
            aggregates: Vec::new(),
        }],
        archived: false,
        words: None,
        limit: AT_MOST,
        after: None,
        count: false,
    };
    let all = |parts: Vec<Option<Filter>>| parts.into_iter().collect::<Option<Vec<_>>>().map(Filter::All);
    let mut questions = Vec::new();
    for rule in object.duplicates.iter().filter(|rule| wanted(rule)) {
        let of_each = |ask: &dyn Fn(&[Name]) -> Option<Filter>| all(rule.parts.iter().map(|part| ask(part)).collect());
        let is_equal = |part: &[Name]| equal(part, object, record, context);
        if rule.similar.is_none() {
            questions.extend(of_each(&is_equal).map(ask));
            continue;
        }
        // Those that have all the words, however they are written, and those that begin alike: one text by five letters,
        // which the index has in order, and of several all but one equal, which leaves few to look at.
        questions.extend(of_each(&|part| with_words(part, object, record, context)).map(ask));
        if let [part] = rule.parts.as_slice() {
            questions.extend(beginning(part, BEGINNING, object, record, context).map(ask));
            continue;
        }
        for other in 0..rule.parts.len() {
            let others = rule.parts.iter().enumerate().filter(|(at, _)| *at != other);
            let equal: Vec<_> = others.map(|(_, part)| is_equal(part)).collect();
            let begins =
                rule.parts.get(other).and_then(|part| beginning(part, BEGINNING_OF_ONE, object, record, context));
            questions.extend(all(equal.iter().cloned().chain([begins]).collect()).map(ask));
            questions.extend(all(equal).map(ask));
        }
    }
    questions
}

/// That a part has all words that tell something; none where the record has no value there.
fn with_words(
    part: &[Name],
    object: &ObjectDefinition,
    record: &Properties,
    context: &ResolveContext<'_>,
) -> Option<Filter> {
    let texts = texts_of(part, object, record);
    let fields: Vec<Field> = part.iter().filter_map(|name| Some(known(name, object, context)?.field)).collect();
    let ways: Vec<Filter> = texts
        .into_iter()
        .flat_map(|words| fields.iter().map(move |field| Filter::Is(field.clone(), Test::Words(words.clone()))))
        .collect();
    (!ways.is_empty()).then_some(Filter::Any(ways))
}

/// That a part agrees; none where the record has no value there.
fn equal(
    part: &[Name],
    object: &ObjectDefinition,
    record: &Properties,
    context: &ResolveContext<'_>,
) -> Option<Filter> {
    let mut ways = Vec::new();
    if is_of_hosts(part, object) {
        for host in keys_of(part, object, record) {
            ways.extend(part.iter().filter_map(|name| of_host(name, &host, object, context)));
        }
    } else {
        for (_, value) in values_of(part, object, record) {
            let Ok(raw) = to_raw_value(value) else { continue };
            let known = part.iter().filter_map(|name| known(name, object, context));
            // A value that another property cannot have is not there.
            ways.extend(known.filter_map(|known| condition(&known, Operator::Eq, Some(&raw), context).ok()));
        }
    }
    (!ways.is_empty()).then_some(Filter::Any(ways))
}

/// That a property holds an address at a host; some others beside, whose hosts only look like it.
fn of_host(name: &Name, host: &str, object: &ObjectDefinition, context: &ResolveContext<'_>) -> Option<Filter> {
    let known = known(name, object, context)?;
    let field = known.field.clone();
    Some(match known.kind.name() {
        "url" => {
            let begins = |scheme: &str| {
                ["", "www."].map(|front| {
                    Filter::Is(field.clone(), Test::StartsWith(fold(&format!("{scheme}://{front}{host}"))))
                })
            };
            Filter::Any(["https", "http"].into_iter().flat_map(begins).collect())
        }
        "email" => Filter::Is(field, Test::Words(words(host).collect())),
        _ => Filter::Is(field, Test::Texts(vec![host.to_owned(), format!("www.{host}")])),
    })
}

/// That a part begins alike; none where the record has no value there.
fn beginning(
    part: &[Name],
    letters: usize,
    object: &ObjectDefinition,
    record: &Properties,
    context: &ResolveContext<'_>,
) -> Option<Filter> {
    let beginnings: BTreeSet<String> = values_of(part, object, record)
        .filter_map(|(_, value)| value.as_str())
        .map(|text| fold(text).trim().chars().take(letters).collect::<String>())
        .filter(|beginning| !beginning.is_empty())
        .collect();
    let fields: Vec<Field> = part.iter().filter_map(|name| Some(known(name, object, context)?.field)).collect();
    let ways: Vec<Filter> = beginnings
        .into_iter()
        .flat_map(|beginning| {
            fields.iter().map(move |field| Filter::Is(field.clone(), Test::StartsWith(beginning.clone())))
        })
        .collect();
    (!ways.is_empty()).then_some(Filter::Any(ways))
}
