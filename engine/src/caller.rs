//! Who calls: tenant, user, role; made once per request, and nothing reaches the store without it.

use std::collections::HashSet;

use engine_model::access::{Action, Reach, Role, weaker};
use engine_model::time::Timestamp;
use engine_model::{TeamId, TenantId, TokenId, UserId};
use engine_store::{Reader, access};

use crate::error::{Error, Result};

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
    /// What it may do.
    pub role: Role,
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
}

/// What a caller has been given, before it is known who that is.
#[derive(Debug)]
pub(crate) struct Rights {
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

impl Caller {
    /// The caller who has `rights`; none where the user is no more. `access_version` was read before.
    pub(crate) async fn read(reader: &mut Reader, rights: Rights, access_version: i64) -> Result<Option<Self>> {
        let user = access::user(reader, rights.user).await?.filter(|user| user.archived_at.is_none());
        let Some(user) = user else { return Ok(None) };
        let teams: Vec<_> = access::teams_of(reader, vec![user.id]).await?.into_iter().map(|(team, _)| team).collect();
        let team_ids = teams.iter().map(|team| team.0).collect();
        let team_mates = access::members(reader, team_ids).await?.into_iter().map(|(_, user)| user).collect();
        // A user who has lost rights takes them from its tokens too.
        let role = weaker(&rights.role, &user.role);
        let role = Role::built_in(role).ok_or_else(|| Error::internal("a token has an unknown role"))?;
        Ok(Some(Self {
            tenant: reader.tenant(),
            user: UserId(user.id),
            user_name: user.name,
            user_email: user.email,
            token: rights.token,
            role,
            scopes: rights.scopes,
            teams,
            team_mates,
            expires_at: rights.expires_at,
            access_version,
        }))
    }

    /// Whether the caller may do `action` with records of `object` that belong to `owner`.
    pub fn may(&self, action: Action, object: &str, owner: Option<UserId>) -> bool {
        if !self.scope_allows(action, object) {
            return false;
        }
        match self.role.grants(object).reach(action) {
            Reach::All => true,
            Reach::None => false,
            Reach::Own => owner == Some(self.user),
            Reach::OwnOrUnclaimed => owner.is_none_or(|owner| owner == self.user),
            Reach::Team => owner.is_some_and(|owner| owner == self.user || self.team_mates.contains(&owner)),
        }
    }

    /// Refuses what [`Caller::may`] does not allow, saying why.
    pub fn check(&self, action: Action, object: &str, owner: Option<UserId>) -> Result<()> {
        if self.may(action, object, owner) {
            return Ok(());
        }
        let verb = action.as_str();
        Err(Error::forbidden(match self.role.grants(object).reach(action) {
            _ if !self.scope_allows(action, object) => format!("the token's scopes do not allow to {verb} `{object}`"),
            Reach::None => format!("the role `{}` does not allow to {verb} `{object}` records", self.role.name),
            _ => format!("the role `{}` allows to {verb} only own or unclaimed `{object}` records", self.role.name),
        }))
    }

    /// Refuses what the caller may do with no record of an object, whoever owns it.
    pub fn check_any(&self, action: Action, object: &str) -> Result<()> {
        let may_some = self.role.grants(object).reach(action) != Reach::None && self.scope_allows(action, object);
        if may_some { Ok(()) } else { self.check(action, object, None) }
    }

    /// Refuses callers who may not change definitions, users and settings.
    pub fn check_admin(&self) -> Result<()> {
        if !self.role.admin {
            let message = format!("the role `{}` does not allow this; it needs `admin` or `owner`", self.role.name);
            return Err(Error::forbidden(message));
        }
        if !self.scopes.is_empty() && !self.scopes.iter().any(|scope| scope == "admin") {
            return Err(Error::forbidden("the token's scopes do not include `admin`"));
        }
        Ok(())
    }

    /// Refuses tokens that are for reading only, where the role does not matter.
    pub fn check_writes(&self) -> Result<()> {
        let writes = |scope: &String| matches!(scope.rsplit(':').next(), Some("write" | "admin"));
        if self.scopes.is_empty() || self.scopes.iter().any(writes) {
            return Ok(());
        }
        Err(Error::forbidden("the token's scopes do not include `write`"))
    }

    fn scope_allows(&self, action: Action, object: &str) -> bool {
        let verb = if action == Action::Read { "read" } else { "write" };
        self.scopes.is_empty()
            || self.scopes.iter().any(|scope| match scope.split_once(':') {
                None => scope == verb || scope == "admin" || (scope == "write" && verb == "read"),
                Some((name, allowed)) => name == object && (allowed == verb || (allowed == "write" && verb == "read")),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: &str, scopes: &[&str]) -> Caller {
        Caller {
            tenant: TenantId(1),
            user: UserId(7),
            user_name: "Ada".to_owned(),
            user_email: None,
            token: TokenId(1),
            role: Role::built_in(role).expect("built in"),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            teams: Vec::new(),
            team_mates: HashSet::new(),
            expires_at: None,
            access_version: 1,
        }
    }

    #[test]
    fn a_member_changes_own_and_unclaimed_records_only() {
        let member = caller("member", &[]);
        assert!(member.may(Action::Update, "deal", None));
        assert!(member.may(Action::Update, "deal", Some(UserId(7))));
        assert!(!member.may(Action::Update, "deal", Some(UserId(8))));
        assert!(member.may(Action::Read, "deal", Some(UserId(8))));
        assert!(member.check_admin().is_err());
    }

    #[test]
    fn scopes_narrow_what_the_role_allows() {
        let reader = caller("owner", &["deal:read"]);
        assert!(reader.may(Action::Read, "deal", None));
        assert!(!reader.may(Action::Update, "deal", None));
        assert!(!reader.may(Action::Read, "contact", None));
        assert!(reader.check_admin().is_err());
        assert!(caller("owner", &["write"]).may(Action::Read, "deal", None));
        assert!(reader.check_writes().is_err() && caller("owner", &["deal:read", "deal:write"]).check_writes().is_ok());
    }
}
