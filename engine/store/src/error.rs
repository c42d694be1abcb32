//! What can go wrong in the store.

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
            // SQLite's primary codes, extended ones carry them in the low byte: busy, locked, interrupt, I/O, full,
            // cannot open, protocol.
            Some(code) if code.len() < 5 || code.bytes().all(|byte| byte.is_ascii_digit()) && database.is_sqlite() => {
                code.parse::<i64>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 9 | 10 | 13 | 14 | 15))
            }
            // PostgreSQL's classes: connection, transaction rollback (deadlock, serialization), resources, operator
            // intervention, system error; and a standby that takes no writes.
            Some(code) => {
                ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)) || code == "25006"
            }
            None => false,
        },
        _ => false,
    }
}

trait Dialect {
    fn is_sqlite(&self) -> bool;
}

impl Dialect for Box<dyn sqlx::error::DatabaseError> {
    fn is_sqlite(&self) -> bool {
        self.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
    }
}
