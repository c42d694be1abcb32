//! Which records a change of definitions concerns, and what it asks of them.

use std::collections::{HashMap, HashSet};

use engine_model::object::{Constraint, ObjectDefinition};
use engine_model::problem::push_segment;
use engine_model::property::Locale;
use engine_model::registry::Registry;
use engine_store::claim;

use super::check::{Check, Demand, of_properties};
use super::claims::{Claim, interval_name, of_objects};
use super::coherence::validator;

/// Everything asked of the records of one object.
#[derive(Debug)]
pub(crate) struct ObjectGuard {
    /// As it shall be.
    pub(crate) object: ObjectDefinition,
    pub(crate) checks: Vec<Check>,
    pub(crate) claims: Vec<Claim>,
}

/// What leads from the old definitions of an object to the new ones: what is asked, and the constraints that are gone.
pub(crate) fn object(
    old: &Registry,
    new: &Registry,
    after: &ObjectDefinition,
    locale: &Locale,
) -> (Option<ObjectGuard>, Vec<claim::Constraint>) {
    // An object that was not there has no records.
    let Some(before) = old.objects.get(&after.name) else { return (None, Vec::new()) };
    let at = push_segment("/objects", &after.name);
    let mut checks =
        of_properties(&before.properties, &after.properties, &at, locale, |property| validator(new, property));
    checks.extend(rules(before, after, &at));
    checks.extend(stages(old, new, after));
    let (claims, gone) = of_objects(before, after, &at);
    let is_idle = checks.is_empty() && claims.is_empty();
    let guard = (!is_idle).then(|| ObjectGuard { object: after.clone(), checks, claims });
    (guard, gone)
}

/// Rules that the object did not have, and the order of ends of new intervals.
fn rules(before: &ObjectDefinition, after: &ObjectDefinition, at: &str) -> Vec<Check> {
    let is_new_rule = |source: &str| {
        !before
            .constraints
            .iter()
            .any(|old| matches!(old, Constraint::Rule(rule) if rule.expression.source() == source))
    };
    let is_new_interval =
        |name: &str| !before.constraints.iter().any(|old| interval_name(old).as_deref() == Some(name));
    let check = |(index, constraint): (usize, &Constraint)| {
        let at = format!("{at}/constraints/{index}");
        match constraint {
            Constraint::Rule(rule) if is_new_rule(rule.expression.source()) => {
                Some(Check::new(at, Demand::Holds(rule.expression.clone())))
            }
            Constraint::NoOverlap { from, to, .. } => {
                let claim = interval_name(constraint).filter(|name| is_new_interval(name))?;
                Some(Check::new(at, Demand::Ordered { claim, from: from.clone(), to: to.clone() }))
            }
            Constraint::Rule(_) | Constraint::Unique { .. } | Constraint::Reserved(_) => None,
        }
    };
    after.constraints.iter().enumerate().filter_map(check).collect()
}

/// Pipelines that lost stages, or are gone. Where the object goes with them, nothing is in the way.
fn stages(old: &Registry, new: &Registry, object: &ObjectDefinition) -> Vec<Check> {
    let known: HashMap<String, HashSet<String>> = new
        .active_pipelines(&object.name)
        .map(|pipeline| (pipeline.name.to_string(), pipeline.stages.keys().map(ToString::to_string).collect()))
        .collect();
    let first = new.active_pipelines(&object.name).next();
    if first.is_none() && object.archived {
        return Vec::new();
    }
    let at = |name: &str| push_segment("/pipelines", name);
    if let (None, Some(first)) = (old.active_pipelines(&object.name).next(), first) {
        // Records may still carry stages of pipelines that were archived, last one included.
        let has_archived = old.pipelines.get(&object.name).is_some_and(|pipelines| !pipelines.is_empty());
        let demand = Demand::Staged { pipeline: None, stages: known };
        let check = Check::new(format!("{}/stages", at(&first.name)), demand);
        return if has_archived { vec![check] } else { Vec::new() };
    }
    old.active_pipelines(&object.name)
        .filter_map(|pipeline| {
            let left = known.get(pipeline.name.as_str());
            let loses = left.is_none_or(|left| pipeline.stages.keys().any(|stage| !left.contains(stage.as_str())));
            let pointer = if left.is_some() { format!("{}/stages", at(&pipeline.name)) } else { at(&pipeline.name) };
            let demand = Demand::Staged { pipeline: Some(pipeline.name.clone()), stages: known.clone() };
            loses.then(|| Check::new(pointer, demand))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use engine_model::Problems;
    use engine_model::layer::Layer;
    use serde_json::{Value, json};

    use super::*;

    fn registry(document: Value) -> Registry {
        let mut problems = Problems::new();
        let layer = Layer::read("custom", document.as_object().expect("an object"), &mut problems);
        let (registry, found) = Registry::fold(&[layer]);
        assert_eq!((problems, found), (vec![], vec![]));
        registry
    }

    /// Pointers of what is asked of records, then of what they claim, then the constraints that are gone.
    fn asked(old: Value, new: Value) -> (Vec<String>, Vec<String>, Vec<String>) {
        let (old, new) = (registry(old), registry(new));
        let (guard, gone) = object(&old, &new, &new.objects["visit"], &Locale::default());
        let gone = gone.into_iter().map(|constraint| constraint.properties).collect();
        let Some(guard) = guard else { return (vec![], vec![], gone) };
        let checks = guard.checks.into_iter().map(|check| check.pointer).collect();
        (checks, guard.claims.into_iter().map(|claim| claim.pointer).collect(), gone)
    }

    fn visit(constraints: Value, more: Value) -> Value {
        let mut properties = json!({"room": {"type": "string"}, "begins": {"type": "date"}, "ends": {"type": "date"}});
        for (name, spec) in more.as_object().expect("an object") {
            properties[name] = spec.clone();
        }
        json!({"objects": {"visit": {"properties": properties, "constraints": constraints}}})
    }

    #[test]
    fn what_was_so_before_is_not_asked_again() {
        let constraints =
            json!([{"unique": ["room", "begins"]}, {"rule": "ends == null || ends > begins", "message": "a"}]);
        let relabelled =
            json!([{"rule": "ends == null || ends > begins", "message": "b"}, {"unique": ["room", "begins"]}]);
        let unchanged = asked(visit(constraints, json!({})), visit(relabelled, json!({"more": {"type": "text"}})));
        assert_eq!(unchanged, (vec![], vec![], vec![]));
    }

    #[test]
    fn new_constraints_are_asked_and_old_ones_given_back() {
        let constraints = json!([
            {"rule": "room != 'x'"}, {"no_overlap": {"within": "room", "from": "begins", "to": "ends"}}, {"unique": ["begins"]},
        ]);
        let at = |tail: &str| format!("/objects/visit/constraints/{tail}");
        let room = json!({"room": {"type": "string", "unique": true}});
        assert_eq!(
            asked(visit(json!([{"unique": ["room", "begins"]}]), json!({})), visit(constraints, room)),
            (
                vec![at("0"), at("1")],
                vec!["/objects/visit/properties/room/unique".to_owned(), at("2"), at("1")],
                vec!["room,begins".to_owned()]
            )
        );
    }

    #[test]
    fn a_property_that_was_not_there_claims_nothing() {
        let code = json!({"code": {"type": "string", "unique": true}});
        let constraints = json!([{"unique": ["room", "code"]}]);
        assert_eq!(asked(visit(json!([]), json!({})), visit(constraints, code)), (vec![], vec![], vec![]));
    }

    #[test]
    fn an_archived_property_gives_its_values_back_and_claims_them_again() {
        let room = |spec: Value| visit(json!([]), json!({"room": spec}));
        let there = room(json!({"type": "string", "unique": true, "required": true}));
        let archived = room(json!({"type": "string", "unique": true, "required": true, "archived": true}));
        assert_eq!(asked(there.clone(), archived.clone()), (vec![], vec![], vec!["room".to_owned()]));
        let at = |key: &str| vec![format!("/objects/visit/properties/room/{key}")];
        assert_eq!(asked(archived, there), (at("required"), at("unique"), vec![]));
    }

    #[test]
    fn only_pipelines_that_lose_stages_are_asked_for() {
        let with = |pipelines: Value| {
            let mut document = visit(json!([]), json!({}));
            document["pipelines"] = pipelines;
            document
        };
        let pipeline =
            |stages: Value, archived: bool| json!({"object": "visit", "stages": stages, "archived": archived});
        let both = || pipeline(json!({"open": {}, "done": {}}), false);
        let two = with(json!({"a": both(), "b": both()}));
        let none: (Vec<String>, Vec<String>, Vec<String>) = (vec![], vec![], vec![]);
        assert_eq!(asked(visit(json!([]), json!({})), two.clone()), none);
        let fewer = with(json!({"a": both(), "b": pipeline(json!({"open": {}, "more": {}}), false)}));
        assert_eq!(asked(two.clone(), fewer).0, ["/pipelines/b/stages"]);
        let gone = with(json!({"a": both(), "b": pipeline(json!({"open": {}, "done": {}}), true)}));
        assert_eq!(asked(two, gone).0, ["/pipelines/b"]);
        let last = with(json!({"a": pipeline(json!({"open": {}}), true)}));
        let one = || with(json!({"a": pipeline(json!({"open": {}}), false)}));
        assert_eq!(asked(one(), last.clone()).0, ["/pipelines/a"]);
        let mut without = last.clone();
        without["objects"]["visit"]["archived"] = json!(true);
        assert_eq!(asked(one(), without), none);
        assert_eq!(
            asked(last, with(json!({"a": pipeline(json!({"open": {}}), true), "b": both()}))).0,
            ["/pipelines/b/stages"]
        );
    }
}
