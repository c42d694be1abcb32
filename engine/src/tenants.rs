//! Tenants: making one, its settings, and the payload that an app starts with.

mod export;
mod file;
mod import;
mod lines;
mod write;

use std::collections::BTreeMap;

use engine_model::name::did_you_mean;
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, TenantId, UserId};
use engine_store::Tx;
use engine_store::access::{TokenRow, UserRow, add_token, new_user, put_user};
use engine_store::tenant::{self, TenantRow};
use engine_store::{change, counter, definition};
use serde_json::json;

use crate::definitions::catalog::{Catalog, shortened};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::packs::shipped;
use crate::records::Written;
use crate::session::Session;
use crate::token::{hash_secret, new_secret};

pub use export::TenantExport;
pub(crate) use export::export_places;
pub use import::ImportedTenant;

/// A tenant to be made.
#[derive(Debug, Clone, Default)]
pub struct NewTenant {
    /// Short name in addresses and on the command line; unique.
    pub slug: String,
    /// What people call it; the slug where none is given.
    pub name: Option<String>,
    /// A profile's name; `generic` where none is given.
    pub profile: Option<String>,
    /// IANA time zone; `UTC` where none is given.
    pub time_zone: Option<String>,
    /// ISO 4217 code; `USD` where none is given.
    pub currency: Option<String>,
    /// ISO 3166 code of the country whose national phone numbers are meant; `US` where none is given.
    pub country: Option<String>,
}

/// A tenant as answered.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Identifier.
    pub id: TenantId,
    /// Short name.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// The profile's name.
    pub profile: String,
    /// IANA time zone.
    pub time_zone: String,
    /// ISO 4217 code.
    pub currency: String,
    /// ISO 3166 code.
    pub country: String,
    /// Capabilities that are on.
    pub capabilities: Vec<String>,
    /// Counts changes of definitions and settings.
    pub metadata_version: i64,
}

/// Settings to change; `None` leaves as is.
#[derive(Debug, Clone, Default)]
pub struct TenantPatch {
    /// What people call it.
    pub name: Option<String>,
    /// A profile's name; its packs are installed where they are missing.
    pub profile: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// ISO 3166 code.
    pub country: Option<String>,
    /// Switches to turn on or off.
    pub capabilities: BTreeMap<String, bool>,
}

impl Engine {
    /// Makes a tenant with its profile's packs, a first user who owns it, and that user's token.
    ///
    /// `secret` is the token's; made at random where none is given. For the platform only.
    pub async fn tenant_create(&self, new: NewTenant, secret: Option<String>) -> Result<(Tenant, String)> {
        let row = self.read_new(new)?;
        let secret = secret.map_or_else(new_secret, Ok)?;
        let at = self.now();
        for _ in 0..8 {
            self.check_slug_is_free(&row.slug).await?;
            let Some(mut tx) = tenant::create(self.store(), &row, at).await? else { continue };
            let user = UserId(counter::next(&mut tx, "user").await?);
            let owner = UserRow { ..new_user(user, "Owner", "owner", at) };
            put_user(&mut tx, &owner).await?;
            add_first_token(&mut tx, user, &secret, at).await?;
            self.install_profile(&mut tx, &row.profile, &[], at).await?;
            let id = tx.tenant();
            tx.commit().await?;
            let catalog = self.catalog(id).await?;
            return Ok((Tenant::of(&catalog), secret));
        }
        Err(Error::new(ErrorCode::Conflict, "other tenants are being made at the same time; try again"))
    }

    /// Fails where a tenant has the slug.
    async fn check_slug_is_free(&self, slug: &str) -> Result<()> {
        match tenant::by_slug(self.store(), slug).await? {
            Some(_) => Err(slug_is_taken(slug)),
            None => Ok(()),
        }
    }

    fn read_new(&self, new: NewTenant) -> Result<TenantRow> {
        let mut problems = Problems::new();
        check_slug(&new.slug, &mut problems);
        let name = new.name.unwrap_or_else(|| new.slug.clone());
        let row = TenantRow {
            tenant_id: 0,
            slug: new.slug,
            name,
            profile: new.profile.unwrap_or_else(|| "generic".to_owned()),
            time_zone: new.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            currency: new.currency.unwrap_or_else(|| "USD".to_owned()),
            country: new.country.unwrap_or_else(|| "US".to_owned()),
            capabilities: "{}".to_owned(),
            created_at: self.now().0,
        };
        check_settings(&row, &mut problems);
        if problems.is_empty() { Ok(row) } else { Err(Error::invalid(problems)) }
    }

    /// Tenants with ids above `after`, lowest first. For the platform only.
    pub async fn tenants(&self, after: i64, limit: usize) -> Result<Vec<Tenant>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = tenant::list(self.store(), after, limit).await?;
        let mut tenants = Vec::with_capacity(rows.len());
        for row in rows {
            tenants.push(Tenant::of(&*self.catalog(row.id()).await?));
        }
        Ok(tenants)
    }

    /// Whether any tenant exists.
    pub async fn has_tenants(&self) -> Result<bool> {
        Ok(!tenant::list(self.store(), 0, 1).await?.is_empty())
    }
}

fn slug_is_taken(slug: &str) -> Error {
    let message = format!("there is a tenant `{slug}` already");
    let taken = Problem::new("/slug", "taken", message.clone());
    Error::new(ErrorCode::Conflict, message).with(taken)
}

/// The token of a tenant's owner, whose secret is answered once.
async fn add_first_token(tx: &mut Tx, user: UserId, secret: &str, at: Timestamp) -> Result<()> {
    let token = TokenRow {
        id: counter::next(tx, "token").await?,
        name: "first token".to_owned(),
        user_id: user.0,
        role: "owner".to_owned(),
        scopes: "[]".to_owned(),
        created_at: at.0,
        expires_at: None,
    };
    Ok(add_token(tx, &token, &hash_secret(secret)).await?)
}

impl Tenant {
    /// The tenant of a catalog.
    pub fn of(catalog: &Catalog) -> Self {
        let row = &catalog.tenant;
        let on = catalog.capabilities.iter().filter(|(_, is_on)| **is_on).map(|(name, _)| name.clone());
        Self {
            id: row.id(),
            slug: row.slug.clone(),
            name: row.name.clone(),
            profile: row.profile.clone(),
            time_zone: row.time_zone.clone(),
            currency: row.currency.clone(),
            country: row.country.clone(),
            capabilities: on.collect(),
            metadata_version: catalog.version,
        }
    }
}

impl Session {
    /// The caller's tenant, at its newest.
    pub async fn tenant_read(&mut self) -> Result<Tenant> {
        self.refresh().await?;
        Ok(Tenant::of(&self.catalog))
    }

    /// What is wrong with new settings.
    pub fn tenant_problems(&self, patch: &TenantPatch) -> Problems {
        let mut problems = Problems::new();
        for name in patch.capabilities.keys().filter(|name| !self.catalog.capabilities.contains_key(*name)) {
            let hint = did_you_mean(name, self.catalog.capabilities.keys().map(String::as_str));
            let message = format!("no installed pack declares the capability `{}`{hint}", shortened(name));
            problems.push(Problem::new(format!("/capabilities/{name}"), "unknown", message));
        }
        let mut row = self.catalog.tenant.clone();
        apply(&mut row, patch);
        check_settings(&row, &mut problems);
        problems
    }

    /// Changes the tenant's settings.
    pub async fn tenant_change(&mut self, patch: TenantPatch) -> Result<Written<Tenant>> {
        self.caller.check_admin()?;
        for _ in 0..8 {
            self.refresh().await?;
            let mut row = self.catalog.tenant.clone();
            let mut switches: BTreeMap<String, bool> = serde_json::from_str(&row.capabilities).unwrap_or_default();
            switches.extend(patch.capabilities.clone());
            let problems = self.tenant_problems(&patch);
            if !problems.is_empty() {
                return Err(Error::invalid(problems));
            }
            apply(&mut row, &patch);
            row.capabilities = serde_json::to_string(&switches).map_err(Error::internal)?;
            let mut tx = self.engine.store().begin(self.tenant()).await?;
            if tx.head.metadata_version != self.catalog.version {
                continue;
            }
            let at = self.now();
            if patch.profile.is_some() {
                self.install_missing(&mut tx, &row.profile, at).await?;
            }
            tenant::update(&mut tx, &row).await?;
            let summary = "change the tenant's settings";
            let changes = json!({"profile": [self.catalog.tenant.profile, row.profile],
                "capabilities": [self.catalog.tenant.capabilities, row.capabilities]})
            .to_string();
            definition::add_version(&mut tx, Some(self.caller.user), at, summary, changes.clone()).await?;
            change::append(&mut tx, &self.origin, at, "metadata.changed", None, changes).await?;
            let head = tx.commit().await?;
            self.catch_up(head.metadata_version, head.access_version).await?;
            return Ok(Written { value: Tenant::of(&self.catalog), sequence: head.sequence() });
        }
        Err(Error::new(ErrorCode::Conflict, "definitions keep being changed by others; try again"))
    }

    async fn install_missing(&self, tx: &mut Tx, profile: &str, at: Timestamp) -> Result<()> {
        let installed = engine_store::pack::all(tx.reader()).await?;
        let missing = shipped::profile(profile).is_some_and(|profile| {
            profile.packs.iter().any(|pack| !installed.iter().any(|row| row.name == pack.as_str()))
        });
        if missing { self.engine.install_profile(tx, profile, &installed, at).await } else { Ok(()) }
    }
}

fn apply(row: &mut TenantRow, patch: &TenantPatch) {
    let fields = [
        (&mut row.name, &patch.name),
        (&mut row.profile, &patch.profile),
        (&mut row.time_zone, &patch.time_zone),
        (&mut row.currency, &patch.currency),
        (&mut row.country, &patch.country),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            field.clone_from(value);
        }
    }
}

fn check_slug(slug: &str, problems: &mut Problems) {
    let well_formed = (1..=63).contains(&slug.len())
        && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_')
        && slug.as_bytes()[0].is_ascii_lowercase();
    if !well_formed {
        let message = "a slug is a lower-case letter followed by up to 62 lower-case letters, digits, `-` or `_`";
        problems.push(Problem::new("/slug", "invalid_name", message));
    }
}

fn check_settings(row: &TenantRow, problems: &mut Problems) {
    if row.name.trim().is_empty() || row.name.chars().count() > 255 {
        problems.push(Problem::new("/name", "invalid", "a name has 1 to 255 characters"));
    }
    if shipped::profile(&row.profile).is_none() {
        let known = shipped::profiles().iter().map(|profile| profile.name.as_str());
        let hint = did_you_mean(&row.profile, known);
        let message = format!("there is no profile `{}`{hint}", shortened(&row.profile));
        problems.push(Problem::new("/profile", "unknown_option", message));
    }
    if row.time_zone.parse::<chrono_tz::Tz>().is_err() {
        let hint = did_you_mean(&row.time_zone, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let message = format!("`{}` is no IANA time zone{hint}", shortened(&row.time_zone));
        problems.push(Problem::new("/time_zone", "invalid", message));
    }
    if !engine_model::locale::is_currency(&row.currency) {
        let message = format!("`{}` is no ISO 4217 currency code", shortened(&row.currency));
        problems.push(Problem::new("/currency", "invalid", message));
    }
    if !engine_model::locale::is_country(&row.country) {
        let message = format!("`{}` is no ISO 3166 country code", shortened(&row.country));
        problems.push(Problem::new("/country", "invalid", message));
    }
}
