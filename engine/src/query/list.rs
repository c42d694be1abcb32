//! Lists that the index answers, in the order of ids: those with a filter, which is an expression instead of a body, and
//! those of callers who see some records only, so that their pages are full.

use engine_model::query::QueryText;
use engine_model::query::ast::SortText;

use crate::error::{Error, ErrorCode, Result};
use crate::records::{ListQuery, Page, Record};
use crate::session::Session;

impl Session {
    /// One page of an object's records that meet a CEL expression, in the order of their ids.
    pub async fn record_list_where(
        &mut self,
        object: &str,
        query: &ListQuery,
        expression: &str,
    ) -> Result<Page<Record>> {
        self.record_list_found(object, query, Some(expression)).await
    }

    /// The same of all records that the caller may see, where there is no expression.
    pub(crate) async fn record_list_found(
        &mut self,
        object: &str,
        query: &ListQuery,
        expression: Option<&str>,
    ) -> Result<Page<Record>> {
        let text = QueryText {
            expression: expression.map(str::to_owned),
            sort: vec![SortText::parse("id", String::new())],
            select: query.view.select.clone(),
            limit: query.limit,
            cursor: query.cursor.clone(),
            archived: query.archived,
            ..QueryText::default()
        };
        let answer = self.record_search(object, &text, Vec::new()).await.map_err(of_parameters)?;
        let mut results: Vec<Record> = answer.results.into_iter().map(|found| found.record).collect();
        if !query.view.include.is_empty() {
            self.include(self.catalog.object(object)?, &mut results, &query.view.include).await?;
            self.give(results.iter().flat_map(|record| &record.included).flat_map(|(_, records)| records)).await?;
        }
        Ok(Page { results, next_cursor: answer.next_cursor })
    }
}

/// What is wrong here stands in a query string, not in a body: places are parameters as a whole.
pub(crate) fn of_parameters(mut error: Error) -> Error {
    if error.code != ErrorCode::ValidationFailed {
        return error;
    }
    error.code = ErrorCode::BadRequest;
    for problem in &mut error.problems {
        let end = problem.pointer.match_indices('/').nth(1).map_or(problem.pointer.len(), |(at, _)| at);
        problem.pointer.truncate(end);
    }
    error
}
