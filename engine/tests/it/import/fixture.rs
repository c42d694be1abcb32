//! A tenant with definitions of its own, and imports into it.

use std::time::Duration;

use engine::model::{JobId, Sequence};
use engine::records::{ListQuery, Record, View};
use engine::transfer::{Format, ImportRequest, MAX_PART, Progress};
use engine::{ChangeQuery, Engine, Job, JobState, NewToken, Origin, Session};
use serde_json::{Map, Value, json};

use crate::support::Home;

/// An engine with one tenant, and the token of its owner.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) secret: String,
}

/// A session on `engine`, for one request of its own.
pub(crate) async fn session_on(engine: &Engine, secret: &str) -> Session {
    let request_id = Some("request-1".to_owned());
    let origin = Origin { actor: None, source: "api".to_owned(), request_id, ip: None, user_agent: None };
    engine.session(secret, origin).await.expect("a session")
}

impl World {
    /// A tenant of the profile.
    pub(crate) async fn new(profile: &str) -> Self {
        let home = Home::with_profile(profile).await;
        let mut owner = home.session().await;
        let user = Some(owner.caller.user.to_string());
        let new = NewToken { name: "imports".to_owned(), user, ..NewToken::default() };
        let (_, secret) = owner.token_create(new, None).await.expect("a token").value;
        Self { home, secret }
    }

    /// A tenant with the objects `site` and `visit` of its own.
    pub(crate) async fn with_sites() -> Self {
        let world = Self::new("generic").await;
        let mut session = world.session().await;
        for body in [
            json!({"name": "site", "properties": {
                "name": {"type": "string", "required": true},
                "code": {"type": "string", "unique": true},
                "parent_code": {"type": "string"},
                "area": {"type": "decimal", "scale": 2, "minimum": 0},
                "opened_on": {"type": "date"},
                "slug": {"type": "string", "unique": true},
            }}),
            json!({"name": "visit", "properties": {
                "title": {"type": "string", "required": true},
                "number": {"type": "auto_number", "pattern": "V-{000}"},
            }}),
        ] {
            session.object_define(object(body), None).await.expect("an object");
        }
        for body in [
            json!({"name": "visit_site", "from": "visit", "to": "site", "cardinality": "many_to_one"}),
            json!({"name": "site_parent", "from": "site", "to": "site", "cardinality": "many_to_one"}),
            json!({"name": "site_twin", "from": "site", "to": "site", "cardinality": "one_to_one"}),
        ] {
            session.association_define(object(body), None).await.expect("an association");
        }
        world
    }

    pub(crate) async fn session(&self) -> Session {
        self.session_as(&self.secret).await
    }

    pub(crate) async fn session_as(&self, secret: &str) -> Session {
        session_on(&self.home.engine, secret).await
    }

    /// Imports a text and waits for the end.
    pub(crate) async fn import(&self, request: ImportRequest, text: &str) -> Job {
        let mut session = self.session().await;
        let job = upload(&mut session, request, text.as_bytes()).await;
        ended(&mut session, job).await
    }

    /// Imports CSV by a map and gives its counts.
    pub(crate) async fn import_csv(&self, object: &str, map: &str, text: &str) -> Progress {
        done(self.import(request(object, map, Format::Csv), text).await)
    }

    /// Where the change log stands.
    pub(crate) async fn position(&self) -> Sequence {
        let mut session = self.session().await;
        let mut after = Sequence(0);
        loop {
            let query = ChangeQuery { after, object: None, limit: 500, wait: Duration::ZERO };
            let changes = session.changes(&query).await.expect("changes");
            after = changes.position;
            if !changes.has_more {
                return after;
            }
        }
    }

    /// All records of an object, by id.
    pub(crate) async fn records(&self, object: &str) -> Vec<Record> {
        all_records(&mut self.session().await, object).await
    }
}

/// All records of an object, by id.
pub(crate) async fn all_records(session: &mut Session, object: &str) -> Vec<Record> {
    let mut records = Vec::new();
    let mut query = ListQuery { archived: false, limit: 200, cursor: None, view: View::default() };
    loop {
        let page = session.record_list(object, &query).await.expect("a page");
        records.extend(page.results);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return records;
        }
    }
}

/// A record's properties.
pub(crate) fn values(record: &Record) -> Value {
    serde_json::from_str(record.properties.get()).expect("JSON")
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("no object: {value}") };
    map
}

pub(crate) fn request(object: &str, map: &str, format: Format) -> ImportRequest {
    ImportRequest {
        object: object.to_owned(),
        map: (!map.is_empty()).then(|| map.to_owned()),
        format: Some(format),
        ..ImportRequest::default()
    }
}

/// Sends a file whole.
pub(crate) async fn upload(session: &mut Session, request: ImportRequest, bytes: &[u8]) -> JobId {
    let job = session.import_begin(request).await.expect("an import");
    assert_eq!(job.state, JobState::Uploading);
    for (number, part) in bytes.chunks(MAX_PART).enumerate() {
        session.import_part(job.id, number as u64, part.to_vec()).await.expect("taken");
    }
    session.import_finish(job.id).await.expect("queued").id
}

/// Waits until a job has ended. The engine works in the background, so its state is looked at again and again.
pub(crate) async fn ended(session: &mut Session, id: JobId) -> Job {
    let look = async {
        loop {
            let job = session.job(&id.to_string()).await.expect("a job");
            if job.state.has_ended() {
                return job;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(300), look).await.expect("the job ends")
}

/// The progress of a job that came to its end.
pub(crate) fn done(job: Job) -> Progress {
    assert_eq!(job.state, JobState::Done, "{}", Value::Object(job.progress));
    serde_json::from_value(Value::Object(job.progress)).expect("progress")
}

/// Created, updated, unchanged, skipped, failed.
pub(crate) fn counts(progress: &Progress) -> [u64; 5] {
    [progress.created, progress.updated, progress.unchanged, progress.skipped, progress.failed]
}

/// The code, text and list of problems by which a job failed.
pub(crate) fn failure(job: &Job) -> (String, String, Vec<String>) {
    assert_eq!(job.state, JobState::Failed);
    let error = &job.progress["error"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let problems = error["problems"].as_array().expect("a list");
    (text(&error["code"]), text(&error["detail"]), problems.iter().map(|problem| text(&problem["message"])).collect())
}
