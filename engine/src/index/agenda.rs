//! What is due later, for whom: one moment for each tenant.

use std::collections::{BTreeSet, HashMap};

use engine_model::TenantId;
use tokio::time::Instant;

/// Tenants by the moment at which something is due.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    order: BTreeSet<(Instant, TenantId)>,
    moments: HashMap<TenantId, Instant>,
}

impl Agenda {
    /// Something is due at this moment and no other; never where there is none.
    pub(super) fn set(&mut self, tenant: TenantId, moment: Option<Instant>) {
        let before = match moment {
            Some(moment) => self.moments.insert(tenant, moment),
            None => self.moments.remove(&tenant),
        };
        if before == moment {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, tenant));
        }
        self.order.extend(moment.map(|moment| (moment, tenant)));
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(moment, _)| *moment)
    }

    /// Takes out somebody for whom something is due by now.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<TenantId> {
        let (_, tenant) = self.order.first().filter(|(moment, _)| *moment <= now).copied()?;
        self.set(tenant, None);
        Some(tenant)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_is_due_first_comes_first_and_the_last_word_counts() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut agenda = Agenda::default();
        for (tenant, moment) in [(1, Some(at(5))), (2, Some(at(3))), (3, Some(at(4))), (3, None), (1, Some(at(2)))] {
            agenda.set(TenantId(tenant), moment);
        }
        assert_eq!((agenda.next(), agenda.take_due(at(1))), (Some(at(2)), None));
        assert_eq!([(); 3].map(|()| agenda.take_due(at(9))), [Some(TenantId(1)), Some(TenantId(2)), None]);
        assert_eq!(agenda.next(), None);
    }
}
