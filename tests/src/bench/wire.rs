//! The least HTTP/1.1 client there can be: the machine's two cores belong to the server.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection that is kept alive.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The reply to one request, borrowed from its connection.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// Where one reply's parts are in the buffer.
struct Head {
    status: u16,
    body: usize,
    end: usize,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    pub(crate) async fn open(authority: &str) -> Result<Self> {
        let stream =
            TcpStream::connect(authority).await.with_context(|| format!("could not connect to {authority}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a complete request and waits for its reply.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Reply<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server has closed the connection");
            }
            if head.is_none() {
                head = parse(&self.buffer)?;
            }
            if let Some(Head { status, body, end }) = head
                && self.buffer.len() >= end
            {
                return Ok(Reply { status, body: &self.buffer[body..end] });
            }
        }
    }
}

/// The text of a request, JSON body included.
pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let mut text = format!("{method} /api/v1{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n");
    if !body.is_empty() {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// Reads status and length once the head is complete.
fn parse(buffer: &[u8]) -> Result<Option<Head>> {
    let Some(head_length) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&buffer[..head_length]).context("the reply's head is not text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok());
    let status = status.context("the reply has no status")?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    // What has no content says no length of it.
    let length = length.or((status == 204).then_some(0));
    let Some(length) = length else { bail!("a reply without Content-Length: {head}") };
    Ok(Some(Head { status, body: head_length + 4, end: head_length + 4 + length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_parsed_once_it_is_complete() {
        let reply = b"HTTP/1.1 201 Created\r\nETag: \"1\"\r\ncontent-length: 2\r\n\r\n{}";
        assert!(parse(&reply[..40]).unwrap().is_none());
        let head = parse(reply).unwrap().unwrap();
        assert_eq!((head.status, &reply[head.body..head.end]), (201, b"{}".as_slice()));
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
