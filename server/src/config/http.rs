//! Settings of the HTTP server.

use std::str::FromStr;
use std::time::Duration;

use axum::http::HeaderName;

use super::quantity::{ByteSize, Time};
use super::reader::SettingReader;

/// How HTTP is served, and the bounds of what it takes.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where connections are accepted.
    pub listen: ListenAddress,
    /// Largest body of a request, in bytes; imports and files have their own.
    pub max_body_bytes: usize,
    /// Largest file of an import, in bytes.
    pub max_import_bytes: u64,
    /// Bytes of memory for the bodies of all requests together.
    pub max_buffered_bytes: usize,
    /// Requests in work at the same time.
    pub max_requests: usize,
    /// Streams and long polls at the same time.
    pub max_streams: usize,
    /// Connections at the same time.
    pub max_connections: usize,
    /// Longest that a body may take to come in, and longest that a request is worked on.
    pub request_timeout: Duration,
    /// Longest silence of a connection before the next request's head is complete.
    pub header_timeout: Duration,
    /// Header in which a trusted proxy names the client's address.
    pub trusted_proxy_header: Option<HeaderName>,
}

impl HttpConfig {
    pub(super) fn read(reader: &mut SettingReader) -> Option<Self> {
        let listen = reader.required("listen");
        let max_body_bytes = reader.required("max_body_bytes").and_then(in_memory);
        let max_import_bytes = reader.required("max_import_bytes").map(|ByteSize(bytes)| bytes);
        let max_buffered_bytes = reader.required("max_buffered_bytes").and_then(in_memory);
        let max_requests = reader.count("max_requests");
        let max_streams = reader.count("max_streams");
        let max_connections = reader.count("max_connections");
        let request_timeout = reader.required("request_timeout").map(|Time(time)| time);
        let header_timeout = reader.required("header_timeout").map(|Time(time)| time);
        let trusted_proxy_header = reader.optional("trusted_proxy_header");
        Some(Self {
            listen: listen?,
            max_body_bytes: max_body_bytes?,
            max_import_bytes: max_import_bytes?,
            // A budget below one body would refuse every large one.
            max_buffered_bytes: max_buffered_bytes?.max(max_body_bytes?),
            max_requests: max_requests?,
            max_streams: max_streams?,
            max_connections: max_connections?,
            request_timeout: request_timeout?,
            header_timeout: header_timeout?,
            trusted_proxy_header,
        })
    }
}

/// Bytes that are held in memory; sizes beyond what a 32-bit count of KiB holds are cut.
fn in_memory(ByteSize(bytes): ByteSize) -> Option<usize> {
    const MOST: u64 = 1 << 40;
    usize::try_from(bytes.min(MOST)).ok()
}

/// `HOST:PORT`; the host may be a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress(String);

impl ListenAddress {
    /// The address as text, to be resolved.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let has_port =
            text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        has_port
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| format!("`{text}` is no address with a port, such as 127.0.0.1:8080"))
    }
}
