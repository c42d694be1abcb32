//! Talks to a server as any other client does.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use super::direct;
use super::problem::Problem;
use crate::config::{ClientFlags, Secret};
use crate::routes::API_BASE;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence of the server.
const READ_TIMEOUT: Duration = Duration::from_secs(120);

/// The same where one call does a lot before it answers.
const LONG_READ_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);

/// A server and who calls it.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<Secret>,
}

impl Client {
    pub(super) fn new(url: &str, token: Option<Secret>) -> anyhow::Result<Self> {
        let http = http(READ_TIMEOUT)?;
        Ok(Self { http, base: url.trim_end_matches('/').to_owned(), token })
    }

    /// The same for calls that take long to answer.
    pub(super) fn without_hurry(&self) -> anyhow::Result<Self> {
        Ok(Self { http: http(LONG_READ_TIMEOUT)?, base: self.base.clone(), token: self.token.clone() })
    }

    /// A call of the API; `path` begins with `/` and is below the API's base.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{API_BASE}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, path).json(body)).await
    }

    /// Every page of a list.
    pub(super) async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let mut request = self.request(Method::GET, path).query(&[("limit", "200")]);
            if let Some(cursor) = &cursor {
                request = request.query(&[("cursor", cursor)]);
            }
            let mut page = self.json(request).await?;
            match page["results"].take() {
                Value::Array(results) => all.extend(results),
                _ => bail!("the server's answer is no list; is it a Trellis server of this version?"),
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Sends a call; `Err` where the server cannot be reached or answers a problem.
    pub(super) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => Err(problem.into()),
            Err(_) => Err(anyhow!("{} answered {status}; is it a Trellis server?", self.base)),
        }
    }

    /// Sends a call that is answered in JSON.
    pub(super) async fn json(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let response = self.send(request).await?;
        response.json().await.context("the server's answer is not JSON")
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let hint = match error.is_connect() {
            true => format!("no server can be reached at {}; is it running, or is `--url` another?", self.base),
            false => format!("the call to {} failed", self.base),
        };
        // The address in the error's own text may hold credentials.
        anyhow::Error::from(error.without_url()).context(hint)
    }
}

fn http(read_timeout: Duration) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(read_timeout);
    let agent = concat!("trellis/", env!("CARGO_PKG_VERSION"));
    builder.user_agent(agent).build().context("the HTTP client cannot be made")
}

/// Runs a command that calls as the holder of a token.
pub(super) fn run<T>(flags: &ClientFlags, command: impl AsyncFnOnce(Client) -> anyhow::Result<T>) -> anyhow::Result<T> {
    if flags.direct {
        return direct::run(async |server| command(Client::new(&server.url, flags.token.clone())?).await);
    }
    call(flags, command)
}

/// Runs a command that manages tenants; whoever may open the store may do that.
pub(super) fn run_on_platform<T>(
    flags: &ClientFlags,
    command: impl AsyncFnOnce(Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if flags.direct {
        return direct::run(async |server| command(Client::new(&server.url, Some(server.platform_token))?).await);
    }
    call(flags, command)
}

fn call<T>(flags: &ClientFlags, command: impl AsyncFnOnce(Client) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let client = Client::new(&flags.url, flags.token.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(command(client))
}
