//! A server with one large tenant: 25 properties on each contact, one contact in ten with a company.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use throwaway_postgres::Cluster;
use tokio::task::JoinSet;

use super::super::{product, usage};
use super::asker::Asker;
use super::person::{Person, word};
use crate::{Store, TestServer};

/// Contacts in one request.
const BATCH: u64 = 500;
/// Requests under way at a time.
const CLIENTS: usize = 4;
/// One contact in so many has a company.
const WITH_COMPANY: u64 = 10;
/// What companies do; the first is searched for.
pub(super) const INDUSTRIES: [&str; 12] = [
    "construction",
    "banking",
    "farming",
    "logistics",
    "health care",
    "retail",
    "software",
    "energy",
    "education",
    "tourism",
    "printing",
    "mining",
];
/// How often a search that is not answered is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// A server, its large tenant, and the ids of that one's contacts by number.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) server: TestServer,
    token: String,
    pub(super) ids: Arc<Vec<u64>>,
}

/// What writing all contacts took.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) seconds: f64,
    /// From the last answer to a search that has seen everything.
    pub(super) seen_after: Duration,
    /// What searches were answered until then, with their numbers.
    pub(super) others: BTreeMap<String, u64>,
    pub(super) peak_mib: f64,
    /// Processor seconds of the server until then.
    pub(super) cpu_seconds: f64,
}

impl Ground {
    /// Starts a server on a fresh store and fills it.
    pub(super) async fn fill(store: Store, cluster: Option<&Cluster>, records: u64) -> Result<(Self, Loaded)> {
        let server = product::builder(store, cluster)?.start().await;
        let token = server.tenant("generic").await.token().context("an owner has a token")?.to_owned();
        let companies = Arc::new(prepare(&server, &token, records).await?);
        usage::reset_peak(server.pid());
        let before = usage::of(server.pid()).cpu_seconds;
        let began = Instant::now();
        let ids = Arc::new(contacts(&server, &token, records, &companies).await?);
        let seconds = began.elapsed().as_secs_f64();
        let ground = Self { server, token, ids };
        let began = Instant::now();
        let others = ground.wait_until_all_is_seen().await?;
        let seen_after = began.elapsed();
        let after = usage::of(ground.server.pid());
        let cpu_seconds = after.cpu_seconds - before;
        Ok((ground, Loaded { seconds, seen_after, others, peak_mib: after.peak_mib, cpu_seconds }))
    }

    /// Where the indexes of all tenants are.
    pub(super) fn index_folder(&self) -> PathBuf {
        self.server.data_folder().join("index")
    }

    fn records(&self) -> u64 {
        self.ids.len() as u64
    }

    pub(super) async fn asker(&self) -> Result<Asker> {
        Asker::open(&self.server, &self.token).await
    }

    /// Starts the server again; `between` is called while it does not run.
    pub(super) async fn restart(&mut self, between: impl FnOnce(&TestServer) -> Result<()>) -> Result<()> {
        let status = self.server.terminate().await;
        if !status.success() {
            bail!("the server ended with {status}\n{}", self.server.log());
        }
        between(&self.server)?;
        self.server.start().await;
        Ok(())
    }

    /// Asks for the number of contacts until it is right; what other answers there were comes back, with their numbers.
    pub(super) async fn wait_until_all_is_seen(&self) -> Result<BTreeMap<String, u64>> {
        /// Far longer than building the largest index takes.
        const PATIENCE: Duration = Duration::from_secs(1_800);
        let mut asker = self.asker().await?;
        let mut others: BTreeMap<String, u64> = BTreeMap::new();
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let (status, reply) =
                asker.json("POST", "/records/contact/search", &json!({"limit": 0, "count": true})).await?;
            let other = match (status, reply["total"].as_u64()) {
                (200, Some(total)) if total == self.records() => return Ok(others),
                (200, Some(_)) => "200 with a wrong number".to_owned(),
                (status, _) => format!("{status} {}", words(reply["detail"].as_str().unwrap_or_default())),
            };
            if !others.contains_key(&other) {
                eprintln!("waiting for searches: {other}");
            }
            *others.entry(other).or_default() += 1;
            tokio::time::sleep(AGAIN).await;
        }
        bail!("searches do not see all {} contacts: {others:?}", self.records());
    }
}

/// A text without its numbers, so that the same message with another one is the same.
fn words(text: &str) -> String {
    let is_number = |part: &&str| part.starts_with(|first: char| first.is_ascii_digit());
    text.split(' ').filter(|part| !is_number(part)).collect::<Vec<_>>().join(" ")
}

/// Defines what the shipped contact lacks, and makes the companies; their ids.
pub(super) async fn prepare(server: &TestServer, token: &str, records: u64) -> Result<Vec<String>> {
    let mut asker = Asker::open(server, token).await?;
    for property in [
        json!({"name": "employer", "label": "Employer", "type": "string", "searchable": true}),
        json!({"name": "region", "label": "Region", "type": "enum",
            "options": ["north", "east", "south", "west", "coast", "abroad"]}),
        json!({"name": "joined_on", "label": "Joined on", "type": "date"}),
        json!({"name": "about", "label": "About", "type": "text", "searchable": true}),
    ] {
        asker.expect(201, "POST", "/object-definitions/contact/properties", &property).await?;
    }
    companies(&mut asker, (records / 100).clamp(10, 10_000)).await
}

async fn companies(asker: &mut Asker, count: u64) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    let all: Vec<u64> = (0..count).collect();
    for numbers in all.chunks(500) {
        let inputs: Vec<Value> = numbers.iter().map(|number| json!({"properties": company(*number)})).collect();
        let reply = asker.expect(207, "POST", "/records/company/batch/create", &json!({"inputs": inputs})).await?;
        let results = reply["results"].as_array().context("a batch has results")?;
        ids.extend(results.iter().filter_map(|result| result["record"]["id"].as_str()).map(str::to_owned));
    }
    if ids.len() as u64 != count {
        bail!("{} of {count} companies could be made", ids.len());
    }
    Ok(ids)
}

fn company(number: u64) -> Value {
    let rank = usize::try_from(number).unwrap_or_default();
    json!({"name": format!("{} {number}", word(rank)), "industry": INDUSTRIES[rank % INDUSTRIES.len()],
        "employee_count": number % 500, "company_size": "small"})
}

/// Creates all contacts and gives their ids by number.
async fn contacts(server: &TestServer, token: &str, records: u64, companies: &Arc<Vec<String>>) -> Result<Vec<u64>> {
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        let mut asker = Asker::open(server, token).await?;
        let (next, companies) = (Arc::clone(&next), Arc::clone(companies));
        tasks.spawn(async move {
            let mut made = Vec::new();
            loop {
                let first = next.fetch_add(BATCH, Ordering::Relaxed);
                if first >= records {
                    return anyhow::Ok(made);
                }
                let last = (first + BATCH).min(records);
                made.push((first, create(&mut asker, first, last, &companies).await?));
            }
        });
    }
    let mut ids = vec![0; usize::try_from(records)?];
    while let Some(joined) = tasks.join_next().await {
        for (first, made) in joined?? {
            let first = usize::try_from(first)?;
            ids[first..first + made.len()].copy_from_slice(&made);
        }
    }
    Ok(ids)
}

/// Creates the contacts from `first` to before `last` in one request.
pub(super) async fn create(asker: &mut Asker, first: u64, last: u64, companies: &[String]) -> Result<Vec<u64>> {
    let answer = asker.ask("POST", "/records/contact/batch/create", &batch(first, last, companies)).await?;
    let ids = ids(answer.body);
    if answer.status != 207 || ids.len() as u64 != last - first {
        bail!("creating contacts answered {} with {} records: {}", answer.status, ids.len(), answer.excerpt());
    }
    Ok(ids)
}

fn batch(first: u64, last: u64, companies: &[String]) -> String {
    let input = |number: u64| {
        let properties = Person::new(number).properties();
        let link = number.is_multiple_of(WITH_COMPANY).then(|| {
            let company = usize::try_from(number / WITH_COMPANY).unwrap_or_default();
            companies.get(company % companies.len().max(1))
        });
        match link.flatten() {
            Some(to) => format!(
                "{{\"properties\":{properties},\"associations\":[{{\"type\":\"contact_company\",\"to\":\"{to}\"}}]}}"
            ),
            None => format!("{{\"properties\":{properties}}}"),
        }
    };
    format!("{{\"inputs\":[{}]}}", (first..last).map(input).collect::<Vec<_>>().join(","))
}

/// The ids of the records in a batch's reply; reading all of it as JSON would cost the server processor time.
fn ids(body: &[u8]) -> Vec<u64> {
    const BEFORE: &str = "\"record\":{\"id\":\"";
    let text = String::from_utf8_lossy(body);
    let id = |rest: &str| rest.split('"').next().and_then(|id| id.parse().ok());
    text.split(BEFORE).skip(1).filter_map(id).collect()
}
