//! The records that a view shows.

use engine_model::behavior::{Content, Section, View};
use engine_model::json::read;
use engine_model::object::SYSTEM_FIELDS;
use engine_model::query::QueryText;
use engine_model::{Problem, Problems};
use serde_json::{Map, Value, json};

use super::item::{Known, SavedItem};
use super::seen::check_hidden;
use crate::error::{Error, ErrorCode, Result};
use crate::query::SearchAnswer;
use crate::session::Session;

/// Name of the table that has the groups of a view.
const GROUPS: &str = "groups";

/// Which of a view's records are wanted.
#[derive(Debug, Clone, Default)]
pub struct ViewPage {
    /// Records on the page.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Only those with these words.
    pub q: Option<String>,
}

/// A view and a page of its records.
#[derive(Debug)]
pub struct ViewRecords {
    /// The view, with what of it is left out since it is not there any more.
    pub view: SavedItem,
    /// The page; with a `group`, a table `groups` counts the records of each.
    pub found: SearchAnswer,
}

impl Session {
    /// The records that a view shows to the caller.
    pub async fn view_records(&mut self, id: &str, page: &ViewPage) -> Result<ViewRecords> {
        self.refresh().await?;
        let (item, view) = self.view_known(id).await?;
        let text = query_of(&view, page, &item.warnings)?;
        let found = self.record_search(&view.object, &text, Vec::new()).await.map_err(of_page)?;
        Ok(ViewRecords { view: item, found })
    }

    /// A view, without what of it is not there any more or the caller may not see. One that filters by what the caller
    /// may not see is refused: with other records it would be another view.
    pub(crate) async fn view_known(&self, id: &str) -> Result<(SavedItem, View)> {
        let Known { item, behavior, hidden } = self.saved_known(Section::Views, id).await?;
        let Some(Content::View(mut view)) = behavior.map(|behavior| behavior.content) else {
            return Err(Error::invalid(item.warnings));
        };
        self.catalog.object(&view.object)?;
        check_hidden(hidden.iter().filter(|problem| problem.pointer.starts_with("/filter")).cloned())?;
        view.sort = view.sort.take().and_then(|sort| without_keys(sort, &hidden));
        let is_gone = |at: &str| item.warnings.iter().any(|warning| warning.pointer == at);
        let has_columns = !view.columns.is_empty();
        let columns = std::mem::take(&mut view.columns).into_iter().enumerate();
        let shown = columns.filter(|(index, _)| !is_gone(&format!("/columns/{index}")));
        view.columns = shown.map(|(_, column)| column).collect();
        if has_columns && view.columns.is_empty() {
            // None would mean all.
            view.columns.push("id".to_owned());
        }
        Ok((item, view))
    }
}

/// An order without the keys that the caller may not see.
fn without_keys(sort: Value, hidden: &[Problem]) -> Option<Value> {
    let is_hidden = |at: &str| {
        let mut below = hidden.iter().filter_map(|problem| problem.pointer.strip_prefix(at));
        below.any(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match sort {
        Value::Array(keys) => {
            let keys = keys.into_iter().enumerate().filter(|(index, _)| !is_hidden(&format!("/sort/{index}")));
            Some(keys.map(|(_, key)| key).collect())
        }
        other => Some(other).filter(|_| !is_hidden("/sort")),
    }
}

/// What of a view is not there any more is left out where the rest goes on without it.
fn query_of(view: &View, page: &ViewPage, warnings: &[Problem]) -> Result<QueryText> {
    let is_gone = |at: &str| warnings.iter().any(|warning| warning.pointer == at);
    let mut query = Map::from_iter([("limit".to_owned(), json!(page.limit)), ("count".to_owned(), json!(true))]);
    let mut put = |key: &str, value: Option<Value>| query.extend(value.map(|value| (key.to_owned(), value)));
    put("filter", view.filter.clone());
    put("sort", view.sort.clone());
    put("cursor", page.cursor.clone().map(Value::from));
    put("q", page.q.clone().map(Value::from));
    // Fields come with every record, and are not asked for.
    let columns = view.columns.iter().filter(|column| !SYSTEM_FIELDS.contains(&column.as_str()));
    put("select", (!view.columns.is_empty()).then(|| json!(columns.collect::<Vec<_>>())));
    if let Some(group) = view.group.as_ref().filter(|_| !is_gone("/group")) {
        put("aggregate", Some(json!({GROUPS: {"group": [group], "measures": {"n": {"count": true}}}})));
    }
    read_query(&query)
}

/// A search as it would be sent.
pub(crate) fn read_query(query: &Map<String, Value>) -> Result<QueryText> {
    let raw = serde_json::value::to_raw_value(query).map_err(Error::internal)?;
    read::<QueryText>(&raw).map_err(Error::invalid)
}

/// What is wrong with the page stands in the query string; anything else, in the view.
fn of_page(mut error: Error) -> Error {
    let of_page = |problem: &Problem| ["/cursor", "/q", "/limit"].contains(&problem.pointer.as_str());
    let found: Problems = error.problems.iter().filter(|problem| of_page(problem)).cloned().collect();
    if error.code == ErrorCode::ValidationFailed && !found.is_empty() {
        error.code = ErrorCode::BadRequest;
        error.problems = found;
    }
    error
}
