//! A connection past the store and past row security, to look at rows and to do what others do to a database.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Runs one sqlx call on either connection.
macro_rules! either {
    ($raw:expr, $connection:ident => $call:expr) => {
        match $raw {
            Raw::Sqlite($connection) => $call.await,
            Raw::Postgres($connection) => $call.await,
        }
    };
}

impl Raw {
    pub(crate) async fn sqlite(path: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path);
        Self::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
    }

    pub(crate) async fn postgres(url: &str) -> Self {
        Self::Postgres(PgConnection::connect(url).await.unwrap())
    }

    /// Runs one or several statements without arguments.
    pub(crate) async fn try_execute(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let text = AssertSqlSafe(text);
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
            Self::Postgres(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
        }
    }

    pub(crate) async fn execute(&mut self, text: &str) {
        self.try_execute(text).await.unwrap();
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&mut self, text: &str) -> i64 {
        either!(self, connection => sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(connection)).unwrap()
    }

    /// The first column of every row.
    pub(crate) async fn texts(&mut self, text: &str) -> Vec<String> {
        either!(self, connection => sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(connection)).unwrap()
    }

    pub(crate) async fn numbers(&mut self, text: &str) -> Vec<i64> {
        either!(self, connection => sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(connection)).unwrap()
    }
}
