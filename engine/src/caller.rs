//! Who calls: tenant, user, rights; made once per request, and nothing reaches the store without it.

use std::collections::HashSet;
use std::sync::Arc;

use engine_model::access::{Action, Party, Place, Reach, Rights, Source, Viewer, refusal, rights_of_scopes};
use engine_model::object::ObjectDefinition;
use engine_model::property::Property;
use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Problem, TeamId, TenantId, TokenId, UserId};
use engine_store::access::UserRow;
use engine_store::association::LinkRow;
use engine_store::record::RecordRow;
use engine_store::{Reader, access};

use crate::access::Roles;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::records::{State, unique_property};

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose data it is about.
    pub tenant: TenantId,
    /// The user or service that acts.
    pub user: UserId,
    /// Its name, for replies.
    pub user_name: String,
    /// Its address, for replies.
    pub user_email: Option<String>,
    /// The token it acts with.
    pub token: TokenId,
    /// Name of the role that it acts by: the token's, or the user's where that allows less.
    pub role: String,
    /// Name of the role that it was given to act with.
    pub given_role: String,
    /// What its role, its user's role and its token's scopes all allow.
    pub rights: Arc<Rights>,
    /// Each of them.
    pub parties: Arc<[Party]>,
    /// Restricts the role further: `read`, `write`, `admin`, or `{object}:read`; empty does not restrict.
    pub scopes: Vec<String>,
    /// Teams the user is in.
    pub teams: Vec<TeamId>,
    /// Users in the same teams, itself included.
    pub team_mates: HashSet<UserId>,
    /// When the token stops working.
    pub expires_at: Option<Timestamp>,
    /// The access version that all this was read at.
    pub access_version: i64,
    /// The metadata version that it was read at, where a role of a pack is part of it, or one that is gone.
    pub(crate) roles_version: Option<i64>,
}

/// What a caller has been given, before it is known who that is.
#[derive(Debug)]
pub(crate) struct Given {
    /// The user or service that acts.
    pub(crate) user: UserId,
    /// The token it acts with.
    pub(crate) token: TokenId,
    /// Name of the role.
    pub(crate) role: String,
    /// Restricts the role further; an empty list does not.
    pub(crate) scopes: Vec<String>,
    /// When the rights end.
    pub(crate) expires_at: Option<Timestamp>,
}

/// Whose record somebody asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Who owns it.
    pub owner: Option<UserId>,
    /// The team that it belongs to.
    pub team: Option<TeamId>,
}

impl From<&State> for Standing {
    fn from(state: &State) -> Self {
        state.standing()
    }
}

impl From<&LinkRow> for Standing {
    fn from(row: &LinkRow) -> Self {
        Self { owner: row.owner_id.map(UserId), team: row.team_id.map(TeamId) }
    }
}

impl From<&RecordRow> for Standing {
    fn from(row: &RecordRow) -> Self {
        Self { owner: row.owner_id.map(UserId), team: row.team_id.map(TeamId) }
    }
}

/// A user's teams, and who else is in them.
pub(crate) struct Company {
    pub(crate) teams: Vec<TeamId>,
    pub(crate) mates: HashSet<UserId>,
}

impl Company {
    pub(crate) async fn of(reader: &mut Reader, user: UserId) -> Result<Self> {
        let teams: Vec<_> = access::teams_of(reader, vec![user.0]).await?.into_iter().map(|(team, _)| team).collect();
        let ids = teams.iter().map(|team| team.0).collect();
        let mates = access::members(reader, ids).await?.into_iter().map(|(_, user)| user).collect();
        Ok(Self { teams, mates })
    }
}

impl Caller {
    /// The caller who has what was `given`; none where the user is no more. `access_version` was read before.
    pub(crate) async fn read(
        engine: &Engine,
        mut reader: Reader,
        given: Given,
        access_version: i64,
    ) -> Result<Option<Self>> {
        let user = access::user(&mut reader, given.user).await?.filter(|user| user.archived_at.is_none());
        let Some(user) = user else { return Ok(None) };
        let company = Company::of(&mut reader, given.user).await?;
        let roles = Roles::among(engine, reader, &[&given.role, &user.role]).await?;
        let parties = parties(&given, &user, &roles);
        let rights = parties.iter().fold(Rights::everything(), |met, party| met.meet(&party.rights));
        let (by_token, by_user) = (roles.role(&given.role), roles.role(&user.role));
        // A user who has lost rights takes them from its tokens too.
        let is_users = by_token.rights.excess_over(&by_user.rights).is_some()
            && by_user.rights.excess_over(&by_token.rights).is_none();
        Ok(Some(Self {
            tenant: roles.tenant,
            user: given.user,
            user_name: user.name,
            user_email: user.email,
            token: given.token,
            role: if is_users { user.role } else { given.role.clone() },
            given_role: given.role,
            rights: Arc::new(rights),
            parties: parties.into(),
            scopes: given.scopes,
            teams: company.teams,
            team_mates: company.mates,
            expires_at: given.expires_at,
            access_version,
            roles_version: roles.metadata_version,
        }))
    }

    /// Nobody, with all rights: the engine itself, or the platform.
    pub(crate) fn nobody(tenant: TenantId, access_version: i64) -> Self {
        Self {
            tenant,
            // No user has this id.
            user: UserId(0),
            user_name: String::new(),
            user_email: None,
            token: TokenId(0),
            role: "owner".to_owned(),
            given_role: "owner".to_owned(),
            rights: Arc::new(Rights::everything()),
            parties: Arc::new([]),
            scopes: Vec::new(),
            teams: Vec::new(),
            team_mates: HashSet::new(),
            expires_at: None,
            access_version,
            roles_version: None,
        }
    }

    fn place(&self, standing: Standing) -> Place {
        let viewer = Viewer { user: self.user, mates: &self.team_mates, teams: &self.teams };
        viewer.place(standing.owner, standing.team)
    }

    /// Whether the caller may do `action` with a record of `object` that stands there.
    pub fn may(&self, action: Action, object: &str, standing: impl Into<Standing>) -> bool {
        self.rights.allows(action, object, self.place(standing.into()))
    }

    /// Whether the caller may do `action` with every record of `object`.
    pub(crate) fn may_all(&self, action: Action, object: &str) -> bool {
        self.rights.grants(object).reach(action) == Reach::ALL
    }

    /// Whether no link is hidden from the caller or kept from it.
    pub(crate) fn takes_any_link(&self) -> bool {
        self.rights.reads_every_record() && self.rights.admin
    }

    /// Refuses what [`Caller::may`] does not allow, saying why.
    pub fn check(&self, action: Action, object: &str, standing: impl Into<Standing>) -> Result<()> {
        let place = self.place(standing.into());
        match self.rights.allows(action, object, place) {
            true => Ok(()),
            false => Err(Error::forbidden(refusal(&self.parties, action, object, Some(place)))),
        }
    }

    /// Refuses to make records of an object.
    pub fn check_create(&self, object: &str) -> Result<()> {
        self.check_any(Action::Create, object)
    }

    /// Refuses what the caller may do with no record of an object, whoever owns it.
    pub fn check_any(&self, action: Action, object: &str) -> Result<()> {
        match self.rights.grants(object).reach(action) {
            Reach::NONE => Err(Error::forbidden(refusal(&self.parties, action, object, None))),
            _ => Ok(()),
        }
    }

    /// Refuses callers who may not change definitions, users and settings.
    pub fn check_admin(&self) -> Result<()> {
        if self.rights.admin {
            return Ok(());
        }
        let refuses = |party: &&Party| !party.rights.admin;
        Err(match self.parties.iter().find(refuses) {
            Some(Party { source: Source::Scopes, .. }) => Error::forbidden("the token's scopes do not include `admin`"),
            Some(party) => {
                Error::forbidden(format!("the role `{}` does not allow this; it needs `admin` or `owner`", party.name))
            }
            None => Error::internal("nobody refuses what is not allowed"),
        })
    }

    /// Refuses tokens that are for reading only, where the role does not matter.
    pub fn check_saves(&self) -> Result<()> {
        let writes = |scope: &String| matches!(scope.rsplit(':').next(), Some("write" | "admin"));
        if self.scopes.is_empty() || self.scopes.iter().any(writes) {
            return Ok(());
        }
        Err(Error::forbidden("the token's scopes do not include `write`"))
    }

    /// Whether the caller sees the values of a property.
    pub fn reads(&self, registry: &Registry, object: &ObjectDefinition, property: &Property) -> bool {
        self.rights.reads(registry, object, property)
    }

    /// Refuses what tells of a property that the caller does not see.
    pub(crate) fn check_reads(&self, registry: &Registry, object: &ObjectDefinition, name: &str) -> Result<()> {
        match object.property_called(name).is_none_or(|property| self.reads(registry, object, property)) {
            true => Ok(()),
            false => {
                let message = format!("the role `{}` does not allow to read `{name}` of `{}`", self.role, object.name);
                Err(Error::forbidden(message))
            }
        }
    }

    /// Refuses a property that the caller may not change, at its place.
    pub(crate) fn check_writes(&self, object: &ObjectDefinition, property: &Property, at: &str) -> Result<(), Problem> {
        if self.rights.writes(&object.name, property) {
            return Ok(());
        }
        let message =
            format!("the role `{}` does not allow to change `{}` of `{}`", self.role, property.name, object.name);
        Err(Problem::new(at, "forbidden", message))
    }

    /// Refuses to look a record up by what names none, or by a property that the caller does not see.
    pub(crate) fn check_key(&self, registry: &Registry, object: &ObjectDefinition, name: &str) -> Result<()> {
        unique_property(object, name, |property| self.reads(registry, object, property))
    }
}

/// Who must allow what the caller does.
fn parties(given: &Given, user: &UserRow, roles: &Roles) -> Vec<Party> {
    let of_role = |source, name: &str| Party { source, name: name.to_owned(), rights: roles.role(name).rights.clone() };
    let mut parties = Vec::with_capacity(3);
    // First, as it is the first thing to look at for whoever has a token that does not work.
    if !given.scopes.is_empty() {
        let (name, rights) = (given.scopes.join(", "), rights_of_scopes(&given.scopes));
        parties.push(Party { source: Source::Scopes, name, rights });
    }
    if given.role != user.role {
        parties.push(of_role(Source::TokenRole, &given.role));
    }
    parties.push(of_role(Source::UserRole, &user.role));
    parties
}

#[cfg(test)]
mod tests {
    use engine_model::access::Role;

    use super::*;

    fn caller(role: &str, scopes: &[&str]) -> Caller {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let rights = Role::built_in(role).expect("built in").rights.meet(&rights_of_scopes(&scopes));
        let user = Party {
            source: Source::UserRole,
            name: role.to_owned(),
            rights: Role::built_in(role).expect("built in").rights,
        };
        let scoped = Party { source: Source::Scopes, name: scopes.join(", "), rights: rights_of_scopes(&scopes) };
        Caller {
            user: UserId(7),
            role: role.to_owned(),
            rights: Arc::new(rights),
            parties: [scoped, user].into(),
            scopes,
            ..Caller::nobody(TenantId(1), 1)
        }
    }

    fn owned_by(owner: Option<i64>) -> Standing {
        Standing { owner: owner.map(UserId), team: None }
    }

    #[test]
    fn a_member_changes_own_and_unclaimed_records_only() {
        let member = caller("member", &[]);
        assert!(member.may(Action::Update, "deal", owned_by(None)));
        assert!(member.may(Action::Update, "deal", owned_by(Some(7))));
        assert!(!member.may(Action::Update, "deal", owned_by(Some(8))));
        assert!(member.may(Action::Read, "deal", owned_by(Some(8))));
        assert!(member.check_admin().is_err());
        let refused = member.check(Action::Update, "deal", owned_by(Some(8))).expect_err("refused").detail;
        assert_eq!(refused, "the role `member` allows to update only own or unclaimed `deal` records");
    }

    #[test]
    fn scopes_narrow_what_the_role_allows() {
        let reader = caller("owner", &["deal:read"]);
        assert!(reader.may(Action::Read, "deal", owned_by(None)));
        assert!(!reader.may(Action::Update, "deal", owned_by(None)));
        assert!(!reader.may(Action::Read, "contact", owned_by(None)));
        let refused = reader.check_admin().expect_err("refused").detail;
        assert_eq!(refused, "the token's scopes do not include `admin`");
        assert!(reader.check_saves().is_err() && caller("owner", &["deal:read", "deal:write"]).check_saves().is_ok());
        assert!(caller("owner", &["write"]).may(Action::Read, "deal", owned_by(None)));
    }
}
