use std::sync::Arc;

use engine_model::access::Rights;
use serde_json::json;

use super::super::bind::bind;
use super::super::testing::catalog;
use super::super::{layout, line};
use super::*;
use crate::definitions::catalog::Catalog;

fn everything() -> Arc<Rights> {
    Arc::new(Rights::everything())
}

/// Reads one row of CSV; none where it is passed over.
fn csv(map: &str, header: &[&str], cells: &[&str]) -> Option<RowDraft> {
    let (map, catalog) = (ColumnMap::read(map).expect("a map"), catalog());
    let bound = bind(&map, &catalog, "deal", &everything()).expect("it fits");
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let layout = layout::of_header(&map, &bound, &catalog, &header).expect("it fits");
    let given: Vec<Given<'_>> = cells.iter().map(|cell| Given::Text(cell)).collect();
    let mut draft = RowDraft::new(1, 2);
    read(&map, &bound, &layout, &given, &mut draft).then_some(draft)
}

/// Reads one line of NDJSON.
fn ndjson(map: &str, text: &str) -> RowDraft {
    let (map, catalog) = (ColumnMap::read(map).expect("a map"), catalog());
    let bound = bind(&map, &catalog, "deal", &everything()).expect("it fits");
    let mut draft = RowDraft::new(1, 1);
    assert!(line::read(&map, &bound, &layout::of_map(&map, &bound), &catalog, text, &mut draft));
    draft
}

fn properties(draft: &RowDraft) -> Value {
    let pairs =
        draft.properties.iter().map(|(name, raw)| (name.clone(), serde_json::from_str(raw.get()).expect("JSON")));
    Value::Object(pairs.collect())
}

fn problems(draft: &RowDraft) -> Vec<(Option<&str>, &str, &str)> {
    draft.problems.iter().map(|found| (found.column.as_deref(), found.pointer.as_str(), found.code.as_str())).collect()
}

fn links(draft: &RowDraft) -> Vec<(&str, &str, &str, &str)> {
    draft
        .links
        .iter()
        .map(|link| {
            let aim = &link.wanted.by;
            (aim.association.as_str(), aim.object.as_str(), aim.by.as_str(), link.wanted.text.as_str())
        })
        .collect()
}

/// What does not fit about a header.
fn unfit(map: &str, header: &[&str]) -> Vec<(String, String)> {
    let (map, catalog): (_, Catalog) = (ColumnMap::read(map).expect("a map"), catalog());
    let bound = bind(&map, &catalog, "deal", &everything()).expect("it fits");
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let problems = layout::of_header(&map, &bound, &catalog, &header).expect_err("it does not fit");
    problems.into_iter().map(|problem| (problem.code.to_owned(), problem.message)).collect()
}

#[test]
fn cells_become_what_their_properties_take() {
    let map = r#"
columns:
  Name: [name, reference]
  Amount: amount
  Count: count
  Open: open
  Closed: {property: closed_on, date: "%d.%m.%Y"}
  Seen: seen_at
  Kind: {property: kind, values: {N: new}}
  Tags: {property: tags, split: ","}
compose: {place: "{lat},{lon}"}
constants: {extra: {a: 1}}
skip_values: [Select]
"#;
    let header = ["Name", "Amount", "Count", "Open", "Closed", "Seen", "Kind", "Tags", "lat", "lon"];
    let cells = [" A ", "12.50", "3.0", "yes", "31.12.2025", "2026-03-01 09:30", "N", "a, b,,", "52.5", "13.4"];
    let draft = csv(map, &header, &cells).expect("taken");
    assert_eq!(problems(&draft), []);
    assert_eq!(
        properties(&draft),
        json!({
            "name": "A", "reference": "A", "amount": "12.50", "count": 3, "open": true, "closed_on": "2025-12-31",
            "seen_at": "2026-03-01T09:30:00+00:00", "kind": "new", "tags": ["a", "b"],
            "place": {"lat": 52.5, "lon": 13.4}, "extra": {"a": 1},
        })
    );
    let empty = csv(map, &header, &["A", "", "Select", " ", "", "", "", " , ", "1", ""]).expect("taken");
    assert_eq!(properties(&empty), json!({"name": "A", "reference": "A", "extra": {"a": 1}}));
}

#[test]
fn everything_that_cannot_be_read_is_said_at_once_with_its_column() {
    let map = r#"columns: {a: open, b: {property: closed_on, date: "%Y"}, c: count, d: {property: amount, round: 2}}"#;
    let draft = csv(map, &["a", "b", "c", "d"], &["maybe", "x", "1.5", "y"]).expect("taken");
    assert_eq!(
        problems(&draft),
        [
            (Some("a"), "/properties/open", "invalid"),
            (Some("b"), "/properties/closed_on", "invalid"),
            (Some("c"), "/properties/count", "invalid"),
            (Some("d"), "/properties/amount", "invalid"),
        ]
    );
}

#[test]
fn links_owners_and_users_are_left_to_be_found() {
    let map = r#"
columns:
  company: {link: deal_company, object: company, by: source_id, values: {X: Y}}
  next: {link: deal_deal, object: deal, by: reference, split: ";", label: next}
  owner: {owner: email}
  closer: {property: closer, user: name}
"#;
    let header = ["company", "next", "owner", "closer"];
    let draft = csv(map, &header, &["X", "1; 2", "ada@example.com", "Ada"]).expect("taken");
    assert_eq!(
        links(&draft),
        [
            ("deal_company", "company", "source_id", "Y"),
            ("deal_deal", "deal", "reference", "1"),
            ("deal_deal", "deal", "reference", "2"),
        ]
    );
    let owner = Wanted { by: UserKey::Email, text: "ada@example.com".to_owned(), column: Some("owner".to_owned()) };
    let closer = Wanted { by: UserKey::Name, text: "Ada".to_owned(), column: Some("closer".to_owned()) };
    assert_eq!((draft.owner, draft.users), (Some(owner), vec![("closer".to_owned(), closer)]));
    let nothing = csv(map, &header, &["", " ; ", "", ""]).expect("taken");
    assert!(nothing.links.is_empty() && nothing.owner.is_none() && nothing.users.is_empty());
}

#[test]
fn rows_without_a_needed_cell_are_passed_over() {
    let map = "columns: {a: name}\nskip_without: [b]\nskip_values: [none]";
    assert!(csv(map, &["a", "b"], &["A", "x"]).is_some());
    for nothing in ["", " ", "none"] {
        assert!(csv(map, &["a", "b"], &["A", nothing]).is_none(), "{nothing}");
    }
}

#[test]
fn without_columns_a_header_names_properties() {
    let draft = csv("ignore: [other]", &["name", "other", "count"], &["A", "?", "2"]).expect("taken");
    assert_eq!(properties(&draft), json!({"name": "A", "count": 2}));
    let message = |name: &str, rest: &str| ("unknown_column".to_owned(), format!("`{name}` {rest}"));
    assert_eq!(
        unfit("{}", &["name", "amuont", "number"]),
        [
            message(
                "amuont",
                "is no property of `deal`; did you mean `amount`?; map the column, or name it in `ignore`"
            ),
            message("number", "is made by the engine and cannot be imported; map the column, or name it in `ignore`"),
        ]
    );
}

#[test]
fn a_header_that_does_not_fit_is_refused_with_all_that_is_wrong() {
    let codes = |found: Vec<(String, String)>| found.into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    let map = "columns: {a: name, b: count}\ncompose: {place: '{lat},{lon}'}\nignore: [x]";
    let found = unfit(map, &["a", "a", "x", "x", "lat", "bb", ""]);
    assert_eq!(codes(found), ["duplicate", "unknown_column", "unknown_column", "missing_column", "missing_column"]);
    assert_eq!(
        unfit("columns: {a: name, b: count}", &["a;b"]).first().map(|(_, message)| message.as_str()),
        Some("the map neither uses nor ignores the column `a;b`; what separates its cells is said by `delimiter`")
    );
    assert_eq!(codes(unfit("key: reference", &["name"])), ["missing_column"]);
    assert_eq!(codes(unfit("constants: {count: 1}", &["name", "count"])), ["duplicate"]);
}

#[test]
fn a_map_is_fitted_to_the_definitions_with_all_that_is_wrong() {
    let map = r#"
key: amount
columns:
  a: amuont
  b: {property: name, user: name}
  c: {link: deal_compny, object: compny, by: source_id}
  d: {link: company_company, object: company, by: name}
  e: [count, count]
  f: {link: deal_deal, object: deal, by: reference, label: nxt}
constants: {kind: neww, number: 5}
compose: {plce: "{a}"}
"#;
    let problems = bind(&ColumnMap::read(map).expect("a map"), &catalog(), "deal", &everything()).expect_err("refused");
    let found: Vec<(&str, &str)> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
    assert_eq!(
        found,
        [
            ("/map/columns/a", "unknown_property"),
            ("/map/columns/b", "invalid"),
            ("/map/columns/c", "unknown_association"),
            ("/map/columns/c", "unknown_object"),
            ("/map/columns/d", "invalid"),
            ("/map/columns/d", "invalid"),
            ("/map/columns/e", "duplicate"),
            ("/map/columns/f", "unknown_option"),
            ("/map/compose/plce", "unknown_property"),
            ("/map/constants/kind", "unknown_option"),
            ("/map/constants/number", "read_only"),
            ("/map/key", "invalid"),
        ]
    );
    assert_eq!(problems[0].message, "`amuont` is no property of `deal`; did you mean `amount`?");
    let unfilled = ColumnMap::read("key: reference\ncolumns: {a: name}").expect("a map");
    let problems = bind(&unfilled, &catalog(), "deal", &everything()).expect_err("refused");
    assert_eq!(problems[0].message, "no column fills `reference`, so no row would have a key");
}

#[test]
fn lines_of_json_keep_their_types() {
    let map = "columns: {n: name, c: count, o: open, e: extra, t: tags, l: {link: deal_deal, object: deal, by: reference}, k: {property: kind, values: {'1': new}}}";
    let line = r#"{"n": "A", "c": 3, "o": null, "e": {"x": [1.50]}, "t": ["a"], "l": ["1", 2], "k": 1}"#;
    let draft = ndjson(map, line);
    assert_eq!(problems(&draft), []);
    let expected = json!({"name": "A", "count": 3, "open": null, "extra": {"x": [1.5]}, "tags": ["a"], "kind": "new"});
    assert_eq!(properties(&draft), expected);
    assert_eq!(draft.value("extra").expect("a value").get(), r#"{"x": [1.50]}"#, "exactly as written");
    assert_eq!(links(&draft).iter().map(|link| link.3).collect::<Vec<_>>(), ["1", "2"]);
    let unknown = ndjson(map, r#"{"n": "A", "m": 1}"#);
    assert_eq!(unknown.problems[0].message, "the map neither uses nor ignores `m`");
}

#[test]
fn lines_without_a_map_are_properties_or_whole_records() {
    let flat = ndjson("ignore: [x]\nconstants: {count: 1, open: true}", r#"{"name": "A", "x": 1, "open": false}"#);
    assert_eq!(properties(&flat), json!({"name": "A", "open": false, "count": 1}));
    let record = r#"{"properties": {"name": "A"}, "owner": "ada@example.com", "links": [
        {"type": "deal_company", "to": {"object": "company", "property": "source_id", "value": 7}, "label": "x"},
        {"type": "deal_deal", "to": "17"}]}"#;
    let draft = ndjson("", record);
    assert_eq!(problems(&draft), []);
    assert_eq!(properties(&draft), json!({"name": "A"}));
    assert_eq!(links(&draft), [("deal_company", "company", "source_id", "7"), ("deal_deal", "", "", "17")]);
    assert!(draft.links[1].is_id);
    assert_eq!(draft.owner.map(|owner| owner.by), Some(UserKey::Email));
}

#[test]
fn a_broken_line_is_a_problem_of_its_row() {
    for (line, message) in [
        (r#"{"name": "A""#, "the line is no JSON object: EOF while parsing an object at column 12"),
        (
            "[1]",
            "the line is no JSON object: invalid type: sequence, expected an object of property names and values at column 0",
        ),
        (
            r#"{"name": "A", "name": "B"}"#,
            "the line is no JSON object: the property `name` is given twice at column 26",
        ),
        (r#"{"properties": {}, "lnks": []}"#, "a record has no `lnks` here; did you mean `links`?"),
    ] {
        assert_eq!(ndjson("", line).problems.first().map(|problem| problem.message.as_str()), Some(message), "{line}");
    }
    let link = r#"{"properties": {}, "links": [{"type": "deal_compny", "to": {"object": "company", "property": "name", "value": 1}}]}"#;
    let draft = ndjson("", link);
    assert_eq!(problems(&draft), [(None, "/links/0/type", "unknown_association"), (None, "/links/0/to", "invalid")]);
}
