//! One connection that asks a server, and how long its answers take.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use super::wire::{Connection, request};
use crate::TestServer;

/// One caller's connection.
#[derive(Debug)]
pub(crate) struct Asker {
    connection: Connection,
    token: String,
}

/// A reply, read to its end.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    /// From sending the request until all of the reply was there.
    pub(crate) took: Duration,
}

impl Asker {
    pub(crate) async fn open(server: &TestServer, token: &str) -> Result<Self> {
        let connection = Connection::open(server.address().trim_start_matches("http://")).await?;
        Ok(Self { connection, token: token.to_owned() })
    }

    /// Sends one request; only the wait for the reply is measured.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Answer<'_>> {
        let text = request(method, path, &self.token, body);
        let began = Instant::now();
        let reply = self.connection.call(&text).await?;
        Ok(Answer { status: reply.status, body: reply.body, took: began.elapsed() })
    }

    /// Sends one request and reads the reply as JSON.
    pub(crate) async fn json(&mut self, method: &str, path: &str, body: &Value) -> Result<(u16, Value)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.ask(method, path, &body).await?;
        Ok((answer.status, serde_json::from_slice(answer.body)?))
    }

    /// The same where only one status will do.
    pub(crate) async fn expect(&mut self, status: u16, method: &str, path: &str, body: &Value) -> Result<Value> {
        let (found, reply) = self.json(method, path, body).await?;
        if found != status {
            bail!("{method} {path} answered {found}: {reply}");
        }
        Ok(reply)
    }
}

impl Answer<'_> {
    /// The beginning of the body, for people.
    pub(crate) fn excerpt(&self) -> String {
        String::from_utf8_lossy(self.body).chars().take(300).collect()
    }
}
