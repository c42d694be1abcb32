//! Which tenants' logs have grown: for those who follow all of them, each in its own time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_model::{Sequence, TenantId};
use tokio::sync::Notify;

/// Tenants that are remembered by name; where more have grown, any may have.
const MOST: usize = 10_000;

/// What has grown since it was asked for the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grown {
    /// The logs of these tenants, at least up to these positions; no other.
    These(HashMap<TenantId, Sequence>),
    /// The log of any tenant may have.
    Any,
}

/// Hears of every tenant whose log grows, on whichever node, from its beginning on. Several can be at it.
#[derive(Debug)]
pub struct GrowthListener {
    heard: Arc<Heard>,
}

/// What one listener has not been told yet.
#[derive(Debug)]
pub(crate) struct Heard {
    grown: Mutex<Grown>,
    told: Notify,
}

impl GrowthListener {
    /// Waits until something has grown. The first answer is [`Grown::Any`], at once.
    pub async fn next(&mut self) -> Grown {
        loop {
            // Registered first, so that what is heard in between wakes it.
            let told = self.heard.told.notified();
            if let Some(grown) = self.heard.take() {
                return grown;
            }
            told.await;
        }
    }
}

impl Heard {
    /// What a new listener has heard, and the listener.
    pub(crate) fn begin() -> (Arc<Self>, GrowthListener) {
        let heard = Arc::new(Self { grown: Mutex::new(Grown::Any), told: Notify::new() });
        (Arc::clone(&heard), GrowthListener { heard })
    }

    /// The log of a tenant has grown up to `sequence`.
    pub(crate) fn add(&self, tenant: TenantId, sequence: Sequence) {
        let mut grown = self.grown();
        if let Grown::These(tenants) = &mut *grown {
            let known = tenants.entry(tenant).or_insert(sequence);
            *known = sequence.max(*known);
            if tenants.len() > MOST {
                *grown = Grown::Any;
            }
        }
        drop(grown);
        self.told.notify_one();
    }

    /// Signals may have been lost.
    pub(crate) fn add_any(&self) {
        *self.grown() = Grown::Any;
        self.told.notify_one();
    }

    fn take(&self) -> Option<Grown> {
        let mut grown = self.grown();
        let is_empty = matches!(&*grown, Grown::These(tenants) if tenants.is_empty());
        (!is_empty).then(|| std::mem::replace(&mut *grown, Grown::These(HashMap::new())))
    }

    fn grown(&self) -> MutexGuard<'_, Grown> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_has_grown_is_told_once_and_together() {
        let (heard, mut listener) = Heard::begin();
        assert_eq!(listener.next().await, Grown::Any);
        assert_eq!(listener.next().now_or_never(), None);
        for (tenant, sequence) in [(1, 5), (2, 1), (1, 4)] {
            heard.add(TenantId(tenant), Sequence(sequence));
        }
        let grown = HashMap::from([(TenantId(1), Sequence(5)), (TenantId(2), Sequence(1))]);
        assert_eq!(listener.next().await, Grown::These(grown));
        assert_eq!(listener.next().now_or_never(), None);
    }

    #[tokio::test]
    async fn more_tenants_than_are_remembered_are_any() {
        let (heard, mut listener) = Heard::begin();
        listener.next().await;
        for tenant in (1..).take(MOST + 1) {
            heard.add(TenantId(tenant), Sequence(1));
        }
        assert_eq!(listener.next().await, Grown::Any);
        heard.add(TenantId(1), Sequence(2));
        heard.add_any();
        assert_eq!(listener.next().await, Grown::Any);
    }
}
