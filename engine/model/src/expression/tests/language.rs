use super::*;

#[test]
fn names_are_those_read_and_not_the_loops_variables() {
    let source = "a > 1 && tags.exists(t, t == b || tags.all(u, u != t + c)) && has(d.e) && t == 1 && .a == f[g].h";
    let expression = Expression::compile(source).expect("an expression");
    assert_eq!(expression.names().collect::<Vec<_>>(), ["a", "tags", "b", "c", "d", "t", "f", "g"]);
    assert_eq!(expression.source(), source);
    assert_eq!(format!("{expression:?}"), format!("Expression({source:?})"));
}

#[test]
fn an_expression_is_shared_between_threads() {
    fn check<T: Clone + Send + Sync>(value: T) -> T {
        value.clone()
    }
    let expression = check(Expression::compile("1 + 1").expect("an expression"));
    assert_eq!(expression.evaluate(&Scope::new()), Ok(Value::Integer(2)));
}

#[test]
fn strings_lists_and_maps_are_as_in_cel() {
    for (source, expected) in [
        ("'a' + 'b' == \"ab\"", "true"),
        ("'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')", "true"),
        ("'INV-0042'.matches('^INV-[0-9]+$')", "true"),
        ("matches('x', '[0-9]')", "false"),
        ("size('żółw') + size([1, 2]) + {'a': 1}.size()", "7"),
        ("[1, 2] + [3]", "[1,2,3]"),
        ("[1, 2, 3][1]", "2"),
        ("{'a': 1, 'b': {'c': 2}}.b.c", "2"),
        ("{'a': 1}['a']", "1"),
        ("{1: 'low', 2: 'high'}[2]", "\"high\""),
        ("'a' in {'a': 1} && !('b' in {'a': 1})", "true"),
        ("2 in [1, 2] && !(3 in [1, 2])", "true"),
        ("true ? 1 : 1 / 0", "1"),
        ("'b' > 'a' && true > false", "true"),
        ("1 == 'a' || null == false || 'a' == ['a']", "false"),
        ("null == null", "true"),
        ("has({'a': 1}.a) && !has({'a': 1}.b) && !has({'a': null}.a)", "true"),
        ("r'a\\d' == 'a\\\\d'", "true"),
        ("'é' < '😀'", "true"),
        ("!true ? 1 : !!true ? 2 : 3", "2"),
        ("{'b': 1, 'a': 2}", r#"{"a":2,"b":1}"#),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn loops_are_as_in_cel() {
    for (source, expected) in [
        ("[1, 2, 3].all(x, x > 0)", "true"),
        ("[1, 2, 3].exists(x, x > 2)", "true"),
        ("[1, 2, 3].exists_one(x, x > 2)", "true"),
        ("[1, 2, 3].existsOne(x, x > 1)", "false"),
        ("[1, 2, 3].map(x, x * 2)", "[2,4,6]"),
        ("[1, 2, 3].map(x, x > 1, x * 2)", "[4,6]"),
        ("[1, 2, 3].filter(x, x != 2)", "[1,3]"),
        ("[[1, 2], [3]].map(x, x.map(y, y + 1))", "[[2,3],[4]]"),
        ("[1, 2].map(x, [10, 20].map(x, x + 1))", "[[11,21],[11,21]]"),
        ("{'a': 1, 'b': 2}.map(k, k)", r#"["a","b"]"#),
        ("[].all(x, 1 / 0 == 1)", "true"),
        ("[0, 1].exists(x, 1 / x == 1)", "true"),
        ("[0, 2].all(x, 1 / x == 1)", "false"),
        ("[0, 1].all(x, 1 / x == 1)", "error: division by zero (at column 17)"),
        ("[0, 1].exists_one(x, 1 / x == 1)", "error: division by zero (at column 24)"),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn a_side_that_decides_absorbs_the_others_error() {
    for (source, expected) in [
        ("true || 1 / 0 == 1", "true"),
        ("1 / 0 == 1 || true", "true"),
        ("false && 1 / 0 == 1", "false"),
        ("1 / 0 == 1 && false", "false"),
        ("1 / 0 == 1 || false", "error: division by zero (at column 3)"),
        ("true && 1 / 0 == 1", "error: division by zero (at column 11)"),
        ("1 || true", "true"),
        ("1 || false", "error: `||` needs true or false, not an integer (at column 1)"),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}
