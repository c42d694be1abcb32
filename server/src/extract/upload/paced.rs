//! A body in small pieces. The form parser takes in all that is ready before it looks at any of it; this bounds how
//! much that can be.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::HeaderMap;
use bytes::Bytes;
use futures::Stream;

/// Largest piece, in bytes.
const PIECE: usize = 64 * 1024;
/// Most that may have come in without having come out of the parser: headers and boundaries of a form's parts.
const MAX_UNTAKEN: usize = 1024 * 1024;

/// A body handed out piece by piece.
pub(super) struct Paced {
    headers: HeaderMap,
    pieces: Pieces,
}

/// How much has come out of the parser.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(Arc<AtomicUsize>);

struct Pieces {
    body: BodyDataStream,
    rest: Bytes,
    given: usize,
    taken: Taken,
    is_resting: bool,
}

impl Paced {
    pub(super) fn new(headers: HeaderMap, body: Body) -> (Self, Taken) {
        let taken = Taken::default();
        let body = body.into_data_stream();
        let pieces = Pieces { body, rest: Bytes::new(), given: 0, taken: taken.clone(), is_resting: false };
        (Self { headers, pieces }, taken)
    }

    /// A request with the same headers, whose body comes in pieces.
    pub(super) fn into_request(self) -> Request {
        let mut request = Request::new(Body::from_stream(self.pieces));
        *request.headers_mut() = self.headers;
        request
    }
}

impl Taken {
    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // After each piece the parser is made to look at what it has.
        if std::mem::take(&mut self.is_resting) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.given.saturating_sub(self.taken.0.load(Ordering::Relaxed)) > MAX_UNTAKEN {
            return Poll::Ready(Some(Err(axum::Error::new("the head of a part is too long"))));
        }
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(chunk)) => self.rest = chunk,
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.given += length;
        self.is_resting = true;
        Poll::Ready(Some(Ok(piece)))
    }
}
