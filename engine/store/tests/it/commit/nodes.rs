//! What a node remembers of a tenant is out of date when somebody else has written, such as another node on the same
//! PostgreSQL.

use engine_model::change::ChangeKind;
use engine_model::{RecordId, Sequence};
use engine_store::commit::{Outcome, RecordRef, Refusal, Write};
use engine_store::{Store, change};

use crate::build::{Cardinality, NOW, New, claim, create, email, link, log_of, origin, unit, update};
use crate::fixture::{Home, committed, results};
use crate::on_both;

on_both!(transaction_between_two_creations_is_noticed, value_that_is_taken_costs_no_other_its_record);

/// Not even on the same node is the head what the last creation left.
async fn transaction_between_two_creations_is_noticed(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(with_email("a"))).await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    change::append(&mut tx, &origin(), NOW, "metadata.changed", None, "{}".to_owned()).await.unwrap();
    tx.commit().await.unwrap();
    let done = home.done(unit(tenant).item(with_email("b"))).await;
    assert_eq!((done.inserted, done.sequence), (vec![Some(RecordId(2))], Sequence(3)));
    assert_eq!(home.log(tenant).await.iter().map(|row| row.sequence).collect::<Vec<_>>(), [1, 2, 3]);
}

async fn value_that_is_taken_costs_no_other_its_record(home: Home) {
    let tenant = home.tenant().await;
    let holder = home.insert(unit(tenant).item(with_email("a"))).await;
    for round in 0..20 {
        let fresh = format!("{round}");
        let done = home.committed(unit(tenant).item(with_email("a")).item(nth_with_email(1, &fresh))).await;
        let taken = Refusal::Taken { value: email("a"), holder };
        assert_eq!(results(&done), [Err(vec![taken]), Ok(())]);
        assert_eq!(done.inserted, [None, Some(RecordId(round + 2))]);
    }
    assert_eq!(home.log(tenant).await.len(), 21);
}

async fn two_nodes() -> (Home, Store) {
    let home = Home::postgres().await;
    let other = Store::open(&home.config).await.unwrap();
    (home, other)
}

fn with_email(name: &str) -> Vec<Write> {
    nth_with_email(0, name)
}

fn nth_with_email(index: usize, name: &str) -> Vec<Write> {
    let mut writes = create(name, index);
    writes.push(claim(New(index), name));
    writes
}

#[tokio::test]
async fn ids_and_sequences_go_on_where_the_other_node_left_off() {
    let (home, other) = two_nodes().await;
    let tenant = home.tenant().await;
    for round in 0..4_i64 {
        for (number, store) in [&home.store, &other].into_iter().enumerate() {
            let done = committed(
                store.commit(unit(tenant).item(with_email(&format!("{round}.{number}"))).build()).await.unwrap(),
            );
            let expected = round * 2 + i64::try_from(number).unwrap() + 1;
            assert_eq!((done.inserted, done.sequence), (vec![Some(RecordId(expected))], Sequence(expected)));
        }
    }
    assert_eq!(home.log(tenant).await.len(), 8);
}

#[tokio::test]
async fn value_that_the_other_node_took_is_taken() {
    let (home, other) = two_nodes().await;
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(with_email("a"))).await;
    let holder =
        committed(other.commit(unit(tenant).item(with_email("b")).build()).await.unwrap()).inserted[0].unwrap();
    let refused = home.committed(unit(tenant).item(with_email("b")).item(nth_with_email(1, "c"))).await;
    let taken = Refusal::Taken { value: email("b"), holder };
    assert_eq!(results(&refused), [Err(vec![taken]), Ok(())]);
    assert_eq!(refused.inserted, [None, Some(RecordId(3))]);
    assert_eq!(home.log(tenant).await.len(), 3);
}

#[tokio::test]
async fn record_that_the_other_node_changed_is_stale() {
    let (home, other) = two_nodes().await;
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(with_email("a"))).await;
    let change = |name: &str| {
        let changed = log_of(ChangeKind::RecordUpdated, id, name);
        unit(tenant).item([update(id, 1, name), changed])
    };
    committed(other.commit(change("theirs").build()).await.unwrap());
    let refused = home.committed(change("mine")).await;
    assert_eq!(results(&refused), [Err(vec![Refusal::Stale(RecordRef::Id(id))])]);
    assert_eq!(home.record(tenant, id).await.unwrap().display_name, "theirs");
}

#[tokio::test]
async fn definitions_that_the_other_node_changed_are_outdated() {
    let (home, other) = two_nodes().await;
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(with_email("a"))).await;
    let mut tx = other.begin(tenant).await.unwrap();
    tx.head.metadata_version += 1;
    tx.commit().await.unwrap();
    assert!(matches!(home.commit(unit(tenant).item(with_email("b"))).await, Outcome::Outdated));
    home.insert(unit(tenant).metadata_version(2).item(with_email("b"))).await;
    assert_eq!(home.log(tenant).await.len(), 2);
}

#[tokio::test]
async fn link_of_which_there_may_be_one_is_made_by_one_node() {
    let (home, other) = two_nodes().await;
    let tenant = home.tenant().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(home.insert(unit(tenant).item(with_email(name))).await);
    }
    let made = |to| {
        let logged = log_of(ChangeKind::AssociationCreated, ids[0], "link");
        unit(tenant).item([link(ids[0], to, Cardinality::ManyToOne), logged])
    };
    committed(other.commit(made(ids[1]).build()).await.unwrap());
    let refused = home.committed(made(ids[2])).await;
    let in_the_way = Refusal::Cardinality { kind: "works_at".to_owned(), from: ids[0], to: ids[1] };
    assert_eq!(results(&refused), [Err(vec![in_the_way])]);
}

/// Both nodes write to the same records at once: of each pair one wins, and nothing is written twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_two_nodes_wins_each_value() {
    let (home, other) = two_nodes().await;
    let tenant = home.tenant().await;
    for round in 0..30_i64 {
        let name = format!("{round}");
        let mine = unit(tenant).item(with_email(&name)).build();
        let theirs = unit(tenant).item(with_email(&name)).build();
        let (mine, theirs) = futures::join!(home.store.commit(mine), other.commit(theirs));
        let done = [committed(mine.unwrap()), committed(theirs.unwrap())];
        let won: Vec<_> = done.iter().filter_map(|done| done.inserted[0]).collect();
        assert_eq!(won, [RecordId(round + 1)]);
        let refused = done.iter().flat_map(results).filter_map(Result::err).collect::<Vec<_>>();
        assert_eq!(refused, [[Refusal::Taken { value: email(&name), holder: won[0] }]]);
    }
    assert_eq!(home.log(tenant).await.len(), 30);
}
