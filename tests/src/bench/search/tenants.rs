//! Many small tenants, of which a few are busy: what they hold in memory, and what a search of one costs that nobody has
//! asked for a while.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use throwaway_postgres::Cluster;

use super::super::histogram::Latencies;
use super::super::{product, usage};
use super::asker::Asker;
use super::ground::{create, prepare};
use super::question::{Question, questions};
use super::report::{Scene, SearchReport, Target};
use super::visibility::{Seen, Written};
use crate::{PLATFORM_TOKEN, Store, TestServer};

/// How many tenants, and how long the busy ones are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) tenants: usize,
    pub(super) records: u64,
    pub(super) busy: usize,
    pub(super) time: Duration,
}

/// Until a server that has just started is at rest.
const REST: Duration = Duration::from_secs(3);

/// What 1,000 small tenants may hold: 150 MB.
const MEMORY: Target = Target::AtMost(143.0);

/// One small tenant.
#[derive(Debug)]
struct Small {
    token: String,
    ids: Vec<u64>,
}

/// Makes all tenants, then searches each once, then keeps the busy ones busy.
pub(super) async fn measure(
    store: Store,
    cluster: Option<&Cluster>,
    size: Size,
    report: &mut SearchReport,
) -> Result<()> {
    let scene = Scene { store, records: size.records * size.tenants as u64 };
    let mut server = product::builder(store, cluster)?.start().await;
    let began = Instant::now();
    let mut tenants = Vec::with_capacity(size.tenants);
    for number in 0..size.tenants {
        tenants.push(make(&server, number, size.records).await?);
    }
    let made = began.elapsed().as_secs_f64();
    search_each(&server, &tenants, size, scene, "after loading", report).await?;
    report.figure(scene, &format!("{} tenants: made and filled in", size.tenants), made, "s", None);
    tell_memory(&server, scene, "tenants: memory after loading", report);
    server.terminate().await;
    server.start().await;
    tokio::time::sleep(REST).await;
    tell_memory(&server, scene, "tenants: memory after a restart", report);
    search_each(&server, &tenants, size, scene, "cold", report).await?;
    search_each(&server, &tenants, size, scene, "open", report).await?;
    tell_memory(&server, scene, "tenants: memory with all open", report);
    keep_busy(&server, &tenants, size, scene, report).await?;
    tell_memory(&server, scene, "tenants: memory after that", report);
    Ok(())
}

/// Makes and fills one tenant.
async fn make(server: &TestServer, number: usize, records: u64) -> Result<Small> {
    let mut asker = Asker::open(server, PLATFORM_TOKEN).await?;
    let body = json!({"slug": format!("small-{number}"), "name": "Small", "profile": "generic"});
    let reply = asker.expect(201, "POST", "/tenants", &body).await?;
    let token = reply["token"].as_str().context("a tenant comes with a token")?.to_owned();
    let companies = prepare(server, &token, records).await?;
    let mut asker = Asker::open(server, &token).await?;
    let ids = create(&mut asker, 0, records, &companies).await?;
    Ok(Small { token, ids })
}

/// Searches every tenant once.
async fn search_each(
    server: &TestServer,
    tenants: &[Small],
    size: Size,
    scene: Scene,
    when: &str,
    report: &mut SearchReport,
) -> Result<()> {
    let question = three_filters()?;
    let mut latencies = Latencies::new();
    for (number, tenant) in tenants.iter().enumerate() {
        let mut asker = Asker::open(server, &tenant.token).await?;
        let ask = (question.ask)(0);
        let answer = asker.ask(ask.method, &ask.path, &ask.body.to_string()).await?;
        latencies.record(answer.took);
        let wrong = match answer.status {
            200 => question.truth.refute(&serde_json::from_slice::<Value>(answer.body)?, 0, size.records),
            status => Some(format!("answered {status}: {}", answer.excerpt())),
        };
        if let Some(wrong) = wrong {
            report.problem(scene, &format!("search of tenant {number} {when}: {wrong}"));
        }
    }
    let mut tell = |name: &str, value| report.figure(scene, name, value, "ms", None);
    tell(&format!("tenants: search {when}, p50"), latencies.percentile_ms(50.0));
    tell(&format!("tenants: search {when}, p99"), latencies.percentile_ms(99.0));
    Ok(())
}

/// Writes to and searches the busy tenants in turn.
async fn keep_busy(
    server: &TestServer,
    tenants: &[Small],
    size: Size,
    scene: Scene,
    report: &mut SearchReport,
) -> Result<()> {
    let question = three_filters()?;
    let busy = tenants.get(..size.busy).context("there are more tenants than busy ones")?;
    let (mut searches, mut seen) = (Latencies::new(), Seen::new());
    let (mut most_memory, mut most_writers) = (0.0, None::<f64>);
    let (began, mut looked) = (Instant::now(), Instant::now());
    for (turn, tenant) in busy.iter().cycle().enumerate() {
        if began.elapsed() >= size.time {
            break;
        }
        let mut asker = Asker::open(server, &tenant.token).await?;
        write(&mut asker, tenant, turn, &mut seen).await?;
        let ask = (question.ask)(turn as u64);
        let answer = asker.ask(ask.method, &ask.path, &ask.body.to_string()).await?;
        searches.record(answer.took);
        if looked.elapsed() >= Duration::from_secs(1) {
            looked = Instant::now();
            most_memory = f64::max(most_memory, usage::of(server.pid()).resident_mib);
            let writers = server.metric("search_index_writers").await;
            most_writers = most_writers.map_or(writers, |most| Some(most.max(writers.unwrap_or_default())));
        }
    }
    let mut tell = |name: &str, value| report.figure(scene, name, value, "ms", None);
    tell("busy tenants: search, p50", searches.percentile_ms(50.0));
    tell("busy tenants: search, p99", searches.percentile_ms(99.0));
    tell("busy tenants: a write is found, p50", seen.visible.percentile_ms(50.0));
    tell("busy tenants: a write is found, p99", seen.visible.percentile_ms(99.0));
    report.figure(scene, "busy tenants: most memory, RSS", most_memory, "MiB", Some(MEMORY));
    match most_writers {
        Some(writers) => report.figure(scene, "busy tenants: most open writers", writers, "writers", None),
        None => report.problem(scene, "busy tenants: /metrics does not say how many writers are open"),
    }
    seen.tell(scene, "busy tenants", report);
    Ok(())
}

/// Changes one contact and waits until a search finds the change.
async fn write(asker: &mut Asker, tenant: &Small, turn: usize, seen: &mut Seen) -> Result<()> {
    let id = *tenant.ids.get(turn % tenant.ids.len().max(1)).context("a tenant has contacts")?;
    let value = format!("busy {turn}");
    let body = json!({"properties": {"lead_source": value}});
    let path = format!("/records/contact/{id}");
    asker.expect(200, "PATCH", &path, &body).await?;
    seen.look_for(asker, &Written { id, property: "lead_source", value, at: Instant::now() }).await
}

fn tell_memory(server: &TestServer, scene: Scene, name: &str, report: &mut SearchReport) {
    let usage = usage::of(server.pid());
    report.figure(scene, &format!("{name}, RSS"), usage.resident_mib, "MiB", Some(MEMORY));
    report.figure(scene, &format!("{name}, anonymous"), usage.anonymous_mib, "MiB", None);
}

fn three_filters() -> Result<Question> {
    questions().into_iter().next().context("there are questions")
}
