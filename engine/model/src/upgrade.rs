//! Packs move on below what a tenant has made of them: a three-way merge of the packs before, the packs after, and the
//! tenant's own layer. The tenant wins, unless it says otherwise item by item; whatever both have changed is told.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::layer::{Layer, add_constraints, merge, option_entries};
use crate::name::Name;
use crate::overlay::difference;

/// Whose side an item takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What the pack says holds, and what the tenant said is dropped.
    Pack,
    /// What the tenant says holds.
    Tenant,
}

/// An item that both the packs and the tenant have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// `object`, `property`, `association` or `pipeline`.
    pub kind: &'static str,
    /// As steps of plans name it: `deal`, `deal.amount`, `deal_company`, `deal.sales`.
    pub name: String,
    /// What packs say now, as far as the two differ; null where they say nothing any more.
    pub pack: Value,
    /// What the tenant says.
    pub tenant: Value,
    /// Whose side holds: the tenant's, unless the pack's was accepted.
    pub holds: Side,
}

/// What some layers say of each definition, merged but not read.
#[derive(Debug, Default)]
pub struct Specs {
    objects: IndexMap<Name, Map<String, Value>>,
    associations: IndexMap<Name, Map<String, Value>>,
    pipelines: IndexMap<(Name, Name), Map<String, Value>>,
}

impl Specs {
    /// Merges layers, lowest first.
    pub fn of<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Self {
        let mut specs = Self::default();
        for layer in layers {
            let objects = layer.objects.iter().chain(&layer.extend);
            objects.for_each(|(name, spec)| lay(&mut specs.objects, name, spec));
            layer.associations.iter().for_each(|(name, spec)| lay(&mut specs.associations, name, spec));
            layer.pipelines.iter().for_each(|(key, spec)| lay(&mut specs.pipelines, key, spec));
        }
        specs
    }
}

fn lay<K: std::hash::Hash + Eq + Clone>(
    specs: &mut IndexMap<K, Map<String, Value>>,
    key: &K,
    spec: &Map<String, Value>,
) {
    let mut spec = spec.clone();
    // Constraints add up and never clash.
    let constraints = spec.shift_remove("constraints");
    let present = specs.entry(key.clone()).or_default();
    merge(present, spec);
    if let Some(constraints) = constraints {
        add_constraints(present, constraints);
    }
}

/// The tenant's own layer as it stands on other packs, and what both sides have changed.
pub fn rebase(own: &Layer, before: &Specs, after: &Specs, accept: &BTreeMap<String, Side>) -> (Layer, Vec<Conflict>) {
    let mut rebase = Rebase { accept, conflicts: Vec::new() };
    let mut rebased = own.clone();
    for objects in [&mut rebased.objects, &mut rebased.extend] {
        for (name, spec) in objects {
            let item = Item { kind: "object", name: name.to_string(), parent: Some(name.to_string()) };
            rebase.definition(&item, spec, before.objects.get(name), after.objects.get(name));
        }
    }
    for (name, spec) in &mut rebased.associations {
        let item = Item { kind: "association", name: name.to_string(), parent: Some(name.to_string()) };
        rebase.definition(&item, spec, before.associations.get(name), after.associations.get(name));
    }
    for (key, spec) in &mut rebased.pipelines {
        let item = Item { kind: "pipeline", name: format!("{}.{}", key.0, key.1), parent: None };
        rebase.definition(&item, spec, before.pipelines.get(key), after.pipelines.get(key));
    }
    // What a pack has now, too, is the pack's, and the tenant adds to it.
    let taken: Vec<Name> = rebased.objects.keys().filter(|name| after.objects.contains_key(*name)).cloned().collect();
    for name in taken {
        if let Some(spec) = rebased.objects.shift_remove(&name) {
            rebased.extend.insert(name, spec);
        }
    }
    (rebased, rebase.conflicts)
}

struct Item {
    kind: &'static str,
    name: String,
    /// What stands before the names of its properties, if those are items of their own.
    parent: Option<String>,
}

struct Rebase<'a> {
    accept: &'a BTreeMap<String, Side>,
    conflicts: Vec<Conflict>,
}

impl Rebase<'_> {
    /// One definition of the own layer: what it says itself, then property by property.
    fn definition(
        &mut self,
        item: &Item,
        spec: &mut Map<String, Value>,
        before: Option<&Map<String, Value>>,
        after: Option<&Map<String, Value>>,
    ) {
        let Some(parent) = &item.parent else { return self.item(item.kind, &item.name, spec, before, after) };
        let place = spec.keys().position(|key| key == "properties");
        let properties = spec.shift_remove("properties");
        let constraints = spec.shift_remove("constraints");
        let (plain_before, plain_after) = (before.map(plain), after.map(plain));
        self.item(item.kind, &item.name, spec, plain_before.as_ref(), plain_after.as_ref());
        if let Some(mut properties) = properties {
            if let Some(properties) = properties.as_object_mut() {
                for (name, spec) in &mut *properties {
                    let of = |all: Option<&Map<String, Value>>| property(all, name).cloned();
                    let (before, after) = (of(before), of(after));
                    if let Some(spec) = spec.as_object_mut() {
                        let name = format!("{parent}.{name}");
                        self.item("property", &name, spec, before.as_ref(), after.as_ref());
                    }
                }
                properties.retain(|_, spec| spec.as_object().is_none_or(|spec| !spec.is_empty()));
            }
            let at = place.unwrap_or_default().min(spec.len());
            spec.shift_insert(at, "properties".to_owned(), properties);
        }
        if let Some(mut constraints) = constraints {
            // Those of a definition that the pack has now as the tenant had it are the pack's as well.
            let theirs = after.filter(|_| before.is_none()).and_then(|after| after.get("constraints")?.as_array());
            if let (Some(own), Some(theirs)) = (constraints.as_array_mut(), theirs) {
                own.retain(|constraint| !theirs.contains(constraint));
            }
            if constraints.as_array().is_none_or(|own| !own.is_empty()) {
                spec.insert("constraints".to_owned(), constraints);
            }
        }
    }

    fn item(
        &mut self,
        kind: &'static str,
        name: &str,
        own: &mut Map<String, Value>,
        before: Option<&Map<String, Value>>,
        after: Option<&Map<String, Value>>,
    ) {
        // What packs never had is the tenant's alone.
        if before == after || (before.is_none() && after.is_none()) {
            return;
        }
        let nothing = Map::new();
        let (old, new) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
        if before.is_none() && kind == "pipeline" {
            // Stored by its object, it does not name it.
            new.get("object").into_iter().for_each(|object| drop(own.insert("object".to_owned(), object.clone())));
        }
        let Some((pack, tenant)) = clashes(old, new, own) else {
            return if before.is_none() {
                *own = difference(new, own)
            };
        };
        let holds = self.accept.get(name).copied().unwrap_or(Side::Tenant);
        match holds {
            // What the tenant declared itself holds as a whole, not mixed with what the pack says of the same name.
            Side::Tenant if before.is_none() => *own = difference(new, own),
            Side::Tenant => {}
            Side::Pack if before.is_none() => own.clear(),
            Side::Pack => drop_clashing(own, &tenant),
        }
        let (pack, tenant) = (Value::Object(pack), Value::Object(tenant));
        self.conflicts.push(Conflict { kind, name: name.to_owned(), pack, tenant, holds });
    }
}

/// A definition without its properties, which are items of their own, and its constraints, which never clash.
fn plain(spec: &Map<String, Value>) -> Map<String, Value> {
    let own = spec.iter().filter(|(key, _)| !["properties", "constraints"].contains(&key.as_str()));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn property<'a>(spec: Option<&'a Map<String, Value>>, name: &str) -> Option<&'a Map<String, Value>> {
    spec?.get("properties")?.get(name)?.as_object()
}

type Sides = (Map<String, Value>, Map<String, Value>);

/// Where packs have changed what the tenant has changed, and the two do not say the same: both sides, key by key.
fn clashes(before: &Map<String, Value>, after: &Map<String, Value>, own: &Map<String, Value>) -> Option<Sides> {
    let (mut pack, mut tenant) = (Map::new(), Map::new());
    for (key, mine) in own {
        let (old, new) = (before.get(key), after.get(key));
        if old == new || new.unwrap_or(&Value::Null) == mine {
            continue;
        }
        let Some((theirs, mine)) = clash(key, old, new, mine) else { continue };
        pack.insert(key.clone(), theirs);
        tenant.insert(key.clone(), mine);
    }
    (!tenant.is_empty()).then_some((pack, tenant))
}

fn clash(key: &str, old: Option<&Value>, new: Option<&Value>, mine: &Value) -> Option<(Value, Value)> {
    let as_maps = |value: &Value| match key {
        "options" => option_entries(value).map(by_key),
        _ => value.as_object().cloned(),
    };
    let nothing = Some(Map::new());
    let maps =
        (old.map_or_else(|| nothing.clone(), as_maps), new.map_or_else(|| nothing.clone(), as_maps), as_maps(mine));
    if let (Some(old), Some(new), Some(mine)) = maps {
        return clashes(&old, &new, &mine).map(|(pack, tenant)| (Value::Object(pack), Value::Object(tenant)));
    }
    Some((new.cloned().unwrap_or(Value::Null), mine.clone()))
}

fn by_key(entries: IndexMap<String, Map<String, Value>>) -> Map<String, Value> {
    let entry = |(key, mut spec): (String, Map<String, Value>)| {
        spec.shift_remove("key");
        (key, Value::Object(spec))
    };
    entries.into_iter().map(entry).collect()
}

/// Takes out of the tenant's side what clashes.
fn drop_clashing(own: &mut Map<String, Value>, clashing: &Map<String, Value>) {
    for (key, part) in clashing {
        let is_gone = match (own.get_mut(key), part) {
            (Some(options), Value::Object(part)) if key == "options" => drop_options(options, part),
            (Some(Value::Object(mine)), Value::Object(part)) => {
                drop_clashing(mine, part);
                mine.is_empty()
            }
            _ => true,
        };
        if is_gone {
            own.shift_remove(key);
        }
    }
}

/// Takes options out, or the part of them that clashes; whether none is left.
fn drop_options(options: &mut Value, clashing: &Map<String, Value>) -> bool {
    let Some(mut entries) = option_entries(options) else { return true };
    for (key, part) in clashing {
        if let (Some(entry), Value::Object(part)) = (entries.get_mut(key), part) {
            drop_clashing(entry, part);
        }
    }
    // An entry that says no more than its key says nothing.
    entries.retain(|key, entry| !clashing.contains_key(key) || entry.len() > 1);
    *options = entries.into_values().map(Value::Object).collect();
    options.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layer::CUSTOM;
    use crate::layer::tests::layer;

    fn contact(properties: Value) -> Value {
        json!({"objects": {"contact": {"label": "Contact", "properties": properties}}})
    }

    /// The own layer's part of `contact` on the packs after, and the conflicts by name.
    fn merged(
        before: Value,
        after: Value,
        own: Value,
        accept: &[(&str, Side)],
    ) -> (Value, Vec<(String, Value, Value)>) {
        let [before, after] = [before, after].map(|document| Specs::of([&layer("crm", &document)]));
        let accept = accept.iter().map(|(name, side)| ((*name).to_owned(), *side)).collect();
        let (rebased, conflicts) = rebase(&layer(CUSTOM, &own), &before, &after, &accept);
        assert!(rebased.objects.is_empty(), "the pack's object is only added to");
        let told = conflicts.into_iter().map(|conflict| (conflict.name, conflict.pack, conflict.tenant)).collect();
        (Value::Object(rebased.extend["contact"].clone()), told)
    }

    #[test]
    fn what_only_one_side_changed_is_no_conflict() {
        let own = json!({"extend": {"contact": {"label": "Client", "properties": {
            "phone": {"label": "Mobile"}, "mine": {"type": "string"}}}}});
        let (before, after) = (
            contact(json!({"phone": {"type": "phone", "label": "Phone"}})),
            contact(
                json!({"phone": {"type": "phone", "label": "Phone", "searchable": true}, "fax": {"type": "phone"}}),
            ),
        );
        let (rebased, conflicts) = merged(before, after, own.clone(), &[]);
        assert_eq!((rebased, conflicts), (own["extend"]["contact"].clone(), vec![]));
    }

    #[test]
    fn what_both_changed_is_told_and_the_tenant_wins_unless_it_gives_way() {
        let own = json!({"extend": {"contact": {"properties": {"phone": {"label": "Mobile", "required": true}}}}});
        let phone = |label: &str| contact(json!({"phone": {"type": "phone", "label": label}}));
        let told = vec![("contact.phone".to_owned(), json!({"label": "Telephone"}), json!({"label": "Mobile"}))];
        let (kept, conflicts) = merged(phone("Phone"), phone("Telephone"), own.clone(), &[]);
        assert_eq!((kept, conflicts), (own["extend"]["contact"].clone(), told.clone()));
        let (given, conflicts) =
            merged(phone("Phone"), phone("Telephone"), own.clone(), &[("contact.phone", Side::Pack)]);
        assert_eq!((given, conflicts), (json!({"properties": {"phone": {"required": true}}}), told));
        assert_eq!(merged(phone("Phone"), phone("Mobile"), own, &[]).1, [], "both say the same");
    }

    #[test]
    fn options_clash_one_by_one() {
        let stage = |options: Value| contact(json!({"stage": {"type": "enum", "options": options}}));
        let own = json!({"extend": {"contact": {"properties": {"stage": {"options": [
            {"key": "lead", "label": "Prospect"}, {"key": "vip", "label": "VIP"}]}}}}});
        let before = stage(json!({"lead": "Lead", "won": "Won"}));
        let after = stage(json!({"lead": "New lead", "won": "Customer"}));
        let (_, conflicts) = merged(before.clone(), after.clone(), own.clone(), &[]);
        let side = |label: &str| json!({"options": {"lead": {"label": label}}});
        assert_eq!(conflicts, [("contact.stage".to_owned(), side("New lead"), side("Prospect"))]);
        let (given, _) = merged(before, after, own, &[("contact.stage", Side::Pack)]);
        assert_eq!(given["properties"]["stage"]["options"], json!([{"key": "vip", "label": "VIP"}]));
    }

    #[test]
    fn a_name_that_the_pack_takes_stays_as_the_tenant_defined_it_or_becomes_the_pack_s() {
        let own = json!({"extend": {"contact": {"properties": {"tier": {"type": "string", "label": "Tier"}}}}});
        let after = contact(json!({"tier": {"type": "integer", "label": "Tier", "minimum": 1}}));
        let (kept, conflicts) = merged(contact(json!({})), after.clone(), own.clone(), &[]);
        assert_eq!(conflicts, [("contact.tier".to_owned(), json!({"type": "integer"}), json!({"type": "string"}))]);
        assert_eq!(kept, json!({"properties": {"tier": {"type": "string", "minimum": null}}}));
        let (given, _) = merged(contact(json!({})), after, own, &[("contact.tier", Side::Pack)]);
        assert_eq!(given, json!({"properties": {}}));
    }

    #[test]
    fn an_object_that_the_pack_takes_is_added_to_from_then_on() {
        let own = json!({"objects": {"contact": {"label": "Person", "properties": {"mine": {"type": "string"}}}}});
        let (rebased, conflicts) = merged(json!({}), contact(json!({"name": {"type": "string"}})), own, &[]);
        assert_eq!(conflicts, [("contact".to_owned(), json!({"label": "Contact"}), json!({"label": "Person"}))]);
        assert_eq!(rebased, json!({"label": "Person", "properties": {"mine": {"type": "string"}}}));
    }

    #[test]
    fn constraints_that_the_pack_takes_with_an_object_are_the_pack_s() {
        let unique = |name: &str| json!({"unique": [name]});
        let own = |object: &str| {
            let names = json!({"name": {"type": "string"}, "code": {"type": "string"}});
            json!({object: {"contact": {"label": "Contact", "properties": names, "constraints": [unique("name"), unique("code")]}}})
        };
        let theirs = |constraints: Value| {
            let names = json!({"name": {"type": "string"}, "code": {"type": "string"}});
            json!({"objects": {"contact": {"label": "Contact", "properties": names, "constraints": constraints}}})
        };
        let (rebased, conflicts) = merged(json!({}), theirs(json!([unique("name")])), own("objects"), &[]);
        assert_eq!((rebased["constraints"].clone(), conflicts), (json!([unique("code")]), Vec::new()));
        // What the tenant has added to a pack's object is its own, whatever the pack says later.
        let (before, after) = (theirs(json!([])), theirs(json!([unique("name")])));
        let (rebased, conflicts) = merged(before, after, own("extend"), &[]);
        assert_eq!((rebased["constraints"].clone(), conflicts), (json!([unique("name"), unique("code")]), Vec::new()));
    }
}

#[cfg(test)]
mod random;
