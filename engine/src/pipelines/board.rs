//! A pipeline as a board: its stages as columns, each with its count, its sums and its first records.
//!
//! Counts and sums are one query of the index, the records of each column one more; all are put to the same snapshot,
//! side by side, and the records of all columns are read in one statement.

use std::collections::HashMap;
use std::sync::Arc;

use engine_model::name::did_you_mean;
use engine_model::pipeline::Pipeline;
use engine_model::query::ast::{AggregateText, GroupText, GroupingText, MeasureForm, MeasureText, SortText};
use engine_model::query::resolve::MAX_ROWS;
use engine_model::query::{Answer, Cursor, Hit, Query, QueryText, Table};
use engine_model::rank::RANK;
use engine_model::{Problem, Problems, Sequence};
use futures::future::try_join_all;
use serde_json::Value;

use super::column::{Column, stages_of};
use super::filter::{narrowed, put_filter};
use super::sums::{Sums, add, too_many};
use crate::access::Given;
use crate::error::Result;
use crate::query::of_parameters;
use crate::session::{Session, with_current};

/// What of a pipeline is looked at, and how.
#[derive(Debug, Clone, Default)]
pub struct BoardQuery {
    /// What records meet: an expression, or the JSON of a search's filter.
    pub filter: Option<String>,
    /// Full text that records match.
    pub q: Option<String>,
    /// The order of a column: names, after a minus for highest first; by rank where there are none.
    pub sort: Vec<String>,
    /// Properties to show; all where none are named.
    pub select: Option<Vec<String>>,
    /// Records of each column, 0 to 200.
    pub limit: usize,
    /// Amounts that are added up; all of the object where none are named.
    pub sums: Option<Vec<String>>,
    /// Only this column.
    pub stage: Option<String>,
    /// What comes after this place of the column.
    pub cursor: Option<String>,
}

/// A pipeline with what is in it.
#[derive(Debug)]
pub struct Board {
    /// Name of the pipeline.
    pub pipeline: String,
    /// What people read.
    pub label: String,
    /// In the order of the pipeline.
    pub columns: Vec<Column>,
    /// The position of the change log that all this has seen.
    pub sequence: Sequence,
}

/// What is asked of the index.
struct Asked {
    /// Counts and sums of all columns.
    counts: Arc<Query>,
    sums: Sums,
    /// Of each column, the query as sent and as resolved.
    columns: Vec<(QueryText, Arc<Query>)>,
}

impl Session {
    /// A pipeline's board; what the caller may not see is in no column, count or sum.
    pub async fn board(&mut self, object: &str, pipeline: &str, wanted: &BoardQuery) -> Result<Board> {
        let at_least = self.search_position(&QueryText::default()).await?;
        let found = with_current!(self, self.try_board(object, pipeline, wanted, at_least).await);
        let board = found.map_err(of_parameters)?;
        let mut given = Given::of(board.columns.iter().flat_map(|column| &column.results));
        let definition = self.catalog.object(object)?;
        for name in board.columns.iter().flat_map(|column| column.sums.keys()) {
            given.add_sensitive(definition, name);
        }
        self.write_down(given).await?;
        Ok(board)
    }

    async fn try_board(&self, object: &str, pipeline: &str, wanted: &BoardQuery, at_least: Sequence) -> Result<Board> {
        let definition = self.catalog.object(object)?;
        let pipeline = self.seen_pipeline(definition, pipeline)?;
        let asked = self.ask_for_board(object, pipeline, wanted).await?;
        let at_least = match self.await_rollups(object, at_least).await? {
            true => self.position().await?,
            false => at_least,
        };
        let all: Vec<&Query> = std::iter::once(&asked.counts)
            .chain(asked.columns.iter().map(|(_, query)| query))
            .map(AsRef::as_ref)
            .collect();
        let view = self.view_of(&all, at_least).await?;
        let sequence = view.sequence();
        let queries = asked.columns.iter().map(|(_, query)| query).chain([&asked.counts]);
        let answers = queries.map(|query| self.engine.ask(view.clone(), Arc::clone(query)));
        let mut answers = try_join_all(answers).await?;
        let counts = answers.pop().unwrap_or_default();
        let stages = stages_of(pipeline, wanted.stage.as_deref());
        let mut columns: Vec<Column> = stages.iter().map(|stage| Column::of(stage, asked.sums.nothing())).collect();
        self.take_counts(&mut columns, &asked.sums, &counts.tables)?;
        self.take_records(&mut columns, &asked.columns, answers).await?;
        columns.retain(|column| !column.archived || column.count > 0);
        Ok(Board { pipeline: pipeline.name.to_string(), label: pipeline.label.clone(), columns, sequence })
    }

    /// What is asked, or everything that is wrong with it.
    async fn ask_for_board(&self, object: &str, pipeline: &Pipeline, wanted: &BoardQuery) -> Result<Asked> {
        let definition = self.catalog.object(object)?;
        let mut problems = Problems::new();
        let registry = &self.catalog.effective.registry;
        let may_see = |property: &engine_model::property::Property| self.caller.reads(registry, definition, property);
        let sums = Sums::of(definition, wanted.sums.as_deref(), may_see, "/sum", &mut problems);
        check_column(pipeline, wanted, &mut problems);
        let mut text = QueryText { q: wanted.q.clone(), limit: 0, ..QueryText::default() };
        put_filter(&mut text, wanted.filter.as_deref(), &mut problems);
        let in_pipeline = ("pipeline", pipeline.name.as_str());
        let counts = QueryText {
            aggregates: std::iter::once(counted()).chain(sums.aggregates(&[by_stage()], "/sum")).collect(),
            ..narrowed(&text, &[in_pipeline])?
        };
        let (counts, _) = self.resolve_search(&[object], &counts, problems).await?;
        let sort: Vec<SortText> = match wanted.sort.as_slice() {
            [] => definition.rank().map(|_| SortText::parse(RANK, "/sort".to_owned())).into_iter().collect(),
            names => names.iter().map(|name| SortText::parse(name, "/sort".to_owned())).collect(),
        };
        let of_column = QueryText {
            sort,
            limit: wanted.limit,
            select: wanted.select.clone(),
            cursor: wanted.cursor.clone(),
            ..text
        };
        let mut columns = Vec::new();
        for stage in stages_of(pipeline, wanted.stage.as_deref()) {
            let text = narrowed(&of_column, &[in_pipeline, ("stage", &stage.name)])?;
            let (query, _) = self.resolve_search(&[object], &text, Problems::new()).await?;
            columns.push((text, Arc::new(query)));
        }
        Ok(Asked { counts: Arc::new(counts), sums, columns })
    }

    fn take_counts(&self, columns: &mut [Column], sums: &Sums, tables: &[Table]) -> Result<()> {
        let Some((counts, tables)) = tables.split_first() else { return Ok(()) };
        let at: HashMap<String, usize> =
            columns.iter().enumerate().map(|(at, column)| (column.stage.clone(), at)).collect();
        let place = |key: &[Value]| key.first().and_then(Value::as_str).and_then(|stage| at.get(stage)).copied();
        for row in &counts.rows {
            let Some(key) = &row.key else { return Err(too_many()) };
            let column = place(key).and_then(|at| columns.get_mut(at));
            let count = row.measures.first().and_then(|(_, value)| value.as_u64());
            if let (Some(column), Some(count)) = (column, count) {
                column.count = count;
            }
        }
        sums.read(tables, &self.catalog.tenant.currency, |key, property, currency, amount, _| {
            let column = place(key).and_then(|at| columns.get_mut(at));
            if let (Some(column), Some(amount)) = (column, amount) {
                add(&mut column.sums, property, currency, amount);
            }
        })
    }

    /// Reads the records of all columns at once.
    async fn take_records(
        &self,
        columns: &mut [Column],
        asked: &[(QueryText, Arc<Query>)],
        answers: Vec<Answer>,
    ) -> Result<()> {
        let mut hits: Vec<Hit> = Vec::new();
        let mut places = HashMap::new();
        for (at, (answer, (text, query))) in answers.into_iter().zip(asked).enumerate() {
            let last = answer.hits.last().filter(|_| answer.has_more);
            if let (Some(last), Some(column)) = (last, columns.get_mut(at)) {
                column.next_cursor = Some(Cursor::write(&last.place, query.tenant, text, &query.scopes));
            }
            places.extend(answer.hits.iter().map(|hit| (hit.place.id, at)));
            hits.extend(answer.hits);
        }
        let Some((text, query)) = asked.first() else { return Ok(()) };
        let view = crate::records::View { select: text.select.clone(), include: Vec::new() };
        for found in self.read_hits(&hits, query, &view, None).await? {
            let at = places.get(&found.record.id).copied();
            if let Some(column) = at.and_then(|at| columns.get_mut(at)) {
                column.results.push(found.record);
            }
        }
        Ok(())
    }
}

/// A column that there is, and a cursor only of one.
fn check_column(pipeline: &Pipeline, wanted: &BoardQuery, problems: &mut Problems) {
    match &wanted.stage {
        Some(name) if !pipeline.stages.contains_key(name.as_str()) => {
            let hint = did_you_mean(name, pipeline.stages.keys().map(|stage| stage.as_str()));
            let message = format!(
                "`{}` is no stage of the pipeline `{}`{hint}",
                crate::definitions::catalog::shortened(name),
                pipeline.name
            );
            problems.push(Problem::new("/stage", "unknown_option", message));
        }
        None if wanted.cursor.is_some() => {
            let message = "`cursor` goes on with one column: name it with `stage`";
            problems.push(Problem::new("/stage", "required", message));
        }
        Some(_) | None => {}
    }
}

fn by_stage() -> GroupingText {
    GroupingText::Property("stage".to_owned())
}

/// How many records are in each stage.
fn counted() -> AggregateText {
    let pointer = "/stage".to_owned();
    let measure = MeasureText { pointer: pointer.clone(), name: "n".to_owned(), form: MeasureForm::Count };
    let group = GroupText { pointer: pointer.clone(), grouping: by_stage() };
    AggregateText {
        pointer,
        name: "counts".to_owned(),
        groups: vec![group],
        measures: vec![measure],
        limit: Some(MAX_ROWS),
        order: Vec::new(),
    }
}
