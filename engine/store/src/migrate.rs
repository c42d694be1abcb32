//! Brings the schema up to date. The files are part of the binary.

use std::borrow::Cow;
use std::str::FromStr;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection, SqlSafeStr};

use crate::connect::{StoreConfig, Target};
use crate::connection::Connection;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, args};

struct File {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// A version with its files, which have the same number and name for both stores.
macro_rules! file {
    ($version:literal, $number:literal, $name:literal) => {
        File {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $number, "_", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $number, "_", $name, ".sql")),
        }
    };
}

const FILES: &[File] = &[
    file!(1, "0001", "init"),
    file!(2, "0002", "pack_remnants"),
    file!(3, "0003", "record_merge"),
    file!(4, "0004", "access"),
    file!(5, "0005", "stage_visit"),
    file!(6, "0006", "saved_item"),
    file!(7, "0007", "list"),
    file!(8, "0008", "job_file"),
    file!(9, "0009", "assignment_rule"),
    file!(10, "0010", "pack_document"),
    file!(11, "0011", "timeline"),
    file!(12, "0012", "duplicate"),
];

/// Runs what is missing, on PostgreSQL as the role that owns the schema.
pub(crate) async fn migrate(config: &StoreConfig) -> Result<()> {
    match config.target()?.connect().await? {
        Connection::Sqlite(mut connection) => {
            migrator(|file| file.sqlite).run(&mut connection).await?;
            Ok(connection.close().await?)
        }
        Connection::Postgres(connection) => match &config.migration_url {
            Some(owner) => migrate_as_owner(owner, &config.url).await,
            None => migrate_as_server(connection).await,
        },
    }
}

async fn migrate_as_owner(owner_url: &str, server_url: &str) -> Result<()> {
    let Connection::Postgres(mut connection) = Target::parse(owner_url)?.connect().await? else {
        return Err(StoreError::Refused("TRELLIS_MIGRATION_URL is a postgres:// address".into()));
    };
    migrator(|file| file.postgres).run(&mut connection).await?;
    grant(&mut connection, server_url).await?;
    Ok(connection.close().await?)
}

/// The server's role owns the schema itself, or another role has brought it up to date.
async fn migrate_as_server(mut connection: PgConnection) -> Result<()> {
    let migrator = migrator(|file| file.postgres);
    if is_current(&mut connection, &migrator).await? {
        return Ok(connection.close().await?);
    }
    match migrator.run(&mut connection).await {
        Err(error) if is_forbidden(&error) => Err(StoreError::Refused(format!(
            "the database schema is not up to date, and the server's role may not change it: give the address of the \
             role that owns it in TRELLIS_MIGRATION_URL ({error})"
        ))),
        other => Ok(other?),
    }
}

const APPLIED: Sql = Sql::postgres("select version, checksum from _sqlx_migrations where success order by version");

/// Whether exactly the files of this binary have been run. Needs no right but to read.
async fn is_current(connection: &mut PgConnection, migrator: &Migrator) -> Result<bool> {
    let rows = match crate::sql::postgres_query(&APPLIED, args![]).fetch_all(connection).await {
        Ok(rows) => rows,
        Err(sqlx::Error::Database(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let applied = rows.iter().map(sqlx::FromRow::from_row).collect::<Result<Vec<(i64, Vec<u8>)>, _>>()?;
    let files = migrator.iter().map(|file| (file.version, file.checksum.to_vec()));
    Ok(files.eq(applied))
}

fn is_forbidden(error: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else { return false };
    cause.as_database_error().and_then(|error| error.code()).as_deref() == Some("42501")
}

const SAY_ROLE: Sql = Sql::postgres("select set_config('trellis.server_role', $1, false)");

/// Lets the server's role use what the schema's owner made. One node at a time: grants on one table collide.
const GRANT: &str = "do $$ declare server_role text := current_setting('trellis.server_role'); begin \
     perform pg_advisory_xact_lock(hashtext('trellis.grant')); \
     execute format('grant usage on schema public to %I', server_role); \
     execute format('grant select, insert, update, delete on all tables in schema public to %I', server_role); \
     execute format('revoke insert, update, delete on _sqlx_migrations from %I', server_role); \
     end $$";

async fn grant(connection: &mut PgConnection, server_url: &str) -> Result<()> {
    let role = PgConnectOptions::from_str(server_url)?.get_username().to_owned();
    crate::sql::postgres_query(&SAY_ROLE, args![role]).execute(&mut *connection).await?;
    sqlx::raw_sql(GRANT).execute(connection).await?;
    Ok(())
}

fn migrator(text: impl Fn(&File) -> &'static str) -> Migrator {
    let migrations = FILES.iter().map(|file| {
        let name = Cow::Borrowed(file.name);
        Migration::new(file.version, name, MigrationType::Simple, text(file).into_sql_str(), false)
    });
    Migrator { migrations: migrations.collect(), ..Migrator::DEFAULT }
}
