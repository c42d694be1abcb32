//! Followers: what is done because of changes, each with its own saved position in every tenant's log.
//!
//! Nothing else reacts to a write. A follower is told what happened after the fact, in order, at least once; it may be
//! stopped at any moment and goes on from where it was. Signals only make it quicker: what they miss, a look every few
//! seconds finds.
//!
//! Each follower has a driver of its own, so none waits for another. A driver gives tenants their turns, a few at a
//! time, and a turn is one page of one tenant's log; a tenant that is slow, has much to catch up with or fails holds
//! up nobody but itself.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use engine_model::{Sequence, TenantId};
use engine_store::change::{self, ChangeRow};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::error::{Error, Result};

/// Changes that a follower is handed at a time.
const PAGE: i64 = 1_000;
/// Turns of one follower that are under way at a time, each in another tenant.
const PLACES: usize = 8;
/// Tenants that are looked for in one statement.
const TENANTS: i64 = 1_000;
/// How often a driver looks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Looking, which reads the heads of all tenants, takes at most one part of so many of a driver's time.
const LOOK_SHARE: u32 = 5;
/// How long a tenant rests after its first failure, and twice as long after each further one.
const FIRST_REST: Duration = Duration::from_millis(100);
/// How long it rests at most.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Something that follows the change log.
///
/// What it is told of a tenant comes in the order of the log, one call after another; calls for different tenants run
/// side by side. A call holds one of a few places, and closing the engine waits for it: what may take long, such as a
/// call to a stranger's server, is kept in a table here and done elsewhere.
pub trait Follower: Debug + Send + Sync {
    /// The name under which its positions are saved; never changes, and no other follower has it.
    fn name(&self) -> &'static str;

    /// Whose logs it follows.
    fn follows(&self) -> Followed {
        Followed::All
    }

    /// Told that all changes up to a position are taken over and that this is saved; or that there are no others.
    fn reached(&self, tenant: TenantId, position: Sequence) {
        let _ = (tenant, position);
    }

    /// Takes over changes of one tenant, 1 to 1,000 in commit order, that begin right after those it took over last.
    ///
    /// The position is saved after it returns, so the same changes may come again: taking them twice must be the same
    /// as taking them once. Where it fails or panics, the log from the same place on is handed to it again, after a
    /// rest of up to a minute.
    fn follow<'a>(&'a self, tenant: TenantId, changes: &'a [Following]) -> BoxFuture<'a, Result<()>>;
}

/// Whose logs a follower follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// Those of all tenants, from their beginning.
    All,
    /// Those where it was given a position to begin from.
    WithPosition,
}

/// A change as a follower is handed it.
pub type Following = ChangeRow;

/// Starts to follow with each of `followers`, until the engine closes.
pub(crate) fn start(engine: &Engine, followers: Vec<Arc<dyn Follower>>) -> Result<()> {
    let mut names = HashSet::new();
    if let Some(twice) = followers.iter().find(|follower| !names.insert(follower.name())) {
        return Err(Error::internal(format!("two followers would share the positions of `{}`", twice.name())));
    }
    for follower in followers {
        drop(engine.inner.tasks.spawn(Driver::new(engine.clone(), follower).run()));
    }
    Ok(())
}

/// Gives tenants their turns with one follower.
struct Driver {
    engine: Engine,
    follower: Arc<dyn Follower>,
    /// Tenants that a turn is due to, in the order in which they get it.
    queue: VecDeque<TenantId>,
    /// Every tenant in the queue, at work or at rest.
    known: HashMap<TenantId, Standing>,
    at_work: FuturesUnordered<BoxFuture<'static, (TenantId, Result<Turn>)>>,
    at_rest: FuturesUnordered<BoxFuture<'static, TenantId>>,
    /// How often in a row each tenant has failed.
    failures: HashMap<TenantId, u32>,
    looks: Looks,
}

/// How a tenant stands with a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It gets a turn later, which reads whatever the log holds by then.
    Waiting,
    /// A turn is under way.
    AtWork,
    /// A turn is under way, and the log may have grown since it was read for it.
    AtWorkAndGrown,
}

/// What a turn has come to.
enum Turn {
    /// Everything that was in the log is taken over.
    CaughtUp,
    /// A full page; there may be more.
    MoreToCome,
}

/// When a driver looks which tenants it is behind with.
struct Looks {
    /// Changes whenever the log of any tenant grows.
    signal: watch::Receiver<u64>,
    /// When the next look is due, signal or not.
    next: Instant,
    /// No signal brings it forward to before this.
    earliest: Instant,
    /// The last tenant that the look under way has found; 0 where none is under way.
    after: i64,
    failures: u32,
}

impl Driver {
    fn new(engine: Engine, follower: Arc<dyn Follower>) -> Self {
        let now = Instant::now();
        let signal = engine.store().subscribe_all();
        let looks = Looks { signal, next: now, earliest: now, after: 0, failures: 0 };
        Self {
            engine,
            follower,
            queue: VecDeque::new(),
            known: HashMap::new(),
            at_work: FuturesUnordered::new(),
            at_rest: FuturesUnordered::new(),
            failures: HashMap::new(),
            looks,
        }
    }

    async fn run(mut self) {
        let stopping = self.engine.stopping();
        loop {
            while self.at_work.len() < PLACES
                && let Some(tenant) = self.queue.pop_front()
            {
                self.begin_turn(tenant);
            }
            let Looks { signal, next, earliest, .. } = &mut self.looks;
            tokio::select! {
                biased;
                // Turns under way are tasks of the engine, which waits for them.
                () = stopping.cancelled() => return,
                Some((tenant, turn)) = self.at_work.next() => self.end_turn(tenant, turn),
                Some(tenant) = self.at_rest.next() => self.queue.push_back(tenant),
                _ = signal.changed(), if *next > *earliest => *next = *earliest,
                // As long as somebody waits for a turn, there is no use in finding more who do.
                () = tokio::time::sleep_until(*next), if self.queue.is_empty() => self.look().await,
            }
        }
    }

    fn begin_turn(&mut self, tenant: TenantId) {
        self.known.insert(tenant, Standing::AtWork);
        let turn = take_turn(self.engine.clone(), Arc::clone(&self.follower), tenant);
        let turn = self.engine.inner.tasks.spawn(turn);
        let ended = async move { (tenant, turn.await.unwrap_or_else(|panic| Err(Error::internal(panic)))) };
        self.at_work.push(ended.boxed());
    }

    fn end_turn(&mut self, tenant: TenantId, turn: Result<Turn>) {
        let standing = self.known.remove(&tenant);
        match turn {
            Ok(turn) => {
                self.failures.remove(&tenant);
                if matches!(turn, Turn::MoreToCome) || standing == Some(Standing::AtWorkAndGrown) {
                    self.known.insert(tenant, Standing::Waiting);
                    self.queue.push_back(tenant);
                }
            }
            Err(error) => {
                let failures = self.failures.entry(tenant).or_default();
                *failures = failures.saturating_add(1);
                let (follower, rest) = (self.follower.name(), rest_after(*failures));
                tracing::warn!(follower, tenant.id = %tenant, %error, "a follower has failed; it tries again");
                self.known.insert(tenant, Standing::Waiting);
                self.at_rest.push(tokio::time::sleep(rest).map(move |()| tenant).boxed());
            }
        }
    }

    /// Finds tenants whose log has grown, and says when to look again.
    async fn look(&mut self) {
        let began = Instant::now();
        let found = self.find_behind().await;
        let now = Instant::now();
        let pause = match found {
            Ok(is_complete) => {
                self.looks.failures = 0;
                self.looks.next = if is_complete { now + LOOK_EVERY } else { now };
                (now - began) * (LOOK_SHARE - 1)
            }
            Err(error) => {
                self.looks.failures = self.looks.failures.saturating_add(1);
                let (follower, rest) = (self.follower.name(), rest_after(self.looks.failures).min(LOOK_EVERY));
                tracing::warn!(follower, %error, "changes to follow cannot be looked for; it tries again");
                self.looks.next = now + rest;
                rest
            }
        };
        self.looks.earliest = now + pause;
    }

    /// Goes on until tenants have got into the queue; whether all have been looked at.
    async fn find_behind(&mut self) -> Result<bool> {
        if self.looks.after == 0 {
            // What is signalled from here on may be missed by this look.
            self.looks.signal.mark_unchanged();
        }
        while self.queue.is_empty() {
            let (store, name) = (self.engine.store(), self.follower.name());
            let behind = match self.follower.follows() {
                Followed::All => change::behind(store, name, self.looks.after, TENANTS).await?,
                Followed::WithPosition => change::behind_positions(store, name, self.looks.after, TENANTS).await?,
            };
            for tenant in &behind {
                self.has_grown(*tenant);
            }
            let is_last = i64::try_from(behind.len()).is_ok_and(|count| count < TENANTS);
            self.looks.after = behind.last().filter(|_| !is_last).map_or(0, |tenant| tenant.0);
            if is_last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_grown(&mut self, tenant: TenantId) {
        match self.known.entry(tenant) {
            Entry::Vacant(entry) => {
                entry.insert(Standing::Waiting);
                self.queue.push_back(tenant);
            }
            Entry::Occupied(mut entry) => {
                if *entry.get() == Standing::AtWork {
                    entry.insert(Standing::AtWorkAndGrown);
                }
            }
        }
    }
}

/// Hands over what is in a tenant's log up to a position, for somebody who waits for it: as far as it gets until
/// `deadline`. It may be done by a driver at the same time, which is the same as its being done again.
pub(crate) async fn catch_up(
    engine: &Engine,
    follower: &Arc<dyn Follower>,
    tenant: TenantId,
    position: Sequence,
    deadline: Instant,
) -> Result<Sequence> {
    loop {
        let reached = change::position(&mut engine.store().read(tenant).await?, follower.name()).await?;
        if reached >= position || Instant::now() >= deadline {
            return Ok(reached);
        }
        if let Turn::CaughtUp = take_turn(engine.clone(), Arc::clone(follower), tenant).await?
            && engine.inner.stopping.is_cancelled()
        {
            return Ok(reached);
        }
    }
}

/// How long to rest after so many failures in a row.
fn rest_after(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST_REST.saturating_mul(doubled).min(LONGEST_REST)
}

/// Hands over the next page of a tenant's log, then saves how far it reaches.
async fn take_turn(engine: Engine, follower: Arc<dyn Follower>, tenant: TenantId) -> Result<Turn> {
    let mut reader = engine.store().read(tenant).await?;
    let position = change::position(&mut reader, follower.name()).await?;
    let changes = change::after(&mut reader, position, PAGE).await?;
    drop(reader);
    let Some(last) = changes.last() else {
        follower.reached(tenant, position);
        return Ok(Turn::CaughtUp);
    };
    if engine.inner.stopping.is_cancelled() {
        return Ok(Turn::CaughtUp);
    }
    follower.follow(tenant, &changes).await?;
    let reached = Sequence(last.sequence);
    change::save_position(engine.store(), tenant, follower.name(), reached, engine.now()).await?;
    follower.reached(tenant, reached);
    let is_full = i64::try_from(changes.len()).is_ok_and(|count| count >= PAGE);
    Ok(if is_full { Turn::MoreToCome } else { Turn::CaughtUp })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_to_a_minute() {
        let rests = [1, 2, 3, 10, 11, u32::MAX].map(|failures| rest_after(failures).as_millis());
        assert_eq!(rests, [100, 200, 400, 51_200, 60_000, 60_000]);
    }
}
