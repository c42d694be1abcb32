//! Going through tenants, a few at a time, as fast as somebody takes what became of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use engine_store::commit::Origin;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::selection::{Tenant, Tenants};
use super::{Consent, Fate, TenantOutcome, busy};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::packs::common::Common;

/// Tenants that are worked on at a time. More only wait for each other: for the processor where definitions are
/// folded, and on SQLite for its one writer.
const AT_A_TIME: usize = 4;

/// How long it is waited for somebody to take what became of a tenant.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is done to each tenant.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) engine: Engine,
    pub(super) common: Arc<Common>,
    pub(super) installs: bool,
    pub(super) only_plans: bool,
    pub(super) consent: Consent,
    pub(super) origin: Origin,
}

/// What whoever asked is told.
#[derive(Debug)]
pub(super) enum Told {
    Tenant(Box<TenantOutcome>),
    /// Which tenants there are cannot be read any further.
    Broken(Error),
    /// That was the last one.
    Whole,
}

/// Where a run is.
struct Course {
    run: Arc<Run>,
    told: mpsc::Sender<Told>,
    stop: CancellationToken,
    under_way: JoinSet<Option<TenantOutcome>>,
    /// Who they are, in case one panics.
    slugs: HashMap<Id, String>,
    _place: OwnedSemaphorePermit,
}

impl Run {
    /// Begins with the tenants that are selected, or with all.
    pub(super) fn start(self, selected: Option<Tenants>, stop: CancellationToken) -> Result<mpsc::Receiver<Told>> {
        let place = Arc::clone(&self.engine.inner.pack_runs).try_acquire_owned().map_err(|_| busy())?;
        let (told, receiver) = mpsc::channel(1);
        let tasks = self.engine.inner.tasks.clone();
        let (run, under_way, slugs) = (Arc::new(self), JoinSet::new(), HashMap::new());
        let course = Course { run, told, stop, under_way, slugs, _place: place };
        drop(tasks.spawn(course.go(selected.unwrap_or_else(Tenants::all))));
        Ok(receiver)
    }
}

impl Course {
    async fn go(mut self, mut tenants: Tenants) {
        let (mut is_over, mut broken) = (false, None);
        loop {
            while !is_over && self.under_way.len() < AT_A_TIME && self.may_begin() {
                match tenants.next(&self.run.engine).await {
                    Ok(Some(tenant)) => self.begin(tenant),
                    Ok(None) => is_over = true,
                    Err(error) => (is_over, broken) = (true, Some(error)),
                }
            }
            let Some(done) = self.under_way.join_next_with_id().await else { break };
            if let Some(outcome) = self.outcome(done) {
                self.tell(Told::Tenant(Box::new(outcome))).await;
            }
        }
        match broken {
            Some(error) => self.tell(Told::Broken(error)).await,
            None if is_over => self.tell(Told::Whole).await,
            // It was stopped: the last word is missing.
            None => {}
        }
    }

    fn may_begin(&self) -> bool {
        !self.stop.is_cancelled() && !self.told.is_closed() && !self.run.engine.inner.stopping.is_cancelled()
    }

    fn begin(&mut self, tenant: Tenant) {
        let (run, slug) = (Arc::clone(&self.run), tenant.slug.clone());
        let task = self.under_way.spawn(async move { run.one(tenant).await });
        self.slugs.insert(task.id(), slug);
    }

    /// None where the tenant is not concerned.
    fn outcome(&mut self, done: Result<(Id, Option<TenantOutcome>), tokio::task::JoinError>) -> Option<TenantOutcome> {
        match done {
            Ok((id, outcome)) => {
                self.slugs.remove(&id);
                outcome
            }
            Err(error) => {
                let tenant = self.slugs.remove(&error.id()).unwrap_or_default();
                let to = self.run.common.known.pack.version.to_string();
                tracing::error!(tenant.slug = tenant, %error, "a tenant's share of a pack's run ended in a panic");
                Some(TenantOutcome { tenant, from: None, to, fate: Fate::Failed(Error::internal(error)) })
            }
        }
    }

    /// Who does not take what there is has gone.
    async fn tell(&self, what: Told) {
        if !matches!(tokio::time::timeout(PATIENCE, self.told.send(what)).await, Ok(Ok(()))) {
            self.stop.cancel();
        }
    }
}

impl Run {
    /// What becomes of one tenant; none where it is not concerned.
    async fn one(&self, tenant: Tenant) -> Option<TenantOutcome> {
        let mut from = None;
        let done = self.attempt(&tenant, &mut from).await;
        let to = self.common.known.pack.version.to_string();
        let fate = match done {
            Ok(fate) => fate?,
            Err(error) if self.is_gone(&tenant).await => {
                tracing::debug!(tenant.id = %tenant.id, %error, "a tenant is gone before it had its turn");
                Fate::Skipped("the tenant is gone")
            }
            Err(error) => {
                if matches!(error.code, ErrorCode::Internal | ErrorCode::Unavailable) {
                    tracing::error!(tenant.id = %tenant.id, "a pack failed on a tenant: {}", error.cause());
                }
                Fate::Failed(error)
            }
        };
        Some(TenantOutcome { tenant: tenant.slug, from, to, fate })
    }
}
