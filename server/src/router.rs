//! Every route on one screen.

use axum::Router;
use axum::routing::get;
use utoipa_axum::routes;

use crate::middleware::Observed;
use crate::routes::Routes;
use crate::state::AppState;
use crate::{health, openapi};

/// The routes with their documentation.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .operational(routes!(health::live))
        .operational(routes!(health::ready))
        .operational(routes!(health::metrics))
        .api(routes!(openapi::document))
        .page("/docs", get(openapi::page))
        .page("/docs/errors", get(openapi::errors))
        .page("/docs/{asset}", get(openapi::asset))
}

/// The routes with everything around them.
pub(crate) fn service(router: Router<AppState>, state: AppState) -> Router {
    router.layer(Observed(state.clone())).with_state(state)
}
