//! One transaction for the units of a group, tenant by tenant.

use std::sync::Arc;

use engine_model::TenantId;
use tokio::sync::oneshot;

use super::apply::{self, Then};
use super::load::{begin_and_load, load};
use super::mention::Mentions;
use super::merge;
use super::optimistic::{self, Attempt, Heads};
use super::purge;
use super::rows::ReplyRow;
use super::state::{State, Verdict};
use super::work::{Key, Work};
use super::{Committed, IdempotencyClaim, Outcome, Unit};
use crate::error::{Result, StoreError};
use crate::idempotency::StoredReply;
use crate::lease::Lease;
use crate::pool::{Pool, Scope};
use crate::store::{Head, lock_head};

type MakeReply = Box<dyn FnOnce(&Committed) -> StoredReply + Send>;

/// A unit and where its answer goes.
pub(super) struct Waiting {
    work: Work,
    /// Taken when the reply is made, which happens once.
    make_reply: Option<MakeReply>,
    answer: oneshot::Sender<Result<Outcome>>,
}

impl Waiting {
    pub(super) fn new(unit: Unit, answer: oneshot::Sender<Result<Outcome>>) -> Self {
        let Unit { tenant, metadata_version, access_version, origin, at, items, is_atomic, idempotency } = unit;
        let (key, make_reply) = match idempotency {
            Some(IdempotencyClaim { key, fingerprint, reply }) => (Some(Key { key, fingerprint }), Some(reply)),
            None => (None, None),
        };
        let work = Work { tenant, metadata_version, access_version, origin, at, items, is_atomic, key };
        Self { work, make_reply, answer }
    }

    pub(super) fn tenant(&self) -> TenantId {
        self.work.tenant
    }

    /// How many writes there are, as a measure of the work.
    pub(super) fn weight(&self) -> usize {
        self.work.items.iter().map(|item| item.writes.len()).sum::<usize>() + 1
    }

    /// The caller has gone, so nobody will miss what has not begun.
    pub(super) fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    /// An earlier attempt came as far as the reply and then failed.
    pub(super) fn is_spent(&self) -> bool {
        self.work.key.is_some() && self.make_reply.is_none()
    }

    pub(super) fn answer(self, outcome: Result<Outcome>) {
        // A caller that went away does not wait for its answer.
        drop(self.answer.send(outcome));
    }
}

/// What came of a group: each unit's outcome in order, and where the logs of the tenants that it wrote to end.
pub(super) struct Done {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) grown: Vec<(TenantId, i64)>,
}

impl Done {
    fn grow(&mut self, tenant: TenantId, before: &Head, after: &Head) {
        if after.last_sequence != before.last_sequence {
            self.grown.push((tenant, after.last_sequence));
        }
    }
}

/// Commits a group whose units are sorted by tenant. Fails as a whole or not at all.
pub(super) async fn commit(pool: &Arc<Pool>, heads: &mut Heads, group: &mut [Waiting]) -> Result<Done> {
    let mut done = Done { outcomes: Vec::with_capacity(group.len()), grown: Vec::new() };
    let mut tenants = group.chunk_by_mut(|left, right| left.tenant() == right.tenant()).peekable();
    let Some(first) = tenants.peek().and_then(|units| units.first()).map(Waiting::tenant) else { return Ok(done) };
    let mut lease = pool.acquire(Scope::Tenant(first)).await?;
    let mut is_open = false;
    while let Some(units) = tenants.next() {
        let is_last = tenants.peek().is_none();
        let is_alone = is_last && !is_open;
        if is_alone && units.iter().all(|unit| unit.work.key.is_none()) {
            commit_units(&mut lease, heads, units, &mut done).await?;
        } else {
            let then = if is_last { Then::Commit } else { Then::GoOn };
            let head = write_units(&mut lease, is_open, units, then, &mut done).await?;
            if is_alone {
                heads.remember(first, head);
            }
        }
        is_open = true;
    }
    Ok(done)
}

/// Commits units of one tenant without its lock, or else with it.
async fn commit_units(lease: &mut Lease, heads: &mut Heads, units: &mut [Waiting], done: &mut Done) -> Result<()> {
    let works: Vec<&Work> = units.iter().map(|unit| &unit.work).collect();
    let Some(tenant) = works.first().map(|work| work.tenant) else { return Ok(()) };
    match optimistic::commit(lease, heads, tenant, &works).await? {
        Attempt::Done(outcomes, before, after) => {
            done.outcomes.extend(outcomes);
            done.grow(tenant, &before, &after);
            heads.remember(tenant, after);
        }
        Attempt::NeedsLock => heads.remember(tenant, write_units(lease, false, units, Then::Commit, done).await?),
        Attempt::Unsure(head, error) => {
            lease.reconnect().await?;
            lease.begin().await?;
            if lock_head(lease, tenant).await? != head {
                return Err(error);
            }
            write_units(lease, true, units, Then::Commit, done).await?;
        }
    }
    Ok(())
}

/// Writes the units of one tenant under its lock; the head as they leave it.
async fn write_units(
    lease: &mut Lease,
    is_open: bool,
    units: &mut [Waiting],
    then: Then,
    done: &mut Done,
) -> Result<Head> {
    let mut makers = Vec::with_capacity(units.len());
    let mut works = Vec::with_capacity(units.len());
    for Waiting { work, make_reply, .. } in units {
        makers.push(make_reply);
        works.push(&*work);
    }
    let Some(tenant) = works.first().map(|work| work.tenant) else { return Ok(Head::default()) };
    let mentions = Mentions::of(&works);
    let seen = match is_open {
        true => load(lease, tenant, &mentions).await?,
        false => begin_and_load(lease, tenant, &mentions).await?,
    };
    let before = seen.head;
    let mut state = State::new(&mentions, seen);
    let verdicts: Vec<Verdict> = works.iter().enumerate().map(|(position, work)| state.take(position, work)).collect();
    let has_replies = verdicts.iter().zip(&works).any(|(verdict, work)| work.key.is_some() && is_committed(verdict));
    let (rows, purged) = (&state.rows, &state.rows.purged);
    if !purged.is_empty() {
        purge::before_writing(lease, tenant, purged).await?;
    }
    let is_last = |is_last: bool| if is_last { then } else { Then::GoOn };
    match rows.is_empty() {
        true => apply::end(lease, is_last(!has_replies)).await?,
        false => {
            let then = is_last(!has_replies && purged.is_empty() && rows.merges.is_empty());
            apply::write(lease, tenant, &before, &state.head, rows, then).await?;
        }
    }
    if !purged.is_empty() || !rows.merges.is_empty() {
        merge::after_writing(lease, tenant, &rows.merges).await?;
        if !purged.is_empty() {
            purge::after_writing(lease, tenant, purged).await?;
        }
        apply::end(lease, is_last(!has_replies)).await?;
    }
    // Made last: by now nothing but the database itself can stand in the way of the group.
    let replies = make_replies(&verdicts, &works, makers)?;
    if has_replies {
        let kept = kept_replies(&state, &works, &replies);
        apply::keep_replies(lease, tenant, &kept, then).await?;
    }
    done.grow(tenant, &before, &state.head);
    for verdict in verdicts {
        done.outcomes.push(match verdict {
            Verdict::Over(outcome) => outcome,
            Verdict::SameAs(position) => {
                let reply = replies.get(position).cloned().flatten();
                Outcome::Replayed(reply.ok_or_else(no_reply)?)
            }
        });
    }
    Ok(state.head)
}

fn is_committed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Over(Outcome::Committed(_)))
}

/// The reply to each unit that was committed under a key.
fn make_replies(
    verdicts: &[Verdict],
    works: &[&Work],
    makers: Vec<&mut Option<MakeReply>>,
) -> Result<Vec<Option<StoredReply>>> {
    let mut replies = Vec::with_capacity(verdicts.len());
    for ((verdict, work), maker) in verdicts.iter().zip(works).zip(makers) {
        replies.push(match (verdict, &work.key) {
            (Verdict::Over(Outcome::Committed(committed)), Some(_)) => {
                let make = maker.take().ok_or_else(no_reply)?;
                Some(make(committed))
            }
            _ => None,
        });
    }
    Ok(replies)
}

fn no_reply() -> StoreError {
    StoreError::Damaged("a unit under a key has no reply".to_owned())
}

fn kept_replies<'r>(state: &State<'_>, works: &[&'r Work], replies: &[Option<StoredReply>]) -> Vec<ReplyRow<'r>> {
    let mut kept = Vec::new();
    for (position, (work, reply)) in works.iter().zip(replies).enumerate() {
        if let (Some(Key { key, fingerprint }), Some(reply)) = (&work.key, reply)
            && !state.quotes_purged(position, reply)
        {
            kept.push(ReplyRow { key, fingerprint, reply: reply.clone(), at: work.at.0 });
        }
    }
    kept
}
