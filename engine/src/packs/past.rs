//! Definitions as they were at an earlier metadata version, from what the history has of each change since.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::layer::{CUSTOM, Layer};
use engine_model::remnant::leave_shared;
use engine_model::{Name, Problem};
use engine_store::definition;
use engine_store::pack::{self, TenantPackRow};
use serde_json::{Map, Value, json};

use super::known::read;
use super::shipped::Files;
use super::target::of_pack;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// Versions that are read at a time.
const PAGE: i64 = 200;

/// What was at an earlier version, as far as it was otherwise.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Rows of the own layer by the names that the history has for them; null where there was none.
    pub(super) rows: BTreeMap<String, Value>,
    /// Versions of packs; none where a pack was not installed.
    packs: BTreeMap<String, Option<String>>,
    digests: BTreeMap<String, String>,
    /// The first migration since of each property, by `object` and name.
    pub(super) migrations: BTreeMap<(Name, Name), i64>,
    /// What properties were called then that were renamed since, by their objects and present names.
    pub(super) names: BTreeMap<(Name, Name), Name>,
}

/// A pack on its way back.
#[derive(Debug)]
pub(super) struct PackBack {
    pub(super) name: String,
    /// The version that it goes back to, with its files.
    pub(super) next: Option<(engine_model::pack::Pack, Files)>,
    pub(super) remnant: Layer,
}

/// The layers that were in force.
#[derive(Debug)]
pub(super) struct Then {
    /// Those of packs, what earlier versions of them had left behind included where it still is.
    pub(super) packs: Vec<Arc<Layer>>,
    /// The tenant's own.
    pub(super) own: Layer,
    /// The packs that are in another version now, or not there.
    pub(super) moved: Vec<PackBack>,
}

impl Session {
    /// Refuses a version that there never was; `at` is where it was sent.
    pub(super) fn check_version(&self, version: i64, at: &str) -> Result<()> {
        if version < 1 || version > self.catalog.version {
            let message = format!("there is no version {version}; the definitions are at {}", self.catalog.version);
            return Err(Error::invalid_at(at, "unknown", message));
        }
        Ok(())
    }

    /// The layers as they were.
    pub(super) async fn definitions_then(&self, past: &Past) -> Result<Then> {
        let rows = pack::all(&mut self.reader().await?).await?;
        let (packs, moved) = self.packs_back(past, &rows).await?;
        let empty = Layer { name: CUSTOM.to_owned(), ..Layer::default() };
        let mut own = self.catalog.effective.own_layer().unwrap_or(&empty).clone();
        for (name, spec) in &past.rows {
            put_back(&mut own, name, spec, &packs)?;
        }
        Ok(Then { packs, own, moved })
    }

    /// What was otherwise at a version.
    pub(super) async fn past(&self, version: i64) -> Result<Past> {
        let mut past = Past::default();
        let mut before = i64::MAX;
        loop {
            let versions = definition::versions(&mut self.reader().await?, before, PAGE).await?;
            for found in &versions {
                if found.version <= version {
                    return Ok(past);
                }
                let changes = serde_json::from_str(&found.changes).map_err(Error::internal)?;
                past.go_before(found.version, changes);
                before = found.version;
            }
            if i64::try_from(versions.len()).is_ok_and(|count| count < PAGE) {
                return Ok(past);
            }
        }
    }

    /// The layers of packs as they were, and those packs that were otherwise.
    async fn packs_back(&self, past: &Past, rows: &[TenantPackRow]) -> Result<(Vec<Arc<Layer>>, Vec<PackBack>)> {
        let now: Vec<&Arc<Layer>> = self.catalog.effective.pack_layers().collect();
        let (mut layers, mut packs) = (Vec::with_capacity(now.len()), Vec::new());
        for row in rows {
            let current = row.is_installed().then(|| row.version.clone());
            let wanted = past.packs.get(&row.name).filter(|wanted| **wanted != current);
            let Some(wanted) = wanted else {
                layers.extend(now.iter().filter(|layer| layer.name == row.name).map(|layer| Arc::clone(layer)));
                continue;
            };
            let next = match wanted {
                Some(version) => Some(self.files_at(&row.name, version, past.digests.get(&row.name)).await?),
                None => None,
            };
            let (present, earlier) = of_pack(&row.name, rows, &now);
            let layer = next.as_ref().map(|(pack, _)| &pack.layer);
            let remnant = present.left_behind(&earlier, layer, self.now());
            let parts = layer.cloned().into_iter().chain([remnant.clone()]);
            layers.extend(parts.filter(|layer| !layer.is_empty()).map(Arc::new));
            packs.push(PackBack { name: row.name.clone(), next, remnant });
        }
        // What was purged since comes back without what was stored.
        let is_known = |name: &str| rows.iter().any(|row| row.name == name);
        for (name, version) in past.packs.iter().filter(|(name, _)| !is_known(name)) {
            let Some(version) = version else { continue };
            let next = self.files_at(name, version, past.digests.get(name)).await?;
            layers.push(Arc::new(next.0.layer.clone()));
            let remnant = Layer { name: name.clone(), ..Layer::default() };
            packs.push(PackBack { name: name.clone(), next: Some(next), remnant });
        }
        leave_shared(&mut layers);
        Ok((layers, packs))
    }

    async fn files_at(
        &self,
        name: &str,
        version: &str,
        digest: Option<&String>,
    ) -> Result<(engine_model::pack::Pack, Files)> {
        if let Some(digest) = digest
            && let Some(source) = pack::source(&mut self.reader().await?, digest).await?
        {
            let files: Files = serde_json::from_str(&source).map_err(Error::internal)?;
            if let Some(pack) = read(&files) {
                return Ok((pack, files));
            }
        }
        let known = self.known_packs().await?;
        let found =
            known.into_iter().find(|(pack, _)| pack.name.as_str() == name && pack.version.to_string() == version);
        found.ok_or_else(|| {
            let message = format!("the files of `{name}` {version}, which was installed then, are not known any more");
            Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new("", "not_found", message))
        })
    }
}

impl Past {
    /// Takes over what was before a version.
    fn go_before(&mut self, version: i64, changes: Map<String, Value>) {
        for (name, pair) in changes {
            let Value::Array(pair) = pair else { continue };
            let Ok([before, after]) = <[Value; 2]>::try_from(pair) else { continue };
            match name.split_once('.') {
                Some(("packs", pack)) => {
                    self.packs.insert(pack.to_owned(), before.as_str().map(str::to_owned));
                }
                Some(("digests", pack)) => {
                    self.digests.extend(before.as_str().map(|digest| (pack.to_owned(), digest.to_owned())));
                }
                Some(("objects", object)) => {
                    self.note_migrations(object, &after, version);
                    self.rows.insert(name, before);
                }
                Some(("associations" | "pipelines", _)) => drop(self.rows.insert(name, before)),
                // Settings are not part of the definitions.
                _ => {}
            }
        }
    }

    fn note_migrations(&mut self, object: &str, after: &Value, version: i64) {
        let Ok(object) = Name::new(object) else { return };
        let properties = after.get("properties").and_then(Value::as_object);
        let mut renamed = Vec::new();
        for (name, spec) in properties.into_iter().flatten() {
            let comes_now = spec.get("migrated").and_then(|migrated| migrated.get("version")) == Some(&json!(version));
            if let (true, Ok(name)) = (comes_now, Name::new(name)) {
                let old = spec["migrated"].get("rename").and_then(Value::as_str).and_then(|old| Name::new(old).ok());
                self.migrations.insert((object.clone(), name.clone()), version);
                renamed.extend(old.map(|old| (name, old)));
            }
        }
        for (name, old) in renamed {
            // From there it may have been called otherwise again.
            let known = self.names.iter_mut().find(|((of, _), then)| *of == object && **then == name);
            match known {
                Some((_, then)) => *then = old,
                None => drop(self.names.insert((object.clone(), name), old)),
            }
        }
    }
}

/// Puts a row of the own layer back to what it was.
fn put_back(back: &mut Layer, name: &str, spec: &Value, packs: &[Arc<Layer>]) -> Result<()> {
    let unreadable = || Error::internal(format!("the history has a row `{name}` that no layer has"));
    let (section, rest) = name.split_once('.').ok_or_else(unreadable)?;
    let spec = spec.as_object().cloned();
    match section {
        "objects" => {
            let object = Name::new(rest).map_err(Error::internal)?;
            let is_of_pack = packs.iter().any(|layer| layer.objects.contains_key(&object));
            back.objects.shift_remove(&object);
            back.extend.shift_remove(&object);
            if let Some(spec) = spec {
                let target = if is_of_pack { &mut back.extend } else { &mut back.objects };
                target.insert(object, spec);
            }
        }
        "associations" => {
            let association = Name::new(rest).map_err(Error::internal)?;
            match spec {
                Some(spec) => drop(back.associations.insert(association, spec)),
                None => drop(back.associations.shift_remove(&association)),
            }
        }
        _ => {
            let (object, pipeline) = rest.split_once('.').ok_or_else(unreadable)?;
            let key = (Name::new(object).map_err(Error::internal)?, Name::new(pipeline).map_err(Error::internal)?);
            match spec {
                Some(spec) => drop(back.pipelines.insert(key, spec)),
                None => drop(back.pipelines.shift_remove(&key)),
            }
        }
    }
    Ok(())
}
