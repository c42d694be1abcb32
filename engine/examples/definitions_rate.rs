//! What the definitions of a tenant with ten packs and 200 objects cost: read and folded, and as they are kept.
//!
//! `cargo run --release -p engine --example definitions_rate`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures, and tells what it measured"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use engine::exports::ExportBounds;
use engine::model::time::Timestamp;
use engine::packs::{Consent, PackSource};
use engine::{Clock, Engine, EngineConfig, NewTenant, Origin, Session, StoreConfig};
use serde_json::{Map, Value, json};

/// Beside those of the profile.
const PACKS: usize = 10;
const OBJECTS: usize = 20;
const PROPERTIES: usize = 12;

/// That of the server.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let engine = open(folder.path(), "one").await;
    let secret = tenant(&engine, "one").await;
    // With the same packs, and a property of its own, so that nothing but the packs is shared.
    let other = tenant(&engine, "other").await;
    engine.close().await;

    let (mut cold, mut folded, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..10 {
        let engine = open(folder.path(), &format!("cold{turn}")).await;
        let began = Instant::now();
        let read = session(&engine, &secret).await;
        cold.push(began.elapsed());
        assert!(read.catalog.objects().count() >= PACKS * OBJECTS);
        let began = Instant::now();
        session(&engine, &other).await;
        folded.push(began.elapsed());
        let began = Instant::now();
        for _ in 0..10_000 {
            session(&engine, &secret).await;
        }
        kept.push(began.elapsed() / 10_000);
        engine.close().await;
    }
    cold.sort_unstable();
    folded.sort_unstable();
    kept.sort_unstable();
    println!("{PACKS} packs with {OBJECTS} objects of {PROPERTIES} properties, an own layer, and those of the profile");
    println!("a session whose definitions have to be read and folded: {:?} (longest {:?})", cold[5], cold[9]);
    println!("the same of another tenant with these packs: {:?} (longest {:?})", folded[5], folded[9]);
    println!("a session whose definitions are kept: {:?} (longest {:?})", kept[5], kept[9]);
}

async fn tenant(engine: &Engine, slug: &str) -> String {
    let new = NewTenant { slug: slug.to_owned(), ..NewTenant::default() };
    let (_, secret) = engine.tenant_create(new, None).await.unwrap();
    let mut owner = session(engine, &secret).await;
    for number in 0..PACKS {
        let source = PackSource::Files(vec![("pack.yaml".to_owned(), pack(number))]);
        let plan = owner.pack_plan(source, &BTreeMap::new(), &BTreeMap::new()).await.unwrap();
        owner.pack_apply(&plan.id, &Consent::default()).await.unwrap();
    }
    let own = json!({"name": format!("mine_{slug}"), "type": "string"});
    owner.property_add("thing_0_0", map(own), None).await.unwrap();
    secret
}

fn pack(number: usize) -> String {
    let mut text = format!("pack: pack_{number}\nversion: 1.0.0\nobjects:\n");
    for object in 0..OBJECTS {
        write!(text, "  thing_{number}_{object}:\n    plural: things_{number}_{object}\n    properties:\n").unwrap();
        for property in 0..PROPERTIES {
            let kind = ["string", "integer", "{currency}", "date"][property % 4];
            let spec = match kind {
                "{currency}" => "{type: money, currency: EUR}".to_owned(),
                kind => format!("{{type: {kind}}}"),
            };
            writeln!(text, "      p{property}: {spec}").unwrap();
        }
    }
    text
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

async fn open(folder: &Path, name: &str) -> Engine {
    let config = EngineConfig {
        store: StoreConfig::sqlite(&folder.join("data.db")),
        index_dir: folder.join(name),
        clock: Arc::new(SystemClock),
        packs: Vec::new(),
        exports: ExportBounds::within(folder),
        followers: Vec::new(),
    };
    Engine::open(config).await.unwrap()
}

async fn session(engine: &Engine, secret: &str) -> Session {
    let origin = Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
    engine.session(secret, origin).await.unwrap()
}
