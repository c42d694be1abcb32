//! The schema: made once, the same on both stores, closed to roles that row security does not bind.

use std::collections::BTreeMap;

use engine_store::{Store, StoreConfig, StoreError};
use futures::future::join_all;
use throwaway_postgres::Database;

use crate::build::{create, unit};
use crate::fixture::{Home, Place, postgres_config};
use crate::on_both;
use crate::raw::Raw;

on_both!(opening_again_keeps_what_is_there, address_that_is_none_is_refused);

async fn opening_again_keeps_what_is_there(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    home.store.close().await;
    let store = Store::open(&home.config).await.unwrap();
    let again = Home { store, ..home };
    assert_eq!(again.record(tenant, id).await.unwrap().display_name, "Ada");
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite")).unwrap().count();
    let run = again.raw().await.number("select count(*) from _sqlx_migrations").await;
    assert_eq!(run, i64::try_from(files).unwrap(), "each file once");
}

async fn address_that_is_none_is_refused(home: Home) {
    for url in ["mysql://localhost/x", "postgres://:nonsense:", "data.db", ""] {
        let config = StoreConfig { url: url.to_owned(), ..home.config.clone() };
        let refused = Store::open(&config).await.map(drop);
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn tables_and_columns_are_the_same_on_both_stores() {
    let (sqlite, postgres) = (Home::sqlite().await, Home::postgres().await);
    let on_sqlite = columns(
        &sqlite,
        "select t.name || '.' || c.name || ' ' || lower(c.type) || case when c.\"notnull\" or c.pk then ' not null' else '' end \
           || case when c.pk then ' key ' || c.pk else '' end \
         from pragma_table_list t join pragma_table_info(t.name) c \
         where t.schema = 'main' and t.type = 'table' and t.name not like '\\_%' escape '\\' and t.name not like 'sqlite%'",
    );
    let on_postgres = columns(
        &postgres,
        "select c.table_name || '.' || c.column_name || ' ' || c.data_type \
           || case when c.is_nullable = 'NO' then ' not null' else '' end \
           || coalesce(' key ' || k.ordinal_position, '') \
         from information_schema.columns c \
         left join information_schema.table_constraints p on p.table_schema = c.table_schema \
           and p.table_name = c.table_name and p.constraint_type = 'PRIMARY KEY' \
         left join information_schema.key_column_usage k on k.constraint_schema = p.constraint_schema \
           and k.constraint_name = p.constraint_name and k.column_name = c.column_name \
         where c.table_schema = 'public' and c.table_name not like '\\_%'",
    );
    let (on_sqlite, on_postgres) = (on_sqlite.await, on_postgres.await);
    assert!(on_sqlite.len() > 100, "{on_sqlite:?}");
    assert_eq!(on_sqlite, on_postgres);
}

/// Table and column to its kind of type, whether it may be null, and its place in the key.
async fn columns(home: &Home, query: &str) -> BTreeMap<String, String> {
    let kinds = [("bigint", "integer"), ("bytea", "blob"), ("uuid", "blob")];
    let mut columns = BTreeMap::new();
    for line in home.raw().await.texts(query).await {
        let (name, kind) = line.split_once(' ').unwrap();
        let kind = kinds.iter().fold(kind.to_owned(), |kind, (from, to)| kind.replace(from, to));
        columns.insert(name.to_owned(), kind);
    }
    columns
}

#[tokio::test]
async fn indexes_are_the_same_on_both_stores() {
    let (sqlite, postgres) = (Home::sqlite().await, Home::postgres().await);
    let named = "select name from sqlite_master where type = 'index' and sql is not null order by name";
    let on_sqlite = sqlite.raw().await.texts(named).await;
    let plain = "select i.indexname::text from pg_indexes i where i.schemaname = 'public' and not exists ( \
                   select 1 from pg_constraint c where c.conname = i.indexname) order by 1";
    let mut on_postgres = postgres.raw().await.texts(plain).await;
    on_postgres.sort_unstable();
    assert_eq!(on_sqlite, on_postgres);
}

#[tokio::test]
async fn every_tenant_table_is_closed_by_row_security() {
    let home = Home::postgres().await;
    let mut raw = home.raw().await;
    let tables = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                  where n.nspname = 'public' and c.relkind in ('r', 'p')";
    let with_tenant = format!(
        "{tables} and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')"
    );
    let open = format!(
        "{with_tenant} and not (c.relrowsecurity and c.relforcerowsecurity \
           and exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polpermissive))"
    );
    assert_eq!(raw.texts(&open).await, Vec::<String>::new());
    assert!(raw.texts(&with_tenant).await.len() > 20);
    let without = format!(
        "{tables} and not exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') \
         order by 1"
    );
    assert_eq!(raw.texts(&without).await, ["_sqlx_migrations", "pack"]);
    let first_in_key = "select count(*) from pg_index i join pg_class c on c.oid = i.indrelid \
                        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' \
                        where i.indisprimary and i.indkey[0] <> a.attnum";
    assert_eq!(raw.number(first_in_key).await, 0);
}

async fn refusal(url: &str) -> String {
    let config = StoreConfig { url: url.to_owned(), migration_url: None, connections: 2 };
    match Store::open(&config).await {
        Err(StoreError::Refused(message)) => message,
        other => panic!("not refused: {other:?}"),
    }
}

fn database() -> Database {
    throwaway_postgres::database().unwrap()
}

#[tokio::test]
async fn superuser_is_refused_before_anything_is_made() {
    let database = database();
    let message = refusal(database.superuser_url()).await;
    assert!(message.contains("is a superuser"), "{message}");
    let mut raw = Raw::postgres(database.superuser_url()).await;
    assert_eq!(raw.number("select count(*) from pg_tables where schemaname = 'public'").await, 0);

    // The same where the schema's owner is another role.
    let config = StoreConfig { url: database.superuser_url().to_owned(), ..postgres_config(&database) };
    assert!(matches!(Store::open(&config).await, Err(StoreError::Refused(_))));
}

#[tokio::test]
async fn role_that_bypasses_row_security_is_refused() {
    let database = database();
    let mut raw = Raw::postgres(database.superuser_url()).await;
    let role = user_of(database.url());
    raw.execute(&format!("alter role {role} bypassrls")).await;
    let message = refusal(database.url()).await;
    assert!(message.contains("may bypass row security") && message.contains(&role), "{message}");
}

#[tokio::test]
async fn refusal_says_the_two_commands_that_make_a_right_role() {
    let database = database();
    let message = refusal(database.superuser_url()).await;
    let commands: Vec<&str> = message.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(
        commands,
        [
            "create role trellis login nosuperuser nobypassrls password 'CHOOSE ONE';",
            "grant usage, create on schema public to trellis;",
        ]
    );
    // A role is the whole server's, so each test needs a name of its own.
    let role = format!("{}_made", user_of(database.url()));
    let mut raw = Raw::postgres(database.superuser_url()).await;
    for command in &commands {
        raw.execute(&command.replace("trellis", &role).replace("CHOOSE ONE", "secret")).await;
    }
    let url = with_user(database.url(), &role, "secret");
    let store = Store::open(&StoreConfig { url, migration_url: None, connections: 2 }).await.unwrap();
    store.ping().await.unwrap();
    store.close().await;
    raw.execute(&format!("drop owned by {role} cascade; drop role {role}")).await;
}

#[tokio::test]
async fn owner_of_the_schema_may_be_the_server() {
    let place = Place::postgres();
    let Place::Database(database) = &place else { unreachable!() };
    let config = StoreConfig { url: database.migration_url().to_owned(), migration_url: None, connections: 4 };
    let store = Store::open(&config).await.unwrap();
    let home = Home { store, config, place };
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    assert!(home.record(tenant, id).await.is_some());
    // Row security binds the owner too.
    let Place::Database(database) = &home.place else { unreachable!() };
    let mut raw = Raw::postgres(database.migration_url()).await;
    assert_eq!(raw.number("select count(*) from record").await, 0);
}

#[tokio::test]
async fn migration_address_may_go_once_the_schema_is_there() {
    let database = database();
    let config = postgres_config(&database);
    let alone = StoreConfig { migration_url: None, ..config.clone() };
    let message = refusal(&alone.url).await;
    assert!(message.contains("TRELLIS_MIGRATION_URL"), "{message}");
    Store::open(&config).await.unwrap().close().await;
    let store = Store::open(&alone).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn server_may_not_change_the_schema() {
    let home = Home::postgres().await;
    let mut raw = Raw::postgres(&home.config.url).await;
    for statement in [
        "drop table record",
        "alter table record disable row level security",
        "alter table record no force row level security",
        "drop policy tenant_isolation on record",
        "create table mine (id int)",
        "truncate record",
        "delete from _sqlx_migrations",
        "set session authorization postgres",
        "set role postgres",
    ] {
        let refused = raw.try_execute(statement).await;
        assert!(refused.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn nodes_that_start_at_once_share_the_work() {
    let database = database();
    for _ in 0..3 {
        let configs: Vec<_> = (0..6).map(|_| postgres_config(&database)).collect();
        for opened in join_all(configs.iter().map(Store::open)).await {
            opened.unwrap().close().await;
        }
    }
}

/// The role in a database's address.
fn user_of(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    rest.split_once(':').unwrap().0.to_owned()
}

fn with_user(url: &str, user: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    format!("{scheme}://{user}:{password}@{}", rest.split_once('@').unwrap().1)
}
