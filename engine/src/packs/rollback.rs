//! The way back: definitions as an earlier metadata version had them, as one more change.
//!
//! What has come since is archived rather than deleted, so that nothing stored loses its meaning; what was migrated since
//! is migrated back.

use std::sync::Arc;

use engine_model::layer::{CUSTOM, Layer, merge};
use engine_model::migration::Migration;
use engine_model::registry::Registry;
use engine_model::{JobId, Name, Problems};
use engine_store::pack;
use engine_store::{change, definition};
use serde_json::{Map, Value, json};

use super::apply::remnant_text;
use super::difference::{Step, steps};
use super::migrate::write;
use super::past::{PackBack, Past, Then};
use super::profile::lay;
use super::touched::attach;
use crate::definitions::edit::{self, Row, Rows};
use crate::definitions::guard::{Guard, Passage, coherence};
use crate::definitions::redefine::{ATTEMPTS, blocked};
use crate::error::{Error, ErrorCode, Result};
use crate::records::Written;
use crate::rollups::news;
use crate::session::Session;

/// What going back does, or would do.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// The metadata version now.
    pub metadata_version: i64,
    /// What differs from what is in force before it.
    pub steps: Vec<Step>,
    /// False where all was so already, or nothing was to be done yet.
    pub is_done: bool,
    /// Jobs that go on.
    pub jobs: Vec<JobId>,
}

/// The definitions as they would be.
#[derive(Debug)]
struct Target {
    registry: Registry,
    rows: Rows,
    packs: Vec<PackBack>,
}

impl Session {
    /// Brings the definitions back to what they were at a metadata version; with `is_dry`, only says what that would do.
    pub async fn metadata_rollback(&mut self, version: i64, is_dry: bool) -> Result<Written<Rollback>> {
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            self.caller.check_admin()?;
            let Some(target) = self.back_to(version).await? else {
                return self.nothing_to_do(Vec::new()).await;
            };
            let mut all = steps(&self.catalog, &target.registry, [None, None]);
            if is_dry {
                self.tell_effects(&mut all, &target.registry).await?;
            }
            let mut guard = Guard::between(self, Some(&target.registry));
            match guard.pass(self).await? {
                Passage::Outdated => guard.abandon(self).await,
                Passage::Blocked(found) if is_dry => {
                    guard.abandon(self).await;
                    attach(found, &mut all);
                    return self.nothing_to_do(all).await;
                }
                Passage::Blocked(found) => {
                    guard.abandon(self).await;
                    return Err(blocked(found));
                }
                Passage::Free(_) if is_dry => {
                    guard.abandon(self).await;
                    return self.nothing_to_do(all).await;
                }
                Passage::Free(mut tx) => {
                    if tx.head.access_version != self.caller.access_version {
                        drop(tx);
                        guard.abandon(self).await;
                        continue;
                    }
                    let turn = guard.finish(&mut tx).await?;
                    let jobs = self.go_back(&mut tx, &target, version).await?;
                    let head = tx.commit().await?;
                    self.catch_up(head.metadata_version, head.access_version).await?;
                    guard.settle(self, head.metadata_version, turn);
                    if !jobs.is_empty() {
                        self.tell_worker();
                    }
                    let value = Rollback { metadata_version: head.metadata_version, steps: all, is_done: true, jobs };
                    return Ok(Written { value, sequence: head.sequence() });
                }
            }
        }
        Err(Error::new(ErrorCode::Conflict, "definitions keep being changed by others; try again"))
    }

    async fn nothing_to_do(&self, steps: Vec<Step>) -> Result<Written<Rollback>> {
        let sequence = self.position().await?;
        let value = Rollback { metadata_version: self.catalog.version, steps, is_done: false, jobs: Vec::new() };
        Ok(Written { value, sequence })
    }

    async fn go_back(&self, tx: &mut engine_store::Tx, target: &Target, version: i64) -> Result<Vec<JobId>> {
        let at = self.now();
        let mut changes = edit::changes(self.catalog.effective.own_layer(), &target.rows);
        let installed = pack::all(tx.reader()).await?;
        for PackBack { name, next, remnant } in &target.packs {
            let before = installed.iter().find(|row| row.name == *name && row.is_installed());
            let remnant = remnant_text(remnant);
            let after = match next {
                Some((pack, files)) => {
                    lay(tx, pack, files, &remnant, at).await?;
                    Some(pack.version.to_string())
                }
                None => {
                    pack::uninstall(tx, name, &remnant, at).await?;
                    None
                }
            };
            changes.insert(format!("packs.{name}"), json!([before.map(|row| &row.version), after]));
            changes.insert(format!("digests.{name}"), json!([before.map(|row| &row.digest), null]));
        }
        edit::put(tx, &target.rows, at).await?;
        let summary = format!("roll back to version {version}");
        definition::add_version(tx, self.origin.actor, at, &summary, Value::Object(changes).to_string()).await?;
        let entry = json!({
            "metadata_version": [self.catalog.version, tx.head.metadata_version],
            "summary": [null, summary],
        });
        let kind = engine_model::change::ChangeKind::MetadataChanged.as_str();
        change::append(tx, &self.origin, at, kind, None, entry.to_string()).await?;
        let computing = self.compute_news(tx, &news(&self.catalog.effective.registry, &target.registry)).await?;
        let settling = self.settle_news(tx, &target.registry).await?.map(|job| job.id);
        Ok(computing.into_iter().chain(settling).collect())
    }

    /// What the definitions of a version come to today; none where they are in force.
    async fn back_to(&self, version: i64) -> Result<Option<Target>> {
        self.check_version(version, "/to_version")?;
        let empty = Layer { name: CUSTOM.to_owned(), ..Layer::default() };
        let own = self.catalog.effective.own_layer().unwrap_or(&empty);
        let past = self.past(version).await?;
        let Then { packs: layers, own: mut back, moved: packs } = self.definitions_then(&past).await?;
        let left = declared(own, &layers).left_behind(&empty, Some(&back), self.now());
        keep(&mut back, left);
        self.migrate_back(&past, &mut back)?;
        self.settle_past(&mut back);
        let mut changed = edit::differing(Some(own), &back);
        // A row that says nothing any more is kept as such.
        let gone = own.extend.keys().filter(|name| !back.extend.contains_key(*name));
        changed.extend(gone.map(|name| (Row::Object(name.clone()), Map::new())));
        let gone = own.associations.keys().filter(|name| !back.associations.contains_key(*name));
        changed.extend(gone.map(|name| (Row::Association(name.clone()), Map::new())));
        let gone = own.pipelines.keys().filter(|key| !back.pipelines.contains_key(*key)).cloned();
        changed.extend(gone.map(|(object, name)| (Row::Pipeline { object, name }, Map::new())));
        if changed.is_empty() && packs.is_empty() {
            return Ok(None);
        }
        let all: Vec<Arc<Layer>> = layers.into_iter().chain([Arc::new(back)]).collect();
        let (registry, mut problems) = self.catalog.effective.refold(&all);
        problems.extend(coherence::check(&self.catalog.effective.registry, &registry));
        if !problems.is_empty() {
            let detail = "the definitions of that version do not stand beside what has come since; see `errors`";
            return Err(Error { code: ErrorCode::Conflict, detail: detail.to_owned(), ..Error::invalid(problems) });
        }
        Ok(Some(Target { registry, rows: changed, packs }))
    }

    /// A migration that was under way in that version, and has ended since, does not begin again: nobody would end it.
    fn settle_past(&self, back: &mut Layer) {
        let registry = &self.catalog.effective.registry;
        for (object, spec) in back.objects.iter_mut().chain(&mut back.extend) {
            if registry.objects.get(object).is_some_and(|object| object.migrating().next().is_some()) {
                continue;
            }
            let properties =
                spec.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
            for migrated in properties.filter_map(|property| property.get_mut("migrated")?.as_object_mut()) {
                if migrated.get("version").and_then(Value::as_i64).is_some_and(|began| began <= self.catalog.version) {
                    migrated.insert("settled".to_owned(), json!(true));
                }
            }
        }
    }

    /// Migrates back what was migrated since.
    fn migrate_back(&self, past: &Past, back: &mut Layer) -> Result<()> {
        for ((object, property), first) in &past.migrations {
            let Some(definition) = self.catalog.effective.registry.objects.get(object) else { continue };
            let Some(present) = definition.properties.get(property) else { continue };
            if definition.migrating().next().is_some() {
                let detail = format!("a migration of `{object}` is under way; wait until its job is done");
                return Err(Error::new(ErrorCode::Conflict, detail));
            }
            let version = self.catalog.version + 1;
            if let Some(then) = past.names.get(&(object.clone(), property.clone())) {
                if then == property {
                    continue;
                }
                // Over several names values come back as they are now.
                let direct = present.migrated.as_ref().filter(|migrated| migrated.renamed_from() == Some(then));
                let kept = direct.map(|migrated| migrated.of_return(present, version));
                write(back, object, then, kept.unwrap_or_else(|| Migration::of_rename(present, version, None)));
                continue;
            }
            let undo = json!({"undo": first});
            if let Some(kept) = Migration::specify(&undo, Some(present), version, "", &mut Problems::new()) {
                write(back, object, property, kept);
            }
        }
        Ok(())
    }
}

/// The own layer with what it only changes of packs' associations and pipelines marked as such: these stay the packs'.
fn declared(own: &Layer, packs: &[Arc<Layer>]) -> Layer {
    let mut own = own.clone();
    let is_of_pack = |name: &&Name| packs.iter().any(|layer| layer.associations.contains_key(*name));
    own.changed.associations = own.associations.keys().filter(is_of_pack).cloned().collect();
    let is_of_pack = |key: &&(Name, Name)| packs.iter().any(|layer| layer.pipelines.contains_key(*key));
    own.changed.pipelines = own.pipelines.keys().filter(is_of_pack).cloned().collect();
    own
}

/// Keeps what has come since, archived.
fn keep(back: &mut Layer, left: Layer) {
    for (name, spec) in left.objects {
        merge(back.objects.entry(name).or_default(), spec);
    }
    for (name, spec) in left.extend {
        let section = if back.objects.contains_key(&name) { &mut back.objects } else { &mut back.extend };
        merge(section.entry(name).or_default(), spec);
    }
    for (name, spec) in left.associations {
        merge(back.associations.entry(name).or_default(), spec);
    }
    for (key, spec) in left.pipelines {
        merge(back.pipelines.entry(key).or_default(), spec);
    }
}
