//! Connections by what they may see: a connection keeps its tenant until another one needs it.
//!
//! The tenant setting that row-level security reads would cost a round trip for every statement; kept with the
//! connection it costs one only when the connection changes hands between tenants.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine_model::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connect::Target;
use crate::connection::Connection;
use crate::error::{Result, StoreError};
use crate::lease::Lease;
use crate::sql::{Sql, args};

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

const SET_SCOPE: Sql = Sql::postgres(
    "select set_config('trellis.tenant', $1, false), set_config('trellis.token_hash', $2, false), \
     set_config('trellis.platform', $3, false)",
);

#[derive(Debug)]
struct Idle {
    scope: Scope,
    connection: Connection,
}

/// Open connections to one address, at most `size` at a time.
#[derive(Debug)]
pub(crate) struct Pool {
    target: Target,
    size: usize,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

impl Pool {
    pub(crate) fn new(target: Target, size: usize) -> Arc<Self> {
        Arc::new(Self { target, size, permits: Arc::new(Semaphore::new(size)), idle: Mutex::new(Vec::new()) })
    }

    /// A connection that sees what `scope` allows; waits for one to be free.
    pub(crate) async fn acquire(self: &Arc<Self>, scope: Scope) -> Result<Lease> {
        let permit = self.permit().await?;
        let (connection, is_reused) = match self.take_idle(&scope) {
            Some(idle) if idle.scope == scope => (idle.connection, true),
            Some(mut idle) => match set_scope(&mut idle.connection, &scope).await {
                Ok(()) => (idle.connection, true),
                Err(error) if error.breaks_connection() => {
                    self.forget_idle();
                    (self.connect(&scope).await?, false)
                }
                Err(error) => return Err(error),
            },
            None => (self.connect(&scope).await?, false),
        };
        Ok(Lease::new(Arc::clone(self), permit, scope, connection, is_reused))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(ACQUIRE_TIMEOUT, waiting).await {
            Ok(permit) => permit.map_err(|_| StoreError::Closing),
            Err(_) => Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)),
        }
    }

    fn take_idle(&self, scope: &Scope) -> Option<Idle> {
        let mut idle = self.idle();
        match idle.iter().rposition(|idle| idle.scope == *scope) {
            Some(position) => Some(idle.swap_remove(position)),
            None => idle.pop(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection back that may be used again.
    pub(crate) fn give_back(&self, scope: Scope, connection: Connection) {
        if !self.permits.is_closed() {
            self.idle().push(Idle { scope, connection });
        }
    }

    /// Where one connection has broken, those that wait have most likely broken too.
    pub(crate) fn forget_idle(&self) {
        drop(std::mem::take(&mut *self.idle()));
    }

    /// A fresh connection.
    pub(crate) async fn connect(&self, scope: &Scope) -> Result<Connection> {
        let mut connection = self.target.connect().await?;
        set_scope(&mut connection, scope).await?;
        Ok(connection)
    }

    /// Waits until every connection is back, then closes them.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(self.size).unwrap_or(u32::MAX);
        let returned = tokio::time::timeout(ACQUIRE_TIMEOUT, self.permits.acquire_many(all)).await;
        if returned.is_err() {
            tracing::warn!("closing the store while statements are still running");
        }
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
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
