//! Assignment rules: who gets records that nobody was given.

use axum::http::StatusCode;
use engine::assignment::AssignmentRule;
use engine::model::time::Timestamp;
use engine::model::{TeamId, UserId};
use engine::records::Written;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::api::definitions::body::SpecBody;
use crate::api::packs::WarningBody;
use crate::api::saved::Listed;
use crate::api::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::JsonBody;
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::openapi::bodies;

/// An assignment rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssignmentRule)]
pub(crate) struct RuleBody {
    id: String,
    object: String,
    label: String,
    /// Rules of an object are tried from the lowest on.
    position: i64,
    /// CEL that a record must meet; every record does where it is null.
    #[schema(required)]
    when: Option<String>,
    /// Those who take turns; empty where a team does.
    #[schema(value_type = Vec<String>)]
    users: Vec<UserId>,
    /// The team whose members take turns, which the record then belongs to.
    #[schema(required, value_type = Option<String>)]
    team: Option<TeamId>,
    active: bool,
    /// What it names that is not there any more.
    warnings: Vec<WarningBody>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<AssignmentRule> for RuleBody {
    fn from(rule: AssignmentRule) -> Self {
        let AssignmentRule { id, object, label, position, when, users, team, .. } = rule;
        let AssignmentRule { is_active: active, warnings, created_at, updated_at, .. } = rule;
        let (id, warnings) = (id.to_string(), warnings.into_iter().map(WarningBody::from).collect());
        Self { id, object, label, position, when, users, team, active, warnings, created_at, updated_at }
    }
}

/// Lists the assignment rules, in the order in which they were made.
#[utoipa::path(get, path = "/assignment-rules", tag = "assignment", operation_id = "list",
    params(("object" = Option<String>, Query, description = "Only those of this object"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<RuleBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Query(Listed { page, object }): Query<Listed>,
) -> ApiResult<Answer> {
    let found = session.assignment_rules(object.as_deref(), page.limit, page.cursor.as_deref()).await?;
    Answer::ok(&ListBody::of(found, RuleBody::from))
}

/// Reads an assignment rule.
#[utoipa::path(get, path = "/assignment-rules/{id}", tag = "assignment", operation_id = "read",
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 200, description = "The rule", body = RuleBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    Answer::ok(&RuleBody::from(session.assignment_rule(&id).await?))
}

/// Makes an assignment rule.
#[utoipa::path(post, path = "/assignment-rules", tag = "assignment", operation_id = "create",
    request_body = bodies::AssignmentRuleInput,
    responses((status = 201, description = "The rule", body = RuleBody)))]
pub(crate) async fn create(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let SpecBody(spec) = body.read()?;
    let reply = Box::new(|written: &Written<AssignmentRule>| Answer::keep(created(written)));
    let written = session.assignment_rule_create(spec, Some(reply)).await?;
    created(&written)
}

fn created(written: &Written<AssignmentRule>) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::CREATED, &RuleBody::from(written.value.clone()))?.at(written.sequence))
}

/// Changes an assignment rule; null takes away.
#[utoipa::path(patch, path = "/assignment-rules/{id}", tag = "assignment", operation_id = "update",
    params(("id" = String, Path, description = "The rule's id")), request_body = bodies::AssignmentRuleInput,
    responses((status = 200, description = "The rule", body = RuleBody)))]
pub(crate) async fn update(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let SpecBody(patch) = body.read()?;
    let written = session.assignment_rule_change(&id, patch).await?;
    Ok(Answer::ok(&RuleBody::from(written.value))?.at(written.sequence))
}

/// Takes an assignment rule away; records keep their owners.
#[utoipa::path(delete, path = "/assignment-rules/{id}", tag = "assignment", operation_id = "delete",
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    Authorized(mut session): Authorized,
    Path(id): Path<String>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    let written = session.assignment_rule_delete(&id).await?;
    Ok(Answer::empty().at(written.sequence))
}
