use std::fmt::Write;

use proptest::prelude::*;
use serde_json::json;

use super::builder::MAX_KEY_BYTES;
use super::*;

fn read(text: &str) -> (Option<Document>, Vec<String>) {
    let mut problems = Vec::new();
    let document = parse("a.yaml", text, &mut Budget::default(), &mut problems);
    let described = problems.iter().map(|problem| format!("{} {} {}", problem.place, problem.code, problem.pointer));
    (document, described.collect())
}

fn value(text: &str) -> Value {
    let (document, problems) = read(text);
    assert_eq!(problems, [""; 0], "{text}");
    document.expect("a document").value
}

fn problems(text: &str) -> Vec<String> {
    read(text).1
}

#[test]
fn a_document_is_read_as_yaml_1_2() {
    assert_eq!(
        value(
            "a: no\nb: on\nc: [1, 1.5, 'x', \"y\\n\", ~, true]\nd: {e: {}, f: []}\ng: |\n  long\n  text\nh: >-\n  one\n  line\n"
        ),
        json!({"a": "no", "b": "on", "c": [1, 1.5, "x", "y\n", null, true], "d": {"e": {}, "f": []},
            "g": "long\ntext\n", "h": "one line"})
    );
    assert_eq!(value(""), json!(null));
    assert_eq!(value("# only a comment\n"), json!(null));
    assert_eq!(value("\u{feff}a: 1\n"), json!({"a": 1}));
    assert_eq!(value("--- {a: 1}\n...\n"), json!({"a": 1}));
}

#[test]
fn a_key_is_the_text_that_stands_there() {
    assert_eq!(
        value("{1: One, true: Yes, 1.50: Half, ~: None, no: No, \"quoted\": Q}"),
        json!({"1": "One", "true": "Yes", "1.50": "Half", "~": "None", "no": "No", "quoted": "Q"})
    );
}

#[test]
fn tags_of_the_core_schema_work_and_others_are_mistakes() {
    assert_eq!(
        value("[!!str 1, !!int 2, !!float 3.5, !!bool true, !!null ~, ! 4]"),
        json!(["1", 2, 3.5, true, null, "4"])
    );
    assert_eq!(value("!!map {a: !!seq [1]}"), json!({"a": [1]}));
    assert_eq!(
        problems("a: !mine 1\nb: !!int x\nc: !!map [1]\nd: !!set {}\n"),
        [
            "a.yaml:1:4 invalid_yaml /a",
            "a.yaml:2:4 invalid /b",
            "a.yaml:3:4 invalid_yaml /c",
            "a.yaml:4:4 invalid_yaml /d"
        ]
    );
}

#[test]
fn a_key_given_twice_names_both_places_and_the_rest_is_still_read() {
    let mut found = Vec::new();
    let document = parse("a.yaml", "a:\n  b: 1\n  c: 2\n  b: {d: 3}\n  e: .inf\n", &mut Budget::default(), &mut found);
    assert_eq!(document.expect("a document").value, json!({"a": {"b": 1, "c": 2, "e": null}}));
    let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "a.yaml:4:3: `b` is already given at a.yaml:2:3; keep one of the two",
            "a.yaml:5:6: `.inf` is no number that JSON has; quote it to make it a text",
        ]
    );
    assert_eq!(found[0].pointer, "/a/b");
}

#[test]
fn a_syntax_error_has_its_place() {
    for (text, place) in [
        ("a: 1\nb: [1, 2\n", "a.yaml:3:1"),
        ("a:\n\tb: 1\n", "a.yaml:2:2"),
        ("a: \"x\n", "a.yaml:1:4"),
        ("a: b: c\n", "a.yaml:1:5"),
        ("a: *b\n", "a.yaml:1:4"),
        ("a: @b\n", "a.yaml:1:4"),
    ] {
        let (document, problems) = read(text);
        assert!(document.is_none());
        assert_eq!(problems, [format!("{place} invalid_yaml ")], "{text}");
    }
}

#[test]
fn what_is_no_key_is_refused_and_its_value_dropped() {
    assert_eq!(
        problems("? [a, b]\n: 1\n? {c: d}\n: [2]\n<<: {e: 1}\n\"\\0\": 1\nf: \"\\0\"\n"),
        [
            "a.yaml:1:3 invalid_key ",
            "a.yaml:3:3 invalid_key ",
            "a.yaml:5:1 invalid_key /<<",
            "a.yaml:6:1 invalid /\0",
            "a.yaml:7:4 invalid /f"
        ]
    );
    let long = "k".repeat(MAX_KEY_BYTES + 1);
    assert_eq!(problems(&format!("? {long}\n: 1\n")), ["a.yaml:1:3 too_long "]);
}

#[test]
fn one_file_is_one_document() {
    assert_eq!(problems("a: 1\n---\nb: 2\n"), ["a.yaml:2:1 invalid_yaml "]);
}

#[test]
fn aliases_stand_for_their_anchors_places_included() {
    let (document, problems) = read("a: &x {b: [1, 2]}\nc: *x\nd: [*x, &y z, *y]\n");
    assert_eq!(problems, [""; 0]);
    let document = document.expect("a document");
    let inner = json!({"b": [1, 2]});
    assert_eq!(document.value, json!({"a": inner, "c": inner, "d": [inner, "z", "z"]}));
    let place = document.places.locate("/c/b/1");
    assert_eq!((place.line, place.column), (1, 15));
    assert_eq!(document.places.locate_key("/c").line, 2);
}

#[test]
fn an_alias_inside_its_own_anchor_is_a_mistake() {
    assert_eq!(problems("a: &x [1, *x]\n"), ["a.yaml:1:11 invalid_yaml /a/1"]);
}

#[test]
fn a_billion_laughs_end_early() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let problems = problems(&text);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("too_large"), "{problems:?}");
    // One long text many times over costs bytes instead.
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 1000].join(", "));
    assert!(read(&long).1[0].contains("too_large"));
}

#[test]
fn nesting_ends_at_64_levels() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(problems(&nested(MAX_DEPTH)), [""; 0]);
    assert!(problems(&nested(MAX_DEPTH + 1))[0].contains("too_deep"));
    // The scanner has a limit of its own, far beyond ours, for flow collections.
    assert_eq!(problems(&nested(100_000)).len(), 1);
    assert!(problems(&"- ".repeat(100_000))[0].contains("too_deep"));
    assert!(problems(&"{a: ".repeat(100))[0].contains("too_deep"));
    let by_alias = format!("a: &a {}\nb: {}*a{}\n", nested(40), "[".repeat(40), "]".repeat(40));
    assert!(problems(&by_alias)[0].contains("too_deep"));
}

#[test]
fn a_thousand_mistakes_are_enough() {
    let text: String = (0..5000).map(|_| "a: 1\n").collect();
    let problems = problems(&text);
    assert_eq!(problems.len(), MAX_PROBLEMS + 1);
    assert!(problems[MAX_PROBLEMS].contains("too_many"));
}

/// Pieces that make a text nearly YAML.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "- ", ": ", ":", "? ", "[", "]", "{", "}", ", ", "\n", "\n  ", "\n    ", "\t", "&a ", "*a ", "|\n", ">-\n", "'",
    "\"", "\\", "!!str ", "!x ", "---", "...", "%TAG ! a\n", "%YAML 1.2\n", "# c\n", "a", "b1", "1.5", "~", "é",
    "\r\n", "\u{feff}", "\u{0}", "<<: ", "@", "`", "|2-\n", "\u{85}",
];

fn yaml_like() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_text_is_more_than_a_mistake(text in prop_oneof![yaml_like(), any::<String>()]) {
        let (document, problems) = read(&text);
        prop_assert!(document.is_some() || !problems.is_empty());
    }

    #[test]
    fn json_is_yaml(text in "[a-z \\n\"'#:é-]{0,20}", number in any::<i64>(), flag in any::<bool>(), key in "[a-z/~]{1,8}") {
        let expected = json!({"list": [text, number, flag, null], key: {"inner": text}});
        prop_assert_eq!(value(&expected.to_string()), expected.clone());
        prop_assert_eq!(value(&serde_json::to_string_pretty(&expected).unwrap()), expected);
    }

    #[test]
    fn every_value_is_located_where_its_text_begins(keys in prop::collection::btree_set("[a-z]{1,6}", 1..8)) {
        let mut text = String::new();
        for (index, key) in keys.iter().enumerate() {
            writeln!(text, "{key}:\n{}  inner:  v{index}", "\n".repeat(index % 3)).unwrap();
        }
        let document = read(&text).0.expect("a document");
        let lines: Vec<&str> = text.lines().collect();
        for (index, key) in keys.iter().enumerate() {
            let place = document.places.locate(&format!("/{key}/inner"));
            let found = &lines[place.line - 1][place.column - 1..];
            prop_assert_eq!(found, format!("v{}", index));
        }
    }
}
