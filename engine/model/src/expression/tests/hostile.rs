use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Compiles, and evaluates what compiles, on the small stack that a server's threads have.
fn survives(source: &str) -> Result<serde_json::Value, String> {
    let text = "x".repeat(100_000);
    let list = Value::from((0..1_000).map(Value::Integer).collect::<Vec<_>>());
    let scope = Scope::new().bind("a", 1_i64).bind("t", true).bind("text", text).bind("list", list);
    let began = Instant::now();
    let result = evaluate(source, &scope);
    assert!(began.elapsed() < Duration::from_secs(20), "{source:.100} took {:?}", began.elapsed());
    result
}

#[test]
fn nesting_and_chains_are_refused_without_harm() {
    let nested = |open: &str, inner: &str, close: &str, times| open.repeat(times) + inner + &close.repeat(times);
    for times in [10, 30, 60, 100, 500, 2_000] {
        for source in [
            nested("(", "a", ")", times),
            nested("[", "a", "]", times),
            nested("{'a':", "a", "}", times),
            nested("size(", "a", ")", times),
            nested("(a+", "a", ")", times),
            nested("!(", "t", ")", times),
            nested("a[", "a", "]", times),
            nested("list.map(x, ", "a", ")", times),
            "(".repeat(times),
            ")".repeat(times),
            "t ? a : ".repeat(times) + "a",
            "!".repeat(times) + "t",
            "-".repeat(times) + "a",
            vec!["a"; times].join("+"),
            vec!["a"; times].join(" < "),
            vec!["t"; times].join("||"),
            vec!["a"; times].join("."),
            "a".to_owned() + &"[0]".repeat(times),
            "a".to_owned() + &".size()".repeat(times),
            "list".to_owned() + &".map(x, x)".repeat(times),
            "a ".repeat(times),
            "+".repeat(times),
            "'".repeat(times),
            "\u{1}".repeat(times),
        ] {
            if source.len() <= 4_096 {
                drop(survives(&source));
            }
        }
    }
}

#[test]
fn what_is_within_the_bounds_works() {
    assert_eq!(survives(&("(".repeat(32) + "a" + &")".repeat(32))), Ok(json!(1)));
    assert_eq!(survives(&vec!["a"; 100].join("+")), Ok(json!(100)));
    assert_eq!(survives(&vec!["t"; 800].join("&&")), Ok(json!(true)));
    assert_eq!(survives("list.exists(x, x == 999) && list.all(x, list[x] == x)"), Ok(json!(true)));
    let nested = "list[0] == 0 && [1].all(x, [1].all(y, [1].all(z, x + y == 2 * z)))";
    assert_eq!(survives(nested), Ok(json!(true)));
}

#[test]
fn what_is_beyond_the_bounds_says_so() {
    let message = |source: &str| Expression::compile(source).expect_err(source).message;
    assert_eq!(message(&("(".repeat(33) + "a" + &")".repeat(33))), "the expression is nested more than 32 levels deep");
    assert_eq!(message(&vec!["a"; 101].join("+")), "the expression is more than 100 levels deep; split it up");
    let loops = "[1].all(w, [1].all(x, [1].all(y, [1].all(z, true))))";
    assert_eq!(message(loops), "at most 3 loops can be inside each other");
    let pattern = "'x'.matches('(a{1000}){1000}')";
    assert!(message(pattern).starts_with("the pattern is wrong"), "{}", message(pattern));
}

#[test]
fn values_that_explode_exhaust_the_steps_instead_of_memory() {
    let doubling = |step: &str, times| "[text]".to_owned() + &step.repeat(times);
    for source in [
        // Doubled text, doubled lists, shared lists that are huge once written out or compared.
        doubling(".map(x, x + x)", 60),
        doubling(".map(x, [x, x])", 60),
        doubling(".map(x, [x, x])", 40) + " == " + &doubling(".map(x, [x, x])", 40),
        doubling(".map(x, {'a': x, 'b': x})", 40),
        "list.map(x, list.map(y, list))".to_owned(),
        "list.map(x, list.map(y, list.map(z, z)))".to_owned(),
        "list.all(x, list.all(y, list.all(z, true)))".to_owned(),
        "list.map(x, text + text)".to_owned(),
        "list.all(x, list.all(y, !text.contains('y')))".to_owned(),
        "list.all(x, list.all(y, !text.matches('(x+x+)+y')))".to_owned(),
        "list.all(x, list.all(y, !([y] in list)))".to_owned(),
        "list.map(x, list + list)".to_owned(),
        // Texts that are taken apart, put together and made longer.
        "list.map(x, text.split(''))".to_owned(),
        "list.map(x, text.split('x'))".to_owned(),
        "list.map(x, text.replace('x', 'xx'))".to_owned(),
        "text.replace('x', text)".to_owned(),
        "text.replace('', text)".to_owned(),
        "list.map(x, text.substring(1))".to_owned(),
        "list.map(x, text.lowerAscii())".to_owned(),
        doubling(".map(x, x.replace('x', 'xx'))", 60),
        "list.map(x, text).join()".to_owned() + ".replace('x', text)",
        "[list.map(x, string(x)).join(text)].map(x, x.split(''))".to_owned(),
        "list.all(x, list.all(y, text.indexOf('y') < 0))".to_owned(),
        // What is exhausted is not absorbed.
        "list.all(x, list.all(y, list.all(z, true))) || true".to_owned(),
        "list.exists(w, list.all(x, list.all(y, x + y >= 0)) || true)".to_owned(),
    ] {
        let result = survives(&source);
        let error = result.expect_err(&source);
        assert!(error.starts_with("the expression takes too many steps"), "{source:.80}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_text_never_panics(source in any::<String>()) {
        drop(evaluate(&source, &Scope::new()));
    }

    #[test]
    fn arbitrary_tokens_never_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "a", "list", "text", "t", "1", "0.5", "-", "'x'", "(", ")", "[", "]", "{", "}", ",", ":", "?", "+", "*", "/", "%",
        "==", "!=", "<", ">=", "&&", "||", "!", " in ", ".", "size(", ".map(x, ", ".all(x, ", ".exists(x, ", "x", "has(",
        "date(", "duration(", "timestamp(", "days(", "'2026-01-31'", "'1h'", "string(", "int(", "decimal(", "null", "true",
        ".split('x')", ".split('')", ".substring(1)", ".substring(0, 1)", ".indexOf(", ".replace('x', ", ".trim()", ".join()",
        ".getDays()", ".matches('x+')", "9223372036854775807", "1e28", "\"", "'", "//", "\\", "é",
    ]), 0..24)) {
        let list = Value::from(vec![Value::Integer(0), Value::Null, Value::from("x")]);
        let scope = Scope::new().bind("a", 1_i64).bind("t", true).bind("text", "x").bind("list", list);
        drop(evaluate(&tokens.concat(), &scope));
    }
}
