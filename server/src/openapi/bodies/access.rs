//! Roles, users, teams, tokens, and who gets records.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

/// What a role grants on an object; what is not said is not granted.
#[derive(ToSchema)]
pub(crate) struct RoleGrants {
    create: Option<bool>,
    /// `all`, `team`, `own`, `own_or_unclaimed` or `none`, as in `update` and `archive`.
    read: Option<String>,
    update: Option<String>,
    archive: Option<String>,
}

/// What a role grants on a property.
#[derive(ToSchema)]
pub(crate) struct RoleProperty {
    read: Option<bool>,
    /// As `read` unless given.
    write: Option<bool>,
}

/// A role to be made.
#[derive(ToSchema)]
pub(crate) struct RoleInput {
    name: String,
    label: Option<String>,
    /// By object; `*` is every object without an entry of its own.
    objects: Option<BTreeMap<String, RoleGrants>>,
    /// By `object.property`; a sensitive one is shown where `read` is true.
    properties: Option<BTreeMap<String, RoleProperty>>,
    /// May change definitions, users, tokens and settings, and purge.
    admin: Option<bool>,
}

/// What to change of a role; null takes away.
#[derive(ToSchema)]
pub(crate) struct RolePatch {
    label: Option<String>,
    /// By object, each as in a new role, or null.
    objects: Option<BTreeMap<String, Value>>,
    /// By `object.property`, each as in a new role, or null.
    properties: Option<BTreeMap<String, Value>>,
    admin: Option<bool>,
}

/// A user to be added.
#[derive(ToSchema)]
pub(crate) struct NewUser {
    name: String,
    email: Option<String>,
    /// `member` unless given.
    role: Option<String>,
    /// Ids of teams.
    teams: Option<Vec<String>>,
    time_zone: Option<String>,
    locale: Option<String>,
}

/// What to change of a user.
#[derive(ToSchema)]
pub(crate) struct UserPatch {
    name: Option<String>,
    email: Option<String>,
    role: Option<String>,
    /// Ids of teams.
    teams: Option<Vec<String>>,
    time_zone: Option<String>,
    locale: Option<String>,
}

/// A team to be added, or what to change of one.
#[derive(ToSchema)]
pub(crate) struct TeamInput {
    name: Option<String>,
    /// Ids of users.
    members: Option<Vec<String>>,
}

/// An assignment rule, or what to change of one; `users` or `team`.
#[derive(ToSchema)]
pub(crate) struct AssignmentRuleInput {
    object: Option<String>,
    label: Option<String>,
    /// CEL that a record must meet.
    when: Option<String>,
    /// Ids of users, who take turns.
    users: Option<Vec<String>>,
    /// Id of the team whose members take turns.
    team: Option<String>,
    /// Rules of an object are tried from the lowest on.
    position: Option<u32>,
    /// Whether it is applied; it is unless this is false.
    active: Option<bool>,
}

/// To whom all goes that a user has.
#[derive(ToSchema)]
pub(crate) struct Reassignment {
    /// Id of a user; null for nobody.
    to: Option<String>,
    /// Instead of `to`: by the assignment rules.
    by_rules: Option<bool>,
    /// Only records of these objects.
    objects: Option<Vec<String>>,
    /// Also where properties name the user.
    properties: Option<bool>,
}

/// A token to be made.
#[derive(ToSchema)]
pub(crate) struct NewToken {
    name: String,
    /// Whom it acts for; a service of its own where none is given.
    user: Option<String>,
    role: Option<String>,
    /// `read`, `write`, `admin`, `OBJECT:read`, `OBJECT:write`; none given means all that the role may.
    scopes: Option<Vec<String>>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// What to change of a token.
#[derive(ToSchema)]
pub(crate) struct TokenPatch {
    name: Option<String>,
    scopes: Option<Vec<String>>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}
