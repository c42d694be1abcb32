//! The packs that come with the product are whole, fit on each other, and hold the real data sets.

use super::*;
use crate::name::Name;

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        files.push((name, fs::read_to_string(&path).expect("a text")));
    }
    files
}

pub(in crate::pack) fn pack(name: &str) -> Pack {
    let files = files(&root().join("object-defs").join(name));
    let listed =
        |problems: Vec<LocatedProblem>| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>();
    Pack::read(&files).unwrap_or_else(|problems| panic!("{name}:\n{}", listed(problems)))
}

pub(super) fn layers(names: &[&str]) -> Vec<Layer> {
    names.iter().map(|name| pack(name).layer).collect()
}

pub(super) fn profiles() -> Vec<Profile> {
    let text = fs::read_to_string(root().join("object-defs/profiles.yaml")).expect("a text");
    read_profiles("profiles.yaml", &text).expect("profiles")
}

pub(super) fn registry(profile: &Profile) -> Registry {
    let names: Vec<_> = profile.packs.iter().map(Name::as_str).collect();
    Registry::fold(&layers(&names)).0
}

#[test]
fn every_profile_folds_without_a_problem() {
    let profiles = profiles();
    let names: Vec<_> = profiles.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["generic", "healthcare", "construction"]);
    for profile in profiles {
        let mut below: Vec<Layer> = Vec::new();
        for name in &profile.packs {
            let pack = pack(name);
            let problems = pack.check(&below);
            assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0], "{name}");
            for (required, versions) in &pack.requires {
                let at = profile.packs.iter().position(|name| name == required).expect("a required pack");
                assert!(profile.packs.iter().position(|other| *other == pack.name) > Some(at));
                assert!(versions.matches(&self::pack(required).version), "{name} on {required}");
            }
            below.push(pack.layer);
        }
        let (registry, problems) = Registry::fold(&below);
        assert_eq!(problems, []);
        assert_eq!(profile.capabilities, registry.capabilities, "{}", profile.name);
    }
}

#[test]
fn every_pack_is_valid_by_the_schema_for_editors() {
    let validator = jsonschema::draft202012::new(&json_schema()).expect("a schema");
    for name in ["core", "crm", "healthcare", "construction"] {
        for (file, text) in files(&root().join("object-defs").join(name)) {
            let document = yaml::parse(&file, &text, &mut Budget::default(), &mut Vec::new()).expect("a document");
            let errors: Vec<_> = validator
                .iter_errors(&document.value)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, [""; 0], "{name}/{file}");
        }
    }
}

#[test]
fn groups_that_properties_name_exist() {
    for profile in profiles() {
        for object in registry(&profile).objects.values() {
            for property in object.properties.values() {
                if let Some(group) = &property.group {
                    assert!(object.groups.contains_key(group.as_str()), "{}.{}: {group}", object.name, property.name);
                }
            }
        }
    }
}

#[test]
fn objects_have_the_plurals_that_facades_are_found_under() {
    let generic = registry(&profiles()[0]);
    let plurals: Vec<_> = generic.objects.values().map(|object| format!("{} {}", object.name, object.plural)).collect();
    assert_eq!(
        plurals,
        [
            "activity activities",
            "address addresses",
            "call calls",
            "company companies",
            "contact contacts",
            "contact_point contact_points",
            "email emails",
            "meeting meetings",
            "note notes",
            "tag tags",
            "task tasks",
            "deal deals",
            "fit_assessment fit_assessments",
            "fit_criterion fit_criteria",
            "line_item line_items",
            "product products",
        ]
    );
    let sales = generic.default_pipeline("deal").expect("a pipeline");
    let stages: Vec<_> = sales.stages.keys().map(Name::as_str).collect();
    assert_eq!(stages, ["prospecting", "qualification", "proposal", "negotiation", "closed_won", "closed_lost"]);
}

#[test]
fn the_documentation_tells_the_truth() {
    let text = fs::read_to_string(root().join("object-defs/README.md")).expect("a text");
    let blocks: Vec<&str> = text.split("```yaml\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    let [example, extension, changes, behaviors, profiles] = blocks[..] else { panic!("{} blocks", blocks.len()) };
    let head = "pack: tried\nversion: 1.0.0\n";
    let packs = [extension, changes, behaviors].map(|text| format!("{head}{text}"));
    let construction = Pack::read(&one(example)).expect("a pack").layer;
    let validator = jsonschema::draft202012::new(&json_schema()).expect("a schema");
    for (text, above) in [(example.to_owned(), None)].into_iter().chain(packs.map(|text| (text, Some(&construction)))) {
        let below = || layers(&["core", "crm"]).into_iter().chain(above.cloned()).collect();
        let pack = Pack::read_and_check(&one(&text), |_| below());
        let pack = pack.unwrap_or_else(|problems| panic!("{:?}", shown(&problems)));
        assert!(validator.is_valid(&Value::Object(pack.document)));
    }
    assert_eq!(read_profiles("README.md", profiles).expect("profiles").len(), 1);
}

#[test]
fn records_have_names_whatever_they_lack() {
    let all = profiles().into_iter().flat_map(|profile| profile.packs).map(|name| name.to_string());
    let mut names: Vec<String> = all.collect();
    names.sort();
    names.dedup();
    names.sort_by_key(|name| ["core", "crm"].iter().position(|first| first == name).unwrap_or(usize::MAX));
    let registry = Registry::fold(&layers(&names.iter().map(String::as_str).collect::<Vec<_>>())).0;
    let called = |object: &str, properties: Value| {
        registry.objects[object].display.render(properties.as_object().expect("an object"))
    };
    assert_eq!(called("contact", json!({"first_name": "Ada", "last_name": "Lovelace"})), "Ada Lovelace");
    assert_eq!(called("email", json!({})), "(no subject)");
    assert_eq!(called("email", json!({"subject": "Hello"})), "Hello");
    assert_eq!(called("address", json!({"type": "home", "city": "Calgary"})), "home Calgary");
    assert_eq!(called("address", json!({"type": "home", "label": "Cabin"})), "Cabin");
    assert_eq!(called("permit", json!({"number": "BP2013-09623"})), "BP2013-09623");
    assert_eq!(called("condition", json!({"code": "1", "started_on": "2013-12-18"})), "Condition since 2013-12-18");
    assert_eq!(called("fit_assessment", json!({"score": 0})), "0");
}
