//! The statements on PostgreSQL: one statement for a whole group, which is its own transaction.

use anyhow::Result;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use throwaway_postgres::Database;
use uuid::Uuid;

use super::group::Writer;
use super::{Contact, TENANT, migrations};

const WRITE: &str = "with records as ( \
       insert into record (tenant_id, id, uid, object, properties, display_name, owner_id, version, created_at, \
         created_by, updated_at, updated_by) \
       select $1, r.id, r.uid, 'contact', r.properties, r.display_name, null, 1, r.at, 1, r.at, 1 \
       from unnest($3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::bigint[]) \
         r(id, uid, properties, display_name, at)), \
     claims as ( \
       insert into unique_value (tenant_id, object, properties, value, record_id) \
       select $1, 'contact', 'email', u.value, u.record_id \
       from unnest($8::text[], $3::bigint[]) u(value, record_id)), \
     changes as ( \
       insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
         user_agent) \
       select $1, c.id, c.at, 'record.created', 'contact', c.id, c.changes, 1, 'api', c.request_id, '127.0.0.1', null \
       from unnest($3::bigint[], $7::bigint[], $9::text[], $10::text[]) c(id, at, changes, request_id)) \
     update tenant_head set last_sequence = $2, last_record_id = $2 where tenant_id = $1";

const READ: &str = "select id, uid, object, properties, display_name, owner_id, version, created_at, created_by, \
     updated_at, updated_by, archived_at from record where tenant_id = $1 and id = $2";

type Record = (i64, Uuid, String, String, String, Option<i64>, i64, i64, Option<i64>, i64, Option<i64>, Option<i64>);

pub(super) struct Opened {
    pub(super) writer: PostgresWriter,
    pub(super) readers: PgPool,
}

pub(super) struct PostgresWriter(PgConnection);

/// Makes the product's schema, row security included, and connects as a role that it binds.
pub(super) async fn open(database: &Database) -> Result<Opened> {
    let mut owner = PgConnection::connect(database.migration_url()).await?;
    for text in migrations("postgres")? {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut owner).await?;
    }
    let grant = "grant select, insert, update on all tables in schema public to public";
    sqlx::raw_sql(grant).execute(&mut owner).await?;
    owner.close().await?;
    let options: PgConnectOptions = database.url().parse()?;
    let options = options.options([("trellis.tenant", TENANT.to_string())]);
    let mut writer = PgConnection::connect_with(&options).await?;
    sqlx::query("insert into tenant_head (tenant_id) values ($1)").bind(TENANT).execute(&mut writer).await?;
    let readers = PgPoolOptions::new().max_connections(4).connect_with(options).await?;
    Ok(Opened { writer: PostgresWriter(writer), readers })
}

pub(super) async fn read(pool: &PgPool, id: i64) -> Result<bool> {
    let record: Option<Record> = sqlx::query_as(READ).bind(TENANT).bind(id).fetch_optional(pool).await?;
    Ok(record.is_some_and(|record| record.0 == id))
}

impl Writer for PostgresWriter {
    async fn write(&mut self, contacts: &[Contact], first: i64) -> Result<()> {
        let last = first + i64::try_from(contacts.len())? - 1;
        fn texts<'a>(contacts: &'a [Contact], text: impl Fn(&'a Contact) -> &'a str) -> Vec<&'a str> {
            contacts.iter().map(text).collect()
        }
        sqlx::query(WRITE)
            .bind(TENANT)
            .bind(last)
            .bind((first..=last).collect::<Vec<i64>>())
            .bind(contacts.iter().map(|contact| contact.uid).collect::<Vec<Uuid>>())
            .bind(texts(contacts, |contact| &contact.properties))
            .bind(texts(contacts, |contact| &contact.display_name))
            .bind(contacts.iter().map(|contact| contact.at).collect::<Vec<i64>>())
            .bind(texts(contacts, |contact| &contact.email))
            .bind(texts(contacts, |contact| &contact.changes))
            .bind(texts(contacts, |contact| &contact.request_id))
            .execute(&mut self.0)
            .await?;
        Ok(())
    }
}
