//! Records and their links: one, many, and searches.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A record to be made or changed.
#[derive(ToSchema)]
pub(crate) struct RecordInput {
    /// Values by property; null and the empty text take a value away.
    properties: Option<Map<String, Value>>,
    /// The user who owns it.
    owner_id: Option<String>,
    /// The team that it belongs to.
    team_id: Option<String>,
    /// Links that are made with it.
    associations: Option<Vec<LinkInput>>,
}

/// A link of the record that it stands in.
#[derive(ToSchema)]
pub(crate) struct LinkInput {
    /// The association's name.
    #[schema(rename = "type")]
    kind: String,
    /// Id or uid of the other record.
    to: String,
    label: Option<String>,
    properties: Option<Map<String, Value>>,
}

/// What a link is called and carries.
#[derive(ToSchema)]
pub(crate) struct LinkContents {
    label: Option<String>,
    properties: Option<Map<String, Value>>,
}

/// Records to be merged into another one.
#[derive(ToSchema)]
pub(crate) struct Merge {
    /// Ids or uids, at most 100; where the record that remains has no value, the first one's that has one is taken.
    from: Vec<String>,
    /// Property to the id of the record whose value is taken.
    properties: Option<BTreeMap<String, String>>,
}

/// A record to be taken out of the one that it was merged into.
#[derive(ToSchema)]
pub(crate) struct Unmerge {
    /// Id or uid of the record that was merged.
    id: String,
}

/// Where a record is moved to.
#[derive(ToSchema)]
pub(crate) struct StageMove {
    /// The pipeline; the one that the record is in where none is named.
    pipeline: Option<String>,
    /// The stage.
    stage: String,
    /// Values by property, such as those that the stage asks for; null and the empty text take a value away.
    properties: Option<Map<String, Value>>,
    /// Id or uid of the record that it is put behind on the board, null for the top; unless given it keeps its place.
    #[schema(nullable)]
    after: Option<String>,
}

/// A record that may be a duplicate.
#[derive(ToSchema)]
#[schema(as = DuplicateCheckInput)]
pub(crate) struct DuplicateCheck {
    /// As many of its values as are known, by property; a `domain` takes addresses of pages and people, too.
    properties: Map<String, Value>,
    /// Id or uid of the record, where it is there already.
    record: Option<String>,
}

/// Something that has happened to a record.
#[derive(ToSchema)]
pub(crate) struct ActivityInput {
    /// A type of activity that a pack declares, such as `email.sent`.
    #[schema(rename = "type")]
    kind: String,
    /// When, with an offset; now unless given.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// What the type takes, by name.
    details: Option<Map<String, Value>>,
    /// Ids or uids of further records that it has happened to, at most 100.
    also: Option<Vec<String>>,
}

/// For which other record something is assessed.
#[derive(ToSchema)]
pub(crate) struct ScoreFor {
    /// Id or uid; alone unless given.
    #[schema(rename = "for")]
    counterpart: Option<String>,
}

/// What a person says in place of a rule.
#[derive(ToSchema)]
pub(crate) struct ScoreOverride {
    /// From 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    score: i64,
    /// Why.
    rationale: String,
    /// Id or uid of the record that the subject is assessed for.
    #[schema(rename = "for")]
    counterpart: Option<String>,
}

/// What became of what stands.
#[derive(ToSchema)]
pub(crate) struct ScoreReview {
    /// `accepted` or `rejected`.
    review: String,
    /// Id or uid of the record that the subject is assessed for.
    #[schema(rename = "for")]
    counterpart: Option<String>,
}

/// What to take back; exactly one of the two.
#[derive(ToSchema)]
pub(crate) struct UndoInput {
    /// The `X-Request-Id` of a request.
    request_id: Option<String>,
    /// A job that has ended.
    job_id: Option<String>,
}

/// Up to 1,000 records.
#[derive(ToSchema)]
pub(crate) struct RecordBatch {
    inputs: Vec<RecordBatchInput>,
    /// All or nothing.
    atomic: Option<bool>,
    /// The unique property that `id` is a value of; needed to upsert.
    id_property: Option<String>,
    /// Properties that the replies show.
    select: Option<Vec<String>>,
    /// To assign: id of the user who gets all records whose input names none; null for nobody.
    owner_id: Option<String>,
    /// To assign: id of the assignment rule that those go by; without it, the first that each meets.
    rule: Option<String>,
}

/// One record of a batch; which members it takes depends on the verb.
#[derive(ToSchema)]
pub(crate) struct RecordBatchInput {
    /// Id, uid, or a value of `id_property`.
    id: Option<String>,
    /// Only if the record is at this version.
    version: Option<i64>,
    properties: Option<Map<String, Value>>,
    owner_id: Option<String>,
    team_id: Option<String>,
    associations: Option<Vec<LinkInput>>,
}

/// What a search asks.
#[derive(ToSchema)]
pub(crate) struct Search {
    /// Full text: every word must be found, the last one as a beginning too; phrases in quotation marks.
    q: Option<String>,
    /// Forgives one letter in words of four, two in words of eight.
    fuzzy: Option<bool>,
    /// `{all: […]}`, `{any: […]}`, `{not: …}`, `{property, op, value}` or `{association, quantifier or count, match}`.
    filter: Option<Map<String, Value>>,
    /// `{property, direction?}` or `"-property"`, first key first.
    sort: Option<Vec<Value>>,
    /// Properties that the replies show.
    select: Option<Vec<String>>,
    /// Linked records to bring along: `company(name)`.
    include: Option<Vec<String>>,
    /// 0 to 200, by default 50.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Answers with the number of all matches.
    count: Option<bool>,
    /// Tables by name: `{group, measures, limit?, order?}`.
    aggregate: Option<BTreeMap<String, Value>>,
    /// `strong` (the default) sees every write acknowledged before; `eventual` does not wait.
    consistency: Option<String>,
    /// Only archived records.
    archived: Option<bool>,
}

/// What a search across objects asks.
#[derive(ToSchema)]
pub(crate) struct SearchAcross {
    /// Objects to search; all that the caller may see where none are named.
    objects: Option<Vec<String>>,
    #[schema(inline)]
    #[serde(flatten)]
    search: Search,
}

/// Up to 1,000 operations, all or nothing.
#[derive(ToSchema)]
pub(crate) struct Transaction {
    operations: Option<Vec<Operation>>,
}

/// One operation; which members it takes depends on `op`. `"$name"` stands wherever an id does.
#[derive(ToSchema)]
pub(crate) struct Operation {
    /// `create`, `update`, `upsert`, `archive`, `restore`, `associate` or `dissociate`.
    op: String,
    /// The name under which later operations know the record.
    #[schema(rename = "ref")]
    reference: Option<String>,
    object: Option<String>,
    id: Option<String>,
    id_property: Option<String>,
    version: Option<i64>,
    properties: Option<Map<String, Value>>,
    owner_id: Option<String>,
    team_id: Option<String>,
    associations: Option<Vec<LinkInput>>,
    /// The association's name.
    #[schema(rename = "type")]
    kind: Option<String>,
    from: Option<String>,
    to: Option<String>,
    label: Option<String>,
    /// Takes links in the way away.
    replace: Option<bool>,
}

/// Up to 1,000 links.
#[derive(ToSchema)]
pub(crate) struct LinkBatch {
    inputs: Vec<LinkBatchInput>,
    /// All or nothing.
    atomic: Option<bool>,
}

/// A link between two records.
#[derive(ToSchema)]
pub(crate) struct LinkBatchInput {
    /// The association's name.
    #[schema(rename = "type")]
    kind: String,
    from: String,
    to: String,
    label: Option<String>,
    properties: Option<Map<String, Value>>,
    /// Takes links in the way away.
    replace: Option<bool>,
}

/// Up to 1,000 records whose links are wanted.
#[derive(ToSchema)]
pub(crate) struct LinksOfRecords {
    inputs: Vec<RecordName>,
    /// The association's name.
    #[schema(rename = "type")]
    kind: String,
    /// 1 to 200 links of each, by default 50.
    limit: Option<i64>,
}

/// A record by its object and id.
#[derive(ToSchema)]
pub(crate) struct RecordName {
    object: String,
    id: String,
}
