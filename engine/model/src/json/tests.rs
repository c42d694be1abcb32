use super::*;

#[derive(Debug, PartialEq)]
struct Team {
    name: String,
    size: i64,
    is_open: Option<bool>,
    lead: Option<Option<String>>,
    members: Vec<Member>,
}

#[derive(Debug, PartialEq)]
struct Member {
    email: String,
}

impl<'a> FromJson<'a> for Team {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let name = object.required("name");
        let size = object.required("size");
        let is_open = object.optional("is_open");
        let lead = object.patch("lead");
        let members = object.list("members", 3);
        object.finish();
        Some(Self { name: name?, size: size?, is_open, lead, members: members? })
    }
}

impl<'a> FromJson<'a> for Member {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let email = object.required("email");
        object.finish();
        Some(Self { email: email? })
    }
}

fn parse(text: &str) -> Box<RawValue> {
    serde_json::from_str(text).expect("JSON")
}

fn team(text: &str) -> Team {
    read(&parse(text)).expect("valid")
}

fn problems(text: &str) -> Vec<(String, &'static str, String)> {
    let problems = read::<Team>(&parse(text)).expect_err("refused");
    problems.into_iter().map(|found| (found.pointer, found.code, found.message)).collect()
}

fn told(expected: &[(&str, &'static str, &str)]) -> Vec<(String, &'static str, String)> {
    expected.iter().map(|(pointer, code, message)| ((*pointer).to_owned(), *code, (*message).to_owned())).collect()
}

#[test]
fn a_body_is_read_into_types() {
    let text = r#" {"name": "Ad\u0061", "size": -3, "lead": null, "members": [{"email": "a@b.c"}], "is_open": true} "#;
    let members = vec![Member { email: "a@b.c".to_owned() }];
    let expected = Team { name: "Ada".to_owned(), size: -3, is_open: Some(true), lead: Some(None), members };
    assert_eq!(team(text), expected);
    let least = team(r#"{"name": "x", "size": 0, "is_open": null}"#);
    assert_eq!(least, Team { name: "x".to_owned(), size: 0, is_open: None, lead: None, members: Vec::new() });
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let text = r#"{"nam": 1, "size": 1.5, "is_open": "yes", "lead": 7,
        "members": [{"email": "a"}, {"emial": "b"}, 5], "size": 2, "x/y~": 0}"#;
    let expected = told(&[
        ("/size", "duplicate", "`size` is given more than once"),
        ("/name", "required", "`name` is required"),
        ("/size", "wrong_type", "an integer is expected, not a number"),
        ("/is_open", "wrong_type", "a boolean is expected, not a string"),
        ("/lead", "wrong_type", "a string is expected, not a number"),
        ("/members/1/email", "required", "`email` is required"),
        ("/members/1/emial", "unknown", "`emial` is not known here; did you mean `email`?"),
        ("/members/2", "wrong_type", "an object is expected, not a number"),
        ("/nam", "unknown", "`nam` is not known here; did you mean `name`?"),
        ("/x~1y~0", "unknown", "`x/y~` is not known here"),
    ]);
    assert_eq!(problems(text), expected);
}

#[test]
fn the_whole_may_be_wrong() {
    assert_eq!(problems("[]"), told(&[("", "wrong_type", "an object is expected, not a list")]));
    assert_eq!(problems("null"), told(&[("", "required", "a value is expected, not null")]));
}

#[test]
fn numbers_and_texts_that_cannot_be_held_are_told() {
    let text = r#"{"name": "\ud800", "size": 9223372036854775808, "lead": "a\u0000b"}"#;
    let expected = told(&[
        ("/name", "invalid", "the string has a broken escape"),
        ("/size", "out_of_range", "the number is beyond 64 bits"),
        ("/lead", "invalid", "the character U+0000 cannot be stored"),
    ]);
    assert_eq!(problems(text), expected);
}

#[test]
fn lists_and_objects_are_bounded() {
    let many = r#"{"name": "x", "size": 1, "members": [1, 2, 3, 4]}"#;
    assert_eq!(problems(many), told(&[("/members", "too_many", "a list of at most 3 is taken, not of 4")]));
    let names: Vec<String> = (0..10_001).map(|n| format!("\"k{n}\": 1")).collect();
    let message = "an object of at most 10000 members is taken, not of 10001";
    assert_eq!(problems(&format!("{{{}}}", names.join(","))), told(&[("", "too_many", message)]));
}

#[test]
fn a_reply_tells_a_thousand_problems_and_no_more() {
    let names: Vec<String> = (0..9_000).map(|n| format!("\"{}{n}\": 1", "k".repeat(200))).collect();
    let found = problems(&format!("{{\"name\": \"x\", \"size\": 1, {}}}", names.join(",")));
    assert_eq!(found.len(), 1_000);
    assert!(found.iter().all(|(pointer, _, message)| pointer.len() < 200 && message.len() < 200));
}

#[derive(Debug, PartialEq)]
struct Poll {
    colors: Vec<bool>,
    votes: Vec<(String, i64)>,
    answer: Option<String>,
}

/// What can be read of a poll, whatever is wrong with the rest.
impl<'a> FromJson<'a> for Poll {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        assert!(object.has("colors") && !object.has("size") && !object.has("nothing"));
        let colors = object.optional_with("colors", |raw, reading| {
            reading.each(raw, 3, |raw, reading| {
                let mut object = reading.object(raw)?;
                let is_warm = object.choice("color", &[("red", true), ("blue", false)]);
                object.finish();
                is_warm
            })
        });
        let votes = object.optional_with("votes", |raw, reading| {
            reading.each_member(raw, 2, |name, raw, reading| Some((name.to_owned(), reading.value(raw)?)))
        });
        let answer = object.written("nothing", |raw, reading| Some(format!("{} at {}", raw.get(), reading.pointer())));
        assert_eq!(object.names().collect::<Vec<_>>(), ["other"]);
        object.reading().problem("invalid", "as a whole");
        object.finish();
        Some(Self { colors: colors.unwrap_or_default(), votes: votes.unwrap_or_default(), answer })
    }
}

#[test]
fn parts_that_cannot_be_read_are_left_out_and_told() {
    let text = parse(
        r#"{"colors": [{"color": "red"}, {"color": "bleu"}, 5], "votes": {"a/b": 1, "c": "x"}, "nothing": null, "other": 1}"#,
    );
    let mut reading = Reading::default();
    let poll = reading.value::<Poll>(&text);
    let expected =
        Poll { colors: vec![true], votes: vec![("a/b".to_owned(), 1)], answer: Some("null at /nothing".to_owned()) };
    assert_eq!(poll, Some(expected));
    let found: Vec<_> =
        reading.into_problems().into_iter().map(|found| (found.pointer, found.code, found.message)).collect();
    let expected = told(&[
        ("/colors/1/color", "unknown", "`bleu` is none of `red`, `blue`; did you mean `blue`?"),
        ("/colors/2", "wrong_type", "an object is expected, not a number"),
        ("/votes/c", "wrong_type", "an integer is expected, not a string"),
        ("", "invalid", "as a whole"),
        ("/other", "unknown", "`other` is not known here"),
    ]);
    assert_eq!(found, expected);
}

#[test]
fn lists_and_maps_that_are_read_in_parts_are_bounded_too() {
    let text = parse(r#"{"colors": [1, 2, 3, 4], "votes": {"a": 1, "b": 2, "c": 3}, "nothing": null, "other": 0}"#);
    let mut reading = Reading::default();
    assert_eq!(reading.value::<Poll>(&text).map(|poll| (poll.colors.len(), poll.votes.len())), Some((0, 0)));
    let found: Vec<_> = reading.into_problems().into_iter().map(|found| (found.pointer, found.code)).collect();
    assert_eq!(found[..2], [("/colors".to_owned(), "too_many"), ("/votes".to_owned(), "too_many")]);
}
