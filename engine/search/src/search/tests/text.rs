//! Full text: what is found, and in which order.

use engine_model::property::Storage;
use engine_model::query::{Field, Filter, Form, Key, Query, Scope, SortKey, Words, words};
use engine_model::{Name, Properties, TenantId};
use serde_json::json;

use super::reference::{Record, World};
use super::{Fixture, answer};
use crate::search::{Limits, budget::Budget};

/// Deals with these properties, from id 1 on.
fn deals(all: &[serde_json::Value]) -> Fixture {
    let record = |(id, properties): (i64, &serde_json::Value)| {
        let properties = properties.as_object().expect("properties").clone().into_iter().collect();
        (id, Record { id, object: "deal", is_archived: false, properties })
    };
    Fixture::new(World { records: (1..).zip(all).map(record).collect(), links: Vec::new() }, 2, false)
}

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
        since: 0,
        storage,
        form: Form::Text,
        options: [].into(),
    };
    let texts = ["display_name", "name", "mail", "site", "host"].map(|property| field(property, Storage::Text));
    let searched = texts.into_iter().chain([field("notes", Storage::LongText)]).collect();
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
    ids_of(&fixture(), asked)
}

fn ids_of(fixture: &Fixture, asked: Words) -> Vec<i64> {
    let answer = fixture.ask(&query(asked));
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
fn words_are_cut_alike_in_records_and_in_questions() {
    let fixture = deals(&[
        json!({"name": "Shaun O'Neil"}),
        json!({"name": "Pat O’Brien"}),
        json!({"name": "foo.bar"}),
        json!({"name": "snake_case_name"}),
        json!({"name": "6", "notes": "Write to john.doe@example.com."}),
        json!({"name": "7", "site": "https://www.example.net/a/b"}),
        json!({"name": "8", "host": "shop.example.co.uk"}),
        json!({"name": "H₂O"}),
        json!({"name": "9", "notes": "About 3.14, or x²"}),
        json!({"name": "10", "mail": "jane.roe@mail.example.org"}),
    ]);
    for (text, expected) in [
        ("neil", &[1][..]),
        ("o'neil", &[1]),
        ("O’NEIL", &[1]),
        ("o'brien", &[2]),
        ("o’bri", &[2]),
        ("bar", &[3]),
        ("foo.bar", &[3]),
        ("case", &[4]),
        ("snake_case", &[4]),
        ("doe", &[5]),
        ("john.doe@example.com", &[5]),
        ("example.net", &[6]),
        ("www.example.net", &[6]),
        ("example.co.uk", &[7]),
        ("h2o", &[8]),
        ("H₂O", &[8]),
        ("3.14", &[9]),
        ("x2", &[9]),
        ("roe", &[10]),
        ("jane.roe@mail.example.org", &[10]),
        ("jane.ro", &[10]),
        ("🎉", &[]),
        ("!!!", &[]),
        ("*", &[]),
    ] {
        assert_eq!(ids_of(&fixture, asked(text)), expected, "{text}");
    }
    let phrase = |text: &str| Words { phrases: vec![words(text).collect()], ..Words::default() };
    for (text, expected) in [("example.net", &[6][..]), ("net example", &[]), ("roe mail", &[10]), ("o brien", &[2])] {
        assert_eq!(ids_of(&fixture, phrase(text)), expected, "{text}");
    }
}

#[test]
fn who_is_called_so_comes_first_however_the_name_is_written() {
    let fixture = deals(&[json!({"name": "Brien O"}), json!({"name": "O’Brien"}), json!({"name": "O'Brien & Sons"})]);
    assert_eq!(ids_of(&fixture, asked("o'brien")), [2, 1, 3]);
}

#[test]
fn a_long_word_is_found_and_none_is_taken_for_it() {
    let long = |length: usize, end: &str| format!("{}{end}", "a".repeat(length));
    let fixture = deals(&[
        json!({"name": long(256, "")}),
        json!({"name": long(256, "b")}),
        json!({"name": "3", "notes": long(8_000, "")}),
        json!({"name": "4", "notes": long(100_000, "c")}),
    ]);
    let whole = |text: &str| Words { is_last_prefix: false, ..asked(text) };
    assert_eq!(ids_of(&fixture, whole(&long(256, ""))), [1]);
    assert_eq!(ids_of(&fixture, whole(&long(256, "b"))), [2]);
    assert_eq!(ids_of(&fixture, whole(&long(8_000, ""))), [3]);
    assert_eq!(ids_of(&fixture, asked(&long(257, ""))), [3, 4]);
    assert_eq!(ids_of(&fixture, asked(&long(8_001, ""))), [4]);
    assert_eq!(ids_of(&fixture, whole(&long(20_000, ""))), [0_i64; 0]);
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
