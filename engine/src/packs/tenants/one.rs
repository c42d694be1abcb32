//! One tenant of many: the same plan and the same way of applying it as the tenant's own.

use engine_store::pack;
use engine_store::tenant;

use super::run::Run;
use super::selection::Tenant;
use super::{Consent, Fate, StepCounts};
use crate::error::Result;
use crate::packs::plan::{Foreseen, Wanted};
use crate::packs::target::Agreed;

impl Run {
    /// Plans or applies the pack; none where the tenant is not concerned. `from` becomes the version that it has.
    pub(super) async fn attempt(&self, tenant: &Tenant, from: &mut Option<String>) -> Result<Option<Fate>> {
        let rows = pack::all(&mut self.engine.store().read(tenant.id).await?).await?;
        let row = rows.into_iter().find(|row| row.name == self.common.known.name() && row.is_installed());
        *from = row.map(|row| row.version);
        if from.is_none() && !self.installs {
            let skipped = Fate::Skipped("the tenant does not have the pack; `install` gives it to those, too");
            return Ok(tenant.is_named.then_some(skipped));
        }
        let mut session = self.engine.session_without_user(tenant.id, self.origin.clone()).await?;
        let wanted = Wanted::Common(self.common.clone());
        if self.only_plans {
            let Consent { accept, migrations, .. } = &self.consent;
            let Foreseen { proposal, steps, .. } =
                session.foresee(&wanted, Agreed { accept, migrations, for_many: true }).await?;
            let conflicts = proposal.conflicts().to_vec();
            let warnings = proposal.warnings.clone();
            let planned = Fate::Planned { steps, conflicts, warnings };
            return Ok(Some(if proposal.target.is_none() { Fate::Unchanged } else { planned }));
        }
        let (proposal, written) = session.carry_out(&wanted, None, &self.consent).await?;
        if !written.value.is_new {
            return Ok(Some(Fate::Unchanged));
        }
        let (steps, conflicts) = (StepCounts::of(&proposal.steps), proposal.conflicts().to_vec());
        Ok(Some(Fate::Changed { steps, conflicts, jobs: written.value.jobs }))
    }

    /// Whether there is no such tenant any more.
    pub(super) async fn is_gone(&self, tenant: &Tenant) -> bool {
        let Ok(mut reader) = self.engine.store().read(tenant.id).await else { return false };
        tenant::get(&mut reader).await.is_ok_and(|row| row.is_none())
    }
}
