//! All mistakes come at once: what does not read is left out, and nothing is said of what only misses it.

use super::*;

/// Place and code of each mistake; `objects:` is line 3.
fn told(rest: &str) -> Vec<String> {
    let text = format!("pack: sites\nversion: 1.0.0\n{rest}");
    let found = Pack::read_and_check(&one(&text), |_| shipped::layers(&["core"])).err().unwrap_or_default();
    found.iter().map(|problem| format!("{} {}", problem.code, problem)).collect()
}

fn places(rest: &str) -> Vec<String> {
    told(rest).iter().filter_map(|told| told.split(": ").next()).map(str::to_owned).collect()
}

#[test]
fn what_is_wrong_elsewhere_is_told_beside_what_does_not_read() {
    let text = "\
objects:
  site:
    lable: Site
    properties:
      name: {type: strng}
      a: {type: formula, formula: b + 1, result: integer}
      b: {type: formula, formula: a + 1, result: integer}
      n: {type: rollup, association: nothing, function: count}
      c: {type: formula, formula: name + 'x', result: string}
    constraints:
      - {rule: \"name == 'x'\", message: No}
      - {unique: [name]}
views:
  all: {object: site, columns: [name, odd], sort: [{property: name}]}
  bad: {object: site, kind: bord}
reports:
  sums: {object: site, measures: {n: {sum: nmu}}}
associations:
  site_contact: {from: site, to: contcat, carnality: many_to_one}
dashboards:
  home: {items: [{view: bad}, {view: all}]}
pipelines:
  way: {object: site, stages: {a: {type: won, requires: [name, adress]}}}
";
    let found = places(text);
    assert_eq!(
        found,
        [
            "unknown_key pack.yaml:5:5",
            "unknown_type pack.yaml:7:20",
            "cycle pack.yaml:8:35",
            "unknown pack.yaml:10:38",
            "unknown pack.yaml:16:39",
            "unknown pack.yaml:17:29",
            "unknown_property pack.yaml:19:44",
            "unknown pack.yaml:21:34",
            "unknown_key pack.yaml:21:43",
            "unknown pack.yaml:25:47",
        ],
        "{:#?}",
        told(text)
    );
}

#[test]
fn what_has_a_wrong_name_is_looked_at_all_the_same() {
    let text = "\
objects:
  Site:
    properties:
      name: {type: strng}
      Size: {type: intger}
      a: {type: string, group: nope}
  yard: {properties: {name: {type: string}}}
associations:
  Yard-Site: {from: yard, to: Site, cardinality: many}
views:
  all: {object: Site, columns: [name]}
";
    let found = told(text);
    assert_eq!(
        places(text),
        [
            "invalid_name pack.yaml:4:3",
            "unknown_type pack.yaml:6:20",
            "invalid_name pack.yaml:7:7",
            "unknown_type pack.yaml:7:20",
            "unknown pack.yaml:8:32",
            "invalid_name pack.yaml:11:3",
            "invalid_name pack.yaml:11:31",
            "unknown pack.yaml:11:50",
        ],
        "{found:#?}"
    );
    assert!(found[4].contains("`Site` has no group `nope`"), "{found:#?}");
    let nameless = Pack::read_and_check(&one("pack: Odd\nversion: 1.0.0\nobjects: {a: {lable: A}}\n"), |_| Vec::new());
    assert_eq!(
        shown(&nameless.unwrap_err()),
        ["pack.yaml:1:7 invalid_name /pack", "pack.yaml:3:15 unknown_key /objects/a/lable"]
    );
}

#[test]
fn stages_of_a_pipeline_that_does_not_read_are_no_further_mistakes() {
    let text = "\
objects:
  site:
    properties:
      name: {type: string}
    constraints:
      - {rule: \"stage != 'a' || name != null\", message: No}
pipelines:
  way: {object: site, stages: {a: {typ: won}, b: B}}
  six: {object: site, stages: []}
views:
  all: {object: site, columns: [name, stage], filter: {property: stage, op: eq, value: b}}
";
    assert_eq!(places(text), ["unknown_key pack.yaml:10:36", "invalid pack.yaml:11:23"], "{:#?}", told(text));
}

#[test]
fn more_mistakes_than_anybody_reads_are_counted() {
    let wrong = (0..1500).map(|number| format!("      p{number}: {{type: strng}}\n")).collect::<String>();
    let found = told(&format!("objects:\n  site:\n    properties:\n{wrong}"));
    assert_eq!(found.len(), 1001);
    assert_eq!(found.last().map(String::as_str), Some("too_many pack.yaml:1006:21: 500 more mistakes from here on"));
}
