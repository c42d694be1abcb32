//! Connections by what they may see: a connection keeps its tenant until another one needs it.
//!
//! The tenant setting that row-level security reads would cost a round trip for every statement; kept with the
//! connection it costs one only when the connection changes hands between tenants.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine_model::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connect::Target;
use crate::connection::{Connection, FromBoth};
use crate::error::{Result, StoreError};
use crate::sql::{Arg, Sql, args};

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connection may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The rows of one tenant.
    Tenant(TenantId),
    /// The one token row with this hash.
    Token(String),
    /// The list of tenants and of waiting jobs.
    Platform,
}

const SET_SCOPE: Sql = Sql::each(
    "select 1",
    "select set_config('trellis.tenant', $1, false), set_config('trellis.token_hash', $2, false), \
     set_config('trellis.platform', $3, false)",
);

const BEGIN: Sql = Sql::each("begin immediate", "begin");
const COMMIT: Sql = Sql::same("commit");

#[derive(Debug)]
struct Idle {
    scope: Scope,
    connection: Connection,
}

/// Open connections to one address, at most `size` at a time.
#[derive(Debug)]
pub(crate) struct Pool {
    target: Target,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

impl Pool {
    pub(crate) fn new(target: Target, size: usize) -> Arc<Self> {
        Arc::new(Self { target, permits: Arc::new(Semaphore::new(size)), idle: Mutex::new(Vec::new()) })
    }

    /// A connection that sees what `scope` allows; waits for one to be free.
    pub(crate) async fn acquire(self: &Arc<Self>, scope: Scope) -> Result<Lease> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        let permit = tokio::time::timeout(ACQUIRE_TIMEOUT, waiting)
            .await
            .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))?
            .map_err(|_| StoreError::Closing)?;
        let (connection, is_reused) = match self.take_idle(&scope) {
            Some(idle) if idle.scope == scope => (idle.connection, true),
            Some(mut idle) => match set_scope(&mut idle.connection, &scope).await {
                Ok(()) => (idle.connection, true),
                Err(error) if error.breaks_connection() => (self.connect(&scope).await?, false),
                Err(error) => return Err(error),
            },
            None => (self.connect(&scope).await?, false),
        };
        let pool = Arc::clone(self);
        Ok(Lease { connection: Some(connection), scope, pool, is_reused, is_dirty: false, _permit: permit })
    }

    fn take_idle(&self, scope: &Scope) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.iter().rposition(|idle| idle.scope == *scope) {
            Some(position) => Some(idle.swap_remove(position)),
            None => idle.pop(),
        }
    }

    async fn connect(&self, scope: &Scope) -> Result<Connection> {
        let mut connection = self.target.connect().await?;
        set_scope(&mut connection, scope).await?;
        Ok(connection)
    }

    /// Waits until every connection is back, then closes them.
    pub(crate) async fn close(&self, size: usize) {
        let all = u32::try_from(size).unwrap_or(u32::MAX);
        let returned = tokio::time::timeout(ACQUIRE_TIMEOUT, self.permits.acquire_many(all)).await;
        if returned.is_err() {
            tracing::warn!("closing the store while statements are still running");
        }
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for idle in idle {
            idle.connection.close().await;
        }
    }
}

async fn set_scope(connection: &mut Connection, scope: &Scope) -> Result<()> {
    if !connection.is_postgres() {
        return Ok(());
    }
    let (tenant, token, platform) = match scope {
        Scope::Tenant(tenant) => (tenant.to_string(), String::new(), ""),
        Scope::Token(hash) => (String::new(), hash.clone(), ""),
        Scope::Platform => (String::new(), String::new(), "on"),
    };
    connection.execute(&SET_SCOPE, args![tenant, token, platform]).await.map(drop)
}

/// A connection in use. It goes back to its pool when dropped, unless a statement or transaction was left unfinished.
#[derive(Debug)]
pub(crate) struct Lease {
    connection: Option<Connection>,
    scope: Scope,
    pool: Arc<Pool>,
    is_reused: bool,
    /// A statement or transaction is under way; dropped like this, the connection is thrown away.
    is_dirty: bool,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(crate) async fn fetch_all<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg>) -> Result<Vec<T>> {
        let was_dirty = std::mem::replace(&mut self.is_dirty, true);
        let result = self.connection()?.fetch_all(sql, args).await;
        self.settle(was_dirty, result)
    }

    pub(crate) async fn fetch_optional<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg>) -> Result<Option<T>> {
        let was_dirty = std::mem::replace(&mut self.is_dirty, true);
        let result = self.connection()?.fetch_optional(sql, args).await;
        self.settle(was_dirty, result)
    }

    pub(crate) async fn execute(&mut self, sql: &Sql, args: Vec<Arg>) -> Result<u64> {
        let was_dirty = std::mem::replace(&mut self.is_dirty, true);
        let result = self.connection()?.execute(sql, args).await;
        self.settle(was_dirty, result)
    }

    fn connection(&mut self) -> Result<&mut Connection> {
        self.connection.as_mut().ok_or(StoreError::Closing)
    }

    fn settle<T>(&mut self, was_dirty: bool, result: Result<T>) -> Result<T> {
        self.is_dirty = was_dirty || result.as_ref().is_err_and(StoreError::breaks_connection);
        result
    }

    /// The connection waited in the pool before, so the server may have closed it meanwhile.
    pub(crate) fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Opens a transaction; a connection that died while it waited in the pool is replaced first.
    ///
    /// From here on the lease holds on to its connection: the rest of a transaction cannot move to another one.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        let begun = self.execute(&BEGIN, args![]).await;
        match begun {
            Err(error) if self.is_reused && error.breaks_connection() => {
                self.reconnect().await?;
                self.execute(&BEGIN, args![]).await?;
            }
            other => drop(other?),
        }
        self.is_reused = false;
        self.is_dirty = true;
        Ok(())
    }

    /// Ends the transaction that [`Lease::begin`] opened.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        self.execute(&COMMIT, args![]).await?;
        self.is_dirty = false;
        Ok(())
    }

    /// Replaces a broken connection by a fresh one.
    pub(crate) async fn reconnect(&mut self) -> Result<()> {
        self.connection = None;
        self.connection = Some(self.pool.connect(&self.scope).await?);
        self.is_reused = false;
        self.is_dirty = false;
        Ok(())
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.connection, Some(Connection::Postgres(_)))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if self.is_dirty {
            return;
        }
        let idle = Idle { scope: self.scope.clone(), connection };
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
    }
}
