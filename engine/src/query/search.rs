//! One search, from what was sent to what is answered.

use std::sync::Arc;

use engine_model::access::Action;
use engine_model::object::ObjectDefinition;
use engine_model::property::Property;
use engine_model::query::ast::Consistency;
use engine_model::query::{
    Answer, Cursor, Few, Field, Filter, Hit, NamedLists, Query, QueryText, ResolveContext, resolve,
};
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, RecordId, Sequence};
use engine_search::{Limits, SearchError};

use super::access::visible;
use super::hydrate::FoundRecord;
use super::table::{AnsweredTable, answered};
use crate::access::Given;
use crate::error::{Error, ErrorCode, Result};
use crate::index::SearchView;
use crate::records::{Include, View as RecordView};
use crate::session::{Session, with_current};

/// Records for each of which a few others are looked for at one turn.
const AT_A_TURN: usize = 16;

/// What a search found.
#[derive(Debug)]
pub struct SearchAnswer {
    /// The page, in order.
    pub results: Vec<FoundRecord>,
    /// Number of all matches, where it was asked for.
    pub total: Option<u64>,
    /// One table for each aggregate.
    pub tables: Vec<AnsweredTable>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
    /// The position of the change log that the search has seen.
    pub sequence: Sequence,
}

/// What is marked in the records that are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    None,
    /// The words of the full text.
    Words,
}

impl Session {
    /// Searches the records of one object. `malformed` is what was wrong with the form of what was sent; it is told
    /// with everything else that is wrong.
    pub async fn record_search(&mut self, object: &str, text: &QueryText, malformed: Problems) -> Result<SearchAnswer> {
        let at_least = self.search_position(text).await?;
        let answer =
            with_current!(self, self.try_search(&[object], text, malformed.clone(), Marks::None, at_least).await)?;
        self.give_answer(&answer).await?;
        Ok(answer)
    }

    /// Searches the records of several objects; of all that the caller may see where none are named.
    pub async fn search_across(&mut self, text: &QueryText, malformed: Problems) -> Result<SearchAnswer> {
        let at_least = self.search_position(text).await?;
        let answer = with_current!(self, self.try_search_across(text, malformed.clone(), at_least).await)?;
        self.give_answer(&answer).await?;
        Ok(answer)
    }

    /// Writes down what sensitive values an answer gives, of its records and drawn together in its tables.
    async fn give_answer(&self, answer: &SearchAnswer) -> Result<()> {
        let mut given = Given::of(answer.results.iter().map(|found| &found.record));
        for table in &answer.tables {
            self.note_table(table, &mut given);
        }
        self.write_down(given).await
    }

    /// Notes what sensitive values a table draws together.
    pub(crate) fn note_table(&self, table: &AnsweredTable, given: &mut Given) {
        for field in table.fields.iter().filter(|_| !table.rows.is_empty()) {
            if let Ok(object) = self.catalog.object(&field.object) {
                given.add_sensitive(object, &field.name);
            }
        }
    }

    async fn try_search_across(
        &self,
        text: &QueryText,
        malformed: Problems,
        at_least: Sequence,
    ) -> Result<SearchAnswer> {
        let may_see = |object: &&ObjectDefinition| visible(&self.caller, &object.name).is_some();
        let names: Vec<&str> = match &text.objects {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => self.catalog.objects().filter(may_see).map(|object| object.name.as_str()).collect(),
        };
        let (mut problems, mut known) = (malformed, Vec::with_capacity(names.len()));
        for (index, name) in names.into_iter().enumerate() {
            let (code, message) = match self.catalog.object(name) {
                Err(error) => ("unknown", error.detail),
                Ok(_) if known.contains(&name) => ("duplicate", format!("`{name}` is named more than once")),
                Ok(_) => {
                    known.push(name);
                    continue;
                }
            };
            problems.push(Problem::new(format!("/objects/{index}"), code, message));
        }
        // The rest is looked at by the objects that there are, so that everything is told at once.
        self.try_search(&known, text, problems, Marks::Words, at_least).await
    }

    /// The position that a search has to see: all that is acknowledged by now, unless it asks for less.
    pub(crate) async fn search_position(&mut self, text: &QueryText) -> Result<Sequence> {
        let head = self.reader().await?.head().await?;
        self.catch_up(head.metadata_version, head.access_version).await?;
        if head.sequence() < self.at_least {
            self.wait_for_position().await?;
        }
        Ok(match text.consistency {
            Consistency::Strong => head.sequence().max(self.at_least),
            Consistency::Eventual => self.at_least,
        })
    }

    async fn try_search(
        &self,
        objects: &[&str],
        text: &QueryText,
        malformed: Problems,
        marks: Marks,
        at_least: Sequence,
    ) -> Result<SearchAnswer> {
        let (query, shown) = self.resolve_search(objects, text, malformed).await?;
        let view = self.snapshot_for(&query, text.consistency, at_least).await?;
        let sequence = view.sequence();
        let query = Arc::new(query);
        let mut answer = self.engine.ask(view, Arc::clone(&query)).await?;
        let hits = std::mem::take(&mut answer.hits);
        let next_cursor = next_cursor(&answer, &hits, text, &query);
        let marked = query.words.as_ref().filter(|_| marks == Marks::Words);
        let results = self.read_hits(&hits, &query, &shown, marked).await?;
        let tables = answered(answer.tables, &query);
        Ok(SearchAnswer { results, total: answer.total, tables, next_cursor, sequence })
    }

    /// One state of the index, with every write that a search must have seen.
    pub(crate) async fn snapshot_for(
        &self,
        query: &Query,
        consistency: Consistency,
        at_least: Sequence,
    ) -> Result<SearchView> {
        let mut at_least = at_least;
        for scope in query.scopes.iter().filter(|_| consistency == Consistency::Strong) {
            if self.await_rollups(&scope.object, at_least).await? {
                // What was drawn together meanwhile has been written since.
                at_least = self.position().await?;
            }
        }
        // Values that depend on the time are those of now, unless it asks for less.
        let fields = query.fields();
        let fresh_at = (consistency == Consistency::Strong && self.catalog.has_live(&fields)).then(|| self.now());
        self.filled_view(at_least, fresh_at, &fields).await
    }

    /// One state of the index that has these fields.
    pub(crate) async fn filled_view(
        &self,
        at_least: Sequence,
        fresh_at: Option<Timestamp>,
        fields: &[&Field],
    ) -> Result<SearchView> {
        self.engine.filled_view(self.tenant(), at_least, fresh_at, fields, &self.formerly).await
    }

    /// What is asked, and what of each record is to be answered; every mistake in either at once.
    pub(crate) async fn resolve_search(
        &self,
        objects: &[&str],
        text: &QueryText,
        malformed: Problems,
    ) -> Result<(Query, RecordView)> {
        let definitions = objects.iter().map(|name| self.catalog.object(name)).collect::<Result<Vec<_>>>()?;
        for object in &definitions {
            self.caller.check_any(Action::Read, &object.name)?;
        }
        let lists = self.lists_named(text.filter.as_ref()).await?;
        let mut problems = malformed;
        let include = self.read_includes(&definitions, text, &mut problems);
        match self.in_context(&lists, |context| resolve(text, &definitions, context)) {
            Ok(query) if problems.is_empty() => Ok((query, RecordView { select: text.select.clone(), include })),
            Ok(_) => Err(Error::invalid(problems)),
            Err(found) => {
                problems.extend(found);
                Err(Error::invalid(problems))
            }
        }
    }

    /// Resolves something as the caller may see it, right now.
    pub(crate) fn in_context<T>(&self, lists: &NamedLists, ask: impl FnOnce(&ResolveContext<'_>) -> T) -> T {
        let registry = &self.catalog.effective.registry;
        let may_see = |object: &ObjectDefinition, property: &Property| self.caller.reads(registry, object, property);
        ask(&ResolveContext {
            tenant: self.tenant(),
            registry,
            now: self.now(),
            zone: self.catalog.zone(),
            locale: &self.catalog.locale,
            readable: &|object| self.readable(object),
            may_see: &may_see,
            lists: Some(lists),
            formerly: Some(&self.formerly),
        })
    }

    /// Resolves something whoever looks, at a moment.
    pub(crate) fn in_whole<T>(
        &self,
        lists: &NamedLists,
        now: Timestamp,
        ask: impl FnOnce(&ResolveContext<'_>) -> T,
    ) -> T {
        let is_there = |object: &str| self.catalog.object(object).ok().map(|_| Filter::everything());
        ask(&ResolveContext {
            tenant: self.tenant(),
            registry: &self.catalog.effective.registry,
            now,
            zone: self.catalog.zone(),
            locale: &self.catalog.locale,
            readable: &is_there,
            may_see: &|_, _| true,
            lists: Some(lists),
            formerly: None,
        })
    }

    /// What of an object the caller may see; none where that is nothing. An object that is switched off is nowhere, at
    /// the other end of an association neither.
    pub(crate) fn readable(&self, object: &str) -> Option<Filter> {
        self.catalog.object(object).ok().and_then(|_| visible(&self.caller, object))
    }

    fn read_includes(
        &self,
        objects: &[&ObjectDefinition],
        text: &QueryText,
        problems: &mut Vec<Problem>,
    ) -> Vec<Include> {
        let mut includes = Vec::new();
        for (index, written) in text.include.iter().enumerate() {
            let read = Include::parse_list(written).and_then(|read| {
                let check = |object: &&ObjectDefinition| self.check_includes(object, &read);
                objects.iter().try_for_each(check).map(|()| read)
            });
            match read {
                Ok(read) => includes.extend(read),
                Err(error) => {
                    problems.push(Problem::new(format!("{}/include/{index}", text.pointer), "invalid", error.detail));
                }
            }
        }
        includes
    }
}

fn next_cursor(answer: &Answer, hits: &[Hit], text: &QueryText, query: &Query) -> Option<String> {
    let last = hits.last().filter(|_| answer.has_more)?;
    Some(Cursor::write(&last.place, query.tenant, text, &query.scopes))
}

impl crate::engine::Engine {
    /// Asks a snapshot of an index, at most so many at a time as there are processors to answer.
    pub(crate) async fn ask(&self, view: SearchView, query: Arc<Query>) -> Result<Answer> {
        self.ask_within(view, query, Limits::default()).await
    }

    /// The same within other limits.
    pub(crate) async fn ask_within(&self, view: SearchView, query: Arc<Query>, limits: Limits) -> Result<Answer> {
        self.ask_with(view, move |view| view.search(&query, limits)).await
    }

    /// For each asked a few records that meet its conditions.
    /// A few are asked at a time, so that others get their turn in between.
    pub(crate) async fn ask_few(&self, view: SearchView, asked: Vec<Few>) -> Result<Vec<Vec<RecordId>>> {
        let (mut found, mut asked) = (Vec::with_capacity(asked.len()), asked.into_iter());
        loop {
            let some: Vec<Few> = asked.by_ref().take(AT_A_TURN).collect();
            if some.is_empty() {
                return Ok(found);
            }
            found.extend(self.ask_with(view.clone(), move |view| view.few(&some, Limits::default())).await?);
        }
    }

    async fn ask_with<T: Send + 'static>(
        &self,
        view: SearchView,
        ask: impl FnOnce(&SearchView) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<T> {
        let closed = |_| Error::new(ErrorCode::Unavailable, "the server is closing");
        let _turn = Arc::clone(&self.inner.searches).acquire_owned().await.map_err(closed)?;
        let tenant = view.tenant();
        let asked = self.inner.tasks.spawn_blocking(move || ask(&view));
        match asked.await.map_err(Error::internal)? {
            Ok(answer) => Ok(answer),
            Err(SearchError::TooCostly(reason)) => Err(Error::invalid_at("", "too_costly", reason)),
            Err(error @ SearchError::Damaged(_)) => {
                tracing::warn!(tenant.id = %tenant, %error, "a search could not be answered; the index is looked at");
                self.inner.indexes.suspect(tenant);
                let detail = "the search index could not be read; its files are looked at, and it is made anew where \
                              they are damaged; lists and reads by id go on, try searches again shortly";
                Err(Error::new(ErrorCode::Unavailable, detail))
            }
            Err(error) => Err(Error::internal(error)),
        }
    }
}
