use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::yaml::Budget;
use super::*;
use crate::layer::Layer;
use crate::registry::Registry;

mod definitions;
mod refused;
mod rest;
mod seeds;
pub(super) mod shipped;

fn one(text: &str) -> Vec<(String, String)> {
    vec![("pack.yaml".to_owned(), text.to_owned())]
}

fn shown(problems: &[LocatedProblem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{} {} {}", problem.place, problem.code, problem.pointer)).collect()
}

/// The example of the format's documentation.
const EXAMPLE: &str = r#"
pack: construction
version: 1.2.0
label: Construction
requires: {crm: ^1.0}
capabilities: [permits]
schemas: {site_address: {type: object, properties: {street: {type: string}}, required: [street]}}
objects:
  permit:
    label: Permit
    plural: permits
    icon: clipboard-check
    display: "{{ number }} {{ site }}"
    features: {search: true, timeline: true, tasks: true, notes: true, files: true, duplicates: [[number]]}
    groups: {cost: {label: Cost}}
    properties:
      number: {type: string, label: Number, required: true, unique: true, searchable: true}
      kind:   {type: enum, label: Kind, options: {new: New, repair: Repair, demolition: {label: Demolition, color: red}}, default: new}
      cost:   {type: money, label: Estimated cost, currency: CAD, minimum: 0, group: cost}
      site:   {type: json, schema: site_address}
      applied_on: {type: date}
      issued_on: {type: date}
    constraints:
      - {rule: "issued_on == null || issued_on >= applied_on", message: Issue date is before application., at: issued_on}
extend:
  company: {properties: {licence: {type: string, label: Contractor licence}}}
associations:
  permit_contractor: {from: permit, to: company, label: Contractor, inverse: Permits, cardinality: many_to_one}
pipelines:
  approval: {object: permit, label: Approval, default: true, stages: {applied: {label: Applied}, issued: {label: Issued, requires: [issued_on]}, closed: {label: Closed, type: closed}}, transitions: {applied: [issued, closed], issued: [closed]}}
views: {open: {object: permit}}
workflows: {}
"#;

#[test]
fn a_mistake_in_the_version_hides_no_other() {
    let text = "pack: venues\nversion: one\nobjects:\n  venue:\n    label: Venue\n    plural: venues\n    display: \"{{ nam }}\"\n    properties:\n      name: {type: strin}\n";
    let mistakes = Pack::read_and_check(&[("pack.yaml".to_owned(), text.to_owned())], |_| Vec::new()).unwrap_err();
    let places: Vec<&str> = mistakes.iter().map(|mistake| mistake.pointer.as_str()).collect();
    assert_eq!(places, ["/version", "/objects/venue/display", "/objects/venue/properties/name/type"]);
}

#[test]
fn a_pack_is_read_whole() {
    let pack = Pack::read(&one(EXAMPLE)).expect("a pack");
    assert_eq!(pack.name.as_str(), "construction");
    assert_eq!(pack.version.to_string(), "1.2.0");
    assert_eq!(pack.label, "Construction");
    let requires: Vec<_> = pack.requires.iter().map(|(name, versions)| format!("{name} {versions}")).collect();
    assert_eq!(requires, ["crm ^1.0"]);
    assert_eq!(pack.capabilities, pack.layer.capabilities);
    assert_eq!(pack.layer.name, "construction");
    assert_eq!(pack.layer.objects["permit"]["properties"]["cost"]["currency"], "CAD");
    let views: Vec<_> = pack
        .layer
        .behaviors
        .iter()
        .map(|((section, name), spec)| (section.kind(), name.as_str(), json!(spec)))
        .collect();
    assert_eq!(views, [("view", "open", json!({"object": "permit"}))]);
    assert_eq!(pack.document["pack"], "construction");
    assert_eq!(pack.locate("/objects/permit/properties/cost/currency").to_string(), "pack.yaml:19:62");
}

#[test]
fn a_pack_is_checked_on_top_of_those_below() {
    let pack = Pack::read(&one(EXAMPLE)).expect("a pack");
    assert_eq!(
        shown(&pack.check(&[])),
        ["pack.yaml:26:3 unknown /extend/company", "pack.yaml:28:41 unknown /associations/permit_contractor/to"]
    );
    assert_eq!(pack.check(&shipped::layers(&["core", "crm"])), []);
}

#[test]
fn every_mistake_of_form_and_meaning_comes_at_once_with_its_place() {
    let files = [
        (
            "pack.yaml",
            "pack: Big\nversion: 1.0\nrequires: {crm: newest}\ncapabilitys: [a]\nviews: {a: 1, B: {}}\nlabel: [x]\n",
        ),
        ("permit.yaml", "objects:\n  permit:\n    label: Permit\n    label: Again\n"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(
        shown(&Pack::read(&files).unwrap_err()),
        [
            "pack.yaml:1:7 invalid_name /pack",
            "pack.yaml:2:10 invalid /version",
            "pack.yaml:3:17 invalid /requires/crm",
            "pack.yaml:4:1 unknown_key /capabilitys",
            "pack.yaml:5:12 wrong_type /views/a",
            "pack.yaml:5:15 invalid_name /views/B",
            "pack.yaml:6:1 wrong_type /label",
            "permit.yaml:4:5 duplicate_key /objects/permit/label",
        ]
    );
    let text = "pack: tiny\nversion: 1.0.0\nlabel: 7\nobjects:\n  site:\n    properties:\n      name: {type: strng}\n      \
                cost: {type: money, lable: x, currency: CAD, currency: USD}\n";
    let problems = Pack::read_and_check(&one(text), |_| Vec::new()).unwrap_err();
    assert_eq!(
        shown(&problems),
        [
            "pack.yaml:3:8 wrong_type /label",
            "pack.yaml:7:20 unknown_type /objects/site/properties/name/type",
            "pack.yaml:8:27 unknown_key /objects/site/properties/cost/lable",
            "pack.yaml:8:52 duplicate_key /objects/site/properties/cost/currency",
        ]
    );
}

#[test]
fn what_is_missing_is_reported_at_the_first_file() {
    assert_eq!(
        shown(&Pack::read(&one("")).unwrap_err()),
        ["pack.yaml:1:1 required /pack", "pack.yaml:1:1 required /version"]
    );
    assert_eq!(shown(&Pack::read(&[]).unwrap_err()), ["pack.yaml:1:1 required "]);
    // What a broken file may have had is not called missing.
    assert_eq!(shown(&Pack::read(&one("pack: [\n")).unwrap_err()), ["pack.yaml:2:1 invalid_yaml "]);
}

#[test]
fn names_of_the_engine_are_taken() {
    for name in ["custom", "engine"] {
        let problems = Pack::read(&one(&format!("pack: {name}\nversion: 1.0.0\n"))).unwrap_err();
        assert_eq!(shown(&problems), ["pack.yaml:1:7 reserved /pack"]);
    }
}

#[test]
fn problems_of_layers_below_are_not_the_packs_own() {
    let broken = "pack: low\nversion: 1.0.0\nobjects: {a: {properties: {x: {type: strng}}}}\n";
    let low = Pack::read(&one(broken)).expect("in shape").layer;
    let high =
        Pack::read(&one("pack: high\nversion: 1.0.0\nobjects: {b: {properties: {x: {type: string}}}}\n")).unwrap();
    assert_eq!(high.check(&[low]), []);
}

#[test]
fn the_schema_for_editors_takes_the_example_and_refuses_what_the_reader_refuses() {
    let validator = jsonschema::draft202012::new(&json_schema()).expect("a schema");
    let document =
        |text: &str| yaml::parse("a.yaml", text, &mut Budget::default(), &mut Vec::new()).expect("a document").value;
    let errors = |text: &str| -> Vec<String> {
        validator.iter_errors(&document(text)).map(|error| error.instance_path().to_string()).collect()
    };
    assert_eq!(errors(EXAMPLE), [""; 0]);
    for (text, place) in [
        ("objcts: {}", ""),
        ("objects: {Permit: {}}", "/objects"),
        ("objects: {permit: {lable: x}}", "/objects/permit"),
        ("objects: {permit: {properties: {a: {type: strng}}}}", "/objects/permit/properties/a/type"),
        ("objects: {permit: {properties: {a: {label: A}}}}", "/objects/permit/properties/a"),
        ("objects: {permit: {properties: {a: {type: date, currency: CAD}}}}", "/objects/permit/properties/a"),
        ("extend: {permit: {properties: {a: {lable: A}}}}", "/extend/permit/properties/a"),
        ("associations: {a: {from: b}}", "/associations/a"),
        ("pipelines: {a: {object: b, stages: {}}}", "/pipelines/a/stages"),
        ("associations: {a: {extend: true, form: b}}", "/associations/a"),
        ("pipelines: {a: {object: b, extend: false}}", "/pipelines/a"),
        ("pipelines: {a: {extend: true}}", "/pipelines/a"),
        ("views: {a: {kind: table}}", "/views/a"),
        ("views: {a: {object: b, kind: bord}}", "/views/a/kind"),
        ("reports: {a: {object: b, chart: cake}}", "/reports/a/chart"),
        ("workflows: {a: {when: {event: record.created}, do: []}}", "/workflows/a/do"),
        ("workflows: {a: {when: {every: 5s}, do: [{archive: record}]}}", "/workflows/a/when"),
        ("roles: {a: {objects: {b: {read: mine}}}}", "/roles/a/objects/b/read"),
        ("translations: {german: {}}", "/translations"),
        ("translations: {de: {objects: {b: {lable: B}}}}", "/translations/de/objects/b"),
        ("objects: {a: {features: {serch: true}}}", "/objects/a/features"),
        ("objects: {a: {features: {search: yes}}}", "/objects/a/features/search"),
        ("objects: {a: {groups: {g: 5}}}", "/objects/a/groups/g"),
        ("objects: {a: {constraints: [{unique: [b, b]}]}}", "/objects/a/constraints/0"),
        ("associations: {a: {from: b, to: c, properties: {d: {type: rollup}}}}", "/associations/a/properties/d/type"),
        (
            "associations: {a: {from: b, to: c, properties: {d: {type: date, unique: true}}}}",
            "/associations/a/properties/d/unique",
        ),
        ("requires: {crm: 1}", "/requires/crm"),
        ("version: 1.0", "/version"),
    ] {
        assert!(errors(text).iter().any(|found| found == place), "{text}: {:?}", errors(text));
    }
    for text in [
        "extend: {permit: {icon: null, properties: {a: {label: A}, b: {default: null}, c: {type: date}}}}",
        "objects: {permit: {properties: {a: {type: enum, options: [x, {key: y, label: Y}]}}}}",
        "pipelines: {a: {object: b, stages: [{name: c}], transitions: {c: []}}}",
        "views: {a: {extend: true, label: A, filter: null}, b: {object: c, kind: board, group: d}}",
        "workflows: {a: {when: {event: a.b}, if: x, do: [{create: b, properties: {c: 1}, link: d}, {archive: record}]}}",
        "roles: {a: {objects: {\"*\": {create: false, read: all}}, properties: {b.c: {write: false}}, admin: false}}",
        "translations: {de-AT: {objects: {b: B, c: {label: C, properties: {d: D, e: {options: {f: F}}}}}}}",
        "associations: {a: {extend: true, inverse: null, labels: {x: null, y: Y}, properties: {b: {label: B}}}}",
        "pipelines: {a: {object: b, name: c, extend: true, default: null, stages: {d: null, e: {color: null}}}}",
    ] {
        assert_eq!(errors(text), [""; 0], "{text}");
    }
}

#[test]
fn the_schema_for_editors_knows_every_property_type() {
    let schema = json_schema();
    let known: Vec<&str> = crate::property::TABLE.iter().map(|entry| entry.name).collect();
    assert_eq!(schema["$defs"]["property"]["properties"]["type"]["enum"], json!(known));
}

proptest! {
    #[test]
    fn any_files_are_a_pack_or_mistakes(
        files in prop::collection::vec(("[a-c/.]{0,3}(\\.yaml)?", "([a-z:{}\\[\\] \n-]{0,60}|objects: \\{[a-z: ,{}]{0,30}\\}\n)"), 0..4),
    ) {
        if let Err(problems) = Pack::read(&files) {
            prop_assert!(!problems.is_empty());
        }
    }
}
