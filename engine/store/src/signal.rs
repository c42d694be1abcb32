//! Telling those who wait that a tenant's change log has grown. Losing a signal costs time, never a change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use engine_model::{Sequence, TenantId};
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::connect::StoreConfig;
use crate::error::Result;
use crate::growth::{GrowthListener, Heard};
use crate::pool::{Pool, Scope};
use crate::sql::{Sql, args};

const CHANNEL: &str = "trellis_change";
const NOTIFY: Sql = Sql::postgres("select pg_notify('trellis_change', $1)");
const RECONNECT: Duration = Duration::from_secs(1);

/// Pause between two notifications. Each costs the database a transaction and wakes every node.
const PAUSE: Duration = Duration::from_millis(5);

/// 8,000 bytes is the limit of a payload; a pair takes at most 40.
const PAIRS_IN_A_PAYLOAD: usize = 180;

/// Last known log position by tenant, for those who wait.
#[derive(Debug)]
pub(crate) struct Signals {
    /// Counts signals of any tenant.
    any: watch::Sender<u64>,
    waiting: Mutex<HashMap<TenantId, watch::Sender<i64>>>,
    /// What those have heard who follow all tenants; gone with them.
    listeners: Mutex<Vec<Weak<Heard>>>,
    /// Positions that other nodes have not been told yet; none where there are no other nodes.
    untold: Option<Mutex<BTreeMap<TenantId, i64>>>,
    told: Notify,
}

impl Signals {
    pub(crate) fn new(has_other_nodes: bool) -> Arc<Self> {
        let untold = has_other_nodes.then(Mutex::default);
        let (any, told) = (watch::channel(0).0, Notify::default());
        Arc::new(Self { any, waiting: Mutex::default(), listeners: Mutex::default(), untold, told })
    }

    /// A receiver that changes whenever the log of any tenant grows.
    pub(crate) fn subscribe_all(&self) -> watch::Receiver<u64> {
        self.any.subscribe()
    }

    /// A receiver that changes whenever the tenant's log grows.
    pub(crate) fn subscribe(&self, tenant: TenantId) -> watch::Receiver<i64> {
        self.waiting().entry(tenant).or_insert_with(|| watch::channel(0).0).subscribe()
    }

    /// Hears of every tenant whose log grows.
    pub(crate) fn listen_to_growth(&self) -> GrowthListener {
        let (heard, listener) = Heard::begin();
        self.listeners().push(Arc::downgrade(&heard));
        listener
    }

    /// This node committed up to `sequence`.
    pub(crate) fn publish(&self, tenant: TenantId, sequence: i64) {
        self.wake(tenant, sequence);
        self.tell_later([(tenant, sequence)]);
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<TenantId, watch::Sender<i64>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Weak<Heard>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_listeners(&self, tell: impl Fn(&Heard)) {
        self.listeners().retain(|heard| {
            heard.upgrade().is_some_and(|heard| {
                tell(&heard);
                true
            })
        });
    }

    fn wake(&self, tenant: TenantId, sequence: i64) {
        self.any.send_modify(|count| *count = count.wrapping_add(1));
        self.tell_listeners(|heard| heard.add(tenant, Sequence(sequence)));
        let mut waiting = self.waiting();
        let Some(sender) = waiting.get(&tenant) else { return };
        if sender.receiver_count() == 0 {
            waiting.remove(&tenant);
            return;
        }
        sender.send_if_modified(|known| {
            let has_grown = sequence > *known;
            *known = sequence.max(*known);
            has_grown
        });
    }

    /// Wakes everybody, after signals may have been lost.
    fn wake_all(&self) {
        self.any.send_modify(|count| *count = count.wrapping_add(1));
        self.tell_listeners(Heard::add_any);
        for sender in self.waiting().values() {
            sender.send_modify(|_| ());
        }
    }

    fn tell_later(&self, positions: impl IntoIterator<Item = (TenantId, i64)>) {
        let Some(untold) = &self.untold else { return };
        let mut untold = untold.lock().unwrap_or_else(PoisonError::into_inner);
        for (tenant, sequence) in positions {
            let known = untold.entry(tenant).or_insert(sequence);
            *known = sequence.max(*known);
        }
        drop(untold);
        self.told.notify_one();
    }

    fn take_untold(&self) -> Vec<(TenantId, i64)> {
        let Some(untold) = &self.untold else { return Vec::new() };
        std::mem::take(&mut *untold.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }

    /// Exchanges signals with the other nodes of a PostgreSQL until aborted.
    ///
    /// One notification carries everything since the last one: NOTIFY inside each commit would make commits of all
    /// tenants queue for one lock.
    pub(crate) fn exchange(self: &Arc<Self>, config: &StoreConfig, pool: &Arc<Pool>) -> Vec<JoinHandle<()>> {
        let Some(url) = config.postgres_url() else { return Vec::new() };
        let url = url.to_owned();
        let (sending, listening) = (Arc::clone(self), Arc::clone(self));
        let pool = Arc::clone(pool);
        #[expect(clippy::disallowed_methods, reason = "the store owns these two and aborts them when it closes")]
        let tasks = vec![
            tokio::spawn(async move { sending.tell_others(&pool).await }),
            tokio::spawn(async move {
                loop {
                    if let Err(error) = listening.listen(&url).await {
                        tracing::warn!(%error, "lost the signals of other nodes; connecting again");
                    }
                    tokio::time::sleep(RECONNECT).await;
                }
            }),
        ];
        tasks
    }

    async fn tell_others(&self, pool: &Arc<Pool>) {
        loop {
            self.told.notified().await;
            for chunk in self.take_untold().chunks(PAIRS_IN_A_PAYLOAD) {
                if let Err(error) = tell(pool, chunk).await {
                    tracing::debug!(%error, "could not signal other nodes; trying again");
                    self.tell_later(chunk.iter().copied());
                    tokio::time::sleep(RECONNECT).await;
                }
            }
            // What is committed meanwhile is told together.
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn listen(&self, url: &str) -> Result<()> {
        let mut listener = PgListener::connect(url).await?;
        listener.listen(CHANNEL).await?;
        // Whatever was told while nobody listened is lost.
        self.wake_all();
        loop {
            match listener.try_recv().await? {
                Some(notification) => self.hear(notification.payload()),
                None => self.wake_all(),
            }
        }
    }

    fn hear(&self, payload: &str) {
        for pair in payload.split(',') {
            let Some((tenant, sequence)) = pair.split_once(':') else { continue };
            if let (Ok(tenant), Ok(sequence)) = (tenant.parse(), sequence.parse()) {
                self.wake(tenant, sequence);
            }
        }
    }
}

async fn tell(pool: &Arc<Pool>, positions: &[(TenantId, i64)]) -> Result<()> {
    let payload: Vec<String> = positions.iter().map(|(tenant, sequence)| format!("{tenant}:{sequence}")).collect();
    let mut lease = pool.acquire(Scope::Platform).await?;
    lease.execute(&NOTIFY, args![payload.join(",")]).await.map(drop)
}
