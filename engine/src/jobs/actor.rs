//! Whom a job works for: the user who asked for it, with no more rights than the user had then and has now; or nobody,
//! where the platform or the engine itself asked for it.

use std::sync::Arc;

use engine_model::{JobId, TenantId, TokenId, UserId};
use engine_store::commit::Origin;
use serde::{Deserialize, Serialize};

use crate::caller::{Caller, Given};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::session::{Credential, Session};

/// Whom a job works for. Kept with the job, so it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Actor {
    /// None where no user asked for it, but the platform, or the engine itself.
    user: Option<UserId>,
    /// With which token; jobs of earlier releases do not say.
    #[serde(default)]
    token: Option<TokenId>,
    role: String,
    scopes: Vec<String>,
    request_id: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

impl Actor {
    /// Who calls, and by which request.
    pub(crate) fn of(caller: &Caller, origin: &Origin) -> Self {
        Self {
            user: origin.actor,
            // Who works without one has the id 0, which is none.
            token: Some(caller.token).filter(|token| token.0 > 0),
            role: caller.given_role.clone(),
            scopes: caller.scopes.clone(),
            request_id: origin.request_id.clone(),
            ip: origin.ip.clone(),
            user_agent: origin.user_agent.clone(),
        }
    }
}

impl Actor {
    /// The request that a job's changes are logged under: the one that asked for it, or else its own name.
    pub(super) fn request_of(&self, job: JobId) -> String {
        self.request_id.clone().unwrap_or_else(|| format!("job-{job}"))
    }
}

impl Engine {
    /// A session that works for `actor`; its changes say `source` and the request that asked for them.
    pub(crate) async fn session_of_user(
        &self,
        tenant: TenantId,
        actor: &Actor,
        job: JobId,
        source: &str,
    ) -> Result<Session> {
        let origin = Origin {
            actor: actor.user,
            source: source.to_owned(),
            request_id: Some(actor.request_of(job)),
            ip: actor.ip.clone(),
            user_agent: actor.user_agent.clone(),
        };
        if actor.user.is_none() {
            return self.session_without_user(tenant, origin).await;
        }
        let caller = self.load_actor(tenant, actor).await?;
        let catalog = self.catalog(tenant).await?;
        Ok(Session::new(self.clone(), Credential::Actor(actor.clone()), caller, catalog, origin))
    }

    /// A session in which the engine works for itself, so that its changes have no actor; they say `source`.
    pub(crate) async fn session_of_engine(&self, tenant: TenantId, source: &str) -> Result<Session> {
        let source = source.to_owned();
        let origin = Origin { actor: None, source, request_id: None, ip: None, user_agent: None };
        self.session_without_user(tenant, origin).await
    }

    /// A session with all rights and no user: its changes have no actor, and say what `origin` says otherwise.
    pub(crate) async fn session_without_user(&self, tenant: TenantId, origin: Origin) -> Result<Session> {
        let head = self.store().read(tenant).await?.head().await?;
        let caller = Caller::nobody(tenant, head.access_version);
        self.saw_versions(tenant, head.metadata_version, head.access_version).await;
        let catalog = self.catalog(tenant).await?;
        Ok(Session::new(self.clone(), Credential::Engine, Arc::new(caller), catalog, origin))
    }

    /// Reads what `actor` may do now.
    pub(crate) async fn load_actor(&self, tenant: TenantId, actor: &Actor) -> Result<Arc<Caller>> {
        let nobody = || Error::internal("a session of nobody has no rights of a user");
        let user = actor.user.ok_or_else(nobody)?;
        let mut reader = self.store().read(tenant).await?;
        let head = reader.head().await?;
        self.saw_versions(tenant, head.metadata_version, head.access_version).await;
        let given = Given {
            user,
            // It acts with the rights of the token, though that may have been revoked. No token has the id 0.
            token: actor.token.unwrap_or(TokenId(0)),
            role: actor.role.clone(),
            scopes: actor.scopes.clone(),
            expires_at: None,
        };
        let caller = Caller::read(self, reader, given, head.access_version).await?;
        let caller = caller.ok_or_else(|| {
            let detail = format!("user {user}, who asked for this, has been archived");
            Error::new(ErrorCode::Forbidden, detail)
        })?;
        Ok(Arc::new(caller))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_no_token_reads_back() {
        let origin = Origin { actor: None, source: "engine".to_owned(), request_id: None, ip: None, user_agent: None };
        let actor = Actor::of(&Caller::nobody(TenantId(1), 1), &origin);
        let kept = serde_json::to_value(&actor).expect("JSON");
        assert_eq!(serde_json::from_value::<Actor>(kept).expect("an actor"), actor);
    }
}
