//! What happens around every request: an id, a bound, a span, a count, one line in the log.
//!
//! All of it is one layer, because each layer of its own costs allocations and copies of the request.

mod admission;
mod problem;
mod scope;
mod summary;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use tower::{Layer, Service};
use tracing::Instrument;

pub use admission::StreamPermit;
pub use scope::{RequestId, RequestScope};

use crate::state::AppState;
use admission::Admission;
use summary::Summary;

/// The layer around every route and around the answers to paths that lead nowhere.
#[derive(Debug, Clone)]
pub(crate) struct Observed(pub(crate) AppState);

impl<S> Layer<S> for Observed {
    type Service = Observer<S>;

    fn layer(&self, route: S) -> Observer<S> {
        Observer { route, state: self.0.clone() }
    }
}

/// A route that is observed.
#[derive(Debug, Clone)]
pub(crate) struct Observer<S> {
    route: S,
    state: AppState,
}

impl<S> Service<Request> for Observer<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.route.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let pattern = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let route = Arc::clone(self.state.metrics.route(pattern));
        let scope = RequestScope::of(request.headers());
        let admission = Admission::of(&self.state, route.policy(), request.method());
        let summary = Summary::begin(self.state.clone(), route, request.method().clone());
        request.extensions_mut().insert(scope.clone());
        // Nothing of the handler runs before this is polled.
        let answer = self.route.call(request);

        let span = scope.span().clone();
        let observed = async move {
            let response = match admission {
                Ok(admission) => admission.answer(answer).await,
                Err(refused) => refused.into_response(),
            };
            let mut response = problem::write(response, scope.id());
            response.headers_mut().insert(scope::X_REQUEST_ID, scope.id().to_header());
            summary.end(response.status());
            Ok(response)
        };
        Box::pin(observed.instrument(span))
    }
}

#[cfg(test)]
mod tests;
