//! Definitions, packs, and tenants.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

/// A definition: what a pack has for it, with its `name`.
#[derive(ToSchema)]
pub(crate) struct DefinitionInput {
    name: String,
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
}

/// A merge patch of a definition: maps are merged key by key, null takes away, anything else replaces.
#[derive(ToSchema)]
pub(crate) struct DefinitionPatch {
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
}

/// Which pack is meant; exactly one of the three.
#[derive(ToSchema)]
pub(crate) struct PackSource {
    /// The whole pack in one YAML text.
    source: Option<String>,
    /// The pack's files: name to text.
    files: Option<BTreeMap<String, String>>,
    /// A pack that the server knows or the tenant has or had.
    pack: Option<String>,
    /// With `pack`: its version, the newest unless given.
    version: Option<String>,
    /// With `pack`: plans to uninstall it.
    uninstall: Option<bool>,
    /// With `uninstall`: plans to erase for good what it has brought, too, as far as it is there.
    purge: Option<bool>,
    /// Whose side holds, `pack` or `tenant`, by the names of conflicts; the tenant's unless given.
    accept: Option<BTreeMap<String, String>>,
    /// How stored values become those of changed definitions, by `object.property`.
    #[schema(value_type = Option<BTreeMap<String, Object>>)]
    migrations: Option<BTreeMap<String, Value>>,
}

/// The plan to carry out.
#[derive(ToSchema)]
pub(crate) struct PlanToApply {
    plan: String,
    /// Definitions may be archived, with what is stored under them.
    allow_destructive: Option<bool>,
    /// Whose side holds, `pack` or `tenant`, by the names of conflicts; the tenant's unless given.
    accept: Option<BTreeMap<String, String>>,
    /// How stored values become those of changed definitions, by `object.property`: one of `default`, `map`, `convert`
    /// and `undo` each; goes before what the pack itself says.
    #[schema(value_type = Option<BTreeMap<String, Object>>)]
    migrations: Option<BTreeMap<String, Value>>,
}

/// The pack that tenants are to have, and which tenants.
#[derive(ToSchema)]
pub(crate) struct TenantsPack {
    /// The whole pack in one YAML text.
    source: Option<String>,
    /// The pack's files: name to text.
    files: Option<BTreeMap<String, String>>,
    /// A pack that the server knows.
    pack: Option<String>,
    /// With `pack`: its version, the newest unless given.
    version: Option<String>,
    /// Slugs of the tenants that are meant; all unless given.
    tenants: Option<Vec<String>>,
    /// Tenants that do not have the pack get it, too.
    install: Option<bool>,
    /// Definitions may be archived, with what is stored under them.
    allow_destructive: Option<bool>,
    /// Whose side holds, `pack` or `tenant`, by the names of conflicts; the tenant's unless given.
    accept: Option<BTreeMap<String, String>>,
    /// How stored values become those of changed definitions, by `object.property`.
    #[schema(value_type = Option<BTreeMap<String, Object>>)]
    migrations: Option<BTreeMap<String, Value>>,
}

/// Where the definitions go back to.
#[derive(ToSchema)]
pub(crate) struct BackTo {
    /// A version of the metadata history.
    to_version: i64,
    /// Only say what that would do.
    dry_run: Option<bool>,
}

/// A tenant to be made.
#[derive(ToSchema)]
pub(crate) struct NewTenant {
    /// Short name in addresses and on the command line; unique.
    slug: String,
    name: Option<String>,
    profile: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
    /// ISO 4217 code.
    currency: Option<String>,
    /// ISO 3166 code.
    country: Option<String>,
}

/// Settings of the tenant to be changed.
#[derive(ToSchema)]
pub(crate) struct TenantPatch {
    name: Option<String>,
    profile: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
    /// ISO 4217 code.
    currency: Option<String>,
    /// ISO 3166 code.
    country: Option<String>,
    /// Capability to whether it is on.
    capabilities: Option<BTreeMap<String, bool>>,
}
