//! Purging a pack: what it has brought goes for good, with all that is stored under it.
//!
//! It is uninstalled first, so that nobody writes under it any more. A job erases its records, the links of its
//! associations and the values of its properties, and in the end takes the definitions away, the tenant's own on top of
//! them included.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::change::ChangeKind;
use engine_model::layer::{CUSTOM, Layer};
use engine_model::name::did_you_mean;
use engine_model::{Name, RecordId};
use engine_store::association::{self, LinkKey};
use engine_store::definition::Kind;
use engine_store::record::RecordRow;
use engine_store::{Reader, change, definition, job, pack};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::apply::Applied;
use super::target::of_pack;
use crate::definitions::edit::{self, Row, Rows};
use crate::definitions::redefine::ATTEMPTS;
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::{Ending, JobState, Walk, Work};
use crate::records::{Mode, Operation, Step, Written};
use crate::session::Session;

/// The kind of these jobs.
pub(crate) const PURGE: &str = "pack_purge";

/// Purges of one tenant that wait or are under way and are looked at.
const MOST_PURGES: i64 = 1_000;

/// Records and links that are looked at at a time.
const AT_A_TIME: i64 = 250;

/// What goes with a pack.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Doomed {
    pack: String,
    pub(super) objects: Vec<String>,
    /// Properties of other packs' objects, by object.
    pub(super) properties: BTreeMap<String, Vec<String>>,
    pub(super) associations: Vec<String>,
}

/// How far a job has got.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// Through the pack's own objects, then those that it extends.
    #[serde(flatten)]
    walk: Walk,
    /// The last link that was looked at.
    link: Option<(i64, String, i64)>,
    are_links_done: bool,
    /// Records and links that were erased or changed.
    done: i64,
}

impl Session {
    /// Uninstalls a pack, if it is installed, and has all that it has brought erased by a job.
    pub async fn pack_purge(&mut self, name: &str) -> Result<Written<Applied>> {
        self.caller.check_admin()?;
        self.refresh().await?;
        let (doomed, is_installed) = self.doomed_if_free(name).await?;
        let mut written = match is_installed {
            true => self.pack_uninstall(name).await?,
            false => {
                let (pack, metadata_version) = (name.to_owned(), self.catalog.version);
                let value = Applied { pack, version: None, metadata_version, is_new: false, jobs: Vec::new() };
                Written { value, sequence: self.position().await? }
            }
        };
        let Value::Object(spec) = serde_json::to_value(&doomed).map_err(Error::internal)? else {
            return Err(Error::internal("a job's specification is no object"));
        };
        written.value.jobs.push(self.job_create(PURGE, JobState::Queued, spec).await?.id);
        Ok(written)
    }

    /// Refuses to install a pack of which a job still erases what it left: what is written anew would go with that.
    pub(super) async fn check_not_purging(&self, reader: &mut Reader, pack: &str) -> Result<()> {
        for row in job::unended(reader, PURGE, MOST_PURGES).await? {
            let doomed: Doomed = serde_json::from_str(&row.spec).map_err(Error::internal)?;
            if doomed.pack == pack {
                let detail = format!("job {} is purging `{pack}`; install it again when that is done", row.id);
                return Err(Error::new(ErrorCode::Conflict, detail));
            }
        }
        Ok(())
    }

    /// The same of one that came back another way, as by going back to an earlier version: what is left of it stays.
    async fn check_is_gone(&self, pack: &str) -> Result<()> {
        let rows = pack::all(&mut self.reader().await?).await?;
        match rows.iter().any(|row| row.name == pack && row.is_installed()) {
            true => Err(Error::new(ErrorCode::Conflict, format!("`{pack}` was installed again; what is left stays"))),
            false => Ok(()),
        }
    }

    /// What goes with a pack, and whether that is installed; refused where other definitions would not stand without it.
    pub(super) async fn doomed_if_free(&self, name: &str) -> Result<(Doomed, bool)> {
        let rows = pack::all(&mut self.reader().await?).await?;
        let Some(row) = rows.iter().find(|row| row.name == name) else {
            let hint = did_you_mean(name, rows.iter().map(|row| row.name.as_str()));
            return Err(Error::not_found(format!("the tenant never had a pack `{name}`{hint}")));
        };
        let doomed = self.doomed(name).await?;
        self.without(&doomed)?;
        Ok((doomed, row.is_installed()))
    }

    async fn doomed(&self, pack: &str) -> Result<Doomed> {
        let rows = pack::all(&mut self.reader().await?).await?;
        let layers: Vec<&Arc<Layer>> = self.catalog.effective.pack_layers().collect();
        let (present, earlier) = of_pack(pack, &rows, &layers);
        let mut doomed = Doomed { pack: pack.to_owned(), ..Doomed::default() };
        for layer in [&present, &earlier] {
            doomed.objects.extend(layer.objects.keys().map(ToString::to_string));
            // Those that it only changes are another pack's, with their links.
            let own = layer.associations.keys().filter(|name| !layer.changed.associations.contains(*name));
            doomed.associations.extend(own.map(ToString::to_string));
            for (object, spec) in &layer.extend {
                let properties = spec.get("properties").and_then(Value::as_object).into_iter().flatten();
                // What another pack defines, too, is not this one's alone.
                let is_shared =
                    |name: &str| layers.iter().any(|layer| layer.name != pack && defines(layer, object, name));
                let own = properties.filter(|(name, property)| property.get("type").is_some() && !is_shared(name));
                let names: Vec<String> = own.map(|(name, _)| name.clone()).collect();
                if !names.is_empty() {
                    doomed.properties.entry(object.to_string()).or_default().extend(names);
                }
            }
        }
        Ok(doomed)
    }

    /// The own layer with nothing of the pack in it, if the definitions stand without it.
    fn without(&self, doomed: &Doomed) -> Result<Layer> {
        let empty = Layer { name: CUSTOM.to_owned(), ..Layer::default() };
        let own = doomed.taken_out_of(self.catalog.effective.own_layer().unwrap_or(&empty));
        let below = self.catalog.effective.pack_layers().filter(|layer| layer.name != doomed.pack);
        let layers: Vec<Arc<Layer>> = below.cloned().chain([Arc::new(own.clone())]).collect();
        let (_, problems) = self.catalog.effective.refold(&layers);
        if problems.is_empty() {
            return Ok(own);
        }
        let detail =
            format!("other definitions need `{}`; see `errors`, and change or archive them first", doomed.pack);
        Err(Error { code: ErrorCode::Conflict, detail, ..Error::invalid(problems) })
    }

    /// Erases records of the pack's objects; how many.
    async fn purge_some(&mut self, object: &str, rows: &[RecordRow]) -> Result<i64> {
        let step = |row: &RecordRow| Step::from(Operation::Erase { object: object.to_owned(), id: row.record_id() });
        let steps: Vec<Step> = rows.iter().map(step).collect();
        self.carry_out_each(steps).await
    }

    /// Takes the values of properties out of records; of how many.
    async fn forget_some(&mut self, object: &str, rows: &[RecordRow], names: &[String]) -> Result<i64> {
        let has_some = |row: &&RecordRow| {
            let properties: Map<String, Value> = serde_json::from_str(&row.properties).unwrap_or_default();
            names.iter().any(|name| properties.contains_key(name))
        };
        let step = |row: &RecordRow| {
            let (object, id, properties) = (object.to_owned(), row.record_id(), names.to_vec());
            Step::from(Operation::Forget { object, id, properties })
        };
        let steps: Vec<Step> = rows.iter().filter(has_some).map(step).collect();
        self.carry_out_each(steps).await
    }

    async fn unlink_some(&mut self, links: &[LinkKey]) -> Result<i64> {
        let step = |link: &LinkKey| {
            let (from, to) = (RecordId(link.from_id), RecordId(link.to_id));
            Step::from(Operation::Unlink { kind: link.kind.clone(), from, to })
        };
        let steps: Vec<Step> = links.iter().map(step).collect();
        self.carry_out_each(steps).await
    }

    async fn carry_out_each(&mut self, steps: Vec<Step>) -> Result<i64> {
        if steps.is_empty() {
            return Ok(0);
        }
        let mut done = 0;
        for result in self.execute(&steps, Mode::Each, None).await?.value {
            match result {
                Ok(_) => done += 1,
                // It went with another one.
                Err(error) if error.code == ErrorCode::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Takes the definitions away.
    async fn forget_definitions(&mut self, doomed: &Doomed) -> Result<()> {
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let own = self.without(doomed)?;
            let mut tx = self.engine.store().begin(self.tenant()).await?;
            if tx.head.metadata_version != self.catalog.version {
                continue;
            }
            let (at, before) = (self.now(), self.catalog.effective.own_layer());
            let rows = edit::differing(before, &own);
            let mut changes = edit::changes(before, &rows);
            edit::put(&mut tx, &rows, at).await?;
            for (row, spec) in gone(before, &own) {
                changes.insert(row.path(), json!([spec, null]));
                match row {
                    Row::Object(name) => definition::remove(&mut tx, Kind::Object, &name).await?,
                    Row::Association(name) => definition::remove(&mut tx, Kind::Association, &name).await?,
                    Row::Pipeline { object, name } => definition::remove_pipeline(&mut tx, &object, &name).await?,
                }
            }
            pack::forget(&mut tx, &doomed.pack).await?;
            let summary = format!("purge pack {}", doomed.pack);
            definition::add_version(&mut tx, self.origin.actor, at, &summary, Value::Object(changes).to_string())
                .await?;
            let entry = json!({
                "metadata_version": [self.catalog.version, tx.head.metadata_version],
                "summary": [null, summary],
            });
            let kind = ChangeKind::MetadataChanged.as_str();
            change::append(&mut tx, &self.origin, at, kind, None, entry.to_string()).await?;
            let head = tx.commit().await?;
            self.catch_up(head.metadata_version, head.access_version).await?;
            return Ok(());
        }
        Err(Error::new(ErrorCode::Unavailable, "definitions keep being changed by others"))
    }
}

/// Whether a pack's layer defines a property, archived or not.
fn defines(layer: &Layer, object: &Name, property: &str) -> bool {
    let specs = [layer.objects.get(object), layer.extend.get(object)].into_iter().flatten();
    let entry = |spec: &Map<String, Value>| spec.get("properties")?.get(property)?.get("type").cloned();
    specs.filter_map(entry).next().is_some()
}

/// The rows of an own layer that are not in the next one.
fn gone(before: Option<&Layer>, next: &Layer) -> Rows {
    let Some(before) = before else { return Rows::new() };
    let has_object = |name: &Name| next.extend.contains_key(name) || next.objects.contains_key(name);
    let objects = before.extend.iter().chain(&before.objects).filter(|(name, _)| !has_object(name));
    let associations = before.associations.iter().filter(|(name, _)| !next.associations.contains_key(*name));
    let pipelines = before.pipelines.iter().filter(|(key, _)| !next.pipelines.contains_key(*key));
    let objects = objects.map(|(name, spec)| (Row::Object(name.clone()), spec.clone()));
    let associations = associations.map(|(name, spec)| (Row::Association(name.clone()), spec.clone()));
    let pipelines = pipelines
        .map(|((object, name), spec)| (Row::Pipeline { object: object.clone(), name: name.clone() }, spec.clone()));
    objects.chain(associations).chain(pipelines).collect()
}

impl Doomed {
    fn has_object(&self, name: &str) -> bool {
        self.objects.iter().any(|object| object == name)
    }

    /// An own layer without what stands on the pack.
    fn taken_out_of(&self, own: &Layer) -> Layer {
        let mut own = own.clone();
        own.extend.retain(|object, _| !self.has_object(object));
        own.pipelines.retain(|(object, _), _| !self.has_object(object));
        for (object, names) in &self.properties {
            let properties = own.extend.get_mut(object.as_str()).and_then(|spec| spec.get_mut("properties"));
            if let Some(properties) = properties.and_then(Value::as_object_mut) {
                properties.retain(|name, _| !names.contains(name));
            }
        }
        own.associations.retain(|name, spec| {
            let is_adjustment = self.associations.iter().any(|association| association == name.as_str());
            let starts_there = spec.get("from").and_then(Value::as_str).is_some_and(|from| self.has_object(from));
            if is_adjustment || starts_there {
                return false;
            }
            match spec.get_mut("to") {
                Some(Value::String(to)) => !self.has_object(to),
                Some(Value::Array(ends)) => {
                    ends.retain(|end| !end.as_str().is_some_and(|end| self.has_object(end)));
                    !ends.is_empty()
                }
                _ => true,
            }
        });
        own
    }
}

/// Erases what a job is about.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let doomed: Doomed = work.spec()?;
    let mut progress: Progress = work.progress()?;
    let mut session = work.engine.session_of_engine(work.tenant, PURGE).await?;
    // The pack's own objects, whose records go, then those that lose properties.
    let own = doomed.objects.iter().map(|object| (object.clone(), Vec::new()));
    let extended = doomed.properties.iter().map(|(object, names)| (object.clone(), names.clone()));
    let all: Vec<(String, Vec<String>)> = own.chain(extended).collect();
    while let Some((object, names)) = all.get(progress.walk.objects).cloned() {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        session.check_is_gone(&doomed.pack).await?;
        let rows = progress.walk.rows(&session, &object, AT_A_TIME).await?;
        progress.done += match names.is_empty() {
            true => session.purge_some(&object, &rows).await?,
            false => session.forget_some(&object, &rows, &names).await?,
        };
        progress.walk.pass(&rows);
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
    }
    while !progress.are_links_done && !doomed.associations.is_empty() {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        session.check_is_gone(&doomed.pack).await?;
        let after = progress.link.clone().map_or_else(LinkKey::default, |(from_id, kind, to_id)| LinkKey {
            from_id,
            kind,
            to_id,
        });
        let links = association::page(&mut session.reader().await?, &after, AT_A_TIME).await?;
        let own: Vec<LinkKey> = links.iter().filter(|link| doomed.associations.contains(&link.kind)).cloned().collect();
        progress.done += session.unlink_some(&own).await?;
        match links.last() {
            Some(last) => progress.link = Some((last.from_id, last.kind.clone(), last.to_id)),
            None => progress.are_links_done = true,
        }
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
    }
    session.check_is_gone(&doomed.pack).await?;
    session.forget_definitions(&doomed).await?;
    Ok(Ending::Done)
}

#[cfg(test)]
mod tests {
    use engine_model::Problems;

    use super::*;

    #[test]
    fn what_stands_on_a_pack_goes_with_it() {
        let mut problems = Problems::new();
        let document = json!({
            "objects": {"shelf": {"properties": {"name": {"type": "string"}}}},
            "extend": {"book": {"label": "Tome"}, "contact": {"label": "Reader", "properties": {"card": {"label": "Card"}, "mine": {"type": "string"}}}},
            "associations": {"book_shelf": {"from": "book", "to": "shelf"}, "shelf_any": {"from": "shelf", "to": ["book", "contact"]},
                "shelf_book": {"from": "shelf", "to": "book"}, "lent": {"label": "Lent"}},
        });
        let own = Layer::read(CUSTOM, document.as_object().expect("an object"), &mut problems);
        assert_eq!(problems, []);
        let doomed = Doomed {
            pack: "library".to_owned(),
            objects: vec!["book".to_owned()],
            properties: BTreeMap::from([("contact".to_owned(), vec!["card".to_owned()])]),
            associations: vec!["lent".to_owned()],
        };
        let left = doomed.taken_out_of(&own);
        let names = |layer: &Layer| layer.associations.keys().map(Name::to_string).collect::<Vec<_>>();
        assert_eq!(names(&left), ["shelf_any"]);
        assert_eq!(left.associations["shelf_any"]["to"], json!(["contact"]));
        assert_eq!(left.extend.keys().map(Name::as_str).collect::<Vec<_>>(), ["contact"]);
        assert_eq!(
            Value::from(left.extend["contact"].clone()),
            json!({"label": "Reader", "properties": {"mine": {"type": "string"}}})
        );
        assert_eq!(left.objects, own.objects);
    }
}
