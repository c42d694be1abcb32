//! Items of a unit: each for itself, or all together.

use engine_model::change::ChangeKind;
use engine_model::{RecordId, Sequence};
use engine_store::association::{self, Direction};
use engine_store::commit::{Outcome, RecordRef, Refusal};

use crate::build::Cardinality::ManyToMany;
use crate::build::{New, claim, create, email, insert, link, log, unit, update};
use crate::fixture::{Home, results};
use crate::on_both;

on_both!(
    refused_items_leave_the_others,
    item_that_refers_to_a_refused_insert_is_refused,
    refused_item_leaves_nothing_of_itself,
    item_reports_everything_that_is_wrong_with_it,
    atomic_unit_reports_every_refusal_and_changes_nothing,
    atomic_unit_refers_to_its_own_records,
    unit_without_items_is_committed_at_the_present_position,
    outdated_definitions_change_nothing,
);

async fn refused_items_leave_the_others(home: Home) {
    let tenant = home.tenant().await;
    let holder = home.insert(unit(tenant).item([insert("Ada"), claim(New(0), "a")])).await;
    let batch = unit(tenant)
        .item([insert("one"), claim(New(0), "1"), log(ChangeKind::RecordCreated, New(0))])
        .item([insert("two"), claim(New(1), "a"), log(ChangeKind::RecordCreated, New(1))])
        .item([update(RecordId(99), 1, "gone")])
        .item([insert("three"), log(ChangeKind::RecordCreated, New(2)), link(New(2), New(0), ManyToMany)]);
    let done = home.committed(batch).await;
    let (one, three) = (RecordId(2), RecordId(3));
    assert_eq!(done.inserted, [Some(one), None, Some(three)]);
    let taken = Refusal::Taken { value: email("a"), holder };
    let missing = Refusal::Missing(RecordRef::Id(RecordId(99)));
    assert_eq!(results(&done), [Ok(()), Err(vec![taken]), Err(vec![missing]), Ok(())]);
    assert_eq!(done.sequence, Sequence(3));
    assert_eq!(home.record(tenant, three).await.unwrap().display_name, "three");
    let mut reader = home.reader(tenant).await;
    let links = association::list(&mut reader, three, "works_at", Direction::Out, 0, 10).await.unwrap();
    assert_eq!(links.iter().map(|link| link.id).collect::<Vec<_>>(), [one.0]);
    let log = home.log(tenant).await;
    let told: Vec<_> = log.iter().map(|entry| (entry.sequence, entry.record_id, entry.kind.as_str())).collect();
    assert_eq!(
        told,
        [(1, Some(2), "record.created"), (2, Some(3), "record.created"), (3, Some(3), "association.created")]
    );
}

async fn item_that_refers_to_a_refused_insert_is_refused(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item([insert("Ada"), claim(New(0), "a")])).await;
    let batch = unit(tenant)
        .item([insert("refused"), claim(New(0), "a")])
        .item([insert("orphan"), link(New(1), New(0), ManyToMany)])
        .item([insert("fine")])
        .item([link(New(2), New(3), ManyToMany)]);
    let done = home.committed(batch).await;
    assert_eq!(done.inserted, [None, None, Some(RecordId(2))]);
    assert_eq!(results(&done)[1], Err(vec![Refusal::Missing(RecordRef::New(0))]));
    assert_eq!(results(&done)[2], Ok(()));
    assert_eq!(results(&done)[3], Err(vec![Refusal::Missing(RecordRef::New(3))]));
    assert_eq!(home.raw().await.number("select count(*) from record").await, 2);
}

async fn refused_item_leaves_nothing_of_itself(home: Home) {
    let tenant = home.tenant().await;
    let ada = home.insert(unit(tenant).item([insert("Ada"), claim(New(0), "a")])).await;
    let batch = unit(tenant)
        .item([
            insert("half"),
            claim(New(0), "h"),
            link(New(0), ada, ManyToMany),
            update(ada, 1, "half"),
            log(ChangeKind::RecordCreated, New(0)),
            claim(New(0), "a"),
        ])
        .item([update(ada, 1, "whole"), claim(ada, "h"), log(ChangeKind::RecordUpdated, ada)]);
    let done = home.committed(batch).await;
    assert_eq!(results(&done), [Err(vec![Refusal::Taken { value: email("a"), holder: ada }]), Ok(())]);
    let row = home.record(tenant, ada).await.unwrap();
    assert_eq!((row.version, row.display_name.as_str()), (2, "whole"));
    let mut raw = home.raw().await;
    assert_eq!(raw.number("select count(*) from record").await, 1);
    assert_eq!(raw.number("select count(*) from association").await, 0);
    assert_eq!(raw.texts("select value from unique_value order by value").await, ["a", "h"]);
    assert_eq!(home.log(tenant).await.len(), 1);
}

async fn item_reports_everything_that_is_wrong_with_it(home: Home) {
    let tenant = home.tenant().await;
    let ada = home.insert(unit(tenant).item([insert("Ada"), claim(New(0), "a"), claim(New(0), "b")])).await;
    let done = home.committed(unit(tenant).item([insert("x"), claim(New(0), "a"), claim(New(0), "b")])).await;
    let taken = |value| Refusal::Taken { value: email(value), holder: ada };
    assert_eq!(results(&done), [Err(vec![taken("a"), taken("b")])]);
}

async fn atomic_unit_reports_every_refusal_and_changes_nothing(home: Home) {
    let tenant = home.tenant().await;
    let ada = home.insert(unit(tenant).item([insert("Ada"), claim(New(0), "a")])).await;
    let all = unit(tenant)
        .atomic()
        .item([insert("fine"), claim(New(0), "f"), log(ChangeKind::RecordCreated, New(0))])
        .item([update(ada, 7, "stale"), claim(New(0), "a")])
        .item([insert("taken"), claim(New(1), "f")])
        .item([update(RecordId(99), 1, "missing")]);
    let Outcome::Refused(refused) = home.commit(all).await else { panic!("an atomic unit is refused as a whole") };
    // The record that would have been made is named by the id that it would have had.
    assert_eq!(
        refused,
        [
            (1, Refusal::Stale(RecordRef::Id(ada))),
            (1, Refusal::Taken { value: email("a"), holder: ada }),
            (2, Refusal::Taken { value: email("f"), holder: RecordId(2) }),
            (3, Refusal::Missing(RecordRef::Id(RecordId(99)))),
        ]
    );
    let mut raw = home.raw().await;
    assert_eq!(raw.number("select count(*) from record").await, 1);
    assert_eq!(raw.texts("select value from unique_value").await, ["a"]);
    assert_eq!(raw.number("select last_record_id + last_sequence from tenant_head").await, 1);
    assert!(home.log(tenant).await.is_empty());
    assert_eq!(home.insert(unit(tenant).item([insert("next"), claim(New(0), "f")])).await, RecordId(2));
}

async fn atomic_unit_refers_to_its_own_records(home: Home) {
    let tenant = home.tenant().await;
    let all = unit(tenant)
        .atomic()
        .item(create("company", 0))
        .item(create("contact", 1))
        .item([link(New(1), New(0), ManyToMany)])
        .item([update(New(0), 1, "renamed"), log(ChangeKind::RecordUpdated, New(0))]);
    let done = home.done(all).await;
    assert_eq!(done.inserted, [Some(RecordId(1)), Some(RecordId(2))]);
    assert_eq!(home.record(tenant, RecordId(1)).await.unwrap().display_name, "renamed");
    let log = home.log(tenant).await;
    let kinds: Vec<_> = log.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["record.created", "record.created", "association.created", "record.updated"]);
}

async fn unit_without_items_is_committed_at_the_present_position(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(create("Ada", 0))).await;
    let done = home.done(unit(tenant)).await;
    assert_eq!((done.sequence, done.inserted.len(), results(&done).len()), (Sequence(1), 0, 0));
}

async fn outdated_definitions_change_nothing(home: Home) {
    let tenant = home.tenant().await;
    for builder in [unit(tenant).metadata_version(2), unit(tenant).access_version(0)] {
        let outcome = home.commit(builder.item(create("Ada", 0))).await;
        assert!(matches!(outcome, Outcome::Outdated), "{outcome:?}");
    }
    let mut tx = home.store.begin(tenant).await.unwrap();
    tx.head.metadata_version += 1;
    tx.commit().await.unwrap();
    assert!(matches!(home.commit(unit(tenant).item(create("Ada", 0))).await, Outcome::Outdated));
    home.insert(unit(tenant).metadata_version(2).item(create("Ada", 0))).await;
    assert_eq!(home.log(tenant).await.len(), 1);
}
