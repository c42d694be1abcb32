//! Roles: the four that every tenant has, those of installed packs, and the tenant's own, which win over a pack's of the
//! same name.

mod change;
mod shown;

use engine_model::access::{BUILT_IN, Role};
use engine_model::behavior::{Content, RoleDefinition, Section};
use engine_model::name::did_you_mean;
use engine_model::registry::Registry;
use engine_model::{Name, Problem, Problems, TenantId};
use engine_store::Reader;
use engine_store::role::{self, RoleRow};
use serde_json::{Map, Value};

use crate::definitions::catalog::{Catalog, shortened};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::session::Session;

pub use shown::RoleView;

/// Most roles of a tenant's own.
const MOST: i64 = 1_000;

/// Some roles by their names.
pub(crate) struct Roles {
    pub(crate) tenant: TenantId,
    found: Vec<Role>,
    /// The version of the definitions that were looked at, where some of them are no roles of the tenant's own.
    pub(crate) metadata_version: Option<i64>,
}

impl Roles {
    /// The roles of these names. One that is gone grants nothing.
    pub(crate) async fn among(engine: &Engine, mut reader: Reader, names: &[&str]) -> Result<Self> {
        let (tenant, mut found, mut others) = (reader.tenant(), Vec::with_capacity(names.len()), Vec::new());
        for name in names {
            match own_or_built_in(&mut reader, name).await? {
                Some(role) => found.push(role),
                None => others.push(*name),
            }
        }
        // Definitions are read by a connection of their own.
        drop(reader);
        let mut metadata_version = None;
        if !others.is_empty() {
            let catalog = engine.catalog(tenant).await?;
            metadata_version = Some(catalog.version);
            found.extend(others.into_iter().map(|name| of_pack(&catalog, name).unwrap_or_else(|| Role::gone(name))));
        }
        Ok(Self { tenant, found, metadata_version })
    }

    /// One of them.
    pub(crate) fn role(&self, name: &str) -> Role {
        self.found.iter().find(|role| role.name == name).cloned().unwrap_or_else(|| Role::gone(name))
    }
}

async fn own_or_built_in(reader: &mut Reader, name: &str) -> Result<Option<Role>> {
    if let Some(role) = Role::built_in(name) {
        return Ok(Some(role));
    }
    let Some(row) = role::get(reader, name).await? else { return Ok(None) };
    Ok(Some(read(&row, None)?.map_or_else(|| Role::gone(name), |(_, definition)| Role::defined(name, &definition))))
}

/// A role that an installed pack defines.
fn of_pack(catalog: &Catalog, name: &str) -> Option<Role> {
    let definition = pack_roles(catalog).find(|(_, _, known, _)| *known == name).map(|(.., definition)| definition)?;
    Some(Role::defined(name, definition))
}

/// The roles of packs: label, layer, name, and what it grants.
fn pack_roles(catalog: &Catalog) -> impl Iterator<Item = (&str, &str, &str, &RoleDefinition)> {
    let behaviors = catalog.effective.registry.behaviors.values();
    behaviors.filter(|behavior| behavior.section == Section::Roles).filter_map(|behavior| match &behavior.content {
        Content::Role(role) => Some((behavior.label.as_str(), behavior.layer.as_str(), behavior.name.as_str(), role)),
        Content::View(_)
        | Content::Report(_)
        | Content::Dashboard(_)
        | Content::Workflow(_)
        | Content::Activity(_)
        | Content::Score(_) => None,
    })
}

/// What is stored of a role: its label and what it grants, and what it names that is not there any more. None where a
/// later release reads it more strictly, which is told.
fn read(row: &RoleRow, registry: Option<&Registry>) -> Result<Option<(Stored, RoleDefinition)>> {
    let name = Name::new(&row.name).map_err(|_| Error::internal(format!("the stored name `{}` is none", row.name)))?;
    let spec: Map<String, Value> = serde_json::from_str(&row.spec).map_err(Error::internal)?;
    let read = RoleDefinition::of_tenant(&name, &spec, registry);
    if let Some(problem) = read.problems.first() {
        let message = &problem.message;
        tracing::error!(role.name = %name, pointer = problem.pointer, "a stored role does not read any more: {message}");
    }
    Ok(read.role.map(|(label, definition)| (Stored { label, unknown: read.unknown }, definition)))
}

/// What a stored role is beside what it grants.
struct Stored {
    label: String,
    unknown: Problems,
}

impl Session {
    /// A role that users and tokens can have; none where there is no such role, which is a problem then.
    pub(super) async fn find_role(
        &self,
        reader: &mut Reader,
        name: &str,
        problems: &mut Problems,
    ) -> Result<Option<Role>> {
        if let Some(role) = own_or_built_in(reader, name).await?.or_else(|| of_pack(&self.catalog, name)) {
            return Ok(Some(role));
        }
        let hint = self.role_hint(reader, name).await?;
        let message = format!("there is no role `{}`{hint}", shortened(name));
        problems.push(Problem::new("/role", "unknown_option", message));
        Ok(None)
    }

    /// Refuses to give somebody a role that allows more than the caller may.
    pub(super) fn check_gives(&self, role: &Role, problems: &mut Problems) {
        if let Some(excess) = role.rights.excess_over(&self.caller.rights) {
            let message = match role.rights.owner {
                true => format!("only an owner can give the role `{}`", role.name),
                false => format!(
                    "nobody gives rights that they do not have: the role `{}` allows {excess}, and yours does not",
                    role.name
                ),
            };
            problems.push(Problem::new("/role", "forbidden", message));
        }
    }

    async fn role_hint(&self, reader: &mut Reader, name: &str) -> Result<String> {
        let own = role::list(reader, "", MOST).await?;
        let packs = pack_roles(&self.catalog).map(|(_, _, name, _)| name);
        let known = BUILT_IN.iter().copied().chain(packs).chain(own.iter().map(|row| row.name.as_str()));
        Ok(did_you_mean(name, known))
    }

    async fn no_role(&self, reader: &mut Reader, name: &str) -> Result<Error> {
        let hint = self.role_hint(reader, name).await?;
        Ok(Error::not_found(format!("there is no role `{}`{hint}", shortened(name))))
    }
}
