//! What may be done: with records of each object, with properties, with the tenant itself.

use std::fmt;

use indexmap::IndexMap;

use super::properties::{PropertyRights, Sight};
use super::reach::{Place, Reach};
use super::{Action, role};

/// What is granted on one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Nothing.
    pub const NONE: Self = Self { create: false, read: Reach::NONE, update: Reach::NONE, archive: Reach::NONE };
    /// Everything.
    pub const ALL: Self = Self { create: true, read: Reach::ALL, update: Reach::ALL, archive: Reach::ALL };

    /// The records that `action` reaches; creation is all or none.
    pub fn reach(&self, action: Action) -> Reach {
        match action {
            Action::Create if self.create => Reach::ALL,
            Action::Create => Reach::NONE,
            Action::Read => self.read,
            Action::Update => self.update,
            Action::Archive => self.archive,
        }
    }

    fn meet(self, other: Self) -> Self {
        Self {
            create: self.create && other.create,
            read: self.read.meet(other.read),
            update: self.update.meet(other.update),
            archive: self.archive.meet(other.archive),
        }
    }

    pub(super) fn join(self, other: Self) -> Self {
        Self {
            create: self.create || other.create,
            read: self.read.join(other.read),
            update: self.update.join(other.update),
            archive: self.archive.join(other.archive),
        }
    }
}

/// What may be done, as a role or a token's scopes grant it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Makes and changes owners.
    pub owner: bool,
    /// Changes definitions, users, tokens and settings, and purges.
    pub admin: bool,
    /// Grants by object's name.
    pub objects: IndexMap<String, Grants>,
    /// Grants on every object without an entry of its own.
    pub default: Grants,
    /// Rights by `object.property`.
    pub properties: IndexMap<String, PropertyRights>,
    /// Which properties without an entry of their own are seen.
    pub sight: Sight,
}

/// Something that one may do and another may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess(String);

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Rights {
    /// Nothing at all.
    pub fn none() -> Self {
        let (objects, properties) = (IndexMap::new(), IndexMap::new());
        Self { owner: false, admin: false, objects, default: Grants::NONE, properties, sight: Sight::Never }
    }

    /// Everything.
    pub fn everything() -> Self {
        let (objects, properties) = (IndexMap::new(), IndexMap::new());
        Self { owner: true, admin: true, objects, default: Grants::ALL, properties, sight: Sight::Granted }
    }

    /// What is granted on an object.
    pub fn grants(&self, object: &str) -> &Grants {
        self.objects.get(object).unwrap_or(&self.default)
    }

    /// Whether `action` is allowed with a record of `object` at `place`.
    pub fn allows(&self, action: Action, object: &str, place: Place) -> bool {
        self.grants(object).reach(action).covers(place)
    }

    /// What both allow: of the same with itself, in whatever order and grouping, it is the same, and never more than
    /// either.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let objects = self.objects.keys().chain(other.objects.keys());
        let properties = self.properties.keys().chain(other.properties.keys());
        Self {
            owner: self.owner && other.owner,
            admin: self.admin && other.admin,
            objects: objects.map(|name| (name.clone(), self.grants(name).meet(*other.grants(name)))).collect(),
            default: self.default.meet(other.default),
            properties: properties.map(|path| (path.clone(), self.on(path).meet(other.on(path)))).collect(),
            sight: self.sight.min(other.sight),
        }
    }

    /// What this allows and `other` does not: one such thing.
    pub fn excess_over(&self, other: &Self) -> Option<Excess> {
        if self.owner && !other.owner {
            return Some(Excess(format!("to make and change users with the role `{}`", role::OWNER)));
        }
        if self.admin && !other.admin {
            return Some(Excess("to change settings, definitions and users".to_owned()));
        }
        let objects = self.objects.keys().chain(other.objects.keys()).map(String::as_str);
        for object in objects.map(Some).chain([None]) {
            let of = |rights: &Self| object.map_or(rights.default, |name| *rights.grants(name));
            let (ours, theirs) = (of(self), of(other));
            let beyond = Action::ALL.into_iter().find(|action| !ours.reach(*action).is_within(theirs.reach(*action)));
            if let Some(action) = beyond {
                let (verb, words) = (action.as_str(), ours.reach(action).words());
                let what = object.map_or("any object".to_owned(), |name| format!("`{name}`"));
                return Some(Excess(match action {
                    Action::Create => format!("to {verb} records of {what}"),
                    Action::Read | Action::Update | Action::Archive => format!("to {verb} {words} records of {what}"),
                }));
            }
        }
        if self.sight > other.sight && other.sight < Sight::OfAll {
            return Some(Excess("to see sensitive properties".to_owned()));
        }
        let paths = self.properties.keys().chain(other.properties.keys());
        let beyond = |path: &&String| {
            let (ours, theirs) = (self.on(path), other.on(path));
            (ours.read > theirs.read && theirs.read < Sight::OfAll) || (ours.write && !theirs.write)
        };
        paths.into_iter().find(beyond).map(|path| Excess(format!("to see or to change `{path}`")))
    }

    /// Whether every record of every object is seen.
    pub fn reads_every_record(&self) -> bool {
        let mut grants = self.objects.values().chain([&self.default]);
        grants.all(|grants| grants.read == Reach::ALL)
    }

    /// Whether every record is seen with all that it has.
    pub fn reads_everything(&self) -> bool {
        let mut sights = self.properties.values().map(|rights| rights.read).chain([self.sight]);
        self.reads_every_record() && sights.all(|sight| sight >= Sight::OfAll)
    }
}
