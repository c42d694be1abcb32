//! Why somebody may do something with records, or may not.

use engine::{AccessQuestion, ExplainedAccess};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::error::ApiResult;
use crate::extract::Authorized;
use crate::extract::query::{FromQuery, Query, QueryReader};

/// What is asked.
#[derive(Debug)]
pub(crate) struct Question(AccessQuestion);

impl FromQuery for Question {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let [user, object, record] = ["user", "object", "record"].map(|name| query.text(name));
        let (action, property) = (query.text("action"), query.text("property"));
        Some(Self(AccessQuestion { user, object, record, action, property }))
    }
}

/// Whether something is allowed, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedAccess)]
pub(crate) struct ExplainedBody {
    allowed: bool,
    /// In a sentence.
    reason: String,
    /// What was looked at; all of it must allow it.
    rules: Vec<RuleBody>,
}

/// A rule that was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessRule)]
pub(crate) struct RuleBody {
    /// `user_role`, `token_role` or `scopes`.
    source: &'static str,
    /// The role's name, or the scopes.
    name: String,
    /// What it says, such as `deal.update: own`.
    rule: String,
    /// Whether it allows what is asked.
    allows: bool,
}

impl From<ExplainedAccess> for ExplainedBody {
    fn from(ExplainedAccess { decision }: ExplainedAccess) -> Self {
        let rules = decision.rules.into_iter().map(|verdict| RuleBody {
            source: verdict.source.as_str(),
            name: verdict.name,
            rule: verdict.rule,
            allows: verdict.allows,
        });
        Self { allowed: decision.allowed, reason: decision.reason, rules: rules.collect() }
    }
}

/// Says why somebody may do something with records, or may not.
///
/// Administrators ask about anybody, others about themselves; of themselves, the token that asks counts too.
#[utoipa::path(get, path = "/access/explain", tag = "access", operation_id = "explain",
    params(("user" = Option<String>, Query, description = "The user's id; the caller without one"),
        ("object" = Option<String>, Query, description = "The object's name; that of the record without one"),
        ("record" = Option<String>, Query, description = "Id or uid; without one, whether there could be such a record"),
        ("action" = Option<String>, Query, description = "`create`, `read`, `update` or `archive`"),
        ("property" = Option<String>, Query, description = "A property of it")),
    responses((status = 200, description = "The answer", body = ExplainedBody)))]
pub(crate) async fn explain(
    Authorized(mut session): Authorized,
    Query(Question(question)): Query<Question>,
) -> ApiResult<Answer> {
    Answer::ok(&ExplainedBody::from(session.access_explain(&question).await?))
}
