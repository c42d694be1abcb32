//! Plans of SQLite, which do not depend on the rows, since nothing is analysed there.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::fault::{Fault, LARGE, tells_rows_apart};
use super::statement::Statement;
use crate::raw::Raw;

/// What is wrong with the plans of these statements.
pub(super) async fn faults<'s>(raw: &mut Raw, statements: &'s BTreeSet<Statement>) -> Vec<Fault<'s>> {
    let with_tenant = "select m.name from sqlite_schema m join pragma_table_info(m.name) c on c.name = 'tenant_id' \
                       where m.type = 'table' order by 1";
    let tenant_tables = raw.texts(with_tenant).await;
    assert!(tenant_tables.len() > 20);
    let mut faults = Vec::new();
    for statement in statements {
        // No text of a statement holds a semicolon of its own.
        for text in statement.text.split(';') {
            let tables = tables(text, &tenant_tables);
            for step in steps(connection(raw), text).await {
                let walked = tables.iter().find(|(name, table)| is_walk(&step, name, table));
                faults.extend(walked.map(|(_, table)| {
                    let (table, what) = ((*table).to_owned(), format!("`{step}` walks through `{table}`"));
                    Fault { statement, table, what }
                }));
            }
        }
    }
    faults
}

/// The tenant tables of a statement, each by the names that it may go by there.
fn tables<'t>(text: &'t str, tenant_tables: &'t [String]) -> Vec<(&'t str, &'t str)> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words: Vec<&str> = text.split(|letter| !is_word(letter)).filter(|word| !word.is_empty()).collect();
    let mut tables = Vec::new();
    for (index, word) in words.iter().enumerate().skip(1) {
        let is_table = matches!(words[index - 1], "from" | "join" | "update" | "into");
        if let Some(table) = tenant_tables.iter().find(|table| is_table && table == word) {
            // What follows is the table's other name, or a word that no step begins with.
            let names = [*word, words.get(index + 1).copied().unwrap_or(word)];
            tables.extend(names.map(|name| (name, table.as_str())));
        }
    }
    tables
}

/// Whether a step walks through the table that has this name in it, or through most that a tenant has in a large one.
fn is_walk(step: &str, name: &str, table: &str) -> bool {
    let mut words = step.split(' ');
    let (verb, about) = (words.next(), words.next());
    let is_wide = LARGE.contains(&table) && !columns(step).any(tells_rows_apart);
    about == Some(name) && (verb == Some("SCAN") || verb == Some("SEARCH") && (is_wide || step.contains("AUTOMATIC")))
}

/// The columns that a step searches by, as in `SEARCH r USING INDEX record_uid (tenant_id=? AND uid=?)`.
fn columns(step: &str) -> impl Iterator<Item = &str> {
    let terms = step.rsplit_once('(').map_or("", |(_, terms)| terms);
    terms.split(" AND ").filter_map(|term| term.split(['=', '<', '>']).next())
}

fn connection(raw: &mut Raw) -> &mut SqliteConnection {
    match raw {
        Raw::Sqlite(connection) => connection,
        Raw::Postgres(_) => panic!("a connection to SQLite"),
    }
}

async fn steps(connection: &mut SqliteConnection, text: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(format!("explain query plan {text}"))).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}
