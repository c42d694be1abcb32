//! How the databases carry the store's statements out: by keys, whatever is stored and whatever they know of it.

mod fault;
mod postgres;
mod rows;
mod sqlite;
mod statement;
mod tour;

use std::collections::BTreeSet;

use self::fault::{LARGE, judge};
use self::postgres::Planner;
use self::statement::{Place, Statement, Trace, written_down};
use crate::fixture::Home;

/// A tour that leaves a statement out would say nothing about it.
fn assert_complete(seen: &BTreeSet<Statement>, constructors: &[&str]) {
    let seen: BTreeSet<&Place> = seen.iter().map(|statement| &statement.place).collect();
    let written = written_down(constructors);
    assert!(written.len() > 90);
    let missing: Vec<String> = written.iter().filter(|place| !seen.contains(place)).map(Place::to_string).collect();
    assert_eq!(missing, Vec::<String>::new(), "statements that the tour does not run");
}

#[tokio::test]
async fn statements_go_by_keys_on_sqlite() {
    let trace = Trace::begin();
    let home = Home::sqlite().await;
    tour::whole(&home).await;
    let seen = trace.statements();
    assert_complete(&seen, &["same", "each", "sqlite"]);
    let faults = sqlite::faults(&mut home.raw().await, &seen).await;
    assert_eq!(judge(&faults), BTreeSet::new());
}

/// A connection keeps the plan that it made first, which may have been when there were no rows; statistics come when
/// autovacuum gets to it, which may be after millions of them.
#[tokio::test]
async fn statements_go_by_keys_on_postgres_before_and_after_it_is_analysed() {
    let mut trace = Trace::begin();
    let home = Home::postgres().await;
    let mut owner = home.raw().await;
    rows::never_analyse(&mut owner).await;
    tour::whole(&home).await;
    tour::other_nodes(&home, &mut trace).await;
    let seen = trace.statements();
    assert_complete(&seen, &["same", "each", "postgres"]);
    let mut planner = Planner::of(&home).await;
    let mut faults = planner.faults(&seen, "with hardly any rows").await;
    rows::fill(&mut owner).await;
    faults.extend(planner.faults(&seen, "without statistics").await);
    owner.execute("analyze").await;
    faults.extend(planner.faults(&seen, "analysed").await);
    assert_eq!(judge(&faults), BTreeSet::new());
}

/// Tables that fit on a page look as if it were best to read them whole, and such a plan is kept as well. It is made
/// again when a table has grown and is analysed, which is soon enough for those that do not grow by millions.
#[tokio::test]
async fn statements_go_by_keys_on_postgres_where_it_was_analysed_while_small() {
    let mut trace = Trace::begin();
    let home = Home::postgres().await;
    let mut owner = home.raw().await;
    rows::never_analyse(&mut owner).await;
    tour::whole(&home).await;
    tour::other_nodes(&home, &mut trace).await;
    owner.execute("analyze").await;
    let mut planner = Planner::of(&home).await;
    let seen = trace.statements();
    let mut faults = planner.faults(&seen, "analysed while small").await;
    faults.retain(|fault| LARGE.contains(&fault.table.as_str()));
    assert_eq!(judge(&faults), BTreeSet::new());
}
