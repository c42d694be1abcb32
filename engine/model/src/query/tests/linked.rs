use super::*;

#[test]
fn linked_records_are_asked_from_either_end() {
    let industry = json!({"property": "industry", "op": "eq", "value": "retail"});
    let overdue = json!({"property": "due_at", "op": "lt", "value": "1970-01-01T00:00:00Z"});
    for (filter, expected) in [
        (json!({"association": "deal_company"}), ">deal_company any(company: everything)"),
        (json!({"association": "deal_company", "match": industry}), ">deal_company any(company: industry {retail})"),
        (
            json!({"association": "deal_company", "quantifier": "none", "match": {"all": [industry]}}),
            ">deal_company none(company: (industry {retail}))",
        ),
        (
            json!({"association": "deal_task", "quantifier": "all", "match": overdue}),
            ">deal_task all(task of id {7}: due_at ..-1)",
        ),
        (json!({"association": "note_about"}), "<note_about any(note: everything)"),
        (
            json!({"association": "note_about", "direction": "in", "match": {"property": "body", "op": "contains", "value": "x"}}),
            "<note_about any(note: body words{x})",
        ),
        (
            json!({"association": "deal_company", "match":
                {"association": "deal_company", "quantifier": "none", "match": {"property": "is_hot", "op": "eq", "value": true}}}),
            ">deal_company any(company: <deal_company none(deal: is_hot {true}))",
        ),
    ] {
        assert_eq!(asked(&filter), expected, "{filter}");
    }
}

#[test]
fn links_are_counted() {
    for (op, value, expected) in [
        ("eq", json!(0), "[0]"),
        ("neq", json!(2), "[..1,3..]"),
        ("lt", json!(2), "[..1]"),
        ("lte", json!(2), "[..2]"),
        ("gt", json!(2), "[3..]"),
        ("gte", json!(1.5), "[2..]"),
        ("between", json!([1, 3]), "[1..3]"),
        ("in", json!([5, 1, 2]), "[1..2,5]"),
        ("eq", json!(1.5), "[]"),
    ] {
        let filter = json!({"association": "deal_company", "count": {"op": op, "value": value}});
        assert_eq!(asked(&filter), format!(">deal_company {expected}(company: everything)"), "{filter}");
    }
}

#[test]
fn records_of_several_objects_count_where_what_is_asked_makes_sense() {
    let party = |matches: Value| asked(&json!({"association": "deal_party", "match": matches}));
    // What the caller may not see at all does not count, be it asked or not.
    assert_eq!(
        asked(&json!({"association": "deal_party"})),
        ">deal_party any(company: everything; contact: everything)"
    );
    assert_eq!(
        party(json!({"property": "name", "op": "eq", "value": "Ada"})),
        ">deal_party any(company: name {ada}; contact: name {ada})"
    );
    assert_eq!(party(json!({"property": "age", "op": "gt", "value": 30})), ">deal_party any(contact: age 31..)");
    assert_eq!(
        party(json!({"association": "contact_friend", "direction": "out"})),
        ">deal_party any(contact: >contact_friend any(contact: everything))"
    );
    let note = json!({"q": "x", "filter": {"association": "note_about", "direction": "out", "match":
        {"property": "stage", "op": "eq", "value": "won"}}});
    let text: QueryText = read(&raw(&note)).expect("a query");
    let query = resolve(&text, &[object("note")], &context()).expect("a query");
    let Filter::All(parts) = &query.scopes[0].filter else { panic!("two parts") };
    // A company has a stage too, but none that is called so.
    assert_eq!(show(&parts[1]), ">note_about any(deal: stage {won})");
}

#[test]
fn what_the_caller_may_not_see_counts_as_nothing() {
    let text: QueryText = read(&raw(&json!({"filter": {"association": "payslip_contact", "quantifier": "none",
        "match": {"property": "net", "op": "gt", "value": 1}}})))
    .expect("a query");
    let query = resolve(&text, &[object("contact")], &context()).expect("a query");
    let Filter::All(parts) = &query.scopes[0].filter else { panic!("two parts") };
    assert_eq!(show(&parts[1]), "<payslip_contact none()");
    let slips = resolve(&QueryText::default(), &[object("payslip")], &context()).expect("a query");
    assert_eq!(slips.scopes[0].filter, Filter::All(vec![Filter::nothing()]));
}

#[test]
fn mistakes_about_links_are_told_in_place() {
    let name = |name: &str| json!({"association": name});
    let company = |rest: Value| {
        let mut filter = name("deal_company");
        filter.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        filter
    };
    for (filter, pointer, code, message) in [
        (
            name("deal_compny"),
            "/association",
            "unknown_association",
            "no association `deal_compny` leads from or to `deal`; did you mean `deal_company`?",
        ),
        (
            name("contact_friend"),
            "/association",
            "unknown_association",
            "no association `contact_friend` leads from or to `deal`",
        ),
        (
            company(json!({"direction": "in"})),
            "/direction",
            "not_applicable",
            "`deal_company` only leads from `deal`: leave `direction` out",
        ),
        (
            json!({"association": "note_about", "direction": "out"}),
            "/direction",
            "not_applicable",
            "`note_about` only leads to `deal`: leave `direction` out",
        ),
        (company(json!({"direction": "up"})), "/direction", "unknown", "`up` is none of `out`, `in`"),
        (company(json!({"quantifier": "some"})), "/quantifier", "unknown", "`some` is none of `any`, `none`, `all`"),
        (
            company(json!({"quantifier": "any", "count": {"op": "eq", "value": 1}})),
            "/count",
            "not_applicable",
            "either `quantifier` or `count`: both say how many",
        ),
        (
            company(json!({"count": {"op": "contains", "value": 1}})),
            "/count/op",
            "not_applicable",
            "`contains` does not fit a count; it takes `eq`, `neq`, `lt`, `lte`, `gt`, `gte`, `between`, `in`",
        ),
        (company(json!({"count": {"value": 1}})), "/count/op", "required", "`op` is required"),
        (company(json!({"count": {"op": "eq"}})), "/count/value", "required", "`value` is required"),
        (
            company(json!({"count": {"op": "eq", "value": "1"}})),
            "/count/value",
            "wrong_type",
            "a number is expected, not a string",
        ),
        (
            company(json!({"match": {"property": "amout", "op": "eq", "value": 1}})),
            "/match/property",
            "unknown_property",
            "`amout` is no property of `company`; did you mean `amount`?",
        ),
        (
            json!({"association": "deal_party", "match": {"property": "agee", "op": "exists"}}),
            "/match/property",
            "unknown_property",
            "`agee` is no property of `company`, `contact`; did you mean `age`?",
        ),
        (
            json!({"association": "deal_party", "match": {"association": "deal_tsk"}}),
            "/match/association",
            "unknown_association",
            "no association `deal_tsk` leads from or to `company`, `contact`",
        ),
        (
            json!({"association": "deal_party", "match":
                {"all": [{"property": "age", "op": "exists"}, {"property": "industry", "op": "exists"}]}}),
            "/match",
            "unknown_property",
            "no object at the other end of `deal_party` has everything that this names",
        ),
        (
            json!({"association": "deal_party", "match": {"property": "age", "op": "eq", "value": "x"}}),
            "/match/value",
            "wrong_type",
            "a number is expected, not a string",
        ),
    ] {
        let expected = (format!("/filter{pointer}"), code, message.to_owned());
        assert_eq!(refusal(&json!({"filter": filter})), expected, "{filter}");
    }
}

#[test]
fn all_that_is_wrong_about_links_is_told_at_once() {
    let unknown = json!({"property": "zz", "op": "exists"});
    for (filter, places) in [
        (json!({"association": "zz", "quantifier": "bad"}), &["/quantifier", "/association"][..]),
        (json!({"association": "zz", "count": {"op": "bad", "value": 1}}), &["/count/op", "/association"]),
        (
            json!({"association": "deal_company", "direction": "in", "match": unknown}),
            &["/direction", "/match/property"],
        ),
        (
            json!({"association": "deal_company", "quantifier": 1, "match": unknown}),
            &["/quantifier", "/match/property"],
        ),
    ] {
        assert_eq!(filter_places(&filter), places, "{filter}");
    }
}

#[test]
fn what_no_object_at_the_other_end_has_is_told_of_all() {
    let body = json!({"filter": {"association": "note_about", "direction": "out", "match": {"property": "zzzz", "op": "exists"}}});
    let text: QueryText = read(&raw(&body)).expect("a query");
    let (_, _, message) = told(resolve(&text, &[object("note")], &context()).expect_err("unknown")).remove(0);
    assert_eq!(message, "`zzzz` is no property of `deal`, `company`, `contact` and 2 more");
}

#[test]
fn the_end_has_to_be_told_where_both_are_the_same_object() {
    let friends = |direction: Value| {
        let body = json!({"filter": {"association": "contact_friend", "direction": direction}});
        let text: QueryText = read(&raw(&body)).expect("a query");
        resolve(&text, &[object("contact")], &context())
    };
    for (direction, mark) in [("out", ">"), ("in", "<")] {
        let query = friends(json!(direction)).expect("a query");
        let Filter::All(parts) = &query.scopes[0].filter else { panic!("two parts") };
        assert_eq!(show(&parts[1]), format!("{mark}contact_friend any(contact: everything)"));
    }
    let found = told(friends(Value::Null).expect_err("unclear"));
    let message = "`contact_friend` has `contact` at both ends: say `out` or `in`";
    assert_eq!(found, [("/filter/direction".to_owned(), "required", message.to_owned())]);
}
