//! `trellis doctor`: looks at what usually is in the way of a server, and compares search indexes with the store.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::setting_flags::ConfigFlags;
use super::upkeep::Tenant;
use super::{output, upkeep};
use crate::config::Config;

/// What findings are about.
const INDEX: &str = "search index";
const INDEXES: &str = "search indexes";
/// Differences of one index that are told.
const TOLD: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    flags: ConfigFlags,
    /// Answer in JSON, for machines.
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    detail: String,
    /// The first of what differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<String>,
}

impl Finding {
    fn new(what: &'static str, ok: bool, detail: impl Into<String>) -> Self {
        Self { what, ok, detail: detail.into(), differences: Vec::new() }
    }
}

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.flags.load()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut findings = vec![settings(&config), data_dir(&config), runtime.block_on(server(&config))];
        findings.extend(indexes(&config));
        if self.json {
            output::json(&findings)?;
        } else {
            for Finding { what, ok, detail, differences } in &findings {
                output::line(&format!("{} {what}: {detail}", if *ok { "ok     " } else { "PROBLEM" }));
                differences.iter().for_each(|difference| output::line(&format!("          {difference}")));
            }
        }
        Ok(ExitCode::from(u8::from(findings.iter().any(|finding| !finding.ok))))
    }
}

fn settings(config: &Config) -> Finding {
    let ok = config.warnings.is_empty();
    let detail = if ok { "are valid".to_owned() } else { config.warnings.join("; ") };
    Finding::new("settings", ok, detail)
}

fn data_dir(config: &Config) -> Finding {
    let folder = &config.storage.data_dir;
    let probe = folder.join(".doctor");
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&probe, b"probe"))
        .and_then(|()| std::fs::remove_file(&probe));
    let (ok, detail) = match written {
        Ok(()) => (true, format!("`{}` can be written", folder.display())),
        Err(error) => (false, format!("`{}` cannot be written: {error}", folder.display())),
    };
    Finding::new("data folder", ok, detail)
}

/// A server that answers, or an address that one could take.
async fn server(config: &Config) -> Finding {
    let address = config.http.listen.as_str();
    let (ok, detail) = match tokio::net::TcpListener::bind(address).await {
        Ok(_) => (true, format!("nothing listens on {address}; a server can start there")),
        Err(error) => match ready(address).await {
            Some(true) => (true, format!("the one on {address} is ready")),
            Some(false) => (false, format!("the one on {address} runs but cannot reach its store")),
            None => (false, format!("{address} cannot be listened on and no server answers there: {error}")),
        },
    };
    Finding::new("server", ok, detail)
}

/// Whether the server at that address is ready; `None` where none answers.
async fn ready(address: &str) -> Option<bool> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().ok()?;
    let answer = client.get(format!("http://{address}/readyz")).send().await.ok()?;
    Some(answer.status().is_success())
}

/// What is in the search indexes, against what is in the store.
fn indexes(config: &Config) -> Vec<Finding> {
    let url = config.storage.database_url.expose();
    if url.strip_prefix("sqlite:").is_some_and(|path| !Path::new(path.trim_start_matches("//")).exists()) {
        return vec![Finding::new(INDEXES, true, "there is no store yet")];
    }
    upkeep::run(config, compare).unwrap_or_else(|error| vec![Finding::new(INDEXES, false, format!("{error:#}"))])
}

/// One finding for each tenant whose index differs, and one for all others.
async fn compare(client: Client) -> anyhow::Result<Vec<Finding>> {
    let (mut findings, mut tenants, mut records, mut links) = (Vec::new(), 0_usize, 0, 0);
    for tenant in upkeep::tenants(&client).await? {
        let slug = &tenant.slug;
        match compare_one(&client, &tenant).await {
            Ok(Compared { count: 0, records: more, links: more_links, .. }) => {
                (tenants, records, links) = (tenants + 1, records + more, links + more_links);
            }
            Ok(Compared { count, differences, .. }) => {
                let detail = format!(
                    "that of `{slug}` is not what the store has; `trellis reindex {slug}` makes it anew; {count} differences, of which the first are:"
                );
                findings.push(Finding { differences, ..Finding::new(INDEX, false, detail) });
            }
            Err(error) => {
                let detail = format!("that of `{slug}` cannot be compared with the store: {error:#}");
                findings.push(Finding::new(INDEX, false, detail));
            }
        }
    }
    let detail = format!("{records} records and {links} links of {tenants} tenants are as in the store");
    findings.push(Finding::new(INDEXES, true, detail));
    Ok(findings)
}

/// What the server answers that compares some records, or all of them taken together.
#[derive(Debug, Default, Deserialize)]
struct Compared {
    records: u64,
    links: u64,
    count: u64,
    differences: Vec<String>,
    next_cursor: Option<String>,
}

async fn compare_one(client: &Client, tenant: &Tenant) -> anyhow::Result<Compared> {
    let mut all = Compared::default();
    loop {
        let mut request = client.request(Method::GET, &format!("{}/check", tenant.index));
        if let Some(cursor) = &all.next_cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        let some: Compared = serde_json::from_value(client.json(request).await?)?;
        (all.records, all.links, all.count) =
            (all.records + some.records, all.links + some.links, all.count + some.count);
        let room = TOLD - all.differences.len().min(TOLD);
        all.differences.extend(some.differences.into_iter().take(room));
        all.next_cursor = some.next_cursor;
        if all.next_cursor.is_none() {
            return Ok(all);
        }
    }
}
