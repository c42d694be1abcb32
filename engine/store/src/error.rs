//! What can go wrong in the store.

use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteError;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is full, or refuses for now; nothing is known to have changed.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A statement failed in a way that trying again does not mend.
    #[error("a statement failed: {0}")]
    Statement(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database role or address does not allow safe operation.
    #[error("{0}")]
    Refused(String),
    /// A stored value is not what the schema promises.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The store is shutting down.
    #[error("the store is closing")]
    Closing,
}

/// Result of a store call.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl StoreError {
    /// Trying again later may help.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Closing)
    }

    /// Another row has the value already.
    pub(crate) fn is_unique_violation(&self) -> bool {
        let Self::Statement(sqlx::Error::Database(error)) = self else { return false };
        error.is_unique_violation()
    }

    /// The connection itself may be unusable after this.
    pub(crate) fn breaks_connection(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(error)) | Self::Statement(sqlx::Error::Database(error)) => {
                ends_session(error.as_ref())
            }
            Self::Unavailable(_) | Self::Statement(_) => true,
            Self::Migration(_) | Self::Refused(_) | Self::Damaged(_) | Self::Closing => true,
        }
    }

    /// The same failure once more, for each of several callers whom it concerns.
    pub(crate) fn again(&self) -> Self {
        let text = |error: &sqlx::Error| sqlx::Error::InvalidArgument(error.to_string());
        match self {
            Self::Unavailable(error) => Self::Unavailable(text(error)),
            Self::Statement(error) => Self::Statement(text(error)),
            Self::Migration(error) => Self::Statement(sqlx::Error::InvalidArgument(error.to_string())),
            Self::Refused(text) => Self::Refused(text.clone()),
            Self::Damaged(text) => Self::Damaged(text.clone()),
            Self::Closing => Self::Closing,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_passing(&error) { Self::Unavailable(error) } else { Self::Statement(error) }
    }
}

/// Failures of the connection or of the machine rather than of the statement.
fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => match database.code().as_deref() {
            Some(code) if is_sqlite(database.as_ref()) => is_passing_in_sqlite(code),
            Some(code) => is_passing_in_postgres(code),
            None => false,
        },
        _ => false,
    }
}

/// Primary codes stand in the low byte of extended ones: busy, locked, interrupted, I/O, full, cannot open, protocol.
fn is_passing_in_sqlite(code: &str) -> bool {
    code.parse::<i64>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 9 | 10 | 13 | 14 | 15))
}

/// Classes: connection, transaction rollback (deadlock, serialization), resources, operator intervention, system error;
/// and a standby that takes no writes, a transaction that was idle for too long, a lock that was not to be had.
fn is_passing_in_postgres(code: &str) -> bool {
    ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
        || ["25006", "25P03", "55P03"].contains(&code)
}

/// PostgreSQL says so before it closes a connection: shut down, crashed, starting up, idle for too long.
fn ends_session(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    !is_sqlite(error) && (code.starts_with("08") || ["57P01", "57P02", "57P03", "57P05", "25P03"].contains(&&*code))
}

fn is_sqlite(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<SqliteError>().is_some()
}
