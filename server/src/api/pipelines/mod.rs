//! Pipelines as people look at them: boards and reports.

pub(crate) mod board;
pub(crate) mod report;
