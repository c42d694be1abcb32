//! Reading, making, changing and taking away assignment rules.

use engine_model::{Problem, Problems, TeamId};
use engine_store::assignment::{self, RuleRow};
use engine_store::{Reader, Tx, access, counter};
use serde_json::{Map, Value};

use super::rule::{AssignmentRule, read, spec_of, users_of};
use crate::access::AccessReply;
use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::records::{Page, Written, make_cursor, read_cursor};
use crate::session::{Session, with_current};

/// Most rules of a tenant.
pub(super) const MOST: i64 = 500;

/// What is never missing.
const NEEDED: &str = "label";

impl Session {
    /// One page of the tenant's assignment rules, in the order in which they were made.
    pub async fn assignment_rules(
        &mut self,
        object: Option<&str>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<AssignmentRule>> {
        with_current!(self, self.caller.check_admin())?;
        if let Some(object) = object {
            with_current!(self, self.catalog.object(object).map(drop))?;
        }
        let listed = ["assignment_rules", object.unwrap_or_default()];
        let after = cursor.map_or(Ok(0), |cursor| read_cursor(cursor, &listed))?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let mut rows = assignment::page(&mut self.reader().await?, object, after, wanted).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| make_cursor(&listed, row.id));
        let results = rows.into_iter().map(|row| AssignmentRule::of_row(row, &self.catalog)).collect::<Result<_>>()?;
        Ok(Page { results, next_cursor })
    }

    /// An assignment rule.
    pub async fn assignment_rule(&mut self, id: &str) -> Result<AssignmentRule> {
        with_current!(self, self.caller.check_admin())?;
        let row = find(&mut self.reader().await?, id).await?;
        AssignmentRule::of_row(row, &self.catalog)
    }

    /// Makes a rule, tried after those that its object has unless it says where it stands.
    pub async fn assignment_rule_create(
        &mut self,
        spec: Map<String, Value>,
        reply: Option<AccessReply<AssignmentRule>>,
    ) -> Result<Written<AssignmentRule>> {
        with_current!(self, self.caller.check_admin())?;
        self.refresh().await?;
        let now = self.now().0;
        let mut tx = self.begin_access().await?;
        let rows = assignment::page(tx.reader(), None, 0, MOST).await?;
        if i64::try_from(rows.len()).is_ok_and(|count| count >= MOST) {
            let message = format!("a tenant has at most {MOST} assignment rules");
            return Err(Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new("", "too_many", message)));
        }
        let of_object = rows.iter().filter(|row| spec.get("object").is_some_and(|object| *object == *row.object));
        let position = of_object.map(|row| row.position).max().unwrap_or(0) + 1;
        let row = RuleRow {
            id: 0,
            object: String::new(),
            label: String::new(),
            position,
            condition: None,
            users: String::new(),
            team_id: None,
            is_active: 1,
            created_at: now,
            updated_at: now,
        };
        let mut row = self.checked_rule(&mut tx, row, &spec, &[], Problems::new()).await?;
        row.id = counter::next(&mut tx, "assignment_rule").await?;
        self.put_rule(tx, row, reply).await
    }

    /// Changes a rule: what is given replaces what was there, null takes it away; `users` takes the place of a `team`,
    /// and a `team` that of `users`.
    pub async fn assignment_rule_change(
        &mut self,
        id: &str,
        patch: Map<String, Value>,
    ) -> Result<Written<AssignmentRule>> {
        with_current!(self, self.caller.check_admin())?;
        self.refresh().await?;
        let mut tx = self.begin_access().await?;
        let row = find(tx.reader(), id).await?;
        let mut spec = spec_of(&row)?;
        let known = AssignmentRule::of_row(row.clone(), &self.catalog)?.warnings;
        let mut problems = Problems::new();
        let mut patch = patch;
        if patch.shift_remove("object").is_some_and(|object| !object.is_null() && object != *row.object) {
            let message = "a rule stays with its object; make another one";
            problems.push(Problem::new("/object", "immutable", message));
        }
        for (key, other) in [("users", "team"), ("team", "users")] {
            if patch.get(key).is_some_and(|value| !value.is_null()) && !patch.contains_key(other) {
                spec.shift_remove(other);
            }
        }
        for (key, value) in patch {
            match value {
                Value::Null if key == NEEDED => {}
                Value::Null => drop(spec.shift_remove(&key)),
                value => drop(spec.insert(key, value)),
            }
        }
        // Somebody gets the records; only others take that away from them.
        if !spec.contains_key("users") && !spec.contains_key("team") {
            let before = spec_of(&row)?.into_iter().filter(|(key, _)| key == "users" || key == "team");
            spec.extend(before);
        }
        let row = RuleRow { updated_at: self.now().0, ..row };
        let row = self.checked_rule(&mut tx, row, &spec, &known, problems).await?;
        self.put_rule(tx, row, None).await
    }

    /// Takes a rule away; records that went by it keep their owners.
    pub async fn assignment_rule_delete(&mut self, id: &str) -> Result<Written<()>> {
        with_current!(self, self.caller.check_admin())?;
        let mut tx = self.begin_access().await?;
        let row = find(tx.reader(), id).await?;
        assignment::delete(&mut tx, row.id).await?;
        self.commit_access(tx, (), None).await
    }

    async fn put_rule(
        &mut self,
        mut tx: Tx,
        row: RuleRow,
        reply: Option<AccessReply<AssignmentRule>>,
    ) -> Result<Written<AssignmentRule>> {
        assignment::put(&mut tx, &row).await?;
        let value = AssignmentRule::of_row(row, &self.catalog)?;
        self.commit_access(tx, value, reply).await
    }

    /// The row that a body makes; everything that is wrong with it at once.
    async fn checked_rule(
        &self,
        tx: &mut Tx,
        row: RuleRow,
        spec: &Map<String, Value>,
        known: &[Problem],
        mut problems: Problems,
    ) -> Result<RuleRow> {
        let (team, before) = (row.team_id, if row.id == 0 { Vec::new() } else { users_of(&row)? });
        let row = read(row, spec, &self.catalog, known, &mut problems);
        let users = users_of(&row)?;
        let ids = users.iter().map(|user| user.0).collect();
        let there = access::users_among(tx.reader(), ids).await?;
        // Who has left since is passed over, and stands in the way of no other change.
        for (index, user) in
            users.iter().enumerate().filter(|(_, user)| !there.contains(user) && !before.contains(user))
        {
            problems.push(Problem::new(format!("/users/{index}"), "not_found", format!("there is no user `{user}`")));
        }
        if let Some(team) = row.team_id.filter(|named| Some(*named) != team)
            && access::team(tx.reader(), TeamId(team)).await?.is_none()
        {
            problems.push(Problem::new("/team", "not_found", format!("there is no team `{team}`")));
        }
        if problems.is_empty() { Ok(row) } else { Err(Error::invalid(problems)) }
    }
}

async fn find(reader: &mut Reader, id: &str) -> Result<RuleRow> {
    let missing = || Error::not_found(format!("there is no assignment rule `{}`", shortened(id)));
    let number: i64 = id.parse().ok().filter(|number| *number > 0).ok_or_else(missing)?;
    assignment::get(reader, number).await?.ok_or_else(missing)
}
