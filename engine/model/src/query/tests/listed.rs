//! Conditions on lists: what a list asks stands in the place of its name.

use std::sync::Arc;

use super::super::ast::FilterText;
use super::super::resolve::{Members, NamedList, NamedLists};
use super::super::resolve_filter;
use super::*;
use crate::RecordId;
use crate::problem::Problem;

fn text(filter: &Value) -> FilterText {
    read(&raw(filter)).expect("a filter")
}

/// Lists by their ids, each with its object and what it asks; nothing where members are put by hand.
fn lists(all: &[(&str, &str, Value)]) -> NamedLists {
    let list = |(id, of, filter): &(&str, &str, Value)| {
        let members = match filter {
            Value::Null => Members::Static([RecordId(3), RecordId(9)].into()),
            filter => Members::Dynamic(Arc::new(text(filter))),
        };
        ((*id).to_owned(), NamedList { object: object(of).name.clone(), members })
    };
    all.iter().map(list).collect()
}

fn resolved(filter: &Value, lists: Option<&NamedLists>) -> Result<String, Vec<(String, &'static str, String)>> {
    let context = ResolveContext { lists, ..context() };
    let found = resolve_filter(&text(filter), object("deal"), &context);
    let told = |problem: Problem| (problem.pointer, problem.code, problem.message);
    found.map(|filter| show(&filter)).map_err(|problems| problems.into_iter().map(told).collect())
}

#[test]
fn what_lists_ask_is_asked() {
    let lists = lists(&[
        ("1", "deal", json!({"property": "is_hot", "op": "eq", "value": true})),
        ("2", "deal", Value::Null),
        ("3", "deal", json!({"any": [{"list": "1"}, {"list": 2}]})),
        ("4", "company", json!({"association": "deal_company", "match": {"list": "1"}})),
    ]);
    for (filter, expected) in [
        (json!({"list": "1"}), "is_hot {true}"),
        (json!({"not": {"list": 2}}), "!one of 2"),
        (json!({"all": [{"list": "3"}]}), "((is_hot {true} | one of 2))"),
        (
            json!({"association": "deal_company", "match": {"list": "4"}}),
            ">deal_company any(company: <deal_company any(deal: is_hot {true}))",
        ),
    ] {
        assert_eq!(resolved(&filter, Some(&lists)).as_deref(), Ok(expected), "{filter}");
        let names: Vec<String> = text(&filter).lists().into_iter().map(str::to_owned).collect();
        assert_eq!(names.len(), 1, "{filter} names one list itself");
    }
    assert_eq!(resolved(&json!({"list": "99"}), None).as_deref(), Ok("everything"));
    let written = serde_json::to_value(text(&json!({"any": [{"list": 7}]}))).expect("JSON");
    assert_eq!(written, json!({"any": [{"list": "7"}]}));
}

#[test]
fn what_is_wrong_with_a_list_stands_where_it_is_named() {
    let lists = lists(&[
        ("1", "company", Value::Null),
        ("2", "deal", json!({"property": "gone", "op": "exists"})),
        ("3", "deal", json!({"association": "deal_company", "match": {"association": "deal_company"}})),
    ]);
    let refused = |filter: Value| resolved(&filter, Some(&lists)).expect_err("refused");
    let at = |pointer: &str, code, message: &str| vec![(pointer.to_owned(), code, message.to_owned())];
    assert_eq!(refused(json!({"list": "9"})), at("/list", "unknown", "there is no list `9`"));
    let message = "list 1 is one of `company` records, not of `deal`";
    assert_eq!(refused(json!({"any": [{"list": "1"}]})), at("/any/0/list", "not_applicable", message));
    // What it names is not told to those who may not see it.
    let message = "list 2 asks for something that is not there any more; look at its `problems`";
    assert_eq!(refused(json!({"list": "2"})), at("/list", "not_applicable", message));
    let deep = json!({"association": "deal_company", "match": {"association": "deal_company", "match": {"list": "3"}}});
    let message = "what list 3 asks leads along too many associations from here";
    let pointer = "/match/match/list";
    assert_eq!(refused(deep), at(pointer, "not_applicable", message));
}
