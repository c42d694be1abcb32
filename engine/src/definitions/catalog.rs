//! A tenant's effective definitions, ready for use: folded, compiled, and cached by tenant and metadata version.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use engine_model::layer::{CUSTOM, Layer};
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::pack::Pack;
use engine_model::property::Locale;
use engine_model::registry::Registry;
use engine_model::{Name, Problems};
use engine_store::tenant::TenantRow;
use engine_store::{Reader, definition, pack};
use indexmap::IndexMap;
use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::packs::shipped;

/// A tenant's settings and effective definitions at one metadata version.
#[derive(Debug)]
pub struct Catalog {
    /// The version that all this was read at.
    pub version: i64,
    /// The tenant's settings.
    pub tenant: TenantRow,
    /// How values are read.
    pub locale: Locale,
    /// Every capability that a pack declares, and whether it is on.
    pub capabilities: BTreeMap<String, bool>,
    /// The definitions.
    pub registry: Registry,
    /// The layers they were folded from, the tenant's own last.
    pub layers: Vec<Layer>,
    validators: IndexMap<Name, OnceLock<Option<Validator>>>,
}

impl Catalog {
    /// Reads and folds everything that a tenant has.
    pub async fn load(reader: &mut Reader) -> Result<Self> {
        let head = reader.head().await?;
        let tenant = engine_store::tenant::get(reader).await?;
        let tenant = tenant.ok_or_else(|| Error::not_found("there is no such tenant"))?;
        let layers = load_layers(reader).await?;
        Self::build(head.metadata_version, tenant, layers)
    }

    /// Folds `layers` for a tenant.
    pub fn build(version: i64, tenant: TenantRow, layers: Vec<Layer>) -> Result<Self> {
        let (registry, problems) = Registry::fold(&layers);
        // What is stored was checked when it was written; a later release that reads it more strictly must say so.
        for problem in &problems {
            tracing::error!(
                tenant.id = tenant.tenant_id,
                pointer = problem.pointer,
                code = problem.code,
                "a stored definition does not read any more: {}",
                problem.message
            );
        }
        let overrides: BTreeMap<String, bool> = serde_json::from_str(&tenant.capabilities).unwrap_or_default();
        let profile = shipped::profile(&tenant.profile);
        let capabilities = registry
            .capabilities
            .iter()
            .map(|name| {
                // A profile speaks of its own packs; what a tenant installs beside them is meant to be used.
                let declared_by = layers.iter().find(|layer| layer.capabilities.contains(name));
                let by_profile = profile.is_none_or(|profile| {
                    let is_of_profile = |layer: &Layer| profile.packs.iter().any(|pack| pack.as_str() == layer.name);
                    shipped::enables(profile, name) || !declared_by.is_some_and(is_of_profile)
                });
                (name.to_string(), overrides.get(name.as_str()).copied().unwrap_or(by_profile))
            })
            .collect();
        let validators = registry.objects.keys().map(|name| (name.clone(), OnceLock::new())).collect();
        let locale = Locale { country: tenant.country.clone() };
        Ok(Self { version, tenant, locale, capabilities, registry, layers, validators })
    }

    /// The object called `name`, if it is active and its capability is on.
    pub fn object(&self, name: &str) -> Result<&ObjectDefinition> {
        self.registry.objects.get(name).filter(|object| self.is_on(object)).ok_or_else(|| {
            let known = self.objects().map(|object| object.name.as_str());
            Error::not_found(format!("there is no object `{}`{}", shortened(name), did_you_mean(name, known)))
        })
    }

    /// Every active object whose capability is on.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectDefinition> {
        self.registry.objects.values().filter(|object| self.is_on(object))
    }

    fn is_on(&self, object: &ObjectDefinition) -> bool {
        let capability = object.capability.as_ref();
        !object.archived && capability.is_none_or(|name| self.capabilities.get(name.as_str()).copied().unwrap_or(true))
    }

    /// The compiled JSON Schema of an object's records; compiled at its first use.
    pub fn validator(&self, object: &ObjectDefinition) -> Option<&Validator> {
        let slot = self.validators.get(object.name.as_str())?;
        slot.get_or_init(|| {
            let schema = self.registry.json_schema(object);
            match jsonschema::draft202012::options().should_validate_formats(false).build(&schema) {
                Ok(validator) => Some(validator),
                Err(error) => {
                    tracing::error!(object.name = %object.name, %error, "an object's JSON Schema does not compile");
                    None
                }
            }
        })
        .as_ref()
    }

    /// Where the tenant's days begin.
    pub fn zone(&self) -> chrono_tz::Tz {
        // A name was checked when it was set; a zone that a later release lacks must not stop everything.
        self.tenant.time_zone.parse().unwrap_or(chrono_tz::UTC)
    }

    /// The tenant's own layer.
    pub fn own_layer(&self) -> Option<&Layer> {
        self.layers.last().filter(|layer| layer.name == CUSTOM)
    }
}

/// A user's text cut to a length that an error message bears.
pub(crate) fn shortened(text: &str) -> String {
    if text.chars().count() <= 64 { text.to_owned() } else { text.chars().take(64).chain(['…']).collect() }
}

async fn load_layers(reader: &mut Reader) -> Result<Vec<Layer>> {
    let mut layers = Vec::new();
    for installed in pack::installed(reader).await? {
        layers.push(pack_layer(&installed.name, &installed.source)?);
    }
    let objects = definition::list(reader, definition::Kind::Object).await?;
    let associations = definition::list(reader, definition::Kind::Association).await?;
    let pipelines = definition::pipelines(reader).await?;
    let mut own = Layer { name: CUSTOM.to_owned(), ..Layer::default() };
    for row in objects {
        let (name, spec) = (stored_name(&row.name)?, stored_map(&row.spec)?);
        let is_own = !layers.iter().any(|layer: &Layer| layer.objects.contains_key(name.as_str()));
        let section = if is_own { &mut own.objects } else { &mut own.extend };
        section.insert(name, spec);
    }
    for row in associations {
        own.associations.insert(stored_name(&row.name)?, stored_map(&row.spec)?);
    }
    for row in pipelines {
        own.pipelines.insert((stored_name(&row.object)?, stored_name(&row.name)?), stored_map(&row.spec)?);
    }
    layers.push(own);
    Ok(layers)
}

/// The layer of an installed pack, from its files as they were kept.
pub(crate) fn pack_layer(name: &str, source: &str) -> Result<Layer> {
    let files: Vec<(String, String)> =
        serde_json::from_str(source).map_err(|error| Error::internal(format!("pack `{name}`: {error}")))?;
    match Pack::read(&files) {
        Ok(pack) => Ok(pack.layer),
        Err(problems) => {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            Err(Error::internal(format!("the installed pack `{name}` does not read any more: {first}")))
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

/// A catalog as it would be with another own layer, for checking a change before it is made.
pub(crate) fn with_own_layer(catalog: &Catalog, own: Layer) -> (Registry, Vec<Layer>, Problems) {
    let mut layers = catalog.layers.clone();
    layers.pop();
    layers.push(own);
    let (registry, problems) = Registry::fold(&layers);
    (registry, layers, problems)
}

/// Catalogs shared by all requests, by tenant and version.
pub(crate) type CatalogCache = moka::future::Cache<(i64, i64), Arc<Catalog>>;
