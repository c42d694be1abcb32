//! Brings the schema up to date. The files are part of the binary.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection, SqlSafeStr};
use std::str::FromStr;

use crate::connect::StoreConfig;
use crate::connection::Connection;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, args};

struct File {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const FILES: &[File] = &[File {
    version: 1,
    name: "init",
    sqlite: include_str!("../../../migrations/sqlite/0001_init.sql"),
    postgres: include_str!("../../../migrations/postgres/0001_init.sql"),
}];

/// Lets the server's role use what the schema's owner made.
const GRANT: Sql = Sql::same(
    "select trellis_grant($1)",
);

const GRANT_FUNCTION: &str = "create or replace function trellis_grant(role_name text) returns void language plpgsql as $$ begin \
     execute format('grant usage on schema public to %I', role_name); \
     execute format('grant select, insert, update, delete on all tables in schema public to %I', role_name); \
     execute format('revoke insert, update, delete on _sqlx_migrations from %I', role_name); \
     end $$";

/// Runs what is missing, on PostgreSQL as the role that owns the schema.
pub(crate) async fn migrate(config: &StoreConfig) -> Result<()> {
    let target = config.target()?;
    if !target.is_postgres() {
        let Connection::Sqlite(mut connection) = target.connect().await? else { return Err(StoreError::Closing) };
        migrator(|file| file.sqlite).run(&mut connection).await?;
        return Ok(connection.close().await?);
    }
    let owner = config.migration_url.as_deref().unwrap_or(&config.url);
    let Connection::Postgres(mut connection) = crate::connect::Target::parse(owner)?.connect().await? else {
        return Err(StoreError::Refused("TRELLIS_MIGRATION_URL is a postgres:// address".into()));
    };
    migrator(|file| file.postgres).run(&mut connection).await?;
    if config.migration_url.is_some() {
        grant(&mut connection, &config.url).await?;
    }
    Ok(connection.close().await?)
}

async fn grant(connection: &mut PgConnection, server_url: &str) -> Result<()> {
    let options = PgConnectOptions::from_str(server_url)?;
    sqlx::raw_sql(GRANT_FUNCTION).execute(&mut *connection).await?;
    crate::sql::postgres_query(&GRANT, args![options.get_username()]).execute(connection).await?;
    Ok(())
}

fn migrator(text: impl Fn(&File) -> &'static str) -> Migrator {
    let migrations = FILES.iter().map(|file| {
        let name = Cow::Borrowed(file.name);
        Migration::new(file.version, name, MigrationType::Simple, text(file).into_sql_str(), false)
    });
    Migrator { migrations: migrations.collect(), ..Migrator::DEFAULT }
}
