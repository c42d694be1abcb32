//! The statements on SQLite: one call for a whole group, transaction included.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, SqlitePool};

use super::group::Writer;
use super::{Contact, TENANT, migrations};

const WRITE: &str = "begin immediate; \
     insert into record (tenant_id, id, uid, object, properties, display_name, owner_id, version, created_at, \
       created_by, updated_at, updated_by) \
     select $1, value->>0, unhex(value->>1), value->>2, value->>3, value->>4, value->>5, 1, value->>6, value->>7, \
       value->>6, value->>7 from json_each($3); \
     insert into unique_value (tenant_id, object, properties, value, record_id) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($4); \
     insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
       user_agent) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, \
       value->>9, value->>10 from json_each($5); \
     update tenant_head set last_sequence = $2, last_record_id = $2 where tenant_id = $1; \
     commit";

const READ: &str = "select id, uid, object, properties, display_name, owner_id, version, created_at, created_by, \
     updated_at, updated_by, archived_at from record where tenant_id = $1 and id = $2";

type Record = (i64, Vec<u8>, String, String, String, Option<i64>, i64, i64, Option<i64>, i64, Option<i64>, Option<i64>);

pub(super) struct Opened {
    pub(super) writer: SqliteWriter,
    pub(super) readers: SqlitePool,
}

pub(super) struct SqliteWriter(SqliteConnection);

/// Makes the database with the product's schema and settings.
pub(super) async fn open(file: &Path) -> Result<Opened> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-8192")
        .pragma("temp_store", "memory")
        .pragma("journal_size_limit", "67108864");
    let mut connection = SqliteConnection::connect_with(&options).await?;
    for text in migrations("sqlite")? {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await?;
    }
    sqlx::query("insert into tenant_head (tenant_id) values ($1)").bind(TENANT).execute(&mut connection).await?;
    let readers = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
    Ok(Opened { writer: SqliteWriter(connection), readers })
}

pub(super) async fn read(pool: &SqlitePool, id: i64) -> Result<bool> {
    let record: Option<Record> = sqlx::query_as(READ).bind(TENANT).bind(id).fetch_optional(pool).await?;
    Ok(record.is_some_and(|record| record.0 == id))
}

impl Writer for SqliteWriter {
    async fn write(&mut self, contacts: &[Contact], first: i64) -> Result<()> {
        let last = first + i64::try_from(contacts.len())? - 1;
        let (mut records, mut values, mut changes) = (Rows::new(), Rows::new(), Rows::new());
        for (id, contact) in (first..).zip(contacts) {
            records.push(format_args!("{id},\"{}\",\"contact\",", contact.uid.simple()), &contact.properties)?;
            records.close(format_args!(",\"{}\",null,{},1", contact.display_name, contact.at));
            values.push(format_args!("\"contact\",\"email\","), &contact.email)?;
            values.close(format_args!(",{id}"));
            changes.push(format_args!("{id},{},\"record.created\",\"contact\",{id},", contact.at), &contact.changes)?;
            changes.close(format_args!(",1,\"api\",\"{}\",\"127.0.0.1\",null", contact.request_id));
        }
        let query = sqlx::query(WRITE).bind(TENANT).bind(last);
        let query = query.bind(records.finish()?).bind(values.finish()?).bind(changes.finish()?);
        query.execute(&mut self.0).await?;
        Ok(())
    }
}

/// A JSON array of arrays, written in one go.
struct Rows(Vec<u8>);

impl Rows {
    fn new() -> Self {
        Self(Vec::with_capacity(4096))
    }

    /// Begins a row: cells that need no escaping, then one that does.
    fn push(&mut self, cells: std::fmt::Arguments<'_>, text: &str) -> Result<()> {
        self.0.push(if self.0.is_empty() { b'[' } else { b',' });
        write!(self.0, "[{cells}")?;
        Ok(serde_json::to_writer(&mut self.0, text)?)
    }

    /// Ends a row with cells that need no escaping.
    fn close(&mut self, cells: std::fmt::Arguments<'_>) {
        // Writing to a vector does not fail.
        let _ = write!(self.0, "{cells}]");
    }

    fn finish(mut self) -> Result<String> {
        self.0.push(b']');
        Ok(String::from_utf8(self.0)?)
    }
}
