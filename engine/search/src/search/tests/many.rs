//! Lists so long that they are kept, and orders in which many records are the same.

use std::ops::RangeInclusive;

use engine_model::query::{Filter, Query, Scope, SortKey, Test, Words};
use engine_model::{Properties, TenantId};
use proptest::prelude::*;
use serde_json::json;

use super::reference::{Record, World};
use super::{Fixture, questions};

/// Deals of three stages, one after another, two of three of them hot.
fn fixture(is_mixed: bool) -> Fixture {
    let record = |id: i64| {
        let stage = ["open", "won", "lost"][usize::try_from(id % 3).expect("a place")];
        let properties = json!({"name": format!("Ada {}", id % 2), "stage": stage, "hot": id % 3 > 0, "days": id % 7});
        let properties: Properties = properties.as_object().expect("an object").clone();
        (id, Record { id, object: "deal", is_archived: false, properties })
    };
    Fixture::new(World { records: (1..=1_200).map(record).collect(), links: Vec::new() }, 2, is_mixed)
}

fn query(filters: Vec<Filter>, sort: Vec<SortKey>) -> Query {
    let deal = questions::deal("stage").object;
    let searched = vec![questions::deal("name")];
    let scope = Scope { object: deal, filter: Filter::All(filters), searched, sort, aggregates: Vec::new() };
    Query {
        tenant: TenantId(1),
        scopes: vec![scope],
        archived: false,
        words: None,
        limit: 100,
        after: None,
        count: true,
    }
}

fn is(property: &str, texts: &[&str]) -> Filter {
    Filter::Is(questions::deal(property), Test::Texts(texts.iter().map(|text| (*text).to_owned()).collect()))
}

fn days(days: RangeInclusive<i64>) -> Filter {
    Filter::Is(questions::deal("days"), Test::Numbers(vec![days]))
}

fn queries() -> Vec<Query> {
    let by = |name: &str, is_descending| SortKey::Value { field: questions::deal(name), is_descending };
    let won = || is("stage", &["won"]);
    let id = |is_descending| SortKey::Id { is_descending };
    vec![
        query(vec![won()], vec![id(false)]),
        query(vec![won(), is("hot", &["true"]), days(2..=3)], vec![id(true)]),
        query(vec![Filter::Not(Box::new(won()))], vec![by("stage", true)]),
        query(vec![is("stage", &["won", "lost"]), is("hot", &["true"])], vec![by("stage", false), by("days", true)]),
        query(vec![is("name", &["ada 1"]), won()], vec![by("name", false), id(true)]),
        // Few candidates, then a long list.
        query(vec![Filter::Ids((1..20).map(engine_model::RecordId).collect()), won()], vec![by("days", false)]),
    ]
}

#[test]
fn what_is_kept_of_long_lists_does_not_bring_back_what_is_deleted() -> Result<(), TestCaseError> {
    for is_mixed in [false, true] {
        let mut fixture = fixture(is_mixed);
        for ids in [5_000..=5_000, 1..=300, 1_150..=1_200, 301..=1_149] {
            fixture.delete(ids);
            for query in queries().into_iter().chain(queries()) {
                fixture.check(query)?;
            }
        }
    }
    Ok(())
}

#[test]
fn pages_by_relevance_have_each_record_once_where_all_match_alike() {
    for is_mixed in [false, true] {
        let mut fixture = fixture(is_mixed);
        fixture.delete(100..=200);
        for sort in [vec![], vec![SortKey::Value { field: questions::deal("days"), is_descending: true }]] {
            let mut query = query(vec![], [vec![SortKey::Relevance], sort].concat());
            query.words = Some(Words { words: vec!["ada".to_owned()], is_last_prefix: true, ..Words::default() });
            let mut expected: Vec<i64> = fixture.world.records.keys().copied().collect();
            if query.scopes[0].sort.len() > 1 {
                expected.sort_by_key(|id| (-(id % 7), *id));
            }
            let mut found: Vec<i64> = Vec::new();
            loop {
                let answer = fixture.ask(&query);
                found.extend(answer.hits.iter().map(|hit| hit.place.id.0));
                query.after = answer.hits.last().map(|hit| hit.place.clone());
                if !answer.has_more {
                    break;
                }
            }
            assert_eq!(found, expected);
        }
    }
}
