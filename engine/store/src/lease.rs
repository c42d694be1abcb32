//! A connection in use.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::connection::{Connection, FromBoth};
use crate::error::{Result, StoreError};
use crate::pool::{Pool, Scope};
use crate::sql::{Arg, Sql, args};

const BEGIN: Sql = Sql::each("begin immediate", "begin");
/// On SQLite what is seen is that of the first read.
const BEGIN_SNAPSHOT: Sql = Sql::each("begin", "begin isolation level repeatable read read only");
const COMMIT: Sql = Sql::same("commit");
const ROLLBACK: Sql = Sql::sqlite("rollback");

/// A connection in use. It goes back to its pool when dropped, unless a statement or transaction was left unfinished.
#[derive(Debug)]
pub(crate) struct Lease {
    connection: Option<Connection>,
    scope: Scope,
    pool: Arc<Pool>,
    /// It waited in the pool and has not been used since, so the server may have closed it meanwhile.
    is_untried: bool,
    /// A statement or transaction is under way; dropped like this, the connection is thrown away.
    is_dirty: bool,
    _permit: OwnedSemaphorePermit,
}

/// Calls a method of the connection. A connection that died while it waited in the pool is replaced first.
macro_rules! call {
    ($lease:ident.$method:ident($sql:expr, $args:expr)) => {{
        let kept = $lease.is_untried.then(|| $args.clone());
        let was_dirty = $lease.start();
        let result = $lease.connection()?.$method($sql, $args).await;
        match ($lease.settle(was_dirty, result), kept) {
            (Err(error), Some(kept)) if error.breaks_connection() => {
                $lease.reconnect().await?;
                let was_dirty = $lease.start();
                let result = $lease.connection()?.$method($sql, kept).await;
                $lease.settle(was_dirty, result)
            }
            (result, _) => result,
        }
    }};
}

impl Lease {
    pub(crate) fn new(
        pool: Arc<Pool>,
        permit: OwnedSemaphorePermit,
        scope: Scope,
        connection: Connection,
        is_reused: bool,
    ) -> Self {
        // A file does not hang up.
        let is_untried = is_reused && connection.is_postgres();
        Self { connection: Some(connection), scope, pool, is_untried, is_dirty: false, _permit: permit }
    }

    pub(crate) async fn fetch_all<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<Vec<T>> {
        call!(self.fetch_all(sql, args))
    }

    pub(crate) async fn fetch_optional<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<Option<T>> {
        call!(self.fetch_optional(sql, args))
    }

    pub(crate) async fn execute(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<u64> {
        call!(self.execute(sql, args))
    }

    /// Like [`Lease::fetch_optional`], for what may have happened where the connection breaks.
    pub(crate) async fn fetch_optional_unrepeated<T: FromBoth>(
        &mut self,
        sql: &Sql,
        args: Vec<Arg<'_>>,
    ) -> Result<Option<T>> {
        self.is_untried = false;
        self.fetch_optional(sql, args).await
    }

    /// Opens a transaction, which holds on to its connection from here on.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        self.execute(&BEGIN, args![]).await?;
        self.is_dirty = true;
        Ok(())
    }

    /// Opens a transaction that only reads, and sees one moment.
    pub(crate) async fn begin_snapshot(&mut self) -> Result<()> {
        self.execute(&BEGIN_SNAPSHOT, args![]).await?;
        self.is_dirty = true;
        Ok(())
    }

    /// Ends the transaction.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        self.execute(&COMMIT, args![]).await?;
        self.is_dirty = false;
        Ok(())
    }

    /// Runs a text that begins with opening a transaction.
    pub(crate) async fn begin_with<T: FromBoth>(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<Vec<T>> {
        self.is_dirty = true;
        self.fetch_all(sql, args).await
    }

    /// Runs a text that ends with closing the transaction.
    pub(crate) async fn commit_with(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<()> {
        self.execute(sql, args).await?;
        self.is_dirty = false;
        Ok(())
    }

    /// Runs a text that is a whole transaction; where it fails, nothing of it remains.
    pub(crate) async fn transact_with(&mut self, sql: &Sql, args: Vec<Arg<'_>>) -> Result<()> {
        self.is_dirty = true;
        let done = self.execute(sql, args).await;
        // Where the database has rolled back by itself there is nothing to roll back; a fresh connection is safer then.
        if done.is_ok() || self.execute(&ROLLBACK, args![]).await.is_ok() {
            self.is_dirty = false;
        }
        done.map(drop)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.connection, Some(Connection::Postgres(_)))
    }

    fn connection(&mut self) -> Result<&mut Connection> {
        self.connection.as_mut().ok_or(StoreError::Closing)
    }

    /// Dropped from here until [`Lease::settle`], the connection is in the middle of something.
    fn start(&mut self) -> bool {
        self.is_untried = false;
        std::mem::replace(&mut self.is_dirty, true)
    }

    fn settle<T>(&mut self, was_dirty: bool, result: Result<T>) -> Result<T> {
        let is_broken = result.as_ref().is_err_and(StoreError::breaks_connection);
        if is_broken {
            self.pool.forget_idle();
        }
        self.is_dirty = was_dirty || is_broken;
        result
    }

    /// Goes on with a fresh connection.
    pub(crate) async fn reconnect(&mut self) -> Result<()> {
        self.connection = None;
        self.connection = Some(self.pool.connect(&self.scope).await?);
        self.is_dirty = false;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if !self.is_dirty {
            self.pool.give_back(self.scope.clone(), connection);
        }
    }
}
