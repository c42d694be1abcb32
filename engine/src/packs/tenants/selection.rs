//! Which tenants are meant: all of them, page by page, or some by name.

use std::collections::{BTreeSet, VecDeque};

use engine_model::name::did_you_mean;
use engine_model::{Problem, Problems, TenantId};
use engine_store::tenant::{self, TenantRow};

use crate::definitions::catalog::shortened;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Tenants that are read at a time.
const PAGE: usize = 200;
/// Tenants among whose names a misspelt one is looked for.
const MOST_NAMES: usize = 10_000;

/// A tenant, and what it is called.
#[derive(Debug, Clone)]
pub(super) struct Tenant {
    pub(super) id: TenantId,
    pub(super) slug: String,
    /// It was asked for by name.
    pub(super) is_named: bool,
}

/// Tenants one after the other.
#[derive(Debug)]
pub(super) enum Tenants {
    Named(VecDeque<Tenant>),
    All { after: i64, page: VecDeque<Tenant>, is_last: bool },
}

impl Tenants {
    pub(super) fn all() -> Self {
        Self::All { after: 0, page: VecDeque::new(), is_last: false }
    }

    /// The next one; none after the last.
    pub(super) async fn next(&mut self, engine: &Engine) -> Result<Option<Tenant>> {
        match self {
            Self::Named(named) => Ok(named.pop_front()),
            Self::All { after, page, is_last } => {
                if page.is_empty() && !*is_last {
                    let rows = engine.page_of_tenants(*after).await?;
                    (*after, *is_last) = (rows.last().map_or(*after, |row| row.tenant_id), rows.len() < PAGE);
                    page.extend(rows.into_iter().map(|row| Tenant::of(row, false)));
                }
                Ok(page.pop_front())
            }
        }
    }
}

impl Tenant {
    fn of(row: TenantRow, is_named: bool) -> Self {
        Self { id: row.id(), slug: row.slug, is_named }
    }
}

impl Engine {
    /// The tenants with these slugs, each once; every name that no tenant has is told.
    pub(super) async fn selected(&self, slugs: Vec<String>) -> Result<Tenants> {
        let (mut named, mut seen, mut unknown) = (VecDeque::new(), BTreeSet::new(), Vec::new());
        for (index, slug) in slugs.into_iter().enumerate() {
            // What is being imported has no slug yet.
            match tenant::by_slug(self.store(), &slug).await?.filter(|_| !slug.starts_with('!')) {
                Some(row) if seen.insert(row.tenant_id) => named.push_back(Tenant::of(row, true)),
                Some(_) => {}
                None => unknown.push((index, slug)),
            }
        }
        if unknown.is_empty() {
            return Ok(Tenants::Named(named));
        }
        let known = self.names_of_tenants().await?;
        let told = |(index, slug): (usize, String)| {
            let hint = did_you_mean(&slug, known.iter().map(String::as_str));
            let message = format!("there is no tenant `{}`{hint}", shortened(&slug));
            Problem::new(format!("/tenants/{index}"), "not_found", message)
        };
        Err(Error::invalid(unknown.into_iter().map(told).collect::<Problems>()))
    }

    async fn names_of_tenants(&self) -> Result<Vec<String>> {
        let (mut names, mut after) = (Vec::new(), 0);
        while names.len() < MOST_NAMES {
            let rows = self.page_of_tenants(after).await?;
            let Some(last) = rows.last() else { break };
            after = last.tenant_id;
            names.extend(rows.into_iter().map(|row| row.slug));
        }
        Ok(names)
    }

    async fn page_of_tenants(&self, after: i64) -> Result<Vec<TenantRow>> {
        Ok(tenant::list(self.store(), after, i64::try_from(PAGE).unwrap_or(1)).await?)
    }
}
