//! Making, changing and taking away roles of a tenant's own.

use engine_model::access::Role;
use engine_model::behavior::RoleDefinition;
use engine_model::problem::push_segment;
use engine_model::{Name, Problem, Problems};
use engine_store::Tx;
use engine_store::role::{self, RoleRow};
use serde_json::{Map, Value};

use super::shown::RoleView;
use super::{MOST, pack_roles};
use crate::access::AccessReply;
use crate::definitions::take_name;
use crate::error::{Error, ErrorCode, Result};
use crate::records::Written;
use crate::session::{Session, with_current};

/// Users and tokens that are named where they are in the way.
const NAMED: i64 = 5;

impl Session {
    /// Makes a role, as a pack would define it: `{name, label, objects, properties, admin}`.
    pub async fn role_create(
        &mut self,
        body: Map<String, Value>,
        reply: Option<AccessReply<RoleView>>,
    ) -> Result<Written<RoleView>> {
        with_current!(self, self.caller.check_admin())?;
        self.refresh().await?;
        let (mut body, mut problems) = (body, Problems::new());
        let name = take_name(&mut body, &mut problems)?;
        let at = self.now();
        let mut tx = self.begin_access().await?;
        problems.extend(self.role_problems(&name, &body, |_| true));
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        self.check_gives_rights(&name, &body)?;
        if role::get(tx.reader(), &name).await?.is_some() {
            let message = format!("there is a role `{name}` already");
            return Err(Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new("/name", "taken", message)));
        }
        if i64::try_from(role::list(tx.reader(), "", MOST).await?.len()).is_ok_and(|count| count >= MOST) {
            let message = format!("a tenant has at most {MOST} roles of its own");
            return Err(Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new("", "too_many", message)));
        }
        let row = RoleRow { name: name.to_string(), spec: text(body), created_at: at.0, updated_at: at.0 };
        role::put(&mut tx, &row).await?;
        let view = self.own_role(&row)?;
        self.commit_access(tx, view, reply).await
    }

    /// Changes a role: what is given is laid over what it has, null takes away.
    pub async fn role_change(&mut self, name: &str, patch: Map<String, Value>) -> Result<Written<RoleView>> {
        with_current!(self, self.caller.check_admin())?;
        self.refresh().await?;
        let at = self.now();
        let mut tx = self.begin_access().await?;
        let before = self.own(&mut tx, name).await?;
        let name = Name::new(&before.name).map_err(Error::internal)?;
        let mut problems = Problems::new();
        let mut patch = patch;
        if patch.shift_remove("name").is_some_and(|given| given.as_str() != Some(name.as_str())) {
            problems.push(Problem::new("/name", "immutable", "a name cannot be changed"));
        }
        let mut spec: Map<String, Value> = serde_json::from_str(&before.spec).map_err(Error::internal)?;
        // What is not there any more and stays as it was is no reason to refuse the rest.
        let places: Vec<String> = ["objects", "properties"]
            .into_iter()
            .flat_map(|section| {
                let names = patch.get(section).and_then(Value::as_object).into_iter().flat_map(Map::keys);
                names.map(move |name| push_segment(&format!("/{section}"), name))
            })
            .collect();
        lay(&mut spec, patch);
        problems.extend(self.role_problems(&name, &spec, |problem| places.contains(&problem.pointer)));
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        self.check_gives_rights(&name, &spec)?;
        let row = RoleRow { spec: text(spec), updated_at: at.0, ..before };
        role::put(&mut tx, &row).await?;
        let view = self.own_role(&row)?;
        self.commit_access(tx, view, None).await
    }

    /// Takes a role away that nobody has. A pack's role of the same name is in force from then on.
    pub async fn role_delete(&mut self, name: &str) -> Result<Written<()>> {
        with_current!(self, self.caller.check_admin())?;
        self.refresh().await?;
        let mut tx = self.begin_access().await?;
        let row = self.own(&mut tx, name).await?;
        let users = role::users_with(tx.reader(), &row.name, NAMED + 1).await?;
        let tokens = role::tokens_with(tx.reader(), &row.name, NAMED + 1).await?;
        let users: Vec<String> = users.into_iter().map(|user| format!("user {user}")).collect();
        let holders: Vec<String> =
            users.into_iter().chain(tokens.into_iter().map(|id| format!("token {id}"))).collect();
        if !holders.is_empty() {
            let shown = usize::try_from(NAMED).unwrap_or_default();
            let more = if holders.len() > shown { " and others" } else { "" };
            let listed = holders.iter().take(shown).cloned().collect::<Vec<_>>().join(", ");
            let message = format!("the role `{}` is in use by {listed}{more}; give them another one first", row.name);
            let mut problem = Problem::new("", "in_use", message.clone());
            problem.samples = holders.into_iter().take(shown).collect();
            return Err(Error::new(ErrorCode::Conflict, message).with(problem));
        }
        role::delete(&mut tx, &row.name).await?;
        self.commit_access(tx, (), None).await
    }

    /// A role that the tenant may change.
    async fn own(&self, tx: &mut Tx, name: &str) -> Result<RoleRow> {
        if let Some(row) = role::get(tx.reader(), name).await? {
            return Ok(row);
        }
        let refuse = |message: String| {
            let problem = Problem::new("", "immutable", message.clone());
            Err(Error::new(ErrorCode::Conflict, message).with(problem))
        };
        if Role::built_in(name).is_some() {
            return refuse(format!(
                "`{name}` is a role that every tenant has, and stays as it is; make one of your own"
            ));
        }
        if let Some((_, layer, ..)) = pack_roles(&self.catalog).find(|(_, _, known, _)| *known == name) {
            return refuse(format!(
                "`{name}` is a role of the pack `{layer}`; make one of your own of this name, which then wins"
            ));
        }
        Err(self.no_role(tx.reader(), name).await?)
    }

    /// What is wrong with a role, and what it names that is not there, where that is to be told.
    fn role_problems(&self, name: &Name, spec: &Map<String, Value>, is_told: impl Fn(&Problem) -> bool) -> Problems {
        let read = RoleDefinition::of_tenant(name, spec, Some(&self.catalog.effective.registry));
        read.problems.into_iter().chain(read.unknown.into_iter().filter(is_told)).collect()
    }

    /// Nobody makes a role that allows more than they may themselves.
    fn check_gives_rights(&self, name: &Name, spec: &Map<String, Value>) -> Result<()> {
        let role = RoleDefinition::of_tenant(name, spec, None).role;
        let (_, definition) = role.ok_or_else(|| Error::internal("a role that reads does not read"))?;
        match Role::defined(name, &definition).rights.excess_over(&self.caller.rights) {
            None => Ok(()),
            Some(excess) => {
                let message = format!("nobody gives rights that they do not have: this role would allow {excess}");
                Err(Error::forbidden(message.clone()).with(Problem::new("", "forbidden", message)))
            }
        }
    }
}

/// Lays a change over what is there: maps are merged, null takes away, everything else replaces.
fn lay(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (_, Value::Null) => drop(base.shift_remove(&key)),
            (Some(Value::Object(present)), Value::Object(value)) => lay(present, value),
            (_, value) => drop(base.insert(key, value)),
        }
    }
}

fn text(spec: Map<String, Value>) -> String {
    Value::Object(spec).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_is_laid_over_what_is_there() {
        let map = |value: Value| value.as_object().cloned().expect("an object");
        let mut base =
            map(json!({"label": "A", "objects": {"deal": {"read": "all", "update": "own"}, "task": {"read": "own"}}}));
        lay(
            &mut base,
            map(json!({"label": null, "objects": {"deal": {"update": "none"}, "task": null}, "admin": false})),
        );
        assert_eq!(
            Value::Object(base),
            json!({"objects": {"deal": {"read": "all", "update": "none"}}, "admin": false})
        );
    }
}
