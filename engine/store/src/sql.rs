//! Statements and their arguments: static text, one for both stores unless the dialects differ.

use std::panic::Location;

use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Postgres, Sqlite};
use uuid::Uuid;

/// One statement's text for each store. Only static text can be a statement.
///
/// On SQLite a text may hold several statements, which then cost one trip to the driver's thread; their arguments are
/// numbered through. On PostgreSQL it is always one statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
    /// Where the statement is written down, so that a trace of statements names each one.
    at: &'static Location<'static>,
}

impl Sql {
    /// The same text for both stores.
    #[track_caller]
    pub(crate) const fn same(text: &'static str) -> Self {
        Self::each(text, text)
    }

    /// A text for each store, where the dialects differ.
    #[track_caller]
    pub(crate) const fn each(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres, at: Location::caller() }
    }

    /// A text for SQLite alone, where the way to the same end is another one on PostgreSQL.
    #[track_caller]
    pub(crate) const fn sqlite(text: &'static str) -> Self {
        Self::each(text, "")
    }

    /// A text for PostgreSQL alone.
    #[track_caller]
    pub(crate) const fn postgres(text: &'static str) -> Self {
        Self::each("", text)
    }

    fn trace(&self, text: &str) {
        tracing::trace!(target: "engine_store::statement", file = self.at.file(), line = self.at.line(), text);
    }
}

/// One argument of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Arg<'a> {
    Int(i64),
    OptInt(Option<i64>),
    Text(String),
    OptText(Option<String>),
    Bytes(Vec<u8>),
    Uuid(Uuid),
    /// A list: an array on PostgreSQL, a JSON array for `json_each` on SQLite.
    Ints(Vec<i64>),
    /// Many rows at once: one array per column on PostgreSQL, so as many arguments as columns; one JSON array of arrays
    /// on SQLite, so one argument.
    Rows(Rows<'a>),
}

macro_rules! arg_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Arg<'_> {
            fn from(value: $from) -> Self {
                Self::$variant(value)
            }
        })*
    };
}
arg_from!(
    i64 => Int, Option<i64> => OptInt, String => Text, Option<String> => OptText, Vec<u8> => Bytes, Uuid => Uuid,
    Vec<i64> => Ints,
);

impl<'a> From<Rows<'a>> for Arg<'a> {
    fn from(rows: Rows<'a>) -> Self {
        Self::Rows(rows)
    }
}

impl From<&str> for Arg<'_> {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Arg<'_> {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

macro_rules! arg_from_id {
    ($($id:ident),*) => {
        $(impl From<engine_model::$id> for Arg<'_> {
            fn from(id: engine_model::$id) -> Self {
                Self::Int(id.0)
            }
        }
        impl From<Option<engine_model::$id>> for Arg<'_> {
            fn from(id: Option<engine_model::$id>) -> Self {
                Self::OptInt(id.map(|id| id.0))
            }
        })*
    };
}
arg_from_id!(TenantId, RecordId, UserId, TeamId, TokenId, JobId, Sequence);

impl From<engine_model::time::Timestamp> for Arg<'_> {
    fn from(at: engine_model::time::Timestamp) -> Self {
        Self::Int(at.0)
    }
}

impl From<Option<engine_model::time::Timestamp>> for Arg<'_> {
    fn from(at: Option<engine_model::time::Timestamp>) -> Self {
        Self::OptInt(at.map(|at| at.0))
    }
}

/// Arguments in the order of their numbers.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Arg::from($value)),*] };
}
pub(crate) use args;

/// Many rows as typed columns of equal length.
#[derive(Debug, Clone)]
pub(crate) struct Rows<'a>(Vec<Column<'a>>);

/// One column of [`Rows`].
#[derive(Debug, Clone)]
pub(crate) enum Column<'a> {
    Ints(Vec<i64>),
    OptInts(Vec<Option<i64>>),
    Texts(Vec<String>),
    OptTexts(Vec<Option<String>>),
    /// Texts that live elsewhere, which saves copying each one.
    Slices(Vec<&'a str>),
    OptSlices(Vec<Option<&'a str>>),
    Uuids(Vec<Uuid>),
}

macro_rules! column_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl<'a> From<Vec<$from>> for Column<'a> {
            fn from(values: Vec<$from>) -> Self {
                Self::$variant(values)
            }
        })*
    };
}
column_from!(
    i64 => Ints, Option<i64> => OptInts, String => Texts, Option<String> => OptTexts, &'a str => Slices,
    Option<&'a str> => OptSlices, Uuid => Uuids,
);

/// Turns a list of rows into columns: `rows!(list; row => row.id, row.name.as_str())`.
macro_rules! rows {
    ($list:expr; $row:ident => $($value:expr),* $(,)?) => {
        $crate::sql::Rows::new(vec![$($crate::sql::Column::from(
            // A column may be the same for every row.
            $list.iter().map(|$row| { let _ = &$row; $value }).collect::<Vec<_>>()
        )),*])
    };
}
pub(crate) use rows;

impl<'a> Rows<'a> {
    /// Takes columns of equal length.
    pub(crate) fn new(columns: Vec<Column<'a>>) -> Self {
        Self(columns)
    }

    /// No row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.first().is_none_or(|column| column.len() == 0)
    }

    fn to_json(&self) -> String {
        let length = self.0.first().map_or(0, Column::len);
        let mut json = String::with_capacity(length * self.0.len() * 24);
        json.push('[');
        for row in 0..length {
            json.push_str(if row == 0 { "[" } else { ",[" });
            for (index, column) in self.0.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                column.write_json(row, &mut json);
            }
            json.push(']');
        }
        json.push(']');
        json
    }
}

impl Column<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::OptInts(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::OptTexts(values) => values.len(),
            Self::Slices(values) => values.len(),
            Self::OptSlices(values) => values.len(),
            Self::Uuids(values) => values.len(),
        }
    }

    fn write_json(&self, row: usize, json: &mut String) {
        match self {
            Self::Ints(values) => push_int(json, values[row]),
            Self::OptInts(values) => match values[row] {
                Some(value) => push_int(json, value),
                None => json.push_str("null"),
            },
            Self::Texts(values) => push_text(json, &values[row]),
            Self::OptTexts(values) => push_opt_text(json, values[row].as_deref()),
            Self::Slices(values) => push_text(json, values[row]),
            Self::OptSlices(values) => push_opt_text(json, values[row]),
            // SQLite keeps a uuid as 16 bytes; the statement turns the digits back with `unhex`.
            Self::Uuids(values) => push_text(json, &values[row].simple().to_string()),
        }
    }
}

fn push_int(json: &mut String, value: i64) {
    json.push_str(&value.to_string());
}

fn push_opt_text(json: &mut String, text: Option<&str>) {
    match text {
        Some(text) => push_text(json, text),
        None => json.push_str("null"),
    }
}

fn push_text(json: &mut String, text: &str) {
    json.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\') || byte < b' ') {
        json.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            b'\n' => json.push_str("\\n"),
            control => json.push_str(&format!("\\u{control:04x}")),
        }
        rest = &rest[at + 1..];
    }
    json.push_str(rest);
    json.push('"');
}

fn ints_json(values: &[i64]) -> String {
    let mut json = String::with_capacity(values.len() * 8 + 2);
    json.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_int(&mut json, *value);
    }
    json.push(']');
    json
}

pub(crate) type SqliteQuery = sqlx::query::Query<'static, Sqlite, SqliteArguments>;
pub(crate) type PostgresQuery = sqlx::query::Query<'static, Postgres, PgArguments>;

/// Binds `args` for SQLite.
#[expect(clippy::disallowed_methods, reason = "the single path of every statement")]
pub(crate) fn sqlite_query(sql: &Sql, args: Vec<Arg>) -> SqliteQuery {
    sql.trace(sql.sqlite);
    let mut query = sqlx::query(sql.sqlite);
    for arg in args {
        query = match arg {
            Arg::Int(value) => query.bind(value),
            Arg::OptInt(value) => query.bind(value),
            Arg::Text(value) => query.bind(value),
            Arg::OptText(value) => query.bind(value),
            Arg::Bytes(value) => query.bind(value),
            Arg::Uuid(value) => query.bind(value),
            Arg::Ints(values) => query.bind(ints_json(&values)),
            Arg::Rows(rows) => query.bind(rows.to_json()),
        };
    }
    query
}

/// Binds `args` for PostgreSQL.
#[expect(clippy::disallowed_methods, reason = "the single path of every statement")]
pub(crate) fn postgres_query(sql: &Sql, args: Vec<Arg>) -> PostgresQuery {
    sql.trace(sql.postgres);
    let mut query = sqlx::query(sql.postgres);
    for arg in args {
        query = match arg {
            Arg::Int(value) => query.bind(value),
            Arg::OptInt(value) => query.bind(value),
            Arg::Text(value) => query.bind(value),
            Arg::OptText(value) => query.bind(value),
            Arg::Bytes(value) => query.bind(value),
            Arg::Uuid(value) => query.bind(value),
            Arg::Ints(values) => query.bind(values),
            Arg::Rows(rows) => rows.0.into_iter().fold(query, |query, column| match column {
                Column::Ints(values) => query.bind(values),
                Column::OptInts(values) => query.bind(values),
                Column::Texts(values) => query.bind(values),
                Column::OptTexts(values) => query.bind(values),
                Column::Slices(values) => query.bind(values),
                Column::OptSlices(values) => query.bind(values),
                Column::Uuids(values) => query.bind(values),
            }),
        };
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_json_that_reads_back_as_the_same_values() {
        let list = [(1_i64, Some("a\"b\\c\n\u{1}é"), Uuid::nil()), (-2, None, Uuid::nil())];
        let owned = rows!(list; row => row.0, row.1.map(str::to_owned), row.2);
        let borrowed = rows!(list; row => row.0, row.1, row.2);
        let nil = "0".repeat(32);
        for rows in [owned, borrowed] {
            let json: serde_json::Value = serde_json::from_str(&rows.to_json()).expect("valid JSON");
            assert_eq!(json, serde_json::json!([[1, "a\"b\\c\n\u{1}é", nil], [-2, null, nil]]));
        }
    }
}
