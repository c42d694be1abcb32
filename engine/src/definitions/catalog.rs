//! A tenant's settings and effective definitions, cached by tenant and metadata version.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine_model::access::Rights;
use engine_model::layer::Layer;
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::property::{Locale, Property};
use engine_store::Reader;
use engine_store::tenant::TenantRow;
use moka::future::Cache;

use super::effective::Effective;
use super::shared::{Loaded, Shared};
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
    /// The definitions, which other tenants may share.
    pub effective: Arc<Effective>,
}

impl Catalog {
    /// Which properties of an object are seen with these rights.
    pub(crate) fn seen_by<'a>(
        &'a self,
        rights: &'a Rights,
        object: &'a ObjectDefinition,
    ) -> impl Fn(&Property) -> bool + Copy + 'a {
        move |property| rights.reads(&self.effective.registry, object, property)
    }

    /// Reads everything that a tenant has; also how many bytes it keeps from being forgotten, about.
    pub(crate) async fn load(reader: &mut Reader, shared: &Shared) -> Result<(Self, u32)> {
        let head = reader.head().await?;
        let tenant = engine_store::tenant::get(reader).await?;
        let tenant = tenant.ok_or_else(|| Error::not_found("there is no such tenant"))?;
        let Loaded { effective, is_shared } = shared.load(reader).await?;
        let bytes = if is_shared { OWN_BYTES } else { OWN_BYTES.saturating_add(effective.bytes()) };
        Ok((Self::build(head.metadata_version, tenant, effective), bytes))
    }

    /// A tenant with these definitions.
    pub(crate) fn build(version: i64, tenant: TenantRow, effective: Arc<Effective>) -> Self {
        // What is stored was checked when it was written; a later release that reads it more strictly must say so.
        for problem in &effective.problems {
            tracing::error!(
                tenant.id = tenant.tenant_id,
                pointer = problem.pointer,
                code = problem.code,
                "a stored definition does not read any more: {}",
                problem.message
            );
        }
        let capabilities = capabilities(&tenant, &effective);
        let locale = Locale { country: tenant.country.clone() };
        Self { version, tenant, locale, capabilities, effective }
    }

    /// The object called `name`, if it is active and its capability is on.
    pub fn object(&self, name: &str) -> Result<&ObjectDefinition> {
        self.effective.registry.objects.get(name).filter(|object| self.is_on(object)).ok_or_else(|| {
            let known = self.objects().map(|object| object.name.as_str());
            Error::not_found(format!("there is no object `{}`{}", shortened(name), did_you_mean(name, known)))
        })
    }

    /// Every active object whose capability is on.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectDefinition> {
        self.effective.registry.objects.values().filter(|object| self.is_on(object))
    }

    fn is_on(&self, object: &ObjectDefinition) -> bool {
        let capability = object.capability.as_ref();
        !object.archived && capability.is_none_or(|name| self.capabilities.get(name.as_str()).copied().unwrap_or(true))
    }

    /// Where the tenant's days begin.
    pub fn zone(&self) -> chrono_tz::Tz {
        // A name was checked when it was set; a zone that a later release lacks must not stop everything.
        self.tenant.time_zone.parse().unwrap_or(chrono_tz::UTC)
    }
}

/// Every capability that a pack declares, and whether it is on.
fn capabilities(tenant: &TenantRow, effective: &Effective) -> BTreeMap<String, bool> {
    let overrides: BTreeMap<String, bool> = serde_json::from_str(&tenant.capabilities).unwrap_or_default();
    let profile = shipped::profile(&tenant.profile);
    let names = effective.registry.capabilities.iter().map(|name| {
        // A profile speaks of its own packs; what a tenant installs beside them is meant to be used.
        let declared_by = effective.layers.iter().find(|layer| layer.capabilities.contains(name));
        let by_profile = profile.is_none_or(|profile| {
            let is_of_profile = |layer: &Layer| profile.packs.iter().any(|pack| pack.as_str() == layer.name);
            shipped::enables(profile, name) || !declared_by.is_some_and(|layer| is_of_profile(layer))
        });
        (name.to_string(), overrides.get(name.as_str()).copied().unwrap_or(by_profile))
    });
    names.collect()
}

/// A user's text cut to a length that an error message bears.
pub(crate) fn shortened(text: &str) -> String {
    if text.chars().count() <= 64 { text.to_owned() } else { text.chars().take(64).chain(['…']).collect() }
}

/// Catalogs in use, by tenant and version, each with the bytes that nobody shares, about.
pub(crate) type CatalogCache = Cache<(i64, i64), (Arc<Catalog>, u32)>;

/// Bytes that catalogs take at most, about, beside what tenants share.
const BYTES: u64 = 64 << 20;

/// Bytes of what only a tenant has: its settings.
const OWN_BYTES: u32 = 2_048;

/// How long a catalog is kept unless somebody asks for it.
const IDLE: Duration = Duration::from_secs(3600);

/// An empty cache.
pub(crate) fn cache() -> CatalogCache {
    Cache::builder().weigher(|_, (_, bytes)| *bytes).max_capacity(BYTES).time_to_idle(IDLE).build()
}
