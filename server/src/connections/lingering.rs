//! The body of a request, taken in to its end although the answer is there already.
//!
//! Who is refused before the body is read may still be writing it. A connection that is closed then breaks under
//! the client's hands, and many clients tell of that instead of the answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::HttpBody;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};

use super::Ends;

/// Most that is taken in and thrown away, in bytes. Whoever sends more is cut off.
const MOST: u64 = 64 * 1024 * 1024;

/// A body whose rest is taken in once its reader is done with it.
pub(super) struct Lingering {
    /// `None` once it has ended.
    body: Option<Incoming>,
    /// Longest that the rest is waited for; `None` where it is not asked for.
    limit: Option<Duration>,
    ends: Ends,
}

impl Lingering {
    /// What a reader leaves is taken in for `limit` at most, and not while the server stops.
    pub(super) fn of(headers: &HeaderMap, body: Incoming, limit: Duration, ends: &Ends) -> Self {
        // Who waits to be asked for the body is not asked for one that nobody reads.
        let limit = (!headers.contains_key(header::EXPECT)).then_some(limit);
        Self { body: Some(body), limit, ends: ends.clone() }
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let is_left = |body: &Incoming| !body.is_end_stream() && body.size_hint().lower() <= MOST;
        let (Some(body), Some(limit)) = (self.body.take().filter(is_left), self.limit) else { return };
        let stop = self.ends.stop.clone();
        let taken_in = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                // Whether all of it came is nobody's business any more.
                _ = tokio::time::timeout(limit, take_in(body)) => {}
            }
        };
        // A runtime that ends drops its connections, too.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.ends.tasks.spawn_on(taken_in, &runtime);
        }
    }
}

/// Reads to the end, or to where it is too much.
async fn take_in(mut body: Incoming) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let taken = frame.data_ref().map_or(0, |data| data.len() as u64);
        match left.checked_sub(taken) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}
