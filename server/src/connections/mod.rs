//! Accepts connections and serves HTTP/1 on each, within bounds.

mod lingering;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::config::HttpConfig;
use crate::extract::PeerAddress;
use lingering::Lingering;

/// Largest head of a request, and most that is read ahead of a connection, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// Pause after a connection could not be accepted: usually the process is out of files, and some will close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What ends connections.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    /// No further connection is accepted; each is closed once its request is answered.
    pub(crate) stop: CancellationToken,
    /// Each is closed now.
    pub(crate) halt: CancellationToken,
    /// Knows which are open.
    pub(crate) tasks: TaskTracker,
}

/// Accepts until `stop`. Beyond the bound of connections the next ones wait in the system's queue.
pub(crate) async fn accept(listener: TcpListener, service: Router, config: HttpConfig, ends: Ends) {
    let places = Arc::new(Semaphore::new(config.max_connections.min(Semaphore::MAX_PERMITS)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(config.header_timeout).max_buf_size(MAX_HEAD);
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let accepted = tokio::select! {
            () = ends.stop.cancelled() => return,
            accepted = next => accepted,
        };
        match accepted {
            None => return,
            Some((place, Ok((stream, peer)))) => {
                let connection = Connection { stream, peer, body_timeout: config.request_timeout, _place: place };
                ends.tasks.spawn(connection.serve(http.clone(), service.clone(), ends.clone()));
            }
            Some((_, Err(error))) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    /// Longest that a body is waited for that nobody reads.
    body_timeout: Duration,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, http: http1::Builder, router: Router, ends: Ends) {
        // Without it small answers may wait for the client's acknowledgement of the one before.
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let peer = PeerAddress(self.peer);
        let (limit, lingering) = (self.body_timeout, ends.clone());
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (mut parts, body) = request.into_parts();
            parts.extensions.insert(peer);
            let body = Body::new(Lingering::of(&parts.headers, body, limit, &lingering));
            router.clone().call(hyper::Request::from_parts(parts, body))
        });
        let connection = http.serve_connection(TokioIo::new(self.stream), service).with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = ends.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = ends.halt.cancelled() => Ok(()),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}
