//! What is saved is right: what it says, whom it is shared with, and what it shows.

use std::collections::HashMap;

use engine_model::behavior::{Behavior, Content, Section};
use engine_model::problem::push_segment;
use engine_model::{Problem, Problems, TeamId};
use engine_store::saved::SavedRow;
use engine_store::{Reader, access};
use serde_json::{Map, Value};

use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::lists::Why;
use crate::session::Session;

impl Session {
    /// The row that says what is written; every mistake in it at once.
    ///
    /// `known` was wrong before, as something that is not there any more, and stands in the way of nothing else.
    pub(super) async fn saved_as(
        &self,
        reader: &mut Reader,
        section: Section,
        row: SavedRow,
        mut spec: Map<String, Value>,
        known: &[Problem],
    ) -> Result<SavedRow> {
        let mut problems = Problems::new();
        let team = spec.shift_remove("team").filter(|team| !team.is_null());
        let sharing = spec.entry("sharing").or_insert_with(|| "private".into());
        if sharing.as_str() == Some("shared") {
            *sharing = "everyone".into();
        }
        for (key, value) in &spec {
            check_texts(value, &push_segment("", key), &mut problems);
        }
        let behavior = Behavior::as_far_of_user(section, &spec, &mut problems);
        // What was saved so once stands in the way of no other change.
        let before: Map<String, Value> = serde_json::from_str(&row.spec).unwrap_or_default();
        let changed = |key: &str| spec.get(key).filter(|value| before.get(key) != Some(value));
        problems.extend(check_label(changed("label")));
        problems.extend(repeated(changed("columns")));
        if let Some(behavior) = &behavior {
            let found = self.wrong_for_caller(behavior);
            problems.extend(found.into_iter().filter(|problem| !known.contains(problem)));
            if changed("items").is_some() {
                self.check_items(reader, behavior, &mut problems).await?;
            }
            let filter = filter_of(behavior).filter(|_| changed("filter").is_some());
            let lists = self.lists_out_of_reach(reader, filter).await?;
            let lists = lists.into_iter().filter(|list| list.why != Why::AsksHidden);
            problems.extend(lists.map(|list| no_list(list.at, &list.id)));
        }
        let sharing = spec.get("sharing").and_then(Value::as_str).unwrap_or_default();
        let team_id = self.read_team(reader, team, sharing == "team", row.team_id, &mut problems).await?;
        match behavior {
            Some(behavior) if problems.is_empty() => Ok(SavedRow {
                object: behavior.object().map(str::to_owned),
                label: behavior.label.clone(),
                sharing: behavior.sharing().to_owned(),
                team_id: team_id.map(|team| team.0),
                spec: Value::Object(spec).to_string(),
                ..row
            }),
            _ => Err(Error::invalid(problems)),
        }
    }

    /// The team that is given; the only one that the user is in where none is. The one that it `had` may stay.
    pub(crate) async fn read_team(
        &self,
        reader: &mut Reader,
        given: Option<Value>,
        is_shared: bool,
        had: Option<i64>,
        problems: &mut Problems,
    ) -> Result<Option<TeamId>> {
        let tell = |problems: &mut Problems, code: &'static str, message: String| {
            problems.push(Problem::new("/team", code, message));
        };
        let Some(given) = given else {
            match self.caller.teams.as_slice() {
                [only] if is_shared => return Ok(Some(*only)),
                _ if is_shared => tell(problems, "required", "`team` says which team it is shared with".to_owned()),
                _ => {}
            }
            return Ok(None);
        };
        if !is_shared {
            let message = "only what has `sharing: team` is shared with one".to_owned();
            tell(problems, "not_applicable", message);
            return Ok(None);
        }
        let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
        let Ok(team) = text.parse::<TeamId>() else {
            tell(problems, "not_found", format!("there is no team `{}`", shortened(&text)));
            return Ok(None);
        };
        let is_there = access::team(reader, team).await?.is_some();
        let may = self.caller.teams.contains(&team) || had == Some(team.0) || self.caller.check_admin().is_ok();
        if !is_there {
            tell(problems, "not_found", format!("there is no team `{team}`"));
        } else if !may {
            tell(problems, "forbidden", format!("you are not in team {team}"));
        }
        Ok(Some(team))
    }

    /// What a dashboard shows of what users have saved has to be there, for whoever saves the dashboard.
    async fn check_items(&self, reader: &mut Reader, behavior: &Behavior, problems: &mut Problems) -> Result<()> {
        let Content::Dashboard(dashboard) = &behavior.content else { return Ok(()) };
        for (index, item) in dashboard.items.iter().enumerate().filter(|(_, item)| item.is_saved()) {
            let kind = item.section.kind();
            match self.saved_row(reader, item.section, &item.of).await {
                Ok(_) => {}
                Err(error) if error.code == ErrorCode::NotFound => {
                    problems.push(Problem::new(format!("/items/{index}/{kind}"), "unknown", error.detail));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// That there is no list, or none for the caller.
pub(super) fn no_list(at: String, id: &str) -> Problem {
    Problem::new(at, "unknown", format!("there is no list `{}`", shortened(id)))
}

/// What people read says something.
fn check_label(label: Option<&Value>) -> Option<Problem> {
    let is_empty = label?.as_str().is_some_and(|label| label.trim().is_empty());
    is_empty.then(|| Problem::new("/label", "required", "`label` is what people read; it cannot be empty"))
}

/// Columns that stand there already.
fn repeated(columns: Option<&Value>) -> Problems {
    let columns = columns.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut problems = Problems::new();
    for (index, column) in columns.iter().enumerate() {
        let Some(column) = column.as_str() else { continue };
        if let Some(first) = first.get(column) {
            let message = format!("`{}` is shown at `/columns/{first}` already", shortened(column));
            problems.push(Problem::new(format!("/columns/{index}"), "duplicate", message));
        } else {
            first.insert(column, index);
        }
    }
    problems
}

/// What records have to meet.
pub(super) fn filter_of(behavior: &Behavior) -> Option<&Value> {
    match &behavior.content {
        Content::View(view) => view.filter.as_ref(),
        Content::Report(report) => report.filter.as_ref(),
        Content::Dashboard(_) | Content::Workflow(_) | Content::Activity(_) | Content::Score(_) | Content::Role(_) => {
            None
        }
    }
}

/// Neither store keeps U+0000 in a text, so that both refuse it alike.
pub(crate) fn check_texts(value: &Value, at: &str, problems: &mut Problems) {
    const MESSAGE: &str = "the character U+0000 cannot be stored";
    match value {
        Value::String(text) if text.contains('\0') => problems.push(Problem::new(at, "invalid", MESSAGE)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| check_texts(value, &format!("{at}/{index}"), problems));
        }
        Value::Object(map) => {
            for (key, value) in map {
                let at = push_segment(at, key);
                if key.contains('\0') {
                    problems.push(Problem::new(at.as_str(), "invalid", MESSAGE));
                }
                check_texts(value, &at, problems);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
