//! Follows the change log: page by page, who joins and who leaves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use engine_model::{Sequence, TenantId};
use engine_store::list::{Upkeep, make_due, save_upkeep};
use engine_store::{change, counter};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::affected::{Affected, Ways};
use super::ask::Question;
use super::compiled::{Asked, BROKEN, Compiled};
use super::list::ListState;
use super::settle::Basis;
use super::touched::Touched;
use super::upkeep::{LATE, SOON};
use super::whole::LEASE;
use super::{EPOCH, FOLLOWER};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::followers::{Followed, Follower, Following};
use crate::index::SearchView;
use crate::session::Session;

/// Changes whose consequences are written in one commit.
const AT_A_TIME: usize = 250;

/// How often it is tried again where lists are changed meanwhile.
const ATTEMPTS: usize = 16;

/// Keeps the members of lists.
#[derive(Debug)]
pub(crate) struct Lists {
    engine: Engine,
}

impl Lists {
    pub(crate) fn new(engine: &Engine) -> Self {
        engine.inner.lists.progress.begin();
        Self { engine: engine.clone() }
    }

    async fn follow_page(&self, tenant: TenantId, changes: &[Following]) -> Result<()> {
        let mut session = self.engine.session_of_engine(tenant, FOLLOWER).await?;
        for part in changes.chunks(AT_A_TIME) {
            let mut attempts = 0;
            while !session.follow_part(part).await? {
                attempts += 1;
                if attempts == ATTEMPTS {
                    return Err(Error::new(ErrorCode::Unavailable, "lists keep being changed"));
                }
            }
        }
        Ok(())
    }
}

impl Follower for Lists {
    fn name(&self) -> &'static str {
        FOLLOWER
    }

    fn follows(&self) -> Followed {
        Followed::WithPosition
    }

    fn reached(&self, tenant: TenantId, position: Sequence) {
        self.engine.inner.lists.progress.note(tenant, position);
    }

    fn follow<'a>(&'a self, tenant: TenantId, changes: &'a [Following]) -> BoxFuture<'a, Result<()>> {
        self.follow_page(tenant, changes).boxed()
    }
}

impl Session {
    /// Takes over changes; false where something else was changed meanwhile, and it is to be done again.
    async fn follow_part(&mut self, changes: &[Following]) -> Result<bool> {
        self.refresh().await?;
        let mut reader = self.reader().await?;
        let from = change::position(&mut reader, FOLLOWER).await?;
        drop(reader);
        // Another node may have been faster, with some of them or with all.
        let begin = changes.partition_point(|change| change.sequence <= from.0);
        let changes = changes.get(begin..).unwrap_or_default();
        let Some(last) = changes.last() else { return Ok(true) };
        let (touched, to) = (Touched::of(changes)?, Sequence(last.sequence));
        let compiled = self.compiled().await?;
        self.review(&compiled).await?;
        let (questions, all, is_live) = self.questions(&compiled, &touched).await?;
        if questions.is_empty() && all.is_empty() && touched.moved().is_empty() {
            // Nobody is concerned; the position is kept by whoever has called.
            return Ok(true);
        }
        let (found, costly) = match questions.is_empty() {
            true => (Vec::new(), BTreeMap::new()),
            false => {
                let fresh_at = is_live.then(|| self.now());
                let view = self.engine.list_view(self.tenant(), to, fresh_at).await?;
                let (questions, unfilled) = split_unfilled(&view, questions);
                let (found, costly) = self.ask_lists(&view, questions).await?;
                let mut unasked: BTreeMap<i64, Unasked> =
                    costly.into_iter().map(|(list, reason)| (list, Unasked::Costly(reason))).collect();
                unasked.extend(unfilled.into_iter().map(|list| (list, Unasked::Unfilled)));
                (found, unasked)
            }
        };
        if !all.is_empty() || !costly.is_empty() {
            self.look_at_all_later(all, &costly).await?;
        }
        self.settle_lists(compiled.epoch, Basis::Page(from, to), &found, Some(&touched), None).await
    }

    /// Which lists have to look at which records; which at all of them; and whether the present moment counts.
    async fn questions(&self, compiled: &Compiled, touched: &Touched) -> Result<(Vec<Question>, BTreeSet<i64>, bool)> {
        let (mut questions, mut all, mut is_live) = (Vec::new(), BTreeSet::new(), false);
        let (mut ways, mut shared) = (Ways::default(), HashMap::<BTreeSet<i64>, Arc<BTreeSet<i64>>>::new());
        let mut reader = self.reader().await?;
        for asked in compiled.lists.iter().filter(|asked| asked.filter.is_some()) {
            match ways.affected(&mut reader, asked, touched).await? {
                Affected::All => drop(all.insert(asked.id)),
                Affected::Records(records) if records.is_empty() => {}
                Affected::Records(records) => {
                    let Some(filter) = self.asked_now(&mut reader, asked).await? else { continue };
                    is_live |= asked.is_live;
                    let records = match shared.get(&records) {
                        Some(known) => Arc::clone(known),
                        None => {
                            let kept = Arc::new(records.clone());
                            shared.insert(records, Arc::clone(&kept));
                            kept
                        }
                    };
                    let Asked { id, object, is_new, .. } = asked;
                    questions.push(Question { list: *id, object: object.clone(), filter, records, is_new: *is_new });
                }
            }
        }
        Ok((questions, all, is_live))
    }

    /// Definitions may have changed what lists ask: all records are looked at where they have.
    async fn review(&self, compiled: &Compiled) -> Result<()> {
        let is_other = |asked: &&Asked| asked.shape != asked.known_shape;
        let others: Vec<&Asked> = compiled.lists.iter().filter(is_other).collect();
        if others.is_empty() {
            return Ok(());
        }
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        if counter::last(tx.reader(), EPOCH).await? != compiled.epoch {
            return Ok(());
        }
        let ids = others.iter().map(|asked| asked.id).collect();
        let rows = engine_store::list::many(tx.reader(), ids).await?;
        for row in rows {
            let Some(asked) = others.iter().find(|asked| asked.id == row.id && asked.shape != row.shape) else {
                continue;
            };
            let is_broken = asked.shape == BROKEN;
            if is_broken {
                let (tenant, list) = (self.tenant(), asked.id);
                tracing::warn!(
                    tenant.id = %tenant, list.id = list,
                    "a list asks for something that is not there any more; its members stay as they are"
                );
            }
            let state = if is_broken { ListState::Current } else { ListState::Filling };
            let upkeep = Upkeep {
                state: state.as_str(),
                shape: asked.shape.clone(),
                filled_to: row.filled_to,
                fill_until: row.fill_until,
                due_at: (!is_broken).then(|| self.now().0),
            };
            save_upkeep(&mut tx, row.id, &upkeep).await?;
        }
        // What is known of them is older than what is written.
        counter::next(&mut tx, EPOCH).await?;
        tx.commit().await?;
        self.engine.inner.lists.due.notify_one();
        Ok(())
    }

    /// Has all records be looked at for lists of which it is not known who is concerned, and later on for those that
    /// the index could not be asked about now.
    async fn look_at_all_later(&self, lists: BTreeSet<i64>, unasked: &BTreeMap<i64, Unasked>) -> Result<()> {
        let (tenant, now) = (self.tenant(), self.now());
        let mut tx = self.engine.store().begin(tenant).await?;
        make_due(&mut tx, lists.into_iter().collect(), now).await?;
        for row in engine_store::list::many(tx.reader(), unasked.keys().copied().collect()).await? {
            let pause = match unasked.get(&row.id) {
                Some(Unasked::Costly(_)) => LATE,
                Some(Unasked::Unfilled) | None => SOON,
            };
            // It was put off already: whoever writes all the time neither puts it off for ever nor has it tried at once.
            let is_put_off = row.state == ListState::Filling.as_str()
                && row.due_at.is_some_and(|due_at| due_at > now.after(LEASE).0);
            if is_put_off {
                continue;
            }
            if let (Some(Unasked::Costly(reason)), true) =
                (unasked.get(&row.id), row.state == ListState::Current.as_str())
            {
                tracing::warn!(tenant.id = %tenant, list.id = row.id, reason, "a list asks too much; it is tried later");
            }
            make_due(&mut tx, vec![row.id], now.after(pause)).await?;
        }
        tx.commit().await?;
        self.engine.inner.lists.due.notify_one();
        Ok(())
    }
}

/// Why the index could not be asked about a list.
#[derive(Debug)]
enum Unasked {
    /// It asks too much.
    Costly(String),
    /// Values that it asks about are still being put into the index.
    Unfilled,
}

/// Questions about fields whose values are all in the index, and lists that ask about others.
fn split_unfilled(view: &SearchView, questions: Vec<Question>) -> (Vec<Question>, BTreeSet<i64>) {
    let is_filled = |question: &Question| {
        let fields = question.filter.fields();
        view.check_filled(fields).is_ok()
    };
    let (filled, others): (Vec<Question>, Vec<Question>) = questions.into_iter().partition(is_filled);
    (filled, others.into_iter().map(|question| question.list).collect())
}

impl Engine {
    /// The index at a position; with the values of a moment where those count.
    pub(super) async fn list_view(
        &self,
        tenant: TenantId,
        at_least: Sequence,
        fresh_at: Option<engine_model::time::Timestamp>,
    ) -> Result<SearchView> {
        match fresh_at {
            Some(now) => self.fresh_view(tenant, at_least, now).await,
            None => self.search_view(tenant, at_least).await,
        }
    }
}
