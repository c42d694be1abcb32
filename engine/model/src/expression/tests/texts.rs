use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn texts_are_taken_apart_and_put_together_as_in_cel() {
    for (source, expected) in [
        ("'First Last'.split(' ')", r#"["First","Last"]"#),
        ("'First Last'.split(' ')[1]", r#""Last""#),
        ("size('a,b,,c'.split(','))", "4"),
        ("''.split(',')", r#"[""]"#),
        ("'żół'.split('')", r#"["ż","ó","ł"]"#),
        ("''.split('')", "[]"),
        ("'żółw'.substring(1)", r#""ółw""#),
        ("'żółw'.substring(1, 3)", r#""ół""#),
        ("'żółw'.substring(4)", r#""""#),
        ("'żółw'.substring(2, 2)", r#""""#),
        ("'żółw'.indexOf('łw')", "2"),
        ("'żółw'.indexOf('x')", "-1"),
        ("'żółw'.indexOf('')", "0"),
        ("'a-b-c'.replace('-', '+')", r#""a+b+c""#),
        ("'ab'.replace('', '-')", r#""-a-b-""#),
        ("'  a b \\t'.trim()", r#""a b""#),
        ("'ŻÓŁw Ab'.lowerAscii()", r#""ŻÓŁw ab""#),
        ("'żółw Ab'.upperAscii()", r#""żółW AB""#),
        ("['a', 'b', 'c'].join(', ')", r#""a, b, c""#),
        ("['a', 'b'].join() + [].join('x')", r#""ab""#),
        ("'Ada King Lovelace'.split(' ').filter(x, x != 'King').join(' ')", r#""Ada Lovelace""#),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn what_is_not_in_a_text_says_so() {
    for (source, told) in [
        ("'First'.split(' ')[1]", "the list has 1 elements, none at 1"),
        ("'abc'.substring(4)", "the text has 3 characters, and there are none from 4"),
        ("'abc'.substring(-1)", "the text has 3 characters, and there are none from -1"),
        ("'abc'.substring(2, 1)", "the text has 3 characters, and there are none from 2 to 1"),
        ("'abc'.substring(0, 4)", "the text has 3 characters, and there are none from 0 to 4"),
        ("['a', 1].join()", "`join` is not defined for a list"),
        ("'abc'.substring(1.0)", "`substring` is not defined for a string and a decimal"),
        ("5.split(' ')", "`split` is not defined for an integer and a string"),
    ] {
        let error = evaluate(source, &Scope::new()).expect_err(source);
        assert!(error.starts_with(told), "{source}: {error}");
    }
    let none = Scope::new().bind("a", Value::Null);
    let missing = Expression::compile("a.split(' ')[0]").expect("an expression").evaluate(&none).expect_err("no value");
    assert!(missing.is_missing_value());
}

/// Texts with characters of one to four bytes, often with parts in common.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "B", " ", ",", "ż", "€", "😀", "\u{a0}"]), 0..12)
        .prop_map(|letters| letters.concat())
}

/// Where `part` stands in `text`, none of them reaching into the one before.
fn places(text: &[char], part: &[char]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + part.len() <= text.len() {
        if text[at..at + part.len()] == *part {
            found.push(at);
            at += part.len().max(1);
        } else {
            at += 1;
        }
    }
    found
}

fn joined(parts: &[&[char]], between: &[char]) -> String {
    parts.join(between).iter().collect()
}

proptest! {
    /// By lists of characters, without a look at bytes.
    #[test]
    fn functions_of_texts_do_what_lists_of_characters_do(a in text(), b in text(), c in text(), from in -2..14_i64, to in -2..14_i64) {
        let [text, part, new] = [&a, &b, &c].map(|text| text.chars().collect::<Vec<char>>());
        let scope = Scope::new().bind("a", a.as_str()).bind("b", b.as_str()).bind("c", c.as_str());
        let scope = scope.bind("from", from).bind("to", to);
        let value = |source: &str| evaluate(source, &scope);
        let found = places(&text, &part);
        let first = found.first().map_or(-1, |at| i64::try_from(*at).expect("a place"));
        prop_assert_eq!(value("a.indexOf(b)"), Ok(json!(first)));
        let mut pieces: Vec<&[char]> = Vec::new();
        let mut begin = 0;
        for at in &found {
            pieces.push(&text[begin..*at]);
            begin = at + part.len();
        }
        pieces.push(&text[begin..]);
        prop_assert_eq!(value("a.replace(b, c)"), Ok(json!(joined(&pieces, &new))));
        let split: Vec<String> = match part.is_empty() {
            true => text.iter().map(char::to_string).collect(),
            false => pieces.iter().map(|piece| piece.iter().collect()).collect(),
        };
        prop_assert_eq!(value("a.split(b)"), Ok(json!(split)));
        prop_assert_eq!(value("size(a.split(b))"), Ok(json!(split.len())));
        if !part.is_empty() {
            prop_assert_eq!(value("a.split(b).join(b)"), Ok(json!(a)));
        }
        let cut = |from: i64, to: i64| {
            let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
            text.get(from..to).map(|part| json!(part.iter().collect::<String>()))
        };
        prop_assert_eq!(value("a.substring(from, to)").ok(), cut(from, to));
        prop_assert_eq!(value("a.substring(from)").ok(), cut(from, i64::try_from(text.len()).expect("a length")));
        let is_black = |letter: &&char| !letter.is_whitespace();
        let begin = text.iter().position(|letter| is_black(&letter)).unwrap_or(text.len());
        let end = text.iter().rposition(|letter| is_black(&letter)).map_or(begin, |at| at + 1);
        prop_assert_eq!(value("a.trim()"), Ok(json!(text[begin..end].iter().collect::<String>())));
        let lower: String = text.iter().map(char::to_ascii_lowercase).collect();
        let upper: String = text.iter().map(char::to_ascii_uppercase).collect();
        prop_assert_eq!(value("[a.lowerAscii(), a.upperAscii()]"), Ok(json!([lower, upper])));
    }
}
