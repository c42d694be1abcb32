//! Small packs made at random: a name and a number always give the same one.

use engine::packs::PackSource;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

/// The packs that there are.
pub(super) const PACKS: [&str; 3] = ["alpha", "beta", "gamma"];

/// Versions of each.
pub(super) const VERSIONS: u64 = 60;

/// What properties may be called; the name mostly says the type.
pub(super) const PROPERTIES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "r"];

pub(super) fn version(number: u64) -> String {
    format!("1.{number}.0")
}

pub(super) fn source(pack: &str, number: u64) -> PackSource {
    PackSource::Files(vec![("pack.yaml".to_owned(), document(pack, number).to_string())])
}

/// A version of a pack.
pub(super) fn document(pack: &str, number: u64) -> Value {
    let salt: u64 = pack.bytes().map(u64::from).sum();
    let mut random = StdRng::seed_from_u64(number * 1_000 + salt);
    let random = &mut random;
    let mut whole = json!({"pack": pack, "version": version(number)});
    match pack {
        "alpha" => alpha(&mut whole, random),
        "beta" => beta(&mut whole, random),
        _ => gamma(&mut whole, random),
    }
    whole
}

fn alpha(whole: &mut Value, random: &mut StdRng) {
    whole["objects"] = json!({"thing": object("things", random)});
    if random.random_bool(0.7) {
        let mut near = json!({"from": "thing", "to": "thing", "label": label(random)});
        if random.random_bool(0.4) {
            near["labels"] = json!({"x": label(random)});
        }
        if random.random_bool(0.4) {
            near["properties"] = json!({"since": {"type": "string", "label": label(random)}});
        }
        whole["associations"] = json!({"near": near});
    }
    if random.random_bool(0.5) {
        whole["pipelines"] = json!({"flow": {"object": "thing", "stages": stages(random)}});
    }
}

fn beta(whole: &mut Value, random: &mut StdRng) {
    whole["objects"] = json!({"part": object("parts", random)});
    if random.random_bool(0.6) {
        whole["requires"] = json!({"alpha": "^1.0"});
        whole["extend"] = json!({"thing": extension(random)});
        let cardinality = *["many_to_many", "many_to_many", "many_to_one"].choose(random).expect("one");
        whole["associations"] = json!({"part_of": {"from": "part", "to": "thing", "cardinality": cardinality}});
    }
}

fn gamma(whole: &mut Value, random: &mut StdRng) {
    whole["requires"] = json!({"alpha": "^1.0"});
    whole["extend"] = json!({"thing": extension(random)});
    if random.random_bool(0.4) {
        whole["objects"] = json!({"gadget": object("gadgets", random)});
    }
    if random.random_bool(0.2) {
        whole["associations"] = json!({"near": {"extend": true, "label": label(random)}});
    }
    if random.random_bool(0.2) {
        whole["pipelines"] = json!({"flow": {"object": "thing", "extend": true, "stages": {"s9": label(random)}}});
    }
}

fn object(plural: &str, random: &mut StdRng) -> Value {
    let mut whole = json!({"plural": plural, "label": label(random), "properties": properties(random)});
    if random.random_bool(0.15) {
        whole["constraints"] = json!([constraint(random)]);
    }
    whole
}

fn extension(random: &mut StdRng) -> Value {
    let mut whole = json!({"properties": properties(random)});
    if random.random_bool(0.3) {
        whole["label"] = json!(label(random));
    }
    if random.random_bool(0.3) {
        // Changes what is another pack's.
        whole["properties"]["a"] = json!({"label": label(random)});
    }
    whole
}

fn properties(random: &mut StdRng) -> Value {
    let mut all = Map::new();
    for name in PROPERTIES {
        let chance = if ["f", "r"].contains(&name) { 0.15 } else { 0.5 };
        if random.random_bool(chance) {
            all.insert(name.to_owned(), property(name, true, random));
        }
    }
    // What is there itself is not what another one was.
    if all.contains_key("e")
        && let Some(Value::Object(renamed)) = all.get_mut("d")
    {
        renamed.shift_remove("was");
    }
    Value::Object(all)
}

/// A definition of the property of this name.
pub(super) fn property(name: &str, is_of_pack: bool, random: &mut StdRng) -> Value {
    let mut spec = match name {
        "a" | "d" | "e" => json!({"type": "string"}),
        "b" => json!({"type": "integer"}),
        "c" => json!({"type": "enum", "options": options(random)}),
        "f" => json!({"type": "formula", "formula": "b * 2", "result": "integer"}),
        _ => json!({"type": "rollup", "association": "near", "direction": "out", "function": "count"}),
    };
    if random.random_bool(0.5) {
        spec["label"] = json!(label(random));
    }
    match name {
        "a" if random.random_bool(0.1) => spec["unique"] = json!(true),
        "e" if random.random_bool(0.1) => spec["required"] = json!(true),
        "b" if random.random_bool(0.15) => spec["minimum"] = json!(0),
        "b" if random.random_bool(0.1) => {
            spec["type"] = json!("string");
            if is_of_pack {
                spec["migration"] = json!({"convert": "string(value)"});
            }
        }
        "d" if is_of_pack && random.random_bool(0.4) => spec["was"] = json!("e"),
        "a" | "d" | "e" if is_of_pack && random.random_bool(0.2) => spec["migration"] = migration(random),
        _ => {}
    }
    spec
}

/// How texts may be migrated.
pub(super) fn migration(random: &mut StdRng) -> Value {
    let all = [json!({"default": "v9"}), json!({"map": {"v0": "v1", "v1": null}}), json!({"convert": "value + '!'"})];
    all.choose(random).cloned().expect("one")
}

pub(super) fn constraint(random: &mut StdRng) -> Value {
    let all = [json!({"unique": ["a", "b"]}), json!({"rule": "b >= 0", "message": "No.", "at": "b"})];
    all.choose(random).cloned().expect("one")
}

/// Options as a list, or as a map.
pub(super) fn options(random: &mut StdRng) -> Value {
    let keys: Vec<&str> = ["x", "y", "z"].into_iter().filter(|_| random.random_bool(0.7)).collect();
    let keys = if keys.is_empty() { vec!["x"] } else { keys };
    match random.random_range(0..3) {
        0 => json!(keys),
        1 => keys.iter().rev().map(|key| json!({"key": key, "label": label(random)})).collect(),
        _ => keys.iter().map(|key| ((*key).to_owned(), json!(label(random)))).collect(),
    }
}

pub(super) fn stages(random: &mut StdRng) -> Value {
    let all: Vec<&str> =
        ["s1", "s2", "s3"].into_iter().filter(|stage| *stage == "s1" || random.random_bool(0.6)).collect();
    all.into_iter().map(|stage| (stage.to_owned(), json!({"label": label(random)}))).collect()
}

pub(super) fn label(random: &mut StdRng) -> &'static str {
    ["One", "Two", "Three", "Four"].choose(random).copied().expect("one")
}
