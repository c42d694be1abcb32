//! The database goes away, or has no room: callers learn that it is unavailable, and all is well again afterwards.

use std::path::Path;
use std::process::{Command, Stdio};

use engine_model::TenantId;
use engine_store::{Result, Store, StoreConfig, StoreError, access, change, counter, record};
use throwaway_postgres::{Cluster, Settings};

use crate::build::{NOW, create, unit};
use crate::fixture::{Home, Place, committed, postgres_config};

/// One call of each way in.
async fn every_way(store: &Store, tenant: TenantId) -> Vec<(&'static str, Result<()>)> {
    let read = async {
        let mut reader = store.read(tenant).await?;
        record::list(&mut reader, "contact", false, 0, 10).await.map(drop)
    };
    let transact = async { store.begin(tenant).await?.commit().await.map(drop) };
    vec![
        ("commit", store.commit(unit(tenant).item(create("x", 0)).build()).await.map(drop)),
        ("read", read.await),
        ("transaction", transact.await),
        ("counter", counter::take(store, tenant, "n", 1).await.map(drop)),
        ("token", access::token_owner(store, "hash").await.map(drop)),
        ("ping", store.ping().await),
    ]
}

async fn all_work(store: &Store, tenant: TenantId) {
    for (way, result) in every_way(store, tenant).await {
        assert!(result.is_ok(), "{way}: {result:?}");
    }
}

#[tokio::test]
async fn stopped_server_is_unavailable_and_comes_back_without_reopening() {
    let cluster = Cluster::start(&Settings::default()).unwrap();
    let database = cluster.database().unwrap();
    let config = postgres_config(&database);
    let store = Store::open(&config).await.unwrap();
    let home = Home { store, config, place: Place::Database(database) };
    let tenant = home.tenant().await;
    all_work(&home.store, tenant).await;
    for round in 1..=2 {
        cluster.stop().unwrap();
        for (way, result) in every_way(&home.store, tenant).await {
            assert!(result.as_ref().is_err_and(StoreError::is_unavailable), "{way}: {result:?}");
        }
        cluster.resume().unwrap();
        // At once: what waits in the pool is known to be broken.
        all_work(&home.store, tenant).await;
        assert_eq!(home.log(tenant).await.len(), 1 + round);
    }
    // Signals of other nodes come again too.
    let node = Store::open(&home.config).await.unwrap();
    let mut signal = home.store.subscribe(tenant);
    signal.borrow_and_update();
    committed(node.commit(unit(tenant).item(create("elsewhere", 0)).build()).await.unwrap());
    while *signal.borrow_and_update() < 4 {
        signal.changed().await.unwrap();
    }
}

#[tokio::test]
async fn connections_that_were_cut_while_idle_are_replaced_unnoticed() {
    let home = Home::postgres().await;
    let tenant = home.tenant().await;
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
               where datname = current_database() and pid <> pg_backend_pid() and application_name = 'trellis'";
    let mut raw = home.raw().await;
    for _ in 0..3 {
        all_work(&home.store, tenant).await;
        assert!(raw.number(cut).await > 0);
        assert_eq!(home.reader(tenant).await.head().await.unwrap().last_record_id, home.log(tenant).await.len() as i64);
        raw.number(cut).await;
        counter::take(&home.store, tenant, "n", 1).await.unwrap();
        raw.number(cut).await;
        access::token_owner(&home.store, "hash").await.unwrap();
        raw.number(cut).await;
    }
}

#[tokio::test]
async fn connection_cut_within_a_transaction_is_unavailable_and_changes_nothing() {
    let home = Home::postgres().await;
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    assert_eq!(counter::next(&mut tx, "n").await.unwrap(), 1);
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
               where datname = current_database() and state = 'idle in transaction'";
    assert_eq!(home.raw().await.number(cut).await, 1);
    let lost = counter::next(&mut tx, "n").await;
    assert!(lost.as_ref().is_err_and(StoreError::is_unavailable), "{lost:?}");
    drop(tx);
    assert_eq!(counter::take(&home.store, tenant, "n", 1).await.unwrap(), 1);
    home.insert(unit(tenant).item(create("after", 0))).await;
}

#[tokio::test]
async fn lock_that_is_not_to_be_had_is_unavailable() {
    let place = Place::postgres();
    let mut config = place.config();
    config.url += "?options=-c%20lock_timeout%3D50ms";
    let store = Store::open(&config).await.unwrap();
    let home = Home { store, config, place };
    let tenant = home.tenant().await;
    let tx = home.store.begin(tenant).await.unwrap();
    let waited = home.store.commit(unit(tenant).item(create("late", 0)).build()).await;
    assert!(waited.as_ref().is_err_and(StoreError::is_unavailable), "{waited:?}");
    let waited = home.store.begin(tenant).await.map(drop);
    assert!(waited.as_ref().is_err_and(StoreError::is_unavailable), "{waited:?}");
    drop(tx);
    home.insert(unit(tenant).item(create("after", 0))).await;
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for() {
    let home = Home::sqlite().await;
    let tenant = home.tenant().await;
    let mut raw = home.raw().await;
    raw.execute("begin immediate; insert into counter values (1, 'other', 1)").await;
    let store = home.store.clone();
    let waiting = tokio::spawn(async move { store.commit(unit(tenant).item(create("x", 0)).build()).await });
    // Readers do not wait.
    assert!(home.log(tenant).await.is_empty());
    raw.execute("commit").await;
    committed(waiting.await.unwrap().unwrap());
}

/// Set in the process that runs out of room.
const ALONE: &str = "TRELLIS_TEST_FULL_DISK";

/// The limit on the size of files is the whole process's, and exceeding it is answered by a signal that only a parent
/// can have ignored, so the test runs itself in a process of its own.
#[tokio::test]
async fn full_disk_is_unavailable_until_there_is_room_again() {
    if std::env::var_os(ALONE).is_some() {
        return run_out_of_room().await;
    }
    let program = std::env::current_exe().unwrap();
    let name = "outage::full_disk_is_unavailable_until_there_is_room_again";
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

fn limit_files(bytes: &str) {
    let pid = std::process::id().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
}

async fn run_out_of_room() {
    let home = Home::sqlite().await;
    let tenant = home.tenant().await;
    let file = home.config.url.trim_start_matches("sqlite:").to_owned();
    let size = |suffix: &str| Path::new(&format!("{file}{suffix}")).metadata().map_or(0, |file| file.len());
    let mut written = 0;
    for round in 0..3 {
        limit_files(&(size("-wal").max(size("")) + 300_000).to_string());
        let long = "x".repeat(20_000);
        let refused = loop {
            assert!(written < 200, "there is always room");
            match home.store.commit(unit(tenant).item(create(&long, 0)).build()).await {
                Ok(outcome) => written += committed(outcome).inserted.len(),
                Err(error) => break error,
            }
        };
        assert!(refused.is_unavailable(), "{refused}");
        let again = home.store.commit(unit(tenant).item(create(&long, 0)).build()).await;
        assert!(again.as_ref().is_err_and(StoreError::is_unavailable), "{again:?}");
        // What is stored can be read, and what was refused is not there.
        assert_eq!(home.log(tenant).await.len(), written);

        limit_files("unlimited");
        home.insert(unit(tenant).item(create(&format!("after {round}"), 0))).await;
        written += 1;
        change::save_position(&home.store, tenant, "index", engine_model::Sequence(1), NOW).await.unwrap();
    }
    let log = home.log(tenant).await;
    let expected: Vec<i64> = (1..=i64::try_from(written).unwrap()).collect();
    assert_eq!(log.iter().map(|row| row.sequence).collect::<Vec<_>>(), expected);
    let mut raw = home.raw().await;
    assert_eq!(raw.numbers("select id from record order by id").await, expected);
    assert_eq!(raw.texts("pragma integrity_check").await, ["ok"]);
}

#[tokio::test]
async fn store_in_a_folder_that_is_not_there_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig::sqlite(&folder.path().join("missing").join("test.db"));
    let refused = Store::open(&config).await.map(drop);
    assert!(refused.as_ref().is_err_and(StoreError::is_unavailable), "{refused:?}");
}
