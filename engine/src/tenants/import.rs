//! Importing: a tenant that was exported, here or elsewhere, comes to be as a new one.
//!
//! The file is looked through as a whole before anything is written. What is then written belongs to a tenant that has
//! no slug, no head and no token, so nobody can find it, follow it or get into it; these come last, in one transaction.

use std::io::SeekFrom;

use engine_model::{Problem, Problems, UserId};
use engine_store::access::first_owner;
use engine_store::tenant::{self, TenantRow, Unfinished};
use engine_store::{Head, transfer};
use tokio::io::{AsyncRead, AsyncSeek, AsyncSeekExt};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::file::Header;
use super::lines::{Lines, check};
use super::write::Writer;
use super::{Tenant, add_first_token, check_settings, check_slug, slug_is_taken};
use crate::definitions::catalog::Catalog;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::token::new_secret;

/// What an imported tenant is called.
#[derive(Debug, Clone)]
pub struct ImportedTenant {
    /// Short name in addresses and on the command line; unique.
    pub slug: String,
    /// What people call it; what the file says where none is given.
    pub name: Option<String>,
}

impl Engine {
    /// Makes a tenant of an exported one; it, and a token of the person who has owned it for longest. For the platform
    /// only.
    ///
    /// Nothing is left where the file is broken or the slug taken, nor where the caller does not wait for the end.
    pub async fn tenant_import<R>(&self, file: R, new: ImportedTenant) -> Result<(Tenant, String)>
    where
        R: AsyncRead + AsyncSeek + Unpin + Send + Sync + 'static,
    {
        let import = Import { engine: self.clone(), new, wanted: CancellationToken::new() };
        let _wanted = import.wanted.clone().drop_guard();
        // A task of the engine: it tidies up even where nobody waits any more.
        self.inner.tasks.spawn(import.run(file)).await.map_err(Error::internal)?
    }
}

struct Import {
    engine: Engine,
    new: ImportedTenant,
    /// Cancelled when nobody waits for the tenant any more.
    wanted: CancellationToken,
}

impl Import {
    async fn run<R: AsyncRead + AsyncSeek + Unpin + Send + Sync>(self, mut file: R) -> Result<(Tenant, String)> {
        self.check_new().await?;
        let header = check(&mut Lines::open(&mut file).await?).await?;
        let row = self.settings(header)?;
        file.seek(SeekFrom::Start(0)).await.map_err(Error::internal)?;
        let store = self.engine.store();
        let mark = Uuid::new_v4().to_string();
        let unfinished = tenant::begin_unfinished(store, &row, &mark, self.engine.now()).await?;
        let made = self.make(&unfinished, &row, file).await;
        if made.is_err() && !self.engine.stopping().is_cancelled() {
            // Where that fails too, what is left goes when it has rested for an hour.
            if let Err(error) = transfer::discard(store, &unfinished, self.engine.now()).await {
                tracing::warn!(%error, "what is left of an import stays for an hour");
            }
        }
        made
    }

    /// Refuses a name that cannot be before the file is looked at.
    async fn check_new(&self) -> Result<()> {
        let mut problems = Problems::new();
        check_slug(&self.new.slug, &mut problems);
        if let Some(name) = &self.new.name
            && (name.trim().is_empty() || name.chars().count() > 255)
        {
            problems.push(Problem::new("/name", "invalid", "a name has 1 to 255 characters"));
        }
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        self.engine.check_slug_is_free(&self.new.slug).await
    }

    fn settings(&self, header: Header) -> Result<TenantRow> {
        let row = TenantRow {
            tenant_id: 0,
            slug: self.new.slug.clone(),
            name: self.new.name.clone().unwrap_or(header.name),
            profile: header.profile,
            time_zone: header.time_zone,
            currency: header.currency,
            country: header.country,
            capabilities: header.capabilities,
            created_at: header.created_at,
        };
        let mut problems = Problems::new();
        check_settings(&row, &mut problems);
        for problem in &mut problems {
            // They are about the file, not about what was asked for.
            problem.message = format!("line 1: {}", problem.message);
            problem.pointer.clear();
        }
        if problems.is_empty() { Ok(row) } else { Err(Error::invalid(problems)) }
    }

    /// Writes what is in the file, and then lets people in.
    async fn make<R: AsyncRead + Unpin + Send + Sync>(
        &self,
        unfinished: &Unfinished,
        row: &TenantRow,
        file: R,
    ) -> Result<(Tenant, String)> {
        let lines = Lines::open(file).await?;
        let standing = Writer::new(&self.engine, unfinished, lines, &self.wanted).write().await?;
        let secret = new_secret()?;
        self.finish(unfinished, row, standing.into(), &secret).await?;
        self.engine.inner.job_added.notify_one();
        let catalog = self.engine.catalog(unfinished.tenant).await?;
        Ok((Tenant::of(&catalog), secret))
    }

    async fn finish(&self, unfinished: &Unfinished, row: &TenantRow, head: Head, secret: &str) -> Result<()> {
        let at = self.engine.now();
        let mut tx = tenant::write_unfinished(self.engine.store(), unfinished, at).await?.ok_or_else(given_up)?;
        let owner = first_owner(tx.reader()).await?;
        let owner = owner.ok_or_else(|| Error::invalid_at("", "required", "nobody in the file owns the tenant"))?;
        if !tenant::finish(&mut tx, &row.slug, head, engine_model::time::Timestamp(row.created_at)).await? {
            return Err(slug_is_taken(&row.slug));
        }
        add_first_token(&mut tx, UserId(owner.id), secret, at).await?;
        let (catalog, _) = Catalog::load(tx.reader(), &self.engine.inner.shared).await?;
        if !catalog.effective.problems.is_empty() {
            let mut problems = catalog.effective.problems.clone();
            for problem in &mut problems {
                problem.message = format!("a definition in the file: {}", problem.message);
            }
            return Err(Error::invalid(problems));
        }
        if self.wanted.is_cancelled() {
            return Err(not_wanted());
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Somebody has taken what there was for left behind.
pub(super) fn given_up() -> Error {
    Error::new(ErrorCode::Unavailable, "the import rested for too long and was given up; begin it again")
}

/// Nobody is told this.
pub(super) fn not_wanted() -> Error {
    Error::new(ErrorCode::Unavailable, "the import was broken off; begin it again")
}
