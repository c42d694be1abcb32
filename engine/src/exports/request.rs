//! What is asked for.

use engine_model::Problems;
use engine_model::behavior::Section;
use engine_model::json::{FromJson, Reading, read_as_far};
use engine_model::query::QueryText;
use engine_model::query::ast::SortText;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::format::Format;
use crate::error::{Error, Result};

/// Columns that one file may have. Excel has 16,384; what no definition comes near bounds memory everywhere.
const MOST_COLUMNS: usize = 5_000;

/// What is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Records of an object.
    Object(String),
    /// What a view shows.
    View(String),
    /// What a report computes.
    Report(String),
}

/// What columns are headed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Headings {
    /// Names of properties, by which a file can be imported again.
    #[default]
    Names,
    /// What people read.
    Labels,
}

/// What is asked for: `{object or view or report, format, filter?, sort?, select?, headings?, escape_formulas?}`.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    pub(super) source: Option<Source>,
    pub(super) format: Option<Format>,
    /// `filter` and `sort`, as in a search.
    pub(super) query: QueryText,
    pub(super) select: Option<Vec<String>>,
    pub(super) headings: Headings,
    pub(super) escape_formulas: bool,
}

impl ExportRequest {
    /// Reads a request as it was sent, as far as it can be read, and everything that is wrong with its form.
    pub(super) fn read(spec: &Map<String, Value>) -> Result<(Self, Problems)> {
        let raw = serde_json::value::to_raw_value(spec).map_err(Error::internal)?;
        match read_as_far(&raw) {
            (Some(request), problems) => Ok((request, problems)),
            (None, problems) => Err(Error::invalid(problems)),
        }
    }
}

impl<'a> FromJson<'a> for ExportRequest {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        const HEADINGS: &[(&str, Headings)] = &[("names", Headings::Names), ("labels", Headings::Labels)];
        let mut object = reading.object(raw)?;
        let given: Vec<&'static str> =
            ["object", "view", "report"].into_iter().filter(|name| object.has(name)).collect();
        match given.as_slice() {
            [_] => {}
            [] => object.problem_at("object", "required", "`object`, `view` or `report` says what is exported"),
            [_, others @ ..] => {
                for name in others {
                    object.problem_at(name, "invalid", "give one of `object`, `view` and `report`");
                }
            }
        }
        let [of_object, view, report] = [object.optional("object"), object.optional("view"), object.optional("report")];
        let source = of_object.map(Source::Object).or(view.map(Source::View)).or(report.map(Source::Report));
        if !object.has("format") {
            object.problem_at("format", "required", "`format` is `csv`, `xlsx`, `ndjson` or `parquet`");
        }
        let format = object.choice("format", Format::ALL);
        let filter = object.optional("filter");
        let is_sorted = object.has("sort");
        let sort = object.optional_with("sort", SortText::list).unwrap_or_default();
        let select = object.list("select", MOST_COLUMNS);
        let is_selected = select.as_ref().is_some_and(|names| !names.is_empty());
        let headings = object.choice("headings", HEADINGS).unwrap_or_default();
        let escape_formulas = object.optional("escape_formulas").unwrap_or(false);
        if escape_formulas && format.is_some_and(|format| format != Format::Csv) {
            let message = "only `csv` has formulas to escape: the cells of other formats are never taken for one";
            object.problem_at("escape_formulas", "not_applicable", message);
        }
        if headings == Headings::Labels && matches!(format, Some(Format::Ndjson | Format::Parquet)) {
            object.problem_at("headings", "not_applicable", "`ndjson` and `parquet` have names only");
        }
        if is_sorted && matches!(source, Some(Source::Report(_))) {
            object.problem_at("sort", "not_applicable", "the rows of a report are in the report's own order");
        }
        object.finish();
        let query = QueryText { filter, sort, ..QueryText::default() };
        let select = select.filter(|_| is_selected);
        Some(Self { source, format, query, select, headings, escape_formulas })
    }
}

impl Source {
    /// Where the request says it.
    pub(super) fn pointer(&self) -> &'static str {
        match self {
            Self::Object(_) => "/object",
            Self::View(_) => "/view",
            Self::Report(_) => "/report",
        }
    }

    /// What a file of it is called, in characters that every system takes.
    pub(super) fn file_name(&self) -> String {
        let of_saved = |section: Section, id: &str| match id.parse::<i64>() {
            Ok(number) => format!("{}-{number}", section.kind()),
            Err(_) => id.to_owned(),
        };
        let name = match self {
            Self::Object(name) => name.clone(),
            Self::View(id) => of_saved(Section::Views, id),
            Self::Report(id) => of_saved(Section::Reports, id),
        };
        name.chars().filter(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-')).collect()
    }
}
