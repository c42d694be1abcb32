//! Units of every kind of write: alone or with others in a group, under a key or not.

use engine_model::change::ChangeKind;
use engine_model::{RecordId, TenantId};
use engine_store::commit::Write;

use crate::build::Cardinality::OneToOne;
use crate::build::{
    New, UnitBuilder, archive, claim, create, link, log, merge, occupy, release, span, unit, unlink, unmerge, update,
    vacate,
};
use crate::fixture::Home;

pub(super) async fn tour(home: &Home) {
    let (tenant, neighbour) = neighbours(home).await;
    let made = home.done(fresh(tenant, "plain")).await.inserted;
    home.done(fresh(tenant, "keyed").key("keyed", "f")).await;
    let both = [tenant, neighbour];
    home.group(tenant, both.map(|of| fresh(of, "grouped").build()).into()).await;
    home.group(tenant, both.map(|of| fresh(of, "both").key("both", "f").build()).into()).await;
    let [Some(first), Some(second)] = made[..] else { panic!("two records: {made:?}") };
    home.done(changed(tenant, first, second)).await;
    home.done(purge(tenant, first)).await;
    home.done(purge(tenant, second).key("purge", "f")).await;
    guesses(home).await;
    merges(home).await;
}

/// Three records that become one, come apart, and are purged.
async fn merges(home: &Home) {
    let tenant = home.tenant().await;
    let all = unit(tenant).item(create("a", 0)).item(create("b", 1)).item(create("c", 2));
    let made: Vec<RecordId> = home.done(all).await.inserted.into_iter().flatten().collect();
    let [a, b, c] = made[..] else { panic!("three records: {made:?}") };
    home.done(unit(tenant).item([archive(a, 1), merge(b, &[a]), log(ChangeKind::RecordMerged, b)])).await;
    home.done(unit(tenant).item([archive(b, 1), merge(c, &[b]), log(ChangeKind::RecordMerged, c)])).await;
    home.done(unit(tenant).item([update(b, 2, "b"), unmerge(c, b), log(ChangeKind::RecordRestored, b)])).await;
    home.done(purge(tenant, b)).await;
}

/// New records, of which nothing is loaded; the last one's value is taken.
async fn guesses(home: &Home) {
    let tenant = home.tenant().await;
    for name in ["first", "second"] {
        home.done(unit(tenant).item(create(name, 0).into_iter().chain([claim(New(0), name)]))).await;
    }
    home.committed(unit(tenant).item(create("third", 0).into_iter().chain([claim(New(0), "second")]))).await;
}

/// Two tenants that share a lane.
async fn neighbours(home: &Home) -> (TenantId, TenantId) {
    let first = home.tenant().await;
    loop {
        let next = home.tenant().await;
        if (next.0 - first.0) % 8 == 0 {
            return (first, next);
        }
    }
}

/// Two linked records, of which the first has a value and an interval.
fn fresh(tenant: TenantId, name: &str) -> UnitBuilder {
    unit(tenant)
        .item(create(name, 0).into_iter().chain([claim(New(0), name), occupy(New(0), &span(name, 0, 10))]))
        .item(create("other", 1))
        .item([link(New(0), New(1), OneToOne)])
}

/// Another state of the first record, which gives back all that it has.
fn changed(tenant: TenantId, first: RecordId, second: RecordId) -> UnitBuilder {
    unit(tenant).item([
        update(first, 1, "changed"),
        release(first, "plain"),
        vacate(first, &span("plain", 0, 10)),
        unlink(first, second),
        log(ChangeKind::RecordUpdated, first),
    ])
}

fn purge(tenant: TenantId, id: RecordId) -> UnitBuilder {
    unit(tenant).item([Write::Purge(id), log(ChangeKind::RecordPurged, id)])
}
