//! Reading a tenant's layers, and what they come to: folded once for all tenants that have the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use engine_model::layer::{CUSTOM, Layer};
use engine_model::pack::Pack;
use engine_model::remnant::leave_shared;
use engine_model::{Name, Problems};
use engine_store::{Reader, definition, pack};
use moka::future::Cache;
use serde_json::{Map, Value};

use super::effective::Effective;
use crate::digest::digest;
use crate::error::{Error, Result};
use crate::packs::Known;

/// Bytes of definitions that are kept for tenants to share, about.
const SHARED_BYTES: u64 = 32 << 20;
/// Layers of packs that are kept read.
const PACKS: u64 = 200;
/// How long neither is kept unless somebody asks for it.
const IDLE: Duration = Duration::from_secs(3600);

/// Bytes of packs' files that are kept read, with their places; they take some ten times as much.
const READ_BYTES: u64 = 2 << 20;
/// How long they are kept after the last look: only whoever plans or applies needs more than their layers.
const READ_IDLE: Duration = Duration::from_secs(60);

/// What tenants share, as far as it is in use.
#[derive(Debug)]
pub(crate) struct Shared {
    /// By a digest of the layers.
    effective: Cache<String, Arc<Effective>>,
    /// By a digest of the files.
    packs: Cache<String, Arc<Layer>>,
    /// Whole packs, by the same.
    read: Cache<String, Arc<Known>>,
}

/// Effective definitions of a tenant, and whether another one may have them too.
pub(crate) struct Loaded {
    pub(crate) effective: Arc<Effective>,
    pub(crate) is_shared: bool,
}

impl Shared {
    pub(crate) fn new() -> Self {
        let effective = Cache::builder().weigher(|_, effective: &Arc<Effective>| effective.bytes());
        let packs = Cache::builder().max_capacity(PACKS).time_to_idle(IDLE);
        let read = Cache::builder().weigher(|_, known: &Arc<Known>| known.bytes());
        Self {
            effective: effective.max_capacity(SHARED_BYTES).time_to_idle(IDLE).build(),
            packs: packs.build(),
            read: read.max_capacity(READ_BYTES).time_to_idle(READ_IDLE).build(),
        }
    }

    /// An installed pack; none where a later release cannot read it any more, which is told where definitions are
    /// loaded.
    pub(crate) async fn known(&self, source: &pack::PackSourceRow) -> Result<Option<Arc<Known>>> {
        if let Some(known) = self.read.get(&source.digest).await {
            return Ok(Some(known));
        }
        let files = serde_json::from_str(&source.source).map_err(Error::internal)?;
        let Ok(known) = Known::read(files) else { return Ok(None) };
        let known = Arc::new(known);
        self.read.insert(source.digest.clone(), Arc::clone(&known)).await;
        Ok(Some(known))
    }

    /// The tenant's definitions as they are stored; folded only where no tenant has the same.
    pub(crate) async fn load(&self, reader: &mut Reader) -> Result<Loaded> {
        let packs = pack::all(reader).await?;
        let own = OwnRows::read(reader).await?;
        let key = own.key(&packs);
        if let Some(effective) = self.effective.get(&key).await {
            return Ok(Loaded { effective, is_shared: true });
        }
        let mut layers = self.pack_layers(reader, &packs).await?;
        layers.push(Arc::new(own.layer(&layers)?));
        // Some 10 ms for 200 objects, in which nobody else should wait for this thread.
        let folded = tokio::task::spawn_blocking(move || Effective::fold(layers)).await;
        let folded = Arc::new(folded.map_err(Error::internal)?);
        // Somebody else may have folded the same meanwhile.
        let entry = self.effective.entry(key).or_insert(folded).await;
        let is_shared = !entry.is_fresh();
        Ok(Loaded { effective: entry.into_value(), is_shared })
    }

    /// The layers of packs, each followed by what its earlier versions left behind.
    async fn pack_layers(&self, reader: &mut Reader, packs: &[pack::TenantPackRow]) -> Result<Vec<Arc<Layer>>> {
        let mut read = self.read_layers(reader, packs).await?;
        let mut layers = Vec::with_capacity(packs.len() + 1);
        for row in packs {
            if row.is_installed() {
                let layer = read.remove(row.digest.as_str());
                layers
                    .push(layer.ok_or_else(|| Error::internal(format!("the files of pack `{}` are gone", row.name)))?);
            }
            layers.extend(remnant(row)?.map(Arc::new));
        }
        leave_shared(&mut layers);
        Ok(layers)
    }

    /// The layers of installed packs by the digests of their files. Those that nobody has read yet are read side by side.
    async fn read_layers<'a>(
        &self,
        reader: &mut Reader,
        packs: &'a [pack::TenantPackRow],
    ) -> Result<HashMap<&'a str, Arc<Layer>>> {
        let mut layers = HashMap::with_capacity(packs.len());
        let mut unread = HashMap::new();
        for row in packs.iter().filter(|row| row.is_installed()) {
            match self.packs.get(&row.digest).await {
                Some(layer) => drop(layers.insert(row.digest.as_str(), layer)),
                None => drop(unread.insert(row.digest.as_str(), row.name.clone())),
            }
        }
        if unread.is_empty() {
            return Ok(layers);
        }
        let documents = pack::documents(reader).await?.into_iter();
        let reading: Vec<_> = documents
            .filter_map(|row| {
                let (digest, name) = unread.remove_entry(row.digest.as_str())?;
                Some((digest, tokio::task::spawn_blocking(move || pack_layer(&name, &row))))
            })
            .collect();
        for (digest, reading) in reading {
            let layer = Arc::new(reading.await.map_err(Error::internal)??);
            self.packs.insert(digest.to_owned(), Arc::clone(&layer)).await;
            layers.insert(digest, layer);
        }
        Ok(layers)
    }
}
/// What a tenant defines itself, as it is stored.
struct OwnRows {
    objects: Vec<definition::DefinitionRow>,
    associations: Vec<definition::DefinitionRow>,
    pipelines: Vec<definition::PipelineRow>,
}

impl OwnRows {
    async fn read(reader: &mut Reader) -> Result<Self> {
        Ok(Self {
            objects: definition::list(reader, definition::Kind::Object).await?,
            associations: definition::list(reader, definition::Kind::Association).await?,
            pipelines: definition::pipelines(reader).await?,
        })
    }

    /// What tells these rows on top of these packs from all others.
    fn key(&self, packs: &[pack::TenantPackRow]) -> String {
        let pack = |row: &pack::TenantPackRow| {
            (row.name.clone(), row.is_installed().then(|| row.digest.clone()), row.remnant.clone())
        };
        let packs: Vec<_> = packs.iter().map(pack).collect();
        let rows = |rows: &[definition::DefinitionRow]| -> Vec<[String; 2]> {
            rows.iter().map(|row| [row.name.clone(), row.spec.clone()]).collect()
        };
        let pipelines: Vec<_> = self.pipelines.iter().map(|row| [&row.object, &row.name, &row.spec]).collect();
        let all = (packs, rows(&self.objects), rows(&self.associations), pipelines);
        digest(&serde_json::json!(all).to_string())
    }

    /// The own layer, which goes on top of `below`.
    fn layer(self, below: &[Arc<Layer>]) -> Result<Layer> {
        let mut own = Layer { name: CUSTOM.to_owned(), ..Layer::default() };
        for row in self.objects {
            let (name, spec) = (stored_name(&row.name)?, stored_map(&row.spec)?);
            let is_own = !below.iter().any(|layer| layer.objects.contains_key(name.as_str()));
            let section = if is_own { &mut own.objects } else { &mut own.extend };
            section.insert(name, spec);
        }
        for row in self.associations {
            own.associations.insert(stored_name(&row.name)?, stored_map(&row.spec)?);
        }
        for row in self.pipelines {
            own.pipelines.insert((stored_name(&row.object)?, stored_name(&row.name)?), stored_map(&row.spec)?);
        }
        Ok(own)
    }
}

/// The layer of an installed pack as it was kept: by its document, or by its files where there is none.
fn pack_layer(name: &str, row: &pack::PackDocumentRow) -> Result<Layer> {
    let Some(document) = &row.document else {
        return layer_of_files(name, row.source.as_deref().unwrap_or_default());
    };
    let mut problems = Problems::new();
    let layer = Layer::read(name, &stored_map(document)?, &mut problems);
    match problems.first() {
        None => Ok(layer),
        Some(problem) => Err(unreadable(name, &problem.message)),
    }
}

fn layer_of_files(name: &str, source: &str) -> Result<Layer> {
    let files: Vec<(String, String)> =
        serde_json::from_str(source).map_err(|error| Error::internal(format!("pack `{name}`: {error}")))?;
    match Pack::read(&files) {
        Ok(pack) => Ok(pack.layer),
        Err(problems) => {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            Err(unreadable(name, first))
        }
    }
}

fn unreadable(name: &str, problem: impl std::fmt::Display) -> Error {
    Error::internal(format!("the installed pack `{name}` does not read any more: {problem}"))
}

/// What a pack left behind, if that is anything.
pub(crate) fn remnant(row: &pack::TenantPackRow) -> Result<Option<Layer>> {
    if row.remnant.is_empty() {
        return Ok(None);
    }
    let mut problems = Problems::new();
    let layer = Layer::read(&row.name, &stored_map(&row.remnant)?, &mut problems);
    match problems.first() {
        None => Ok(Some(layer)),
        Some(problem) => {
            Err(Error::internal(format!("what pack `{}` left behind does not read: {}", row.name, problem.message)))
        }
    }
}

fn stored_name(text: &str) -> Result<Name> {
    Name::new(text).map_err(|_| Error::internal(format!("the stored name `{text}` is none")))
}

fn stored_map(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text)
        .map_err(|error| Error::internal(format!("a stored definition is no JSON object: {error}")))
}
