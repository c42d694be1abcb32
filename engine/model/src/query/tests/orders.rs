use super::super::{Field, Form, SortKey};
use super::*;
use crate::property::Storage;

/// The order of a query of deals, in short.
fn order(body: &Value) -> Vec<String> {
    let query = query(body).unwrap_or_else(|problems| panic!("{body}: {problems:?}"));
    query.scopes[0].sort.iter().map(key_in_short).collect()
}

fn key_in_short(key: &SortKey) -> String {
    let mark = |is_descending: &bool| if *is_descending { "-" } else { "" };
    match key {
        SortKey::Relevance => "relevance".to_owned(),
        SortKey::Id { is_descending } => format!("{}id", mark(is_descending)),
        SortKey::Value { field, is_descending } => format!("{}{}", mark(is_descending), field.name),
    }
}

#[test]
fn orders_are_written_long_or_short() {
    let sort = json!([{"property": "amount", "direction": "desc"}, {"property": "name"}, "-closed_on", "id"]);
    assert_eq!(order(&json!({"sort": sort})), ["-amount", "name", "-closed_on", "id"]);
    assert_eq!(
        order(&json!({"sort": ["-id", {"property": "stage", "direction": "asc"}, "tags", "is_hot"]})),
        ["-id", "stage", "tags", "is_hot"]
    );
    assert_eq!(order(&json!({})), ["id"]);
}

#[test]
fn the_best_match_comes_first_where_words_are_looked_for() {
    assert_eq!(order(&json!({"q": "roof"})), ["relevance"]);
    assert_eq!(order(&json!({"q": "roof", "sort": ["-amount"]})), ["-amount"]);
    assert_eq!(order(&json!({"q": "roof", "sort": ["stage", "relevance"]})), ["stage", "relevance"]);
    assert_eq!(order(&json!({"q": "roof", "sort": [{"property": "score", "direction": "desc"}]})), ["relevance"]);
    assert_eq!(order(&json!({"q": " – ", "sort": ["score", "name"]})), ["relevance", "name"]);
    assert_eq!(order(&json!({"q": "  ", "sort": ["score", "name"]})), ["name"]);
}

#[test]
fn what_has_no_order_is_told() {
    for (sort, segment, code, message) in [
        (json!("notes"), "property", "not_applicable", "there is no order of `notes` of type `text`"),
        (json!("-data"), "property", "not_applicable", "there is no order of `data` of type `json`"),
        (json!("relevance"), "property", "not_applicable", "without `q` there is no relevance"),
        (json!("relevanc"), "property", "unknown_property", "`relevanc` is no property of `deal`"),
        (json!({"property": "name", "direction": "down"}), "direction", "unknown", "`down` is none of `asc`, `desc`"),
        (json!({"direction": "asc"}), "property", "required", "`property` is required"),
    ] {
        let expected = (format!("/sort/0/{segment}"), code, message.to_owned());
        assert_eq!(refusal(&json!({"sort": [sort]})), expected, "{sort}");
    }
    let found = refusal(&json!({"q": "a", "sort": [{"property": "relevance", "direction": "asc"}]}));
    assert_eq!((found.0.as_str(), found.1), ("/sort/0/direction", "not_applicable"));
}

#[test]
fn fields_say_how_values_are_kept_and_written() {
    let field = |name: &str| -> Field {
        let query = query(&json!({"sort": [name]})).expect("a query");
        match &query.scopes[0].sort[0] {
            SortKey::Value { field, .. } => field.clone(),
            other => panic!("{other:?}"),
        }
    };
    for (name, storage, form) in [
        ("name", Storage::Text, Form::Text),
        ("amount", Storage::Scaled(2), Form::Decimal { scale: 2, is_padded: true }),
        ("rank", Storage::Scaled(6), Form::Decimal { scale: 6, is_padded: false }),
        ("gross", Storage::Scaled(2), Form::Decimal { scale: 2, is_padded: true }),
        ("seats", Storage::Scaled(0), Form::Integer),
        ("tasks", Storage::Scaled(0), Form::Integer),
        ("stage", Storage::Option, Form::Text),
        ("kinds", Storage::TextList, Form::Text),
        ("is_hot", Storage::Boolean, Form::Boolean),
        ("closed_on", Storage::Date, Form::Date),
        ("due_at", Storage::Datetime, Form::Datetime),
        ("version", Storage::Scaled(0), Form::Integer),
        ("created_at", Storage::Datetime, Form::Datetime),
        ("owner_id", Storage::Text, Form::Text),
    ] {
        let found = field(name);
        assert_eq!((found.object.as_str(), found.storage, found.form), ("deal", storage, form), "{name}");
        assert_eq!(found.name.as_str(), name);
    }
    assert_eq!(field("stage").options.as_ref(), ["new", "proposal", "won", "lost"]);
    assert_eq!(field("kinds").options.as_ref(), ["New", "Repair"]);
    assert!(field("name").options.is_empty());
}

#[test]
fn what_is_sorted_across_objects_is_of_one_type() {
    let both = ["deal", "company"];
    let query = query_across(&json!({"q": "a", "sort": ["name", "created_at", "id"]}), &both).expect("a query");
    let objects: Vec<_> = query.scopes.iter().map(|scope| scope.object.as_str()).collect();
    assert_eq!(objects, both);
    for (name, message) in [
        ("amount", "`amount` is of another type in `company` than in `deal`"),
        ("stage", "`stage` is of another type in `company` than in `deal`"),
        ("due_at", "`due_at` is of another type in `company` than in `deal`"),
    ] {
        let found = told(query_across(&json!({"sort": ["name", name]}), &both).expect_err("mixed"));
        assert_eq!(found, [("/sort/1/property".to_owned(), "not_applicable", message.to_owned())]);
    }
    let found = told(query_across(&json!({"sort": ["industry"]}), &both).expect_err("unknown"));
    let message = "`industry` is no property of `deal`; name those that have it in `objects`: `company`";
    assert_eq!(found, [("/sort/0/property".to_owned(), "unknown_property", message.to_owned())]);
    // The same mistake is told once, however many objects there are.
    let found = query_across(&json!({"limit": 201, "filter": {"property": "id", "op": "eq", "value": 1}}), &both);
    assert_eq!(found.expect_err("wrong").len(), 2);
    assert!(query_across(&json!({"select": ["industry", "seats"]}), &both).is_ok());
}
