//! Scenarios over HTTP against the real program, each on both stores.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// Makes of each scenario one test per store.
///
/// A scenario takes a running server on a fresh store.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::fixture::start(tests::Store::Sqlite).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::fixture::start(tests::Store::Postgres).await).await;
            })+
        }
    };
}

mod access;
mod access_leaks;
mod access_random;
mod associations;
mod bad_input;
mod batch;
mod changes;
mod computed;
mod coverage;
mod crash;
mod direct;
mod duplicates;
mod exports;
mod fixture;
mod hidden;
mod idempotency;
mod imports;
mod lists;
mod merge;
mod metadata;
mod migrations;
mod outage;
mod ownership;
mod pack_behaviors;
mod pack_export;
mod packs;
mod packs_refused;
mod packs_tenants;
mod pipelines;
mod property_types;
mod readme;
mod records;
mod renames;
mod reserved;
mod roles;
mod saved;
mod scoring;
mod search;
mod tenancy;
mod tenant_transfer;
mod timeline;
mod transactions;
mod undo;
mod upkeep;
