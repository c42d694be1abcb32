//! What of the tenant's own layer goes into a pack, and what that builds on.

use engine_model::association::Target;
use engine_model::layer::{CUSTOM, Layer};
use engine_model::name::did_you_mean;
use engine_model::pack::Pack;
use engine_model::registry::Registry;
use engine_model::{Name, Problem, Problems};
use serde_json::{Map, Value};

use crate::definitions::effective::Effective;
use crate::definitions::source::section;

/// A part of the own layer that stands by itself on the packs that the tenant has.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) layer: Layer,
}

impl Selection {
    /// All that the own layer says, or what it says of `objects`.
    pub(super) fn of(effective: &Effective, installed: &[Pack], objects: &[String], problems: &mut Problems) -> Self {
        let nothing = Layer { name: CUSTOM.to_owned(), ..Layer::default() };
        let own = effective.own_layer().unwrap_or(&nothing);
        let mut layer = own.clone();
        layer.leave_out_migrations();
        leave_out_what_is_uninstalled(&mut layer, effective, installed);
        archive_what_rests(&mut layer, installed);
        if !objects.is_empty() {
            check_names(objects, own, effective, problems);
            choose(&mut layer, objects, effective, installed);
            check_rollups(&layer, own, problems);
        }
        mark_changes(&mut layer, installed);
        leave_out_what_says_nothing(&mut layer);
        if problems.is_empty() {
            check_standing(&layer, effective, installed, objects.is_empty(), problems);
        }
        Self { layer }
    }

    /// The packs without which it does not stand, or would come to something else: name and range of versions.
    pub(super) fn requires(&self, installed: &[Pack]) -> Map<String, Value> {
        let found = |packs: &[&Pack]| {
            let layers: Vec<&Layer> = packs.iter().map(|pack| &pack.layer).chain([&self.layer]).collect();
            Registry::fold(&layers).1
        };
        let mut needed: Vec<&Pack> = installed.iter().collect();
        let known = found(&needed);
        // From the top, so that what only others need goes after them.
        for pack in installed.iter().rev() {
            let is_required = needed.iter().any(|other| other.requires.iter().any(|(name, _)| *name == pack.name));
            if is_required || lies_on(&self.layer, &pack.layer) {
                continue;
            }
            let others: Vec<&Pack> = needed.iter().copied().filter(|other| other.name != pack.name).collect();
            if found(&others).iter().all(|problem| known.contains(problem)) {
                needed = others;
            }
        }
        let range = |pack: &&Pack| (pack.name.to_string(), Value::from(format!("^{}", pack.version)));
        needed.iter().map(range).collect()
    }
}

/// What packs have left behind that the tenant does not have any more is nowhere else.
fn leave_out_what_is_uninstalled(layer: &mut Layer, effective: &Effective, installed: &[Pack]) {
    let objects = |name: &str| {
        layer.objects.contains_key(name) || installed.iter().any(|pack| pack.layer.objects.contains_key(name))
    };
    let registry = &effective.registry;
    let gone: Vec<Name> = registry.objects.keys().filter(|name| !objects(name)).cloned().collect();
    let stands = |name: &Name, is_there: bool| {
        let Some(association) = registry.associations.get(name) else { return is_there };
        let to = match &association.to {
            Target::Any => true,
            Target::Objects(objects) => objects.iter().any(|object| !gone.contains(object)),
        };
        is_there && to && !gone.contains(&association.from)
    };
    layer.extend.retain(|name, _| !gone.contains(name));
    // So is what the tenant says of properties that no version has which is installed.
    let is_declared = |object: &Name, property: &str| {
        let sections =
            installed.iter().flat_map(|pack| [pack.layer.objects.get(object), pack.layer.extend.get(object)]);
        let mut properties = sections.flatten().filter_map(|spec| spec.get("properties")?.as_object());
        properties.any(|properties| properties.contains_key(property))
    };
    for (object, spec) in &mut layer.extend {
        if let Some(properties) = spec.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|name, said| said.get("type").is_some() || is_declared(object, name));
        }
    }
    let is_of_pack = |name: &Name| installed.iter().any(|pack| pack.layer.associations.contains_key(name));
    layer.associations.retain(|name, spec| stands(name, spec.contains_key("from") || is_of_pack(name)));
    let is_of_pack = |key: &(Name, Name)| installed.iter().any(|pack| pack.layer.pipelines.contains_key(key));
    layer.pipelines.retain(|key, spec| !gone.contains(&key.0) && (spec.contains_key("stages") || is_of_pack(key)));
}

/// What is computed of what was uninstalled rests until that comes back. Elsewhere it would be a mistake, unless it is
/// archived.
fn archive_what_rests(layer: &mut Layer, installed: &[Pack]) {
    let below: Vec<&Layer> = installed.iter().map(|pack| &pack.layer).collect();
    let known = Registry::fold(&below).1;
    loop {
        let layers: Vec<&Layer> = below.iter().copied().chain([&*layer]).collect();
        let found = Registry::fold(&layers).1;
        let problems = found.iter().filter(|problem| !known.contains(problem));
        // Each round archives one at least, and what is computed of it comes in the next.
        if problems.filter(|problem| archive_computed(layer, &problem.pointer)).count() == 0 {
            return;
        }
    }
}

/// Archives the computed property that a pointer leads into; whether there was one that was not archived.
fn archive_computed(layer: &mut Layer, pointer: &str) -> bool {
    // Names need no escapes.
    let segments: Vec<&str> = pointer.split('/').skip(1).collect();
    let ["objects" | "extend", object, "properties", property, ..] = segments.as_slice() else { return false };
    let specs = [layer.objects.get_mut(*object), layer.extend.get_mut(*object)].into_iter().flatten();
    let mut properties =
        specs.filter_map(|spec| spec.get_mut("properties")?.get_mut(*property)?.as_object_mut()).filter(|spec| {
            let is_computed = spec.get("type").is_some_and(|kind| kind == "formula" || kind == "rollup");
            is_computed && spec.get("archived") != Some(&Value::Bool(true))
        });
    let Some(spec) = properties.next() else { return false };
    spec.insert("archived".to_owned(), Value::Bool(true));
    true
}

fn check_names(objects: &[String], own: &Layer, effective: &Effective, problems: &mut Problems) {
    let registry = &effective.registry;
    for name in objects {
        let message = if !registry.objects.contains_key(name.as_str()) {
            let hint = did_you_mean(name, registry.objects.keys().map(Name::as_str));
            format!("there is no object `{name}`{hint}")
        } else if !is_said_of(own, name, effective) {
            format!("the tenant's own layer says nothing of `{name}`; leave it out")
        } else {
            continue;
        };
        problems.push(Problem::new("/object", "unknown", message));
    }
}

fn is_said_of(own: &Layer, object: &str, effective: &Effective) -> bool {
    own.objects.contains_key(object)
        || own.extend.contains_key(object)
        || own.pipelines.keys().any(|(of, _)| of.as_str() == object)
        || effective.registry.associations_of(object).any(|found| own.associations.contains_key(&found.name))
}

fn choose(layer: &mut Layer, objects: &[String], effective: &Effective, installed: &[Pack]) {
    let is_chosen = |name: &str| objects.iter().any(|object| object == name);
    layer.objects.retain(|name, _| is_chosen(name));
    layer.extend.retain(|name, _| is_chosen(name));
    layer.pipelines.retain(|(object, _), _| is_chosen(object));
    let is_there = |name: &str| is_chosen(name) || installed.iter().any(|pack| pack.layer.objects.contains_key(name));
    layer.associations.retain(|name, _| {
        let Some(association) = effective.registry.associations.get(name) else { return false };
        match &association.to {
            Target::Any => is_chosen(&association.from),
            Target::Objects(to) => {
                let ends = || to.iter().chain([&association.from]);
                ends().any(|end| is_chosen(end)) && ends().all(|end| is_there(end))
            }
        }
    });
}

/// A roll-up over an association that leads to an object that is not chosen.
fn check_rollups(layer: &Layer, own: &Layer, problems: &mut Problems) {
    for (object, spec) in layer.objects.iter().chain(&layer.extend) {
        for (property, spec) in section(spec, "properties").into_iter().flatten() {
            let Some(name) = spec.get("association").and_then(Value::as_str) else { continue };
            let is_left_out = own.associations.contains_key(name) && !layer.associations.contains_key(name);
            if is_left_out {
                let message = format!(
                    "`{object}.{property}` draws on the association `{name}`, which leads to an object of the own layer \
                     that is not chosen; export that, too"
                );
                problems.push(Problem::new("/object", "required", message));
            }
        }
    }
}

/// Of what belongs to packs the exported pack says that it changes it.
fn mark_changes(layer: &mut Layer, installed: &[Pack]) {
    let of_packs = |name: &&Name| installed.iter().any(|pack| pack.layer.associations.contains_key(*name));
    layer.changed.associations = layer.associations.keys().filter(of_packs).cloned().collect();
    let of_packs = |key: &&(Name, Name)| installed.iter().any(|pack| pack.layer.pipelines.contains_key(*key));
    layer.changed.pipelines = layer.pipelines.keys().filter(of_packs).cloned().collect();
}

fn leave_out_what_says_nothing(layer: &mut Layer) {
    layer.extend.retain(|_, spec| says_something(spec));
    let changed = &mut layer.changed;
    layer.associations.retain(|name, spec| says_something(spec) || !changed.associations.remove(name));
    layer.pipelines.retain(|key, spec| says_something(spec) || !changed.pipelines.remove(key));
}

fn says_something(spec: &Map<String, Value>) -> bool {
    let is_empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    spec.iter().any(|(key, value)| match key.as_str() {
        "object" => false,
        "properties" => !is_empty(value),
        _ => true,
    })
}

/// Whether the layer changes what the pack says too, so that without the pack it would come to something else.
fn lies_on(layer: &Layer, pack: &Layer) -> bool {
    let changes_object = layer.extend.iter().any(|(name, spec)| {
        let others = [pack.objects.get(name), pack.extend.get(name)];
        others.into_iter().flatten().any(|other| meets(spec, other))
    });
    changes_object
        || layer.changed.associations.iter().any(|name| pack.associations.contains_key(name))
        || layer.changed.pipelines.iter().any(|key| pack.pipelines.contains_key(key))
}

/// Whether two specifications of an object say something of the same: keys, or properties.
fn meets(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let properties = |spec| section(spec, "properties").into_iter().flat_map(Map::keys);
    one.keys().any(|key| !["properties", "constraints"].contains(&key.as_str()) && other.contains_key(key))
        || properties(one).any(|name| properties(other).any(|found| found == name))
}

/// Whether the layer stands on the packs alone, without what is left out of it.
fn check_standing(layer: &Layer, effective: &Effective, installed: &[Pack], is_whole: bool, problems: &mut Problems) {
    let below: Vec<&Layer> = installed.iter().map(|pack| &pack.layer).collect();
    let before = Registry::fold(&below).1;
    let layers: Vec<&Layer> = below.into_iter().chain([layer]).collect();
    let after = Registry::fold(&layers).1;
    let missing =
        after.into_iter().filter(|problem| !before.contains(problem) && !effective.problems.contains(problem));
    problems.extend(missing.map(|problem| match is_whole {
        true => problem,
        false => {
            let message = format!("{}: {}; export that, too", problem.pointer, problem.message);
            Problem::new("/object", problem.code, message)
        }
    }));
}
