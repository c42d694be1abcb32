//! Totals of scores whose answers were taken back.

use engine_model::{RecordId, Sequence};
use engine_store::change::{self, ChangeRow};

use super::{PAGE, Scope};
use crate::error::Result;
use crate::session::Session;

impl Session {
    /// Whether changes are of what scores have answered.
    pub(super) fn touch_answers(&self, changes: &[ChangeRow]) -> bool {
        changes.iter().any(|change| self.touches_answer(change))
    }

    /// Makes totals anew that rest on the answers of one page of changes; where the next one begins, none where there is
    /// none. This waits until all has been taken back: a total that is made in between would stand where an older one is
    /// to come back.
    pub(super) async fn total_page(&self, scope: &Scope, before: i64) -> Result<Option<i64>> {
        let found = change::of_request(&mut self.reader().await?, &scope.request, Sequence(before), PAGE).await?;
        let Some(last) = found.last() else { return Ok(None) };
        let answers = found.iter().filter(|change| scope.takes(change) && self.touches_answer(change));
        let mut answers: Vec<RecordId> = answers.filter_map(|change| change.record_id.map(RecordId)).collect();
        answers.sort_unstable();
        answers.dedup();
        self.total_again_of(answers).await;
        Ok(Some(last.sequence))
    }

    fn touches_answer(&self, change: &ChangeRow) -> bool {
        change.object.as_deref().is_some_and(|object| self.are_assessments(object))
    }
}
