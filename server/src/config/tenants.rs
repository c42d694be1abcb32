//! Settings of who may come in first.

use super::reader::SettingReader;
use super::secret::Secret;

/// The first tenant, and who may manage tenants.
#[derive(Debug, Clone)]
pub struct TenantsConfig {
    /// Slug of the tenant made on an empty store.
    pub first_tenant: String,
    /// Its owner's token; made and printed once without it.
    pub first_token: Option<Secret>,
    /// Bearer token that manages tenants.
    pub platform_token: Option<Secret>,
}

impl TenantsConfig {
    pub(super) fn read(reader: &mut SettingReader) -> Option<Self> {
        let first_tenant = reader.required("first_tenant");
        let first_token = reader.optional("first_token");
        let platform_token = reader.optional("platform_token");
        Some(Self { first_tenant: first_tenant?, first_token, platform_token })
    }
}
