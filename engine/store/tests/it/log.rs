//! The log as its readers see it: every change once, in order, whoever writes and however slowly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine_model::{RecordId, Sequence, TenantId};
use engine_store::change::{self, ChangeRow};
use engine_store::{Reader, Store};
use futures::future::join_all;
use tokio::sync::watch;

use crate::build::{NOW, archive, create, log, origin, unit};
use crate::fixture::{Home, committed};
use crate::on_both;

on_both!(
    log_is_read_page_by_page,
    changes_of_a_record_are_read_backwards,
    followers_keep_their_positions,
    followers_that_are_behind_are_found,
    signal_tells_the_position,
);

mod concurrent {
    use super::reader_sees_every_change_once_in_order;
    use crate::on_both;

    on_both!(threads; reader_sees_every_change_once_in_order);
}

const PATIENCE: Duration = Duration::from_secs(60);

async fn log_is_read_page_by_page(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    for number in 0..5 {
        home.done(unit(tenant).item(create(&format!("{number}"), 0))).await;
        home.done(unit(other).item(create("other", 0))).await;
    }
    let mut reader = home.reader(tenant).await;
    let mut page = async |after, limit| -> Vec<i64> {
        let rows = change::after(&mut reader, Sequence(after), limit).await.unwrap();
        rows.into_iter().map(|row| row.sequence).collect()
    };
    assert_eq!(page(0, 2).await, [1, 2]);
    assert_eq!(page(2, 2).await, [3, 4]);
    assert_eq!(page(4, 2).await, [5]);
    assert!(page(5, 2).await.is_empty());
}

async fn changes_of_a_record_are_read_backwards(home: Home) {
    let tenant = home.tenant().await;
    home.done(unit(tenant).item(create("a", 0))).await;
    home.done(unit(tenant).item(create("b", 0))).await;
    let first = RecordId(1);
    let archived = [archive(first, 1), log(engine_model::change::ChangeKind::RecordArchived, first)];
    home.done(unit(tenant).item(archived)).await;
    let mut reader = home.reader(tenant).await;
    let mut of = async |before, limit| -> Vec<(i64, String)> {
        let rows = change::of_record(&mut reader, first, Sequence(before), limit).await.unwrap();
        rows.into_iter().map(|row| (row.sequence, row.kind)).collect()
    };
    let (created, archived) = ((1, "record.created".to_owned()), (3, "record.archived".to_owned()));
    assert_eq!(of(i64::MAX, 10).await, [archived.clone(), created.clone()]);
    assert_eq!(of(i64::MAX, 1).await, [archived]);
    assert_eq!(of(3, 10).await, [created]);
}

async fn followers_keep_their_positions(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    assert_eq!(change::position(&mut home.reader(tenant).await, "index").await.unwrap(), Sequence(0));
    for position in [5, 9, 7] {
        change::save_position(&home.store, tenant, "index", Sequence(position), NOW).await.unwrap();
    }
    change::save_position(&home.store, tenant, "hooks", Sequence(3), NOW).await.unwrap();
    let mut reader = home.reader(tenant).await;
    assert_eq!(change::position(&mut reader, "index").await.unwrap(), Sequence(9));
    assert_eq!(change::position(&mut reader, "hooks").await.unwrap(), Sequence(3));
    assert_eq!(change::position(&mut home.reader(other).await, "index").await.unwrap(), Sequence(0));
}

async fn followers_that_are_behind_are_found(home: Home) {
    let mut tenants = Vec::new();
    for number in 0..4 {
        let tenant = home.tenant().await;
        for _ in 0..number {
            home.done(unit(tenant).item(create("x", 0))).await;
        }
        tenants.push(tenant);
    }
    change::save_position(&home.store, tenants[2], "index", Sequence(2), NOW).await.unwrap();
    change::save_position(&home.store, tenants[3], "index", Sequence(2), NOW).await.unwrap();
    assert_eq!(change::behind(&home.store, "index", 0, 10).await.unwrap(), [tenants[1], tenants[3]]);
    assert_eq!(change::behind(&home.store, "index", 0, 1).await.unwrap(), [tenants[1]]);
    assert_eq!(change::behind(&home.store, "index", tenants[1].0, 10).await.unwrap(), [tenants[3]]);
    assert_eq!(change::behind(&home.store, "hooks", 0, 10).await.unwrap(), tenants[1..]);
    assert_eq!(change::behind_positions(&home.store, "index", 0, 10).await.unwrap(), [tenants[3]]);
    assert!(change::behind_positions(&home.store, "hooks", 0, 10).await.unwrap().is_empty());
    let mut tx = home.store.begin(tenants[3]).await.unwrap();
    change::start_following(&mut tx, "index", Sequence(0), NOW).await.unwrap();
    change::start_following(&mut tx, "hooks", Sequence(0), NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(change::position(&mut home.reader(tenants[3]).await, "index").await.unwrap(), Sequence(2));
    assert_eq!(change::behind_positions(&home.store, "hooks", 0, 10).await.unwrap(), [tenants[3]]);
}

async fn signal_tells_the_position(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut signal = home.store.subscribe(tenant);
    signal.borrow_and_update();
    home.done(unit(other).item(create("a", 0))).await;
    home.done(unit(tenant).item(create("b", 0)).item(create("c", 1))).await;
    signal.changed().await.unwrap();
    assert_eq!(*signal.borrow_and_update(), 2);
    let mut tx = home.store.begin(tenant).await.unwrap();
    change::append(&mut tx, &origin(), NOW, "metadata.changed", None, "{}".to_owned()).await.unwrap();
    assert!(!signal.has_changed().unwrap());
    tx.commit().await.unwrap();
    signal.changed().await.unwrap();
    assert_eq!(*signal.borrow_and_update(), 3);
}

/// Alone on SQLite: where a node listens to others, beginning to listen is a signal too.
#[tokio::test]
async fn nothing_new_is_no_signal() {
    let home = Home::sqlite().await;
    let tenant = home.tenant().await;
    home.done(unit(tenant).item(create("a", 0)).key("k", "f")).await;
    let mut signal = home.store.subscribe(tenant);
    signal.borrow_and_update();
    home.commit(unit(tenant).item(create("a", 0)).key("k", "f")).await;
    home.commit(unit(tenant).metadata_version(9).item(create("a", 0))).await;
    home.done(unit(tenant)).await;
    home.store.begin(tenant).await.unwrap().commit().await.unwrap();
    assert!(!signal.has_changed().unwrap());
}

/// Reads new changes until `is_over` and nothing is left.
async fn follow(mut reader: Reader, is_over: Arc<AtomicBool>) -> Vec<ChangeRow> {
    let mut read: Vec<ChangeRow> = Vec::new();
    loop {
        // Asked first: what was committed before is found below.
        let was_over = is_over.load(Ordering::SeqCst);
        let position = Sequence(read.last().map_or(0, |row| row.sequence));
        let page = change::after(&mut reader, position, 7).await.unwrap();
        if page.is_empty() && was_over {
            return read;
        }
        read.extend(page);
        tokio::task::yield_now().await;
    }
}

/// Writers of one name each, on their stores in turn, and what a reader on each store has seen meanwhile.
async fn write_and_follow(stores: &[Store], tenants: &[TenantId], writers: usize, units: usize) -> Vec<Vec<ChangeRow>> {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut followers = Vec::new();
    for store in stores {
        for tenant in tenants {
            followers.push(tokio::spawn(follow(store.read(*tenant).await.unwrap(), Arc::clone(&is_over))));
        }
    }
    let writing = (0..writers).map(|writer| {
        let (store, tenants) = (stores[writer % stores.len()].clone(), tenants.to_vec());
        tokio::spawn(async move {
            for number in 0..units {
                let tenant = tenants[(writer + number) % tenants.len()];
                let unit = unit(tenant).item(create(&format!("{writer}.{number}"), 0)).build();
                committed(store.commit(unit).await.unwrap());
            }
        })
    });
    for writer in join_all(writing).await {
        writer.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    join_all(followers).await.into_iter().map(Result::unwrap).collect()
}

/// A dense sequence in which every written name stands once, and each writer's names in their order.
fn check(seen: &[ChangeRow]) -> usize {
    let sequences: Vec<i64> = seen.iter().map(|row| row.sequence).collect();
    assert_eq!(sequences, (1..=i64::try_from(seen.len()).unwrap()).collect::<Vec<_>>());
    let mut names: Vec<(usize, usize)> = seen
        .iter()
        .map(|row| {
            let name = row.changes.trim_start_matches(r#"{"name":""#).trim_end_matches(r#""}"#);
            let (writer, number) = name.split_once('.').unwrap();
            (writer.parse().unwrap(), number.parse().unwrap())
        })
        .collect();
    let in_log = names.clone();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for writer in 0..=names.last().map_or(0, |name| name.0) {
        let own: Vec<usize> = in_log.iter().filter(|name| name.0 == writer).map(|name| name.1).collect();
        assert!(own.is_sorted(), "writer {writer}: {own:?}");
    }
    count
}

async fn reader_sees_every_change_once_in_order(home: Home) {
    let tenants = [home.tenant().await, home.tenant().await];
    let seen = write_and_follow(std::slice::from_ref(&home.store), &tenants, 8, 25).await;
    assert_eq!(seen.iter().map(|log| check(log)).sum::<usize>(), 200);
}

/// A second node on the same database.
async fn second_node(home: &Home) -> Store {
    Store::open(&home.config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_miss_nothing_where_two_nodes_commit_slowly() {
    let home = Home::postgres().await;
    let tenants = [home.tenant().await, home.tenant().await];
    // Every third transaction takes its time between giving out the sequence and being visible.
    home.raw()
        .await
        .execute(
            "create function dawdle() returns trigger language plpgsql as $$ begin \
               if new.sequence % 3 = 0 then perform pg_sleep(0.01); end if; return null; end $$; \
             create constraint trigger dawdle after insert on change deferrable initially deferred \
               for each row execute function dawdle()",
        )
        .await;
    let stores = [home.store.clone(), second_node(&home).await];
    let seen = write_and_follow(&stores, &tenants, 8, 20).await;
    // Two readers of each tenant, one on each node.
    assert_eq!(seen.iter().map(|log| check(log)).sum::<usize>(), 2 * 160);
    assert_eq!((seen[0].len(), seen[1].len()), (seen[2].len(), seen[3].len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn change_waits_for_the_one_before_it() {
    let home = Home::postgres().await;
    let tenant = home.tenant().await;
    let other_node = second_node(&home).await;
    // A transaction that has taken its sequence and is not yet visible.
    let mut tx = home.store.begin(tenant).await.unwrap();
    change::append(&mut tx, &origin(), NOW, "metadata.changed", None, "{}".to_owned()).await.unwrap();
    let late = unit(tenant).item(create("late", 0)).build();
    let mut late = tokio::spawn(async move { other_node.commit(late).await });
    let mut raw = home.raw().await;
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    tokio::select! {
        answered = &mut late => panic!("it overtook the other: {answered:?}"),
        () = async { while raw.number(waiting).await == 0 { tokio::task::yield_now().await } } => {}
    }
    assert!(home.log(tenant).await.is_empty());
    tx.commit().await.unwrap();
    assert_eq!(committed(late.await.unwrap().unwrap()).sequence, Sequence(2));
    let kinds: Vec<_> = home.log(tenant).await.into_iter().map(|row| row.kind).collect();
    assert_eq!(kinds, ["metadata.changed", "record.created"]);
}

async fn reaches(signal: &mut watch::Receiver<i64>, position: i64) {
    let reached = async {
        while *signal.borrow_and_update() < position {
            signal.changed().await.unwrap()
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("a signal of the other node");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn signals_cross_nodes() {
    let home = Home::postgres().await;
    let tenants = [home.tenant().await, home.tenant().await];
    let node = second_node(&home).await;
    let mut signals = tenants.map(|tenant| node.subscribe(tenant));
    let mut any = node.subscribe_all();
    any.borrow_and_update();
    listens(&home, 2).await;
    for (tenant, position) in [(0, 1), (0, 2), (1, 1)] {
        home.done(unit(tenants[tenant]).item(create("x", 0))).await;
        reaches(&mut signals[tenant], position).await;
    }
    assert!(any.has_changed().unwrap());
}

/// Waits until so many nodes listen.
async fn listens(home: &Home, nodes: i64) -> Vec<i64> {
    let listening = "select pid::bigint from pg_stat_activity where datname = current_database() \
                     and query like 'LISTEN%' and state = 'idle'";
    let mut raw = home.raw().await;
    loop {
        let pids = raw.numbers(listening).await;
        if i64::try_from(pids.len()).unwrap() == nodes {
            return pids;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lost_listener_only_delays() {
    let home = Home::postgres().await;
    let tenant = home.tenant().await;
    let node = second_node(&home).await;
    let mut signal = node.subscribe(tenant);
    let first = listens(&home, 2).await;
    for pid in &first {
        home.raw().await.execute(&format!("select pg_terminate_backend({pid})")).await;
    }
    // What is written while nobody listens is told once they do again.
    home.done(unit(tenant).item(create("x", 0))).await;
    tokio::time::timeout(PATIENCE, signal.changed()).await.expect("a signal after the loss").unwrap();
    let again = listens(&home, 2).await;
    assert!(again.iter().all(|pid| !first.contains(pid)));
    home.done(unit(tenant).item(create("y", 0))).await;
    reaches(&mut signal, 2).await;
}
