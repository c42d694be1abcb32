//! Takes in a request's body within bounds of size, time and memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{ApiError, ApiResult, Code};
use crate::state::AppState;

/// Bytes that every request may hold without asking the budget.
const FREE: usize = 64 * 1024;
/// Unit in which the budget is given out, in bytes.
const UNIT: usize = 1024;

/// Memory for the bodies of all requests together.
#[derive(Debug, Clone)]
pub struct BodyBudget(Arc<Semaphore>);

impl BodyBudget {
    /// A budget of that many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT).min(Semaphore::MAX_PERMITS))))
    }

    /// Takes room for `bytes` more. Never waits: waiting for others with half a body each would be for ever.
    fn take(&self, bytes: usize) -> ApiResult<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let busy = || ApiError::unavailable("too many large requests are coming in at once; try again shortly");
        Arc::clone(&self.0).try_acquire_many_owned(units).map_err(|_| busy())
    }
}

/// A body in memory. Its share of the budget is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Buffered {
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Buffered {
    /// Reads the whole body, or says why it is not taken: 413, 408, 503, or 400 where it breaks off.
    pub(super) async fn read(body: Body, state: &AppState) -> ApiResult<Self> {
        let most = state.http.max_body_bytes;
        let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if declared > most {
            return Err(too_large(most));
        }
        let read = collect(body, most, &state.bodies);
        within(state.http.request_timeout, read).await?
    }

    #[cfg(test)]
    pub(super) fn of(bytes: Bytes) -> Self {
        Self { bytes, _room: None }
    }

    /// The bytes as they came in.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// The result of reading, or 408 when it takes too long.
pub(super) async fn within<T>(limit: Duration, read: impl Future<Output = T>) -> ApiResult<T> {
    let late =
        |_| ApiError::new(Code::RequestTimeout, format!("the body did not come in within {} s", limit.as_secs()));
    tokio::time::timeout(limit, read).await.map_err(late)
}

async fn collect(mut body: Body, most: usize, budget: &BodyBudget) -> ApiResult<Buffered> {
    let Some(first) = next_chunk(&mut body).await? else {
        return Ok(Buffered { bytes: Bytes::new(), _room: None });
    };
    // Most bodies come in one piece, which is then not copied.
    if body.is_end_stream() && first.len() <= most.min(FREE) {
        return Ok(Buffered { bytes: first, _room: None });
    }
    let mut collected = BytesMut::new();
    let mut room: Option<OwnedSemaphorePermit> = None;
    let mut covered = FREE;
    let mut next = Some(first);
    while let Some(chunk) = next {
        let length = collected.len() + chunk.len();
        if length > most {
            return Err(too_large(most));
        }
        if length > covered {
            let more = (length - covered).max(covered).min(most);
            let taken = budget.take(more)?;
            match &mut room {
                Some(room) => room.merge(taken),
                None => room = Some(taken),
            }
            covered += more;
        }
        collected.extend_from_slice(&chunk);
        next = next_chunk(&mut body).await?;
    }
    Ok(Buffered { bytes: collected.freeze(), _room: room })
}

/// The next bytes, trailers skipped.
pub(super) async fn next_chunk(body: &mut Body) -> ApiResult<Option<Bytes>> {
    while let Some(frame) = body.frame().await {
        let broken = |_| ApiError::bad_request("the body breaks off or its transfer encoding is wrong");
        if let Ok(chunk) = frame.map_err(broken)?.into_data() {
            return Ok(Some(chunk));
        }
    }
    Ok(None)
}

fn too_large(most: usize) -> ApiError {
    ApiError::too_large(format!("a body of at most {most} bytes is taken; use an import or batches for more"))
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::testing::TestServer;

    async fn read(body: Body, state: &AppState) -> ApiResult<Buffered> {
        Buffered::read(body, state).await
    }

    fn in_chunks(count: usize, size: usize) -> Body {
        let chunk = Bytes::from(vec![b'x'; size]);
        Body::from_stream(stream::iter((0..count).map(move |_| Ok::<_, std::io::Error>(chunk.clone()))))
    }

    #[tokio::test]
    async fn a_body_is_taken_up_to_the_bound_whole_or_in_pieces() {
        let state = TestServer::new(|config| config.http.max_body_bytes = 100_000).await;
        assert_eq!(read(Body::from("abc"), &state).await.expect("taken").bytes(), "abc");
        assert!(read(Body::empty(), &state).await.expect("taken").bytes().is_empty());
        assert_eq!(read(in_chunks(10, 10_000), &state).await.expect("taken").bytes().len(), 100_000);
        for body in [in_chunks(11, 10_000), Body::from(vec![0; 100_001])] {
            let refused = read(body, &state).await.expect_err("too large");
            assert_eq!(refused.status(), 413);
        }
    }

    #[tokio::test]
    async fn the_budget_is_shared_and_given_back() {
        let state = TestServer::new(|config| {
            config.http.max_body_bytes = 1 << 20;
            config.http.max_buffered_bytes = 1 << 20;
        })
        .await;
        let first = read(in_chunks(90, 10_000), &state).await.expect("taken");
        let refused = read(in_chunks(90, 10_000), &state).await.expect_err("no room");
        assert_eq!(refused.status(), 503);
        assert!(read(in_chunks(6, 10_000), &state).await.is_ok(), "small bodies need no budget");
        drop(first);
        assert!(read(in_chunks(90, 10_000), &state).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_given_up() {
        let state = TestServer::new(|_| {}).await;
        tokio::time::pause();
        let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let refused = read(silent, &state).await.expect_err("too late");
        assert_eq!((refused.status().as_u16(), refused.code().as_str()), (408, "request_timeout"));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_a_bad_request() {
        let state = TestServer::new(|_| {}).await;
        let broken = Body::from_stream(stream::iter([Ok(Bytes::from("{")), Err(std::io::Error::other("reset"))]));
        assert_eq!(read(broken, &state).await.expect_err("broken").status(), 400);
    }
}
