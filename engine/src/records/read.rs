//! Reads by id and page by page.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine_model::Sequence;
use engine_model::access::Action;
use engine_model::object::ObjectDefinition;
use engine_model::property::{Locale, Property};
use engine_store::record::{self, Key, RecordRow};
use serde_json::Value;

use super::include::{Include, bad_parameter};
use super::operation::{Operation, Target};
use super::record::{Record, Shown};
use super::workspace::{Workspace, unique_property, unique_value};
use crate::access::Given;
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::session::{Session, with_current};

/// What of a record is wanted.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Properties to show; all where none are named.
    pub select: Option<Vec<String>>,
    /// Linked records to bring along.
    pub include: Vec<Include>,
}

/// Which page of a list is wanted.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Only archived records rather than only active ones.
    pub archived: bool,
    /// At most this many, from 1 to 200.
    pub limit: usize,
    /// Where the page begins; what the page before said.
    pub cursor: Option<String>,
    /// What of each record is wanted.
    pub view: View,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub results: Vec<T>,
    /// Where the next one begins; none after the last.
    pub next_cursor: Option<String>,
}

/// A record and where the change log stood when it was read.
#[derive(Debug, Clone)]
pub struct Found {
    /// The record.
    pub record: Record,
    /// The log's last position.
    pub sequence: Sequence,
}

impl Session {
    /// A record by id, uid or unique value; archived ones too.
    pub async fn record_read(&mut self, object: &str, target: &Target, view: &View) -> Result<Found> {
        let found = self.record_found(object, target, view).await?;
        self.give([&found.record]).await?;
        Ok(found)
    }

    /// The same, where nobody is given what is found.
    pub(crate) async fn record_found(&mut self, object: &str, target: &Target, view: &View) -> Result<Found> {
        with_current!(self, self.try_record_read(object, target, view).await)
    }

    /// Writes down what sensitive values these records give; to be called before they are given. What is read by
    /// [`Session::record_read`], listed or searched was written down already.
    pub async fn give(&self, records: impl IntoIterator<Item = &Record>) -> Result<()> {
        self.write_down(Given::of(records)).await
    }

    async fn try_record_read(&mut self, object: &str, target: &Target, view: &View) -> Result<Found> {
        let mut has_waited = false;
        for _ in 0..4 {
            let key = {
                let definition = self.catalog.object(object)?;
                self.check_target(definition, target)?;
                key_of(definition, target, &self.catalog.locale)?
            };
            let Some(key) = key else { return Err(missing(object, target)) };
            let mut reader = self.reader().await?;
            let (head, row) = record::get(&mut reader, &key).await?;
            drop(reader);
            if self.catch_up(head.metadata_version, head.access_version).await? {
                continue;
            }
            if head.sequence() < self.at_least {
                self.wait_for_position().await?;
                continue;
            }
            if !has_waited && self.await_rollups(object, head.sequence()).await? {
                has_waited = true;
                continue;
            }
            let definition = self.catalog.object(object)?;
            let row = row.filter(|row| self.may_read(object, row)).ok_or_else(|| missing(object, target))?;
            let selected = self.selected(definition, view.select.as_deref())?;
            let shown = Shown::of(&self.catalog, definition, &self.caller.rights, selected.as_deref(), self.now());
            let mut record = Record::from_row(row, &shown)?;
            if !view.include.is_empty() {
                self.include(definition, std::slice::from_mut(&mut record), &view.include).await?;
            }
            return Ok(Found { record, sequence: head.sequence() });
        }
        Err(Error::internal("definitions kept changing while a record was read"))
    }

    /// Refuses names that are no properties of the object.
    pub fn check_select(&self, object: &str, names: &[String]) -> Result<()> {
        self.selected(self.catalog.object(object)?, Some(names)).map(drop)
    }

    /// The properties that are asked for, by the names that they have now.
    pub(super) fn selected(&self, object: &ObjectDefinition, names: Option<&[String]>) -> Result<Option<Vec<String>>> {
        names.map(|names| select_names(object, names, self.catalog.seen_by(&self.caller.rights, object))).transpose()
    }

    fn may_read(&self, object: &str, row: &RecordRow) -> bool {
        row.object == object && self.caller.may(Action::Read, object, row)
    }

    /// Refuses to look a record up by what the caller does not see.
    fn check_target(&self, object: &ObjectDefinition, target: &Target) -> Result<()> {
        let Some(name) = &target.id_property else { return Ok(()) };
        self.caller.check_key(&self.catalog.effective.registry, object, name)
    }

    /// One page of an object's records in the order of their ids.
    pub async fn record_list(&mut self, object: &str, query: &ListQuery) -> Result<Page<Record>> {
        self.wait_for_position().await?;
        self.refresh().await?;
        if !self.caller.may_all(Action::Read, object) && self.caller.check_any(Action::Read, object).is_ok() {
            // What the caller does not see would take up the pages.
            return self.record_list_found(object, query, None).await;
        }
        self.settle_rollups(object).await?;
        let page = with_current!(self, self.try_record_list(object, query).await)?;
        self.give(&page.results).await?;
        Ok(page)
    }

    async fn try_record_list(&self, object: &str, query: &ListQuery) -> Result<Page<Record>> {
        let definition = self.catalog.object(object)?;
        self.caller.check_any(Action::Read, object)?;
        let kind = if query.archived { "archived" } else { "active" };
        let after = match &query.cursor {
            Some(cursor) => read_cursor(cursor, &[object, kind])?,
            None => 0,
        };
        let selected = self.selected(definition, query.view.select.as_deref())?;
        let shown = Shown::of(&self.catalog, definition, &self.caller.rights, selected.as_deref(), self.now());
        let mut reader = self.reader().await?;
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut rows = record::list(&mut reader, object, query.archived, after, limit + 1).await?;
        drop(reader);
        let has_more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let last = rows.last().map(|row| row.id).filter(|_| has_more);
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            if self.may_read(object, &row) {
                results.push(Record::from_row(row, &shown)?);
            }
        }
        if !query.view.include.is_empty() {
            self.include(definition, &mut results, &query.view.include).await?;
        }
        Ok(Page { results, next_cursor: last.map(|last| make_cursor(&[object, kind], last)) })
    }

    /// Records by id, uid or unique value, each answered for itself, in order.
    pub async fn record_read_many(
        &mut self,
        object: &str,
        targets: &[Target],
        view: &View,
    ) -> Result<Vec<Result<Record>>> {
        self.wait_for_position().await?;
        self.refresh().await?;
        self.settle_rollups(object).await?;
        let found = with_current!(self, self.try_record_read_many(object, targets, view).await)?;
        self.give(found.iter().flatten()).await?;
        Ok(found)
    }

    async fn try_record_read_many(&self, object: &str, targets: &[Target], view: &View) -> Result<Vec<Result<Record>>> {
        let definition = self.catalog.object(object)?;
        let selected = self.selected(definition, view.select.as_deref())?;
        let shown = Shown::of(&self.catalog, definition, &self.caller.rights, selected.as_deref(), self.now());
        let named: Vec<Operation> = targets
            .iter()
            .map(|target| Operation::Restore { object: object.to_owned(), target: target.clone() })
            .collect();
        let mut reader = self.reader().await?;
        let workspace = Workspace::load(&mut reader, &self.catalog, &named.iter().collect::<Vec<_>>()).await?;
        drop(reader);
        let (mut records, mut failures) = (Vec::with_capacity(targets.len()), HashMap::new());
        for (index, target) in targets.iter().enumerate() {
            if let Err(error) = self.check_target(definition, target) {
                failures.insert(index, error);
                continue;
            }
            let found = workspace.find(&self.catalog, definition, target).cloned();
            let found = found.and_then(|state| match state.id() {
                Some(id) if self.caller.may(Action::Read, object, &state) => state.into_record(id, &shown),
                _ => Err(missing(object, target)),
            });
            match found {
                Ok(record) => records.push(record),
                Err(error) => drop(failures.insert(index, error)),
            }
        }
        self.include(definition, &mut records, &view.include).await?;
        let mut records = records.into_iter();
        let result = |index| match failures.remove(&index) {
            Some(error) => Err(error),
            None => records.next().ok_or_else(|| Error::internal("a record that was read is missing")),
        };
        let results: Vec<Result<Record>> = (0..targets.len()).map(result).collect();
        Ok(results)
    }
}

pub(crate) fn missing(object: &str, target: &Target) -> Error {
    Error::not_found(format!("there is no `{}` record `{}`", shortened(object), shortened(&target.id)))
}

/// `None` where the text can name no record.
pub(crate) fn key_of(object: &ObjectDefinition, target: &Target, locale: &Locale) -> Result<Option<Key>> {
    let Some(name) = &target.id_property else { return Ok(Key::of(&target.id)) };
    unique_property(object, name, |_| true)?;
    Ok(unique_value(locale, object, name, &Value::from(target.id.as_str())).map(Key::Value))
}

/// Names of properties to show, those that they have now; unknown ones are an error that names the nearest.
pub(crate) fn select_names(
    object: &ObjectDefinition,
    names: &[String],
    may_see: impl Fn(&Property) -> bool + Copy,
) -> Result<Vec<String>> {
    let find = |name: &String| match object.property_called(name) {
        Some(property) => Ok(property.name.to_string()),
        None => {
            let hint = object.property_hint(name, may_see);
            let message = format!("`{}` is no property of `{}`{hint}", shortened(name), object.name);
            Err(bad_parameter("select", message))
        }
    };
    names.iter().map(find).collect()
}

/// An opaque place in a list; it says which list, so that it cannot be used for another.
pub(crate) fn make_cursor(list: &[&str], last: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{last}", list.join(":")))
}

/// An opaque place in a list in the order of names.
pub(crate) fn make_name_cursor(list: &str, last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{last}"))
}

/// The name that a cursor of the same list marks.
pub(crate) fn read_name_cursor(cursor: &str, list: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let name = text.as_deref().and_then(|text| text.strip_prefix(list)?.strip_prefix(':'));
    name.map(str::to_owned).ok_or_else(|| bad_parameter("cursor", NOT_OURS))
}

/// What a cursor is told that another list has given, or nobody.
const NOT_OURS: &str = "this cursor is not one that this list has given";

/// The place that a cursor of the same list marks.
pub(crate) fn read_cursor(cursor: &str, list: &[&str]) -> Result<i64> {
    let invalid = || bad_parameter("cursor", NOT_OURS);
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    let (name, last) = text.rsplit_once(':').ok_or_else(invalid)?;
    if name != list.join(":") {
        return Err(invalid());
    }
    last.parse().ok().filter(|last| *last >= 0).ok_or_else(invalid)
}
