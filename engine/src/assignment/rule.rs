//! An assignment rule: what is read of it, and what is answered.

use engine_model::expression::{Expression, Types, check_condition};
use engine_model::spec::SpecReader;
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, TeamId, UserId};
use engine_store::assignment::RuleRow;
use serde_json::{Map, Value, json};

use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, Result};
use crate::saved::check_texts;

/// Most users of one rule.
const MOST_USERS: usize = 1_000;
/// Characters of a label.
const LONGEST_LABEL: usize = 255;
/// Positions count up to this.
const LAST_POSITION: u64 = 1_000_000;

/// An assignment rule as answered.
#[derive(Debug, Clone)]
pub struct AssignmentRule {
    /// Identifier in the tenant.
    pub id: i64,
    /// The object whose records it is about.
    pub object: String,
    /// What people read.
    pub label: String,
    /// Rules of an object are tried from the lowest on.
    pub position: i64,
    /// CEL that a record must meet; every record does where there is none.
    pub when: Option<String>,
    /// Those who take turns.
    pub users: Vec<UserId>,
    /// The team whose members take turns, which its records then belong to.
    pub team: Option<TeamId>,
    /// Whether it is applied.
    pub is_active: bool,
    /// What it names that is not there any more.
    pub warnings: Problems,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl AssignmentRule {
    pub(super) fn of_row(row: RuleRow, catalog: &Catalog) -> Result<Self> {
        let mut warnings = Problems::new();
        check_object(&row.object, catalog, &mut warnings);
        if let Some(condition) = &row.condition {
            check_when(condition, &row.object, catalog, &mut warnings);
        }
        Ok(Self {
            id: row.id,
            users: users_of(&row)?,
            object: row.object,
            label: row.label,
            position: row.position,
            when: row.condition,
            team: row.team_id.map(TeamId),
            is_active: row.is_active != 0,
            warnings,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        })
    }
}

/// Those whom a stored rule names.
pub(super) fn users_of(row: &RuleRow) -> Result<Vec<UserId>> {
    let ids: Vec<i64> = serde_json::from_str(&row.users).map_err(Error::internal)?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// A rule as a body would have it.
pub(super) fn spec_of(row: &RuleRow) -> Result<Map<String, Value>> {
    let users: Vec<Value> = users_of(row)?.into_iter().map(|user| user.to_string().into()).collect();
    let mut spec = Map::from_iter([
        ("object".to_owned(), json!(row.object)),
        ("label".to_owned(), json!(row.label)),
        ("position".to_owned(), json!(row.position)),
        ("active".to_owned(), json!(row.is_active != 0)),
    ]);
    spec.extend(row.condition.as_ref().map(|when| ("when".to_owned(), json!(when))));
    match row.team_id {
        Some(team) => drop(spec.insert("team".to_owned(), json!(team.to_string()))),
        None => drop(spec.insert("users".to_owned(), Value::Array(users))),
    }
    Ok(spec)
}

/// Reads `{object, label, when?, users or team, position?, active?}` into a row; who it names has to be looked up still.
///
/// `known` was wrong before, as what it speaks of is not there any more, and stands in the way of nothing else.
pub(super) fn read(
    row: RuleRow,
    spec: &Map<String, Value>,
    catalog: &Catalog,
    known: &[Problem],
    problems: &mut Problems,
) -> RuleRow {
    let mut reader = SpecReader::of_map(spec, "", problems);
    let object = required(&mut reader, "object").unwrap_or_default();
    let label = required(&mut reader, "label").unwrap_or_default();
    if label.chars().count() > LONGEST_LABEL {
        reader.problem("label", "invalid", format!("a label has at most {LONGEST_LABEL} characters"));
    }
    let condition = reader.string("when").map(str::to_owned);
    for key in ["label", "when"] {
        let at = reader.pointer_of(key);
        spec.get(key).into_iter().for_each(|text| check_texts(text, &at, reader.problems()));
    }
    let users = reader.strings("users").map(|users| users.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let team = reader.string("team").map(str::to_owned);
    let position = reader.count("position");
    if position.is_some_and(|position| !(1..=LAST_POSITION).contains(&position)) {
        reader.problem("position", "invalid", format!("positions are 1 to {LAST_POSITION}"));
    }
    let is_active = reader.boolean("active").unwrap_or(true);
    match (&users, &team) {
        (None, None) if !spec.contains_key("users") && !spec.contains_key("team") => {
            reader.problem("users", "required", "`users` or `team` says who gets the records");
        }
        (Some(_), Some(_)) => reader.problem("team", "not_applicable", "either `users` or `team` gets the records"),
        (Some(users), None) if users.is_empty() || users.len() > MOST_USERS => {
            reader.problem("users", "invalid", format!("1 to {MOST_USERS} users take turns"));
        }
        _ => {}
    }
    reader.finish();
    let users = read_users(users.unwrap_or_default(), problems);
    let mut found = Problems::new();
    if check_object(&object, catalog, &mut found)
        && let Some(condition) = &condition
    {
        check_when(condition, &object, catalog, &mut found);
    }
    // Without a name that has been told already.
    found.retain(|problem| !(known.contains(problem) || object.is_empty() && problem.pointer == "/object"));
    problems.extend(found);
    let team_id = team.and_then(|team| read_team(&team, problems));
    RuleRow {
        object,
        label,
        position: position.and_then(|position| i64::try_from(position).ok()).unwrap_or(row.position),
        condition,
        users: json!(users).to_string(),
        team_id,
        is_active: i64::from(is_active),
        ..row
    }
}

fn required(reader: &mut SpecReader<'_>, key: &'static str) -> Option<String> {
    if reader.value(key).is_none() {
        reader.missing(key);
        return None;
    }
    let text = reader.string(key)?.trim();
    if text.is_empty() {
        reader.problem(key, "invalid", format!("`{key}` is empty"));
        return None;
    }
    Some(text.to_owned())
}

fn read_users(texts: Vec<String>, problems: &mut Problems) -> Vec<i64> {
    let mut users: Vec<i64> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let at = format!("/users/{index}");
        match text.parse::<UserId>() {
            Ok(user) if users.contains(&user.0) => {
                problems.push(Problem::new(at, "duplicate", format!("user {user} is named twice")));
            }
            Ok(user) => users.push(user.0),
            Err(_) => problems.push(Problem::new(at, "not_found", format!("there is no user `{}`", shortened(text)))),
        }
    }
    users
}

fn read_team(text: &str, problems: &mut Problems) -> Option<i64> {
    let team = text.parse::<TeamId>().map(|team| team.0).ok();
    if team.is_none() {
        problems.push(Problem::new("/team", "not_found", format!("there is no team `{}`", shortened(text))));
    }
    team
}

/// There is such an object.
fn check_object(name: &str, catalog: &Catalog, problems: &mut Problems) -> bool {
    match catalog.object(name) {
        Ok(_) => true,
        Err(error) => {
            problems.push(Problem::new("/object", "unknown", error.detail));
            false
        }
    }
}

/// The condition can be true or false of the object's records.
fn check_when(source: &str, object: &str, catalog: &Catalog, problems: &mut Problems) {
    let expression = match Expression::compile(source) {
        Ok(expression) => expression,
        Err(error) => return problems.push(Problem::new("/when", "invalid_expression", error.to_string())),
    };
    if let Ok(object) = catalog.object(object) {
        let is_archived = |name: &&str| object.properties.get(*name).is_some_and(|property| property.archived);
        for name in expression.names().filter(is_archived) {
            let message = format!("the property `{name}` of `{}` is archived", object.name);
            problems.push(Problem::new("/when", "unknown_property", message));
        }
        let found = check_condition(&expression, &Types::of(&object.properties));
        problems.extend(found.into_iter().map(|problem| problem.at("/when")));
        problems.extend(catalog.effective.registry.rule_over_moments(object, &expression, "/when"));
    }
}
