//! Users, teams, roles and tokens: who may act in a tenant; why somebody may or may not; who was given sensitive values.

mod explain;
mod given;
mod roles;
mod teams;
mod tokens;
mod users;

pub use explain::{AccessQuestion, ExplainedAccess};
pub(crate) use given::Given;
pub use given::{ReadEntry, ReadLogQuery};
pub use roles::RoleView;
pub(crate) use roles::Roles;
pub use teams::{TeamInput, TeamView};
pub use tokens::{NewToken, TokenPatch, TokenView};
pub use users::{NewUser, UserPatch, UserView};

use engine_store::Tx;

use crate::error::Result;
use crate::records::Written;
use crate::session::Session;

impl Session {
    /// A transaction that changes who may do what; the caller has been checked.
    pub(crate) async fn begin_access(&self) -> Result<Tx> {
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        tx.head.access_version += 1;
        Ok(tx)
    }

    /// Commits such a transaction; from here on no request is answered by the old rights.
    pub(crate) async fn commit_access<T>(
        &mut self,
        mut tx: Tx,
        value: T,
        reply: Option<AccessReply<T>>,
    ) -> Result<Written<T>> {
        let sequence = tx.head.sequence();
        let written = Written { value, sequence };
        if let Some(reply) = reply {
            self.keep_reply(&mut tx, &written, reply).await?;
        }
        let head = tx.commit().await?;
        self.engine.inner.callers.invalidate_all();
        self.engine.saw_versions(self.tenant(), head.metadata_version, head.access_version).await;
        Ok(written)
    }
}

/// Makes the reply that is kept under the caller's idempotency key.
pub type AccessReply<T> = Box<dyn FnOnce(&Written<T>) -> engine_store::idempotency::StoredReply + Send>;
