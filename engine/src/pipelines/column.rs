//! The columns of a board: the stages of a pipeline, each with what is in it.

use engine_model::pipeline::{Pipeline, Stage};
use indexmap::IndexMap;

use super::amount::Amount;
use crate::records::Record;

/// One stage on a board.
#[derive(Debug)]
pub struct Column {
    /// Name of the stage.
    pub stage: String,
    /// What people read.
    pub label: String,
    /// What being in it means.
    pub category: String,
    /// Chance in percent that a record here is won.
    pub probability: Option<u8>,
    /// A colour's name or code.
    pub color: Option<String>,
    /// Not entered any more; shown as long as records are in it.
    pub archived: bool,
    /// How many records are in it.
    pub count: u64,
    /// By property and currency.
    pub sums: IndexMap<String, IndexMap<String, Amount>>,
    /// The first of them, or those that come after a cursor.
    pub results: Vec<Record>,
    /// Where the next ones begin; none after the last.
    pub next_cursor: Option<String>,
}

impl Column {
    /// A column with nothing in it.
    pub(super) fn of(stage: &Stage, sums: IndexMap<String, IndexMap<String, Amount>>) -> Self {
        Self {
            stage: stage.name.to_string(),
            label: stage.label.clone(),
            category: stage.category.as_str().to_owned(),
            probability: stage.probability,
            color: stage.color.clone(),
            archived: stage.archived,
            count: 0,
            sums,
            results: Vec::new(),
            next_cursor: None,
        }
    }
}

/// The stages that are asked for: one, or all.
pub(super) fn stages_of<'p>(pipeline: &'p Pipeline, wanted: Option<&str>) -> Vec<&'p Stage> {
    pipeline.stages.values().filter(|stage| wanted.is_none_or(|wanted| stage.name.as_str() == wanted)).collect()
}
