//! Commands for the operator of the machine: they reach the server that has the data folder, or start one for
//! themselves where none does.

use anyhow::{Context, bail};
use serde_json::Value;

use super::client::Client;
use crate::app::Server;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::operator::{Operator, random_token};

/// Runs a command with a client that may do what the platform may. A server of the command's own does nothing by itself.
pub(super) fn run<T>(config: &Config, command: impl AsyncFnOnce(Client) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let folder = &config.storage.data_dir;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Free again at once, for the server that is started then.
    let is_free = DataDir::open_free(folder)?.is_some();
    runtime.block_on(async {
        if !is_free {
            let Operator { url, token } = Operator::of(folder)?;
            return command(Client::new(&url, Some(token))?).await;
        }
        let mut config = config.clone();
        let token = random_token()?;
        config.http.listen = "127.0.0.1:0".parse().map_err(anyhow::Error::msg)?;
        config.tenants.platform_token = Some(token.clone());
        let running = Server::start_for_upkeep(&config).await?;
        let client = Client::new(&format!("http://{}", running.address()), Some(token));
        let done = match client {
            Ok(client) => command(client).await,
            Err(error) => Err(error),
        };
        running.stop().await;
        done
    })
}

/// A tenant as the commands name it.
pub(super) struct Tenant {
    pub(super) slug: String,
    /// Path of its search index.
    pub(super) index: String,
}

/// Every tenant.
pub(super) async fn tenants(client: &Client) -> anyhow::Result<Vec<Tenant>> {
    let rows = client.list("/tenants").await.context("the tenants cannot be listed")?;
    let read = |row: &Value| {
        let [Some(id), Some(slug)] = ["id", "slug"].map(|key| row[key].as_str()) else {
            bail!("the server's list of tenants is not what this version knows");
        };
        Ok(Tenant { slug: slug.to_owned(), index: format!("/tenants/{id}/search-index") })
    };
    rows.iter().map(read).collect()
}
