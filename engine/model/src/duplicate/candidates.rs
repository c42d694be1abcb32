//! What is asked of the index to find records that may be duplicates of one: a few questions whose answers hold all that
//! agree by a rule of equal values, and most that agree by similar ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::value::to_raw_value;

use super::likeness::{Texts, is_of_hosts, keys_of, texts_of, values_of};
use super::rule::DuplicateRule;
use crate::Properties;
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::query::resolve::{Operator, condition, known};
use crate::query::{Few, Field, Filter, Question, ResolveContext, Test, TextTest, fold, words};

/// Records that one question brings. More are alike only where a value says nothing, such as a switchboard's number.
const AT_MOST: usize = 50;

/// Letters with which a similar text begins that is alone; with more where too many do.
const BEGINNINGS: [usize; 3] = [5, 8, 12];

/// The same of one of several where the others are equal, if too many have those.
const BEGINNINGS_OF_ONE: [usize; 4] = [1, 3, 5, 8];

/// What brings records that may be duplicates of one with these properties, by those of the object's rules that are
/// `wanted`.
pub fn candidates(
    object: &ObjectDefinition,
    record: &Properties,
    wanted: impl Fn(&DuplicateRule) -> bool,
    context: &ResolveContext<'_>,
) -> Few {
    let readable = (context.readable)(&object.name);
    let questions = match &readable {
        Some(readable) => questions(object, record, wanted, context, readable),
        None => Vec::new(),
    };
    Few { tenant: context.tenant, object: object.name.clone(), questions, most: AT_MOST }
}

fn questions(
    object: &ObjectDefinition,
    record: &Properties,
    wanted: impl Fn(&DuplicateRule) -> bool,
    context: &ResolveContext<'_>,
    readable: &Filter,
) -> Vec<Question> {
    let all = |parts: Vec<Option<Filter>>| {
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Filter::All([vec![readable.clone()], parts].concat()))
    };
    let mut questions = Vec::new();
    for rule in object.duplicates.iter().filter(|rule| wanted(rule)) {
        let is_equal = |part: &Vec<Name>| equal(part, object, record, context);
        if rule.similar.is_none() {
            let equal = all(rule.parts.iter().map(is_equal).collect());
            questions.extend(equal.map(|filter| Question { steps: vec![filter], texts: Vec::new() }));
            continue;
        }
        let texts: Vec<TextTest> = rule.parts.iter().map(|part| like(part, object, record, context)).collect();
        // Those that have all the words, however they are written, and those that begin alike: a text that is alone by
        // letters which the index has in order, and one of several beside the others, which are equal.
        let has_words = |part: &Vec<Name>| with_words(part, object, record, context);
        let words = all(rule.parts.iter().map(has_words).collect());
        questions.extend(words.map(|filter| Question { steps: vec![filter], texts: texts.clone() }));
        for (at, part) in rule.parts.iter().enumerate() {
            let others = rule.parts.iter().enumerate().filter(|(other, _)| *other != at);
            let others: Vec<_> = others.map(|(_, part)| is_equal(part)).collect();
            let begins = |letters: usize| beginning(part, letters, object, record, context);
            let steps: Option<Vec<Filter>> = match others.as_slice() {
                [] => BEGINNINGS.into_iter().map(|letters| all(vec![begins(letters)])).collect(),
                _ => [all(others)].into_iter().chain(BEGINNINGS_OF_ONE.into_iter().map(begins)).collect(),
            };
            questions.extend(steps.map(|steps| Question { steps, texts: texts.clone() }));
        }
    }
    questions
}

/// That a part is alike enough for any rule.
fn like(part: &[Name], object: &ObjectDefinition, record: &Properties, context: &ResolveContext<'_>) -> TextTest {
    let own = Texts::of(part, object, record);
    TextTest { fields: fields_of(part, object, context), passes: Arc::new(move |text| own.may_be_like(text)) }
}

fn fields_of(part: &[Name], object: &ObjectDefinition, context: &ResolveContext<'_>) -> Vec<Field> {
    part.iter().filter_map(|name| Some(known(name, object, context)?.field)).collect()
}

/// That a part has all words that tell something; none where the record has no value there.
fn with_words(
    part: &[Name],
    object: &ObjectDefinition,
    record: &Properties,
    context: &ResolveContext<'_>,
) -> Option<Filter> {
    let texts = texts_of(part, object, record);
    let fields = fields_of(part, object, context);
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
    let fields = fields_of(part, object, context);
    let ways: Vec<Filter> = beginnings
        .into_iter()
        .flat_map(|beginning| {
            fields.iter().map(move |field| Filter::Is(field.clone(), Test::StartsWith(beginning.clone())))
        })
        .collect();
    (!ways.is_empty()).then_some(Filter::Any(ways))
}
