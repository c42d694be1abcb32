//! Every route on one screen.

use axum::Router;
use axum::routing::get;
use utoipa_axum::routes;

use crate::api::records::{
    associations, batch, history, list, merge, owner, read, scores as record_scores, search as record_search, stage,
    timeline, transaction, write,
};
use crate::api::{
    access, audit, changes, definitions, duplicates, exports, imports, jobs, lists, packs, pipelines as moved, saved,
    scores, search, search_index, tenant_file, tenant_packs, tenants, undo,
};
use crate::middleware::Observed;
use crate::routes::Routes;
use crate::state::AppState;
use crate::{health, openapi};

/// The routes with their documentation.
pub(crate) fn routes() -> Routes {
    let routes = Routes::default()
        .operational(routes!(health::live))
        .operational(routes!(health::ready))
        .operational(routes!(health::metrics))
        .api(routes!(openapi::document))
        .page("/docs", get(openapi::page))
        .page("/docs/errors", get(openapi::errors))
        .page("/docs/{asset}", get(openapi::asset));
    work(saved(tenancy(metadata(records(routes)))))
}

fn records(routes: Routes) -> Routes {
    routes
        .api(routes!(list::list, write::create, write::upsert))
        .api(routes!(read::read, write::update, write::archive))
        .api(routes!(write::restore))
        .api(routes!(merge::merge))
        .api(routes!(merge::unmerge))
        .api(routes!(history::history))
        .api(routes!(timeline::timeline))
        .api(routes!(timeline::record))
        .api(routes!(scores::list))
        .api(routes!(scores::ranking))
        .api(routes!(scores::assess))
        .api(routes!(record_scores::read, record_scores::assess))
        .api(routes!(record_scores::history))
        .api(routes!(record_scores::put, record_scores::take_back))
        .api(routes!(record_scores::review))
        .api(routes!(audit::of_record))
        .api(routes!(audit::list))
        .api(routes!(duplicates::list))
        .api(routes!(duplicates::scan))
        .api(routes!(duplicates::check))
        .api(routes!(duplicates::dismiss, duplicates::undismiss))
        .api(routes!(owner::claim))
        .api(routes!(owner::release))
        .api(routes!(stage::put))
        .api(routes!(stage::list))
        .api(routes!(moved::board::read))
        .api(routes!(moved::report::read))
        .api(routes!(record_search::search))
        .api(routes!(record_search::suggest))
        .api(routes!(search::across))
        .api(routes!(batch::batch))
        .api(routes!(transaction::transact))
        .api(routes!(undo::undo))
        .api(routes!(associations::list))
        .api(routes!(associations::put, associations::delete))
        .api(routes!(associations::batch_create))
        .api(routes!(associations::batch_archive))
        .api(routes!(associations::batch_read))
        .api_stream(routes!(changes::list))
        .api_stream(routes!(changes::stream))
        .api_stream(routes!(changes::live))
}

fn metadata(routes: Routes) -> Routes {
    use definitions::{associations, history, objects, pipelines, properties};
    routes
        .api(routes!(objects::list, objects::create))
        .api(routes!(objects::read, objects::update, objects::archive))
        .api(routes!(objects::restore))
        .api(routes!(objects::schema))
        .api(routes!(properties::create))
        .api(routes!(properties::update, properties::archive))
        .api(routes!(properties::restore))
        .api(routes!(properties::uses))
        .api(routes!(associations::list, associations::create))
        .api(routes!(associations::read, associations::update, associations::archive))
        .api(routes!(associations::restore))
        .api(routes!(pipelines::list, pipelines::create))
        .api(routes!(pipelines::read, pipelines::update, pipelines::archive))
        .api(routes!(pipelines::restore))
        .api(routes!(history::history))
        .api(routes!(history::diff))
        .api(routes!(history::rollback))
        .api(routes!(packs::list))
        .api(routes!(packs::schema))
        .api(routes!(packs::export))
        .api(routes!(packs::plan))
        .api(routes!(packs::apply))
        .api(routes!(packs::uninstall))
}

fn tenancy(routes: Routes) -> Routes {
    use access::{assignment_rules, explain, log, roles, teams, tokens, users};
    routes
        .api(routes!(tenants::list, tenants::create))
        .api(routes!(search_index::read))
        .api(routes!(search_index::rebuild))
        .api(routes!(search_index::check))
        .api(routes!(tenants::read, tenants::update))
        .api_stream(routes!(tenant_file::export))
        .api_stream(routes!(tenant_file::import))
        .api_stream(routes!(tenant_packs::plan))
        .api_stream(routes!(tenant_packs::apply))
        .api(routes!(users::list, users::create))
        .api(routes!(users::read, users::update, users::archive))
        .api(routes!(users::reassign))
        .api(routes!(assignment_rules::list, assignment_rules::create))
        .api(routes!(assignment_rules::read, assignment_rules::update, assignment_rules::delete))
        .api(routes!(teams::list, teams::create))
        .api(routes!(teams::read, teams::update, teams::delete))
        .api(routes!(roles::list, roles::create))
        .api(routes!(roles::read, roles::update, roles::delete))
        .api(routes!(explain::explain))
        .api(routes!(log::list))
        .api(routes!(tokens::list, tokens::create))
        .api(routes!(tokens::read, tokens::update, tokens::revoke))
}

fn saved(routes: Routes) -> Routes {
    use saved::{dashboards, reports, views};
    routes
        .api(routes!(views::list, views::create))
        .api(routes!(views::read, views::update, views::delete))
        .api(routes!(views::records))
        .api(routes!(reports::list, reports::create))
        .api(routes!(reports::read, reports::update, reports::delete))
        .api(routes!(reports::data))
        .api(routes!(dashboards::list, dashboards::create))
        .api(routes!(dashboards::read, dashboards::update, dashboards::delete))
        .api(routes!(dashboards::data))
        .api(routes!(lists::list, lists::create))
        .api(routes!(lists::read, lists::update, lists::delete))
        .api(routes!(lists::members::list, lists::members::change))
        .api(routes!(lists::members::put, lists::members::take))
}

fn work(routes: Routes) -> Routes {
    routes
        .api_stream(routes!(imports::create))
        .api(routes!(exports::create))
        .api_stream(routes!(exports::file))
        .api(routes!(jobs::list))
        .api(routes!(jobs::read))
        .api(routes!(jobs::cancel))
        .api(routes!(jobs::errors))
}

/// The routes with everything around them.
pub(crate) fn service(router: Router<AppState>, state: AppState) -> Router {
    router.layer(Observed(state.clone())).with_state(state)
}
