//! Where-used: which definitions name a property, so that whoever changes or archives it knows what follows.

use crate::association::AssociationDefinition;
use crate::entry::Entry;
use crate::name::Name;
use crate::object::{Constraint, ObjectDefinition};
use crate::pipeline::{Pipeline, Stage};
use crate::problem::push_segment;
use crate::property::{Currency, Property};
use crate::registry::Registry;

/// One place that names a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// `display`, `constraint`, `duplicates`, `entry`, `currency`, `formula`, `rollup`, `pipeline`, `stage`, `view`,
    /// `report`, `workflow`, `activity`, `score` or `role`; of what is no definition `list` or `assignment_rule`, too.
    pub kind: &'static str,
    /// The definition that names it: `deal`, `deal.margin`, `deal.sales.won`, `open_deals`; the id of what users have
    /// saved.
    pub name: String,
    /// What people call it, where users have saved it.
    pub label: Option<String>,
    /// Where it is named.
    pub pointer: String,
    /// The layer that brought the definition.
    pub layer: String,
}

impl Registry {
    /// Everything in force that names a property of an object.
    pub fn uses(&self, object: &str, property: &str) -> Vec<Use> {
        let mut uses = Vec::new();
        if let Some(definition) = self.objects.get(object) {
            uses.extend(of_object(definition, property));
        }
        for owner in self.objects.values().filter(|owner| !owner.archived) {
            for computed in active(owner) {
                uses.extend(self.of_rollup(owner, computed, object, property));
            }
        }
        for pipeline in self.active_pipelines(object) {
            uses.extend(of_defaults(pipeline, property));
            for stage in pipeline.stages.values().filter(|stage| !stage.archived) {
                uses.extend(of_stage(pipeline, stage, property));
            }
        }
        uses.extend(self.behaviors_that_use(object, property));
        uses
    }

    /// Every roll-up in force that leads over an association.
    pub fn uses_of_association(&self, association: &str) -> Vec<Use> {
        let owners = self.objects.values().filter(|owner| !owner.archived);
        let computed = owners.flat_map(|owner| active(owner).map(move |property| (owner, property)));
        let leads = |property: &Property| {
            property.kind.rollup().is_some_and(|rollup| rollup.association.as_str() == association)
        };
        let rollups = computed.filter(|(_, property)| leads(property));
        rollups.map(|(owner, property)| of_property(owner, property, "rollup", "association")).collect()
    }

    /// What a roll-up of `owner` draws from a property of the objects that its association leads to.
    fn of_rollup(&self, owner: &ObjectDefinition, computed: &Property, object: &str, property: &str) -> Option<Use> {
        let rollup = computed.kind.rollup()?;
        let association = self.associations.get(&rollup.association)?;
        if !leads_to(association, &owner.name, object) {
            return None;
        }
        let key = if rollup.property.as_ref().is_some_and(|name| name.as_str() == property) {
            "property"
        } else if rollup.condition.as_ref().is_some_and(|condition| condition.names().any(|name| name == property)) {
            "where"
        } else {
            return None;
        };
        Some(of_property(owner, computed, "rollup", key))
    }
}

/// Whether an association leads from records of one object to records of another, from either end.
fn leads_to(association: &AssociationDefinition, from: &Name, to: &str) -> bool {
    let outward = association.from == *from && association.to.accepts(to);
    let inward = association.from.as_str() == to && association.to.accepts(from);
    outward || inward
}

fn names(list: &[Name], property: &str) -> bool {
    list.iter().any(|name| name.as_str() == property)
}

fn active(object: &ObjectDefinition) -> impl Iterator<Item = &Property> {
    object.properties.values().filter(|property| !property.archived)
}

fn of_property(object: &ObjectDefinition, property: &Property, kind: &'static str, key: &str) -> Use {
    let at = push_segment("/objects", &object.name);
    Use {
        kind,
        name: format!("{}.{}", object.name, property.name),
        label: None,
        pointer: format!("{}/{key}", push_segment(&format!("{at}/properties"), &property.name)),
        layer: property.layer.clone(),
    }
}

/// What new records of a pipeline begin with.
fn of_defaults(pipeline: &Pipeline, property: &str) -> Option<Use> {
    pipeline.defaults.contains_key(property).then(|| Use {
        kind: "pipeline",
        name: format!("{}.{}", pipeline.object, pipeline.name),
        label: None,
        pointer: push_segment(&format!("{}/defaults", push_segment("/pipelines", &pipeline.name)), property),
        layer: pipeline.layer.clone(),
    })
}

/// What the gate of a stage names.
fn of_stage(pipeline: &Pipeline, stage: &Stage, property: &str) -> Vec<Use> {
    let at = format!("{}/stages/{}", push_segment("/pipelines", &pipeline.name), stage.name);
    let required = names(&stage.requires, property).then(|| format!("{at}/requires"));
    let rules = stage.rules.iter().enumerate().filter(|(_, rule)| rule.names(property));
    let pointers = required.into_iter().chain(rules.map(|(index, _)| format!("{at}/rules/{index}")));
    let named = |pointer| Use {
        kind: "stage",
        name: format!("{}.{}.{}", pipeline.object, pipeline.name, stage.name),
        label: None,
        pointer,
        layer: pipeline.layer.clone(),
    };
    pointers.map(named).collect()
}

/// What an object's own definition names.
fn of_object(object: &ObjectDefinition, property: &str) -> Vec<Use> {
    let at = push_segment("/objects", &object.name);
    let of_object = |kind: &'static str, pointer: String| Use {
        kind,
        name: object.name.to_string(),
        label: None,
        pointer,
        layer: object.layer.clone(),
    };
    let mut uses = Vec::new();
    if object.display.names().any(|name| name == property) {
        uses.push(of_object("display", format!("{at}/display")));
    }
    for (index, constraint) in object.constraints.iter().enumerate() {
        let is_named = match constraint {
            Constraint::Unique { properties } => names(properties, property),
            Constraint::Rule(rule) => rule.names(property),
            Constraint::NoOverlap { within, from, to } => {
                [within, from, to].iter().any(|name| name.as_str() == property)
            }
            Constraint::Reserved(reserved) => reserved.property.as_str() == property,
        };
        if is_named {
            uses.push(of_object("constraint", format!("{at}/constraints/{index}")));
        }
    }
    if object.duplicates.iter().any(|rule| rule.names().any(|name| name.as_str() == property)) {
        uses.push(of_object("duplicates", format!("{at}/features/duplicates")));
    }
    for (key, _) in object.entry.iter().flat_map(Entry::properties).filter(|(_, name)| name.as_str() == property) {
        uses.push(of_object("entry", format!("{at}/entry/{key}")));
    }
    for other in active(object).filter(|other| other.name.as_str() != property) {
        let is_computed_from = |name: &str| {
            other.kind.formula().is_some_and(|formula| formula.expression.names().any(|found| found == name))
        };
        if is_computed_from(property) {
            uses.push(of_property(object, other, "formula", "formula"));
        }
        if matches!(other.kind.currency(), Some(Currency::Property(name)) if name.as_str() == property) {
            uses.push(of_property(object, other, "currency", "currency_property"));
        }
    }
    uses
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::layer::tests::layer;

    fn registry(document: &Value) -> Registry {
        let (registry, problems) = Registry::fold(&[layer("crm", document)]);
        assert_eq!(problems, []);
        registry
    }

    #[test]
    fn every_definition_that_names_a_property_is_told() {
        let registry = registry(&json!({
            "objects": {
                "deal": {
                    "display": "{{ name }}",
                    "properties": {
                        "name": {"type": "string"}, "currency": {"type": "string"},
                        "amount": {"type": "money", "currency_property": "currency"}, "cost": {"type": "integer"},
                        "double": {"type": "formula", "formula": "cost * 2", "result": "integer"},
                        "old": {"type": "formula", "formula": "cost * 3", "result": "integer", "archived": true}},
                    "constraints": [{"unique": ["name"]}, {"rule": "cost > 0", "message": "none", "at": "amount"}]},
                "company": {"properties": {
                    "total": {"type": "rollup", "association": "deal_company", "function": "sum", "property": "amount",
                        "where": "cost > 5"},
                    "name": {"type": "string"}}}},
            "associations": {"deal_company": {"from": "deal", "to": "company"}},
            "pipelines": {"sales": {"object": "deal", "defaults": {"cost": 7}, "stages": {"open": {},
                "won": {"type": "won", "requires": ["amount"], "rules": [{"rule": "amount > 0"}]}}}},
        }));
        let uses = |object: &str, property: &str| -> Vec<(&'static str, String, String)> {
            registry.uses(object, property).into_iter().map(|found| (found.kind, found.name, found.pointer)).collect()
        };
        let told = |kind, name: &str, pointer: &str| (kind, name.to_owned(), pointer.to_owned());
        assert_eq!(
            uses("deal", "name"),
            [
                told("display", "deal", "/objects/deal/display"),
                told("constraint", "deal", "/objects/deal/constraints/0")
            ]
        );
        assert_eq!(
            uses("deal", "amount"),
            [
                told("constraint", "deal", "/objects/deal/constraints/1"),
                told("rollup", "company.total", "/objects/company/properties/total/property"),
                told("stage", "deal.sales.won", "/pipelines/sales/stages/won/requires"),
                told("stage", "deal.sales.won", "/pipelines/sales/stages/won/rules/0"),
            ]
        );
        assert_eq!(
            uses("deal", "cost"),
            [
                told("constraint", "deal", "/objects/deal/constraints/1"),
                told("formula", "deal.double", "/objects/deal/properties/double/formula"),
                told("rollup", "company.total", "/objects/company/properties/total/where"),
                told("pipeline", "deal.sales", "/pipelines/sales/defaults/cost"),
            ]
        );
        assert_eq!(
            uses("deal", "currency"),
            [told("currency", "deal.amount", "/objects/deal/properties/amount/currency_property")]
        );
        // Without a template of its own an object is called by its name; the constraint is another object's.
        assert_eq!(uses("company", "name"), [told("display", "company", "/objects/company/display")]);
        assert_eq!(uses("deal", "double"), []);
    }
}
