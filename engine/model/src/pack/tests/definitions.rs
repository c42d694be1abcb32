//! Definitions that read, and yet no record could live by them: each is told at its place.

use super::*;

/// Place, code and message of each mistake.
fn told(text: &str, below: &[Layer]) -> Vec<String> {
    let found = Pack::read_and_check(&one(text), |_| below.to_vec()).err().unwrap_or_default();
    found.iter().map(|problem| format!("{} {}", problem.code, problem)).collect()
}

/// A pack whose one object has these lines after some properties; the first of them is line 13.
fn visit(lines: &str) -> String {
    format!(
        "pack: visits\nversion: 1.0.0\nobjects:\n  visit:\n    properties:\n      name: {{type: string}}\n      story: {{type: \
         text}}\n      size: {{type: integer}}\n      load: {{type: decimal, scale: 2}}\n      day: {{type: date}}\n      \
         last: {{type: date}}\n      at: {{type: datetime}}\n{lines}"
    )
}

#[test]
fn constraints_that_nothing_can_meet_are_told() {
    let constraint = |constraint: &str| told(&visit(&format!("    constraints:\n      - {constraint}\n")), &[]);
    let place = "pack.yaml:14:";
    for (written, said) in [
        ("unique: []", format!("required {place}9: name at least one property whose values no two records share")),
        ("unique: [name, name]", format!("taken {place}24: `name` is there twice; leave one out")),
        (
            "unique: [name, story]",
            format!("not_applicable {place}24: `story` is of type text, and that cannot be unique"),
        ),
        (
            "no_overlap: {within: name, from: size, to: day}",
            format!(
                "wrong_type {place}52: `size` is of type integer and `day` of type date; an interval begins and ends with \
                 values of one type"
            ),
        ),
        (
            "no_overlap: {within: name, from: size, to: load}",
            format!(
                "wrong_type {place}52: `size` is of type integer and `load` of type decimal; an interval begins and ends \
                 with values of one type"
            ),
        ),
        (
            "no_overlap: {within: name, from: day, to: day}",
            format!("invalid {place}51: `day` is where the interval begins; it ends at another property"),
        ),
        (
            "no_overlap: {within: name, from: name, to: story}",
            format!("wrong_type {place}42: an interval is made of dates, moments or numbers"),
        ),
    ] {
        let found = constraint(written);
        assert_eq!(found.first(), Some(&said), "{written}: {found:?}");
    }
    for right in ["unique: [name, day]", "no_overlap: {within: name, from: day, to: last}"] {
        assert_eq!(constraint(right), [""; 0], "{right}");
    }
}

#[test]
fn features_and_groups_that_there_are_not_are_told() {
    let found = told(&visit("    features: {serch: true, search: yes, timeline: false, zebra: 1}\n"), &[]);
    assert_eq!(
        found,
        [
            "unknown_key pack.yaml:13:16: `serch` is no feature; did you mean `search`?",
            "wrong_type pack.yaml:13:37: true or false is expected, not a string",
            "unknown_key pack.yaml:13:59: `zebra` is no feature; there are search, timeline, tasks, notes, files, duplicates",
        ]
    );
    let lines = "      fee: {type: integer, group: cots}\n    groups: {cost: {label: Cost, order: -1}, g: 5, H: {}, i: {lable: I}}\n";
    assert_eq!(
        told(&visit(lines), &[]),
        [
            "unknown pack.yaml:13:35: `visit` has no group `cots`; did you mean `cost`?",
            "wrong_type pack.yaml:14:49: an object is expected, not a number",
            "invalid_name pack.yaml:14:52: `H`: a name is a lower-case letter followed by up to 63 lower-case letters, digits or underscores",
            "unknown_key pack.yaml:14:63: `lable` is not known here; did you mean `label`?",
        ]
    );
}

#[test]
fn what_a_property_needs_beside_it_is_there() {
    let lines = "      fee: {type: money, currency_property: zz}\n      tip: {type: money, currency_property: size}\n      \
                 sum: {type: money, currency_property: nmae}\n      kind: {type: enum, options: []}\n";
    assert_eq!(
        told(&visit(lines), &[]),
        [
            "unknown pack.yaml:13:45: there is no property `zz` beside this one",
            "wrong_type pack.yaml:14:45: `size` is of type integer; the code of a currency stands in a string or an enum",
            "unknown pack.yaml:15:45: there is no property `nmae` beside this one; did you mean `name`?",
            "required pack.yaml:16:26: there is nothing to choose; give an option",
        ]
    );
}

#[test]
fn links_carry_values_alone() {
    let lines = "associations:\n  a:\n    from: visit\n    to: visit\n    properties:\n      n: {type: formula, formula: 1 + 1, result: integer}\n      \
                 u: {type: string, unique: true}\n      c: {type: rollup, association: a, function: count, direction: in}\n";
    let found = told(&visit(lines), &[]);
    let places: Vec<_> = found.iter().map(|found| found.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(
        places,
        ["not_applicable pack.yaml:18:17", "not_applicable pack.yaml:19:33", "not_applicable pack.yaml:20:17"],
        "{found:?}"
    );
}

#[test]
fn an_object_has_one_default_pipeline() {
    let lines = "pipelines:\n  one: {object: visit, default: true, stages: {a: A}}\n  two: {object: visit, default: true, \
                 stages: {a: A}}\n  six: {object: visit, stages: {a: A}}\n";
    assert_eq!(
        told(&visit(lines), &[]),
        [
            "taken pack.yaml:15:33: new records of `visit` begin in `one` already; an object has one default, so take it off \
          one of the two"
        ]
    );
    let below = shipped::layers(&["core", "crm"]);
    let other = |first: &str| {
        format!(
            "pack: other\nversion: 1.0.0\npipelines:\n  sales: {{object: deal, extend: true{first}}}\n  lease: {{object: deal, \
             default: true, stages: {{a: A}}}}\n"
        )
    };
    let found = told(&other(""), &below);
    assert!(
        found.len() == 1 && found[0].contains("pack.yaml:5:34: new records of `deal` begin in `sales` of `crm`"),
        "{found:?}"
    );
    assert_eq!(told(&other(", default: false"), &below), [""; 0]);
}

#[test]
fn a_property_of_another_pack_keeps_its_type() {
    let text = "pack: other\nversion: 1.0.0\nextend:\n  contact:\n    properties:\n      email: {type: integer}\n      first_name: \
                {type: string, label: Given name}\n      shoe: {type: integer}\n";
    assert_eq!(
        told(text, &shipped::layers(&["core"])),
        [
            "immutable pack.yaml:6:21: `email` belongs to `core` and stays of type email; leave `type` out to adjust it, or \
          name yours otherwise"
        ]
    );
}

#[test]
fn what_is_installed_already_is_read_all_the_same() {
    let lines = "      fee: {type: money, currency_property: zz}\n    features: {serch: true}\n    groups: {g: 5}\n    \
                 constraints: [{unique: [name, name]}]\n";
    let pack = Pack::read(&one(&visit(lines))).expect("in shape");
    let (registry, problems) = Registry::fold(std::slice::from_ref(&pack.layer));
    assert_eq!((registry.objects.len(), problems.len()), (1, 4));
    // What builds on it is not held up, wherever it speaks of the object.
    let above = "pack: above\nversion: 1.0.0\nextend: {visit: {label: Stay}}\n";
    assert_eq!(told(above, &[pack.layer]), [""; 0]);
}

#[test]
fn what_is_said_names_what_was_found_and_what_was_meant() {
    let lines = "      a: {type: int}\n      b: {type: file, max_bytes: -1}\n      c: {type: string, max_length: 1.5}\n      d: {type: \
                 string, min_length: 99999999999999999999}\n      e: {type: string, pattern: '('}\n      f: {type: tags, prefixes: \
                 ['a:', 5]}\n    constraints: [{rule: 'now() > at', message: No}]\ncapabilities: [fine, Foo]\n";
    assert_eq!(
        told(&visit(lines), &[]),
        [
            "unknown_type pack.yaml:13:17: `int` is no property type; did you mean `integer`?",
            "wrong_type pack.yaml:14:34: a whole number of 0 or more is expected, not -1",
            "wrong_type pack.yaml:15:37: a whole number of 0 or more is expected, not 1.5",
            "wrong_type pack.yaml:16:37: a whole number of 0 or more is expected, not one of 20 digits",
            "invalid pack.yaml:17:34: the pattern is no regular expression: unclosed group",
            "wrong_type pack.yaml:18:40: a string is expected, not a number",
            "unknown pack.yaml:19:26: a rule has no clock: `now` is for formulas, and what was right when it was written \
             stays right",
            "invalid_name pack.yaml:20:22: `Foo`: a name is a lower-case letter followed by up to 63 lower-case letters, \
             digits or underscores",
        ]
    );
    let adjusted = "pack: other\nversion: 1.0.0\nextend: {contact: {properties: {emial: {label: E}}}}\n";
    assert_eq!(
        told(adjusted, &shipped::layers(&["core"])),
        ["required pack.yaml:3:33: `type` is required; did you mean `email`?"]
    );
}
