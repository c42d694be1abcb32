//! Plans of PostgreSQL, made as the server's connections make them: below row-level security, for any arguments.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::fault::{Fault, LARGE, tells_rows_apart};
use super::rows::tenant_tables;
use super::statement::Statement;
use crate::fixture::Home;
use crate::raw::Raw;

pub(super) struct Planner {
    server: Raw,
    tenant_tables: BTreeSet<String>,
    indexes: BTreeMap<String, Index>,
}

struct Index {
    table: String,
    columns: Vec<String>,
}

/// How a plan reaches the rows of a table.
struct Scan {
    table: String,
    index: Option<String>,
    condition: String,
}

impl Planner {
    pub(super) async fn of(home: &Home) -> Self {
        let mut owner = home.raw().await;
        let tenant_tables = tenant_tables(&mut owner).await.into_iter().collect();
        let indexes = owner
            .texts(
                "select i.indexrelid::regclass || ' ' || i.indrelid::regclass || ' ' \
                   || string_agg(a.attname, ' ' order by a.attnum) \
                 from pg_index i join pg_attribute a on a.attrelid = i.indexrelid group by i.indexrelid, i.indrelid",
            )
            .await;
        let indexes = indexes.iter().map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            let (name, table) = (words.next().unwrap(), words.next().unwrap());
            (name, Index { table, columns: words.collect() })
        });
        let mut server = Raw::postgres(&home.config.url).await;
        server.execute("set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_bitmapscan = off; set trellis.tenant = '1000'").await;
        Self { server, tenant_tables, indexes: indexes.collect() }
    }

    /// What is wrong with the plans of these statements; `when` says what is known of the rows.
    pub(super) async fn faults<'s>(&mut self, statements: &'s BTreeSet<Statement>, when: &str) -> Vec<Fault<'s>> {
        let mut faults = Vec::new();
        // What opens and closes transactions has no plan.
        let planned = |statement: &&Statement| !statement.text.starts_with("begin") && statement.text != "commit";
        for statement in statements.iter().filter(planned) {
            let plan = self.plan(&statement.text).await;
            for scan in self.scans(&plan) {
                if let Some(how) = self.walk(&scan) {
                    faults.push(Fault { statement, table: scan.table, what: format!("{when} it {how}") });
                }
            }
        }
        faults
    }

    async fn plan(&mut self, text: &str) -> Value {
        self.server.execute(&format!("prepare statement as {text}")).await;
        let parameters =
            "select cardinality(parameter_types)::bigint from pg_prepared_statements where name = 'statement'";
        let nulls: Vec<&str> = (0..self.server.number(parameters).await).map(|_| "null").collect();
        let arguments = if nulls.is_empty() { String::new() } else { format!("({})", nulls.join(", ")) };
        let plan = explain(connection(&mut self.server), &format!("execute statement{arguments}")).await;
        self.server.execute("deallocate statement").await;
        plan
    }

    /// Every way to the rows of a table in a plan.
    fn scans(&self, node: &Value) -> Vec<Scan> {
        let text = |key: &str| node[key].as_str().unwrap_or_default().to_owned();
        let mut scans = Vec::new();
        match node["Node Type"].as_str().unwrap() {
            "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
                let index = text("Index Name");
                let table = self.indexes[&index].table.clone();
                scans.push(Scan { table, index: Some(index), condition: text("Index Cond") });
            }
            // These go by what the nodes below them find.
            "Bitmap Heap Scan" | "ModifyTable" => {}
            _ if !node["Relation Name"].is_null() => {
                scans.push(Scan { table: text("Relation Name"), index: None, condition: text("TID Cond") });
            }
            _ => {}
        }
        scans.extend(node["Plans"].as_array().into_iter().flatten().flat_map(|node| self.scans(node)));
        scans
    }

    /// How a scan walks, if it does.
    ///
    /// A search goes by the first column of its index, and in a large table by all up to the first that tells rows apart.
    fn walk(&self, scan: &Scan) -> Option<String> {
        let Scan { table, index, condition } = scan;
        if !self.tenant_tables.contains(table) {
            return None;
        }
        let Some(index) = index else {
            return condition.is_empty().then(|| format!("walks through `{table}`"));
        };
        let (columns, is_large) = (&self.indexes[index].columns, LARGE.contains(&table.as_str()));
        let tells = |column: &String| !is_large || tells_rows_apart(column);
        // All that come before it, too: an index is not in the order of a column alone.
        let searched = columns.iter().position(tells).and_then(|first| columns.get(..=first));
        let is_search = searched.is_some_and(|columns| columns.iter().all(|column| names(condition, column)));
        (!is_search).then(|| format!("walks through `{table}` by `{index}` with `{condition}`"))
    }
}

/// Whether a condition is about a column of the table that is scanned; columns of others have their table's name.
fn names(condition: &str, column: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '$');
    condition.split(|letter| !is_word(letter)).any(|word| word == column)
}

fn connection(raw: &mut Raw) -> &mut PgConnection {
    match raw {
        Raw::Postgres(connection) => connection,
        Raw::Sqlite(_) => panic!("a connection to PostgreSQL"),
    }
}

async fn explain(connection: &mut PgConnection, text: &str) -> Value {
    let text = AssertSqlSafe(format!("explain (format json) {text}"));
    let row = connection.fetch_one(sqlx::raw_sql(text)).await.unwrap();
    let plans: Value = serde_json::from_str(row.get_unchecked(0)).unwrap();
    plans[0]["Plan"].clone()
}
