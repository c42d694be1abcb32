//! A session: one caller's way into the engine. Every use case starts here.

use std::sync::Arc;

use engine_model::object::ObjectDefinition;
use engine_model::query::Formerly;
use engine_model::time::Timestamp;
use engine_model::{Sequence, TenantId};
use engine_store::Reader;
use engine_store::commit::Origin;

use crate::caller::Caller;
use crate::definitions::catalog::Catalog;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::index::unfilled;
use crate::jobs::Actor;

/// How long a call waits for a position of the change log that it asked to see.
const POSITION_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// One caller's way into the engine, for one request.
///
/// Definitions and rights are those of the newest version that this node has seen; every statement that reads or writes
/// records compares versions, and the use case starts over where they have moved on.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) engine: Engine,
    credential: Credential,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The tenant's definitions.
    pub catalog: Arc<Catalog>,
    pub(crate) origin: Arc<Origin>,
    /// Position that reads must have reached.
    pub(crate) at_least: Sequence,
    /// Key that makes the next write happen once.
    pub(crate) idempotency: Option<Idempotency>,
    /// It brings back what was there before, read-only values too.
    pub(crate) takes_back: bool,
    /// Properties that the index is asked for as they were before their migration, since it has those values only.
    pub(crate) formerly: Formerly,
    /// It writes what scores keep to themselves, read-only values too.
    pub(crate) keeps_scores: bool,
}

/// What a session has its rights by, to read them again when they change.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// A bearer token, by the hash of its secret.
    Token(String),
    /// Having asked for work that is done in the background.
    Actor(Actor),
    /// Being the engine itself.
    Engine,
}

/// A caller's key for a write that must happen once.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The key.
    pub key: String,
    /// Hash of the request.
    pub fingerprint: String,
}

impl Session {
    pub(crate) fn new(
        engine: Engine,
        credential: Credential,
        caller: Arc<Caller>,
        catalog: Arc<Catalog>,
        origin: Origin,
    ) -> Self {
        let actor = (!matches!(credential, Credential::Engine)).then_some(caller.user);
        let origin = Arc::new(Origin { actor, ..origin });
        Self {
            engine,
            credential,
            caller,
            catalog,
            origin,
            at_least: Sequence(0),
            idempotency: None,
            takes_back: false,
            formerly: Formerly::default(),
            keeps_scores: false,
        }
    }

    /// The engine that this is a session of.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whose data this is.
    pub fn tenant(&self) -> TenantId {
        self.caller.tenant
    }

    /// Makes reads wait until they see `position` of the change log.
    pub fn see_at_least(&mut self, position: Sequence) {
        self.at_least = position;
    }

    /// Makes the next write happen once under the caller's key.
    pub fn set_idempotency(&mut self, key: &str, fingerprint: String) {
        // Keys of different users never meet, so nobody is answered with what another was told.
        self.idempotency = Some(Idempotency { key: format!("{}:{key}", self.caller.user), fingerprint });
    }

    /// The key set by [`Session::set_idempotency`].
    pub fn idempotency(&self) -> Option<&Idempotency> {
        self.idempotency.as_ref()
    }

    /// Whether somebody waits for what it finds, rather than work that goes on by itself.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.credential, Credential::Token(_)) && !self.takes_back
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.now()
    }

    /// Asks the index for what it can answer, where an error says that it cannot answer what it was asked for, or that
    /// this means nothing by the definitions of now; whether that is something else.
    pub(crate) async fn goes_back_to_former(&mut self, error: &Error) -> bool {
        let formerly = match unfilled(error) {
            Some(formerly) => formerly.clone(),
            None if self.may_have_meant_former(error) => self.shown_formerly().await.unwrap_or_default(),
            None => return false,
        };
        let is_other = formerly != self.formerly;
        self.formerly = formerly;
        is_other
    }

    fn may_have_meant_former(&self, error: &Error) -> bool {
        matches!(error.code, ErrorCode::ValidationFailed | ErrorCode::BadRequest)
            && self.catalog.objects().any(ObjectDefinition::has_migrated)
    }

    /// What the index has from before migrations only.
    async fn shown_formerly(&self) -> Result<Formerly> {
        let view = self.engine.search_view(self.tenant(), self.position().await?).await?;
        Ok(view.formerly())
    }

    pub(crate) async fn reader(&self) -> Result<Reader> {
        Ok(self.engine.store().read(self.tenant()).await?)
    }

    /// Takes over newer definitions and rights, if there are any; true where something was newer.
    pub async fn refresh(&mut self) -> Result<bool> {
        let head = self.reader().await?.head().await?;
        self.catch_up(head.metadata_version, head.access_version).await
    }

    /// Takes over the definitions and rights of these versions, unless the session has them; true where it had not.
    pub(crate) async fn catch_up(&mut self, metadata: i64, access: i64) -> Result<bool> {
        let is_current = self.catalog.version >= metadata && self.caller.access_version >= access;
        if is_current {
            return Ok(false);
        }
        self.engine.saw_versions(self.tenant(), metadata, access).await;
        // Roles of packs come and go with definitions.
        let has_old_roles = self.caller.roles_version.is_some_and(|version| version < metadata);
        if self.caller.access_version < access || has_old_roles {
            self.caller = match &self.credential {
                Credential::Token(hash) => self.engine.load_caller(hash).await?,
                Credential::Actor(actor) => self.engine.load_actor(self.tenant(), actor).await?,
                Credential::Engine => Arc::new(Caller { access_version: access, ..Caller::clone(&self.caller) }),
            };
        }
        self.catalog = self.engine.catalog(self.tenant()).await?;
        Ok(true)
    }

    /// Fails where the tenant has no such object.
    pub async fn object_exists(&mut self, name: &str) -> Result<()> {
        with_current!(self, self.catalog.object(name).map(drop))
    }

    /// Where the change log stands now.
    pub async fn log_position(&self) -> Result<Sequence> {
        Ok(self.reader().await?.head().await?.sequence())
    }

    /// Looks whether the caller may still call; for sessions that last.
    pub async fn renew(&mut self) -> Result<()> {
        self.refresh().await?;
        if self.caller.expires_at.is_some_and(|end| end <= self.now()) {
            return Err(Error::new(ErrorCode::Unauthenticated, "the token has expired; ask for a new one"));
        }
        Ok(())
    }

    /// Waits until the change log has reached the position that the caller asked to see.
    pub(crate) async fn wait_for_position(&self) -> Result<()> {
        if self.at_least.0 == 0 || self.reader().await?.head().await?.sequence() >= self.at_least {
            return Ok(());
        }
        let mut signal = self.engine.store().subscribe(self.tenant());
        let reached = async {
            loop {
                if self.reader().await?.head().await?.sequence() >= self.at_least {
                    return Ok::<(), Error>(());
                }
                if signal.changed().await.is_err() {
                    return Err(Error::new(ErrorCode::Unavailable, "the store is closing"));
                }
            }
        };
        tokio::time::timeout(POSITION_TIMEOUT, reached).await.map_err(|_| {
            let detail = format!("position {} of the change log was not reached within 5 seconds", self.at_least);
            Error::new(ErrorCode::Unavailable, detail)
        })?
    }
}

/// Runs a use case against the definitions that the session has, and once more where they were outdated.
///
/// A mistake found under old definitions may be none under the new ones, so a failure is believed only once the
/// versions are known to be current. Where the index is being filled with the values of a migration, it is asked for
/// those from before.
macro_rules! with_current {
    ($session:expr, $attempt:expr) => {{
        $session.formerly = Default::default();
        let mut attempt = $attempt;
        if attempt.as_ref().is_err_and(crate::session::may_be_outdated) && $session.refresh().await? {
            attempt = $attempt;
        }
        if let Err(error) = &attempt
            && $session.goes_back_to_former(error).await
        {
            // What can be asked of the new values only is told how far they are.
            let formerly = $attempt;
            attempt = if formerly.is_ok() { formerly } else { attempt };
        }
        attempt
    }};
}
pub(crate) use with_current;

/// Whether newer definitions or rights could turn this failure into a success.
pub(crate) fn may_be_outdated(error: &Error) -> bool {
    matches!(
        error.code,
        ErrorCode::ValidationFailed | ErrorCode::BadRequest | ErrorCode::NotFound | ErrorCode::Forbidden
    )
}
