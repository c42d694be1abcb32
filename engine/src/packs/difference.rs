//! What differs between the definitions in force and others, step by step.

use engine_model::Name;
use engine_model::layer::ENGINE;
use engine_model::object::ObjectDefinition;
use engine_model::pack::Pack;
use engine_model::pipeline::Pipeline;
use engine_model::registry::Registry;
use serde_json::{Map, Value, json};

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
    /// `object`, `property`, `association`, `pipeline`, `view`, `report`, `workflow`, `role`; `pack` where nothing but
    /// its version changes, `constraint` where records stand in the way of a rule.
    pub kind: &'static str,
    /// `permit`, `permit.number`, `permit_contractor`, `permit.approval`.
    pub name: String,
    /// The definition as it is; null where there is none.
    pub before: Value,
    /// The definition as it would be.
    pub after: Value,
    /// Something that is stored would no longer be seen.
    pub destructive: bool,
    /// How many records that concerns, or stand in the way.
    pub records: u64,
    /// Ids of some of them.
    pub samples: Vec<String>,
    /// Records stand in the way, and have to be migrated first.
    pub takes_job: bool,
    pub(super) subject: Subject,
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
            records: 0,
            samples: Vec::new(),
            takes_job: false,
            subject,
        })
    }
}

/// What leads from the definitions in force to `new`, and from one version of a pack to another, as far as it is about
/// what the pack has beside definitions.
pub(super) fn steps(catalog: &Catalog, new: &Registry, [before, after]: [Option<&Pack>; 2]) -> Vec<Step> {
    let showing = Showing::of(catalog);
    let difference = Difference { old: showing, new: Showing { registry: new, ..showing } };
    let mut steps = Vec::new();
    for name in new.objects.keys() {
        difference.object(name, &mut steps);
    }
    for name in new.associations.keys() {
        let view = |showing: &Showing<'_>| {
            let found = showing.registry.associations.get(name).filter(|found| !found.archived);
            found.map(|found| showing.association(found))
        };
        let subject = Subject::Association(name.clone());
        steps.extend(difference.step("association", subject, name.to_string(), view));
    }
    for (object, name) in new.pipelines.iter().flat_map(|(object, all)| all.keys().map(move |name| (object, name))) {
        let view = |showing: &Showing<'_>| {
            let found = showing.registry.pipelines.get(object).and_then(|all| all.get(name));
            let is_shown = |found: &&Pipeline| !found.archived && active(showing.registry, object).is_some();
            found.filter(is_shown).map(|found| showing.pipeline(found))
        };
        let subject = Subject::Pipeline(object.clone(), name.clone());
        steps.extend(difference.step("pipeline", subject, format!("{object}.{name}"), view));
    }
    steps.extend(beside(before, after));
    if steps.is_empty() {
        let version = |pack: Option<&Pack>| pack.map(|pack| json!(pack.version.to_string()));
        let name = before.or(after).map(|pack| pack.name.to_string()).unwrap_or_default();
        steps.extend(Step::between("pack", Subject::Other, name, version(before), version(after)));
    }
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
        let mut properties: Vec<&Name> = Vec::new();
        for object in [self.new.registry, self.old.registry].into_iter().filter_map(|registry| active(registry, name)) {
            let further: Vec<&Name> = object.properties.keys().filter(|name| !properties.contains(name)).collect();
            properties.extend(further);
        }
        for property in properties {
            let view = |showing: &Showing<'_>| {
                let found = active(showing.registry, name)?.properties.get(property)?;
                // Pipelines bring these two, and are steps of their own.
                let is_shown = !found.archived && found.layer != ENGINE;
                is_shown.then(|| plain(showing.property(found)))
            };
            let subject = Subject::Property(name.clone(), property.clone());
            steps.extend(self.step("property", subject, format!("{name}.{property}"), view));
        }
    }
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

/// A part of a pack that is kept as written.
type Section = fn(&Pack) -> &Map<String, Value>;

/// What a pack has beside definitions, as written.
fn beside<'a>(before: Option<&'a Pack>, after: Option<&'a Pack>) -> impl Iterator<Item = Step> + use<'a> {
    let sections: [(&'static str, Section); 4] = [
        ("view", |pack| &pack.views),
        ("report", |pack| &pack.reports),
        ("workflow", |pack| &pack.workflows),
        ("role", |pack| &pack.roles),
    ];
    sections.into_iter().flat_map(move |(kind, section)| {
        let [old, new] = [before, after].map(|pack| pack.map(section));
        let gone = old.into_iter().flatten().filter(move |(name, _)| !new.is_some_and(|new| new.contains_key(*name)));
        let names = new.into_iter().flatten().chain(gone).map(|(name, _)| name);
        names.filter_map(move |name| {
            let of = |all: Option<&Map<String, Value>>| all.and_then(|all| all.get(name)).cloned();
            Step::between(kind, Subject::Other, name.clone(), of(old), of(new))
        })
    })
}
