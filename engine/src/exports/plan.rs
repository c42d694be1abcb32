//! What a request comes to under the definitions and rights of the moment: columns, and how rows are found.

use std::collections::HashSet;

use engine_model::access::{Action, Reach};
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::query::{Aggregate, Filter, Query, QueryText, SortKey};
use engine_model::{Problem, Problems};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::column::{Column, ID, of_table};
use super::format::Format;
use super::request::{ExportRequest, Headings, Source};
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::saved::{of_report, read_query};
use crate::session::Session;

/// What a request comes to.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) format: Format,
    pub(super) object: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Rows,
    pub(super) needs: Needs,
}

/// How rows are found.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// Records.
    Records {
        /// What finds them.
        query: Query,
        /// They are all of the object's, in the order of their ids.
        is_all: bool,
        /// Properties to show; all that the caller sees where none are named.
        selected: Option<Vec<String>>,
    },
    /// Groups of records.
    Table {
        /// What computes them.
        query: Query,
        /// Of each column, its place among groups and then measures.
        places: Vec<Option<usize>>,
        /// How many groups there are.
        groups: usize,
    },
}

/// What somebody must be able to read to have the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Needs {
    pub(super) object: String,
    pub(super) properties: Vec<String>,
    /// Bits of the reach that its records are within.
    pub(super) reach: u8,
}

impl Session {
    /// Understands a request, or says everything that is wrong with it; `malformed` is what was wrong with its form.
    pub(super) async fn plan_export(&self, request: &ExportRequest, malformed: Problems) -> Result<Plan> {
        let Some(source) = &request.source else { return Err(Error::invalid(malformed)) };
        // Without one there is something wrong already, which is told with all else.
        let format = request.format.unwrap_or(Format::Csv);
        let asked = Asked { request, format, malformed };
        match source {
            Source::Object(name) => self.plan_records(name, source, Shape::default(), asked).await,
            Source::View(id) => {
                let (_, view) = match self.view_known(id).await {
                    Ok(known) => known,
                    Err(error) => return Err(unknown(error, source, asked)),
                };
                let shape = Shape { filter: view.filter, sort: view.sort, columns: view.columns };
                self.plan_records(&view.object, source, shape, asked).await
            }
            Source::Report(id) => match self.report_search(id).await {
                Ok((object, text)) => self.plan_table(&object, &text, asked).await,
                Err(error) => Err(unknown(error, source, asked)),
            },
        }
    }

    async fn plan_records(&self, name: &str, source: &Source, shape: Shape, mut asked: Asked<'_>) -> Result<Plan> {
        let object = match self.catalog.object(name) {
            Ok(object) => object,
            Err(error) => return Err(unknown(error, source, asked)),
        };
        self.caller.check_any(Action::Read, &object.name)?;
        let request = asked.request;
        let columns = self.columns(object, &shape.columns, request, &mut asked.malformed);
        let (mut query, _) = self.resolve_search(&[name], &request.query, asked.malformed).await?;
        let is_narrowed = request.query.filter.is_some() || shape.filter.is_some();
        let saved = shape.query()?;
        let (saved, _) =
            self.resolve_search(&[name], &saved, Vec::new()).await.map_err(|error| error.within(source.pointer()))?;
        meet(&mut query, saved, request.query.sort.is_empty());
        let by_id = [SortKey::Id { is_descending: false }];
        let is_by_id = query.scopes.first().is_some_and(|scope| scope.sort == by_id);
        let is_all = !is_narrowed && is_by_id && self.caller.may_all(Action::Read, name);
        let is_chosen = request.select.is_some() || !shape.columns.is_empty();
        let properties = || columns.iter().filter(|column| !column.is_system).map(|column| column.name.clone());
        let selected = is_chosen.then(|| properties().collect());
        let is_called = asked.format == Format::Ndjson || columns.iter().any(|column| column.name == "display_name");
        let called = object.display.names().filter(|_| is_called).filter(|name| self.sees(object, name));
        let needs = self.needs(name, properties().chain(called.map(str::to_owned)).collect());
        let rows = Rows::Records { query, is_all, selected };
        Ok(Plan { format: asked.format, object: name.to_owned(), columns, rows, needs })
    }

    async fn plan_table(&self, name: &str, text: &QueryText, mut asked: Asked<'_>) -> Result<Plan> {
        let request = asked.request;
        let of_saved = |error| of_report(error).within("/report");
        let (mut query, _) = self.resolve_search(&[name], text, Vec::new()).await.map_err(of_saved)?;
        let aggregate = query.scopes.first().and_then(|scope| scope.aggregates.first());
        let aggregate = aggregate.ok_or_else(|| Error::internal("a report came to no table"))?;
        let columns = of_table(aggregate);
        let places = chosen(&columns, request, &mut asked.malformed);
        let (groups, read) = (aggregate.groups.len(), fields_of(aggregate));
        let narrowed = QueryText { sort: Vec::new(), ..request.query.clone() };
        let (narrowed, _) = self.resolve_search(&[name], &narrowed, asked.malformed).await?;
        meet(&mut query, narrowed, false);
        let columns = places.iter().filter_map(|place| columns.get(*place).cloned()).collect();
        let places = places.into_iter().map(Some).collect();
        let needs = self.needs(name, read);
        let rows = Rows::Table { query, places, groups };
        Ok(Plan { format: asked.format, object: name.to_owned(), columns, rows, needs })
    }

    /// The columns of records: the id, then those that are chosen, or all that the caller may see.
    fn columns(
        &self,
        object: &ObjectDefinition,
        of_view: &[String],
        request: &ExportRequest,
        problems: &mut Problems,
    ) -> Vec<Column> {
        let mut columns: Vec<Column> = Column::system(ID).into_iter().collect();
        match (&request.select, of_view) {
            (Some(names), _) => {
                // A property can be named by what it was called before, too.
                let mut seen = HashSet::new();
                for (index, name) in names.iter().enumerate() {
                    let (code, message) = match self.column(object, name) {
                        Some(column) if !seen.insert(column.name.clone()) => {
                            ("duplicate", format!("`{}` is named more than once", shortened(name)))
                        }
                        Some(column) => {
                            columns.extend(Some(column).filter(|column| column.name != ID));
                            continue;
                        }
                        None => ("unknown_property", self.unknown_column(object, name)),
                    };
                    problems.push(Problem::new(format!("/select/{index}"), code, message));
                }
            }
            (None, []) => {
                let shown = object.properties.values().filter(|property| self.sees(object, &property.name));
                columns.extend(shown.map(Column::of_property));
            }
            (None, names) => {
                for column in names.iter().filter_map(|name| self.column(object, name)) {
                    if !columns.iter().any(|other| other.name == column.name) {
                        columns.push(column);
                    }
                }
            }
        }
        match request.headings {
            Headings::Names => columns,
            Headings::Labels => columns.into_iter().map(|column| column.labelled(object)).collect(),
        }
    }

    fn column(&self, object: &ObjectDefinition, name: &str) -> Option<Column> {
        let property = object.property_called(name).filter(|property| self.sees(object, &property.name));
        Column::system(name).or_else(|| property.map(Column::of_property))
    }

    fn sees(&self, object: &ObjectDefinition, name: &str) -> bool {
        let registry = &self.catalog.effective.registry;
        object.property(name).is_some_and(|property| self.caller.reads(registry, object, property))
    }

    fn unknown_column(&self, object: &ObjectDefinition, name: &str) -> String {
        let seen = object.properties.keys().filter(|name| self.sees(object, name));
        let mut seen: Vec<&str> = seen.map(|name| name.as_str()).collect();
        seen.extend(Column::system_names());
        let hint = did_you_mean(name, seen);
        format!("`{}` is no property of `{}`{hint}", shortened(name), object.name)
    }

    fn needs(&self, object: &str, properties: Vec<String>) -> Needs {
        let reach: Reach = self.caller.rights.grants(object).reach(Action::Read);
        Needs { object: object.to_owned(), properties, reach: reach.bits() }
    }
}

/// A request, and what is wrong with it so far.
struct Asked<'a> {
    request: &'a ExportRequest,
    format: Format,
    malformed: Problems,
}

/// What a view says of its records.
#[derive(Default)]
struct Shape {
    filter: Option<Value>,
    sort: Option<Value>,
    columns: Vec<String>,
}

impl Shape {
    fn query(&self) -> Result<QueryText> {
        let parts = [("filter", &self.filter), ("sort", &self.sort)];
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part.clone()?)));
        read_query(&parts.collect::<Map<_, _>>())
    }
}

/// Narrows a query by what another one of the same object asks, and takes over its order where that is wanted.
fn meet(query: &mut Query, other: Query, takes_order: bool) {
    for (scope, narrower) in query.scopes.iter_mut().zip(other.scopes) {
        let filter = std::mem::replace(&mut scope.filter, Filter::everything());
        scope.filter = Filter::All(vec![filter, narrower.filter]);
        if takes_order {
            scope.sort = narrower.sort;
        }
    }
}

/// A name in the request that stands for nothing, together with what else is wrong.
fn unknown(error: Error, source: &Source, asked: Asked<'_>) -> Error {
    if error.code != crate::error::ErrorCode::NotFound {
        return error;
    }
    let mut problems = asked.malformed;
    problems.push(Problem::new(source.pointer(), "unknown", error.detail));
    Error::invalid(problems)
}

/// Places of the columns that are chosen; all where none are.
fn chosen(columns: &[Column], request: &ExportRequest, problems: &mut Problems) -> Vec<usize> {
    let Some(names) = &request.select else { return (0..columns.len()).collect() };
    let mut places = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let found = columns.iter().position(|column| column.name == *name);
        let (code, message) = match found {
            Some(place) if places.contains(&place) => ("duplicate", format!("`{name}` is named more than once")),
            Some(place) => {
                places.push(place);
                continue;
            }
            None => {
                let hint = did_you_mean(name, columns.iter().map(|column| column.name.as_str()));
                ("unknown", format!("the report has no column `{}`{hint}", shortened(name)))
            }
        };
        problems.push(Problem::new(push_segment("/select", &index.to_string()), code, message));
    }
    places
}

fn fields_of(aggregate: &Aggregate) -> Vec<String> {
    let groups = aggregate.groups.iter().filter_map(|group| group.field());
    let measures = aggregate.measures.iter().filter_map(|(_, measure)| measure.field());
    groups.chain(measures).map(|field| field.name.to_string()).collect()
}
