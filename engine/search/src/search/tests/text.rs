//! Full text: what is found, and in which order.

use engine_model::property::Storage;
use engine_model::query::{Field, Filter, Form, Key, Query, Scope, SortKey, Words, words};
use engine_model::{Name, Properties, TenantId};
use serde_json::json;

use super::reference::{Record, World};
use super::{Fixture, answer};
use crate::search::{Limits, budget::Budget};

fn fixture() -> Fixture {
    let texts = [
        (1, "Ada Lovelace", "wrote notes on the engine"),
        (2, "Charles Babbage", "built an engine with Ada Lovelace"),
        (3, "Adam Smith", "economics"),
        (4, "Émile Zola", "J'accuse… ADA"),
        (5, "Lovelace Ada", "the other way round"),
    ];
    let record = |(id, name, notes)| {
        let properties = Properties::from_iter([("name".to_owned(), json!(name)), ("notes".to_owned(), json!(notes))]);
        (id, Record { id, object: "deal", is_archived: false, properties })
    };
    Fixture::new(World { records: texts.into_iter().map(record).collect(), links: Vec::new() }, 2, false)
}

fn query(asked: Words) -> Query {
    let field = |property: &str, storage| Field {
        object: Name::new("deal").expect("a name"),
        name: Name::new(property).expect("a name"),
        storage,
        form: Form::Text,
        options: [].into(),
    };
    let searched =
        vec![field("display_name", Storage::Text), field("name", Storage::Text), field("notes", Storage::LongText)];
    let scope = Scope {
        object: Name::new("deal").expect("a name"),
        filter: Filter::everything(),
        searched,
        sort: vec![SortKey::Relevance],
        aggregates: Vec::new(),
    };
    Query {
        tenant: TenantId(1),
        scopes: vec![scope],
        archived: false,
        words: Some(asked),
        limit: 10,
        after: None,
        count: true,
    }
}

fn ids(asked: Words) -> Vec<i64> {
    let answer = fixture().ask(&query(asked));
    assert_eq!(answer.total, Some(answer.hits.len() as u64));
    answer.hits.iter().map(|hit| hit.place.id.0).collect()
}

fn asked(text: &str) -> Words {
    Words { words: words(text).collect(), is_last_prefix: true, ..Words::default() }
}

#[test]
fn every_word_must_be_found_and_names_come_first() {
    assert_eq!(ids(asked("ada")), [1, 5, 3, 2, 4]);
    assert_eq!(ids(asked("ADA lov")), [1, 5, 2]);
    assert_eq!(ids(asked("emile")), [4]);
    assert_eq!(ids(asked("engine smith")), [0_i64; 0]);
    // Who is called so and nothing else comes before who is called more.
    assert_eq!(ids(asked("lovelace ada")), [5, 1, 2]);
}

#[test]
fn only_the_last_word_is_taken_as_a_beginning() {
    assert_eq!(ids(asked("lovel ada")), [0_i64; 0]);
    assert_eq!(ids(Words { is_last_prefix: false, ..asked("lovel") }), [0_i64; 0]);
}

#[test]
fn letters_are_forgiven_where_asked() {
    assert_eq!(ids(asked("lovelaec")), [0_i64; 0]);
    assert_eq!(ids(Words { is_fuzzy: true, ..asked("lovelaec") }), [1, 5, 2]);
    assert_eq!(ids(Words { is_fuzzy: true, ..asked("abd") }), [0_i64; 0]);
    assert_eq!(ids(Words { is_fuzzy: true, is_last_prefix: false, ..asked("zolo") }), [4]);
}

#[test]
fn words_of_a_phrase_follow_each_other() {
    let phrase = |text: &str| Words { phrases: vec![words(text).collect()], ..Words::default() };
    assert_eq!(ids(phrase("ada lovelace")), [1, 2]);
    assert_eq!(ids(phrase("lovelace ada")), [5]);
    assert_eq!(ids(phrase("babbage")), [2]);
}

#[test]
fn pages_by_relevance_lose_and_repeat_nobody() {
    let fixture = fixture();
    let mut query = Query { limit: 1, ..query(asked("ada")) };
    let mut found = Vec::new();
    loop {
        let answer = fixture.ask(&query);
        found.extend(answer.hits.iter().map(|hit| hit.place.id.0));
        query.after = answer.hits.last().map(|hit| hit.place.clone());
        assert!(matches!(query.after.as_ref().map(|place| place.keys.as_slice()), Some([Key::Number(_)])));
        if !answer.has_more {
            break;
        }
    }
    assert_eq!(found, [1, 5, 3, 2, 4]);
}

#[test]
fn what_costs_too_much_is_refused() {
    let fixture = fixture();
    let limits = Limits { time: std::time::Duration::ZERO, ..Limits::default() };
    let refused = answer(&fixture.searcher, &fixture.kept, &query(asked("ada")), limits).expect_err("too slow");
    assert!(refused.to_string().contains("was stopped after 0 s"), "{refused}");
    let budget = Budget::new(Limits { memory_bytes: 1024 * 1024, ..Limits::default() });
    assert!(budget.take_memory(1024 * 1024).is_ok());
    let refused = budget.take_memory(1).expect_err("too much");
    assert!(refused.to_string().contains("more than 1 MiB"), "{refused}");
    budget.give_back(2);
    assert!(budget.take_memory(1).is_ok());
}
