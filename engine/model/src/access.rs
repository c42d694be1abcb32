//! Roles: who may do what with which records and properties.

use indexmap::IndexMap;

/// What a caller may do with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make a record.
    Create,
    /// See a record.
    Read,
    /// Change a record, its links included.
    Update,
    /// Archive or restore a record.
    Archive,
}

impl Action {
    /// The word in messages and in role definitions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Archive => "archive",
        }
    }
}

/// Which records a grant covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// None at all.
    None,
    /// Those the caller owns.
    Own,
    /// Those the caller owns and those that nobody owns.
    OwnOrUnclaimed,
    /// Those owned by the caller or by somebody in one of the caller's teams.
    Team,
    /// Every one.
    All,
}

/// What a role grants on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// May make records.
    pub create: bool,
    /// Records that may be seen.
    pub read: Reach,
    /// Records that may be changed.
    pub update: Reach,
    /// Records that may be archived and restored.
    pub archive: Reach,
}

impl Grants {
    /// The records that `action` reaches; creation is all or none.
    pub fn reach(&self, action: Action) -> Reach {
        match action {
            Action::Create if self.create => Reach::All,
            Action::Create => Reach::None,
            Action::Read => self.read,
            Action::Update => self.update,
            Action::Archive => self.archive,
        }
    }
}

/// A named set of grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Internal name: `owner`, `admin`, `member`, `viewer`.
    pub name: String,
    /// May change definitions, users, tokens and settings, and purge.
    pub admin: bool,
    /// Sees `sensitive` properties.
    pub sees_sensitive: bool,
    /// Grants by object's name.
    pub objects: IndexMap<String, Grants>,
    /// Grants on every object without an entry of its own.
    pub default: Grants,
}

/// Names of the roles that every tenant has, strongest first.
pub const BUILT_IN: &[&str] = &["owner", "admin", "member", "viewer"];

/// Position in [`BUILT_IN`]: the stronger the role, the smaller.
pub fn strength(role: &str) -> usize {
    BUILT_IN.iter().position(|name| *name == role).unwrap_or(BUILT_IN.len())
}

/// The one of two roles that allows less.
pub fn weaker<'a>(one: &'a str, other: &'a str) -> &'a str {
    if strength(one) >= strength(other) { one } else { other }
}

impl Role {
    /// One of the four roles that every tenant has.
    pub fn built_in(name: &str) -> Option<Self> {
        let (admin, create, update) = match name {
            "owner" | "admin" => (true, true, Reach::All),
            "member" => (false, true, Reach::OwnOrUnclaimed),
            "viewer" => (false, false, Reach::None),
            _ => return None,
        };
        let default = Grants { create, read: Reach::All, update, archive: update };
        Some(Self { name: name.to_owned(), admin, sees_sensitive: admin, objects: IndexMap::new(), default })
    }

    /// What the role grants on an object.
    pub fn grants(&self, object: &str) -> &Grants {
        self.objects.get(object).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_read_all_and_write_what_they_own_or_nobody_does() {
        let member = Role::built_in("member").expect("built in");
        let grants = member.grants("deal");
        assert_eq!(grants.reach(Action::Read), Reach::All);
        assert_eq!(grants.reach(Action::Update), Reach::OwnOrUnclaimed);
        assert!(!member.admin && !member.sees_sensitive);
        let viewer = Role::built_in("viewer").expect("built in");
        assert_eq!(viewer.grants("deal").reach(Action::Create), Reach::None);
        assert_eq!(Role::built_in("root"), None);
    }
}
