//! Roll-ups over records that are purged.
//!
//! A purge leaves nothing behind that would say with whom a record was linked, so whoever follows the log can only have
//! all records of an object computed anew. Who purges knows better: the records that draw from it are found before it
//! goes, and looked at again before the call is answered. If that fails, or the process ends, the follower's job is
//! what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine_model::Name;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::affected::Affected;
use super::follow::FOLLOWER;
use crate::error::Result;
use crate::session::Session;

/// How long a purge holds its caller up for roll-ups.
const PATIENCE: Duration = Duration::from_secs(1);

/// Records that draw from others which are about to be purged.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    /// The definitions by which roll-ups are counted.
    version: i64,
    /// By object, each record with the roll-ups concerned.
    records: Vec<(Name, BTreeMap<i64, BTreeSet<usize>>)>,
}

impl Session {
    /// Who draws from records that are about to be purged, each given with its object. Where they are too many to be
    /// named, the follower's job does it alone.
    pub(crate) async fn drawing_from(&self, purged: &[(&str, i64)]) -> Result<Drawing> {
        let computed = &self.catalog.effective.registry.computed;
        let mut affected = Affected::default();
        for (object, record) in purged {
            affected.add_part(computed, object, *record);
        }
        if affected.is_empty() {
            return Ok(Drawing::default());
        }
        let records = self.records_of(affected, &mut BTreeSet::new()).await?;
        Ok(Drawing { version: self.catalog.version, records })
    }

    /// Looks at them again now that those records are gone.
    pub(crate) async fn draw_again(&self, drawing: Drawing) {
        if drawing.records.is_empty() {
            return;
        }
        match tokio::time::timeout(PATIENCE, self.gather_again(drawing)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(tenant.id = %self.tenant(), %error, "roll-ups of purged records are left to a job");
            }
            Err(_) => {
                tracing::debug!(tenant.id = %self.tenant(), "roll-ups of purged records take long; a job goes on")
            }
        }
    }

    /// Boxed, since what it writes is executed as the purge was.
    fn gather_again(&self, drawing: Drawing) -> BoxFuture<'_, Result<()>> {
        async move {
            let mut session = self.engine.session_of_engine(self.tenant(), FOLLOWER).await?;
            session.refresh().await?;
            // Positions are those of other definitions; whoever changed them has had roll-ups computed.
            if session.catalog.version != drawing.version {
                return Ok(());
            }
            for (object, wanted) in drawing.records {
                // One that waits for the index is left to the follower.
                drop(session.refresh_rollups(&object, &wanted, false).await?);
            }
            Ok(())
        }
        .boxed()
    }
}
