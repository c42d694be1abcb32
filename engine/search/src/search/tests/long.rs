//! Texts that are too long to stand in a dictionary as they are.

use std::ops::Bound;

use engine_model::property::Storage;
use engine_model::query::{Aggregate, Field, Filter, Form, Group, Measure, Order, Query, Scope, Test, fold};
use engine_model::{Name, Properties, TenantId};
use serde_json::json;

use super::Fixture;
use super::reference::{Record, World};

/// Longer than an entry of a dictionary can be, and alike to far beyond that.
fn texts() -> Vec<String> {
    let long = |length: usize, end: &str| format!("{}{end}", "Äb".repeat(length));
    vec![
        long(22_000, ""),
        long(22_000, "X"),
        long(22_000, "Y"),
        long(22_000, "y"),
        long(2_000, ""),
        // Folding changes nothing about these.
        "c".repeat(9_000),
        format!("{}d", "c".repeat(9_000)),
        "c".repeat(8_192),
        "short".to_owned(),
    ]
}

fn query(filter: impl FnOnce(Field) -> Filter) -> Query {
    let name = |text: &str| Name::new(text).expect("a name");
    let (object, storage, form) = (name("deal"), Storage::Text, Form::Text);
    let code = Field { object: object.clone(), name: name("code"), since: 0, storage, form, options: [].into() };
    let aggregate = Aggregate {
        name: "codes".to_owned(),
        groups: vec![Group::Value(code.clone())],
        measures: vec![("n".to_owned(), Measure::Count), ("d".to_owned(), Measure::CountDistinct(code.clone()))],
        limit: 100,
        order: vec![Order::Key { is_descending: false }],
    };
    let (filter, aggregates) = (filter(code), vec![aggregate]);
    let scope = Scope { object, filter, searched: Vec::new(), sort: Vec::new(), aggregates };
    let (tenant, archived, words, limit, after) = (TenantId(1), false, None, 100, None);
    Query { tenant, scopes: vec![scope], archived, words, limit, after, count: true }
}

fn fixture() -> Fixture {
    let record = |(id, text): (i64, String)| {
        let properties = Properties::from_iter([("code".to_owned(), json!(text))]);
        (id, Record { id, object: "deal", is_archived: false, properties })
    };
    Fixture::new(World { records: (1..).zip(texts()).map(record).collect(), links: Vec::new() }, 2, false)
}

#[test]
fn long_texts_are_compared_and_grouped_to_their_ends() {
    let fixture = fixture();
    let folded: Vec<String> = texts().iter().map(|text| fold(text)).collect();
    let mut tests = vec![Test::StartsWith("c".repeat(8_193)), Test::StartsWith("c".repeat(8_191))];
    for text in &folded {
        let (from, to) = (Bound::Included(text.clone()), Bound::Excluded(text.clone()));
        tests.extend([
            Test::Texts(vec![text.clone()]),
            Test::StartsWith(text.clone()),
            Test::Between(from.clone(), Bound::Unbounded),
            Test::Between(Bound::Unbounded, to.clone()),
            Test::Between(Bound::Excluded(folded[4].clone()), Bound::Included(text.clone())),
        ]);
    }
    tests.extend(["bx", "by", "cccd", "abab", "cd0", "\u{1f}"].map(|part| Test::Parts(vec![part.to_owned()])));
    for test in tests {
        let mut query = query(|code| Filter::Is(code, test));
        query.scopes[0].aggregates.clear();
        fixture.check(query).expect("what a plain reading gives");
    }
}

#[test]
fn keys_of_groups_are_whole() {
    let answer = fixture().ask(&query(|_| Filter::everything()));
    let mut keys: Vec<String> = answer.tables[0]
        .rows
        .iter()
        .map(|row| {
            assert_eq!(row.measures.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(), [json!(1), json!(1)]);
            row.key.as_ref().expect("a key")[0].as_str().expect("a text").to_owned()
        })
        .collect();
    let mut expected = texts();
    keys.sort();
    expected.sort();
    assert!(keys == expected);
}
