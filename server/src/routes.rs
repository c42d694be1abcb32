//! Builds the router and its description from one list, so that neither can lack what the other has.

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::Paths;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::error::{ApiError, Code};
use crate::metrics::Policy;
use crate::state::AppState;

/// Path below which the API lives.
pub const API_BASE: &str = "/api/v1";

/// Routes with their documentation and what bounds them.
#[derive(Default)]
pub struct Routes {
    router: OpenApiRouter<AppState>,
    policies: Vec<(String, Policy)>,
}

impl Routes {
    /// Calls of the API; their paths are written without [`API_BASE`].
    #[must_use]
    pub fn api(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(API_BASE, Policy::Ordinary, routes)
    }

    /// Streams, long polls and uploads of the API, which last as long as they last. Their handlers take a
    /// [`StreamPermit`](crate::middleware::StreamPermit).
    #[must_use]
    pub fn api_stream(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(API_BASE, Policy::Stream, routes)
    }

    /// What machines that watch the server ask.
    #[must_use]
    pub fn operational(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add("", Policy::Operational, routes)
    }

    /// Pages for people; they are in no description.
    #[must_use]
    pub fn page(mut self, path: &str, route: axum::routing::MethodRouter<AppState>) -> Self {
        self.policies.push((path.to_owned(), Policy::Ordinary));
        self.router = self.router.route(path, route);
        self
    }

    /// Prefixes the paths themselves: a nested router would take every request's address apart once more.
    fn add(mut self, base: &str, policy: Policy, (schemas, paths, route): UtoipaMethodRouter<AppState>) -> Self {
        let mut based = Paths::new();
        based.extensions = paths.extensions;
        for (path, item) in paths.paths {
            let path = format!("{base}{path}");
            self.policies.push((path.clone(), policy));
            based.paths.insert(path, item);
        }
        self.router = self.router.routes((schemas, based, route));
        self
    }

    /// The router, its description, and the policy of each path.
    pub fn split(self) -> (Router<AppState>, OpenApi, Vec<(String, Policy)>) {
        let (router, document) = self.router.split_for_parts();
        let router = router.fallback(no_such_path).method_not_allowed_fallback(no_such_method);
        (router, document, self.policies)
    }
}

async fn no_such_path(request: Request) -> ApiError {
    let path = request.uri().path();
    let hint = match path.starts_with(API_BASE) {
        true => "`/docs` lists the paths of the API".to_owned(),
        false => format!("the API is below `{API_BASE}`, its documentation at `/docs`"),
    };
    ApiError::not_found(format!("there is nothing at this path; {hint}"))
}

/// The router itself adds the `Allow` header to whatever this answers.
async fn no_such_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    // Methods are free text; only those that are known are worth repeating.
    ApiError::new(Code::MethodNotAllowed, "this path does not take this method; `Allow` lists those it takes")
        .into_response()
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Routes").field("policies", &self.policies).finish_non_exhaustive()
    }
}
