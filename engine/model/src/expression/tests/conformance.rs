//! Our evaluation agrees with the `cel` crate's own interpreter on the language that both have: integers, strings,
//! booleans, null, lists and loops. Where one fails, so does the other.

use cel::{Context, Program};
use proptest::prelude::*;

use super::*;

type Source = BoxedStrategy<String>;

/// Sources by the type that they have, unless some part of them has the wrong one.
struct Sources {
    integers: Source,
    booleans: Source,
    texts: Source,
    lists: Source,
}

fn one_of(choices: &'static [&'static str]) -> Source {
    prop::sample::select(choices).prop_map(str::to_owned).boxed()
}

/// Fills each `#` of one of the patterns with one of the parts in turn.
fn fill(patterns: &'static [&'static str], parts: Vec<Source>) -> Source {
    let join = |(pattern, parts): (&str, Vec<String>)| {
        let mut parts = parts.into_iter();
        let fill = |piece: &str| match piece.strip_suffix('#') {
            Some(before) => before.to_owned() + &parts.next().unwrap_or_default(),
            None => piece.to_owned(),
        };
        pattern.split_inclusive('#').map(fill).collect()
    };
    (prop::sample::select(patterns), parts).prop_map(join).boxed()
}

impl Sources {
    fn simple() -> Self {
        Self {
            integers: one_of(&["-3", "-1", "0", "1", "2", "3", "i", "x", "x", "9223372036854775807"]),
            booleans: one_of(&["true", "false", "b"]),
            texts: one_of(&["''", "'a'", "'ab'", "s"]),
            lists: one_of(&["[]", "[0, 1, 2]", "list"]),
        }
    }

    /// Expressions of which these are parts.
    fn deeper(&self) -> Self {
        let any = prop_oneof![
            self.integers.clone(),
            self.booleans.clone(),
            self.texts.clone(),
            self.lists.clone(),
            one_of(&["null", "unknown"])
        ];
        // One part in so many has any type at all.
        let mixed = |typed: &Source| prop_oneof![12 => typed.clone(), 1 => any.clone()].boxed();
        let (integer, boolean) = (mixed(&self.integers), mixed(&self.booleans));
        let (text, list) = (mixed(&self.texts), mixed(&self.lists));
        let integers = prop_oneof![
            self.integers.clone(),
            fill(
                &["(# + #)", "(# - #)", "(# * #)", "(# / #)", "(# % #)", "list[#]", "[#, #][1]", "{'a': #, 'b': #}.b"],
                vec![integer.clone(); 2]
            ),
            fill(&["(-(#))"], vec![integer.clone()]),
            fill(&["size(#)"], vec![mixed(&prop_oneof![text.clone(), list.clone()].boxed())]),
            fill(&["(# ? # : #)"], vec![boolean.clone(), integer.clone(), integer.clone()]),
        ];
        let booleans = prop_oneof![
            self.booleans.clone(),
            fill(&["(# < #)", "(# <= #)", "(# > #)", "(# >= #)", "(# == #)", "(# != #)"], vec![integer.clone(); 2]),
            fill(&["(# == #)", "(# != #)"], vec![any.clone().boxed(); 2]),
            fill(&["(# && #)", "(# || #)", "(# || !(#))", "(!(#) && #)"], vec![boolean.clone(); 2]),
            fill(&["(# in #)"], vec![any.clone().boxed(), list.clone()]),
            fill(&["#.contains(#)", "#.startsWith(#)", "#.endsWith(#)", "(# < #)"], vec![text.clone(); 2]),
            fill(&["#.all(x, #)", "#.exists(x, #)", "#.exists_one(x, #)"], vec![list.clone(), boolean.clone()]),
            fill(&["has({'a': [#]}.a)", "has({'a': [#]}.b)"], vec![integer.clone()]),
        ];
        let texts = prop_oneof![
            self.texts.clone(),
            fill(&["(# + #)"], vec![text.clone(); 2]),
            fill(&["string(#)"], vec![prop_oneof![integer.clone(), boolean.clone()].boxed()]),
        ];
        let lists = prop_oneof![
            self.lists.clone(),
            fill(&["(# + #)"], vec![list.clone(); 2]),
            fill(&["#.map(x, #)"], vec![list.clone(), any.clone().boxed()]),
            fill(&["#.filter(x, #)"], vec![list, boolean]),
            fill(&["[#, #]"], vec![any.boxed(), integer]),
        ];
        Self { integers: integers.boxed(), booleans: booleans.boxed(), texts: texts.boxed(), lists: lists.boxed() }
    }
}

fn source() -> Source {
    let Sources { integers, booleans, texts, lists } = Sources::simple().deeper().deeper().deeper();
    prop_oneof![integers, booleans, texts, lists].boxed()
}

fn reference(source: &str) -> Option<serde_json::Value> {
    let program = Program::compile(source).expect("our parser is the same");
    let mut context = Context::default();
    context.add_variable_from_value("i", 2_i64);
    context.add_variable_from_value("s", "ab");
    context.add_variable_from_value("b", true);
    context.add_variable_from_value("list", vec![1_i64, 2, 3]);
    program.execute(&context).ok().map(to_json)
}

fn to_json(value: cel::Value) -> serde_json::Value {
    match value {
        cel::Value::Null => serde_json::Value::Null,
        cel::Value::Bool(value) => value.into(),
        cel::Value::Int(value) => value.into(),
        cel::Value::String(value) => value.as_str().into(),
        cel::Value::List(items) => items.iter().cloned().map(to_json).collect(),
        cel::Value::Map(_) => serde_json::json!("a map"),
        other => panic!("{other:?} is not in the common language"),
    }
}

#[test]
fn datetimes_and_durations_agree_with_the_crates_own() {
    let moments =
        ["2026-01-30T23:30:00.123Z", "2024-02-29T00:00:00+09:00", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"];
    let parts = [
        "getFullYear",
        "getMonth",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
    ];
    for moment in moments {
        // Unlike the crate, we keep datetimes in UTC and not in the offset that they were written with.
        for (part, zone) in
            parts.iter().flat_map(|part| ["UTC", "Europe/Paris", "-05:30", "02:00"].map(|zone| (part, zone)))
        {
            let source = format!("timestamp('{moment}').{part}('{zone}')");
            assert_eq!(evaluate(&source, &Scope::new()).ok(), reference(&source), "{source}");
        }
    }
    for length in ["1h30m", "-90m", "1.5s", "1ms", "26h", "0s", "", "1", "h", "1x", "-", "1.2.3s"] {
        for part in ["getHours", "getMinutes", "getSeconds", "getMilliseconds"] {
            let source = format!("duration('{length}').{part}()");
            assert_eq!(evaluate(&source, &Scope::new()).ok(), reference(&source), "{source}");
        }
    }
    for source in [
        "timestamp('2026-01-30T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') == duration('696h')",
        "timestamp('2026-01-30T00:00:00Z') + duration('24h') == timestamp('2026-01-31T00:00:00Z')",
        "duration('1h') - duration('61m') < duration('0s')",
        "int(timestamp('1969-12-31T23:59:59Z'))",
        "timestamp(1767225599) == timestamp('2025-12-31T23:59:59Z')",
        "timestamp('9999-12-31T23:59:59Z') + duration('1s') == null",
    ] {
        assert_eq!(evaluate(source, &Scope::new()).ok(), reference(source), "{source}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn evaluation_agrees_with_the_crates_own(source in source()) {
        let list = Value::from(vec![Value::Integer(1), Value::Integer(2), Value::Integer(3)]);
        let scope = Scope::new().bind("i", 2_i64).bind("s", "ab").bind("b", true).bind("list", list);
        let ours = evaluate(&source, &scope);
        prop_assert_eq!(ours.clone().ok(), reference(&source), "{}: {:?}", source, ours);
    }
}
