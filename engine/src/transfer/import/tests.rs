use std::sync::atomic::{AtomicI64, Ordering};

use engine_model::TenantId;
use engine_model::time::Timestamp;
use engine_store::commit::Origin;
use engine_store::{StoreConfig, job};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::clock::Clock;
use crate::engine::{Engine, EngineConfig};
use crate::exports::ExportBounds;
use crate::jobs::JobState;
use crate::records::{ListQuery, View};
use crate::tenants::NewTenant;
use crate::transfer::ImportRequest;

#[derive(Debug)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// An engine without a worker, and an import that waits for one.
struct Waiting {
    engine: Engine,
    clock: Arc<TestClock>,
    session: Session,
    tenant: TenantId,
    job: JobId,
    _folder: TempDir,
}

impl Waiting {
    async fn new(map: &str, file: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(TestClock(AtomicI64::new(1_780_000_000_000_000)));
        let store = StoreConfig::sqlite(&folder.path().join("test.db"));
        let (index_dir, clock_of) = (folder.path().join("index"), Arc::<TestClock>::clone(&clock));
        let exports = ExportBounds::within(folder.path());
        let config =
            EngineConfig { store, index_dir, clock: clock_of, packs: Vec::new(), exports, followers: Vec::new() };
        let engine = Engine::idle(config).await.expect("an engine");
        let new = NewTenant { slug: "test".to_owned(), ..NewTenant::default() };
        let (_, secret) = engine.tenant_create(new, None).await.expect("a tenant");
        let origin = Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
        let mut session = engine.session(&secret, origin).await.expect("a session");
        let site = json!({"name": "site", "properties": {
            "name": {"type": "string", "required": true},
            "code": {"type": "string", "unique": true},
        }});
        let Value::Object(site) = site else { unreachable!("an object") };
        session.object_define(site, None).await.expect("an object");
        let request = ImportRequest {
            object: "site".to_owned(),
            map: Some(map.to_owned()),
            format: Some(Format::Csv),
            ..ImportRequest::default()
        };
        let job = session.import_begin(request).await.expect("begun").id;
        session.import_part(job, 0, file.as_bytes().to_vec()).await.expect("taken");
        session.import_finish(job).await.expect("queued");
        let tenant = session.tenant();
        Self { engine, clock, session, tenant, job, _folder: folder }
    }

    /// Takes the job as a worker does; one that held it before has been silent for too long.
    async fn take(&self) -> Work {
        self.clock.0.fetch_add(31_000_000, Ordering::SeqCst);
        Work::take(&self.engine, self.tenant, self.job).await.expect("a store").expect("nobody holds it")
    }

    /// Sets the progress back to what it was, as if a process had ended before it was kept.
    async fn set_back(&self, progress: &Progress) {
        let (running, at) = (JobState::Running.as_str(), self.engine.now());
        let progress = json!(progress).to_string();
        let saved = job::save(self.engine.store(), self.tenant, self.job, running, running, &progress, at).await;
        assert!(saved.expect("a store"));
    }

    async fn names(&mut self) -> Vec<String> {
        let query = ListQuery { archived: false, limit: 200, cursor: None, view: View::default() };
        let page = self.session.record_list("site", &query).await.expect("a page");
        page.results.into_iter().map(|record| record.display_name).collect()
    }
}

const FILE: &str = "code,name\nA,North\nA,South\nB,\nC,West\n";

/// Runs an import to its end, twice from the same place; its progress after either.
async fn run_twice(waiting: &Waiting) -> [Progress; 2] {
    let mut first = waiting.take().await;
    let begin: Progress = first.progress().expect("progress");
    assert_eq!(run(&mut first).await.expect("runs"), Ending::Done);
    waiting.set_back(&begin).await;
    let mut second = waiting.take().await;
    assert_eq!(run(&mut second).await.expect("runs"), Ending::Done);
    [first.progress().expect("progress"), second.progress().expect("progress")]
}

#[tokio::test]
async fn a_chunk_without_a_key_happens_once_and_is_counted_as_it_happened() {
    let mut waiting = Waiting::new("columns: {code: name, name: code}", FILE).await;
    let [first, second] = run_twice(&waiting).await;
    assert_eq!((first.created, first.failed), (4, 0));
    assert_eq!(first, second);
    assert_eq!(waiting.names().await, ["A", "A", "B", "C"]);
    waiting.engine.close().await;
}

#[tokio::test]
async fn what_failed_in_a_chunk_that_happened_before_is_still_known() {
    let waiting = Waiting::new("{}", FILE).await;
    let [first, second] = run_twice(&waiting).await;
    assert_eq!((first.created, first.failed), (2, 2));
    assert_eq!(first.problems.iter().map(|error| error.row).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(first, second);
    waiting.engine.close().await;
}

#[tokio::test]
async fn a_chunk_with_a_key_changes_nothing_when_it_happens_again() {
    let mut waiting = Waiting::new("key: code", "code,name\nA,North\nC,West\n").await;
    let [first, second] = run_twice(&waiting).await;
    assert_eq!((first.created, first.unchanged), (2, 0));
    assert_eq!((second.created, second.unchanged), (0, 2));
    assert_eq!(waiting.names().await, ["North", "West"]);
    waiting.engine.close().await;
}

#[tokio::test]
async fn a_worker_whose_job_was_taken_over_or_cancelled_stops() {
    let mut waiting = Waiting::new("key: code", FILE).await;
    let mut slow = waiting.take().await;
    let mut next = waiting.take().await;
    assert_eq!(run(&mut slow).await.expect("runs"), Ending::Lost);
    waiting.session.job_cancel(&waiting.job.to_string()).await.expect("cancelled");
    // The input is gone, which is no end of the file.
    assert!(run(&mut next).await.is_err());
    next.finish(Err(Error::internal("the input is gone"))).await.expect("a store");
    assert_eq!(waiting.session.job(&waiting.job.to_string()).await.expect("a job").state, JobState::Cancelled);
    waiting.engine.close().await;
}
