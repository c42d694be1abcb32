//! Links of records: one by one, page by page.

use std::collections::HashMap;

use engine_model::access::{Action, Sight};
use engine_model::association::AssociationDefinition;
use engine_model::name::did_you_mean;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId};
use engine_store::association::{self, Direction, LinkRow};
use engine_store::{Reader, record};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::records::{
    Done, DoneReply, Operation, Page, Record, Shown, Target, View, Written, bad_parameter, direction_from,
    find_association, make_cursor, read_cursor,
};
use crate::session::Session;

/// A link seen from one of its ends.
#[derive(Debug, Clone)]
pub struct Link {
    /// The record at the other end.
    pub id: RecordId,
    /// Its identifier anywhere.
    pub uid: Uuid,
    /// Its object's name.
    pub object: String,
    /// What people call it.
    pub display_name: String,
    /// Name of the association.
    pub kind: String,
    /// What the link is called.
    pub label: Option<String>,
    /// The link's own properties, as JSON text.
    pub properties: Box<RawValue>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which links of a record are wanted.
#[derive(Debug, Clone)]
pub struct LinkQuery {
    /// Name of the association.
    pub kind: String,
    /// `in` or `out`, for an object that is linked to itself; by default from its start.
    pub direction: Option<String>,
    /// At most this many, from 1 to 200.
    pub limit: usize,
    /// Where the page begins.
    pub cursor: Option<String>,
}

impl Session {
    /// One page of a record's links of one kind, in the order of the other records' ids.
    pub async fn links(&mut self, object: &str, target: &Target, query: &LinkQuery) -> Result<Page<Link>> {
        self.wait_for_position().await?;
        let record = self.record_found(object, target, &View::default()).await?.record.id;
        let association = match find_association(&self.catalog, &query.kind, object) {
            Ok(association) => association,
            Err(problem) => return Err(Error::not_found(problem.message)),
        };
        let direction = match query.direction.as_deref() {
            None => direction_from(association, object),
            Some("out") => Direction::Out,
            Some("in") => Direction::In,
            Some(other) => {
                let hint = did_you_mean(other, ["in", "out"]);
                return Err(bad_parameter("direction", format!("a direction is `in` or `out`{hint}")));
            }
        };
        let list = format!("links.{record}.{}.{direction:?}", query.kind);
        let after = query.cursor.as_deref().map_or(Ok(0), |cursor| read_cursor(cursor, &[&list]))?;
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut reader = self.reader().await?;
        let mut rows = association::list(&mut reader, record, &query.kind, direction, after, limit + 1).await?;
        let has_more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let last = rows.last().map(|row| row.id).filter(|_| has_more);
        let names = self.names_of(&mut reader, &rows).await?;
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let is_known = self.catalog.object(&row.object).is_ok();
            if !is_known || !self.caller.may(Action::Read, &row.object, &row) {
                continue;
            }
            results.push(Link {
                id: RecordId(row.id),
                uid: row.uid,
                object: row.object,
                display_name: names.get(&row.id).cloned().unwrap_or(row.display_name),
                kind: query.kind.clone(),
                label: row.label,
                properties: self.link_properties(association, row.properties)?,
                created_at: Timestamp(row.created_at),
            });
        }
        Ok(Page { results, next_cursor: last.map(|last| make_cursor(&[&list], last)) })
    }

    /// What records at the other end are called, where the caller does not see all that they are called by.
    async fn names_of(&self, reader: &mut Reader, rows: &[LinkRow]) -> Result<HashMap<i64, String>> {
        let rights = &self.caller.rights;
        let mut hiding = HashMap::new();
        for row in rows {
            let Ok(object) = self.catalog.object(&row.object) else { continue };
            if !rights.reads_display(&self.catalog.effective.registry, object) {
                hiding.insert(row.id, object);
            }
        }
        if hiding.is_empty() {
            return Ok(HashMap::new());
        }
        let mut names = HashMap::new();
        for row in record::many(reader, hiding.keys().copied().collect()).await? {
            let Some(object) = hiding.get(&row.id) else { continue };
            let shown = Shown::of(&self.catalog, object, rights, Some(&[]), self.now());
            names.insert(row.id, Record::from_row(row, &shown)?.display_name);
        }
        Ok(names)
    }

    /// A link's own properties, without those that are sensitive where the caller does not see such.
    fn link_properties(&self, association: &AssociationDefinition, stored: String) -> Result<Box<RawValue>> {
        let is_hidden = |name: &str| {
            self.caller.rights.sight < Sight::OfAll
                && association.properties.get(name).is_some_and(|property| property.sensitive)
        };
        if !association.properties.keys().any(|name| is_hidden(name)) {
            return RawValue::from_string(stored).map_err(Error::internal);
        }
        let mut properties: Properties = serde_json::from_str(&stored).map_err(Error::internal)?;
        properties.retain(|name, _| !is_hidden(name));
        serde_json::value::to_raw_value(&properties).map_err(Error::internal)
    }

    /// Links a record with another, or changes the label and properties of their link.
    pub async fn link(
        &mut self,
        object: &str,
        target: &Target,
        link: crate::records::LinkInput,
        replace: bool,
        reply: Option<DoneReply>,
    ) -> Result<Written<Done>> {
        let from = self.record_found(object, target, &View::default()).await?.record.id.to_string();
        let crate::records::LinkInput { kind, to, label, properties } = link;
        self.perform(Operation::Associate { kind, from, to, label, properties, replace }, reply)
            .await
            .map_err(not_found_in_path)
    }

    /// Takes the link between two records away; nothing happens where there is none.
    pub async fn unlink(&mut self, object: &str, target: &Target, kind: &str, to: &str) -> Result<Written<Done>> {
        let from = self.record_found(object, target, &View::default()).await?.record.id.to_string();
        let operation = Operation::Dissociate { kind: kind.to_owned(), from, to: to.to_owned() };
        self.perform(operation, None).await.map_err(not_found_in_path)
    }

    /// The links of one kind of many records, each named with its object, at most `limit` each, in order; each record
    /// answered for itself.
    pub async fn links_of_many(
        &mut self,
        records: Vec<(String, Target)>,
        kind: &str,
        limit: usize,
    ) -> Vec<Result<Vec<Link>>> {
        let query = LinkQuery { kind: kind.to_owned(), direction: None, limit, cursor: None };
        let mut results = Vec::with_capacity(records.len());
        for (object, target) in records {
            results.push(self.links(&object, &target, &query).await.map(|page| page.results));
        }
        results
    }
}

/// The association and both records stand in the path of these calls, so what is unknown there is not found.
fn not_found_in_path(error: Error) -> Error {
    let is_unknown = |code: &str| code == "unknown_association" || code == "not_found";
    if error.code == ErrorCode::ValidationFailed && error.problems.iter().any(|problem| is_unknown(problem.code)) {
        return Error::not_found(error.detail);
    }
    error
}
