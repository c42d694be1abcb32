//! Links of records: one by one, page by page.

use engine_model::access::Action;
use engine_model::name::did_you_mean;
use engine_model::time::Timestamp;
use engine_model::{RecordId, UserId};
use engine_store::association::{self, Direction};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::records::{
    Done, DoneReply, Operation, Page, Target, View, Written, bad_parameter, direction_from, find_association,
    make_cursor, read_cursor,
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
        let record = self.record_read(object, target, &View::default()).await?.record.id;
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
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let is_known = self.catalog.object(&row.object).is_ok();
            if !is_known || !self.caller.may(Action::Read, &row.object, row.owner_id.map(UserId)) {
                continue;
            }
            results.push(Link {
                id: RecordId(row.id),
                uid: row.uid,
                object: row.object,
                display_name: row.display_name,
                kind: query.kind.clone(),
                label: row.label,
                properties: RawValue::from_string(row.properties).map_err(Error::internal)?,
                created_at: Timestamp(row.created_at),
            });
        }
        Ok(Page { results, next_cursor: last.map(|last| make_cursor(&[&list], last)) })
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
        let from = self.record_read(object, target, &View::default()).await?.record.id.to_string();
        let crate::records::LinkInput { kind, to, label, properties } = link;
        self.perform(Operation::Associate { kind, from, to, label, properties, replace }, reply)
            .await
            .map_err(not_found_in_path)
    }

    /// Takes the link between two records away; nothing happens where there is none.
    pub async fn unlink(&mut self, object: &str, target: &Target, kind: &str, to: &str) -> Result<Written<Done>> {
        let from = self.record_read(object, target, &View::default()).await?.record.id.to_string();
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
