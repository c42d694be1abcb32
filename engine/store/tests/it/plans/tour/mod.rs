//! A walk through everything that the store is asked for, so that every statement has run once.

mod access;
mod assignment;
mod claims;
mod commits;
mod definitions;
mod duplicates;
mod jobs;
mod lists;
mod reads;
mod saved;
mod timeline;
mod transfer;
mod visits;

use engine_model::time::Timestamp;
use engine_store::{Store, StoreConfig, tenant};

use super::statement::Trace;
use crate::build::{create, unit};
use crate::fixture::{Home, settings};

pub(super) async fn whole(home: &Home) {
    tenants(home).await;
    commits::tour(home).await;
    reads::tour(home).await;
    claims::tour(home).await;
    definitions::tour(home).await;
    access::tour(home).await;
    assignment::tour(home).await;
    jobs::tour(home).await;
    saved::tour(home).await;
    lists::tour(home).await;
    timeline::tour(home).await;
    duplicates::tour(home).await;
    visits::tour(home).await;
    transfer::tour(home).await;
}

async fn tenants(home: &Home) {
    home.store.ping().await.unwrap();
    let wanted = settings();
    let mut tx = tenant::create(&home.store, &wanted, Timestamp(1)).await.unwrap().unwrap();
    let row = tenant::get(tx.reader()).await.unwrap().unwrap();
    tenant::update(&mut tx, &row).await.unwrap();
    tx.head.metadata_version += 1;
    tx.commit().await.unwrap();
    home.reader(row.id()).await.head().await.unwrap();
    tenant::by_slug(&home.store, &wanted.slug).await.unwrap().unwrap();
    tenant::list(&home.store, 0, 10).await.unwrap();
}

/// What PostgreSQL alone is asked: by a node whose role does not own the schema, and to tell other nodes.
pub(super) async fn other_nodes(home: &Home, trace: &mut Trace) {
    let config = StoreConfig { migration_url: None, ..home.config.clone() };
    Store::open(&config).await.unwrap().close().await;
    home.done(unit(home.tenant().await).item(create("told", 0))).await;
    trace.saw("pg_notify").await;
}
