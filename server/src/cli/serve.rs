//! `trellis serve`: runs until it is told to stop.

use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output;
use super::setting_flags::ConfigFlags;
use crate::app::{Server, Stopped};
use crate::config::Config;
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.flags.load()?;
        let _logging = telemetry::init(&config.telemetry)?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(&config))
    }
}

async fn serve(config: &Config) -> anyhow::Result<ExitCode> {
    // Before anything is opened, so that no signal is missed.
    let mut signals = Signals::new().context("signals cannot be received")?;
    let running = Server::start(config).await?;
    if let Some(first) = running.first_tenant() {
        let token = first.token.as_deref().unwrap_or("the one in TRELLIS_FIRST_TOKEN");
        output::line(&format!("made the tenant `{}`; its token, shown this once: {token}", first.slug));
    }
    output::line(&format!("listening on http://{}", running.address()));
    signals.next().await;
    tracing::info!("stopping: what has begun is finished; a second signal ends it at once");
    let stopped = tokio::select! {
        stopped = running.stop() => stopped,
        () = signals.next() => Stopped::CutOff,
    };
    Ok(match stopped {
        Stopped::Finished => ExitCode::SUCCESS,
        Stopped::CutOff => ExitCode::FAILURE,
    })
}

/// The signals that ask a process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
