//! The same questions put to PostgreSQL directly: a JSONB column without indexes on properties, and a table with a typed
//! column for each property and ordinary indexes.
//!
//! Nothing is around these statements: no HTTP, no rights, no tenant, no row security. Both tables belong to one tenant
//! alone, which flatters them.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use throwaway_postgres::Cluster;

use super::super::histogram::Latencies;
use super::ask::Turns;
use super::person::Person;
use super::question::{Question, bounds, questions};
use super::truth::{self, Sums, Truth};

/// Contacts in one statement.
const CHUNK: u64 = 5_000;

/// Every property with the type of its column.
const COLUMNS: [(&str, &str); 26] = [
    ("first_name", "text"),
    ("middle_name", "text"),
    ("last_name", "text"),
    ("email", "text"),
    ("email_verified", "boolean"),
    ("phone", "text"),
    ("mobile", "text"),
    ("title", "text"),
    ("department", "text"),
    ("employer", "text"),
    ("source_id", "text"),
    ("contact_status", "text"),
    ("lifecycle_stage", "text"),
    ("lead_status", "text"),
    ("lead_source", "text"),
    ("lead_score", "integer"),
    ("source", "text"),
    ("region", "text"),
    ("customer_value", "numeric(18,4)"),
    ("last_contacted_at", "timestamptz"),
    ("last_purchase_at", "timestamptz"),
    ("last_purchase_amount", "numeric(18,2)"),
    ("joined_on", "date"),
    ("preferences", "jsonb"),
    ("tags", "jsonb"),
    ("about", "text"),
];

/// Columns with an index each, as whoever looks at the questions would have them.
const INDEXED: [&str; 9] = [
    "email",
    "source_id",
    "lifecycle_stage",
    "lead_status",
    "customer_value",
    "last_contacted_at",
    "last_purchase_at",
    "employer",
    "joined_on",
];

/// The two ways to keep properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Jsonb,
    Typed,
}

/// Medians in milliseconds by question, of both forms.
#[derive(Debug, Default)]
pub(super) struct Rivals(BTreeMap<&'static str, [Option<f64>; 2]>);

/// What the tables are, beside the answers' times.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) rivals: Rivals,
    /// Bytes on disk, indexes included.
    pub(super) jsonb_bytes: i64,
    pub(super) typed_bytes: i64,
    /// Answers that were not as they must be.
    pub(super) wrong: Vec<String>,
}

impl Rivals {
    /// Medians of a question: on JSONB, on typed columns.
    pub(super) fn of(&self, question: &str) -> [Option<f64>; 2] {
        self.0.get(question).copied().unwrap_or_default()
    }
}

/// Fills both tables on a server of their own and asks them.
pub(super) async fn measure(records: u64, turns: Turns) -> Result<Filled> {
    let settings = throwaway_postgres::Settings { shared_buffers_mib: 1024, ..Default::default() };
    let cluster = Cluster::start(&settings)?;
    let database = cluster.database()?;
    let mut connection = PgConnection::connect(database.migration_url()).await?;
    fill(&mut connection, records).await?;
    let (mut rivals, mut wrong) = (Rivals::default(), Vec::new());
    for question in questions() {
        let Some(statement) = question.statement else { continue };
        for form in [Form::Jsonb, Form::Typed] {
            let text = form.statement(statement);
            if let Some(problem) = refute(&mut connection, &text, &question, records).await? {
                wrong.push(format!("{form:?}: {}: {problem}", question.name));
            }
            let latencies = ask(&mut connection, &text, turns).await?;
            let p50 = latencies.percentile_ms(50.0);
            eprintln!("postgres   {records:>8}  {:<41} {form:?} {p50:.2} ms", question.name);
            rivals.0.entry(question.name).or_default()[form as usize] = Some(p50);
        }
    }
    let (jsonb_bytes, typed_bytes) =
        (bytes(&mut connection, Form::Jsonb).await?, bytes(&mut connection, Form::Typed).await?);
    connection.close().await?;
    Ok(Filled { rivals, jsonb_bytes, typed_bytes, wrong })
}

impl Form {
    fn table(self) -> &'static str {
        match self {
            Self::Jsonb => "contact_jsonb",
            Self::Typed => "contact_typed",
        }
    }

    /// The statement with this form's columns.
    fn statement(self, template: &str) -> String {
        let mut text = template.replace("{table}", self.table());
        for (name, property, kind) in [
            ("{stage}", "lifecycle_stage", None),
            ("{lead_status}", "lead_status", None),
            ("{value}", "customer_value", Some("numeric")),
            ("{contacted}", "last_contacted_at", None),
        ] {
            let column = match (self, kind) {
                (Self::Typed, _) => property.to_owned(),
                (Self::Jsonb, None) => format!("(properties->>'{property}')"),
                (Self::Jsonb, Some(kind)) => format!("(properties->>'{property}')::{kind}"),
            };
            text = text.replace(name, &column);
        }
        text
    }
}

async fn fill(connection: &mut PgConnection, records: u64) -> Result<()> {
    const MAKE: &str = "create table contact_jsonb (id bigint primary key, properties jsonb not null)";
    const INSERT: &str = "insert into contact_jsonb select id, properties::jsonb \
         from unnest($1::bigint[], $2::text[]) as made(id, properties)";
    sqlx::query(MAKE).execute(&mut *connection).await?;
    let mut first = 0;
    while first < records {
        let last = (first + CHUNK).min(records);
        let ids = (first..last).map(|number| i64::try_from(number + 1)).collect::<Result<Vec<i64>, _>>()?;
        let texts: Vec<String> = (first..last).map(|number| Person::new(number).properties()).collect();
        sqlx::query(INSERT).bind(ids).bind(texts).execute(&mut *connection).await?;
        first = last;
    }
    let column = |(name, kind): &(&str, &str)| match *kind {
        "jsonb" => format!("properties->'{name}' as {name}"),
        "text" => format!("properties->>'{name}' as {name}"),
        kind => format!("(properties->>'{name}')::{kind} as {name}"),
    };
    let columns: Vec<String> = COLUMNS.iter().map(column).collect();
    let typed = format!("create table contact_typed as select id, {} from contact_jsonb", columns.join(", "));
    execute(connection, typed).await?;
    execute(connection, "alter table contact_typed add primary key (id)".to_owned()).await?;
    for column in INDEXED {
        execute(connection, format!("create index on contact_typed ({column})")).await?;
    }
    for form in [Form::Jsonb, Form::Typed] {
        execute(connection, format!("vacuum analyze {}", form.table())).await?;
    }
    Ok(())
}

async fn execute(connection: &mut PgConnection, text: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await?;
    Ok(())
}

/// Asks again and again; only the wait for the rows is measured.
async fn ask(connection: &mut PgConnection, text: &str, turns: Turns) -> Result<Latencies> {
    const WARM_UP: u64 = 2;
    let mut latencies = Latencies::new();
    let began = Instant::now();
    for turn in 0..WARM_UP + turns.turns {
        let asked = Instant::now();
        rows(connection, text, turn).await?;
        if turn >= WARM_UP {
            latencies.record(asked.elapsed());
        }
        if turn > WARM_UP && began.elapsed() >= turns.time {
            break;
        }
    }
    Ok(latencies)
}

async fn rows(connection: &mut PgConnection, text: &str, turn: u64) -> Result<Vec<PgRow>> {
    let mut query = sqlx::query(AssertSqlSafe(text.to_owned()));
    if text.contains("$1") {
        let (from, to) = bounds(turn);
        query = query.bind(from).bind(to);
    }
    query.fetch_all(connection).await.with_context(|| format!("could not ask: {text}"))
}

/// What is wrong with the answer of the first turn.
async fn refute(
    connection: &mut PgConnection,
    text: &str,
    question: &Question,
    records: u64,
) -> Result<Option<String>> {
    let rows = rows(connection, text, 0).await?;
    Ok(match question.truth {
        Truth::Count(meets) => {
            let found: i64 = rows.first().context("a count has a row")?.try_get(0)?;
            let expected = truth::count(meets, 0, records);
            (u64::try_from(found)? != expected).then(|| format!("{found} were found of {expected}"))
        }
        Truth::Sums(meets) => {
            let mut found = Sums::new();
            for row in &rows {
                found.insert(row.try_get(0)?, (u64::try_from(row.try_get::<i64, _>(2)?)?, row.try_get(1)?));
            }
            let expected = truth::sums(meets, 0, records);
            (found != expected).then(|| format!("the table is {found:?} instead of {expected:?}"))
        }
        Truth::Newest(_) | Truth::Unknown => None,
    })
}

async fn bytes(connection: &mut PgConnection, form: Form) -> Result<i64> {
    let text = "select pg_total_relation_size($1::regclass)";
    Ok(sqlx::query_scalar(text).bind(form.table()).fetch_one(connection).await?)
}
