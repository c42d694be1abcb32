//! Rows that become users instead of records.

use std::sync::Arc;

use engine_model::Name;
use engine_model::layer::Layer;
use serde_json::{Value, json};

use super::bind::Bound;
use super::layout::Layout;
use super::lookup::Users;
use super::map::UserKey;
use super::outcome::{Ended, Outcome, problems_of};
use super::row::RowDraft;
use crate::access::{NewUser, UserPatch, UserView};
use crate::definitions::catalog::Catalog;
use crate::definitions::effective::Effective;
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::RowProblem;
use crate::session::Session;

/// What users are called as an object of an import.
pub(super) const OBJECT: &str = "user";

/// The catalog in which users are the only object, so that maps fit to them like to any other.
pub(super) fn catalog(session: &Session) -> Result<Catalog> {
    let text = json!({"type": "string"});
    let properties = json!({
        "name": {"type": "string", "required": true, "unique": true},
        "email": {"type": "email", "unique": true},
        "role": text, "time_zone": text, "locale": text,
    });
    let spec = json!({"label": "User", "plural": "people", "display": "{{ name }}", "properties": properties});
    let Value::Object(spec) = spec else { return Err(Error::internal("users are no object")) };
    let name = Name::new(OBJECT).map_err(Error::internal)?;
    let mut layer = Layer { name: "engine".to_owned(), ..Layer::default() };
    layer.objects.insert(name, spec);
    let effective = Arc::new(Effective::fold(vec![Arc::new(layer)]));
    Ok(Catalog::build(session.catalog.version, session.catalog.tenant.clone(), effective))
}

/// Makes or changes the users that rows speak of, each for itself.
pub(super) async fn carry_out(
    session: &mut Session,
    bound: &Bound,
    layout: &Layout,
    users: &mut Users,
    drafts: Vec<RowDraft>,
    is_rehearsal: bool,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for draft in drafts {
        let ended = match draft.problems.as_slice() {
            [] => match carry_out_one(session, bound, users, &draft, is_rehearsal).await {
                Ok(ended) => ended,
                Err(error) if error.code == ErrorCode::Unavailable => return Err(error),
                Err(error) => Ended::Failed(as_properties(problems_of(&error))),
            },
            problems => Ended::Failed(problems.to_vec()),
        };
        outcome.add(layout, &draft, ended);
    }
    Ok(outcome)
}

async fn carry_out_one(
    session: &mut Session,
    bound: &Bound,
    users: &mut Users,
    draft: &RowDraft,
    is_rehearsal: bool,
) -> Result<Ended> {
    let given = |property: &str| draft.value(property).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let by = if bound.key.as_deref() == Some("email") { UserKey::Email } else { UserKey::Name };
    let key = if by == UserKey::Email { "email" } else { "name" };
    let Some(text) = given(key) else {
        let message = format!("`{key}` is required: it says which user is meant");
        return Err(Error::invalid_at(format!("/{key}"), "required", message));
    };
    let known = users.known(by, &text).map_err(|message| Error::invalid_at(format!("/{key}"), "invalid", message))?;
    match known {
        // A row of this rehearsal would have made it.
        Some(Users::REHEARSED) => Ok(Ended::Unchanged),
        Some(user) => {
            let before = session.user(&user.to_string()).await?;
            let Some(patch) = patch(&before, &given) else { return Ok(Ended::Unchanged) };
            if !is_rehearsal {
                session.user_change(&user.to_string(), patch).await?;
            }
            Ok(Ended::Updated)
        }
        None => {
            let new = NewUser {
                name: given("name").unwrap_or_default(),
                email: given("email"),
                role: given("role"),
                teams: Vec::new(),
                time_zone: given("time_zone"),
                locale: given("locale"),
            };
            let (name, email) = (new.name.clone(), new.email.clone());
            let made = if is_rehearsal { Users::REHEARSED } else { session.user_create(new, None).await?.value.id };
            users.add(made, &name, email.map(|email| email.to_lowercase()));
            Ok(Ended::Created)
        }
    }
}

/// What a row changes of a user; none where everything is so already.
fn patch(before: &UserView, given: &impl Fn(&str) -> Option<String>) -> Option<UserPatch> {
    let changed = |name: &str, old: Option<&str>| given(name).filter(|new| old != Some(new.as_str()));
    let patch = UserPatch {
        name: changed("name", Some(&before.name)),
        email: given("email").filter(|new| before.email != Some(new.to_lowercase())).map(Some),
        role: changed("role", Some(&before.role)),
        teams: None,
        time_zone: changed("time_zone", before.time_zone.as_deref()).map(Some),
        locale: changed("locale", before.locale.as_deref()).map(Some),
    };
    let UserPatch { name, email, role, time_zone, locale, .. } = &patch;
    let is_empty = name.is_none() && email.is_none() && role.is_none() && time_zone.is_none() && locale.is_none();
    (!is_empty).then_some(patch)
}

fn as_properties(mut problems: Vec<RowProblem>) -> Vec<RowProblem> {
    for problem in problems.iter_mut().filter(|problem| !problem.pointer.is_empty()) {
        problem.pointer.insert_str(0, "/properties");
    }
    problems
}
