//! How many single-record creates a second the group commit takes: `commit_rate [TASKS] [SECONDS] [STORE]`, where the
//! store is `sqlite` or `postgres`; both without it.
//!
//! Each create is a record of about 800 bytes with one unique value and one change, durable when it is answered.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "the load is made of tasks")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{TenantId, UserId};
use engine_store::commit::{Item, LogEntry, NewRecord, Origin, Outcome, RecordRef, UniqueValue, Unit, Write};
use engine_store::tenant::{self, TenantRow};
use engine_store::{Store, StoreConfig};
use uuid::{NoContext, Uuid};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let tasks = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let chosen = arguments.next();
    let is_chosen = |store: &str| chosen.as_deref().is_none_or(|chosen| chosen == store);
    if is_chosen("sqlite") {
        let folder = tempfile::tempdir()?;
        measure("sqlite", &StoreConfig::sqlite(&folder.path().join("rate.db")), tasks, seconds).await?;
    }
    if is_chosen("postgres") {
        let database = throwaway_postgres::database()?;
        let migration_url = Some(database.migration_url().to_owned());
        let config = StoreConfig { url: database.url().to_owned(), migration_url, connections: 16 };
        measure("postgres", &config, tasks, seconds).await?;
    }
    Ok(())
}

async fn measure(name: &str, config: &StoreConfig, tasks: usize, seconds: u64) -> Result<()> {
    let store = Store::open(config).await?;
    let tenant = make_tenant(&store).await?;
    let written = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let mut clients = Vec::with_capacity(tasks);
    for _ in 0..tasks {
        let (store, written) = (store.clone(), Arc::clone(&written));
        clients.push(tokio::spawn(async move { write_until(&store, tenant, &written, until).await }));
    }
    let mut waits = Vec::new();
    for client in clients {
        waits.extend(client.await??);
    }
    let rate = u128::from(written.load(Ordering::Relaxed)) * 1_000 / began.elapsed().as_millis().max(1);
    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default();
    println!("{name}: {rate} records/s with {tasks} tasks, p50 {:?}, p99 {:?}", at(50), at(99));
    store.close().await;
    Ok(())
}

async fn write_until(store: &Store, tenant: TenantId, written: &AtomicU64, until: Instant) -> Result<Vec<Duration>> {
    let mut waits = Vec::new();
    while Instant::now() < until {
        let began = Instant::now();
        let number = written.fetch_add(1, Ordering::Relaxed);
        match store.commit(create(tenant, number)).await? {
            Outcome::Committed(_) => waits.push(began.elapsed()),
            other => return Err(format!("not committed: {other:?}").into()),
        }
    }
    Ok(waits)
}

async fn make_tenant(store: &Store) -> Result<TenantId> {
    let settings = TenantRow {
        tenant_id: 0,
        slug: "rate".to_owned(),
        name: "Rate".to_owned(),
        profile: "generic".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: "USD".to_owned(),
        country: "US".to_owned(),
        capabilities: "{}".to_owned(),
        created_at: 0,
    };
    let tx = tenant::create(store, &settings, Timestamp(1)).await?.ok_or("the slug is taken")?;
    let tenant = tx.tenant();
    tx.commit().await?;
    Ok(tenant)
}

fn create(tenant: TenantId, number: u64) -> Unit {
    let at = 1_760_000_000_000_000 + i64::try_from(number).unwrap_or_default();
    let email = format!("contact-{number}@example.com");
    let properties = format!(
        r#"{{"first_name":"Ada","last_name":"Lovelace {number}","email":"{email}","phone":"+14165550{:04}","about":"{}"}}"#,
        number % 10_000,
        "analytical engine ".repeat(36)
    );
    let value = UniqueValue { object: "contact".to_owned(), properties: "email".to_owned(), value: email };
    let record = RecordRef::New(0);
    let changes = format!(r#"{{"first_name":[null,"Ada"],"last_name":[null,"Lovelace {number}"]}}"#);
    let log = LogEntry { kind: ChangeKind::RecordCreated, object: "contact".to_owned(), record, changes };
    let seconds = u64::try_from(at / 1_000_000).unwrap_or_default();
    let insert = NewRecord {
        uid: Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, 0)),
        object: "contact".to_owned(),
        properties,
        display_name: format!("Ada Lovelace {number}"),
        owner: None,
        team: None,
    };
    let origin = Origin {
        actor: Some(UserId(1)),
        source: "api".to_owned(),
        request_id: Some(format!("request-{number}")),
        ip: Some("127.0.0.1".to_owned()),
        user_agent: None,
    };
    Unit {
        tenant,
        metadata_version: 1,
        access_version: 1,
        origin: Arc::new(origin),
        at: Timestamp(at),
        items: vec![Item { writes: vec![Write::Insert(insert), Write::Claim(record, value), Write::Log(log)] }],
        is_atomic: true,
        idempotency: None,
    }
}
