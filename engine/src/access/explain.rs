//! Why somebody may do something with records, or may not.

use std::collections::HashSet;
use std::sync::Arc;

use engine_model::access::{Action, Asked, Decision, Party, Place, Source, Viewer, explain};
use engine_model::name::did_you_mean;
use engine_model::{TeamId, UserId};
use engine_store::access;
use engine_store::record::{self, Key, RecordRow};

use super::Roles;
use crate::caller::{Company, Standing};
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::records::bad_parameter;
use crate::session::Session;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct AccessQuestion {
    /// Id of the user it is about; the caller without one.
    pub user: Option<String>,
    /// The object's name; that of the record without one.
    pub object: Option<String>,
    /// Id or uid of the record; without one, whether there could be any.
    pub record: Option<String>,
    /// `create`, `read`, `update` or `archive`.
    pub action: Option<String>,
    /// A property of it.
    pub property: Option<String>,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct ExplainedAccess {
    /// Whether it is allowed, why, and what was looked at.
    pub decision: Decision,
}

/// Who is asked about.
struct Subject {
    user: UserId,
    parties: Arc<[Party]>,
    teams: Vec<TeamId>,
    mates: HashSet<UserId>,
}

impl Subject {
    fn place(&self, standing: Standing) -> Place {
        let viewer = Viewer { user: self.user, mates: &self.mates, teams: &self.teams };
        viewer.place(standing.owner, standing.team)
    }
}

impl Session {
    /// Whether somebody may do something, and why. Administrators ask about anybody, others about themselves.
    pub async fn access_explain(&mut self, question: &AccessQuestion) -> Result<ExplainedAccess> {
        self.wait_for_position().await?;
        self.refresh().await?;
        let action = read_action(question.action.as_deref())?;
        let subject = self.subject(question.user.as_deref()).await?;
        let row = match &question.record {
            Some(id) => Some(self.asked_record(id, question.object.as_deref()).await?),
            None => None,
        };
        let name = row.as_ref().map(|row| row.object.as_str()).or(question.object.as_deref());
        let name = name.ok_or_else(|| bad_parameter("object", "`object` or `record` is required"))?;
        let object = self.catalog.object(name).map_err(|error| bad_parameter("object", error.detail))?;
        let property = match &question.property {
            None => None,
            Some(name) => Some(object.property_called(name).ok_or_else(|| {
                let hint = object.property_hint(name, self.catalog.seen_by(&self.caller.rights, object));
                bad_parameter("property", format!("`{}` is no property of `{}`{hint}", shortened(name), object.name))
            })?),
        };
        let is_of_record = action != Action::Create;
        let place = row.as_ref().filter(|_| is_of_record).map(|row| subject.place(Standing::from(row)));
        let asked = Asked { action, object, place, property };
        let decision = explain(&subject.parties, &asked, &self.catalog.effective.registry);
        Ok(ExplainedAccess { decision })
    }

    async fn subject(&self, user: Option<&str>) -> Result<Subject> {
        let own = self.caller.user.to_string();
        let Some(id) = user.filter(|user| *user != own) else {
            let caller = &self.caller;
            let (parties, teams) = (Arc::clone(&caller.parties), caller.teams.clone());
            return Ok(Subject { user: caller.user, parties, teams, mates: caller.team_mates.clone() });
        };
        self.caller.check_admin()?;
        let missing = || Error::not_found(format!("there is no user `{}`", shortened(id)));
        let user: UserId = id.parse().map_err(|_| missing())?;
        let mut reader = self.reader().await?;
        let row = access::user(&mut reader, user).await?.filter(|row| row.archived_at.is_none());
        let row = row.ok_or_else(missing)?;
        let Company { teams, mates } = Company::of(&mut reader, user).await?;
        let roles = Roles::among(&self.engine, reader, &[&row.role]).await?;
        let rights = roles.role(&row.role).rights;
        let parties = Arc::new([Party { source: Source::UserRole, name: row.role, rights }]);
        Ok(Subject { user, parties, teams, mates })
    }

    /// The record that is asked about. Of what they may not see, only administrators learn that it is there.
    async fn asked_record(&self, id: &str, object: Option<&str>) -> Result<RecordRow> {
        let missing = || match object {
            Some(object) => Error::not_found(format!("there is no `{}` record `{}`", shortened(object), shortened(id))),
            None => Error::not_found(format!("there is no record `{}`", shortened(id))),
        };
        let key = Key::of(id).ok_or_else(missing)?;
        let (_, row) = record::get(&mut self.reader().await?, &key).await?;
        let row = row.filter(|row| object.is_none_or(|object| row.object == object)).ok_or_else(missing)?;
        let may_know = self.caller.rights.admin || self.caller.may(Action::Read, &row.object, &row);
        if may_know && self.catalog.object(&row.object).is_ok() { Ok(row) } else { Err(missing()) }
    }
}

fn read_action(text: Option<&str>) -> Result<Action> {
    let names = || Action::ALL.into_iter().map(Action::as_str);
    let text = text.ok_or_else(|| {
        let known = names().collect::<Vec<_>>().join(", ");
        bad_parameter("action", format!("`action` is required: one of {known}"))
    })?;
    Action::ALL.into_iter().find(|action| action.as_str() == text).ok_or_else(|| {
        let known = names().collect::<Vec<_>>().join(", ");
        let hint = did_you_mean(text, names());
        bad_parameter("action", format!("`{}` is none of {known}{hint}", shortened(text)))
    })
}
