use super::*;

/// What is wrong with each condition: its place below the filter, code and message.
fn check(table: &[(Value, &str, &str, &str)]) {
    for (filter, pointer, code, message) in table {
        let expected = (format!("/filter{pointer}"), *code, (*message).to_owned());
        assert_eq!(refusal(&json!({"filter": filter})), expected, "{filter}");
    }
}

fn condition(property: &str, op: &str, value: Value) -> Value {
    json!({"property": property, "op": op, "value": value})
}

#[test]
fn names_that_do_not_exist_are_told_with_the_nearest() {
    let text = |name| condition(name, "eq", json!("a"));
    check(&[
        (text("nmae"), "/property", "unknown_property", "`nmae` is no property of `deal`; did you mean `name`?"),
        (
            text("created"),
            "/property",
            "unknown_property",
            "`created` is no property of `deal`; did you mean `created_at`?",
        ),
        (
            text("ower_id"),
            "/property",
            "unknown_property",
            "`ower_id` is no property of `deal`; did you mean `owner_id`?",
        ),
        (text("gone"), "/property", "unknown_property", "`gone` is no property of `deal`"),
        (text("properties"), "/property", "unknown_property", "`properties` is no property of `deal`"),
        (
            condition("is_hot", "eqq", json!(true)),
            "/op",
            "unknown_operator",
            "`eqq` is no operator; did you mean `eq`? `is_hot` of type `boolean` takes `eq`, `neq`, `exists`, `not_exists`",
        ),
        (
            condition("notes", "regex", json!("^a")),
            "/op",
            "unknown_operator",
            "`regex` is no operator; did you mean `contains`? `notes` of type `text` takes `contains`, `exists`, `not_exists`",
        ),
        (
            condition("tags", "~", json!("a")),
            "/op",
            "unknown_operator",
            "`~` is no operator; `tags` of type `tags` takes `has_any`, `has_all`, `exists`, `not_exists`",
        ),
    ]);
}

#[test]
fn what_the_caller_may_not_see_is_unknown_and_never_suggested() {
    let unknown = "`margin` is no property of `deal`";
    check(&[(condition("margin", "gt", json!(1)), "/property", "unknown_property", unknown)]);
    check(&[(
        condition("margim", "gt", json!(1)),
        "/property",
        "unknown_property",
        "`margim` is no property of `deal`",
    )]);
    for (body, pointer) in [
        (json!({"sort": ["margin"]}), "/sort/0/property"),
        (json!({"select": ["name", "margin"]}), "/select/1"),
        (json!({"aggregate": {"a": {"group": ["margin"]}}}), "/aggregate/a/group/0"),
        (json!({"aggregate": {"a": {"measures": {"x": {"sum": "margin"}}}}}), "/aggregate/a/measures/x/sum"),
    ] {
        assert_eq!(refusal(&body), (pointer.to_owned(), "unknown_property", unknown.to_owned()), "{body}");
    }
    let everything = query(&json!({"q": "a"})).expect("a query");
    let searched: Vec<_> = everything.scopes[0].searched.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(searched, ["display_name", "name", "tags", "notes"]);
    let seeing = ResolveContext { may_see: &|_, _| true, ..context() };
    let text: QueryText = read(&raw(&json!({"q": "a", "sort": ["margin"]}))).expect("a query");
    let query = resolve(&text, &[object("deal")], &seeing).expect("a query");
    assert_eq!(query.scopes[0].searched.len(), 5);
}

#[test]
fn operators_that_do_not_fit_are_told_with_those_that_do() {
    check(&[
        (
            condition("tags", "eq", json!("a")),
            "/op",
            "not_applicable",
            "`eq` does not fit `tags` of type `tags`; it takes `has_any`, `has_all`, `exists`, `not_exists`",
        ),
        (
            condition("uid", "lt", json!("a")),
            "/op",
            "not_applicable",
            "`lt` does not fit the identifier `uid`; it takes `eq`, `in`",
        ),
        (
            condition("data", "contains", json!("a")),
            "/op",
            "not_applicable",
            "`contains` does not fit `data` of type `json`; it takes `exists`, `not_exists`",
        ),
    ]);
}

#[test]
fn values_that_do_not_parse_are_told_in_place() {
    let at = |op, value| condition("amount", op, value);
    check(&[
        (
            at("eq", json!("much")),
            "/value",
            "invalid",
            "`much` is no decimal number; write it plainly, such as `-1234.5`",
        ),
        (at("eq", json!(true)), "/value", "wrong_type", "a number or a decimal string is expected, not a boolean"),
        (at("in", json!("1")), "/value", "wrong_type", "a list of values is expected"),
        (
            at("in", json!([1, "x", 2])),
            "/value/1",
            "invalid",
            "`x` is no decimal number; write it plainly, such as `-1234.5`",
        ),
        (at("between", json!(1)), "/value", "wrong_type", "a list of two values, `[lowest, highest]`, is expected"),
        (at("between", json!([1])), "/value", "invalid", "`between` takes two values, `[lowest, highest]`, not 1"),
        (
            at("between", json!([1, null])),
            "/value/1",
            "required",
            "`between` takes no null; use `exists` or `not_exists`",
        ),
        (at("eq", json!(null)), "/value", "required", "`eq` takes no null; use `exists` or `not_exists`"),
        (at("neq", json!(null)), "/value", "required", "`neq` takes no null; use `exists` or `not_exists`"),
        (json!({"property": "amount", "op": "gt"}), "/value", "required", "`value` is required"),
        (at("exists", json!(true)), "/value", "not_applicable", "`exists` takes no value"),
        (at("not_exists", json!(false)), "/value", "not_applicable", "`not_exists` takes no value"),
        (condition("seats", "eq", json!("3")), "/value", "wrong_type", "a number is expected, not a string"),
        (condition("name", "eq", json!(3)), "/value", "wrong_type", "a string is expected, not a number"),
        (
            condition("name", "eq", json!("")),
            "/value",
            "invalid",
            "an empty text is no value; use `exists` or `not_exists`",
        ),
        (condition("name", "starts_with", json!(["a"])), "/value", "wrong_type", "a string is expected, not a list"),
        (
            condition("notes", "contains", json!({"regex": "a"})),
            "/value",
            "wrong_type",
            "a string is expected, not an object",
        ),
        (condition("is_hot", "eq", json!("true")), "/value", "wrong_type", "a boolean is expected, not a string"),
        (
            condition("stage", "eq", json!("wno")),
            "/value",
            "unknown_option",
            "`wno` is no option; did you mean `won`? options are `new`, `proposal`, `won`",
        ),
        (
            condition("kinds", "has_any", json!(["New", "new"])),
            "/value/1",
            "unknown_option",
            "`new` is no option; did you mean `New`? options are `New`, `Repair`",
        ),
        (condition("tags", "has_any", json!("a")), "/value", "wrong_type", "a list of values is expected"),
        (condition("tags", "has_all", json!([3])), "/value/0", "wrong_type", "a string is expected, not a number"),
        (condition("id", "eq", json!(42)), "/value", "wrong_type", "ids are strings: write \"42\""),
        (
            condition("id", "in", json!(["4", "x"])),
            "/value/1",
            "invalid",
            "`x` is not an id: a positive whole number is expected",
        ),
        (condition("uid", "eq", json!("42")), "/value", "invalid", "`42` is no UUID"),
        (condition("owner_id", "eq", json!(7)), "/value", "wrong_type", "ids are strings: write \"7\""),
        (
            condition("owner_id", "in", json!(["ada"])),
            "/value/0",
            "invalid",
            "`ada` is no id of a user: a positive whole number is expected",
        ),
        (condition("closed_on", "eq", json!("todya")), "/value", "invalid", "`todya` is no day; did you mean `today`?"),
        (
            condition("due_at", "lt", json!("tomorow")),
            "/value",
            "invalid",
            "`tomorow` is no moment; did you mean `tomorrow`?",
        ),
        (condition("due_at", "lt", json!(5)), "/value", "wrong_type", "a string is expected, not a number"),
    ]);
}

#[test]
fn a_long_list_of_wrong_values_is_not_recited() {
    let found = refused(&json!({"filter": condition("seats", "in", json!(vec!["x"; 100]))}));
    assert_eq!(found.len(), 21);
    assert_eq!(found[20], ("/filter/value".to_owned(), "invalid", "80 more values are wrong".to_owned()));
}

#[test]
fn the_form_of_a_filter_is_checked() {
    let forms = "a filter has one of `all`, `any`, `not`, `property`, `association` and `list`";
    let message = |rest: &str| format!("{forms}{rest}");
    check(&[
        (json!({}), "", "invalid", forms),
        (json!({"proprety": "a", "op": "eq"}), "", "invalid", &message("; did you mean `property`?")),
        (json!({"and": []}), "", "invalid", &message("; did you mean `any`?")),
        (json!({"not": null}), "", "invalid", &message("; here `not` is null")),
        (json!({"op": "eq", "value": 1}), "", "invalid", &message("; beside `op` and `value` it needs `property`")),
        (json!({"quantifier": "any"}), "", "invalid", &message("; beside these it needs `association`")),
        (
            json!([]),
            "",
            "wrong_type",
            "an object is expected, not a list; write `{\"all\": […]}` where every condition must hold, `{\"any\": […]}` where one is enough",
        ),
        (json!({"all": [], "any": []}), "", "invalid", &message(", not `all` and `any` together")),
        (json!("stage"), "", "wrong_type", "an object is expected, not a string"),
        (json!({"all": {}}), "/all", "wrong_type", "a list is expected, not an object"),
        (json!({"any": [5]}), "/any/0", "wrong_type", "an object is expected, not a number"),
        (json!({"property": "name", "value": 1}), "/op", "required", "`op` is required"),
        (json!({"property": 1, "op": "exists"}), "/property", "wrong_type", "a string is expected, not a number"),
        (
            json!({"property": "name", "op": "exists", "vlaue": 1}),
            "/vlaue",
            "unknown",
            "`vlaue` is not known here; did you mean `value`?",
        ),
    ]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let body = json!({
        "q": "a ".repeat(140),
        "filter": {"all": [
            {"property": "nmae", "op": "eq", "value": 1},
            {"any": [{"property": "amount", "op": "has_any", "value": 1}, {"property": "stage", "op": "in", "value": ["wno", "new", 5]}]},
            {"association": "deal_compny"},
        ]},
        "sort": ["-amuont", {"property": "data"}],
        "select": ["name", "nmae"],
        "limit": 1_000,
        "aggregate": {"a": {"group": ["stge"], "measures": {"x": {"sum": "name"}}}},
    });
    let places: Vec<_> = refused(&body).into_iter().map(|(pointer, code, _)| format!("{pointer} {code}")).collect();
    assert_eq!(
        places,
        [
            "/q too_many",
            "/limit too_large",
            "/select/1 unknown_property",
            "/filter/all/0/property unknown_property",
            "/filter/all/1/any/0/op not_applicable",
            "/filter/all/1/any/1/value/0 unknown_option",
            "/filter/all/1/any/1/value/2 wrong_type",
            "/filter/all/2/association unknown_association",
            "/sort/0/property unknown_property",
            "/sort/1/property not_applicable",
            "/aggregate/a/group/0 unknown_property",
            "/aggregate/a/measures/x/sum not_applicable",
        ]
    );
}

#[test]
fn an_unknown_name_does_not_hide_what_stands_beside_it() {
    assert_eq!(filter_places(&json!({"property": "zz", "op": "bad"})), ["/property", "/op"]);
    assert_eq!(filter_places(&json!({"property": "zz"})), ["/op", "/property"]);
    assert_eq!(filter_places(&json!({"property": "zz", "op": "eq"})), ["/property"]);
    let op = refused(&json!({"filter": {"property": "zz", "op": "lik"}})).remove(1);
    assert_eq!((op.1, op.2.as_str()), ("unknown_operator", "`lik` is no operator"));
    for (group, places) in [
        (json!({"date": "yy", "every": "foo"}), ["/every", "/date"]),
        (json!({"number": "zz", "every": -1}), ["/every", "/number"]),
        (json!({"number": "zz"}), ["/every", "/number"]),
    ] {
        let found = all_places(&json!({"aggregate": {"t": {"group": [group]}}}));
        assert_eq!(found, places.map(|place| format!("/aggregate/t/group/0{place}")), "{group}");
    }
    let measure = json!({"percentiles": {"property": "zz", "at": [101]}});
    let found = all_places(&json!({"aggregate": {"t": {"measures": {"m": measure}}}}));
    assert_eq!(found, ["at/0", "property"].map(|place| format!("/aggregate/t/measures/m/percentiles/{place}")));
}

#[test]
fn a_name_that_only_some_objects_have_is_told_once() {
    let body = json!({"filter": {"all": [{"property": "seats", "op": "exists"}, {"property": "zzzz", "op": "exists"}]},
        "sort": ["industry"], "aggregate": {"t": {"group": [{"number": "age", "every": 1}]}}});
    let found = told(query_across(&body, &["deal", "company", "contact", "task", "note"]).expect_err("unknown"));
    let messages: Vec<_> = found.iter().map(|(pointer, _, message)| format!("{pointer} {message}")).collect();
    assert_eq!(
        messages,
        [
            "/filter/all/1/property `zzzz` is no property of `deal`, `company`, `contact` and 2 more",
            "/sort/0/property `industry` is no property of `deal`, `contact`, `task` and 1 more; name those that have it in `objects`: `company`",
            "/aggregate/t/group/0/number `age` is no property of `deal`, `company`, `task` and 1 more; name those that have it in `objects`: `contact`",
            "/filter/all/0/property `seats` is no property of `company`, `contact`, `task` and 1 more; name those that have it in `objects`: `deal`",
        ]
    );
    let found =
        told(query_across(&json!({"filter": {"association": "deal_company"}}), &["deal", "contact"]).expect_err("x"));
    let message =
        "no association `deal_company` leads from or to `contact`; name those that have it in `objects`: `deal`";
    assert_eq!(found, [("/filter/association".to_owned(), "unknown_association", message.to_owned())]);
}

#[test]
fn fields_that_always_come_are_not_selected() {
    let message = "`id` comes with every record: leave it out of `select`";
    let found = refusal(&json!({"select": ["name", "id"]}));
    assert_eq!(found, ("/select/1".to_owned(), "not_applicable", message.to_owned()));
}

#[test]
fn what_cannot_be_read_does_not_hide_what_cannot_be_resolved() {
    let body = raw(
        &json!({"filter": {"any": [{"property": "name"}, {"property": "nmae", "op": "exists"}]}, "limt": 5, "sort": [1]}),
    );
    let mut reading = crate::json::Reading::default();
    let text = reading.value::<QueryText>(&body).expect("understood");
    let form: Vec<_> = reading.into_problems().into_iter().map(|problem| problem.pointer).collect();
    assert_eq!(form, ["/filter/any/0/op", "/sort/0", "/limt"]);
    let resolved = resolve(&text, &[object("deal")], &context()).expect_err("unknown");
    assert_eq!(resolved[0].pointer, "/filter/any/1/property");
}

#[test]
fn a_query_stands_anywhere_in_what_was_sent() {
    struct Report(QueryText);
    impl<'a> crate::json::FromJson<'a> for Report {
        fn from_json(raw: &'a RawValue, reading: &mut crate::json::Reading<'a>) -> Option<Self> {
            let mut object = reading.object(raw)?;
            let query = object.required("a/b");
            object.finish();
            query.map(Self)
        }
    }
    let body = raw(&json!({"a/b": {"limit": 300, "filter": {"not": {"property": "x", "op": "eq"}}, "cursor": "x"}}));
    let Report(text) = read(&body).expect("a report");
    let found = told(resolve(&text, &[object("deal")], &context()).expect_err("wrong"));
    let places: Vec<_> = found.iter().map(|(pointer, ..)| pointer.as_str()).collect();
    assert_eq!(places, ["/a~1b/limit", "/a~1b/filter/not/property", "/a~1b/cursor"]);
}

#[test]
fn objects_are_for_searches_across_them() {
    let body = json!({"objects": ["deal"]});
    assert_eq!(refusal(&body), ("/objects".to_owned(), "unknown", "`objects` is not known here".to_owned()));
    let AcrossObjects(text) = read(&raw(&json!({"objects": ["deal", "task"], "q": "a"}))).expect("a query");
    assert_eq!(text.objects, Some(vec!["deal".to_owned(), "task".to_owned()]));
    let wrong = told(read::<AcrossObjects>(&raw(&json!({"objects": "deal", "limt": 1}))).expect_err("wrong"));
    assert_eq!(wrong[0], ("/objects".to_owned(), "wrong_type", "a list is expected, not a string".to_owned()));
    assert_eq!(wrong[1].0, "/limt");
    let none = told(read::<AcrossObjects>(&raw(&json!({"objects": []}))).expect_err("wrong"));
    let message = "name one object at least, or leave `objects` out to search all";
    assert_eq!(none, [("/objects".to_owned(), "required", message.to_owned())]);
}
