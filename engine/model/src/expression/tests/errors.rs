use super::super::{MAX_SOURCE_BYTES, Position};
use super::*;

#[test]
fn errors_have_a_place_and_say_what_to_do() {
    for (source, expected) in [
        ("", "the expression ends too early (at column 1)"),
        ("issued_on >= ", "the expression ends too early (at column 14)"),
        ("a ? b", "the expression ends too early (at column 6)"),
        ("a b", "`b` is not expected here (at column 3)"),
        ("a = b", "`=` is written `==` (at column 3)"),
        ("a & b", "`&` is written `&&` (at column 3)"),
        ("a and b", "`and` is written `&&` (at column 3)"),
        ("f(a,)", "`)` is not expected here (at column 5)"),
        ("$x", "`$` cannot stand here (at column 1)"),
        ("'é😀' == x + ) y", "`)` is not expected here (at column 13)"),
        ("a &&\n  b +", "the expression ends too early (at line 2, column 6)"),
        ("package == 1", "`package` is a word of the language itself and cannot be a name (at column 1)"),
        (
            "99999999999999999999",
            "the number is out of range: above 9223372036854775807 write it as a decimal, such as `92233720368547758070.0` (at column 1)",
        ),
        (
            "0.12345678901234567890123456789",
            "`0.12345678901234567890123456789` is no number of up to 28 digits (at column 1)",
        ),
        ("a + startWith('x')", "there is no function `startWith`; did you mean `startsWith`? (at column 5)"),
        ("(a - b).getDay()", "there is no function `getDay`; did you mean `getDays`? (at column 9)"),
        ("contains(a, 'b')", "`contains` is called on a value, as in x.contains(…) (at column 1)"),
        ("a.int()", "`int` is called with the value in brackets, as in int(x) (at column 3)"),
        ("size(a, b)", "`size` takes 1 arguments, not 2 (at column 1)"),
        ("has(a + b)", "`has` takes a name or a field, as in has(a) or has(a.b) (at column 1)"),
        ("tags.exists(t)", "`exists` takes a name and a condition, as in list.exists(x, …) (at column 6)"),
        (
            "tags.exists(t.u, true)",
            "`exists` takes a name for each element first, as in list.exists(x, …) (at column 6)",
        ),
        ("5u", "there are no unsigned integers; write the number without `u` (at column 1)"),
        ("b'x'", "there are no bytes; write a string without `b` (at column 1)"),
        ("Deal{a: 1}", "there are no messages here; write a map as {'key': value} (at column 5)"),
        ("a.matches(b)", "a pattern is a literal string, so that it can be checked beforehand (at column 11)"),
    ] {
        let error = Expression::compile(source).expect_err(source);
        assert_eq!(error.to_string(), expected, "{source}");
    }
}

#[test]
fn a_position_counts_bytes_lines_and_characters() {
    let error = Expression::compile("'é' ==\n 'ż' + ☃").expect_err("no snowmen");
    assert_eq!(error.position, Position { byte: 16, line: 2, column: 8 });
}

#[test]
fn evaluation_errors_point_at_their_part() {
    let scope = Scope::new().bind("a", 1_i64).bind("n", Value::Null);
    for (source, expected) in [
        ("a + amuont", "there is nothing called `amuont` here (at column 5)"),
        ("a + 'x'", "`+` is not defined for an integer and a string; write a number without quotes (at column 3)"),
        ("a > n", "`>` is not defined for an integer and null (at column 3)"),
        ("-n", "`-` is not defined for null (at column 1)"),
        ("!a", "`!` needs true or false, not an integer (at column 2)"),
        ("a ? 1 : 2", "`?` needs true or false, not an integer (at column 1)"),
        ("[1].all(x, x)", "`all` needs true or false, not an integer (at column 12)"),
        ("n.exists(x, x)", "a loop needs a list or a map, not null (at column 3)"),
        ("a.b", "a field needs a map, not an integer (at column 2)"),
        ("{'a': 1}.b", "there is no `b` in the map; test it with has(…) (at column 9)"),
        ("[1][a]", "the list has 1 elements, none at 1 (at column 4)"),
        ("[1][-1]", "the list has 1 elements, none at -1 (at column 4)"),
        ("[1]['a']", "`[]` is not defined for a list and a string (at column 4)"),
        ("a in 'abc'", "`in` is not defined for an integer and a string; write a number without quotes (at column 3)"),
        ("{1.5: 1}", "a key is a string, an integer or a boolean, not a decimal (at column 2)"),
        ("{'a': 1, 'a': 2}", "the map has this key twice (at column 10)"),
        ("1.5 == '1.5'", "`==` is not defined for a decimal and a string; write a number without quotes (at column 5)"),
    ] {
        assert_eq!(evaluate(source, &scope), Err(expected.to_owned()), "{source}");
    }
}

#[test]
fn a_null_that_is_needed_is_told_apart_from_a_mistake() {
    let scope = Scope::new().bind("amount", Value::Null).bind("name", "x");
    for (source, expected) in [
        ("amount * 2", true),
        ("2 < amount", true),
        ("size(amount)", true),
        ("amount.getDays()", true),
        ("amount", true),
        ("name * 2", false),
        ("1 / 0", false),
        ("nothing", false),
    ] {
        let error = Expression::compile(source).expect(source).evaluate_bool(&scope).expect_err(source);
        assert_eq!(error.is_missing_value(), expected, "{source}");
    }
}

#[test]
fn a_condition_is_true_or_false() {
    let expression = Expression::compile("1 + 1").expect("an expression");
    let error = expression.evaluate_bool(&Scope::new()).expect_err("no condition");
    assert_eq!(error.to_string(), "a condition must be true or false, and this is an integer (at column 1)");
}

#[test]
fn a_source_has_a_largest_length() {
    let longest = format!("'{}'", "x".repeat(MAX_SOURCE_BYTES - 2));
    assert!(Expression::compile(&longest).is_ok());
    let error = Expression::compile(&format!("{longest} ")).expect_err("too long");
    assert_eq!(error.message, "an expression has at most 4096 bytes, and this one 4097");
}
