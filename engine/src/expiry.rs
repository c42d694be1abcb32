//! Forgets what has had its time: replies kept under callers' keys and files of exports after a day, jobs that are over
//! after 90 days, who was given sensitive values after a year, what is left of imports of tenants that have ended without
//! an end.

use std::time::Duration;

use engine_model::TenantId;
use engine_model::time::Timestamp;
use engine_store::{idempotency, job, job_file, sensitive, tenant, transfer};

use crate::engine::Engine;
use crate::error::Result;
use crate::exports;

/// How often it is looked for.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// How long a job that is over can be looked at: 90 days.
const JOB_LIFETIME_MICROS: i64 = 90 * 24 * 60 * 60 * 1_000_000;

/// How long it is kept who was given sensitive values: 365 days.
const READ_LIFETIME_MICROS: i64 = 365 * 24 * 60 * 60 * 1_000_000;

/// How long an import of a tenant may give no sign of life: an hour.
const IMPORT_MICROS: i64 = 60 * 60 * 1_000_000;

/// What one statement forgets at most, so that none holds a lock for long.
const CHUNK: i64 = 1_000;

/// Tenants that are listed at a time.
const TENANTS: i64 = 1_000;

/// Starts to forget, until the engine closes.
pub(crate) fn start(engine: &Engine) {
    let (engine, stopping) = (engine.clone(), engine.stopping());
    drop(engine.clone().inner.tasks.spawn(async move {
        while stopping.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
            if let Err(error) = engine.forget_expired().await {
                tracing::warn!(%error, "what has had its time cannot be forgotten; it is tried again in an hour");
            }
        }
    }));
}

impl Engine {
    /// Forgets replies kept for longer than a day, files made a day ago, jobs that have been over for 90 days, and who was given sensitive
    /// values more than 365 days ago, of every tenant; and tenants that nobody has gone on importing for an hour. An open engine does that by itself every hour.
    pub async fn forget_expired(&self) -> Result<()> {
        self.forget_unfinished().await?;
        let mut after = 0;
        loop {
            let tenants = tenant::list(self.store(), after, TENANTS).await?;
            for tenant in &tenants {
                if self.inner.stopping.is_cancelled() {
                    return Ok(());
                }
                self.forget_expired_of(TenantId(tenant.tenant_id)).await?;
            }
            match tenants.last() {
                Some(last) => after = last.tenant_id,
                None => return Ok(()),
            }
        }
    }

    async fn forget_unfinished(&self) -> Result<()> {
        let (mut after, before) = (0, Timestamp(self.now().0 - IMPORT_MICROS));
        loop {
            let given_up = tenant::given_up(self.store(), after, before, TENANTS).await?;
            for unfinished in &given_up {
                transfer::discard(self.store(), unfinished, self.now()).await?;
            }
            match given_up.last() {
                Some(last) => after = last.tenant.0,
                None => return Ok(()),
            }
        }
    }

    /// Takes away files that nobody is to have any more: those made a day ago, and what is left of exports that came to
    /// nothing.
    async fn forget_files_of(&self, tenant: TenantId) -> Result<()> {
        let before = Timestamp(self.now().0 - exports::LIFETIME_MICROS);
        loop {
            let over = job_file::over(&mut self.store().read(tenant).await?, before, CHUNK).await?;
            if over.is_empty() || self.inner.stopping.is_cancelled() {
                return Ok(());
            }
            for job in over {
                job_file::discard(self.store(), tenant, job).await?;
            }
        }
    }

    async fn forget_expired_of(&self, tenant: TenantId) -> Result<()> {
        let (now, is_full) = (self.now(), |forgotten: u64| i64::try_from(forgotten).is_ok_and(|count| count >= CHUNK));
        while is_full(idempotency::expire(self.store(), tenant, now, CHUNK).await?) {}
        self.forget_files_of(tenant).await?;
        let before = Timestamp(now.0 - JOB_LIFETIME_MICROS);
        while is_full(job::forget(self.store(), tenant, before, CHUNK).await?) {}
        let before = Timestamp(now.0 - READ_LIFETIME_MICROS);
        while is_full(sensitive::forget(self.store(), tenant, before, CHUNK).await?) {}
        Ok(())
    }
}
