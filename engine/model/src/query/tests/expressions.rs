use super::super::filter_of_expression;
use super::*;

fn filter(source: &str) -> String {
    match filter_of_expression(source, object("deal"), &context()) {
        Ok(filter) => show(&filter),
        Err(problems) => panic!("{source}: {problems:?}"),
    }
}

#[test]
fn expressions_become_the_filters_of_searches() {
    for (source, expected) in [
        ("name == 'Émile'", "name {emile}"),
        ("name != 'a'", "!name {a}"),
        ("name < 'b'", "name (..b)"),
        ("'b' < name", "name (b..)"),
        ("'b' >= name", "name (..b]"),
        ("amount > 10.005", "amount 1001.."),
        ("amount <= 10", "amount ..1000"),
        ("10.00 == amount", "amount 1000"),
        ("amount == -1.5", "amount -150"),
        ("amount == '2.50'", "amount 250"),
        ("seats >= 1.5", "seats 2.."),
        ("seats < 99999999999999999999.0", "seats .."),
        ("seats in [1, 2, 5]", "seats 1..2,5"),
        ("stage in ['won', 'new']", "stage {new,won}"),
        ("stage in []", "nothing"),
        ("!(stage in ['won'])", "!stage {won}"),
        ("stage > 'new'", "stage {lost,proposal,won}"),
        ("is_hot", "is_hot {true}"),
        ("!is_hot", "!is_hot {true}"),
        ("is_hot == false", "is_hot {false}"),
        ("name == null", "!name?"),
        ("null != name", "name?"),
        ("has(name)", "name?"),
        ("!has(name)", "!name?"),
        ("!(name == null)", "name?"),
        ("data != null", "data?"),
        ("name.startsWith('Ré')", "name re*"),
        ("name.contains('Roof 2')", "name words{roof,2}"),
        ("notes.contains('x')", "notes words{x}"),
        ("sku.contains('a-b c')", "sku parts{a-b,c}"),
        ("'VIP' in tags", "tags {vip}"),
        ("tags.exists(t, t == 'VIP')", "tags {vip}"),
        ("tags.exists(t, 'b' == t || t == 'a')", "tags {a,b}"),
        ("tags.exists(t, t in ['b', 'a'])", "tags {a,b}"),
        ("'New' in kinds && 'Repair' in kinds", "(kinds {New} & kinds {Repair})"),
        ("id == '42'", "id {42}"),
        ("id > '42'", "id 43.."),
        ("owner_id in ['7', '8']", "owner_id {7,8}"),
        ("version > 1", "version 2.."),
        ("closed_on == date('2026-03-18')", "closed_on 20530"),
        ("closed_on >= '2026-03-18'", "closed_on 20530.."),
        ("closed_on < today + days(7)", "closed_on ..20536"),
        ("closed_on >= now", "closed_on 20530.."),
        ("closed_on == 'this_week'", "closed_on 20528..20534"),
        ("due_at >= timestamp('1970-01-01T00:00:01Z')", "due_at 1000000.."),
        ("due_at < timestamp('1970-01-01T00:00:01Z') + duration('1m')", "due_at ..60999999"),
        ("due_at <= date('1970-01-01')", "due_at ..82799999999"),
        ("created_at > '1970-01-01T00:00:00Z'", "created_at 1.."),
    ] {
        assert_eq!(filter(source), expected, "{source}");
    }
}

#[test]
fn conditions_are_joined_without_needless_levels() {
    for (source, expected) in [
        ("is_hot && seats > 1 && name == 'a'", "(is_hot {true} & seats 2.. & name {a})"),
        ("is_hot || seats > 1 || name == 'a'", "(is_hot {true} | seats 2.. | name {a})"),
        ("is_hot && (seats > 1 || !(name == 'a'))", "(is_hot {true} & (seats 2.. | !name {a}))"),
        ("!!is_hot", "is_hot {true}"),
        ("!(is_hot && has(name))", "!(is_hot {true} & name?)"),
        ("true", "everything"),
        ("1 > 2", "nothing"),
        ("!(1 > 2)", "everything"),
        ("now > timestamp('2020-01-01T00:00:00Z') && is_hot", "(everything & is_hot {true})"),
        ("seats == 2 + 3 * size('abc')", "seats 11"),
        ("name == 'a' + 'b'", "name {ab}"),
        ("stage in ['won', 'new'].filter(s, s != 'new')", "stage {won}"),
    ] {
        assert_eq!(filter(source), expected, "{source}");
    }
}

fn refusals(source: &str) -> Vec<(&'static str, String)> {
    let problems = filter_of_expression(source, object("deal"), &context()).expect_err(source);
    assert!(problems.iter().all(|problem| problem.pointer.is_empty()), "{problems:?}");
    problems.into_iter().map(|problem| (problem.code, problem.message)).collect()
}

#[test]
fn what_is_no_filter_is_told_with_its_place() {
    const INVALID: &str = "invalid_expression";
    for (source, code, message) in [
        ("name = 'a'", INVALID, "`=` is written `==` (at column 6)"),
        ("name == ", INVALID, "the expression ends too early (at column 9)"),
        ("nmae == 'a'", "unknown_property", "`nmae` is no property of `deal`; did you mean `name`? (at column 6)"),
        ("margin > 1", "unknown_property", "`margin` is no property of `deal` (at column 8)"),
        ("is_hot && naem", "unknown_property", "`naem` is no property of `deal`; did you mean `name`? (at column 11)"),
        (
            "amount > rank",
            INVALID,
            "a search compares a property with a value, not with another property (at column 8)",
        ),
        (
            "amount * 2 > 10",
            INVALID,
            "a search does not compute with properties; compare the property itself with a value (at column 8)",
        ),
        (
            "amount > rank + 1",
            INVALID,
            "a search does not compute with properties; compare the property itself with a value (at column 15)",
        ),
        (
            "-seats > 1",
            INVALID,
            "a search does not compute with properties; compare the property itself with a value (at column 1)",
        ),
        ("is_hot ? true : false", INVALID, "a search has no `? :`; write it with `&&` and `||` (at column 8)"),
        ("name.matches('^a')", INVALID, "a search takes no patterns; use startsWith(…) or contains(…) (at column 6)"),
        (
            "name.endsWith('a')",
            INVALID,
            "a search calls no function on a property but startsWith and contains (at column 6)",
        ),
        (
            "size(name) > 3",
            INVALID,
            "a search calls no function on a property but startsWith and contains (at column 1)",
        ),
        (
            "'abc'.contains(name)",
            INVALID,
            "a search cannot ask this; it compares properties with values (at column 16)",
        ),
        (
            "data.a == 1",
            INVALID,
            "a search does not look into values; it asks about properties as a whole (at column 5)",
        ),
        (
            "tags[0] == 'a'",
            INVALID,
            "a search does not look into values; it asks about properties as a whole (at column 5)",
        ),
        (
            "tags.all(t, t == 'a')",
            INVALID,
            "a search asks of a list only whether it holds given values, as in tags.exists(t, t == 'x') (at column 6)",
        ),
        (
            "tags.exists(t, t.startsWith('a'))",
            INVALID,
            "a search asks of a list only whether it holds given values, as in tags.exists(t, t == 'x') (at column 18)",
        ),
        ("5", INVALID, "a condition is true or false, and this is an integer (at column 1)"),
        ("1 / 0 == 1 && is_hot", INVALID, "division by zero (at column 3)"),
        ("name in 'abc'", INVALID, "`in` needs a list of values here, not a string (at column 9)"),
        (
            "(name == 'a') == is_hot",
            INVALID,
            "a search cannot ask this; it compares properties with values (at column 7)",
        ),
        (
            "tags == 'a'",
            "not_applicable",
            "`==` does not fit `tags` of type `tags`; write `'x' in tags` or `tags != null` (at column 6)",
        ),
        (
            "notes == 'a'",
            "not_applicable",
            "`==` does not fit `notes` of type `text`; write `notes.contains('x')` or `notes != null` (at column 7)",
        ),
        (
            "is_hot > true",
            "not_applicable",
            "`>` does not fit `is_hot` of type `boolean`; write `is_hot` or `!is_hot` (at column 8)",
        ),
        ("'a' in name", "not_applicable", "`in` does not fit `name` of type `string` (at column 5)"),
        ("name", "wrong_type", "a string is expected, not a boolean (at column 1)"),
        ("name == 5", "wrong_type", "a string is expected, not a number (at column 6)"),
        ("seats == '5'", "wrong_type", "a number is expected, not a string (at column 7)"),
        ("name < null", "required", "`lt` takes no null; use `exists` or `not_exists` (at column 6)"),
        (
            "stage == 'wno'",
            "unknown_option",
            "`wno` is no option; did you mean `won`? options are `new`, `proposal`, `won` (at column 7)",
        ),
        ("due_at > duration('1h')", "wrong_type", "`due_at` is compared with no duration and no map (at column 8)"),
        (
            "closed_on > 'soon'",
            "invalid",
            "`soon` is no day; write it as `2026-03-01`, or relative as `today-30d` or `this_month` (at column 11)",
        ),
        ("labels.exists(t, t == 'x')", "unknown_property", "`labels` is no property of `deal` (at column 8)"),
    ] {
        assert_eq!(refusals(source), [(code, message.to_owned())], "{source}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let found = refusals("nmae == 'a' || stage == 'x' || seats == 'y'");
    assert_eq!(
        found.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        ["unknown_property", "unknown_option", "wrong_type"]
    );
    let found = refusals("amount > rank || tags[0] == 'x' || name.matches('a')");
    assert_eq!(found.len(), 3);
}

#[test]
fn deep_and_costly_expressions_are_refused() {
    let nested = (0..20).fold("is_hot".to_owned(), |inner, level| match level % 2 {
        0 => format!("(has(name) && {inner})"),
        _ => format!("(has(sku) || {inner})"),
    });
    assert_eq!(refusals(&nested), [("too_deep", "a filter nests at most 16 levels deep".to_owned())]);
    let list = format!("[{}]", vec!["0"; 30].join(","));
    let costly = format!("{list}.all(a, {list}.all(b, {list}.all(c, a + b + c >= 0)))");
    // Each would be within the bound, were it not that all of them share one.
    let many = [costly.as_str(); 6].join(" && ");
    assert!(filter_of_expression(&format!("is_hot || ({costly})"), object("deal"), &context()).is_ok());
    assert!(refusals(&format!("is_hot || ({many})"))[0].1.contains("too many steps"));
}

#[test]
fn an_expression_is_met_beside_the_filter_and_the_mistakes_of_both_are_told() {
    let sent = |body: &Value, expression: &str| {
        let mut text: QueryText = read(&raw(body)).expect("a query");
        text.expression = Some(expression.to_owned());
        resolve(&text, &[object("deal")], &context())
    };
    let query = sent(&json!({"filter": {"property": "name", "op": "exists"}}), "is_hot").expect("a query");
    assert_eq!(show(&query.scopes[0].filter), "(everything & name? & is_hot {true})");
    let found = told(sent(&json!({"sort": ["x"]}), "nmae == 'a'").expect_err("wrong"));
    let places: Vec<_> = found.iter().map(|(pointer, code, _)| format!("{pointer} {code}")).collect();
    assert_eq!(places, ["/filter unknown_property", "/sort/0/property unknown_property"]);
}
