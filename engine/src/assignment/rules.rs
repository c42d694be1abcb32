//! The rules that are in force, and which of them a record goes by.

use std::collections::HashMap;
use std::sync::Arc;

use engine_model::expression::{Expression, Scope};
use engine_model::object::ObjectDefinition;
use engine_model::{Properties, TeamId, UserId};
use engine_store::assignment::{self, RuleRow};
use engine_store::{Reader, access};

use super::rule::users_of;
use super::write::MOST;
use crate::error::Result;
use crate::session::Session;

/// A rule in force.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: i64,
    condition: Option<Expression>,
    /// Those who take turns and are still there.
    pub(crate) users: Vec<UserId>,
    /// The team that the record then belongs to.
    pub(crate) team: Option<TeamId>,
}

/// A tenant's rules, by object, in the order in which they are tried.
#[derive(Debug, Default)]
pub(crate) struct Rules(HashMap<String, Vec<Rule>>);

impl Rules {
    async fn read(reader: &mut Reader) -> Result<Self> {
        let mut rows = assignment::page(reader, None, 0, MOST).await?;
        rows.retain(|row| row.is_active != 0);
        rows.sort_by_key(|row| (row.position, row.id));
        let teams: Vec<i64> = rows.iter().filter_map(|row| row.team_id).collect();
        let members = if teams.is_empty() { Vec::new() } else { access::members(reader, teams).await? };
        let mut named = Vec::new();
        for row in &rows {
            named.extend(users_of(row)?.into_iter().map(|user| user.0));
        }
        named.extend(members.iter().map(|(_, user)| user.0));
        named.sort_unstable();
        named.dedup();
        let there = if named.is_empty() { Vec::new() } else { access::users_among(reader, named).await? };
        let mut rules: HashMap<String, Vec<Rule>> = HashMap::new();
        for row in rows {
            let users = match row.team_id {
                Some(team) => members.iter().filter(|(of, _)| of.0 == team).map(|(_, user)| *user).collect(),
                None => users_of(&row)?,
            };
            let users = users.into_iter().filter(|user| there.contains(user)).collect();
            if let Some(rule) = compiled(&row, users) {
                rules.entry(row.object).or_default().push(rule);
            }
        }
        Ok(Self(rules))
    }

    /// A rule of an object.
    pub(crate) fn rule(&self, object: &str, id: i64) -> Option<&Rule> {
        self.0.get(object)?.iter().find(|rule| rule.id == id)
    }

    /// The first rule that a record meets, and that has somebody to give it to.
    pub(crate) fn fitting(&self, object: &ObjectDefinition, properties: &Properties) -> Option<&Rule> {
        let meets = |rule: &&Rule| {
            // What cannot be told of a record, as of one without the value, is not met.
            let is_met = |condition: &Expression| {
                condition.evaluate_bool(&Scope::for_record(&object.properties, properties)).unwrap_or(false)
            };
            !rule.users.is_empty() && rule.condition.as_ref().is_none_or(is_met)
        };
        self.0.get(object.name.as_str())?.iter().find(meets)
    }
}

/// None where its condition does not read any more, as after a release that reads it more strictly.
fn compiled(row: &RuleRow, users: Vec<UserId>) -> Option<Rule> {
    let condition = match row.condition.as_deref().map(Expression::compile).transpose() {
        Ok(condition) => condition,
        Err(error) => {
            tracing::error!(rule.id = row.id, %error, "the condition of an assignment rule does not read any more");
            return None;
        }
    };
    Some(Rule { id: row.id, condition, users, team: row.team_id.map(TeamId) })
}

impl Session {
    /// The rules in force, as they were at the access version that the caller has; every commit compares that.
    pub(crate) async fn rules(&self) -> Result<Arc<Rules>> {
        let key = (self.tenant(), self.caller.access_version);
        let kept = &self.engine.inner.assignment_rules;
        if let Some(rules) = kept.get(&key).await {
            return Ok(rules);
        }
        let rules = Arc::new(Rules::read(&mut self.reader().await?).await?);
        kept.insert(key, Arc::clone(&rules)).await;
        Ok(rules)
    }
}
