//! What the server's role can see and write in PostgreSQL, whatever a statement forgets to say.

use std::collections::BTreeMap;

use crate::fixture::Home;
use crate::raw::Raw;

/// Two tenants with a row in every tenant table, and a connection of the server's role.
struct Rows {
    home: Home,
    server: Raw,
    /// Table to its columns, each with an expression for its value.
    tables: BTreeMap<String, Vec<(String, String)>>,
}

const MINE: i64 = 1;
const THEIRS: i64 = 2;

impl Rows {
    /// The values come from the catalogue, so that a new table needs no line here.
    async fn make() -> Self {
        let home = Home::postgres().await;
        let mut raw = home.raw().await;
        let columns = raw
            .texts(
                "select c.table_name || ' ' || c.column_name || ' ' || case c.data_type when 'bigint' then '1' \
                   when 'uuid' then 'gen_random_uuid()' when 'bytea' then '''''' else 'TENANT::text' end \
                 from information_schema.columns c where c.table_schema = 'public' and exists ( \
                   select 1 from information_schema.columns t where t.table_schema = c.table_schema \
                     and t.table_name = c.table_name and t.column_name = 'tenant_id') \
                 order by c.table_name, c.ordinal_position",
            )
            .await;
        let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for line in columns {
            let mut words = line.splitn(3, ' ').map(str::to_owned);
            let (table, column, value) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            let value = if column == "tenant_id" { "TENANT".to_owned() } else { value };
            tables.entry(table).or_default().push((column, value));
        }
        let server = Raw::postgres(&home.config.url).await;
        let mut rows = Self { home, server, tables };
        for tenant in [MINE, THEIRS] {
            for table in rows.tables.keys() {
                raw.execute(&rows.insert(table, tenant)).await;
            }
        }
        assert!(rows.tables.len() > 20);
        rows.see("trellis.tenant", "").await;
        rows
    }

    fn insert(&self, table: &str, tenant: i64) -> String {
        let columns: Vec<&str> = self.tables[table].iter().map(|(column, _)| column.as_str()).collect();
        let values: Vec<&str> = self.tables[table].iter().map(|(_, value)| value.as_str()).collect();
        let text = format!("insert into {table} ({}) values ({})", columns.join(", "), values.join(", "));
        text.replace("TENANT", &tenant.to_string())
    }

    async fn see(&mut self, setting: &str, value: &str) {
        self.server.execute(&format!("select set_config('{setting}', '{value}', false)")).await;
    }

    /// Tenants of the rows that the server sees, by table.
    async fn seen(&mut self) -> BTreeMap<String, Vec<i64>> {
        let mut seen = BTreeMap::new();
        for table in self.tables.keys() {
            let tenants = self.server.numbers(&format!("select tenant_id from {table} order by 1")).await;
            seen.insert(table.clone(), tenants);
        }
        seen
    }

    fn everywhere(&self, tenants: &[i64]) -> BTreeMap<String, Vec<i64>> {
        self.tables.keys().map(|table| (table.clone(), tenants.to_vec())).collect()
    }

    /// How many of the rows of both tenants are as they were.
    async fn untouched(&self) -> i64 {
        let mut raw = self.home.raw().await;
        let mut count = 0;
        for (table, columns) in &self.tables {
            let text = columns.iter().find(|(_, value)| value == "TENANT::text").map(|(column, _)| column);
            let condition = text.map_or(String::new(), |column| format!("where {column} = tenant_id::text"));
            count += raw.number(&format!("select count(*) from {table} {condition}")).await;
        }
        count
    }
}

fn is_refused(result: Result<(), sqlx::Error>) -> bool {
    result.is_err_and(|error| error.as_database_error().and_then(|error| error.code()).as_deref() == Some("42501"))
}

#[tokio::test]
async fn nothing_is_seen_without_a_tenant() {
    let mut rows = Rows::make().await;
    assert_eq!(rows.seen().await, rows.everywhere(&[]));
    rows.server.execute("reset trellis.tenant").await;
    assert_eq!(rows.seen().await, rows.everywhere(&[]));
}

#[tokio::test]
async fn tenant_sees_its_own_rows_only() {
    let mut rows = Rows::make().await;
    for tenant in [MINE, THEIRS] {
        rows.see("trellis.tenant", &tenant.to_string()).await;
        assert_eq!(rows.seen().await, rows.everywhere(&[tenant]));
    }
    rows.see("trellis.tenant", "3").await;
    assert_eq!(rows.seen().await, rows.everywhere(&[]));
}

#[tokio::test]
async fn rows_of_another_tenant_cannot_be_written() {
    let mut rows = Rows::make().await;
    let all = rows.untouched().await;
    rows.see("trellis.tenant", &MINE.to_string()).await;
    for table in rows.tables.keys() {
        let inserted = rows.server.try_execute(&rows.insert(table, 3)).await;
        assert!(is_refused(inserted), "insert into {table}");
        let moved = rows.server.try_execute(&format!("update {table} set tenant_id = 3")).await;
        assert!(is_refused(moved), "update {table}");
        rows.server.execute(&format!("delete from {table} where tenant_id = {THEIRS}")).await;
        let column = &rows.tables[table].last().unwrap().0;
        rows.server.execute(&format!("update {table} set {column} = {column} where tenant_id = {THEIRS}")).await;
    }
    assert_eq!(rows.untouched().await, all);
}

#[tokio::test]
async fn nothing_is_written_without_a_tenant() {
    let mut rows = Rows::make().await;
    let all = rows.untouched().await;
    for table in rows.tables.keys() {
        let inserted = rows.server.try_execute(&rows.insert(table, 3)).await;
        assert!(is_refused(inserted), "insert into {table}");
        rows.server.execute(&format!("delete from {table}")).await;
    }
    assert_eq!(rows.untouched().await, all);
}

#[tokio::test]
async fn token_is_seen_by_its_hash_alone() {
    let mut rows = Rows::make().await;
    rows.see("trellis.token_hash", &THEIRS.to_string()).await;
    let mut expected = rows.everywhere(&[]);
    expected.insert("token".to_owned(), vec![THEIRS]);
    assert_eq!(rows.seen().await, expected);
    for hash in ["", "3", "%", "2 "] {
        rows.see("trellis.token_hash", hash).await;
        assert_eq!(rows.seen().await, rows.everywhere(&[]), "{hash:?}");
    }
}

#[tokio::test]
async fn hash_of_a_token_gives_no_right_to_write() {
    let mut rows = Rows::make().await;
    rows.see("trellis.token_hash", &THEIRS.to_string()).await;
    let all = rows.untouched().await;
    rows.server.execute("delete from token").await;
    rows.server.execute("update token set role = 'owner', expires_at = null").await;
    assert_eq!(rows.untouched().await, all);
    // A tenant's connection has no hash set, which is no way to make a token for somebody else.
    rows.see("trellis.token_hash", "").await;
    rows.see("trellis.tenant", &MINE.to_string()).await;
    let forged = "insert into token values (2, 9, '', 'forged', 1, 'owner', '[]', 0, null)";
    assert!(is_refused(rows.server.try_execute(forged).await));
}

#[tokio::test]
async fn platform_sees_what_waits_and_makes_tenants() {
    let mut rows = Rows::make().await;
    rows.see("trellis.platform", "on").await;
    let mut expected = rows.everywhere(&[]);
    let seen = ["tenant", "tenant_head", "follower", "job", "list"];
    expected.extend(seen.map(|table| (table.to_owned(), vec![MINE, THEIRS])));
    assert_eq!(rows.seen().await, expected);
    rows.server.execute(&rows.insert("tenant", 3)).await;
    let all = rows.untouched().await;
    for table in seen.into_iter().filter(|table| *table != "tenant") {
        assert!(is_refused(rows.server.try_execute(&rows.insert(table, 4)).await), "insert into {table}");
    }
    for table in seen {
        let column = &rows.tables[table].last().unwrap().0;
        rows.server.execute(&format!("update {table} set {column} = null")).await;
        rows.server.execute(&format!("delete from {table}")).await;
    }
    assert_eq!(rows.untouched().await, all);
    for value in ["", "off", "true", "ON"] {
        rows.see("trellis.platform", value).await;
        assert_eq!(rows.seen().await, rows.everywhere(&[]), "{value:?}");
    }
}
