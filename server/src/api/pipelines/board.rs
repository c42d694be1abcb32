//! A pipeline's board: its stages as columns.

use std::collections::BTreeMap;

use engine::model::Sequence;
use engine::pipelines::{Amount, Board, BoardQuery, Column};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::api::wire::RecordBody;
use crate::error::ApiResult;
use crate::extract::query::{FromQuery, MAX_LIMIT, Query, QueryReader};
use crate::extract::{Authorized, Path};

/// Records of each column unless asked otherwise.
const LIMIT: usize = 20;

/// What of a pipeline is looked at.
#[derive(Debug)]
pub(crate) struct Wanted(BoardQuery);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let limit = query.parsed::<usize>("limit", "a number").unwrap_or(LIMIT);
        if limit > MAX_LIMIT {
            query.problem("limit", "out_of_range", format!("`limit` is from 0 to {MAX_LIMIT}"));
        }
        let named = |names: Vec<String>| Some(names).filter(|names| !names.is_empty());
        Some(Self(BoardQuery {
            filter: query.text("filter"),
            q: query.text("q"),
            sort: query.names("sort"),
            select: named(query.names("select")),
            limit,
            sums: named(query.names("sum")),
            stage: query.text("stage"),
            cursor: query.text("cursor"),
        }))
    }
}

/// A pipeline with what is in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Board)]
pub(crate) struct BoardBody {
    pipeline: String,
    label: String,
    /// In the order of the pipeline.
    columns: Vec<ColumnBody>,
    /// The position of the change log that all this has seen.
    #[schema(value_type = String)]
    sequence: Sequence,
}

/// One stage on a board.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BoardColumn)]
pub(crate) struct ColumnBody {
    stage: String,
    label: String,
    /// `open`, `won`, `lost`, `closed`, or one of the pipeline's categories.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    category: String,
    /// In percent.
    #[schema(required)]
    probability: Option<u8>,
    #[schema(required)]
    color: Option<String>,
    /// Not entered any more; shown as long as records are in it.
    archived: bool,
    /// How many records are in it.
    count: u64,
    /// By property and currency.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, String>>)]
    sums: BTreeMap<String, BTreeMap<String, Amount>>,
    /// The first of them.
    results: Vec<RecordBody>,
    /// Where the next ones of this column begin; null after the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl From<Column> for ColumnBody {
    fn from(column: Column) -> Self {
        Self {
            stage: column.stage,
            label: column.label,
            category: column.category,
            probability: column.probability,
            color: column.color,
            archived: column.archived,
            count: column.count,
            sums: column.sums.into_iter().map(|(name, sums)| (name, sums.into_iter().collect())).collect(),
            results: column.results.into_iter().map(RecordBody::from).collect(),
            next_cursor: column.next_cursor,
        }
    }
}

impl From<Board> for BoardBody {
    fn from(board: Board) -> Self {
        let Board { pipeline, label, columns, sequence } = board;
        Self { pipeline, label, columns: columns.into_iter().map(ColumnBody::from).collect(), sequence }
    }
}

/// Shows a pipeline as a board: a column for each stage, with its count, its sums and its first records.
#[utoipa::path(get, path = "/pipelines/{object}/{pipeline}/board", tag = "pipelines", operation_id = "board",
    params(("object" = String, Path, description = "The object's name"),
        ("pipeline" = String, Path, description = "The pipeline's name"),
        ("filter" = Option<String>, Query, description = "What records meet: a CEL expression, or the JSON of a search's `filter`"),
        ("q" = Option<String>, Query, description = "Full text that records match"),
        ("sort" = Option<String>, Query, description = "The order of columns: names separated by commas, after a minus for highest first; by rank, where none is given"),
        ("select" = Option<String>, Query, description = "Properties to show, separated by commas"),
        ("limit" = Option<usize>, Query, description = "Records of each column: 0 to 200, by default 20"),
        ("sum" = Option<String>, Query, description = "Amounts that are added up, separated by commas; all of the object, where none is given"),
        ("stage" = Option<String>, Query, description = "Only this column"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the column before")),
    responses((status = 200, description = "The board", body = BoardBody)))]
pub(crate) async fn read(
    Authorized(mut session): Authorized,
    Path((object, pipeline)): Path<(String, String)>,
    Query(Wanted(query)): Query<Wanted>,
) -> ApiResult<Answer> {
    let board = session.board(&object, &pipeline, &query).await?;
    let sequence = board.sequence;
    Ok(Answer::ok(&BoardBody::from(board))?.at(sequence))
}
