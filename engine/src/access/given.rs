//! Sensitive values that are given: noted while an answer is made, and written down before it is given.

use std::collections::BTreeSet;

use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{RecordId, TokenId, UserId};
use engine_store::sensitive::{self, NewRead, ReadRow};
use indexmap::IndexMap;
use uuid::Uuid;

use crate::definitions::catalog::shortened;
use crate::error::Result;
use crate::records::{Page, Record, bad_parameter, make_name_cursor, new_uid, read_name_cursor};
use crate::session::Session;

/// The list that cursors belong to.
const LIST: &str = "sensitive_reads";

/// Sensitive values that an answer gives: object and record to names of properties.
#[derive(Debug, Default)]
pub(crate) struct Given(IndexMap<(String, Option<RecordId>), BTreeSet<String>>);

impl Given {
    /// Notes a property whose value is given, of a record or drawn together from many.
    pub(crate) fn add(&mut self, object: &str, record: Option<RecordId>, property: &str) {
        self.0.entry((object.to_owned(), record)).or_default().insert(property.to_owned());
    }

    /// The same of a property by its name, where it is a sensitive one; of no record in particular.
    pub(crate) fn add_sensitive(&mut self, object: &ObjectDefinition, property: &str) {
        if let Some(property) = object.property_called(property).filter(|property| property.sensitive) {
            self.add(&object.name, None, &property.name);
        }
    }

    /// Notes what a record gives, and those that come along with it.
    pub(crate) fn add_record(&mut self, record: &Record) {
        for property in &record.sensitive {
            self.add(&record.object, Some(record.id), property);
        }
        for included in record.included.iter().flat_map(|(_, records)| records) {
            self.add_record(included);
        }
    }

    /// Nothing sensitive is given.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What records give.
    pub(crate) fn of<'r>(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let mut given = Self::default();
        records.into_iter().for_each(|record| given.add_record(record));
        given
    }
}

/// That somebody was given sensitive values.
#[derive(Debug, Clone)]
pub struct ReadEntry {
    /// Identifier; grows with time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user: UserId,
    /// With which token.
    pub token: TokenId,
    /// The object's name.
    pub object: String,
    /// Of which record; none where they were drawn together from many.
    pub record: Option<RecordId>,
    /// Names of the properties.
    pub properties: Vec<String>,
    /// The request that asked for them.
    pub request_id: Option<String>,
    /// Address of the caller.
    pub ip: Option<String>,
    /// The caller's program.
    pub user_agent: Option<String>,
}

/// Which of these are wanted.
#[derive(Debug, Clone, Default)]
pub struct ReadLogQuery {
    /// Only of this record.
    pub record: Option<String>,
    /// Only this user's.
    pub user: Option<String>,
    /// Where the page begins; what the page before said.
    pub after: Option<String>,
    /// At most this many.
    pub limit: usize,
}

impl Session {
    /// Writes down what the caller is about to be given. Work in the background is given nothing, nor is who takes
    /// changes back.
    pub(crate) async fn write_down(&self, given: Given) -> Result<()> {
        match self.is_answered() {
            true => self.write_down_given(given).await,
            false => Ok(()),
        }
    }

    /// The same of what work in the background makes for somebody to have.
    pub(crate) async fn write_down_given(&self, given: Given) -> Result<()> {
        if given.is_empty() {
            return Ok(());
        }
        let at = self.now();
        let read = |((object, record), properties): ((String, Option<RecordId>), BTreeSet<String>)| NewRead {
            id: new_uid(at),
            at,
            user: self.caller.user,
            token: self.caller.token,
            object,
            record,
            properties: properties.into_iter().collect::<Vec<_>>().join(","),
            request_id: self.origin.request_id.clone(),
            ip: self.origin.ip.clone(),
            user_agent: self.origin.user_agent.clone(),
        };
        let reads = given.0.into_iter().map(read).collect();
        Ok(self.engine.store().record_sensitive(self.tenant(), reads).await?)
    }

    /// Who was given sensitive values, newest first. For administrators.
    pub async fn sensitive_reads(&mut self, query: &ReadLogQuery) -> Result<Page<ReadEntry>> {
        self.refresh().await?;
        self.caller.check_admin()?;
        let before = match &query.after {
            None => Uuid::max(),
            Some(cursor) => {
                Uuid::try_parse(&read_name_cursor(cursor, LIST).map_err(|_| no_place())?).map_err(|_| no_place())?
            }
        };
        let user = query.user.as_deref().map(|id| id.parse::<UserId>().map_err(|_| no_id("user", id))).transpose()?;
        let record =
            query.record.as_deref().map(|id| id.parse::<RecordId>().map_err(|_| no_id("record", id))).transpose()?;
        let wanted = i64::try_from(query.limit).unwrap_or(i64::MAX - 1) + 1;
        let mut reader = self.reader().await?;
        let mut rows = match (record, user) {
            (None, None) => sensitive::list(&mut reader, before, wanted).await?,
            (Some(record), None) => sensitive::of_record(&mut reader, record, before, wanted).await?,
            (None, Some(user)) => sensitive::by_user(&mut reader, user, before, wanted).await?,
            (Some(record), Some(user)) => {
                sensitive::of_record_by_user(&mut reader, record, user, before, wanted).await?
            }
        };
        let has_more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| make_name_cursor(LIST, &row.id.to_string()));
        Ok(Page { results: rows.into_iter().map(entry).collect(), next_cursor })
    }
}

fn entry(row: ReadRow) -> ReadEntry {
    ReadEntry {
        id: row.id,
        at: Timestamp(row.at),
        user: UserId(row.user_id),
        token: TokenId(row.token_id),
        object: row.object,
        record: row.record_id.map(RecordId),
        properties: row.properties.split(',').map(str::to_owned).collect(),
        request_id: row.request_id,
        ip: row.ip,
        user_agent: row.user_agent,
    }
}

fn no_place() -> crate::error::Error {
    bad_parameter("after", "this is no `next_cursor` that this list has given")
}

fn no_id(parameter: &str, id: &str) -> crate::error::Error {
    bad_parameter(parameter, format!("`{}` is no id", shortened(id)))
}
