//! What differs between the definitions in force and others, step by step.

use std::hash::Hash;

use engine_model::Name;
use engine_model::behavior::Section;
use engine_model::layer::ENGINE;
use engine_model::object::ObjectDefinition;
use engine_model::pack::Pack;
use engine_model::pipeline::Pipeline;
use engine_model::property::Property;
use engine_model::registry::Registry;
use engine_model::uses::Use;
use indexmap::IndexMap;
use serde_json::{Value, json};

use crate::definitions::catalog::Catalog;
use crate::definitions::show::Showing;

/// What is done to a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is there from then on, for the first time or again.
    Add,
    /// It says something else.
    Change,
    /// It is archived, with what is stored under it.
    Remove,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// `object`, `property`, `association`, `pipeline`, `view`, `report`, `workflow`, `role`, `translation`; `pack` where
    /// nothing but its version changes, `constraint` where records stand in the way of a rule.
    pub kind: &'static str,
    /// `permit`, `permit.number`, `permit_contractor`, `permit.approval`.
    pub name: String,
    /// The definition as it is; null where there is none.
    pub before: Value,
    /// The definition as it would be.
    pub after: Value,
    /// Something that is stored would no longer be seen.
    pub destructive: bool,
    /// How many records that concerns, or stand in the way; none where they cannot be seen any more, and so are not
    /// counted.
    pub records: Option<u64>,
    /// Ids of some of them.
    pub samples: Vec<String>,
    /// What it does to these records.
    pub effect: Option<Effect>,
    /// What goes on to name what would be archived or be of another type: rules, formulas, views, workflows, lists.
    pub uses: Vec<Use>,
    pub(super) subject: Subject,
}

/// What a step does to records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// They, or values of theirs, are no longer seen.
    Hidden,
    /// They, or values of theirs, are erased for good.
    Erased,
    /// They stand in the way, and have to be changed first.
    InTheWay,
    /// Their values are brought into the form of the new definition by a job.
    Rewritten,
    /// Their values are computed by a job.
    Computed,
}

impl Effect {
    /// As plans name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Erased => "erased",
            Self::InTheWay => "in_the_way",
            Self::Rewritten => "rewritten",
            Self::Computed => "computed",
        }
    }
}

/// What a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Object(Name),
    Property(Name, Name),
    Association(Name),
    Pipeline(Name, Name),
    Other,
}

impl Step {
    /// The difference between two states, if there is one.
    fn between(
        kind: &'static str,
        subject: Subject,
        name: String,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Option<Self> {
        let action = match (&before, &after) {
            (None, None) => return None,
            (Some(before), Some(after)) if before == after => return None,
            (None, Some(_)) => Action::Add,
            (Some(_), Some(_)) => Action::Change,
            (Some(_), None) => Action::Remove,
        };
        let holds_data = subject != Subject::Other;
        Some(Self {
            action,
            kind,
            name,
            before: before.unwrap_or_default(),
            after: after.unwrap_or_default(),
            destructive: action == Action::Remove && holds_data,
            records: Some(0),
            samples: Vec::new(),
            effect: None,
            uses: Vec::new(),
            subject,
        })
    }

    /// Whether a job writes its records, or has to before it can be done.
    pub fn takes_job(&self) -> bool {
        matches!(self.effect, Some(Effect::Erased | Effect::InTheWay | Effect::Rewritten | Effect::Computed))
    }

    /// Whether it brings something that is computed, or has it computed otherwise.
    pub(super) fn says_how_else_it_is_computed(&self) -> bool {
        const HOW: [&str; 6] = ["type", "formula", "function", "association", "property", "where"];
        let is_computed = |view: &Value| ["formula", "rollup"].iter().any(|kind| view["type"] == **kind);
        is_computed(&self.after) && HOW.iter().any(|key| self.before.get(key) != self.after.get(key))
    }

    /// Whether whoever names its subject has to go without it, or with another type.
    pub(super) fn is_felt(&self) -> bool {
        let kind = |view: &Value| view.get("type").cloned();
        match self.action {
            Action::Add => false,
            Action::Change => kind(&self.before) != kind(&self.after),
            Action::Remove => true,
        }
    }
}

/// What leads from the definitions in force to `new`; that a pack moves from one version to another, where it changes
/// nothing else.
pub(super) fn steps(catalog: &Catalog, new: &Registry, [before, after]: [Option<&Pack>; 2]) -> Vec<Step> {
    let mut steps = steps_between(catalog, &catalog.effective.registry, new);
    if steps.is_empty() {
        let version = |pack: Option<&Pack>| pack.map(|pack| json!(pack.version.to_string()));
        let name = before.or(after).map(|pack| pack.name.to_string()).unwrap_or_default();
        steps.extend(Step::between("pack", Subject::Other, name, version(before), version(after)));
    }
    steps
}

/// What leads from some of a tenant's definitions to others.
pub(super) fn steps_between(catalog: &Catalog, old: &Registry, new: &Registry) -> Vec<Step> {
    let showing = Showing::of(catalog);
    let difference =
        Difference { old: Showing { registry: old, ..showing }, new: Showing { registry: new, ..showing } };
    let mut steps = Vec::new();
    for name in either(&old.objects, &new.objects) {
        difference.object(name, &mut steps);
    }
    for name in either(&old.associations, &new.associations) {
        let view = |showing: &Showing<'_>| {
            let found = showing.registry.associations.get(name).filter(|found| !found.archived);
            found.map(|found| showing.association(found))
        };
        let subject = Subject::Association(name.clone());
        let mut step = difference.step("association", subject, name.to_string(), view);
        if let Some(step) = step.as_mut().filter(|step| step.action == Action::Remove) {
            let kept = new.uses_of_association(name);
            step.uses = old.uses_of_association(name).into_iter().filter(|found| kept.contains(found)).collect();
        }
        steps.extend(step);
    }
    let none = IndexMap::new();
    let pipelines = either(&old.pipelines, &new.pipelines).flat_map(|object| {
        let [old, new] = [old, new].map(|registry| registry.pipelines.get(object).unwrap_or(&none));
        either(old, new).map(move |name| (object, name))
    });
    for (object, name) in pipelines {
        let view = |showing: &Showing<'_>| {
            let found = showing.registry.pipelines.get(object).and_then(|all| all.get(name));
            let is_shown = |found: &&Pipeline| !found.archived && active(showing.registry, object).is_some();
            found.filter(is_shown).map(|found| showing.pipeline(found))
        };
        let subject = Subject::Pipeline(object.clone(), name.clone());
        steps.extend(difference.step("pipeline", subject, format!("{object}.{name}"), view));
    }
    difference.behaviors(&mut steps);
    difference.translations(&mut steps);
    steps
}

struct Difference<'a> {
    old: Showing<'a>,
    new: Showing<'a>,
}

impl Difference<'_> {
    fn step(
        &self,
        kind: &'static str,
        subject: Subject,
        name: String,
        view: impl Fn(&Showing<'_>) -> Option<Value>,
    ) -> Option<Step> {
        Step::between(kind, subject, name, view(&self.old), view(&self.new))
    }

    fn object(&self, name: &Name, steps: &mut Vec<Step>) {
        let view = |showing: &Showing<'_>| active(showing.registry, name).map(|object| plain(showing.object(object)));
        steps.extend(self.step("object", Subject::Object(name.clone()), name.to_string(), view));
        let none = IndexMap::new();
        let [old, new] = [self.old.registry, self.new.registry]
            .map(|registry| active(registry, name).map_or(&none, |object| &object.properties));
        let view = |showing: &Showing<'_>, property: &Name| {
            let found = active(showing.registry, name)?.properties.get(property)?;
            // Pipelines bring these two, and are steps of their own.
            let is_shown = !found.archived && found.layer != ENGINE;
            is_shown.then(|| plain(showing.property(found)))
        };
        let is_there = |among: &IndexMap<Name, Property>, property: &Name| {
            among.get(property).is_some_and(|property| !property.archived)
        };
        // Values come along with a property that is called otherwise, so nothing is taken away.
        let renamed = |property: &Name| {
            let next = new.get(property).filter(|property| !property.archived)?;
            let goes = |was: &&Name| is_there(old, was) && !is_there(new, was) && !is_there(old, property);
            let back = || {
                old.values()
                    .filter(|found| found.former_names().any(|was| was == property))
                    .map(|found| &found.name)
                    .find(goes)
            };
            next.former_names().find(goes).or_else(back)
        };
        let gone: Vec<&Name> = new.keys().filter_map(renamed).collect();
        for property in either(old, new).filter(|property| !gone.contains(property)) {
            let before = view(&self.old, renamed(property).unwrap_or(property));
            let subject = Subject::Property(name.clone(), property.clone());
            let step =
                Step::between("property", subject, format!("{name}.{property}"), before, view(&self.new, property));
            steps.extend(step.map(|step| self.with_uses(step, name, property)));
        }
    }
}

impl Difference<'_> {
    /// What goes on to name a property that would no longer be there, or be of another type.
    fn with_uses(&self, mut step: Step, object: &Name, property: &Name) -> Step {
        let (old, new) = (self.old.registry, self.new.registry);
        if step.is_felt() {
            let kept = new.uses(object, property);
            let is_kept = |found: &Use| {
                let section = Section::ALL.into_iter().find(|section| section.kind() == found.kind);
                let key = section.and_then(|section| Some((section, section.name(&found.name).ok()?)));
                let behavior = key.and_then(|key| new.behaviors.get(&key));
                kept.contains(found) || behavior.is_some_and(|behavior| !new.check_behavior(behavior).is_empty())
            };
            step.uses = old.uses(object, property).into_iter().filter(is_kept).collect();
        }
        step
    }

    fn behaviors(&self, steps: &mut Vec<Step>) {
        for key in either(&self.old.registry.behaviors, &self.new.registry.behaviors) {
            let view = |showing: &Showing<'_>| showing.registry.behaviors.get(key).map(|found| showing.behavior(found));
            steps.extend(self.step(key.0.kind(), Subject::Other, key.1.to_string(), view));
        }
    }

    fn translations(&self, steps: &mut Vec<Step>) {
        for language in either(&self.old.registry.translations, &self.new.registry.translations) {
            let view = |showing: &Showing<'_>| showing.registry.translations.get(language).map(|texts| json!(texts));
            steps.extend(self.step("translation", Subject::Other, language.clone(), view));
        }
    }
}

/// The keys of both, those that there will be first.
fn either<'a, K: Hash + Eq, V>(old: &'a IndexMap<K, V>, new: &'a IndexMap<K, V>) -> impl Iterator<Item = &'a K> {
    new.keys().chain(old.keys().filter(|key| !new.contains_key(*key)))
}

fn active<'a>(registry: &'a Registry, name: &Name) -> Option<&'a ObjectDefinition> {
    registry.objects.get(name).filter(|object| !object.archived)
}

/// A definition without what follows from it, and without what are steps of their own.
fn plain(mut view: Value) -> Value {
    if let Some(view) = view.as_object_mut() {
        for key in ["properties", "operators", "archived_at"] {
            view.shift_remove(key);
        }
    }
    view
}
