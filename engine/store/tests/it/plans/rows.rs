//! Rows enough that walking through a table costs something, spread over tenants as they are in life.

use crate::raw::Raw;

const ROWS: i64 = 6_000;

/// What columns hold that a tenant has few values of, and those that may be null or are no text or number. The others
/// hold the row's number `g`; `n` counts the rows of one tenant.
const VALUES: [(&str, &str); 11] = [
    ("uid", "gen_random_uuid()"),
    ("object", "'object-' || n % 5"),
    ("properties", "'property-' || n % 5"),
    ("type", "'kind-' || n % 5"),
    ("kind", "'kind-' || n % 5"),
    ("within_value", "'room-' || n % 50"),
    ("state", "case when n % 100 = 0 then 'queued' else 'done' end"),
    ("archived_at", "case when n % 10 = 0 then g end"),
    ("purged_at", "case when n % 100 = 0 then g end"),
    ("merged_into", "case when n % 20 = 0 then g end"),
    ("content", "''"),
];

/// Leaves it to the test when anything is analysed.
pub(super) async fn never_analyse(owner: &mut Raw) {
    for table in tenant_tables(owner).await {
        owner.execute(&format!("alter table {table} set (autovacuum_enabled = false)")).await;
    }
}

/// Fills every tenant table with rows of twenty tenants, which no test has made.
pub(super) async fn fill(owner: &mut Raw) {
    for table in tenant_tables(owner).await {
        let columns = owner.texts(&format!("{COLUMNS} and c.table_name = '{table}' order by c.ordinal_position")).await;
        let values: Vec<&str> = columns.iter().map(|column| value(&table, column)).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let numbers = format!("(select g, g / 20 as n from generate_series(1, {ROWS}) g) numbers");
        owner.execute(&format!("insert into {table} ({columns}) select {values} from {numbers}")).await;
    }
}

const COLUMNS: &str = "select c.column_name::text from information_schema.columns c where c.table_schema = 'public'";

pub(super) async fn tenant_tables(owner: &mut Raw) -> Vec<String> {
    let with_tenant = "select c.table_name::text from information_schema.columns c \
                       where c.table_schema = 'public' and c.column_name = 'tenant_id' order by 1";
    let tables = owner.texts(with_tenant).await;
    assert!(tables.len() > 20);
    tables
}

fn value(table: &str, column: &str) -> &'static str {
    match (table, column) {
        // One row for each tenant.
        ("tenant" | "tenant_head", "tenant_id") => "1000 + g",
        (_, "tenant_id") => "1000 + g % 20",
        ("sensitive_read", "id") => "gen_random_uuid()",
        _ => VALUES.iter().find(|(name, _)| *name == column).map_or("g", |(_, value)| value),
    }
}
