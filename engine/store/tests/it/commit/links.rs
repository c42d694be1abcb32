//! Links and how many of them each end may have.

use engine_model::change::ChangeKind;
use engine_model::{RecordId, TenantId};
use engine_store::association::{self, Direction};
use engine_store::commit::{Committed, NewLink, RecordRef, Refusal, Replace, Write};
use futures::future::join_all;

use crate::build::Cardinality::{self, ManyToMany, ManyToOne, OneToMany, OneToOne};
use crate::build::{New, archive, create, insert, insert_as, link, log, new_link, unit, unlink};
use crate::fixture::{Home, committed, results};
use crate::on_both;

on_both!(
    cardinality_limits_each_end,
    link_in_the_way_within_a_group_is_named,
    link_to_what_is_not_there_is_refused,
    link_is_logged_with_its_ends_and_label,
    same_link_again_changes_nothing,
    label_and_properties_of_a_link_change,
    unlinking_is_logged_once,
    link_made_and_taken_away_in_a_group_is_gone,
    link_taken_away_and_made_in_a_group_is_there,
    link_to_an_archived_record_gives_way,
    link_hidden_within_the_group_gives_way,
    replacing_takes_the_links_in_the_way_away,
    replacing_takes_both_ends_free,
    replacing_takes_those_links_alone_that_are_named,
    new_records_are_linked_in_their_unit,
    links_are_read_from_both_ends_page_by_page,
    where_links_lead_is_told_of_archived_records_too,
    crowded_ends_are_counted,
);

mod concurrent {
    use super::one_of_many_concurrent_links_wins;
    use crate::on_both;

    on_both!(threads; one_of_many_concurrent_links_wins);
}

async fn records(home: &Home, tenant: TenantId, count: usize) -> Vec<RecordId> {
    let all = (0..count).fold(unit(tenant), |all, number| all.item([insert(&format!("{number}"))]));
    home.done(all).await.inserted.into_iter().map(Option::unwrap).collect()
}

/// Every link of the database, in order.
async fn links(home: &Home) -> Vec<(i64, i64)> {
    let mut raw = home.raw().await;
    let from = raw.numbers("select from_id from association order by from_id, to_id").await;
    let to = raw.numbers("select to_id from association order by from_id, to_id").await;
    from.into_iter().zip(to).collect()
}

fn in_the_way(from: RecordId, to: RecordId) -> Result<(), Vec<Refusal>> {
    Err(vec![Refusal::Cardinality { kind: "works_at".to_owned(), from, to }])
}

async fn cardinality_limits_each_end(home: Home) {
    for cardinality in [OneToOne, OneToMany, ManyToOne, ManyToMany] {
        let tenant = home.tenant().await;
        let ids = records(&home, tenant, 4).await;
        let (a, b, x, y) = (ids[0], ids[1], ids[2], ids[3]);
        let mut given = Vec::new();
        for (from, to) in [(a, x), (a, y), (b, x), (b, y)] {
            let done = home.committed(unit(tenant).item([link(from, to, cardinality)])).await;
            given.extend(results(&done));
        }
        let expected = match cardinality {
            OneToOne => [Ok(()), in_the_way(a, x), in_the_way(a, x), Ok(())],
            // Each `to` has one `from`.
            OneToMany => [Ok(()), Ok(()), in_the_way(a, x), in_the_way(a, y)],
            // Each `from` has one `to`.
            ManyToOne => [Ok(()), in_the_way(a, x), Ok(()), in_the_way(b, x)],
            ManyToMany => [Ok(()), Ok(()), Ok(()), Ok(())],
        };
        assert_eq!(given, expected, "{cardinality:?}");
    }
}

async fn link_in_the_way_within_a_group_is_named(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 3).await;
    let to = |to: RecordId| unit(tenant).item([link(ids[0], to, ManyToOne)]).build();
    let outcomes = home.group(tenant, vec![to(ids[1]), to(ids[2]), to(ids[1])]).await;
    let given: Vec<_> = outcomes.into_iter().flat_map(|outcome| results(&committed(outcome))).collect();
    assert_eq!(given, [Ok(()), in_the_way(ids[0], ids[1]), Ok(())]);
    assert_eq!(links(&home).await, [(ids[0].0, ids[1].0)]);
}

async fn link_to_what_is_not_there_is_refused(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let ids = records(&home, tenant, 2).await;
    records(&home, other, 9).await;
    home.done(unit(tenant).item([archive(ids[1], 1)])).await;
    let unknown = RecordId(9);
    for (from, to, missing) in [(ids[0], unknown, unknown), (unknown, ids[0], unknown), (ids[0], ids[1], ids[1])] {
        let done = home.committed(unit(tenant).item([link(from, to, ManyToMany)])).await;
        assert_eq!(results(&done), [Err(vec![Refusal::Missing(RecordRef::Id(missing))])]);
    }
    assert!(links(&home).await.is_empty());
}

async fn link_is_logged_with_its_ends_and_label(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 2).await;
    let mut labelled = new_link(ids[0], ids[1], ManyToMany);
    labelled.label = Some("chief".to_owned());
    home.done(unit(tenant).item([Write::Link(labelled)])).await;
    home.done(unit(tenant).item([unlink(ids[0], ids[1])])).await;
    let log = home.log(tenant).await;
    let told: Vec<_> = log
        .iter()
        .map(|entry| (entry.kind.as_str(), entry.object.as_deref(), entry.record_id, entry.changes.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "association.created",
                Some("contact"),
                Some(ids[0].0),
                r#"{"type":[null,"works_at"],"to":[null,"2"],"label":[null,"chief"]}"#
            ),
            (
                "association.removed",
                Some("contact"),
                Some(ids[0].0),
                r#"{"type":["works_at",null],"to":["2",null],"label":["chief",null]}"#
            ),
        ]
    );
}

async fn same_link_again_changes_nothing(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 2).await;
    for _ in 0..2 {
        home.done(unit(tenant).item([link(ids[0], ids[1], OneToOne), link(ids[0], ids[1], OneToOne)])).await;
    }
    assert_eq!(links(&home).await.len(), 1);
    assert_eq!(home.log(tenant).await.len(), 1);
}

async fn label_and_properties_of_a_link_change(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 2).await;
    home.done(unit(tenant).item([link(ids[0], ids[1], OneToOne)])).await;
    let mut changed = new_link(ids[0], ids[1], OneToOne);
    (changed.label, changed.properties) = (Some("chief".to_owned()), r#"{"since":1}"#.to_owned());
    home.done(unit(tenant).item([Write::Link(changed)])).await;
    let mut reader = home.reader(tenant).await;
    let found = association::list(&mut reader, ids[0], "works_at", Direction::Out, 0, 10).await.unwrap();
    let [link] = found.as_slice() else { panic!("one link: {found:?}") };
    assert_eq!((link.label.as_deref(), link.properties.as_str()), (Some("chief"), r#"{"since":1}"#));
    assert_eq!(home.log(tenant).await.len(), 2);
}

async fn unlinking_is_logged_once(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 2).await;
    home.done(unit(tenant).item([unlink(ids[0], ids[1])])).await;
    assert!(home.log(tenant).await.is_empty());
    home.done(unit(tenant).item([link(ids[0], ids[1], ManyToMany)])).await;
    home.done(unit(tenant).item([unlink(ids[0], ids[1]), unlink(ids[0], ids[1])])).await;
    home.done(unit(tenant).item([unlink(ids[0], ids[1])])).await;
    assert_eq!(home.log(tenant).await.len(), 2);
    assert!(links(&home).await.is_empty());
}

async fn link_made_and_taken_away_in_a_group_is_gone(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 3).await;
    let units = vec![
        unit(tenant).item([link(ids[0], ids[1], OneToOne)]).build(),
        unit(tenant).item([unlink(ids[0], ids[1])]).build(),
        unit(tenant).item([link(ids[0], ids[2], OneToOne)]).build(),
    ];
    for outcome in home.group(tenant, units).await {
        assert_eq!(results(&committed(outcome)), [Ok(())]);
    }
    assert_eq!(links(&home).await, [(ids[0].0, ids[2].0)]);
    assert_eq!(home.log(tenant).await.len(), 3);
}

async fn link_taken_away_and_made_in_a_group_is_there(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 2).await;
    home.done(unit(tenant).item([link(ids[0], ids[1], OneToOne)])).await;
    let units = vec![
        unit(tenant).item([unlink(ids[0], ids[1])]).build(),
        unit(tenant).item([link(ids[0], ids[1], OneToOne)]).build(),
    ];
    home.group(tenant, units).await;
    assert_eq!(links(&home).await, [(ids[0].0, ids[1].0)]);
    let kinds: Vec<_> = home.log(tenant).await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["association.created", "association.removed", "association.created"]);
}

async fn link_to_an_archived_record_gives_way(home: Home) {
    let tenant = home.tenant().await;
    let made = unit(tenant)
        .item([insert_as("contact", "a")])
        .item([insert_as("company", "old")])
        .item([insert_as("company", "new")])
        .item([insert_as("contact", "b")])
        .item([link(New(0), New(1), OneToOne)]);
    let ids: Vec<_> = home.done(made).await.inserted.into_iter().map(Option::unwrap).collect();
    home.done(unit(tenant).item([archive(ids[1], 1)])).await;
    home.done(unit(tenant).item([link(ids[0], ids[2], OneToOne)])).await;
    assert_eq!(links(&home).await, [(ids[0].0, ids[2].0)]);

    // Seen from the other end, the record that the link started from is not part of the write.
    home.done(unit(tenant).item([archive(ids[0], 1)])).await;
    home.done(unit(tenant).item([link(ids[3], ids[2], OneToOne)])).await;
    assert_eq!(links(&home).await, [(ids[3].0, ids[2].0)]);
    let told: Vec<_> = home
        .log(tenant)
        .await
        .into_iter()
        .map(|entry| (entry.kind, entry.object.unwrap(), entry.record_id.unwrap()))
        .collect();
    let entry = |kind: &str, object: &str, record: RecordId| (kind.to_owned(), object.to_owned(), record.0);
    assert_eq!(
        told,
        [
            entry("association.created", "contact", ids[0]),
            entry("association.removed", "contact", ids[0]),
            entry("association.created", "contact", ids[0]),
            entry("association.removed", "contact", ids[0]),
            entry("association.created", "contact", ids[3]),
        ]
    );
}

async fn link_hidden_within_the_group_gives_way(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 3).await;
    home.done(unit(tenant).item([link(ids[0], ids[1], ManyToOne)])).await;
    let units = vec![
        unit(tenant).item([link(ids[0], ids[2], ManyToOne)]).build(),
        unit(tenant).item([archive(ids[1], 1), log(ChangeKind::RecordArchived, ids[1])]).build(),
        unit(tenant).item([link(ids[0], ids[2], ManyToOne)]).build(),
    ];
    let outcomes = home.group(tenant, units).await;
    let given: Vec<_> = outcomes.into_iter().flat_map(|outcome| results(&committed(outcome))).collect();
    assert_eq!(given, [in_the_way(ids[0], ids[1]), Ok(()), Ok(())]);
    assert_eq!(links(&home).await, [(ids[0].0, ids[2].0)]);
}

async fn replacing_takes_the_links_in_the_way_away(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 3).await;
    home.done(unit(tenant).item([link(ids[0], ids[1], ManyToOne)])).await;
    let mut replacing = new_link(ids[0], ids[2], ManyToOne);
    replacing.replace = Replace::Everything;
    home.done(unit(tenant).item([Write::Link(replacing)])).await;
    assert_eq!(links(&home).await, [(ids[0].0, ids[2].0)]);
    let kinds: Vec<_> = home.log(tenant).await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["association.created", "association.removed", "association.created"]);
}

async fn replacing_takes_those_links_alone_that_are_named(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 5).await;
    let (a, b, x, y, z) = (ids[0], ids[1], ids[2], ids[3], ids[4]);
    home.done(unit(tenant).item([link(a, x, OneToOne), link(b, y, OneToOne)])).await;
    let replacing = |these: &[RecordId]| {
        let these = these.iter().map(|id| RecordRef::Id(*id)).collect();
        let link = NewLink { replace: Replace::These(these), ..new_link(a, y, OneToOne) };
        unit(tenant).item([Write::Link(link)])
    };
    for (these, refused) in [(vec![], (a, x)), (vec![x], (b, y)), (vec![z, b], (a, x))] {
        let given = results(&home.committed(replacing(&these)).await);
        assert_eq!(given, [in_the_way(refused.0, refused.1)], "{these:?}");
    }
    assert_eq!(links(&home).await, [(a.0, x.0), (b.0, y.0)]);
    home.done(replacing(&[x, b])).await;
    assert_eq!(links(&home).await, [(a.0, y.0)]);
    // What the same unit has made is named by its place in it.
    let made = NewLink { replace: Replace::These(vec![RecordRef::New(0)]), ..new_link(z, x, OneToOne) };
    home.done(unit(tenant).item(create("person", 0)).item([link(New(0), x, OneToOne), Write::Link(made)])).await;
    assert_eq!(links(&home).await, [(a.0, y.0), (z.0, x.0)]);
}

async fn replacing_takes_both_ends_free(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 4).await;
    let (a, b, x, y) = (ids[0], ids[1], ids[2], ids[3]);
    home.done(unit(tenant).item([link(a, x, OneToOne), link(b, y, OneToOne)])).await;
    let mut replacing = new_link(a, y, OneToOne);
    replacing.replace = Replace::Everything;
    home.done(unit(tenant).item([Write::Link(replacing)])).await;
    assert_eq!(links(&home).await, [(a.0, y.0)]);
}

async fn new_records_are_linked_in_their_unit(home: Home) {
    let tenant = home.tenant().await;
    let all = unit(tenant)
        .item(create("company", 0))
        .item([insert("one"), link(New(1), New(0), ManyToOne)])
        .item([insert("two"), link(New(2), New(0), OneToOne)])
        .item([insert("three"), link(New(3), New(0), ManyToOne)]);
    let done = home.committed(all).await;
    let (company, one) = (done.inserted[0].unwrap(), done.inserted[1].unwrap());
    let three = done.inserted[3].unwrap();
    assert_eq!(results(&done), [Ok(()), Ok(()), in_the_way(one, company), Ok(())]);
    assert_eq!(links(&home).await, [(one.0, company.0), (three.0, company.0)]);
}

async fn links_are_read_from_both_ends_page_by_page(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 6).await;
    let hub = ids[5];
    let all = ids[..5].iter().map(|id| link(*id, hub, ManyToMany)).collect::<Vec<_>>();
    home.done(unit(tenant).item(all)).await;
    home.done(unit(tenant).item([archive(ids[2], 1)])).await;
    let mut reader = home.reader(tenant).await;
    let near = |links: Vec<association::LinkRow>| -> Vec<(i64, i64)> {
        links.into_iter().map(|link| (link.near_id, link.id)).collect()
    };
    let page = association::list(&mut reader, hub, "works_at", Direction::In, 0, 3).await.unwrap();
    assert_eq!(near(page), [(hub.0, ids[0].0), (hub.0, ids[1].0), (hub.0, ids[3].0)]);
    let page = association::list(&mut reader, hub, "works_at", Direction::In, ids[3].0, 3).await.unwrap();
    assert_eq!(near(page), [(hub.0, ids[4].0)]);
    let page = association::list(&mut reader, ids[0], "works_at", Direction::Out, 0, 3).await.unwrap();
    assert_eq!(near(page), [(ids[0].0, hub.0)]);
    assert!(association::list(&mut reader, hub, "other", Direction::In, 0, 3).await.unwrap().is_empty());

    let many = vec![ids[4].0, ids[0].0, hub.0];
    let out = association::of_many(&mut reader, many.clone(), "works_at", Direction::Out, 10).await.unwrap();
    assert_eq!(near(out), [(ids[0].0, hub.0), (ids[4].0, hub.0)]);
    let into = association::of_many(&mut reader, many, "works_at", Direction::In, 2).await.unwrap();
    assert_eq!(near(into), [(hub.0, ids[0].0), (hub.0, ids[1].0)]);
}

async fn where_links_lead_is_told_of_archived_records_too(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 4).await;
    let all = [(0, 2), (0, 3), (1, 2)].map(|(from, to): (usize, usize)| link(ids[from], ids[to], ManyToMany));
    home.done(unit(tenant).item(all)).await;
    home.done(unit(tenant).item([archive(ids[2], 1)])).await;
    let mut reader = home.reader(tenant).await;
    let near = vec![ids[1].0, ids[0].0, ids[3].0];
    let found = association::leading(&mut reader, near.clone(), "works_at", 10).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|link| (link.from_id, link.to_id)).collect();
    assert_eq!(found, [(ids[0].0, ids[2].0), (ids[0].0, ids[3].0), (ids[1].0, ids[2].0)]);
    assert_eq!(association::leading(&mut reader, near.clone(), "works_at", 2).await.unwrap().len(), 2);
    assert!(association::leading(&mut reader, near, "other", 10).await.unwrap().is_empty());
}

async fn crowded_ends_are_counted(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 4).await;
    let all = [(0, 2), (0, 3), (1, 2)].map(|(from, to): (usize, usize)| link(ids[from], ids[to], ManyToMany));
    home.done(unit(tenant).item(all)).await;
    let mut reader = home.reader(tenant).await;
    for (direction, end) in [(Direction::Out, ids[0]), (Direction::In, ids[2])] {
        let crowded = association::crowded(&mut reader, "works_at", direction, 10).await.unwrap();
        let counted: Vec<_> = crowded.into_iter().map(|crowded| (crowded.id, crowded.links)).collect();
        assert_eq!(counted, [(end.0, 2)]);
    }
}

/// Sends 64 links at once.
async fn all_at_once(home: &Home, tenant: TenantId, links: Vec<Write>) -> Vec<Committed> {
    let tasks = links.into_iter().map(|link| {
        let (store, unit) = (home.store.clone(), unit(tenant).item([link]).build());
        tokio::spawn(async move { store.commit(unit).await })
    });
    join_all(tasks).await.into_iter().map(|joined| committed(joined.unwrap().unwrap())).collect()
}

async fn one_of_many_concurrent_links_wins(home: Home) {
    for cardinality in [OneToOne, OneToMany, ManyToOne, ManyToMany] {
        for fans_out in [true, false] {
            let tenant = home.tenant().await;
            let ids = records(&home, tenant, 65).await;
            let (hub, others) = (ids[0], &ids[1..]);
            let ends = |other: RecordId| if fans_out { (hub, other) } else { (other, hub) };
            let writes = others.iter().map(|other| link(ends(*other).0, ends(*other).1, cardinality)).collect();
            let outcomes = all_at_once(&home, tenant, writes).await;
            let winners: Vec<RecordId> = others
                .iter()
                .zip(&outcomes)
                .filter(|(_, outcome)| results(outcome) == [Ok(())])
                .map(|(other, _)| *other)
                .collect();
            if is_limited(cardinality, fans_out) {
                let [winner] = winners.as_slice() else { panic!("{cardinality:?}: one winner: {winners:?}") };
                let lost = in_the_way(ends(*winner).0, ends(*winner).1);
                assert_eq!(outcomes.iter().filter(|outcome| results(outcome) == [lost.clone()]).count(), 63);
            } else {
                assert_eq!(winners.len(), 64, "{cardinality:?}");
            }
            let count = format!("select count(*) from association where tenant_id = {tenant}");
            assert_eq!(home.raw().await.number(&count).await, i64::try_from(winners.len()).unwrap());
            assert_eq!(home.log(tenant).await.len(), winners.len());
        }
    }
}

fn is_limited(cardinality: Cardinality, fans_out: bool) -> bool {
    match cardinality {
        OneToOne => true,
        OneToMany => !fans_out,
        ManyToOne => fans_out,
        ManyToMany => false,
    }
}
