//! Committing without a lock: what was checked is written if the tenant's head is still the same.
//!
//! Every commit moves the head, so an unmoved head says that all which was read is still so. On PostgreSQL that takes
//! two round trips instead of five. Where a group only makes new records it takes one, on SQLite too: the head as this
//! node left it is a good guess, and the unique index holds what the guess leaves out.

use std::collections::HashMap;

use engine_model::TenantId;

use super::apply;
use super::load::{Seen, load_unlocked};
use super::mention::Mentions;
use super::state::{State, Verdict};
use super::work::Work;
use super::{Committed, Outcome};
use crate::error::{Result, StoreError};
use crate::lease::Lease;
use crate::store::Head;

/// Tenants whose head is remembered; all are forgotten when there are more.
const REMEMBERED: usize = 4_096;

/// Groups for which nothing is guessed after a guess was wrong: values that are taken rarely come alone.
const REST: u32 = 16;

/// Heads of tenants as this node last left them.
#[derive(Debug, Default)]
pub(super) struct Heads {
    known: HashMap<TenantId, Head>,
    /// Groups that are still to come before the next guess.
    rest: u32,
}

impl Heads {
    pub(super) fn remember(&mut self, tenant: TenantId, head: Head) {
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(tenant, head);
    }

    fn guess(&mut self, tenant: TenantId) -> Option<Head> {
        if self.rest > 0 {
            self.rest -= 1;
            return None;
        }
        self.known.remove(&tenant)
    }

    fn guessed_wrong(&mut self) {
        self.rest = REST;
    }
}

/// How a group fared without a lock.
pub(super) enum Attempt {
    /// Each unit's outcome, the head before, and the head after.
    Done(Vec<Outcome>, Head, Head),
    /// Nothing was written; it takes the lock.
    NeedsLock,
    /// The connection broke, so that it may have been written; it was not if the head is still this one.
    Unsure(Head, StoreError),
}

/// Commits the units of one tenant, which have no keys that could be used up by an attempt that fails.
pub(super) async fn commit(lease: &mut Lease, heads: &mut Heads, tenant: TenantId, works: &[&Work]) -> Result<Attempt> {
    let mentions = Mentions::of(works);
    if mentions.are_values_only()
        && let Some(head) = heads.guess(tenant)
    {
        let state = State::new(&mentions, Seen::nothing(head));
        match write(lease, tenant, state, works, are_done).await? {
            Attempt::NeedsLock => heads.guessed_wrong(),
            attempt => return Ok(attempt),
        }
    }
    if !lease.is_postgres() {
        return Ok(Attempt::NeedsLock);
    }
    let seen = load_unlocked(lease, tenant, &mentions).await?;
    write(lease, tenant, State::new(&mentions, seen), works, |_| true).await
}

/// Writes what passes the checks, if the verdicts are to be believed.
async fn write<'u>(
    lease: &mut Lease,
    tenant: TenantId,
    mut state: State<'u>,
    works: &[&'u Work],
    are_believed: impl Fn(&[Outcome]) -> bool,
) -> Result<Attempt> {
    let before = state.head;
    let mut outcomes = Vec::with_capacity(works.len());
    for (position, work) in works.iter().enumerate() {
        match state.take(position, work) {
            Verdict::Over(outcome) => outcomes.push(outcome),
            Verdict::SameAs(_) => return Ok(Attempt::NeedsLock),
        }
    }
    let fits = if lease.is_postgres() { state.rows.fit_one_statement() } else { state.rows.are_new() };
    if !fits || !are_believed(&outcomes) {
        return Ok(Attempt::NeedsLock);
    }
    if state.rows.is_empty() {
        return Ok(Attempt::Done(outcomes, before, before));
    }
    match apply::write_at_once(lease, tenant, &before, &state.head, &state.rows).await {
        Ok(true) => Ok(Attempt::Done(outcomes, before, state.head)),
        Err(error) if error.breaks_connection() => Ok(Attempt::Unsure(before, error)),
        Err(error) if error.is_unavailable() => Err(error),
        // A value is taken after all, or a unit cannot be stored; under the lock it is found out which.
        Ok(false) | Err(_) => Ok(Attempt::NeedsLock),
    }
}

/// What a guess refuses may be a mistake, and what changes nothing proves nothing.
fn are_done(outcomes: &[Outcome]) -> bool {
    outcomes.iter().all(|outcome| match outcome {
        Outcome::Committed(Committed { items, .. }) => !items.is_empty() && items.iter().all(|item| *item == Ok(true)),
        Outcome::Refused(_) | Outcome::Outdated | Outcome::Replayed(_) | Outcome::KeyReused => false,
    })
}
