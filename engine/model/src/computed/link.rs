//! Computed properties are linked once all objects and associations are read: names become definitions, types become
//! known, and what cannot be computed is told at its place.

use std::collections::HashSet;
use std::sync::Arc;

use chrono_tz::Tz;

use super::formulas::MOMENTS;
use super::graph::Graph;
use super::{Computed, ComputedName, Formulas, LinkedRollup, is_number};
use crate::TenantId;
use crate::association::{AssociationDefinition, Target};
use crate::former;
use crate::name::{Name, did_you_mean};
use crate::object::{ObjectDefinition, SYSTEM_FIELDS};
use crate::problem::{Problem, Problems, push_segment};
use crate::property::{Locale, Property, PropertyKind, Rollup, RollupFunction, Storage};
use crate::query::{Direction, Filter, ResolveContext, filter_of_expression};
use crate::registry::Registry;
use crate::time::Timestamp;

/// Whether a roll-up's values follow what it is made of.
#[derive(Clone, Copy)]
enum State {
    Followed,
    /// Something of it is archived, so that they stay as they are.
    Frozen,
}

impl Registry {
    /// Links every formula and roll-up, and tells which cannot be computed.
    pub(crate) fn link_computed(&mut self, problems: &mut Problems) {
        self.rename_in_rollups();
        let (mut graph, mut rollups, mut frozen) = (Graph::default(), Vec::new(), Vec::new());
        for object in self.objects.values().filter(|object| !object.archived) {
            for property in object.properties.values().filter(|property| !property.archived) {
                let name = (object.name.clone(), property.name.clone());
                if let Some(formula) = property.kind.formula() {
                    let names: Vec<&str> = formula.expression.names().collect();
                    check_sensitive(object, property, &names, problems);
                    graph.parts.push((name, computed_among(object, &names)));
                } else if let Some(rollup) = property.kind.rollup()
                    && let Some((linked, state)) = self.link(object, property, rollup, problems)
                {
                    graph.parts.push((name, self.parts_of(&linked)));
                    match state {
                        State::Followed => rollups.push(linked),
                        State::Frozen => frozen.push(linked),
                    }
                }
            }
        }
        let sorted = graph.sort();
        for circle in &sorted.circles {
            self.tell_circle(circle, problems);
        }
        let mut computed = Computed::default();
        for (object, property) in &sorted.order {
            let is_it = |rollup: &LinkedRollup| rollup.object == *object && rollup.property == *property;
            if let Some(rollup) = frozen.iter().find(|rollup| is_it(rollup)) {
                self.freeze(rollup);
                continue;
            }
            match rollups.iter().position(is_it) {
                Some(at) => {
                    let mut rollup = rollups.swap_remove(at);
                    rollup.depth = 1 + computed.depth_of(&rollup.others);
                    if self.settle(&rollup, &computed, problems) {
                        computed.rollups.push(rollup);
                    }
                }
                None => self.add_formula(object, property, &mut computed, problems),
            }
        }
        self.computed = computed;
    }

    /// Roll-ups speak of properties by the names that these have now.
    fn rename_in_rollups(&mut self) {
        let mut renamed = Vec::new();
        for object in self.objects.values() {
            for (property, rollup) in object.properties.values().filter_map(|found| Some((found, found.kind.rollup()?)))
            {
                let association = self.associations.get(&rollup.association).filter(|found| found.touches(object));
                let end = association.and_then(|found| Some((found, rollup.end(found, object).ok()?)));
                let Some((association, direction)) = end else { continue };
                let others = self.at_other_end(association, direction);
                // What some of them have by that name is meant, whatever others once had.
                let now = |name: &str| match others.iter().any(|other| other.property(name).is_some()) {
                    true => None,
                    false => others.iter().find_map(|other| former::renamed(&other.properties, name)).cloned(),
                };
                if let Some(next) = rollup.over(now) {
                    renamed.push((object.name.clone(), property.name.clone(), next));
                }
            }
        }
        for (object, property, rollup) in renamed {
            let object = self.objects.get_mut(&object);
            if let Some(property) = object.and_then(|object| object.properties.get_mut(&property)) {
                property.kind = Arc::new(rollup);
            }
        }
    }

    /// What a roll-up leads to, and whether it is followed; `None` where it is wrong.
    fn link(
        &self,
        object: &ObjectDefinition,
        property: &Property,
        rollup: &Rollup,
        problems: &mut Problems,
    ) -> Option<(LinkedRollup, State)> {
        let at = property_pointer(object, &property.name);
        let Some(association) = self.associations.get(&rollup.association).filter(|found| found.touches(object)) else {
            let hint = did_you_mean(&rollup.association, self.associations_of(&object.name).map(|found| &*found.name));
            let message = format!("no association `{}` leads from or to `{}`{hint}", rollup.association, object.name);
            problems.push(Problem::new(at + "/association", "unknown", message));
            return None;
        };
        let direction = match rollup.end(association, object) {
            Ok(direction) => direction,
            Err((code, message)) => {
                problems.push(Problem::new(at + "/direction", code, message));
                return None;
            }
        };
        let mut reads: HashSet<String> = rollup.property.iter().map(ToString::to_string).collect();
        reads.extend(rollup.condition.iter().flat_map(|condition| condition.names().map(str::to_owned)));
        let all = self.at_other_end(association, direction);
        // What is wrong with a name is told of the first object where it should have been.
        let has_all = |other: &&&ObjectDefinition| reads.iter().all(|name| is_known(other, name));
        let others: Vec<&ObjectDefinition> = all.iter().filter(has_all).copied().collect();
        let (Some(first), true) = (all.first(), others.is_empty()) else {
            let is_whole = !association.archived && others.iter().all(|other| !other.archived);
            let names = |objects: &[&ObjectDefinition]| objects.iter().map(|other| other.name.clone()).collect();
            let active: Vec<&ObjectDefinition> =
                others.iter().filter(|other| is_active(other, &reads)).copied().collect();
            let is_followed = is_whole && !active.is_empty();
            let (others, state): (Vec<Name>, State) = match is_followed {
                true => (names(&active), State::Followed),
                false => (names(&others), State::Frozen),
            };
            let linked = LinkedRollup {
                object: object.name.clone(),
                property: property.name.clone(),
                association: association.name.clone(),
                direction,
                others,
                reads,
                depth: 1,
            };
            return Some((linked, state));
        };
        for name in reads.iter().filter(|name| !is_known(first, name)) {
            let is_property = rollup.property.as_ref().is_some_and(|property| property.as_str() == name);
            let key = if is_property { "property" } else { "where" };
            let moment = if !is_property && MOMENTS.contains(&name.as_str()) {
                "; what is stored cannot depend on the present moment".to_owned()
            } else {
                first.property_hint(name, |_| true)
            };
            let message = format!("`{name}` is no property of `{}`{moment}", first.name);
            problems.push(Problem::new(format!("{at}/{key}"), "unknown", message));
        }
        None
    }

    pub(super) fn at_other_end(
        &self,
        association: &AssociationDefinition,
        direction: Direction,
    ) -> Vec<&ObjectDefinition> {
        let is_there = |object: &&ObjectDefinition| match (direction, &association.to) {
            (Direction::In, _) => object.name == association.from,
            (Direction::Out, Target::Any) => !object.archived,
            (Direction::Out, Target::Objects(objects)) => objects.contains(&object.name),
        };
        self.objects.values().filter(is_there).collect()
    }

    fn parts_of(&self, rollup: &LinkedRollup) -> Vec<ComputedName> {
        let names: Vec<&str> = rollup.reads.iter().map(String::as_str).collect();
        let others = rollup.others.iter().filter_map(|name| self.objects.get(name));
        others.flat_map(|other| computed_among(other, &names)).collect()
    }

    fn tell_circle(&self, circle: &[ComputedName], problems: &mut Problems) {
        let Some((object, property)) = circle.first() else { return };
        let Some(definition) = self.objects.get(object) else { return };
        let is_rollup = definition.properties.get(property).is_some_and(|property| property.kind.rollup().is_some());
        let at = property_pointer(definition, property) + if is_rollup { "/property" } else { "/formula" };
        let names = circle.iter().chain(circle.first()).map(|(object, property)| format!("`{object}.{property}`"));
        let path = names.collect::<Vec<_>>().join(" → ");
        let message = format!("a property cannot be computed from itself: {path}");
        problems.push(Problem::new(at, "cycle", message));
    }

    /// Gives a roll-up, something of which is archived, the type of what it was made of.
    fn freeze(&mut self, rollup: &LinkedRollup) {
        let Some(written) = self.rollup(rollup) else { return };
        let others: Vec<&ObjectDefinition> = rollup.others.iter().filter_map(|name| self.objects.get(name)).collect();
        let Ok(kind) = written.kind_over(&others) else { return };
        let settled = Arc::new(Rollup { result: Some(kind), ..written.clone() });
        let object = self.objects.get_mut(&rollup.object);
        if let Some(property) = object.and_then(|object| object.properties.get_mut(&rollup.property)) {
            property.kind = settled;
        }
    }

    /// Gives a roll-up the type of what it is made of; false where it cannot be computed.
    fn settle(&mut self, rollup: &LinkedRollup, computed: &Computed, problems: &mut Problems) -> bool {
        let Some(object) = self.objects.get(&rollup.object) else { return false };
        let Some(property) = object.properties.get(&rollup.property) else { return false };
        let Some(written) = property.kind.rollup() else { return false };
        let at = property_pointer(object, &property.name);
        let mut found = Problems::new();
        let mut tell = |key: &str, code, message: String| {
            let problem = Problem::new(format!("{at}/{key}"), code, message);
            // What is wrong with a condition is wrong of each object that it is asked of.
            if !found.contains(&problem) {
                found.push(problem);
            }
        };
        let key_of = |name: &str| match written.property.as_ref().is_some_and(|property| property.as_str() == name) {
            true => "property",
            false => "where",
        };
        let others: Vec<&ObjectDefinition> = rollup.others.iter().filter_map(|name| self.objects.get(name)).collect();
        for other in &others {
            for name in rollup.reads.iter().filter(|name| is_live(computed, other, name)) {
                let message =
                    format!("`{}.{name}` depends on the present moment, and a roll-up of it is stored", other.name);
                tell(key_of(name), "not_applicable", message);
            }
            for (name, part) in rollup.reads.iter().filter_map(|name| Some((name, other.property(name)?))) {
                if part.sensitive && !property.sensitive {
                    let message = format!("`{}.{name}` is sensitive: let this be `sensitive` too", other.name);
                    tell(key_of(name), "sensitive", message);
                }
            }
        }
        let kind = match written.kind_over(&others) {
            Ok(kind) => Some(kind),
            Err((code, message)) => {
                tell("property", code, message);
                None
            }
        };
        if let Some(condition) = &written.condition {
            for other in &others {
                for problem in self.check_condition(condition.source(), other) {
                    tell("where", problem.code, problem.message);
                }
            }
        }
        let is_sound = found.is_empty();
        problems.extend(found);
        let settled = kind.map(|kind| Arc::new(Rollup { result: Some(kind), ..written.clone() }));
        let object = self.objects.get_mut(&rollup.object);
        match (object.and_then(|object| object.properties.get_mut(&rollup.property)), settled) {
            (Some(property), Some(settled)) => {
                property.kind = settled;
                is_sound
            }
            _ => false,
        }
    }

    /// What a search could not ask of records of `object`.
    fn check_condition(&self, source: &str, object: &ObjectDefinition) -> Problems {
        let locale = Locale::default();
        let context = ResolveContext {
            tenant: TenantId(0),
            registry: self,
            now: Timestamp(0),
            zone: Tz::UTC,
            locale: &locale,
            readable: &|_| Some(Filter::everything()),
            may_see: &|_, _| true,
            lists: None,
            formerly: None,
        };
        filter_of_expression(source, object, &context).err().unwrap_or_default()
    }

    fn add_formula(&self, object: &Name, property: &Name, computed: &mut Computed, problems: &mut Problems) {
        let Some(definition) = self.objects.get(object) else { return };
        let Some(formula) = definition.properties.get(property).and_then(|property| property.kind.formula()) else {
            return;
        };
        let formulas: &mut Formulas = computed.formulas.entry(object.clone()).or_default();
        let is_moment = |name: &str| MOMENTS.contains(&name) && !definition.properties.contains_key(name);
        if formula.expression.names().any(|name| is_moment(name) || formulas.live.contains(name)) {
            check_live(definition, property, problems);
            formulas.live.insert(property.clone());
        }
        formulas.order.push(property.clone());
    }
}

impl AssociationDefinition {
    fn touches(&self, object: &ObjectDefinition) -> bool {
        self.from == object.name || self.to.accepts(&object.name)
    }
}

impl Rollup {
    /// The same over properties that are called otherwise; `None` where it names none of these.
    fn over(&self, now: impl Fn(&str) -> Option<Name>) -> Option<Self> {
        let property = self.property.as_ref().and_then(|name| now(name));
        let condition = self.condition.as_ref().filter(|found| found.names().any(|name| now(name).is_some()));
        let condition = condition.map(|found| found.renamed(&now));
        if property.is_none() && condition.is_none() {
            return None;
        }
        let (property, condition) =
            (property.or_else(|| self.property.clone()), condition.or_else(|| self.condition.clone()));
        Some(Self { property, condition, ..self.clone() })
    }

    /// The end at which a record of `object` stands: the one that is possible, or the one that was given.
    pub(super) fn end(
        &self,
        association: &AssociationDefinition,
        object: &ObjectDefinition,
    ) -> Result<Direction, (&'static str, String)> {
        let (starts, ends) = (association.from == object.name, association.to.accepts(&object.name));
        let refuse = |message: String| Err(("not_applicable", message));
        match self.direction {
            Some(Direction::Out) if !starts => {
                refuse(format!("`{}` only leads to `{}`: leave `direction` out", association.name, object.name))
            }
            Some(Direction::In) if !ends => {
                refuse(format!("`{}` only leads from `{}`: leave `direction` out", association.name, object.name))
            }
            Some(given) => Ok(given),
            None if starts && ends => {
                let message = format!("`{}` has `{}` at both ends: say `out` or `in`", association.name, object.name);
                Err(("required", message))
            }
            None => Ok(if starts { Direction::Out } else { Direction::In }),
        }
    }

    /// The type of its values, where it is made of records of these objects.
    fn kind_over(&self, others: &[&ObjectDefinition]) -> Result<Arc<dyn PropertyKind>, (&'static str, String)> {
        let name = self.property.as_deref().unwrap_or_default();
        let parts: Vec<&Property> = others.iter().filter_map(|other| other.properties.get(name)).collect();
        for part in &parts {
            let (wanted, fits) = match self.function {
                RollupFunction::Sum | RollupFunction::Avg => ("numbers", is_number(part.kind.as_ref())),
                RollupFunction::Min | RollupFunction::Max => {
                    let is_ordered = matches!(part.kind.storage(), Storage::Date | Storage::Datetime);
                    ("numbers, dates and moments", is_ordered || is_number(part.kind.as_ref()))
                }
                RollupFunction::Count | RollupFunction::First | RollupFunction::Last => ("", true),
            };
            if !fits {
                let message = format!("`{name}` is of type {}; this function takes {wanted}", part.kind.name());
                return Err(("not_applicable", message));
            }
        }
        if let Some(kind) = self.function.result() {
            return Ok(kind);
        }
        let Some(first) = parts.first() else {
            return Err(("unknown", format!("no record at the other end has a property `{name}`")));
        };
        let is_same =
            |part: &&Property| part.kind.storage() == first.kind.storage() && part.kind.form() == first.kind.form();
        if !parts.iter().all(is_same) {
            return Err(("not_applicable", format!("`{name}` is not of the same type in all objects that are linked")));
        }
        match self.function {
            RollupFunction::Sum => first.unbounded_kind().ok_or(("not_applicable", format!("`{name}` has no type"))),
            _ => Ok(first.value_kind()),
        }
    }
}

/// Where a property is defined, as far as the topmost layer has it.
fn property_pointer(object: &ObjectDefinition, property: &str) -> String {
    push_segment(&format!("{}/properties", object.pointer), property)
}

fn is_known(object: &ObjectDefinition, name: &str) -> bool {
    object.properties.contains_key(name) || (SYSTEM_FIELDS.contains(&name) && name != "properties")
}

fn is_active(object: &ObjectDefinition, names: &HashSet<String>) -> bool {
    let is_archived = |name: &String| object.properties.get(name.as_str()).is_some_and(|property| property.archived);
    !object.archived && !names.iter().any(is_archived)
}

fn is_live(computed: &Computed, object: &ObjectDefinition, name: &str) -> bool {
    computed.formulas(&object.name).is_some_and(|formulas| formulas.is_live(name))
}

/// Those of the names that are computed properties of the object.
fn computed_among(object: &ObjectDefinition, names: &[&str]) -> Vec<ComputedName> {
    let computed = names
        .iter()
        .filter_map(|name| object.property(name))
        .filter(|property| property.kind.formula().is_some() || property.kind.rollup().is_some());
    computed.map(|property| (object.name.clone(), property.name.clone())).collect()
}

/// What is computed of something sensitive is so, too.
fn check_sensitive(object: &ObjectDefinition, property: &Property, names: &[&str], problems: &mut Problems) {
    let at = property_pointer(object, &property.name) + "/formula";
    let is_sensitive = |name: &&str| object.properties.get(*name).is_some_and(|read| read.sensitive);
    for name in names.iter().copied().filter(|name| !property.sensitive && is_sensitive(name)) {
        let message = format!("`{name}` is sensitive, and so is what is computed from it: set `sensitive`");
        problems.push(Problem::new(at.as_str(), "sensitive", message));
    }
}

/// What is never stored can be neither claimed nor part of what a record is called.
fn check_live(object: &ObjectDefinition, property: &Name, problems: &mut Problems) {
    let reads_it = |name: &Name| name == property;
    let is_claimed = object.unique_sets().any(|set| set.iter().any(|part| reads_it(&part.name)));
    if is_claimed {
        let message = format!("`{property}` depends on the present moment, so it cannot be unique");
        problems.push(Problem::new(property_pointer(object, property) + "/unique", "not_applicable", message));
    }
    if object.display.names().any(|name| name == property.as_str()) {
        let message = format!("`{property}` depends on the present moment, and what a record is called is stored");
        problems.push(Problem::new(format!("{}/display", object.pointer), "not_applicable", message));
    }
}
