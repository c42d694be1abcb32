//! Tokens: bearers of a user's rights, or of fewer.

use engine_model::access::Role;
use engine_model::name::did_you_mean;
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, TokenId, UserId};
use engine_store::access::{self, TokenRow, UserRow};
use engine_store::{Reader, counter};

use super::AccessReply;
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::records::{Page, Written, make_cursor, read_cursor};
use crate::session::Session;
use crate::token::{hash_secret, new_secret};

/// A token as answered; its secret is shown once, when it is made.
#[derive(Debug, Clone)]
pub struct TokenView {
    /// Identifier in the tenant.
    pub id: TokenId,
    /// What people call it.
    pub name: String,
    /// The user or service that acts with it.
    pub user: UserId,
    /// Name of the role.
    pub role: String,
    /// Restricts the role further; an empty list does not.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// Id of the user it acts for; a service of its own where none is given.
    pub user: Option<String>,
    /// Name of the role; the user's where none is given, `member` for a service.
    pub role: Option<String>,
    /// Restricts the role further: `read`, `write`, `admin`, `{object}:read`, `{object}:write`.
    pub scopes: Vec<String>,
    /// RFC 3339.
    pub expires_at: Option<String>,
    /// The secret, where it must be the same if the request is sent again.
    pub secret: Option<String>,
}

/// What to change of a token.
#[derive(Debug, Clone, Default)]
pub struct TokenPatch {
    /// What people call it.
    pub name: Option<String>,
    /// Restricts the role further.
    pub scopes: Option<Vec<String>>,
    /// RFC 3339; `Some(None)` takes the end away.
    pub expires_at: Option<Option<String>>,
}

impl Session {
    /// One page of the tenant's tokens.
    pub async fn tokens(&mut self, limit: usize, cursor: Option<&str>) -> Result<Page<TokenView>> {
        self.caller.check_admin()?;
        let after = cursor.map_or(Ok(0), |cursor| read_cursor(cursor, &["tokens"]))?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX) + 1;
        let mut rows = access::tokens(&mut self.reader().await?, after, wanted).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| make_cursor(&["tokens"], row.id));
        Ok(Page { results: rows.into_iter().map(view).collect(), next_cursor })
    }

    /// A token.
    pub async fn token(&mut self, id: &str) -> Result<TokenView> {
        self.caller.check_admin()?;
        Ok(view(find(&mut self.reader().await?, id).await?))
    }

    /// Makes a token and shows its secret, this once.
    pub async fn token_create(
        &mut self,
        new: NewToken,
        reply: Option<AccessReply<(TokenView, String)>>,
    ) -> Result<Written<(TokenView, String)>> {
        self.refresh().await?;
        self.caller.check_admin()?;
        let at = self.now();
        let mut problems = Problems::new();
        check_name(&new.name, &mut problems);
        self.check_scopes(&new.scopes, &mut problems);
        let expires_at = read_end(new.expires_at.as_deref(), at, &mut problems);
        let mut tx = self.begin_access().await?;
        let user = match &new.user {
            Some(id) => find_user(tx.reader(), id, &mut problems).await?,
            None => None,
        };
        let own_role = user.as_ref().map_or("member", |user| user.role.as_str());
        let role = new.role.clone().unwrap_or_else(|| own_role.to_owned());
        self.check_token_role(tx.reader(), &role, user.as_ref(), &mut problems).await?;
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let user_id = match &user {
            Some(user) => user.id,
            None => {
                let id = counter::next(&mut tx, "user").await?;
                let service = UserRow { is_service: 1, ..access::new_user(UserId(id), &new.name, &role, at) };
                access::put_user(&mut tx, &service).await?;
                id
            }
        };
        let row = TokenRow {
            id: counter::next(&mut tx, "token").await?,
            name: new.name,
            user_id,
            role,
            scopes: serde_json::to_string(&new.scopes).map_err(Error::internal)?,
            created_at: at.0,
            expires_at: expires_at.map(|end| end.0),
        };
        let secret = new.secret.map_or_else(new_secret, Ok)?;
        access::add_token(&mut tx, &row, &hash_secret(&secret)).await?;
        self.commit_access(tx, (view(row), secret), reply).await
    }

    /// Changes a token's name, scopes or end.
    pub async fn token_change(&mut self, id: &str, patch: TokenPatch) -> Result<Written<TokenView>> {
        self.caller.check_admin()?;
        let at = self.now();
        let mut tx = self.begin_access().await?;
        let mut row = find(tx.reader(), id).await?;
        let mut problems = Problems::new();
        if let Some(name) = patch.name {
            check_name(&name, &mut problems);
            row.name = name;
        }
        if let Some(scopes) = patch.scopes {
            self.check_scopes(&scopes, &mut problems);
            row.scopes = serde_json::to_string(&scopes).map_err(Error::internal)?;
        }
        if let Some(end) = patch.expires_at {
            row.expires_at = read_end(end.as_deref(), at, &mut problems).map(|end| end.0);
        }
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        access::update_token(&mut tx, &row).await?;
        self.commit_access(tx, view(row), None).await
    }

    /// Ends a token at once.
    pub async fn token_revoke(&mut self, id: &str) -> Result<Written<()>> {
        self.caller.check_admin()?;
        let mut tx = self.begin_access().await?;
        let row = find(tx.reader(), id).await?;
        access::delete_token(&mut tx, TokenId(row.id)).await?;
        self.commit_access(tx, (), None).await
    }

    /// There is such a role, the caller may give it, and it allows no more than the user's own.
    async fn check_token_role(
        &self,
        reader: &mut Reader,
        name: &str,
        user: Option<&UserRow>,
        problems: &mut Problems,
    ) -> Result<()> {
        let Some(role) = self.find_role(reader, name, problems).await? else { return Ok(()) };
        self.check_gives(&role, problems);
        let Some(user) = user.filter(|user| user.role != role.name) else { return Ok(()) };
        // A user whose role is gone may do nothing.
        let of_user = self.find_role(reader, &user.role, &mut Problems::new()).await?;
        let of_user = of_user.unwrap_or_else(|| Role::gone(&user.role));
        if role.rights.excess_over(&of_user.rights).is_some() {
            let message = format!("the user's role is `{}`; a token cannot have more rights than its user", user.role);
            problems.push(Problem::new("/role", "forbidden", message));
        }
        Ok(())
    }

    fn check_scopes(&self, scopes: &[String], problems: &mut Problems) {
        for (index, scope) in scopes.iter().enumerate() {
            let at = format!("/scopes/{index}");
            match scope.split_once(':') {
                None if ["read", "write", "admin"].contains(&scope.as_str()) => {}
                Some((object, "read" | "write")) if self.catalog.object(object).is_ok() => {}
                Some((object, "read" | "write")) => {
                    let hint = did_you_mean(object, self.catalog.objects().map(|object| object.name.as_str()));
                    let message = format!("there is no object `{}`{hint}", shortened(object));
                    problems.push(Problem::new(at, "unknown", message));
                }
                _ => {
                    let message = "a scope is `read`, `write`, `admin`, `OBJECT:read` or `OBJECT:write`";
                    problems.push(Problem::new(at, "invalid", message));
                }
            }
        }
    }
}

fn view(row: TokenRow) -> TokenView {
    TokenView {
        id: TokenId(row.id),
        name: row.name,
        user: UserId(row.user_id),
        role: row.role,
        scopes: serde_json::from_str(&row.scopes).unwrap_or_default(),
        created_at: Timestamp(row.created_at),
        expires_at: row.expires_at.map(Timestamp),
    }
}

async fn find(reader: &mut Reader, id: &str) -> Result<TokenRow> {
    let missing = || Error::not_found(format!("there is no token `{}`", shortened(id)));
    let id: TokenId = id.parse().map_err(|_| missing())?;
    access::token(reader, id).await?.ok_or_else(missing)
}

async fn find_user(reader: &mut Reader, id: &str, problems: &mut Problems) -> Result<Option<UserRow>> {
    let found = match id.parse() {
        Ok(user) => access::user(reader, user).await?.filter(|user| user.archived_at.is_none()),
        Err(_) => None,
    };
    if found.is_none() {
        problems.push(Problem::new("/user", "not_found", format!("there is no user `{}`", shortened(id))));
    }
    Ok(found)
}

fn check_name(name: &str, problems: &mut Problems) {
    if !(1..=255).contains(&name.trim().chars().count()) {
        problems.push(Problem::new("/name", "invalid", "a name has 1 to 255 characters"));
    }
}

fn read_end(text: Option<&str>, now: Timestamp, problems: &mut Problems) -> Option<Timestamp> {
    let text = text?;
    match Timestamp::parse(text) {
        Some(end) if end > now => Some(end),
        Some(_) => {
            problems.push(Problem::new("/expires_at", "too_small", "a token's end lies in the future"));
            None
        }
        None => {
            let message = "a moment is written as RFC 3339 with an offset, `2030-01-31T12:00:00Z`";
            problems.push(Problem::new("/expires_at", "invalid", message));
            None
        }
    }
}
