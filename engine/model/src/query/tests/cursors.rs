use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::{Cursor, Key, Place};
use super::*;
use crate::{RecordId, TenantId};

const TENANT: TenantId = TenantId(1);

fn text(body: &Value) -> QueryText {
    read(&raw(body)).expect("a query")
}

fn written(body: &Value, objects: &[&str], keys: Vec<Key>) -> String {
    let text = text(body);
    let objects: Vec<_> = objects.iter().map(|name| object(name)).collect();
    let query = resolve(&text, &objects, &context()).expect("a query");
    Cursor::write(&Place { keys, id: RecordId(42) }, TENANT, &text, &query.scopes)
}

/// The place that a cursor leads to in a query, or what is wrong with it.
fn read_back(body: &Value, cursor: &str) -> Result<Option<Place>, Told> {
    let mut body = body.clone();
    body["cursor"] = json!(cursor);
    query(&body).map(|query| query.after).map_err(|problems| told(problems).remove(0))
}

fn sorted() -> Value {
    json!({"q": "roof", "filter": {"property": "due_at", "op": "gte", "value": "now-3h"},
        "sort": ["name", "-amount", "stage", "is_hot", "relevance", "id"]})
}

fn keys() -> Vec<Key> {
    let text = Key::Text("émile \"x\" \u{1f}".to_owned());
    vec![
        text,
        Key::Number(i64::MIN),
        Key::Number(2),
        Key::Text("true".to_owned()),
        Key::Number(i64::MAX),
        Key::Number(42),
    ]
}

#[test]
fn a_cursor_leads_back_to_its_place_in_the_same_search() {
    let cursor = written(&sorted(), &["deal"], keys());
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cursor}");
    let place = Place { keys: keys(), id: RecordId(42) };
    assert_eq!(read_back(&sorted(), &cursor), Ok(Some(place.clone())));
    // How much is wanted of each record, and how many, may change from page to page.
    let mut other = sorted();
    for (name, value) in
        [("limit", json!(7)), ("select", json!(["name"])), ("count", json!(true)), ("aggregate", json!({"a": {}}))]
    {
        other[name] = value;
    }
    assert_eq!(read_back(&other, &cursor), Ok(Some(place)));
    let nulls = written(&json!({"sort": ["name", "amount"]}), &["deal"], vec![Key::Null, Key::Null]);
    let found = read_back(&json!({"sort": ["name", "amount"]}), &nulls);
    assert_eq!(found, Ok(Some(Place { keys: vec![Key::Null, Key::Null], id: RecordId(42) })));
    assert_eq!(query(&json!({"cursor": null})).map(|query| query.after), Ok(None));
}

#[test]
fn a_cursor_of_another_search_is_refused() {
    let cursor = written(&sorted(), &["deal"], keys());
    let change = |name: &str, value: Value| {
        let mut body = sorted();
        body[name] = value;
        body
    };
    let mut others = vec![
        change("q", json!("roo")),
        change("fuzzy", json!(true)),
        change("archived", json!(true)),
        change("filter", json!({"property": "due_at", "op": "gte", "value": "now-2h"})),
        change("filter", Value::Null),
        change("sort", json!(["name", "amount", "stage", "is_hot", "relevance", "id"])),
        change("sort", json!(["name"])),
    ];
    others.push(json!({}));
    for other in others {
        let (pointer, code, message) = read_back(&other, &cursor).expect_err("another search");
        assert_eq!((pointer.as_str(), code), ("/cursor", "invalid"), "{other}");
        assert!(message.starts_with("this cursor is of another search"), "{message}");
    }
    let of_company = written(&json!({"sort": ["name"]}), &["company"], vec![Key::Null]);
    let of_both = written(&json!({"sort": ["name"]}), &["deal", "company"], vec![Key::Null]);
    for cursor in [of_company, of_both] {
        assert!(read_back(&json!({"sort": ["name"]}), &cursor).is_err());
    }
}

#[test]
fn a_cursor_of_another_tenant_is_refused() {
    let sent = text(&sorted());
    let query = resolve(&sent, &[object("deal")], &context()).expect("a query");
    let foreign = Cursor::write(&Place { keys: keys(), id: RecordId(42) }, TenantId(2), &sent, &query.scopes);
    let (pointer, code, message) = read_back(&sorted(), &foreign).expect_err("another tenant");
    assert_eq!((pointer.as_str(), code), ("/cursor", "invalid"));
    assert!(message.starts_with("this cursor is of another search"), "{message}");
}

#[test]
fn what_is_no_cursor_is_told_beside_the_rest() {
    for body in [json!({"limit": 500, "cursor": "zz"}), json!({"cursor": "zz", "sort": ["nope"]})] {
        let places: Vec<_> = refused(&body).into_iter().map(|(pointer, ..)| pointer).collect();
        assert_eq!((places.len(), places[1].as_str()), (2, "/cursor"), "{body}");
    }
    // Of which search one is, nobody can say of a search that cannot be.
    let cursor = written(&sorted(), &["deal"], keys());
    assert_eq!(refusal(&json!({"limit": 500, "cursor": cursor})).0, "/limit");
}

#[test]
fn a_cursor_ends_where_what_is_sorted_by_changes_its_type() {
    let body = json!({"sort": ["stage"]});
    let sent = text(&body);
    let query = resolve(&sent, &[object("deal")], &context()).expect("a query");
    let cursor = Cursor::write(&Place { keys: vec![Key::Number(1)], id: RecordId(1) }, TENANT, &sent, &query.scopes);
    let mut scopes = query.scopes;
    let cursor = Cursor::read(&cursor).expect("a cursor");
    assert!(cursor.place(TENANT, &sent, &scopes).is_ok());
    if let super::super::SortKey::Value { field, .. } = &mut scopes[0].sort[0] {
        field.options = ["won", "new"].map(str::to_owned).into();
    }
    assert!(cursor.place(TENANT, &sent, &scopes).expect_err("other options").contains("another search"));
}

#[test]
fn what_is_no_cursor_is_refused() {
    let body = json!({"sort": ["name"]});
    let whole = written(&body, &["deal"], vec![Key::Null]);
    let parts = String::from_utf8(URL_SAFE_NO_PAD.decode(&whole).expect("base64")).expect("text");
    let forge = |from: &str, to: &str| {
        assert!(parts.contains(from), "{parts}");
        URL_SAFE_NO_PAD.encode(parts.replace(from, to))
    };
    let broken = "this is no cursor that a search has given";
    for (cursor, message) in [
        (String::new(), broken),
        ("x".to_owned(), broken),
        ("!!!!".to_owned(), broken),
        (whole[..whole.len() - 4].to_owned(), broken),
        (URL_SAFE_NO_PAD.encode("{}"), broken),
        (URL_SAFE_NO_PAD.encode("[]"), broken),
        (URL_SAFE_NO_PAD.encode("deal:17"), broken),
        ("A".repeat(20_000), broken),
        (forge(",42,", ",-42,"), broken),
        (forge(",42,", ",\"42\","), broken),
        (forge("[null]", "[5]"), broken),
        (forge("[null]", "[]"), broken),
        (forge("[null]", "{}"), broken),
        (forge("[2,", "[1,"), "this cursor is of an earlier release; begin again without it"),
    ] {
        assert_eq!(read_back(&body, &cursor), Err(("/cursor".to_owned(), "invalid", message.to_owned())), "{cursor}");
    }
}
