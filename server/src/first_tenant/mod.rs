//! What an empty store begins with: one tenant, its owner's token, and the demo data.

mod seed;

use engine::{Engine, NewTenant, Origin};

use crate::config::TenantsConfig;

/// A tenant that was just made, and its owner's token if nobody knows it yet.
#[derive(Debug)]
pub struct FirstTenant {
    /// The tenant's slug.
    pub slug: String,
    /// The token, where it was made here; to be shown this once.
    pub token: Option<String>,
}

/// Makes the first tenant on an empty store; `None` where there are tenants already.
pub(crate) async fn ensure(engine: &Engine, config: &TenantsConfig) -> anyhow::Result<Option<FirstTenant>> {
    if engine.has_tenants().await? {
        return Ok(None);
    }
    let given = config.first_token.as_ref().map(|token| token.expose().to_owned());
    let new = NewTenant { slug: config.first_tenant.clone(), ..NewTenant::default() };
    let created = engine.tenant_create(new, given.clone()).await;
    let (tenant, token) = match created {
        Ok(created) => created,
        // Another server on the same database was faster.
        Err(error) if error.code == engine::ErrorCode::Conflict => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let origin = Origin { actor: None, source: "import".to_owned(), request_id: None, ip: None, user_agent: None };
    let mut session = engine.session(&token, origin).await?;
    let records = seed::load(&mut session).await?;
    tracing::info!(tenant.id = %tenant.id, records, "made the first tenant `{}` with its demo data", tenant.slug);
    Ok(Some(FirstTenant { slug: tenant.slug, token: given.is_none().then_some(token) }))
}
