//! Suggestions for pickers: the records that a few letters most likely mean.

use engine_model::RecordId;
use engine_model::query::QueryText;
use engine_model::query::ast::SortText;
use uuid::Uuid;

use super::list::of_parameters;
use super::search::SearchAnswer;
use crate::error::Result;
use crate::session::Session;

/// A record to pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Identifier in the tenant.
    pub id: RecordId,
    /// Identifier anywhere.
    pub uid: Uuid,
    /// The object's name.
    pub object: String,
    /// What people call it.
    pub display_name: String,
}

impl Session {
    /// The records of an object that match `q` best, at most `limit`; those changed last where nothing is typed yet.
    pub async fn record_suggest(&mut self, object: &str, q: &str, limit: usize) -> Result<Vec<Suggestion>> {
        let by = |key: &str| SortText::parse(key, String::new());
        let sort = match q.trim() {
            "" => vec![by("-updated_at")],
            _ if self.sees_names(object).await? => vec![by("relevance"), by("display_name")],
            _ => vec![by("relevance")],
        };
        let q = Some(q.to_owned()).filter(|q| !q.trim().is_empty());
        let text = QueryText { q, sort, limit, select: Some(Vec::new()), ..QueryText::default() };
        let SearchAnswer { results, .. } =
            self.record_search(object, &text, Vec::new()).await.map_err(of_parameters)?;
        let suggestion = |found: super::FoundRecord| Suggestion {
            id: found.record.id,
            uid: found.record.uid,
            object: found.record.object,
            display_name: found.record.display_name,
        };
        Ok(results.into_iter().map(suggestion).collect())
    }

    /// Whether the caller sees all that records of an object are called by; what is not there is told later.
    async fn sees_names(&mut self, object: &str) -> Result<bool> {
        self.refresh().await?;
        let registry = &self.catalog.effective.registry;
        let object = self.catalog.object(object);
        Ok(object.map_or(true, |object| self.caller.rights.reads_display(registry, object)))
    }
}
