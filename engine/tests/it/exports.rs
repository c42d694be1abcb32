//! Exports by the clock, and in whose hands they are.

use engine::exports::ExportFile;
use engine::model::TenantId;
use engine::{ErrorCode, Job, JobState, Session};
use engine_store::job_file;
use serde_json::json;

use crate::support::{Home, archive, create, map};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Exports all companies; the job once it has ended.
async fn export(session: &mut Session) -> Job {
    let request = map(json!({"object": "company", "format": "csv"}));
    let id = session.export_create(request, None).await.expect("an export").value.id.to_string();
    loop {
        let job = session.job(&id).await.expect("a job");
        if job.state.has_ended() {
            return job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn text(session: &Session, file: &ExportFile) -> String {
    let mut bytes = Vec::new();
    for part in 0.. {
        let Some(part) = session.export_part(file, part).await.expect("a part") else { break };
        bytes.extend(part);
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[tokio::test]
async fn files_can_be_fetched_for_a_day() {
    let home = Home::open().await;
    let mut session = home.session().await;
    create(&mut session, "company", json!({"name": "Acme, \"Ltd\""})).await;
    let job = export(&mut session).await;
    assert_eq!(job.state, JobState::Done);
    let file = session.export_file(&job.id.to_string()).await.expect("a file");
    assert_eq!(file.name, "company-2026-01-02.csv");
    let written = text(&session, &file).await;
    assert!(written.contains("\"Acme, \"\"Ltd\"\"\""), "{written}");
    assert_eq!(written.len() as u64, file.bytes);
    let store = home.store().await;
    let first_part = async || job_file::part(&mut store.read(TenantId(1)).await.expect("a reader"), job.id, 0).await;
    for (pause, is_there) in [(DAY - 1, true), (1, false)] {
        home.clock.advance(pause);
        let found = session.export_file(&job.id.to_string()).await;
        assert_eq!(found.is_ok(), is_there);
        if let Err(error) = found {
            assert_eq!(error.code, ErrorCode::Gone);
        }
        home.engine.forget_expired().await.expect("nothing in the way");
        assert_eq!(first_part().await.expect("a look").is_some(), is_there);
    }
    // The job itself stays.
    assert_eq!(session.job(&job.id.to_string()).await.expect("a job").state, JobState::Done);
}

#[tokio::test]
async fn any_node_gives_the_file() {
    let home = Home::open().await;
    let mut session = home.session().await;
    create(&mut session, "company", json!({"name": "Acme"})).await;
    let job = export(&mut session).await;
    let other = home.second_engine().await;
    let mut elsewhere = home.session_on(&other).await;
    let file = elsewhere.export_file(&job.id.to_string()).await.expect("a file");
    assert_eq!(text(&elsewhere, &file).await, text(&session, &file).await);
    other.close().await;
}

#[tokio::test]
async fn a_record_that_is_archived_meanwhile_is_not_in_it() {
    let home = Home::open().await;
    let mut session = home.session().await;
    create(&mut session, "company", json!({"name": "one"})).await;
    create(&mut session, "company", json!({"name": "two"})).await;
    archive(&mut session, "company", "1").await;
    let job = export(&mut session).await;
    let file = session.export_file(&job.id.to_string()).await.expect("a file");
    let written = text(&session, &file).await;
    assert_eq!(written.lines().count(), 2, "{written}");
}
