//! One connection to either store: the single path of every statement.

use futures::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Executor, FromRow, PgConnection, SqliteConnection};

use crate::error::Result;
use crate::sql::{Arg, Sql, postgres_query, sqlite_query};

/// One connection.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A row type that reads from both stores.
pub(crate) trait FromBoth: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> FromBoth for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl Connection {
    /// Every row; on SQLite of every statement of the text.
    pub(crate) async fn fetch_all<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<Vec<T>> {
        let rows = match self {
            Self::Sqlite(connection) => {
                let rows: Vec<SqliteRow> = sqlite_query(sql, args).fetch_all(connection).await?;
                rows.iter().map(T::from_row).collect::<Result<Vec<T>, _>>()?
            }
            Self::Postgres(connection) => {
                let rows: Vec<PgRow> = postgres_query(sql, args).fetch_all(connection).await?;
                rows.iter().map(T::from_row).collect::<Result<Vec<T>, _>>()?
            }
        };
        Ok(rows)
    }

    /// The first row, if there is one; on SQLite of the first statement of the text, which is the only one that runs.
    pub(crate) async fn fetch_optional<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<Option<T>> {
        let row = match self {
            Self::Sqlite(connection) => {
                let row = sqlite_query(sql, args).fetch_optional(connection).await?;
                row.as_ref().map(T::from_row).transpose()?
            }
            Self::Postgres(connection) => {
                let row = postgres_query(sql, args).fetch_optional(connection).await?;
                row.as_ref().map(T::from_row).transpose()?
            }
        };
        Ok(row)
    }

    /// Runs the statement, or on SQLite the several statements of one text; how many rows were affected in all.
    pub(crate) async fn execute(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<u64> {
        Ok(match self {
            Self::Sqlite(connection) => {
                let mut affected = 0;
                let mut results = connection.fetch_many(sqlite_query(sql, args));
                while let Some(step) = results.try_next().await? {
                    affected += step.left().map_or(0, |result| result.rows_affected());
                }
                affected
            }
            Self::Postgres(connection) => postgres_query(sql, args).execute(connection).await?.rows_affected(),
        })
    }

    /// Closes politely; a connection that is already broken is simply gone.
    pub(crate) async fn close(self) {
        let closed = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "closed a broken connection");
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}
