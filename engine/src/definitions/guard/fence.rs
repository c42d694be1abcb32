//! A fence around the long way to a changed definition: nobody else has changed the definitions meanwhile, and nobody
//! else gathers claims.

use engine_model::TenantId;
use engine_model::time::Timestamp;
use engine_store::Tx;
use engine_store::claim::{self, Constraint};

use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};

/// Claims given back in one transaction.
const BATCH: i64 = 5_000;

/// How long others leave who gathers claims alone after its last step.
const TURN_MICROS: i64 = 30_000_000;

/// What must still hold whenever a transaction on the way begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence {
    pub(crate) tenant: TenantId,
    /// The metadata version that the change is made from.
    pub(crate) version: i64,
    /// What claims are gathered by; none where none are.
    pub(crate) turn: Option<Turn>,
}

/// A turn at gathering claims.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turn {
    pub(crate) ticket: i64,
    /// Others wait; otherwise who begins ends it.
    pub(crate) is_held: bool,
}

impl Fence {
    /// A transaction inside the fence; `None` where the definitions have moved on.
    pub(crate) async fn begin(&self, engine: &Engine) -> Result<Option<Tx>> {
        let mut tx = engine.store().begin(self.tenant).await?;
        if tx.head.metadata_version != self.version {
            return Ok(None);
        }
        if let Some(turn) = self.turn {
            if claim::last_ticket(tx.reader()).await? != turn.ticket {
                return Err(busy());
            }
            if turn.is_held {
                claim::hold(&mut tx, end_of_turn(engine)).await?;
            }
        }
        Ok(Some(tx))
    }

    /// Takes a turn at gathering claims; false where the definitions have moved on.
    pub(crate) async fn take_turn(&mut self, engine: &Engine) -> Result<bool> {
        let Some(mut tx) = self.begin(engine).await? else { return Ok(false) };
        let ticket = claim::begin(&mut tx, engine.now(), end_of_turn(engine)).await?.ok_or_else(busy)?;
        tx.commit().await?;
        self.turn = Some(Turn { ticket, is_held: true });
        Ok(true)
    }

    /// Lets others have their turn; what is left to do goes on until somebody takes it.
    pub(crate) async fn end_turn(&mut self, tx: &mut Tx) -> Result<()> {
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.is_held) {
            claim::hold(tx, Timestamp(0)).await?;
            turn.is_held = false;
        }
        Ok(())
    }

    /// [`Fence::end_turn`] by itself, also where the definitions have moved on.
    pub(crate) async fn give_turn_up(&mut self, engine: &Engine) -> Result<()> {
        let mut tx = engine.store().begin(self.tenant).await?;
        let last = claim::last_ticket(tx.reader()).await?;
        if self.turn.is_some_and(|turn| turn.ticket == last) {
            self.end_turn(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(())
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

fn end_of_turn(engine: &Engine) -> Timestamp {
    Timestamp(engine.now().0.saturating_add(TURN_MICROS))
}

fn busy() -> Error {
    let detail = "another change of definitions is looking at the records; try again when it is done";
    Error::new(ErrorCode::Conflict, detail)
}
