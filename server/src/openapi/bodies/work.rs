//! Lists, views, reports, dashboards, and files that come and go.

use serde_json::Value;
use utoipa::ToSchema;

/// A file of rows, and what its columns mean.
#[derive(ToSchema)]
pub(crate) struct ImportForm {
    /// The file.
    #[schema(format = Binary)]
    file: String,
    /// The map, YAML or JSON.
    map: Option<String>,
}

/// Records to be assessed.
#[derive(ToSchema)]
pub(crate) struct ScoreAssess {
    /// The object whose records are assessed.
    object: String,
    /// Which of them, as in a search; all that the caller sees unless given.
    #[schema(value_type = Option<Object>)]
    filter: Option<Value>,
    /// Id or uid of the record that they are assessed for.
    #[schema(rename = "for")]
    counterpart: Option<String>,
}

/// A list to be made, or what to change of one.
#[derive(ToSchema)]
#[schema(as = ListInput)]
pub(crate) struct List {
    /// The object whose records are in it; stays as it is.
    object: Option<String>,
    name: Option<String>,
    description: Option<String>,
    /// As in a search: the members are all records that meet it. Without one, they are put by hand.
    filter: Option<Value>,
    /// `private`, `team` or `everyone`, which is the default.
    sharing: Option<String>,
    /// Id of the team that it is shared with.
    team: Option<String>,
}

/// Records to put into a static list, and to take out of it.
#[derive(ToSchema)]
pub(crate) struct ListMembers {
    /// Ids or uids, at most 1,000.
    add: Option<Vec<String>>,
    /// Ids or uids, at most 1,000.
    remove: Option<Vec<String>>,
}

/// A view to be saved, or what to change of one; as packs have them.
#[derive(ToSchema)]
pub(crate) struct View {
    label: Option<String>,
    object: Option<String>,
    /// `table`, `board`, `calendar`, `map` or `list`.
    kind: Option<String>,
    /// As in a search.
    filter: Option<Value>,
    /// As in a search.
    sort: Option<Vec<Value>>,
    columns: Option<Vec<String>>,
    group: Option<String>,
    date: Option<String>,
    place: Option<String>,
    /// `private`, `team` or `everyone`.
    sharing: Option<String>,
    /// Id of the team that it is shared with.
    team: Option<String>,
}

/// What to export, and as what.
#[derive(ToSchema)]
pub(crate) struct Export {
    /// The object whose records are exported; or `view`, or `report`.
    object: Option<String>,
    /// Id of a view, or the name of a pack's.
    view: Option<String>,
    /// Id of a report, or the name of a pack's.
    report: Option<String>,
    /// `csv`, `xlsx`, `ndjson` or `parquet`.
    #[schema(required)]
    format: Option<String>,
    /// As in a search; records must meet it besides what the view or the report asks.
    filter: Option<Value>,
    /// As in a search; in place of the view's.
    sort: Option<Vec<Value>>,
    /// Properties, and fields such as `created_at`; of a report groups and measures. All where none are named.
    select: Option<Vec<String>>,
    /// `names` or `labels`, of `csv` and `xlsx`.
    headings: Option<String>,
    /// Put `'` before texts that a spreadsheet may take for formulas, of `csv`.
    escape_formulas: Option<bool>,
}

/// A report to be saved, or what to change of one; as packs have them.
#[derive(ToSchema)]
pub(crate) struct Report {
    label: Option<String>,
    object: Option<String>,
    /// As in a search.
    filter: Option<Value>,
    /// As in a search's `aggregate`.
    group: Option<Vec<Value>>,
    /// As in a search's `aggregate`.
    measures: Option<Value>,
    /// As in a search's `aggregate`.
    order: Option<Vec<Value>>,
    limit: Option<u32>,
    /// `table`, `number`, `line`, `column`, `bar`, `pie` or `funnel`.
    chart: Option<String>,
    /// `{date, within}`.
    period: Option<Value>,
    /// `previous`.
    compare: Option<String>,
    /// `private`, `team` or `everyone`.
    sharing: Option<String>,
    /// Id of the team that it is shared with.
    team: Option<String>,
}

/// A dashboard to be saved, or what to change of one; as packs have them.
#[derive(ToSchema)]
pub(crate) struct Dashboard {
    label: Option<String>,
    /// `{report}` or `{view}`, and `label`, `width`, `height`.
    items: Option<Vec<Value>>,
    /// `private`, `team` or `everyone`.
    sharing: Option<String>,
    /// Id of the team that it is shared with.
    team: Option<String>,
}
