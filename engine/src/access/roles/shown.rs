//! Roles as they are answered.

use engine_model::access::{BUILT_IN, Grants, Role};
use engine_model::behavior::RoleDefinition;
use engine_model::time::Timestamp;
use engine_model::{Name, Problems};
use engine_store::Reader;
use engine_store::role::{self, RoleRow};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::{MOST, pack_roles, read};
use crate::error::Result;
use crate::records::{Page, make_name_cursor, read_name_cursor};
use crate::session::Session;

/// The layer of the roles that every tenant has.
const ENGINE: &str = "engine";

/// The layer of a tenant's own roles.
pub(super) const OWN: &str = engine_model::layer::CUSTOM;

/// A role as answered.
#[derive(Debug, Clone)]
pub struct RoleView {
    /// Internal name.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Where it comes from: `engine`, a pack, or `custom`, for the tenant itself.
    pub layer: String,
    /// What it grants, by object; `*` is every object without an entry of its own.
    pub objects: Map<String, Value>,
    /// `read` and `write`, by `object.property`.
    pub properties: Map<String, Value>,
    /// May change definitions, users, tokens and settings, and purge.
    pub admin: bool,
    /// What it names that is not there any more.
    pub warning: Option<String>,
    /// When it was made, where a tenant has made it.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl Session {
    /// One page of the roles that users and tokens can have: those that every tenant has, then the others by their
    /// names.
    pub async fn roles(&mut self, limit: usize, cursor: Option<&str>) -> Result<Page<RoleView>> {
        self.refresh().await?;
        let after = cursor.map(|cursor| read_name_cursor(cursor, "roles")).transpose()?;
        let mut roles = self.all_roles(&mut self.reader().await?).await?;
        if let Some(after) = &after {
            let place = roles.iter().position(|role| key(&role.name) > key(after)).unwrap_or(roles.len());
            roles.drain(..place);
        }
        let has_more = roles.len() > limit;
        roles.truncate(limit);
        let next_cursor = roles.last().filter(|_| has_more).map(|role| make_name_cursor("roles", &role.name));
        Ok(Page { results: roles, next_cursor })
    }

    /// A role.
    pub async fn role(&mut self, name: &str) -> Result<RoleView> {
        self.refresh().await?;
        let mut reader = self.reader().await?;
        let found = self.all_roles(&mut reader).await?.into_iter().find(|role| role.name == name);
        match found {
            Some(role) => Ok(role),
            None => Err(self.no_role(&mut reader, name).await?),
        }
    }

    async fn all_roles(&self, reader: &mut Reader) -> Result<Vec<RoleView>> {
        let mut roles: IndexMap<String, RoleView> = IndexMap::new();
        for role in BUILT_IN.iter().filter_map(|name| Role::built_in(name)) {
            roles.insert(role.name.clone(), built_in(&role));
        }
        for (label, layer, name, definition) in pack_roles(&self.catalog) {
            roles.insert(name.to_owned(), of_definition(name, label, layer, definition));
        }
        for row in role::list(reader, "", MOST).await? {
            roles.insert(row.name.clone(), self.own_role(&row)?);
        }
        roles.sort_by(|one, _, other, _| key(one).cmp(&key(other)));
        Ok(roles.into_values().collect())
    }

    /// A role of the tenant's own, with what has become of what it names.
    pub(super) fn own_role(&self, row: &RoleRow) -> Result<RoleView> {
        let (created_at, updated_at) = (Some(Timestamp(row.created_at)), Some(Timestamp(row.updated_at)));
        let view = match read(row, Some(&self.catalog.effective.registry))? {
            Some((stored, definition)) => {
                let view = of_definition(&row.name, &stored.label, OWN, &definition);
                RoleView { warning: warning(&stored.unknown), ..view }
            }
            None => {
                let view = of_definition(&row.name, &row.name, OWN, &RoleDefinition::nothing());
                RoleView { warning: Some("the role does not read any more, and grants nothing".to_owned()), ..view }
            }
        };
        Ok(RoleView { created_at, updated_at, ..view })
    }
}

/// The order of roles.
fn key(name: &str) -> (usize, &str) {
    (BUILT_IN.iter().position(|known| *known == name).unwrap_or(BUILT_IN.len()), name)
}

fn warning(unknown: &Problems) -> Option<String> {
    let messages: Vec<&str> = unknown.iter().map(|problem| problem.message.as_str()).collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}

fn built_in(role: &Role) -> RoleView {
    let definition =
        RoleDefinition { default: role.rights.default, admin: role.rights.admin, ..RoleDefinition::nothing() };
    let label = Name::new(&role.name).map_or_else(|_| role.name.clone(), |name| name.to_label());
    of_definition(&role.name, &label, ENGINE, &definition)
}

fn of_definition(name: &str, label: &str, layer: &str, definition: &RoleDefinition) -> RoleView {
    let RoleDefinition { objects, default, properties, admin } = definition;
    let every = [("*", default)].into_iter();
    let objects = objects.iter().map(|(object, grants)| (object.as_str(), grants)).chain(every);
    let properties = properties.iter();
    RoleView {
        name: name.to_owned(),
        label: label.to_owned(),
        layer: layer.to_owned(),
        objects: objects.map(|(object, grants)| (object.to_owned(), written(grants))).collect(),
        properties: properties
            .map(|(path, grants)| (path.clone(), json!({"read": grants.read, "write": grants.write})))
            .collect(),
        admin: *admin,
        warning: None,
        created_at: None,
        updated_at: None,
    }
}

fn written(grants: &Grants) -> Value {
    let Grants { create, read, update, archive } = grants;
    json!({"create": create, "read": read.name(), "update": update.name(), "archive": archive.name()})
}
