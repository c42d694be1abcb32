//! The product: its release server, under load over HTTP from the same machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use throwaway_postgres::Cluster;
use tokio::runtime::Runtime;

use super::contact::{self, Form};
use super::load::{self, Action, BATCH, Case, Client, Outcome};
use super::usage::{self, Usage};
use super::wire::{Connection, request};
use super::{Effort, SERVE};
use crate::{Builder, Store, Tenant, TestServer};

/// The token of the tenant that a server makes on an empty store.
const FIRST_TOKEN: &str = "trl_the_first_token_of_the_benchmark_0123456789";

/// Ids to read from; more than fit any cache of prepared answers.
const IDS: usize = 20_000;

/// How often a property is added to each of the two objects.
const PROPERTIES: usize = 20;

/// Until a server that has just started is at rest.
const REST: Duration = Duration::from_secs(3);

/// A running server and how the cases reach it.
#[derive(Debug)]
pub(crate) struct Product {
    server: TestServer,
    tenant: Tenant,
    next: Arc<AtomicU64>,
    /// From starting the process to its first answer, on an empty store.
    pub(crate) first_answer: Duration,
    /// Once started and at rest.
    pub(crate) idle: Usage,
    database_pid: Option<u32>,
    runtime: Runtime,
}

/// What a case cost beside time.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) outcome: Outcome,
    pub(crate) server_cpu_seconds: f64,
    pub(crate) database_cpu_seconds: f64,
    pub(crate) peak_mib: f64,
}

/// What becomes of a server as its data grows.
#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) records: usize,
    pub(crate) seconds: f64,
    pub(crate) peak_mib: f64,
    pub(crate) database_bytes: u64,
    pub(crate) first_answer: Duration,
    pub(crate) property_few: Duration,
    pub(crate) property_many: Duration,
}

impl Product {
    pub(crate) fn start(store: Store, cluster: Option<&Cluster>) -> Result<Self> {
        // One thread: the client's processor time is the server's loss.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let builder = builder(store, cluster)?;
        let began = Instant::now();
        let server = runtime.block_on(builder.start());
        runtime.block_on(first_answer(&server, FIRST_TOKEN, "/tenant"))?;
        let first_answer = began.elapsed();
        std::thread::sleep(REST);
        let idle = usage::of(server.pid());
        let tenant = runtime.block_on(server.tenant("generic"));
        let database_pid = cluster.and_then(Cluster::pid);
        Ok(Self { server, tenant, next: Arc::default(), first_answer, idle, database_pid, runtime })
    }

    pub(crate) fn run(&mut self, case: Case, effort: Effort) -> Result<Measured> {
        let pid = self.server.pid();
        let clients = self.runtime.block_on(self.clients(case))?;
        usage::reset_peak(pid);
        let (before, database_before) = (usage::of(pid), self.database_cpu_seconds());
        let outcome = self.runtime.block_on(load::run(clients, case.action, effort))?;
        let after = usage::of(pid);
        Ok(Measured {
            outcome,
            server_cpu_seconds: after.cpu_seconds - before.cpu_seconds,
            database_cpu_seconds: self.database_cpu_seconds() - database_before,
            peak_mib: after.peak_mib,
        })
    }

    fn database_cpu_seconds(&self) -> f64 {
        self.database_pid.map_or(0.0, usage::cpu_seconds_with_children)
    }

    async fn clients(&self, case: Case) -> Result<Vec<Caller>> {
        let ids = match case.action {
            Action::Read => Arc::new(ids(&self.tenant, IDS).await?),
            Action::Create | Action::CreateBatch => Arc::default(),
        };
        let mut clients = Vec::with_capacity(case.clients);
        for index in 0..case.clients {
            let mut caller = Caller::open(&self.server, &self.tenant, case.action, &self.next).await?;
            caller.ids = Arc::clone(&ids);
            caller.position = index * 7919;
            clients.push(caller);
        }
        Ok(clients)
    }
}

/// One connection that does the same thing again and again.
struct Caller {
    connection: Connection,
    token: String,
    action: Action,
    next: Arc<AtomicU64>,
    ids: Arc<Vec<String>>,
    position: usize,
}

impl Caller {
    async fn open(server: &TestServer, tenant: &Tenant, action: Action, next: &Arc<AtomicU64>) -> Result<Self> {
        let connection = Connection::open(authority(server)).await?;
        let token = tenant.token().context("an owner has a token")?.to_owned();
        Ok(Self { connection, token, action, next: Arc::clone(next), ids: Arc::default(), position: 0 })
    }

    fn request(&mut self) -> (Vec<u8>, u16) {
        match self.action {
            Action::Create => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                let body = format!("{{\"properties\":{}}}", contact::properties(number, Form::Value));
                (request("POST", "/records/contact", &self.token, &body), 201)
            }
            Action::CreateBatch => {
                let first = self.next.fetch_add(BATCH, Ordering::Relaxed);
                let body = batch(first, BATCH);
                (request("POST", "/records/contact/batch/create", &self.token, &body), 207)
            }
            Action::Read => {
                // A stride without a common divisor visits every id in no order.
                self.position = (self.position + 10_007) % self.ids.len();
                let path = format!("/records/contact/{}", self.ids[self.position]);
                (request("GET", &path, &self.token, ""), 200)
            }
        }
    }
}

impl Client for Caller {
    async fn call(&mut self) -> Result<bool> {
        let (request, expected) = self.request();
        let reply = self.connection.call(&request).await?;
        // A batch answers 207 whatever came of its inputs.
        let is_whole = self.action != Action::CreateBatch || !contains(reply.body, b"\"error\"");
        Ok(reply.status == expected && is_whole)
    }
}

/// Fills a fresh server and looks at it again.
pub(crate) fn growth(store: Store, cluster: Option<&Cluster>, effort: Effort) -> Result<Growth> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let builder = builder(store, cluster)?;
    runtime.block_on(async {
        let mut server = builder.start().await;
        let (few, many) = (server.tenant("generic").await, server.tenant("generic").await);
        fill(&server, &few, 10, 1).await?;
        usage::reset_peak(server.pid());
        let began = Instant::now();
        fill(&server, &many, effort.records, 64).await?;
        let seconds = began.elapsed().as_secs_f64();
        let peak_mib = usage::of(server.pid()).peak_mib;
        let record = ids(&many, 1).await?.pop().context("a record was written")?;
        server.terminate().await;
        let database_bytes = database_bytes(&server).await?;
        let began = Instant::now();
        server.start().await;
        let token = many.token().context("an owner has a token")?;
        first_answer(&server, token, &format!("/records/contact/{record}")).await?;
        let first_answer = began.elapsed();
        let (property_few, property_many) = add_properties(&server, &few, &many).await?;
        Ok(Growth {
            records: effort.records,
            seconds,
            peak_mib,
            database_bytes,
            first_answer,
            property_few,
            property_many,
        })
    })
}

/// A server of this same program on a fresh store.
pub(crate) fn builder(store: Store, cluster: Option<&Cluster>) -> Result<Builder> {
    let builder = Builder::new(std::env::current_exe()?, store)
        .argument(SERVE)
        .environment("TRELLIS_FIRST_TENANT", "first")
        .environment("TRELLIS_FIRST_TOKEN", FIRST_TOKEN);
    Ok(match cluster {
        Some(cluster) => builder.database(cluster.database()?),
        None => builder,
    })
}

/// Reads `path` until it is there, on a connection of its own each time as a new user would.
async fn first_answer(server: &TestServer, token: &str, path: &str) -> Result<()> {
    let reply_status = {
        let mut connection = Connection::open(authority(server)).await?;
        connection.call(&request("GET", path, token, "")).await?.status
    };
    if reply_status != 200 {
        bail!("GET {path} answered {reply_status}\n{}", server.log());
    }
    Ok(())
}

/// Creates `count` contacts, one by one, by as many clients at once.
async fn fill(server: &TestServer, tenant: &Tenant, count: usize, clients: usize) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let mut caller = Caller::open(server, tenant, Action::Create, &next).await?;
        let next = Arc::clone(&next);
        tasks.spawn(async move {
            // Clients may overshoot by one each, which is nothing next to the count.
            while next.load(Ordering::Relaxed) < count as u64 {
                if !caller.call().await? {
                    bail!("a contact could not be created");
                }
            }
            Ok(())
        });
    }
    while let Some(joined) = tasks.join_next().await {
        joined??;
    }
    Ok(())
}

/// Median time to add a property to contacts, where there are few and where there are many, in turns.
async fn add_properties(server: &TestServer, few: &Tenant, many: &Tenant) -> Result<(Duration, Duration)> {
    let mut connection = Connection::open(authority(server)).await?;
    let (mut few_times, mut many_times) = (Vec::new(), Vec::new());
    for number in 0..PROPERTIES {
        let body = json!({"name": format!("added_{number}"), "label": "Added", "type": "string"}).to_string();
        for (tenant, times) in [(few, &mut few_times), (many, &mut many_times)] {
            let token = tenant.token().context("an owner has a token")?;
            let text = request("POST", "/object-definitions/contact/properties", token, &body);
            let began = Instant::now();
            let reply = connection.call(&text).await?;
            times.push(began.elapsed());
            if !matches!(reply.status, 200 | 201) {
                bail!("adding a property answered {}: {}", reply.status, String::from_utf8_lossy(reply.body));
            }
        }
    }
    Ok((median(few_times), median(many_times)))
}

/// Ids of up to `wanted` contacts.
async fn ids(tenant: &Tenant, wanted: usize) -> Result<Vec<String>> {
    let mut ids = Vec::with_capacity(wanted);
    let mut cursor = String::new();
    while ids.len() < wanted {
        let page = tenant.get(&format!("/records/contact?limit=200&select=email{cursor}")).await.ok(200);
        let records = page["results"].as_array().context("a list has results")?;
        ids.extend(records.iter().filter_map(|record| record["id"].as_str()).map(str::to_owned));
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    ids.truncate(wanted);
    Ok(ids)
}

async fn database_bytes(server: &TestServer) -> Result<u64> {
    let Some(database) = server.database() else { return Ok(usage::folder_bytes(&server.data_folder())) };
    let mut connection = PgConnection::connect(database.superuser_url()).await?;
    let size: i64 =
        sqlx::query_scalar("select pg_database_size(current_database())").fetch_one(&mut connection).await?;
    Ok(u64::try_from(size)?)
}

fn batch(first: u64, count: u64) -> String {
    let inputs =
        (first..first + count).map(|number| format!("{{\"properties\":{}}}", contact::properties(number, Form::Value)));
    format!("{{\"inputs\":[{}]}}", inputs.collect::<Vec<_>>().join(","))
}

fn authority(server: &TestServer) -> &str {
    server.address().trim_start_matches("http://")
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
