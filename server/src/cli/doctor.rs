//! `trellis doctor`: looks at what usually is in the way of a server.

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::output;
use super::setting_flags::ConfigFlags;
use crate::config::Config;

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
}

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.flags.load()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let findings = [settings(&config), data_dir(&config), runtime.block_on(server(&config))];
        if self.json {
            output::json(&findings)?;
        } else {
            for Finding { what, ok, detail } in &findings {
                output::line(&format!("{} {what}: {detail}", if *ok { "ok     " } else { "PROBLEM" }));
            }
        }
        Ok(ExitCode::from(u8::from(findings.iter().any(|finding| !finding.ok))))
    }
}

fn settings(config: &Config) -> Finding {
    let ok = config.warnings.is_empty();
    let detail = if ok { "are valid".to_owned() } else { config.warnings.join("; ") };
    Finding { what: "settings", ok, detail }
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
    Finding { what: "data folder", ok, detail }
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
    Finding { what: "server", ok, detail }
}

/// Whether the server at that address is ready; `None` where none answers.
async fn ready(address: &str) -> Option<bool> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().ok()?;
    let answer = client.get(format!("http://{address}/readyz")).send().await.ok()?;
    Some(answer.status().is_success())
}
