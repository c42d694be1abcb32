//! The database goes, the disk is full: 503, and then all is well again without a restart.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Client, Store, Tenant};
use throwaway_postgres::{Cluster, Settings};

use crate::fixture::{all_records, builder, changes_after, create};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn lost_postgres_is_unavailable_and_comes_back_without_a_restart() {
    let cluster = Cluster::start(&Settings::default()).unwrap();
    let server = builder(Store::Postgres).database(cluster.database().unwrap()).start().await;
    let tenant = server.tenant("generic").await;
    create(&tenant, "company", json!({"name": "Before"})).await;
    for round in 0..3 {
        cluster.stop().unwrap();
        let began = Instant::now();
        let body = json!({"properties": {"name": format!("During {round}")}});
        tenant.post("/records/company", &body).await.problem(503, "unavailable");
        tenant.get("/records/company").await.problem(503, "unavailable");
        tenant
            .post("/object-definitions/company/properties", &json!({"name": "x", "type": "text", "label": "X"}))
            .await
            .problem(503, "unavailable");
        assert!(began.elapsed() < Duration::from_secs(30), "an outage is answered soon: {:?}", began.elapsed());
        assert_eq!(tenant.at_root().get("/healthz").await.status, 200, "the process is alive");
        assert_eq!(tenant.at_root().get("/readyz").await.status, 503, "and not ready");
        cluster.resume().unwrap();
        recover(&tenant, &format!("After {round}")).await;
        assert_eq!(tenant.at_root().get("/readyz").await.status, 200);
    }
    let names: Vec<Value> =
        all_records(&tenant, "company").await.iter().map(|record| record["display_name"].clone()).collect();
    assert_eq!(names, ["Before", "After 0", "After 1", "After 2"]);
    assert_eq!(changes_after(&tenant, 0).await.iter().filter(|change| change["kind"] == "record.created").count(), 4);
}

#[tokio::test]
async fn connections_cut_by_the_database_are_replaced() {
    let server = builder(Store::Postgres).start().await;
    let tenant = server.tenant("generic").await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    for round in 0..3 {
        create(&tenant, "company", json!({"name": format!("Company {round}")})).await;
        let output =
            Command::new("psql").args(["-XAtqc", cut, server.database().unwrap().superuser_url()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        recover(&tenant, &format!("Next {round}")).await;
    }
    assert_eq!(all_records(&tenant, "company").await.len(), 6);
}

#[tokio::test]
async fn full_disk_is_unavailable_until_there_is_room_again() {
    let Some(disk) = SmallDisk::mount() else {
        assert!(
            std::env::var_os("CI").is_none() || !is_root(),
            "a small disk could not be mounted, and CI must not skip this"
        );
        eprintln!("SKIPPED: a full disk can only be tried by root, who may mount a small one");
        return;
    };
    let server = builder(Store::Sqlite).folder_in(&disk.path).start().await;
    let tenant = server.tenant("generic").await;
    create(&tenant, "company", json!({"name": "Before"})).await;
    let ballast = disk.path.join("ballast");
    let ballast = Ballast::fill(&ballast);
    let filler = "x".repeat(200_000);
    let mut acknowledged = 0;
    let refused = loop {
        assert!(acknowledged < 200, "the disk does not fill");
        let body = json!({"properties": {"name": format!("Filler {acknowledged}"), "description": filler}});
        let reply = tenant.post("/records/company", &body).await;
        if reply.status != 201 {
            break reply;
        }
        acknowledged += 1;
    };
    refused.problem(503, "unavailable");
    tenant
        .post("/records/company", &json!({"properties": {"name": "Refused", "description": filler}}))
        .await
        .problem(503, "unavailable");
    assert_eq!(tenant.get("/records/company?limit=1").await.status, 200, "what is stored can be read");
    drop(ballast);
    recover(&tenant, "After").await;
    let records = all_records(&tenant, "company").await;
    assert_eq!(records.len(), acknowledged + 2, "what was refused is not there");
    assert_eq!(
        changes_after(&tenant, 0).await.iter().filter(|change| change["kind"] == "record.created").count(),
        acknowledged + 2
    );
}

/// Writes until the server takes it, which must be soon; only 503 may come before.
async fn recover(tenant: &Tenant, name: &str) {
    let client: &Client = tenant;
    let began = Instant::now();
    loop {
        let reply = client.post("/records/company", &json!({"properties": {"name": name}})).await;
        if reply.status == 201 {
            return;
        }
        reply.problem(503, "unavailable");
        assert!(began.elapsed() < PATIENCE, "no recovery");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A file system of its own in memory, small enough to be filled.
struct SmallDisk {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_path_buf();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"]).arg(&path).output().ok()?;
        mount.status.success().then_some(Self { path, _folder: folder })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server's files may still be open where a test has failed.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A file that takes what room there is, but for a few megabytes.
struct Ballast(PathBuf);

impl Ballast {
    fn fill(path: &Path) -> Self {
        let free = Command::new("df").args(["-k", "--output=avail"]).arg(path.parent().unwrap()).output().unwrap();
        let free = String::from_utf8(free.stdout).unwrap();
        let free: usize = free.lines().last().unwrap().trim().parse().unwrap();
        std::fs::write(path, vec![0; (free * 1024).saturating_sub(3 * 1024 * 1024)]).unwrap();
        Self(path.to_owned())
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0\n")
}
