//! Users: people and services of a tenant.

use engine_model::property::{Locale, TABLE, normalize_value};
use engine_model::spec::SpecReader;
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, TeamId, UserId};
use engine_store::access::{self, UserRow};
use engine_store::{Reader, Tx, counter};
use serde_json::{Map, Value};

use super::AccessReply;
use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::records::{Page, Written, make_cursor, read_cursor};
use crate::session::Session;

/// A user as answered.
#[derive(Debug, Clone)]
pub struct UserView {
    /// Identifier in the tenant.
    pub id: UserId,
    /// What people call it.
    pub name: String,
    /// Address, in normal form.
    pub email: Option<String>,
    /// Name of the role.
    pub role: String,
    /// Teams it is in.
    pub teams: Vec<TeamId>,
    /// IANA time zone, where it differs from the tenant's.
    pub time_zone: Option<String>,
    /// Language tag.
    pub locale: Option<String>,
    /// A service that has tokens only.
    pub is_service: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// A user to be made.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// What people call it.
    pub name: String,
    /// Address; unique among unarchived users.
    pub email: Option<String>,
    /// Name of the role; `member` where none is given.
    pub role: Option<String>,
    /// Ids of teams to be in.
    pub teams: Vec<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Language tag.
    pub locale: Option<String>,
}

/// What to change of a user; `None` leaves as is, `Some(None)` takes away.
#[derive(Debug, Clone, Default)]
pub struct UserPatch {
    /// What people call it.
    pub name: Option<String>,
    /// Address.
    pub email: Option<Option<String>>,
    /// Name of the role.
    pub role: Option<String>,
    /// Ids of teams to be in.
    pub teams: Option<Vec<String>>,
    /// IANA time zone.
    pub time_zone: Option<Option<String>>,
    /// Language tag.
    pub locale: Option<Option<String>>,
}

impl Session {
    /// One page of the tenant's users.
    pub async fn users(&mut self, limit: usize, cursor: Option<&str>) -> Result<Page<UserView>> {
        let after = cursor.map_or(Ok(0), |cursor| read_cursor(cursor, &["users"]))?;
        let mut reader = self.reader().await?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX) + 1;
        let mut rows = access::users(&mut reader, after, wanted).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| make_cursor(&["users"], row.id));
        let teams = access::teams_of(&mut reader, rows.iter().map(|row| row.id).collect()).await?;
        let teams_of = |user: i64| teams.iter().filter(|(_, member)| member.0 == user).map(|(team, _)| *team).collect();
        let results = rows.into_iter().map(|row| view(teams_of(row.id), row)).collect();
        Ok(Page { results, next_cursor })
    }

    /// A user, archived or not.
    pub async fn user(&mut self, id: &str) -> Result<UserView> {
        let mut reader = self.reader().await?;
        let row = find(&mut reader, id).await?;
        let teams = access::teams_of(&mut reader, vec![row.id]).await?;
        Ok(view(teams.into_iter().map(|(team, _)| team).collect(), row))
    }

    /// Adds a user.
    pub async fn user_create(
        &mut self,
        new: NewUser,
        reply: Option<AccessReply<UserView>>,
    ) -> Result<Written<UserView>> {
        self.refresh().await?;
        self.caller.check_admin()?;
        let at = self.now();
        let mut tx = self.begin_access().await?;
        let mut row = access::new_user(UserId(0), &new.name, new.role.as_deref().unwrap_or("member"), at);
        row.time_zone = new.time_zone;
        row.locale = new.locale;
        let (teams, mut problems) = read_teams(&mut tx, &new.teams).await?;
        row.email = read_email(new.email.as_deref(), &mut problems);
        check(&row, &mut problems);
        self.check_role(tx.reader(), &row.role, &mut problems).await?;
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        check_email_is_free(&mut tx, &row).await?;
        row.id = counter::next(&mut tx, "user").await?;
        access::put_user(&mut tx, &row).await?;
        access::set_teams(&mut tx, UserId(row.id), &teams).await?;
        self.commit_access(tx, view(teams, row), reply).await
    }

    /// Changes a user.
    pub async fn user_change(&mut self, id: &str, patch: UserPatch) -> Result<Written<UserView>> {
        self.refresh().await?;
        self.caller.check_admin()?;
        let mut tx = self.begin_access().await?;
        let before = find(tx.reader(), id).await?;
        let mut row = before.clone();
        let mut problems = Problems::new();
        let teams = match &patch.teams {
            Some(ids) => {
                let (teams, found) = read_teams(&mut tx, ids).await?;
                problems.extend(found);
                access::set_teams(&mut tx, UserId(row.id), &teams).await?;
                teams
            }
            None => {
                let teams = access::teams_of(tx.reader(), vec![row.id]).await?;
                teams.into_iter().map(|(team, _)| team).collect()
            }
        };
        if let Some(name) = patch.name {
            row.name = name;
        }
        if let Some(email) = patch.email {
            row.email = read_email(email.as_deref(), &mut problems);
        }
        if let Some(role) = patch.role {
            self.check_role(tx.reader(), &role, &mut problems).await?;
            row.role = role;
        }
        if let Some(zone) = patch.time_zone {
            row.time_zone = zone;
        }
        if let Some(locale) = patch.locale {
            row.locale = locale;
        }
        check(&row, &mut problems);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        if before.role == "owner" {
            self.check_owner_stays(&mut tx, &row).await?;
        }
        if row.email != before.email {
            check_email_is_free(&mut tx, &row).await?;
        }
        row.updated_at = self.now().0;
        access::put_user(&mut tx, &row).await?;
        self.commit_access(tx, view(teams, row), None).await
    }

    /// Puts a user away: its tokens end, what it owns stays its own.
    pub async fn user_archive(&mut self, id: &str) -> Result<Written<UserView>> {
        self.caller.check_admin()?;
        let mut tx = self.begin_access().await?;
        let mut row = find(tx.reader(), id).await?;
        let at = self.now();
        row.archived_at = row.archived_at.or(Some(at.0));
        row.updated_at = at.0;
        if row.role == "owner" {
            self.check_owner_stays(&mut tx, &row).await?;
        }
        access::put_user(&mut tx, &row).await?;
        access::set_teams(&mut tx, UserId(row.id), &[]).await?;
        access::delete_tokens_of(&mut tx, UserId(row.id)).await?;
        self.commit_access(tx, view(Vec::new(), row), None).await
    }

    /// There is such a role, and the caller may give it. Only an owner makes owners.
    async fn check_role(&self, reader: &mut Reader, role: &str, problems: &mut Problems) -> Result<()> {
        if let Some(role) = self.find_role(reader, role, problems).await? {
            self.check_gives(&role, problems);
        }
        Ok(())
    }

    /// A tenant keeps at least one owner, and only owners change owners.
    async fn check_owner_stays(&self, tx: &mut Tx, next: &UserRow) -> Result<()> {
        if !self.caller.rights.owner {
            return Err(Error::forbidden("only an owner can change an owner"));
        }
        let leaves = next.role != "owner" || next.archived_at.is_some();
        if leaves && access::owners(tx.reader()).await? <= 1 {
            let detail = "this is the last owner; give somebody else the role `owner` first";
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        Ok(())
    }
}

fn view(teams: Vec<TeamId>, row: UserRow) -> UserView {
    UserView {
        id: UserId(row.id),
        name: row.name,
        email: row.email,
        role: row.role,
        teams,
        time_zone: row.time_zone,
        locale: row.locale,
        is_service: row.is_service != 0,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        archived_at: row.archived_at.map(Timestamp),
    }
}

async fn find(reader: &mut Reader, id: &str) -> Result<UserRow> {
    let missing = || Error::not_found(format!("there is no user `{}`", shortened(id)));
    let id: UserId = id.parse().map_err(|_| missing())?;
    access::user(reader, id).await?.ok_or_else(missing)
}

async fn read_teams(tx: &mut Tx, ids: &[String]) -> Result<(Vec<TeamId>, Problems)> {
    let (mut teams, mut problems) = (Vec::new(), Problems::new());
    for (index, id) in ids.iter().enumerate() {
        let found = match id.parse::<TeamId>() {
            Ok(team) => access::team(tx.reader(), team).await?,
            Err(_) => None,
        };
        match found {
            Some(team) => teams.push(TeamId(team.id)),
            None => {
                let message = format!("there is no team `{}`", shortened(id));
                problems.push(Problem::new(format!("/teams/{index}"), "not_found", message));
            }
        }
    }
    Ok((teams, problems))
}

/// An address in the normal form of an `email` property.
fn read_email(email: Option<&str>, problems: &mut Problems) -> Option<String> {
    let text = email.filter(|text| !text.is_empty())?;
    let entry = TABLE.iter().find(|entry| entry.name == "email")?;
    let (no_options, mut unused) = (Map::new(), Problems::new());
    let kind = (entry.read)(&mut SpecReader::of_map(&no_options, "", &mut unused))?;
    match normalize_value(kind.as_ref(), &Value::from(text), &Locale::default()) {
        Ok(value) => value.as_ref().and_then(Value::as_str).map(str::to_owned),
        Err(faults) => {
            problems.extend(faults.into_iter().map(|fault| Problem::new("/email", fault.code, fault.message)));
            None
        }
    }
}

fn check(row: &UserRow, problems: &mut Problems) {
    let length = row.name.trim().chars().count();
    if !(1..=255).contains(&length) {
        problems.push(Problem::new("/name", "invalid", "a name has 1 to 255 characters"));
    }
    if let Some(zone) = &row.time_zone
        && zone.parse::<chrono_tz::Tz>().is_err()
    {
        let message = format!("`{}` is no IANA time zone", shortened(zone));
        problems.push(Problem::new("/time_zone", "invalid", message));
    }
    if row.locale.as_ref().is_some_and(|locale| locale.len() > 35) {
        problems.push(Problem::new("/locale", "invalid", "a locale is a language tag such as `en-CA`"));
    }
}

async fn check_email_is_free(tx: &mut Tx, row: &UserRow) -> Result<()> {
    let Some(email) = &row.email else { return Ok(()) };
    match access::user_by_email(tx.reader(), email).await? {
        Some(other) if other.id != row.id => {
            let message = format!("`email` must be unique, and user {} already has this value", other.id);
            let mut problem = Problem::new("/email", "taken", message.clone());
            problem.samples.push(other.id.to_string());
            Err(Error::new(ErrorCode::Conflict, message).with(problem))
        }
        _ => Ok(()),
    }
}
