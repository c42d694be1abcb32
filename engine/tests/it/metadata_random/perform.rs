//! Doing a step: what exactly is drawn from what is there.

use std::collections::{BTreeMap, BTreeSet};

use engine::model::property::Property;
use engine::packs::{Consent, PackExport, PackSource, Plan, Side};
use engine::records::{Operation, Target};
use engine::{Error, ErrorCode};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use serde_json::{Map, Value, json};

use super::definitions::{Shot, shown};
use super::packs;
use super::world::World;
use crate::support::{input, map};

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Apply,
    ApplyStale,
    Uninstall,
    Purge,
    Rollback,
    Export,
    AddProperty,
    ChangeProperty,
    ArchiveProperty,
    RestoreProperty,
    Objects,
    Associations,
    Pipelines,
    Create,
    Update,
    Archive,
    Restore,
    PurgeRecord,
    Link,
    Unlink,
}

use Kind::*;

/// Each as often as it is to come.
pub(super) const KINDS: [Kind; 48] = [
    Apply,
    Apply,
    Apply,
    Apply,
    Apply,
    Apply,
    Apply,
    Apply,
    ApplyStale,
    Uninstall,
    Purge,
    Rollback,
    Rollback,
    Rollback,
    Export,
    AddProperty,
    AddProperty,
    AddProperty,
    ChangeProperty,
    ChangeProperty,
    ChangeProperty,
    ChangeProperty,
    ArchiveProperty,
    ArchiveProperty,
    RestoreProperty,
    RestoreProperty,
    Objects,
    Objects,
    Objects,
    Associations,
    Associations,
    Pipelines,
    Pipelines,
    Create,
    Create,
    Create,
    Create,
    Create,
    Create,
    Update,
    Update,
    Update,
    Archive,
    Restore,
    PurgeRecord,
    Link,
    Link,
    Unlink,
];

/// What came of a step.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// It was refused, and nothing may have changed.
    pub(super) is_refused: bool,
    /// Records that may have changed because the step said so.
    pub(super) asked: BTreeSet<i64>,
    /// Definitions that a plan has named.
    pub(super) planned: Option<BTreeSet<String>>,
    /// The pack and the number of its version that was applied without giving in to it.
    pub(super) applied: Option<(String, u64)>,
    /// A pack was moved, and the tenant's side held.
    pub(super) tenant_wins: bool,
    /// The version that the definitions went back to.
    pub(super) back_to: Option<i64>,
    /// A pack was erased.
    pub(super) purged: bool,
}

impl Outcome {
    fn refused() -> Self {
        Self { is_refused: true, ..Self::default() }
    }

    fn asked(id: i64) -> Self {
        Self { asked: BTreeSet::from([id]), ..Self::default() }
    }
}

/// Properties that a role may write and that tests know values of.
fn value_of(property: &Property, random: &mut StdRng) -> Option<Value> {
    match property.kind.name() {
        "string" => Some(json!(format!("v{}", random.random_range(0..4)))),
        "integer" => Some(json!(random.random_range(-1..4))),
        "enum" => {
            let options = property.kind.options().iter().filter(|option| !option.archived);
            options.choose(random).map(|option| json!(option.key))
        }
        _ => None,
    }
}

/// What was planned, by kind and name.
fn names(plan: &Plan) -> BTreeSet<String> {
    plan.steps
        .iter()
        .filter(|step| !["pack", "constraint"].contains(&step.kind))
        .map(|step| format!("{} {}", step.kind, step.name))
        .collect()
}

impl World<'_> {
    pub(super) async fn perform(&mut self, kind: Kind, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        match kind {
            Apply => self.apply(before, random).await,
            ApplyStale => self.apply_stale(random).await,
            Uninstall => self.uninstall(before, random).await,
            Purge => self.purge(before, random).await,
            Rollback => self.roll_back(before, random).await,
            Export => self.export(before).await,
            AddProperty | ChangeProperty | ArchiveProperty | RestoreProperty => {
                self.property(kind, before, random).await
            }
            Objects => self.object(before, random).await,
            Associations => self.association(before, random).await,
            Pipelines => self.pipeline(before, random).await,
            Create | Update => self.write(kind, before, random).await,
            Archive | Restore | PurgeRecord => self.put_away(kind, random).await,
            Link | Unlink => self.link(kind, before, random).await,
        }
    }

    fn tell(&mut self, text: String) {
        self.told.push(text);
    }

    /// Whether something was done; an error that no caller may see is one of the test.
    fn outcome<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, String> {
        match result {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.code == ErrorCode::Internal => Err(format!("{error:?}")),
            Err(error) => {
                let problems: Vec<_> =
                    error.problems.iter().map(|problem| (&problem.pointer, &problem.message)).collect();
                self.told.push(format!("  refused: {} {problems:?}", error.detail));
                Ok(None)
            }
        }
    }

    async fn apply(&mut self, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let pack = *packs::PACKS.choose(random).expect("one");
        let number = random.random_range(0..packs::VERSIONS);
        let known = self.reference.packs.get(pack).is_some() && random.random_bool(0.1);
        let (source, number) = match known {
            // By name, in the newest version that the tenant has ever had.
            true => (PackSource::Known { name: pack.to_owned(), version: None }, None),
            false => (packs::source(pack, number), Some(number)),
        };
        let text =
            number.map_or_else(|| "the known one".to_owned(), |number| packs::document(pack, number).to_string());
        self.tell(format!("apply {pack}: {text}"));
        let planned = self.session.pack_plan(source, &BTreeMap::new(), &BTreeMap::new()).await;
        let Some(mut plan) = self.outcome(planned)? else { return Ok(Outcome::refused()) };
        let mut consent = Consent { allows_destructive: random.random_bool(0.85), ..Consent::default() };
        for conflict in &plan.conflicts {
            if random.random_bool(0.3) {
                consent.accept.insert(conflict.name.clone(), Side::Pack);
            }
        }
        if !consent.accept.is_empty() && number.is_some() {
            self.tell(format!("  accepting {:?}", consent.accept.keys()));
            // The plan is that of what was accepted.
            let source = packs::source(pack, number.unwrap_or_default());
            let planned = self.session.pack_plan(source, &consent.accept, &BTreeMap::new()).await;
            match self.outcome(planned)? {
                Some(other) => plan = other,
                None => return Ok(Outcome::refused()),
            }
        }
        let applied = self.session.pack_apply(&plan.id, &consent).await;
        let Some(applied) = self.outcome(applied)? else { return Ok(Outcome::refused()) };
        let version = applied.value.version.unwrap_or_default();
        let number: u64 = version.split('.').nth(1).and_then(|part| part.parse().ok()).expect("a version");
        let tenant_wins = consent.accept.is_empty();
        if applied.value.is_new {
            self.reference.move_pack(pack, Some(number), &before.catalog, true);
        }
        let applied = Some((pack.to_owned(), number));
        Ok(Outcome { planned: Some(names(&plan)), applied, tenant_wins, ..Outcome::default() })
    }

    async fn apply_stale(&mut self, random: &mut StdRng) -> Result<Outcome, String> {
        let pack = *packs::PACKS.choose(random).expect("one");
        let source = packs::source(pack, random.random_range(0..packs::VERSIONS));
        let planned = self.session.pack_plan(source, &BTreeMap::new(), &BTreeMap::new()).await;
        self.tell(format!("plan {pack}, define something, apply the plan"));
        let Some(plan) = self.outcome(planned)? else { return Ok(Outcome::refused()) };
        if plan.steps.is_empty() {
            return Ok(Outcome::default());
        }
        let name = format!("own{}", random.random_range(0..1_000_000));
        let body = json!({"name": name, "properties": {"a": {"type": "string"}}});
        let defined = self.session.object_define(map(body), None).await;
        if self.outcome(defined)?.is_none() {
            return Ok(Outcome::refused());
        }
        let consent = Consent { allows_destructive: true, ..Consent::default() };
        match self.session.pack_apply(&plan.id, &consent).await {
            Err(error) if error.code == ErrorCode::PlanOutOfDate => Ok(Outcome::default()),
            other => Err(format!("a stale plan: {other:?}")),
        }
    }

    async fn uninstall(&mut self, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let pack = *packs::PACKS.choose(random).expect("one");
        self.tell(format!("uninstall {pack}"));
        let planned = self.session.pack_uninstall_plan(pack).await;
        let Some(plan) = self.outcome(planned)? else { return Ok(Outcome::refused()) };
        let gone = self.session.pack_uninstall(pack).await;
        if self.outcome(gone)?.is_none() {
            return Ok(Outcome::refused());
        }
        self.reference.move_pack(pack, None, &before.catalog, false);
        Ok(Outcome { planned: Some(names(&plan)), tenant_wins: true, ..Outcome::default() })
    }

    async fn purge(&mut self, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let pack = *packs::PACKS.choose(random).expect("one");
        self.tell(format!("purge {pack}"));
        let gone = self.session.pack_purge(pack).await;
        if self.outcome(gone)?.is_none() {
            return Ok(Outcome::refused());
        }
        self.wait().await?;
        let after = Shot::of(&mut self.session).await;
        self.reference.purge_pack(pack, &before.catalog, &after.catalog);
        self.reference.purged_at = after.version;
        Ok(Outcome { purged: true, ..Outcome::default() })
    }

    async fn roll_back(&mut self, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let version = match random.random_bool(0.7) {
            true => before.version - random.random_range(1..4),
            false => random.random_range(1..=before.version),
        };
        self.tell(format!("roll back from {} to {version}", before.version));
        let planned = self.session.metadata_rollback(version, true).await;
        let Some(planned) = self.outcome(planned)? else { return Ok(Outcome::refused()) };
        let done = self.session.metadata_rollback(version, false).await;
        let Some(done) = self.outcome(done)? else { return Ok(Outcome::refused()) };
        let told = |step: &engine::packs::Step| format!("{} {}", step.kind, step.name);
        let of = |steps: &[engine::packs::Step]| {
            steps.iter().filter(|step| !["pack", "constraint"].contains(&step.kind)).map(told).collect::<BTreeSet<_>>()
        };
        let (dry, wet) = (of(&planned.value.steps), of(&done.value.steps));
        if dry != wet {
            return Err(format!("a rollback does {wet:?} instead of {dry:?}"));
        }
        let after = Shot::of(&mut self.session).await;
        let moved: Vec<String> = self.reference.packs.keys().chain(after.packs.keys()).cloned().collect();
        for pack in moved {
            let number = after.packs.get(&pack).and_then(|version| version.split('.').nth(1)?.parse().ok());
            if self.reference.packs.get(&pack).and_then(|pack| pack.installed) != number {
                self.reference.move_pack(&pack, number, &before.catalog, false);
            }
        }
        Ok(Outcome { planned: Some(wet), back_to: Some(version), ..Outcome::default() })
    }

    /// On a tenant with the same packs the own layer comes to the same.
    async fn export(&mut self, before: &Shot) -> Result<Outcome, String> {
        self.tell("export".to_owned());
        let wanted = PackExport { pack: Some("mine".to_owned()), ..PackExport::default() };
        let text = self.session.pack_export(&wanted).await;
        let Some(text) = self.outcome(text)? else { return Ok(Outcome::refused()) };
        let mut other = self.home.tenant().await;
        let consent = Consent { allows_destructive: true, ..Consent::default() };
        let installed = self.reference.packs.iter().filter_map(|(name, pack)| Some((name.clone(), pack.installed?)));
        let all = installed.map(|(name, number)| packs::source(&name, number));
        for source in all.chain([PackSource::Files(vec![("pack.yaml".to_owned(), text.clone())])]) {
            let planned = other.pack_plan(source, &BTreeMap::new(), &BTreeMap::new()).await;
            let planned = planned.map_err(|error| format!("an exported pack is refused: {error:?}\n{text}"))?;
            let done = other.pack_apply(&planned.id, &consent).await;
            done.map_err(|error| format!("an exported pack is refused: {error:?}\n{text}"))?;
        }
        let mut theirs = shown(&mut other).await;
        let mut ours = before.shown.clone();
        for view in theirs.values_mut().chain(ours.values_mut()) {
            view.as_object_mut().map(|view| view.shift_remove("layer"));
        }
        let names = ours.keys().chain(theirs.keys()).filter(|name| ours.get(*name) != theirs.get(*name));
        let wrong: Vec<String> =
            names.map(|name| format!("{name}: {:?} instead of {:?}", theirs.get(name), ours.get(name))).collect();
        if wrong.is_empty() { Ok(Outcome::default()) } else { Err(format!("exported: {}\n{text}", wrong.join("\n"))) }
    }

    async fn property(&mut self, kind: Kind, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let registry = &before.catalog.effective.registry;
        let Some(object) = registry.objects.values().choose(random) else { return Ok(Outcome::default()) };
        let name = *packs::PROPERTIES.choose(random).expect("one");
        let object = object.name.as_str();
        let defined = match kind {
            AddProperty => {
                let mut body = packs::property(name, false, random);
                body["name"] = json!(name);
                self.tell(format!("add to {object}: {body}"));
                self.session.property_add(object, map(body), None).await
            }
            ChangeProperty => {
                let patch = property_patch(name, random);
                self.tell(format!("change {object}.{name}: {patch}"));
                self.session.property_change(object, name, map(patch)).await
            }
            ArchiveProperty => {
                self.tell(format!("archive {object}.{name}"));
                self.session.property_archive(object, name).await
            }
            _ => {
                self.tell(format!("restore {object}.{name}"));
                self.session.property_restore(object, name, None).await
            }
        };
        Ok(self.outcome(defined)?.map_or_else(Outcome::refused, |_| Outcome::default()))
    }

    async fn object(&mut self, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let mut names: Vec<&str> = before.catalog.effective.registry.objects.keys().map(|name| name.as_str()).collect();
        names.extend(["part", "gadget", "mine"]);
        let name = *names.choose(random).expect("one");
        let defined = match random.random_range(0..5) {
            0 | 1 => {
                let properties =
                    json!({"a": packs::property("a", false, random), "b": packs::property("b", false, random)});
                let body = json!({"name": name, "properties": properties});
                self.tell(format!("define {body}"));
                self.session.object_define(map(body), None).await
            }
            2 => {
                let mut patch = json!({"label": packs::label(random)});
                if random.random_bool(0.4) {
                    let constraints = packs::constraint(random);
                    patch["constraints"] = json!([constraints]);
                }
                self.tell(format!("change {name}: {patch}"));
                self.session.object_change(name, map(patch)).await
            }
            3 => {
                self.tell(format!("archive {name}"));
                self.session.object_archive(name).await
            }
            _ => {
                self.tell(format!("restore {name}"));
                self.session.object_restore(name, None).await
            }
        };
        Ok(self.outcome(defined)?.map_or_else(Outcome::refused, |_| Outcome::default()))
    }

    async fn association(&mut self, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let mut names: Vec<&str> =
            before.catalog.effective.registry.associations.keys().map(|name| name.as_str()).collect();
        names.push("near");
        names.push("beside");
        let name = *names.choose(random).expect("one");
        let defined = match random.random_range(0..4) {
            0 => {
                let body = json!({"name": name, "from": "thing", "to": "thing", "label": packs::label(random)});
                self.tell(format!("define {body}"));
                self.session.association_define(map(body), None).await
            }
            1 => {
                let patch = json!({"label": packs::label(random), "labels": {"y": packs::label(random)}});
                self.tell(format!("change {name}: {patch}"));
                self.session.association_change(name, map(patch)).await
            }
            2 => {
                self.tell(format!("archive {name}"));
                self.session.association_archive(name).await
            }
            _ => {
                self.tell(format!("restore {name}"));
                self.session.association_restore(name, None).await
            }
        };
        Ok(self.outcome(defined)?.map_or_else(Outcome::refused, |_| Outcome::default()))
    }

    async fn pipeline(&mut self, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let objects = before.catalog.effective.registry.objects.keys().map(|name| name.as_str());
        let Some(object) = objects.choose(random) else { return Ok(Outcome::default()) };
        let name = *["flow", "flow", "way"].choose(random).expect("one");
        let defined = match random.random_range(0..4) {
            0 => {
                let body = json!({"name": name, "stages": packs::stages(random)});
                self.tell(format!("define pipeline of {object}: {body}"));
                self.session.pipeline_define(object, map(body), None).await
            }
            1 => {
                let patch = json!({"label": packs::label(random), "stages": {"s2": {"label": packs::label(random)}}});
                self.tell(format!("change pipeline {object}.{name}: {patch}"));
                self.session.pipeline_change(object, name, map(patch)).await
            }
            2 => {
                self.tell(format!("archive pipeline {object}.{name}"));
                self.session.pipeline_archive(object, name).await
            }
            _ => {
                self.tell(format!("restore pipeline {object}.{name}"));
                self.session.pipeline_restore(object, name, None).await
            }
        };
        Ok(self.outcome(defined)?.map_or_else(Outcome::refused, |_| Outcome::default()))
    }

    async fn write(&mut self, kind: Kind, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let registry = &before.catalog.effective.registry;
        let chosen = match kind {
            Create => None,
            _ => self.reference.records.iter().choose(random).map(|(id, known)| (*id, known.object.clone())),
        };
        let object = match &chosen {
            Some((_, object)) => registry.objects.get(object.as_str()),
            None => registry.objects.values().filter(|object| !object.archived).choose(random),
        };
        let Some(object) = object else { return Ok(Outcome::default()) };
        let mut values = Map::new();
        for property in object.properties.values().filter(|property| !property.archived) {
            if random.random_bool(0.6) {
                let value = value_of(property, random);
                let value =
                    if chosen.is_some() && random.random_bool(0.15) { value.map(|_| Value::Null) } else { value };
                values.extend(value.map(|value| (property.name.to_string(), value)));
            }
        }
        let (name, sent) = (object.name.as_str(), Value::Object(values.clone()));
        let done = match &chosen {
            Some((id, _)) => {
                self.tell(format!("update {name} {id}: {sent}"));
                self.session.record_update(name, Target::id(id.to_string()), input(&sent)).await
            }
            None => {
                self.tell(format!("create {name}: {sent}"));
                self.session.record_create(name, input(&sent)).await
            }
        };
        let Some(done) = self.outcome(done)? else { return Ok(Outcome::refused()) };
        let record = done.value.record.ok_or("a write answers with its record")?;
        let answered: Map<String, Value> = serde_json::from_str(record.properties.get()).expect("properties");
        // Which stage a record comes into is the engine's choice.
        for name in ["pipeline", "stage"] {
            values.extend(answered.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        match chosen {
            Some((id, _)) => self.reference.update(id, &values),
            None => self.reference.create(record.id.0, name, values),
        }
        Ok(Outcome::asked(record.id.0))
    }

    async fn put_away(&mut self, kind: Kind, random: &mut StdRng) -> Result<Outcome, String> {
        let chosen = self.reference.records.iter().choose(random).map(|(id, known)| (*id, known.object.clone()));
        let Some((id, object)) = chosen else { return Ok(Outcome::default()) };
        let target = Target::id(id.to_string());
        self.tell(format!("{kind:?} {object} {id}"));
        let operation = match kind {
            Archive => Operation::Archive { object, target, version: None },
            Restore => Operation::Restore { object, target },
            _ => Operation::Purge { object, target },
        };
        let done = self.session.perform(operation, None).await;
        if self.outcome(done)?.is_none() {
            return Ok(Outcome::refused());
        }
        match (kind, self.reference.records.get_mut(&id)) {
            (PurgeRecord, _) => self.reference.purge_record(id),
            (_, Some(known)) => known.is_archived = kind == Archive,
            (_, None) => {}
        }
        Ok(Outcome::asked(id))
    }

    async fn link(&mut self, kind: Kind, before: &Shot, random: &mut StdRng) -> Result<Outcome, String> {
        let Some(association) = before.catalog.effective.registry.associations.values().choose(random) else {
            return Ok(Outcome::default());
        };
        let name = association.name.to_string();
        let ends = match kind {
            Unlink => self
                .reference
                .links
                .iter()
                .filter(|(kind, ..)| *kind == name)
                .map(|(_, from, to)| (*from, *to))
                .choose(random),
            _ => {
                let mut of = |wanted: &str| {
                    let records = self.reference.records.iter().filter(|(_, known)| known.object == wanted);
                    records.map(|(id, _)| *id).choose(random)
                };
                of(association.from.as_str()).zip(of("thing"))
            }
        };
        let Some((from, to)) = ends else { return Ok(Outcome::default()) };
        self.tell(format!("{kind:?} {name} from {from} to {to}"));
        let (from_id, to_id) = (from.to_string(), to.to_string());
        let operation = match kind {
            Unlink => Operation::Dissociate { kind: name.clone(), from: from_id, to: to_id },
            _ => Operation::Associate {
                kind: name.clone(),
                from: from_id,
                to: to_id,
                label: None,
                properties: input(&json!({})).properties,
                replace: false,
            },
        };
        let done = self.session.perform(operation, None).await;
        if self.outcome(done)?.is_none() {
            return Ok(Outcome::refused());
        }
        match kind {
            Unlink => drop(self.reference.links.remove(&(name, from, to))),
            _ => drop(self.reference.links.insert((name, from, to))),
        }
        Ok(Outcome { asked: BTreeSet::from([from, to]), ..Outcome::default() })
    }
}

fn property_patch(name: &str, random: &mut StdRng) -> Value {
    let mut patch = json!({"label": packs::label(random)});
    match (name, random.random_range(0..5)) {
        ("a" | "d" | "e", 0) => patch["migration"] = packs::migration(random),
        ("a" | "d" | "e", 1) => patch["required"] = json!(random.random_bool(0.5)),
        ("a", 2) => patch["unique"] = json!(random.random_bool(0.5)),
        ("b", 0) => patch["minimum"] = json!(random.random_range(-1..2)),
        ("b", 1) => patch = json!({"type": "string", "minimum": null, "migration": {"convert": "string(value)"}}),
        ("b", 2) => patch["minimum"] = Value::Null,
        ("c", 0 | 1) => patch["options"] = packs::options(random),
        (_, 4) => patch["label"] = Value::Null,
        _ => {}
    }
    patch
}
