//! Tenants are made, found and changed.

use engine_model::TenantId;
use engine_model::time::Timestamp;
use engine_store::tenant::{self, TenantRow};
use futures::future::join_all;

use crate::fixture::{Home, settings};
use crate::on_both;

on_both!(
    tenant_reads_back,
    tenants_are_listed_page_by_page,
    taken_slug_makes_no_tenant,
    dropped_transaction_makes_no_tenant,
    settings_change,
);

mod concurrent {
    use super::{one_of_many_with_the_same_slug_is_made, tenants_are_made_at_once};
    use crate::on_both;

    on_both!(threads; tenants_are_made_at_once, one_of_many_with_the_same_slug_is_made);
}

async fn make(home: &Home, settings: &TenantRow) -> Option<TenantId> {
    let tx = tenant::create(&home.store, settings, Timestamp(5)).await.unwrap()?;
    let tenant = tx.tenant();
    tx.commit().await.unwrap();
    Some(tenant)
}

async fn tenant_reads_back(home: Home) {
    let wanted = settings();
    let made = make(&home, &wanted).await.unwrap();
    let read = tenant::get(&mut home.reader(made).await).await.unwrap().unwrap();
    let found = tenant::by_slug(&home.store, &wanted.slug).await.unwrap().unwrap();
    for row in [read, found] {
        assert_eq!((row.id(), row.slug, row.name), (made, wanted.slug.clone(), wanted.name.clone()));
        assert_eq!((row.profile, row.time_zone), (wanted.profile.clone(), wanted.time_zone.clone()));
        assert_eq!((row.currency, row.country), (wanted.currency.clone(), wanted.country.clone()));
        assert_eq!((row.capabilities, row.created_at), (wanted.capabilities.clone(), 5));
    }
    let head = home.reader(made).await.head().await.unwrap();
    assert_eq!((head.last_sequence, head.last_record_id), (0, 0));
    assert_eq!((head.metadata_version, head.access_version), (1, 1));
    assert!(tenant::by_slug(&home.store, "none").await.unwrap().is_none());
}

async fn tenants_are_listed_page_by_page(home: Home) {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(home.tenant().await.0);
    }
    let ids = async |after, limit| -> Vec<i64> {
        let page = tenant::list(&home.store, after, limit).await.unwrap();
        page.into_iter().map(|row| row.tenant_id).collect()
    };
    assert_eq!(ids(0, 2).await, made[..2]);
    assert_eq!(ids(made[1], 10).await, made[2..]);
    assert!(ids(made[4], 10).await.is_empty());
}

async fn taken_slug_makes_no_tenant(home: Home) {
    let wanted = settings();
    make(&home, &wanted).await.unwrap();
    assert_eq!(make(&home, &wanted).await, None);
    assert_eq!(home.raw().await.number("select count(*) from tenant_head").await, 1);
    assert!(make(&home, &settings()).await.is_some());
}

async fn dropped_transaction_makes_no_tenant(home: Home) {
    let wanted = settings();
    drop(tenant::create(&home.store, &wanted, Timestamp(5)).await.unwrap());
    assert!(make(&home, &wanted).await.is_some());
    let mut raw = home.raw().await;
    assert_eq!(raw.number("select count(*) from tenant").await, 1);
    assert_eq!(raw.number("select count(*) from tenant_head").await, 1);
}

async fn settings_change(home: Home) {
    let (mine, theirs) = (home.tenant().await, home.tenant().await);
    let mut tx = home.store.begin(mine).await.unwrap();
    let mut wanted = tenant::get(tx.reader()).await.unwrap().unwrap();
    (wanted.name, wanted.profile, wanted.time_zone) = ("New".to_owned(), "healthcare".to_owned(), "UTC".to_owned());
    (wanted.currency, wanted.country) = ("CAD".to_owned(), "CA".to_owned());
    wanted.capabilities = r#"{"deals":false}"#.to_owned();
    tenant::update(&mut tx, &wanted).await.unwrap();
    tx.head.metadata_version += 1;
    tx.commit().await.unwrap();
    let read = tenant::get(&mut home.reader(mine).await).await.unwrap().unwrap();
    assert_eq!((read.name, read.profile, read.time_zone), (wanted.name, wanted.profile, wanted.time_zone));
    assert_eq!((read.currency, read.country), (wanted.currency, wanted.country));
    assert_eq!((read.capabilities, read.slug), (wanted.capabilities, wanted.slug));
    assert_eq!(tenant::get(&mut home.reader(theirs).await).await.unwrap().unwrap().currency, "EUR");
}

async fn tenants_are_made_at_once(home: Home) {
    let store = &home.store;
    let making = (0..12).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let tx = tenant::create(&store, &settings(), Timestamp(5)).await.unwrap().expect("a slug of its own");
            let tenant = tx.tenant();
            tx.commit().await.unwrap();
            tenant
        })
    });
    let mut made: Vec<TenantId> = join_all(making).await.into_iter().map(Result::unwrap).collect();
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 12);
}

async fn one_of_many_with_the_same_slug_is_made(home: Home) {
    let wanted = settings();
    let making = (0..12).map(|_| {
        let (store, wanted) = (home.store.clone(), wanted.clone());
        tokio::spawn(async move {
            match tenant::create(&store, &wanted, Timestamp(5)).await.unwrap() {
                Some(tx) => tx.commit().await.map(|_| 1).unwrap(),
                None => 0,
            }
        })
    });
    let made: i64 = join_all(making).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(made, 1);
    assert_eq!(home.raw().await.number("select count(*) from tenant").await, 1);
}
