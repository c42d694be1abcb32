//! Merging leads ids on, and leaves no link behind.

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{RecordId, TenantId, UserId};
use engine_store::association::{self, LinkKey};
use engine_store::commit::{Made, RecordRef, Refusal, Write};
use engine_store::merge::{led_to, of_losers};
use engine_store::record::{self, Key};

use crate::build::Cardinality::ManyToMany;
use crate::build::{archive, claim, create, email, link, log, merge, new_link, release, unit, unlink, unmerge, update};
use crate::fixture::{Home, committed, results};
use crate::on_both;

on_both!(
    merged_record_leads_to_the_one_that_remains,
    chain_is_one_step_and_comes_apart_again,
    record_with_a_link_that_nobody_has_moved_is_stale,
    merged_record_takes_no_links,
    moved_link_keeps_its_age_and_may_lead_to_an_archived_record,
    value_goes_over_in_one_unit,
    purge_forgets_what_a_merge_remembers,
);

async fn three(home: &Home, tenant: TenantId) -> [RecordId; 3] {
    let made = home.done(unit(tenant).item(create("a", 0)).item(create("b", 1)).item(create("c", 2))).await;
    [0, 1, 2].map(|index| made.inserted[index].unwrap())
}

/// Merges one record, last seen at a version, into another one.
fn merging(winner: RecordId, loser: RecordId, version: i64) -> [Write; 3] {
    [archive(loser, version), merge(winner, &[loser]), log(ChangeKind::RecordMerged, winner)]
}

/// Where an id leads.
async fn led(home: &Home, tenant: TenantId, id: RecordId) -> Option<i64> {
    home.record(tenant, id).await.map(|row| row.id)
}

async fn merged_record_leads_to_the_one_that_remains(home: Home) {
    let tenant = home.tenant().await;
    let [a, b, c] = three(&home, tenant).await;
    let uid = home.record(tenant, a).await.unwrap().uid;
    home.done(unit(tenant).item(merging(b, a, 1))).await;
    assert_eq!(led(&home, tenant, a).await, Some(b.0));
    let mut reader = home.reader(tenant).await;
    assert_eq!(record::get(&mut reader, &Key::Uid(uid)).await.unwrap().1.map(|row| row.id), Some(b.0));
    let itself = record::get_itself(&mut reader, &Key::Id(a)).await.unwrap().1.unwrap();
    assert_eq!((itself.id, itself.merged_into, itself.archived_at.is_some()), (a.0, Some(b.0), true));
    for (archived, expected) in [(false, vec![b.0, c.0]), (true, vec![])] {
        let rows = record::list(&mut reader, "contact", archived, 0, 10).await.unwrap();
        assert_eq!(rows.into_iter().map(|row| row.id).collect::<Vec<_>>(), expected);
    }
    let page = record::page(&mut reader, RecordId(0), 10).await.unwrap();
    assert_eq!(page.into_iter().map(|row| row.id).collect::<Vec<_>>(), [b.0, c.0]);
    assert_eq!(led_to(&mut reader, vec![b.0, c.0], 10).await.unwrap(), [a]);
    let remembered = of_losers(&mut reader, vec![a.0, b.0]).await.unwrap();
    let remembered: Vec<_> = remembered.into_iter().map(|row| (row.loser_id, row.winner_id, row.detail)).collect();
    assert_eq!(remembered, [(a.0, b.0, format!(r#"{{"loser":"{a}"}}"#))]);
}

async fn chain_is_one_step_and_comes_apart_again(home: Home) {
    let tenant = home.tenant().await;
    let [a, b, c] = three(&home, tenant).await;
    let units = [unit(tenant).item(merging(b, a, 1)).build(), unit(tenant).item(merging(c, b, 1)).build()];
    for outcome in home.group(tenant, units.into()).await {
        assert_eq!(results(&committed(outcome)), [Ok(())]);
    }
    let mut reader = home.reader(tenant).await;
    assert_eq!(led_to(&mut reader, vec![c.0], 10).await.unwrap(), [a, b]);
    drop(reader);
    home.done(unit(tenant).item([update(b, 2, "b"), unmerge(c, b), log(ChangeKind::RecordRestored, b)])).await;
    let mut all = Vec::new();
    for id in [a, b, c] {
        all.push(led(&home, tenant, id).await);
    }
    assert_eq!(all, [Some(b.0), Some(b.0), Some(c.0)]);
    let again = home.committed(unit(tenant).item([unmerge(c, b)])).await;
    assert_eq!(results(&again), [Err(vec![Refusal::Missing(RecordRef::Id(b))])]);
}

async fn record_with_a_link_that_nobody_has_moved_is_stale(home: Home) {
    let tenant = home.tenant().await;
    let [a, b, c] = three(&home, tenant).await;
    home.done(unit(tenant).item([link(a, c, ManyToMany)]).item([link(c, a, ManyToMany)])).await;
    let stale = [Err(vec![Refusal::Stale(RecordRef::Id(a))])];
    let short = unit(tenant).item([unlink(a, c)].into_iter().chain(merging(b, a, 1)));
    assert_eq!(results(&home.committed(short).await), stale);
    let both = || unit(tenant).item([unlink(a, c), unlink(c, a)].into_iter().chain(merging(b, a, 1))).build();
    // One that comes with an earlier unit of the group is as much in the way.
    let outcomes = home.group(tenant, vec![unit(tenant).item([link(a, b, ManyToMany)]).build(), both()]).await;
    assert_eq!(results(&committed(outcomes.into_iter().next_back().unwrap())), stale);
    home.done(unit(tenant).item([unlink(a, b)])).await;
    home.done(both()).await;
    let mut reader = home.reader(tenant).await;
    assert!(association::touching(&mut reader, vec![a.0], 10).await.unwrap().is_empty());
}

async fn merged_record_takes_no_links(home: Home) {
    let tenant = home.tenant().await;
    let [a, b, c] = three(&home, tenant).await;
    let late = || unit(tenant).item([link(c, a, ManyToMany)]).item([unlink(a, c)]).build();
    let missing = Err(vec![Refusal::Missing(RecordRef::Id(a))]);
    let outcomes = home.group(tenant, vec![unit(tenant).item(merging(b, a, 1)).build(), late()]).await;
    assert_eq!(results(&committed(outcomes.into_iter().next_back().unwrap())), [missing.clone(), missing.clone()]);
    assert_eq!(results(&home.committed(late()).await), [missing.clone(), missing.clone()]);
    let twice = home.committed(unit(tenant).item([merge(c, &[a])])).await;
    assert_eq!(results(&twice), [missing]);
    let into_merged = home.committed(unit(tenant).item([merge(a, &[c])])).await;
    assert_eq!(results(&into_merged), [Err(vec![Refusal::Missing(RecordRef::Id(a))])]);
}

async fn moved_link_keeps_its_age_and_may_lead_to_an_archived_record(home: Home) {
    let tenant = home.tenant().await;
    let [a, b, c] = three(&home, tenant).await;
    home.done(unit(tenant).item([link(a, c, ManyToMany)])).await;
    home.done(unit(tenant).item([archive(c, 1)])).await;
    let made = Made { at: Timestamp(5), by: Some(UserId(9)) };
    let mut moved = new_link(b, c, ManyToMany);
    moved.moved = Some(made);
    home.done(unit(tenant).item([unlink(a, c), Write::Link(moved)].into_iter().chain(merging(b, a, 1)))).await;
    let key = LinkKey { from_id: b.0, kind: "works_at".to_owned(), to_id: c.0 };
    let absent = LinkKey { from_id: a.0, ..key.clone() };
    let found = association::among(&mut home.reader(tenant).await, &[absent, key.clone()]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].key(), found[0].created_at, found[0].created_by), (key, 5, Some(9)));
}

async fn value_goes_over_in_one_unit(home: Home) {
    let tenant = home.tenant().await;
    let [a, b, _] = three(&home, tenant).await;
    home.done(unit(tenant).item([claim(a, "a@example.com")])).await;
    let taken = [release(a, "a@example.com"), update(b, 1, "b"), claim(b, "a@example.com")];
    home.done(unit(tenant).item(taken.into_iter().chain(merging(b, a, 1)))).await;
    let holders = record::holders(&mut home.reader(tenant).await, &[email("a@example.com")]).await.unwrap();
    assert_eq!(holders, [(email("a@example.com"), b)]);
}

async fn purge_forgets_what_a_merge_remembers(home: Home) {
    let tenant = home.tenant().await;
    let [a, b, c] = three(&home, tenant).await;
    home.done(unit(tenant).item(merging(b, a, 1))).await;
    home.done(unit(tenant).item(merging(c, b, 1))).await;
    home.done(unit(tenant).item([Write::Purge(b), log(ChangeKind::RecordPurged, b)])).await;
    let mut raw = home.raw().await;
    assert_eq!(raw.number("select count(*) from record_merge").await, 0);
    assert_eq!(led(&home, tenant, b).await, None);
}
