//! Lets requests in while there is room, gives up on those that take too long, and survives those that panic.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::error::{ApiError, ApiResult};
use crate::metrics::Policy;
use crate::state::AppState;

/// A request that was let in.
pub(super) enum Admission {
    /// Has a place, and is worked on for so long at most.
    Bounded { place: OwnedSemaphorePermit, limit: Duration, is_safe: bool },
    /// Lasts as long as it lasts.
    Free,
}

impl Admission {
    pub(super) fn of(state: &AppState, policy: Policy, method: &Method) -> ApiResult<Self> {
        match policy {
            Policy::Stream | Policy::Operational => Ok(Self::Free),
            Policy::Ordinary => {
                let busy = |_| ApiError::unavailable("the server is busy; try again shortly");
                let place = Arc::clone(&state.requests).try_acquire_owned().map_err(busy)?;
                // The first part of the time is for the body, which has its own bound and its own answer.
                Ok(Self::Bounded { place, limit: state.http.request_timeout * 2, is_safe: method.is_safe() })
            }
        }
    }

    /// The answer of the route, or one for it where it gives none.
    pub(super) async fn answer(self, route: impl Future<Output = Result<Response, Infallible>>) -> Response {
        // Nothing that a handler leaves half done outlives it: state is shared behind locks and transactions only.
        let caught = AssertUnwindSafe(route).catch_unwind();
        let answer = match self {
            Self::Free => caught.await,
            Self::Bounded { place, limit, is_safe } => {
                let answer = tokio::time::timeout(limit, caught).await;
                drop(place);
                match answer {
                    Ok(answer) => answer,
                    Err(_) => return too_late(is_safe).into_response(),
                }
            }
        };
        match answer {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            // What was said is in the log already, by the hook of the process.
            Err(_) => ApiError::from(engine::Error::internal("a handler panicked")).into_response(),
        }
    }
}

fn too_late(is_safe: bool) -> ApiError {
    ApiError::unavailable(match is_safe {
        true => "this took too long; try again",
        false => "this took too long and may have happened; repeat it with the same `Idempotency-Key`, or look",
    })
}

/// One of the places for streams and long polls. A handler keeps it for as long as its stream lasts.
#[derive(Debug)]
pub struct StreamPermit {
    _place: OwnedSemaphorePermit,
    /// The server waits for it before it ends; the stream itself has to watch `AppState::stop`.
    _task: TaskTrackerToken,
}

impl FromRequestParts<AppState> for StreamPermit {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> ApiResult<Self> {
        let full = |_| ApiError::unavailable("too many streams are open; try again shortly");
        let place = Arc::clone(&state.streams).try_acquire_owned().map_err(full)?;
        Ok(Self { _place: place, _task: state.tasks.token() })
    }
}
