//! Roles: named rights. Every tenant has four, packs define further ones, and a tenant its own.

use indexmap::IndexMap;

use super::properties::{PropertyRights, Sight};
use super::reach::Reach;
use super::rights::{Grants, Rights};
use crate::behavior::RoleDefinition;

/// The strongest role.
pub(super) const OWNER: &str = "owner";

/// Names of the roles that every tenant has, strongest first.
pub const BUILT_IN: &[&str] = &[OWNER, "admin", "member", "viewer"];

/// A named set of rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Internal name.
    pub name: String,
    /// What it grants.
    pub rights: Rights,
}

impl Role {
    /// One of the four roles that every tenant has.
    pub fn built_in(name: &str) -> Option<Self> {
        let (admin, create, update) = match name {
            OWNER | "admin" => (true, true, Reach::ALL),
            "member" => (false, true, Reach::OWN_OR_UNCLAIMED),
            "viewer" => (false, false, Reach::NONE),
            _ => return None,
        };
        let default = Grants { create, read: Reach::ALL, update, archive: update };
        let (objects, properties) = (IndexMap::new(), IndexMap::new());
        let rights = Rights { owner: name == OWNER, admin, objects, default, properties, sight: sight(admin) };
        Some(Self { name: name.to_owned(), rights })
    }

    /// A role as a pack or a tenant defines it.
    pub fn defined(name: &str, definition: &RoleDefinition) -> Self {
        let RoleDefinition { objects, default, properties, admin } = definition;
        let of_property = |(path, grants): (&String, &crate::behavior::PropertyGrants)| {
            let read = if grants.read { Sight::Granted } else { Sight::Never };
            (path.clone(), PropertyRights { read, write: grants.write })
        };
        let rights = Rights {
            owner: false,
            admin: *admin,
            objects: objects.clone(),
            default: *default,
            properties: properties.iter().map(of_property).collect(),
            sight: sight(*admin),
        };
        Self { name: name.to_owned(), rights }
    }

    /// One that grants nothing: what is left of a role that is gone.
    pub fn gone(name: &str) -> Self {
        Self { name: name.to_owned(), rights: Rights::none() }
    }
}

/// Administrators see what is sensitive.
fn sight(admin: bool) -> Sight {
    if admin { Sight::OfAll } else { Sight::OfPlain }
}
