//! From an address to connections: pragmas on SQLite, the role check on PostgreSQL.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, FromRow, PgConnection, SqliteConnection};

use crate::connection::Connection;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, args};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the data is and how many connections may be open to it.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Address of the role that owns the schema on PostgreSQL, if another than the server's.
    pub migration_url: Option<String>,
    /// Most connections that read, and on PostgreSQL also write, at a time.
    pub connections: usize,
}

impl StoreConfig {
    /// An embedded store in the file `path`, made where it does not exist.
    pub fn sqlite(path: &Path) -> Self {
        Self { url: format!("sqlite:{}", path.display()), migration_url: None, connections: 4 }
    }

    pub(crate) fn postgres_url(&self) -> Option<&str> {
        (self.url.starts_with("postgres://") || self.url.starts_with("postgresql://")).then_some(self.url.as_str())
    }

    pub(crate) fn target(&self) -> Result<Target> {
        Target::parse(&self.url)
    }
}

/// An address that connections are opened to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(Box::new(sqlite_options(&PathBuf::from(path.trim_start_matches("//"))))));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|_| StoreError::Refused("the database address is not a valid postgres:// address".into()))?;
            return Ok(Self::Postgres(Box::new(postgres_options(options))));
        }
        Err(StoreError::Refused("a database address begins with `sqlite:` or `postgres://`".into()))
    }

    pub(crate) async fn connect(&self) -> Result<Connection> {
        let connecting = async {
            Ok(match self {
                Self::Sqlite(options) => Connection::Sqlite(SqliteConnection::connect_with(options).await?),
                Self::Postgres(options) => Connection::Postgres(PgConnection::connect_with(options).await?),
            })
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(StoreError::Unavailable),
            Err(_) => Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)),
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// Settings of every connection; the address may say otherwise in `options`.
///
/// Waiting for a lock, or holding one while idle, comes to an end. Every statement goes by keys, so one plan serves all
/// arguments, and making plans anew for each call would cost more than most of the statements. Such a plan is kept while
/// its tables grow, so what only pays in small ones is off, and with it the compiler, which would take dear plans for
/// long ones.
fn postgres_options(options: PgConnectOptions) -> PgConnectOptions {
    let settings = [
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "60s"),
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_bitmapscan", "off"),
        ("jit", "off"),
    ];
    let given = options.get_options().unwrap_or_default().to_owned();
    let missing = settings.into_iter().filter(|(name, _)| !given.contains(name));
    options.application_name("trellis").statement_cache_capacity(256).options(missing)
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Group commit makes the flush of every commit cheap enough to be worth its promise.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(256)
        .pragma("cache_size", "-4096")
        .pragma("temp_store", "memory")
        .pragma("journal_size_limit", "67108864")
}

#[derive(FromRow)]
struct RoleFacts {
    name: String,
    is_superuser: bool,
    bypasses_policies: bool,
}

const ROLE_FACTS: Sql = Sql::postgres(
    "select rolname::text as name, rolsuper as is_superuser, rolbypassrls as bypasses_policies \
     from pg_roles where rolname = current_user",
);

/// Refuses a PostgreSQL role whose statements row-level security would not restrain.
pub(crate) async fn check_role(target: &Target) -> Result<()> {
    let Connection::Postgres(mut connection) = target.connect().await? else { return Ok(()) };
    let row = crate::sql::postgres_query(&ROLE_FACTS, args![]).fetch_one(&mut connection).await?;
    connection.close().await?;
    let facts = RoleFacts::from_row(&row)?;
    if !facts.is_superuser && !facts.bypasses_policies {
        return Ok(());
    }
    let why = if facts.is_superuser { "is a superuser" } else { "may bypass row security" };
    Err(StoreError::Refused(format!(
        "the database role `{}` {why}, so tenants would not be kept apart. Make a role of its own for the server, in \
         this database:\n  \
         create role trellis login nosuperuser nobypassrls password 'CHOOSE ONE';\n  \
         grant usage, create on schema public to trellis;\n\
         and give its address in TRELLIS_DATABASE_URL. (TRELLIS_MIGRATION_URL may name another role that owns the schema.)",
        facts.name
    )))
}
