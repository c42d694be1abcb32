//! Reading one record, as it is or as it was.

use axum::http::StatusCode;
use engine::Session;
use engine::model::Sequence;
use engine::model::time::Timestamp;
use engine::records::{Include, Moment, Record, View};

use super::write::ById;
use crate::api::answer::Answer;
use crate::api::wire::RecordBody;
use crate::error::ApiResult;
use crate::extract::query::{FromQuery, Query, QueryReader};
use crate::extract::{Authorized, Path};

/// What of a record is wanted.
#[derive(Debug)]
pub(crate) struct ReadQuery {
    by: ById,
    view: ViewQuery,
    as_of: Option<Moment>,
}

impl FromQuery for ReadQuery {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let by = ById::from_query(query)?;
        let view = ViewQuery::from_query(query)?;
        let as_of = query.text("at").and_then(|text| {
            let moment = Timestamp::parse(&text).map(Moment::Time);
            let moment = moment.or_else(|| text.parse().ok().map(|sequence| Moment::Sequence(Sequence(sequence))));
            if moment.is_none() {
                let message = "`at` is a moment such as `2030-01-31T12:00:00Z`, or a sequence of the change log";
                query.problem("at", "invalid", message);
            }
            moment
        });
        if as_of.is_some() && view.include.is_some() {
            query.problem(
                "include",
                "invalid",
                "what a record was linked to is not kept with its past; leave out `include`, or `at`",
            );
        }
        Some(Self { by, view, as_of })
    }
}

/// `select`, `include` and `html`.
#[derive(Debug)]
pub(crate) struct ViewQuery {
    select: Vec<String>,
    include: Option<String>,
    pub(super) html: bool,
}

impl FromQuery for ViewQuery {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        Some(Self { select: query.names("select"), include: query.text("include"), html: query.flag("html") })
    }
}

impl ViewQuery {
    pub(crate) fn view(self) -> ApiResult<View> {
        let include = self.include.as_deref().map(Include::parse_list).transpose()?.unwrap_or_default();
        Ok(View { select: (!self.select.is_empty()).then_some(self.select), include })
    }
}

/// Reads a record.
#[utoipa::path(get, path = "/records/{object}/{id}", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("select" = Option<String>, Query, description = "Properties to show, separated by commas"),
        ("include" = Option<String>, Query, description = "Linked records to bring along: `company(name,domain)`"),
        ("html" = Option<bool>, Query, description = "Also what is written in Markdown as HTML"),
        ("at" = Option<String>, Query, description = "A moment, or a sequence of the change log")),
    responses((status = 200, description = "The record", body = RecordBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(ReadQuery { by, view, as_of }): Query<ReadQuery>,
) -> ApiResult<Answer> {
    let html = view.html;
    let (target, view) = (by.target(id), view.view()?);
    if let Some(moment) = as_of {
        let record = session.record_as_of(&object, &target, moment, &view).await?;
        return Answer::json(StatusCode::OK, &shown(&session, record, html).await?);
    }
    let found = session.record_read(&object, &target, &view).await?;
    let version = found.record.version;
    Ok(Answer::ok(&shown(&session, found.record, html).await?)?.tagged(version).at(found.sequence))
}

async fn shown(session: &Session, record: Record, html: bool) -> ApiResult<RecordBody> {
    let shown = if html { session.add_html(vec![record]).await? } else { vec![record] };
    let missing = || engine::Error::internal("a record is lost");
    Ok(RecordBody::from(shown.into_iter().next().ok_or_else(missing)?))
}
