//! The server comes, answers, survives being stopped, and goes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use throwaway_postgres::{Cluster, Settings, database};

fn query(url: &str, statement: &str) -> String {
    let output = Command::new("psql").args(["-XAtc", statement, url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn database_has_an_owner_and_a_role_bound_by_row_security() {
    let database = database().unwrap();
    let rights = "select current_database() = split_part(current_user, '_', 1) || '_' || split_part(current_user, '_', 2), \
                  rolsuper, rolbypassrls from pg_roles where rolname = current_user";
    assert_eq!(query(database.url(), rights), "t|f|f");
    assert_eq!(query(database.migration_url(), rights), "t|f|f");
    assert_eq!(query(database.migration_url(), "create table t (id int); select count(*) from t"), "CREATE TABLE\n0");
    assert_eq!(query(database.superuser_url(), "select count(*) from t"), "0");
    assert_eq!(query(database.url(), "show fsync"), "on");
}

#[test]
fn dropped_database_is_gone_with_its_roles() {
    let (first, second) = (database().unwrap(), database().unwrap());
    let name = query(first.url(), "select current_database()");
    drop(first);
    let left = format!(
        "select (select count(*) from pg_database where datname = '{name}'), \
                        (select count(*) from pg_roles where rolname like '{name}%')"
    );
    assert_eq!(query(second.url(), &left), "0|0");
}

#[test]
fn stopped_server_comes_back_with_its_data_and_is_removed_in_the_end() {
    let cluster = Cluster::start(&Settings::default()).unwrap();
    let database = cluster.database().unwrap();
    query(database.migration_url(), "create table t as select 7 as n");
    cluster.stop().unwrap();
    assert!(cluster.database().is_err());
    cluster.resume().unwrap();
    assert_eq!(query(database.migration_url(), "select n from t"), "7");
    let (folder, pid) = (cluster.data_folder(), cluster.pid().unwrap());
    drop(database);
    drop(cluster);
    let began = Instant::now();
    while folder.exists() || Path::new(&format!("/proc/{pid}")).exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "{} is still there", folder.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}
