//! Views, reports and dashboards, saved by users or defined by packs: what the three have in common.

pub(crate) mod dashboards;
pub(crate) mod reports;
pub(crate) mod views;

use axum::http::StatusCode;
use engine::Session;
use engine::model::time::Timestamp;
use engine::model::{TeamId, UserId};
use engine::records::Written;
use engine::saved::{SavedItem, Section};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::answer::Answer;
use super::definitions::body::SpecBody;
use super::language::Language;
use super::packs::WarningBody;
use super::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{FromQuery, Page, QueryReader};
use crate::extract::{IdempotencyKey, once};

/// A view, a report or a dashboard.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedItem)]
pub(crate) struct ItemBody {
    /// The id of what a user has saved; the name of what a pack defines.
    id: String,
    label: String,
    /// What it says, as in a pack.
    #[serde(flatten)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    spec: Map<String, Value>,
    /// `private`, `team` or `everyone`.
    sharing: String,
    /// Who saved it; null where a pack defines it.
    #[schema(required, value_type = Option<String>)]
    owner_id: Option<UserId>,
    /// The team that it is shared with.
    #[schema(required, value_type = Option<String>)]
    team: Option<TeamId>,
    /// The pack that defines it, or `custom`.
    layer: String,
    /// What it names that is not there any more, or that the caller may not see; the rest of it goes on.
    warnings: Vec<WarningBody>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl From<SavedItem> for ItemBody {
    fn from(item: SavedItem) -> Self {
        let SavedItem { id, label, sharing, owner, team, layer, spec, warnings, created_at, updated_at } = item;
        let warnings = warnings.into_iter().map(WarningBody::from).collect();
        Self { id, label, spec, sharing, owner_id: owner, team, layer, warnings, created_at, updated_at }
    }
}

/// Which page, and of which object.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) page: Page,
    pub(crate) object: Option<String>,
}

impl FromQuery for Listed {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let object = query.text("object");
        query.page().map(|page| Self { page, object })
    }
}

async fn list(mut session: Session, section: Section, listed: Listed, language: &Language) -> ApiResult<Answer> {
    let Listed { page, object } = listed;
    let found = session.saved_list(section, object.as_deref(), page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, |item| item_in(language, &session, section, item)))
}

async fn read(mut session: Session, section: Section, id: &str, language: &Language) -> ApiResult<Answer> {
    let item = session.saved(section, id).await?;
    Answer::ok(&item_in(language, &session, section, item))
}

/// An item with the label that its pack has for a language; users have written theirs.
fn item_in(language: &Language, session: &Session, section: Section, mut item: SavedItem) -> ItemBody {
    if item.owner.is_none() {
        language.label(session, section, &item.id, &mut item.label);
    }
    ItemBody::from(item)
}

async fn create(
    mut session: Session,
    section: Section,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let SpecBody(spec) = body.read()?;
    let reply = Box::new(|written: &Written<SavedItem>| Answer::keep(created(written)));
    let written = session.saved_create(section, spec, Some(reply)).await?;
    created(&written)
}

fn created(written: &Written<SavedItem>) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::CREATED, &ItemBody::from(written.value.clone()))?.at(written.sequence))
}

async fn update(mut session: Session, section: Section, id: &str, body: JsonBody) -> ApiResult<Answer> {
    let SpecBody(patch) = body.read()?;
    let written = session.saved_change(section, id, patch).await?;
    Ok(Answer::ok(&ItemBody::from(written.value))?.at(written.sequence))
}

async fn delete(mut session: Session, section: Section, id: &str) -> ApiResult<Answer> {
    let written = session.saved_delete(section, id).await?;
    Ok(Answer::empty().at(written.sequence))
}
