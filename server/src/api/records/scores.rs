//! A score of one record: what stands, what stood, having it assessed, and what people say of it.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::Session;
use engine::model::time::Timestamp;
use engine::model::{Problems, RecordId, Sequence, UserId};
use engine::scoring::{CriterionAnswer, PastAssessment, Review, Said, ScoreAnswer, ScoreReply, Wish};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::body::Id;
use super::write::ById;
use crate::api::answer::Answer;
use crate::api::wire::{LinkedRecord, ListBody};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{FromQuery, Page, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path, once, once_without_body};
use crate::openapi::bodies;

/// A score of a record, alone or for another record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordScore)]
pub(crate) struct ScoreBody {
    /// The score's name.
    score: String,
    /// From 0 to 100; null where nothing counts, or nobody has assessed the record.
    #[schema(required)]
    total: Option<i64>,
    /// By what it came about: each criterion with what it gave, a line each.
    #[schema(required)]
    rationale: Option<String>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    assessed_at: Option<Timestamp>,
    /// The record of the total.
    #[schema(required, value_type = Option<String>)]
    assessment_id: Option<RecordId>,
    criteria: Vec<CriterionBody>,
}

/// What stands of one criterion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordScoreCriterion)]
pub(crate) struct CriterionBody {
    criterion: LinkedRecord,
    /// How much it counts beside the others, an exact number.
    #[schema(required)]
    weight: Option<String>,
    /// From 0 to 100; null where there is no answer.
    #[schema(required)]
    score: Option<i64>,
    #[schema(required)]
    rationale: Option<String>,
    /// `person` or `rule`; null where it is not answered.
    #[schema(required)]
    by: Option<&'static str>,
    #[schema(required, value_type = Option<String>)]
    user: Option<UserId>,
    /// `pending`, `accepted` or `rejected`.
    #[schema(required)]
    review: Option<&'static str>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    assessed_at: Option<Timestamp>,
    /// The record of the answer.
    #[schema(required, value_type = Option<String>)]
    assessment_id: Option<RecordId>,
    /// What the rule says where a person has overridden it.
    #[schema(required)]
    rule: Option<RuleBody>,
}

/// What a rule says where a person has overridden it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverriddenRule)]
pub(crate) struct RuleBody {
    #[schema(required)]
    score: Option<i64>,
    #[schema(required)]
    rationale: Option<String>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    assessed_at: Option<Timestamp>,
}

/// An assessment that was made once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Assessment)]
pub(crate) struct AssessmentBody {
    /// The record that it is.
    #[schema(value_type = String)]
    id: RecordId,
    /// What was answered; null where it is a total.
    #[schema(required)]
    criterion: Option<LinkedRecord>,
    #[schema(required)]
    score: Option<i64>,
    #[schema(required)]
    rationale: Option<String>,
    /// `person` or `rule`.
    #[schema(required)]
    by: Option<&'static str>,
    #[schema(required, value_type = Option<String>)]
    user: Option<UserId>,
    /// `pending`, `accepted` or `rejected`.
    #[schema(required)]
    review: Option<&'static str>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    assessed_at: Option<Timestamp>,
    /// Whether it stands.
    current: bool,
}

impl From<Said> for RuleBody {
    fn from(Said { score, rationale, assessed_at, .. }: Said) -> Self {
        Self { score, rationale, assessed_at }
    }
}

impl From<CriterionAnswer> for CriterionBody {
    fn from(answer: CriterionAnswer) -> Self {
        let Said { score, rationale, by, user, review, assessed_at } = answer.said;
        Self {
            criterion: answer.criterion.into(),
            weight: answer.weight,
            score,
            rationale,
            by,
            user,
            review: review.map(Review::as_str),
            assessed_at,
            assessment_id: answer.assessment,
            rule: answer.rule.map(RuleBody::from),
        }
    }
}

impl From<ScoreAnswer> for ScoreBody {
    fn from(answer: ScoreAnswer) -> Self {
        let ScoreAnswer { score, total, rationale, assessed_at, assessment, criteria } = answer;
        let criteria = criteria.into_iter().map(CriterionBody::from).collect();
        Self { score, total, rationale, assessed_at, assessment_id: assessment, criteria }
    }
}

impl From<PastAssessment> for AssessmentBody {
    fn from(past: PastAssessment) -> Self {
        let PastAssessment { assessment, criterion, said, is_current } = past;
        let Said { score, rationale, by, user, review, assessed_at } = said;
        Self {
            id: assessment,
            criterion: criterion.map(LinkedRecord::from),
            score,
            rationale,
            by,
            user,
            review: review.map(Review::as_str),
            assessed_at,
            current: is_current,
        }
    }
}

/// For which other record, and which property the id in the path is a value of.
#[derive(Debug)]
pub(crate) struct Beside {
    counterpart: Option<String>,
    by: ById,
}

impl FromQuery for Beside {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let counterpart = query.text("for");
        Some(Self { counterpart, by: ById::from_query(query)? })
    }
}

/// The same, some at a time.
#[derive(Debug)]
pub(crate) struct PageBeside {
    beside: Beside,
    page: Page,
}

impl FromQuery for PageBeside {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let page = query.page();
        let beside = Beside::from_query(query);
        Some(Self { beside: beside?, page: page? })
    }
}

/// Reads a score of a record as it stands.
#[utoipa::path(get, path = "/records/{object}/{id}/scores/{score}", tag = "scores", operation_id = "read",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("score" = String, Path, description = "The score's name"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("for" = Option<String>, Query, description = "Id or uid of the record that it is assessed for")),
    responses((status = 200, description = "The score", body = ScoreBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path((object, id, score)): Path<(String, String, String)>,
    Query(Beside { counterpart, by }): Query<Beside>,
) -> ApiResult<Answer> {
    let found = session.score(&object, &by.target(id), &score, counterpart.as_deref()).await?;
    Answer::ok(&ScoreBody::from(found))
}

/// Lists the assessments of a record, newest first, those that do not stand any more included.
#[utoipa::path(get, path = "/records/{object}/{id}/scores/{score}/history", tag = "scores", operation_id = "history",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("score" = String, Path, description = "The score's name"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("for" = Option<String>, Query, description = "Id or uid of the record that it was assessed for"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<AssessmentBody>)))]
pub(crate) async fn history(
    Authorized(mut session): Authorized,
    Path((object, id, score)): Path<(String, String, String)>,
    Query(PageBeside { beside: Beside { counterpart, by }, page }): Query<PageBeside>,
) -> ApiResult<Answer> {
    let of = (score.as_str(), counterpart.as_deref());
    let found = session.score_history(&object, &by.target(id), of, (page.limit, page.cursor)).await?;
    Answer::ok(&ListBody::of(found, AssessmentBody::from))
}

/// `{for?}`.
#[derive(Debug, Default)]
struct AssessFields(Option<String>);

impl<'a> FromJson<'a> for AssessFields {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let counterpart = object.optional::<Id>("for").map(|Id(id)| id);
        object.finish();
        Some(Self(counterpart))
    }
}

/// Assesses a record now: rules answer all criteria anew.
#[utoipa::path(post, path = "/records/{object}/{id}/scores/{score}", tag = "scores", operation_id = "assess",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("score" = String, Path, description = "The score's name"),
        ("id_property" = Option<String>, Query, description = "A unique property")),
    request_body(content = Option<bodies::ScoreFor>, description = "For which other record; may be left out"),
    responses((status = 200, description = "The score", body = ScoreBody)))]
pub(crate) async fn assess(
    Authorized(mut session): Authorized,
    Path((object, id, score)): Path<(String, String, String)>,
    Query(by): Query<ById>,
    key: Option<IdempotencyKey>,
    body: Option<JsonBody>,
) -> ApiResult<Answer> {
    let (AssessFields(counterpart), problems) = match &body {
        Some(body) => {
            once(&mut session, key.as_ref(), body).await?;
            body.read_all()?
        }
        None => {
            once_without_body(&mut session, key.as_ref()).await?;
            (AssessFields::default(), Problems::new())
        }
    };
    let of = Of { object, by, id, score };
    fulfil(&mut session, of, (Wish::Assess, counterpart), problems).await
}

/// `{score, rationale, for?}`.
#[derive(Debug)]
struct OverrideFields {
    points: Option<i64>,
    rationale: Option<String>,
    counterpart: Option<String>,
}

impl<'a> FromJson<'a> for OverrideFields {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let points = object.required::<i64>("score");
        let rationale = object.required::<String>("rationale");
        let counterpart = object.optional::<Id>("for").map(|Id(id)| id);
        object.finish();
        Some(Self { points, rationale, counterpart })
    }
}

/// Overrides what the rule says of one criterion; it stands whatever the rule says from then on.
#[utoipa::path(put, path = "/records/{object}/{id}/scores/{score}/criteria/{criterion}", tag = "scores",
    operation_id = "override",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("score" = String, Path, description = "The score's name"),
        ("criterion" = String, Path, description = "Id or uid of the criterion"),
        ("id_property" = Option<String>, Query, description = "A unique property")),
    request_body = bodies::ScoreOverride, responses((status = 200, description = "The score", body = ScoreBody)))]
pub(crate) async fn put(
    Authorized(mut session): Authorized,
    Path((object, id, score, criterion)): Path<(String, String, String, String)>,
    Query(by): Query<ById>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (OverrideFields { points, rationale, counterpart }, problems) = body.read_all()?;
    let wish = Wish::Override { criterion, points, rationale };
    fulfil(&mut session, Of { object, by, id, score }, (wish, counterpart), problems).await
}

/// Takes an override back: what the rule said last stands again.
#[utoipa::path(delete, path = "/records/{object}/{id}/scores/{score}/criteria/{criterion}", tag = "scores",
    operation_id = "take_back",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("score" = String, Path, description = "The score's name"),
        ("criterion" = String, Path, description = "Id or uid of the criterion"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("for" = Option<String>, Query, description = "Id or uid of the record that it is assessed for")),
    responses((status = 200, description = "The score", body = ScoreBody)))]
pub(crate) async fn take_back(
    Authorized(mut session): Authorized,
    Path((object, id, score, criterion)): Path<(String, String, String, String)>,
    Query(Beside { counterpart, by }): Query<Beside>,
    key: Option<IdempotencyKey>,
) -> ApiResult<Answer> {
    once_without_body(&mut session, key.as_ref()).await?;
    let wish = Wish::TakeBack { criterion };
    fulfil(&mut session, Of { object, by, id, score }, (wish, counterpart), Problems::new()).await
}

/// `{review, for?}`.
#[derive(Debug)]
struct ReviewFields {
    review: Option<Review>,
    counterpart: Option<String>,
}

impl<'a> FromJson<'a> for ReviewFields {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        const REVIEWS: &[(&str, Review)] = &[("accepted", Review::Accepted), ("rejected", Review::Rejected)];
        let mut object = reading.object(raw)?;
        if !object.has("review") {
            object.problem_at("review", "required", "`review` is `accepted` or `rejected`");
        }
        let review = object.choice("review", REVIEWS);
        let counterpart = object.optional::<Id>("for").map(|Id(id)| id);
        object.finish();
        Some(Self { review, counterpart })
    }
}

/// Accepts or rejects what stands of one criterion; what is rejected does not count.
#[utoipa::path(put, path = "/records/{object}/{id}/scores/{score}/criteria/{criterion}/review", tag = "scores",
    operation_id = "review",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("score" = String, Path, description = "The score's name"),
        ("criterion" = String, Path, description = "Id or uid of the criterion"),
        ("id_property" = Option<String>, Query, description = "A unique property")),
    request_body = bodies::ScoreReview, responses((status = 200, description = "The score", body = ScoreBody)))]
pub(crate) async fn review(
    Authorized(mut session): Authorized,
    Path((object, id, score, criterion)): Path<(String, String, String, String)>,
    Query(by): Query<ById>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (ReviewFields { review, counterpart }, problems) = body.read_all()?;
    let wish = Wish::Review { criterion, review };
    fulfil(&mut session, Of { object, by, id, score }, (wish, counterpart), problems).await
}

/// Which score of which record.
struct Of {
    object: String,
    id: String,
    by: ById,
    score: String,
}

async fn fulfil(
    session: &mut Session,
    Of { object, id, by, score }: Of,
    (wish, counterpart): (Wish, Option<String>),
    problems: Problems,
) -> ApiResult<Answer> {
    let reply: ScoreReply =
        Arc::new(|found: &ScoreAnswer, sequence: Sequence| Answer::keep(answer(found.clone(), sequence)));
    let reply = session.idempotency().is_some().then_some(reply);
    let wanted = (&wish, counterpart.as_deref());
    let written = session.score_wish(&object, &by.target(id), &score, wanted, problems, reply).await?;
    answer(written.value, written.sequence)
}

fn answer(found: ScoreAnswer, sequence: Sequence) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::OK, &ScoreBody::from(found))?.at(sequence))
}
