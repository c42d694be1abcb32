//! Making an index anew because somebody asked for it.

use engine_model::TenantId;
use tokio::sync::oneshot;

use super::Call;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};

impl Engine {
    /// Makes the tenant's search index anew from the store, and returns once it is in use. Until then the former one
    /// answers, if there is one. What is written meanwhile is in either.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`] where the engine closes; whatever the store or the disk fails with.
    pub async fn reindex(&self, tenant: TenantId) -> Result<()> {
        let answered = self.ask_anew(tenant);
        let closing = || Error::new(ErrorCode::Unavailable, "the engine is closing");
        let stopping = self.stopping();
        tokio::select! {
            answered = answered => answered.unwrap_or_else(|_| Err(closing())),
            () = stopping.cancelled() => Err(closing()),
        }
    }

    /// The same without waiting: [`Engine::tenant_index`] tells how far it is, and what it has come to.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] where there is no such tenant.
    pub async fn begin_reindex(&self, tenant: TenantId) -> Result<()> {
        self.check_tenant(tenant).await?;
        drop(self.ask_anew(tenant));
        Ok(())
    }

    fn ask_anew(&self, tenant: TenantId) -> oneshot::Receiver<Result<()>> {
        let (answer, answered) = oneshot::channel();
        self.inner.indexes.slot(tenant).ask_anew();
        self.inner.indexes.call(Call::Rebuild(tenant, answer));
        answered
    }
}
