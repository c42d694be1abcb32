//! What boards and reports ask of records: a filter as in a search, or as in a list, and one pipeline of theirs.

use std::borrow::Cow;

use engine_model::access::Action;
use engine_model::json::Reading;
use engine_model::object::ObjectDefinition;
use engine_model::pipeline::Pipeline;
use engine_model::query::ast::{FilterForm, FilterText, PropertyText};
use engine_model::query::{Query, QueryText};
use engine_model::{Problem, Problems, Sequence};
use serde_json::value::{RawValue, to_raw_value};

use super::has_pipelines;
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, Result};
use crate::index::SearchView;
use crate::session::Session;

/// Where a filter stands among the parameters.
const AT: &str = "filter";

/// Takes a filter over into a query: an expression as lists take it, or the JSON that searches take.
pub(super) fn put_filter(text: &mut QueryText, filter: Option<&str>, problems: &mut Problems) {
    let Some(filter) = filter.map(str::trim) else { return };
    if !filter.starts_with(['{', '[']) {
        text.expression = Some(filter.to_owned());
        return;
    }
    match serde_json::from_str::<&RawValue>(filter) {
        Ok(raw) => {
            let mut reading = Reading::default();
            text.filter = reading.at_member(Cow::Borrowed(AT), |reading| reading.value::<FilterText>(raw));
            problems.extend(reading.into_problems());
        }
        Err(error) => problems.push(Problem::new(format!("/{AT}"), "invalid", format!("this is no JSON: {error}"))),
    }
}

/// The same query of those records only that have these values.
pub(super) fn narrowed(text: &QueryText, values: &[(&str, &str)]) -> Result<QueryText> {
    let mut all: Vec<FilterText> = text.filter.iter().cloned().collect();
    for (property, value) in values {
        let value = Some(to_raw_value(value).map_err(Error::internal)?);
        let form = PropertyText { property: (*property).to_owned(), op: Some("eq".to_owned()), value };
        all.push(FilterText { pointer: format!("/{AT}"), form: FilterForm::Property(form) });
    }
    let filter = FilterText { pointer: format!("/{AT}"), form: FilterForm::All(all) };
    Ok(QueryText { filter: Some(filter), ..text.clone() })
}

/// The object's pipeline of that name, unless archived.
fn find_pipeline<'c>(catalog: &'c Catalog, object: &ObjectDefinition, name: &str) -> Result<&'c Pipeline> {
    has_pipelines(catalog, object)?;
    let pipelines = || catalog.effective.registry.active_pipelines(&object.name);
    let found = pipelines().find(|pipeline| pipeline.name.as_str() == name);
    found.ok_or_else(|| {
        let hint = engine_model::name::did_you_mean(name, pipelines().map(|pipeline| pipeline.name.as_str()));
        Error::not_found(format!("`{}` has no pipeline `{}`{hint}", object.name, shortened(name)))
    })
}

impl Session {
    /// The object's pipeline of that name, for a caller who sees in which stages its records are.
    pub(super) fn seen_pipeline(&self, object: &ObjectDefinition, name: &str) -> Result<&Pipeline> {
        self.caller.check_any(Action::Read, &object.name)?;
        let pipeline = find_pipeline(&self.catalog, object, name)?;
        self.check_sees_stages(object)?;
        Ok(pipeline)
    }

    /// Refuses callers who do not see in which stages records are.
    pub(super) fn check_sees_stages(&self, object: &ObjectDefinition) -> Result<()> {
        let registry = &self.catalog.effective.registry;
        ["pipeline", "stage"].into_iter().try_for_each(|name| self.caller.check_reads(registry, object, name))
    }

    /// The index at `at_least`, with all values that the queries ask for.
    pub(super) async fn view_of(&self, queries: &[&Query], at_least: Sequence) -> Result<SearchView> {
        let fields: Vec<_> = queries.iter().flat_map(|query| query.fields()).collect();
        let fresh_at = self.catalog.has_live(&fields).then(|| self.now());
        self.filled_view(at_least, fresh_at, &fields).await
    }
}
