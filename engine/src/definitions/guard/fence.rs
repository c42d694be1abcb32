//! A fence around the long way to a changed definition: nobody else has changed the definitions meanwhile, and nobody
//! else gathers claims.

use engine_model::TenantId;
use engine_store::Tx;
use engine_store::claim::{self, Constraint};

use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};

/// Claims given back in one transaction.
const BATCH: i64 = 5_000;

/// What must still hold whenever a transaction on the way begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence {
    pub(crate) tenant: TenantId,
    /// The metadata version that the change is made from.
    pub(crate) version: i64,
    /// The ticket of who gathers claims; none where no claims are gathered.
    pub(crate) ticket: Option<i64>,
}

impl Fence {
    /// A transaction inside the fence; `None` where the definitions have moved on.
    pub(crate) async fn begin(&self, engine: &Engine) -> Result<Option<Tx>> {
        let mut tx = engine.store().begin(self.tenant).await?;
        if tx.head.metadata_version != self.version {
            return Ok(None);
        }
        if let Some(ticket) = self.ticket
            && claim::last_ticket(tx.reader()).await? != ticket
        {
            let detail = "another change of definitions is looking at the records; try again when it is done";
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        Ok(Some(tx))
    }

    /// Gives every claim of a constraint back, a batch at a time; false where the definitions have moved on.
    pub(crate) async fn free(&self, engine: &Engine, constraint: &Constraint) -> Result<bool> {
        loop {
            let Some(mut tx) = self.begin(engine).await? else { return Ok(false) };
            let freed = claim::free_first(&mut tx, constraint, BATCH).await?;
            tx.commit().await?;
            if i64::try_from(freed).is_ok_and(|freed| freed < BATCH) {
                return Ok(true);
            }
            if engine.stopping().is_cancelled() {
                return Ok(false);
            }
        }
    }

    /// Gives claims back that nobody minds, in the background.
    ///
    /// Whatever stays, because the fence fell or the process ended, is harmless: who adds the constraint again begins
    /// by giving it back.
    pub(crate) fn sweep(self, engine: &Engine, constraints: Vec<Constraint>) {
        if constraints.is_empty() {
            return;
        }
        let (owner, tenant) = (engine.clone(), self.tenant);
        engine.inner.tasks.spawn(async move {
            for constraint in constraints {
                match self.free(&owner, &constraint).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => {
                        tracing::warn!(tenant.id = %tenant, object.name = constraint.object, %error,
                            "claims of a constraint that is gone were left behind");
                        return;
                    }
                }
            }
        });
    }
}
