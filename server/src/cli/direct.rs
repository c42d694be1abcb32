//! Commands without a server: one is started for the command alone, on a free port of this machine.
//!
//! So a command does the same either way, and the lock on the data folder keeps it from a store that a server has.

use anyhow::Context;

use crate::app::Server;
use crate::config::{Config, Secret, Sources};
use crate::operator::random_token;

/// The server of one command.
pub(super) struct OwnServer {
    pub(super) url: String,
    pub(super) platform_token: Secret,
}

/// Opens the store that the settings name, runs the command, and closes the store again.
pub(super) fn run<T>(command: impl AsyncFnOnce(OwnServer) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut config = Config::load(&Sources::of_process(None, vec![("listen", "127.0.0.1:0".to_owned())]))?;
    let platform_token = random_token()?;
    config.tenants.platform_token = Some(platform_token.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let running = Server::start_as_is(&config).await.context("the store cannot be opened by this command")?;
        let url = format!("http://{}", running.address());
        let done = command(OwnServer { url, platform_token }).await;
        running.stop().await;
        done
    })
}
