//! How fast indexes are made and how soon writes are seen, on the embedded store.
//!
//! `cargo run --release -p engine --example index_rate [records]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures, and tells what it measured"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use engine::exports::ExportBounds;
use engine::model::time::Timestamp;
use engine::model::{Sequence, TenantId};
use engine::records::{Mode, Operation, RecordInput, Step, Target};
use engine::{Clock, Engine, EngineConfig, NewTenant, Origin, Session, StoreConfig};
use serde_json::{Map, Value, json};

const BATCH: usize = 1_000;

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(since.as_micros()).unwrap())
    }
}

#[tokio::main]
async fn main() {
    let records = std::env::args().nth(1).map_or(100_000, |count| count.parse().unwrap());
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let engine = open(folder.path(), "one").await;
    let (tenant, secret) =
        engine.tenant_create(NewTenant { slug: "acme".to_owned(), ..NewTenant::default() }, None).await.unwrap();
    let mut session = session(&engine, &secret).await;
    define(&mut session).await;

    let began = Stretch::begin();
    for first in (0..records).step_by(BATCH) {
        let make = |number| Operation::Create { object: "person".to_owned(), input: input(&person(number, 1)) };
        execute(&mut session, (first..(first + BATCH).min(records)).map(make)).await;
    }
    println!("created and followed: {}", began.rate(records));
    reach(&engine, tenant.id, &session).await;
    println!("  all of it seen: {}\n  {}", began.rate(records), memory());
    println!("  {:?}", engine.index_status());

    one_at_a_time(&engine, tenant.id, &mut session, records).await;
    sustained(&engine, tenant.id, &secret, records).await;
    println!("  {:?}", engine.index_status());
    let began = Instant::now();
    engine.close().await;
    println!("closed: {:?}", began.elapsed());

    let engine = open(folder.path(), "other").await;
    let session = self::session(&engine, &secret).await;
    let began = Stretch::begin();
    reach(&engine, tenant.id, &session).await;
    println!("made anew: {}\n  {}", began.rate(records), memory());
    println!("  {:?}", engine.index_status());
    engine.close().await;
}

/// A hundred writes a second, each followed by a search.
async fn one_at_a_time(engine: &Engine, tenant: TenantId, session: &mut Session, records: usize) {
    for pause in [10, 2] {
        let (mut times, stretch) = (Vec::new(), Stretch::begin());
        let mut ticks = tokio::time::interval(Duration::from_millis(pause));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0..1_500 {
            ticks.tick().await;
            let (id, version) = (round * 7_919 % records + 1, round * 10 + usize::try_from(pause).unwrap());
            execute(session, [update(id, version)]).await;
            let began = Instant::now();
            reach(engine, tenant, session).await;
            times.push(began.elapsed());
        }
        println!("a write each {pause} ms is seen: {}; {}", percentiles(times), stretch.rate(1_500));
    }
}

/// Five thousand updates a second for half a minute, and searches meanwhile.
async fn sustained(engine: &Engine, tenant: TenantId, secret: &str, records: usize) {
    let mut writer = session(engine, secret).await;
    let reader = session(engine, secret).await;
    let mut written = 0_usize;
    let (began, stretch) = (Instant::now(), Stretch::begin());
    let write = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while began.elapsed() < Duration::from_secs(30) {
            ticks.tick().await;
            let ids = (0..100).map(|offset| (written + offset) * 7_919 % records + 1);
            execute(&mut writer, ids.map(|id| update(id, written)).collect::<Vec<_>>()).await;
            written += 100;
        }
    };
    let mut times = Vec::new();
    let search = async {
        while began.elapsed() < Duration::from_secs(29) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let began = Instant::now();
            reach(engine, tenant, &reader).await;
            times.push(began.elapsed());
        }
    };
    futures::join!(write, search);
    println!("updates: {}; seen: {}", stretch.rate(written), percentiles(times));
    println!("  {}", memory());
}

async fn reach(engine: &Engine, tenant: TenantId, session: &Session) {
    let head: Sequence = session.log_position().await.unwrap();
    while engine.search_view(tenant, head).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn execute(session: &mut Session, operations: impl IntoIterator<Item = Operation>) {
    let steps: Vec<Step> = operations.into_iter().map(Step::from).collect();
    for done in session.execute(&steps, Mode::Each, None).await.unwrap().value {
        done.unwrap();
    }
}

fn update(id: usize, version: usize) -> Operation {
    let input = input(&person(id, version));
    Operation::Update { object: "person".to_owned(), target: Target::id(id.to_string()), input, version: None }
}

async fn open(folder: &Path, name: &str) -> Engine {
    let store = StoreConfig::sqlite(&folder.join("test.db"));
    let (index_dir, clock) = (folder.join(name), Arc::new(SystemClock));
    let exports = ExportBounds::within(folder);
    let config = EngineConfig { store, index_dir, clock, packs: Vec::new(), exports, followers: Vec::new() };
    Engine::open(config).await.unwrap()
}

async fn session(engine: &Engine, secret: &str) -> Session {
    let origin = Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
    engine.session(secret, origin).await.unwrap()
}

async fn define(session: &mut Session) {
    let text = || json!({"type": "string"});
    let properties = json!({
        "first_name": text(), "last_name": text(), "company": text(), "job_title": text(), "city": text(),
        "street": text(), "postal_code": text(), "country": text(), "language": text(), "origin": text(),
        "email": {"type": "email"}, "phone": {"type": "phone"}, "website": {"type": "url"}, "about": {"type": "text"},
        "status": {"type": "enum", "options": ["new", "open", "won", "lost"]}, "score": {"type": "integer"},
        "revenue": {"type": "decimal", "scale": 2}, "rating": {"type": "decimal", "scale": 1},
        "birthday": {"type": "date"}, "last_seen": {"type": "datetime"}, "is_customer": {"type": "boolean"},
    });
    let body = Map::from_iter([("name".to_owned(), json!("person")), ("properties".to_owned(), properties)]);
    session.object_define(body, None).await.unwrap();
}

fn input(properties: &Value) -> RecordInput {
    RecordInput { properties: serde_json::from_value(properties.clone()).unwrap(), ..RecordInput::default() }
}

fn person(id: usize, version: usize) -> Value {
    let pick = |list: &[&str], step: usize| list[id / step % list.len()].to_owned();
    json!({
        "first_name": pick(&["Ada", "Grace", "Émile", "Łukasz", "Zoë", "Bob"], 1),
        "last_name": format!("Name{}", id % 20_000),
        "company": format!("Company {}", id % 35_000),
        "job_title": pick(&["Engineer", "Head of Sales", "Founder", "Buyer"], 3),
        "city": pick(&["Paris", "Wien", "Toronto", "Lagos", "Lima"], 7),
        "street": format!("{} Main Street", id % 999), "postal_code": format!("{:05}", id % 99_999),
        "country": pick(&["FR", "AT", "CA", "NG", "PE"], 7), "language": pick(&["fr", "de", "en"], 5),
        "origin": pick(&["web", "fair", "referral"], 11),
        "email": format!("person{id}@example.com"), "phone": format!("+1613555{:04}", id % 9_999),
        "website": format!("https://example.com/{id}"),
        "about": format!("met at the fair in year {version}, wants to hear from us about roofs number {}", id % 1_000),
        "status": pick(&["new", "open", "won", "lost"], 2), "score": (id * 7 + version) % 100_000,
        "revenue": format!("{}.{:02}", id * 13 % 1_000_000, version % 100), "rating": format!("{}.5", id % 5),
        "birthday": format!("19{:02}-0{}-1{}", id % 90 + 10, id % 9 + 1, id % 9),
        "last_seen": format!("2026-01-0{}T0{}:00:00Z", id % 9 + 1, version % 9), "is_customer": id.is_multiple_of(3),
    })
}

/// What was begun, on the clock and on the processors, which others may use too.
struct Stretch(Instant, f64);

impl Stretch {
    fn begin() -> Self {
        Self(Instant::now(), processor_seconds())
    }

    fn rate(&self, count: usize) -> String {
        let (took, used) = (self.0.elapsed(), processor_seconds() - self.1);
        let each = used * 1e6 / count as f64;
        format!(
            "{count} in {took:.1?}, {:.0} a second, {each:.0} us of processors each",
            count as f64 / took.as_secs_f64()
        )
    }
}

fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: f64| times[(times.len() as f64 * part) as usize];
    format!("p50 {:.1?}, p90 {:.1?}, p99 {:.1?}, most {:.1?}", at(0.5), at(0.9), at(0.99), times[times.len() - 1])
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = ["VmHWM", "VmRSS", "RssAnon", "Threads"];
    let lines = status.lines().filter(|line| wanted.iter().any(|name| line.starts_with(name)));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}
