//! A pack over many tenants: what they share, and how it ends before all are done.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::packs::{Consent, Fate, PackSource, TenantOutcome, TenantOutcomes, TenantsPack};
use engine::{Engine, ErrorCode, NewTenant, Origin, Session};
use tokio_util::sync::CancellationToken;

use crate::support::Home;

fn pack(version: &str, properties: &str) -> PackSource {
    let text = format!("pack: local\nversion: {version}\nobjects: {{gadget: {{properties: {{{properties}}}}}}}\n");
    PackSource::Files(vec![("pack.yaml".to_owned(), text)])
}

fn origin() -> Origin {
    Origin { actor: None, source: "platform".to_owned(), request_id: None, ip: None, user_agent: None }
}

async fn tenant(engine: &Engine, slug: &str) -> Session {
    let new = NewTenant { slug: slug.to_owned(), ..NewTenant::default() };
    let (_, secret) = engine.tenant_create(new, None).await.expect("a tenant");
    engine.session(&secret, origin()).await.expect("a session")
}

async fn begin(engine: &Engine, source: PackSource, stop: CancellationToken) -> TenantOutcomes {
    let consent = Consent { allows_destructive: true, accept: BTreeMap::new(), migrations: BTreeMap::new() };
    let wanted = TenantsPack { source, tenants: None, installs: true, only_plans: false, consent };
    engine.pack_over_tenants(wanted, origin(), stop).await.expect("a run")
}

async fn all(engine: &Engine, source: PackSource) -> Vec<TenantOutcome> {
    let mut outcomes = begin(engine, source, CancellationToken::new()).await;
    let mut all = Vec::new();
    while let Some(outcome) = outcomes.next().await {
        all.push(outcome.expect("an outcome"));
    }
    assert!(outcomes.is_whole());
    all
}

/// How many of these tenants have the object.
async fn with_gadget(sessions: &mut [Session]) -> usize {
    let mut count = 0;
    for session in sessions {
        session.tenant_read().await.expect("a tenant");
        count += usize::from(session.catalog.object("gadget").is_ok());
    }
    count
}

#[tokio::test]
async fn tenants_that_share_definitions_share_them_after() {
    let home = Home::open().await;
    let (mut one, mut other) = (tenant(&home.engine, "one").await, tenant(&home.engine, "other").await);
    // The same definitions at different versions.
    let name = Some("Another".to_owned());
    one.tenant_change(engine::TenantPatch { name, ..Default::default() }).await.expect("renamed");
    for (version, properties) in [("1.0.0", "a: {type: string}, b: {type: string}"), ("2.0.0", "a: {type: string}")] {
        let outcomes = all(&home.engine, pack(version, properties)).await;
        assert_eq!(outcomes.len(), 3);
        assert!(outcomes.iter().all(|outcome| matches!(outcome.fate, Fate::Changed { .. }) && outcome.to == version));
        // What a version lacks is archived at the same moment for all.
        home.clock.advance(1_000_000);
        one.tenant_read().await.expect("a tenant");
        other.tenant_read().await.expect("a tenant");
        assert!(Arc::ptr_eq(&one.catalog.effective, &other.catalog.effective));
        assert_ne!(one.catalog.version, other.catalog.version);
    }
    let again = all(&home.engine, pack("2.0.0", "a: {type: string}")).await;
    assert!(again.iter().all(|outcome| matches!(outcome.fate, Fate::Unchanged)), "{again:?}");
}

#[tokio::test]
async fn whoever_goes_lets_no_further_tenant_begin() {
    let home = Home::open().await;
    let mut sessions = Vec::new();
    for number in 0..30 {
        sessions.push(tenant(&home.engine, &format!("t{number}")).await);
    }
    let mut outcomes = begin(&home.engine, pack("1.0.0", "a: {type: string}"), CancellationToken::new()).await;
    let first = outcomes.next().await.expect("an outcome").expect("no error");
    assert!(matches!(first.fate, Fate::Changed { .. }), "{first:?}");
    drop(outcomes);
    // The place is free once those under way are done: the next run finds them as they are.
    let stop = CancellationToken::new();
    let consent = Consent::default();
    let wanted = TenantsPack {
        source: pack("1.0.0", "a: {type: string}"),
        tenants: None,
        installs: false,
        only_plans: true,
        consent,
    };
    loop {
        match home.engine.pack_over_tenants(wanted.clone(), origin(), stop.clone()).await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code, ErrorCode::Unavailable),
        }
        tokio::task::yield_now().await;
    }
    // One was taken, one waited, one was handed over, and four were under way.
    let done = with_gadget(&mut sessions).await;
    assert!((1..=8).contains(&done), "{done} tenants were changed");
}

#[tokio::test]
async fn stopped_run_finishes_what_has_begun_and_says_that_it_is_not_all() {
    let home = Home::open().await;
    let mut sessions = Vec::new();
    for number in 0..30 {
        sessions.push(tenant(&home.engine, &format!("t{number}")).await);
    }
    let stop = CancellationToken::new();
    let mut outcomes = begin(&home.engine, pack("1.0.0", "a: {type: string}"), stop.clone()).await;
    let mut told = Vec::new();
    while let Some(outcome) = outcomes.next().await {
        stop.cancel();
        told.push(outcome.expect("no error").tenant);
    }
    assert!(!outcomes.is_whole());
    assert!(told.len() <= 8, "{told:?}");
    // Each one that was changed has been told; the first tenant of all is not among the sessions.
    let named = told.iter().filter(|tenant| *tenant != "acme").count();
    assert_eq!(with_gadget(&mut sessions).await, named);
}
