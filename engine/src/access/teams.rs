//! Teams: groups of users.

use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, TeamId, UserId};
use engine_store::access::{self, TeamRow};
use engine_store::{Reader, Tx, counter, list, saved};

use super::AccessReply;
use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::records::{Page, Written, make_cursor, read_cursor};
use crate::session::Session;

/// A team as answered.
#[derive(Debug, Clone)]
pub struct TeamView {
    /// Identifier in the tenant.
    pub id: TeamId,
    /// Unique in the tenant.
    pub name: String,
    /// Who is in it.
    pub members: Vec<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A team to be made, or what to change of one.
#[derive(Debug, Clone, Default)]
pub struct TeamInput {
    /// Unique in the tenant.
    pub name: Option<String>,
    /// Ids of the users in it.
    pub members: Option<Vec<String>>,
}

impl Session {
    /// One page of the tenant's teams.
    pub async fn teams(&mut self, limit: usize, cursor: Option<&str>) -> Result<Page<TeamView>> {
        let after = cursor.map_or(Ok(0), |cursor| read_cursor(cursor, &["teams"]))?;
        let mut reader = self.reader().await?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX) + 1;
        let mut rows = access::teams(&mut reader, after, wanted).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| make_cursor(&["teams"], row.id));
        let members = access::members(&mut reader, rows.iter().map(|row| row.id).collect()).await?;
        let members_of = |team: i64| members.iter().filter(|(of, _)| of.0 == team).map(|(_, user)| *user).collect();
        let results = rows.into_iter().map(|row| view(members_of(row.id), row)).collect();
        Ok(Page { results, next_cursor })
    }

    /// A team.
    pub async fn team(&mut self, id: &str) -> Result<TeamView> {
        let mut reader = self.reader().await?;
        let row = find(&mut reader, id).await?;
        let members = access::members(&mut reader, vec![row.id]).await?;
        Ok(view(members.into_iter().map(|(_, user)| user).collect(), row))
    }

    /// Adds a team.
    pub async fn team_create(
        &mut self,
        input: TeamInput,
        reply: Option<AccessReply<TeamView>>,
    ) -> Result<Written<TeamView>> {
        self.caller.check_admin()?;
        let mut tx = self.begin_access().await?;
        let name = input.name.unwrap_or_default();
        let created_at = self.now().0;
        let (members, mut problems) = read_members(&mut tx, input.members.as_deref().unwrap_or_default()).await?;
        check_name(&name, &mut problems);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        check_name_is_free(&mut tx, &name, None).await?;
        let row = TeamRow { id: counter::next(&mut tx, "team").await?, name, created_at };
        access::put_team(&mut tx, &row).await?;
        access::set_members(&mut tx, TeamId(row.id), &members).await?;
        self.commit_access(tx, view(members, row), reply).await
    }

    /// Changes a team's name or members.
    pub async fn team_change(&mut self, id: &str, input: TeamInput) -> Result<Written<TeamView>> {
        self.caller.check_admin()?;
        let mut tx = self.begin_access().await?;
        let mut row = find(tx.reader(), id).await?;
        let mut problems = Problems::new();
        if let Some(name) = input.name {
            check_name(&name, &mut problems);
            row.name = name;
        }
        let members = match &input.members {
            Some(ids) => {
                let (members, found) = read_members(&mut tx, ids).await?;
                problems.extend(found);
                members
            }
            None => access::members(tx.reader(), vec![row.id]).await?.into_iter().map(|(_, user)| user).collect(),
        };
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        check_name_is_free(&mut tx, &row.name, Some(row.id)).await?;
        access::put_team(&mut tx, &row).await?;
        access::set_members(&mut tx, TeamId(row.id), &members).await?;
        self.commit_access(tx, view(members, row), None).await
    }

    /// Takes a team away; its members stay. What was shared with it is its owners' alone from then on.
    pub async fn team_delete(&mut self, id: &str) -> Result<Written<()>> {
        self.caller.check_admin()?;
        let mut tx = self.begin_access().await?;
        let row = find(tx.reader(), id).await?;
        let (team, now) = (TeamId(row.id), self.now().0);
        access::delete_team(&mut tx, team).await?;
        saved::leave_team(&mut tx, team, now).await?;
        list::leave_team(&mut tx, team, now, self.caller.user).await?;
        self.commit_access(tx, (), None).await
    }
}

fn view(members: Vec<UserId>, row: TeamRow) -> TeamView {
    TeamView { id: TeamId(row.id), name: row.name, members, created_at: Timestamp(row.created_at) }
}

async fn find(reader: &mut Reader, id: &str) -> Result<TeamRow> {
    let missing = || Error::not_found(format!("there is no team `{}`", shortened(id)));
    let id: TeamId = id.parse().map_err(|_| missing())?;
    access::team(reader, id).await?.ok_or_else(missing)
}

fn check_name(name: &str, problems: &mut Problems) {
    if !(1..=255).contains(&name.trim().chars().count()) {
        problems.push(Problem::new("/name", "invalid", "a name has 1 to 255 characters"));
    }
}

async fn check_name_is_free(tx: &mut Tx, name: &str, own: Option<i64>) -> Result<()> {
    match access::team_by_name(tx.reader(), name).await? {
        Some(other) if Some(other.id) != own => {
            let message = format!("`name` must be unique, and team {} already has this value", other.id);
            let taken = Problem::new("/name", "taken", message.clone());
            Err(Error::new(ErrorCode::Conflict, message).with(taken))
        }
        _ => Ok(()),
    }
}

async fn read_members(tx: &mut Tx, ids: &[String]) -> Result<(Vec<UserId>, Problems)> {
    let (mut members, mut problems) = (Vec::new(), Problems::new());
    for (index, id) in ids.iter().enumerate() {
        let found = match id.parse::<UserId>() {
            Ok(user) => access::user(tx.reader(), user).await?.filter(|user| user.archived_at.is_none()),
            Err(_) => None,
        };
        match found {
            Some(user) => members.push(UserId(user.id)),
            None => {
                let message = format!("there is no user `{}`", shortened(id));
                problems.push(Problem::new(format!("/members/{index}"), "not_found", message));
            }
        }
    }
    Ok((members, problems))
}
