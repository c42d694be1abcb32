//! Follows the change log to know how long records stay in which stages: what reports of the past are made of.
//!
//! It follows for those tenants only whose reports somebody has asked for, from the beginning of their logs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use engine_model::change::ChangeKind;
use engine_model::{Sequence, TenantId};
use engine_store::change::{position, start_following};
use engine_store::visit::{self, VisitRow};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::error::Result;
use crate::followers::{Followed, Follower, Following, catch_up};
use crate::records::pairs;
use crate::session::Session;

/// The name under which positions are kept.
const FOLLOWER: &str = "stage_visits";

/// How long a report waits until everything is taken over that was acknowledged before.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keeps the stays of records in stages.
#[derive(Debug)]
pub(crate) struct Visits {
    engine: Engine,
}

impl Visits {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone() }
    }

    async fn follow_page(&self, tenant: TenantId, changes: &[Following]) -> Result<()> {
        let moved = changes.iter().filter(|change| is_move(change)).filter_map(|change| change.record_id);
        let moved: BTreeSet<i64> = moved.collect();
        let store = self.engine.store();
        let latest = match moved.is_empty() {
            true => Vec::new(),
            false => visit::latest(&mut store.read(tenant).await?, moved.into_iter().collect()).await?,
        };
        let page = Page::of(latest, changes)?;
        if !page.touched.is_empty() {
            visit::save(store, tenant, &page.touched.into_values().collect::<Vec<_>>()).await?;
        }
        if !page.purged.is_empty() {
            visit::forget(store, tenant, page.purged.into_iter().collect()).await?;
        }
        Ok(())
    }
}

impl Follower for Visits {
    fn name(&self) -> &'static str {
        FOLLOWER
    }

    fn follows(&self) -> Followed {
        Followed::WithPosition
    }

    fn follow<'a>(&'a self, tenant: TenantId, changes: &'a [Following]) -> BoxFuture<'a, Result<()>> {
        self.follow_page(tenant, changes).boxed()
    }
}

impl Session {
    /// Waits until the stays are those of a position, or for five seconds; which position they are those of.
    pub(super) async fn await_visits(&self, at_least: Sequence) -> Result<Sequence> {
        let tenant = self.tenant();
        if position(&mut self.reader().await?, FOLLOWER).await? == Sequence(0) {
            let mut tx = self.engine.store().begin(tenant).await?;
            start_following(&mut tx, FOLLOWER, Sequence(0), self.now()).await?;
            tx.commit().await?;
        }
        let visits: Arc<dyn Follower> = Arc::new(Visits::new(&self.engine));
        catch_up(&self.engine, &visits, tenant, at_least, Instant::now() + PATIENCE).await
    }
}

/// What a page of the log says of stays.
#[derive(Debug, Default)]
struct Page {
    /// The stay of each record that began last.
    latest: HashMap<i64, VisitRow>,
    /// Stays that have begun or ended, by record and the change by which they began.
    touched: BTreeMap<(i64, i64), VisitRow>,
    purged: BTreeSet<i64>,
}

impl Page {
    fn of(latest: Vec<VisitRow>, changes: &[Following]) -> Result<Self> {
        let latest = latest.into_iter().map(|visit| (visit.record_id, visit)).collect();
        let mut page = Self { latest, ..Self::default() };
        for change in changes {
            let Some(record) = change.record_id else { continue };
            if is_move(change) {
                page.add_move(record, change)?;
            } else if change.kind == ChangeKind::RecordPurged.as_str() {
                page.latest.remove(&record);
                page.touched.retain(|(of, _), _| *of != record);
                page.purged.insert(record);
            }
        }
        Ok(page)
    }

    fn add_move(&mut self, record: i64, change: &Following) -> Result<()> {
        let before = self.latest.get(&record).cloned();
        // It was taken over already.
        if before.as_ref().is_some_and(|before| before.sequence >= change.sequence) {
            return Ok(());
        }
        let pairs = pairs(change)?;
        let told = |name: &str| pairs.iter().find(|(property, ..)| property == name).map(|(_, _, new)| text(new));
        let (pipeline, stage) = (told("pipeline"), told("stage"));
        // What was purged tells nothing any more, and a record may be made without a stage.
        if pipeline.is_none() && stage.is_none() {
            return Ok(());
        }
        let there = before.as_ref().filter(|before| before.left_at.is_none());
        let stage = stage.unwrap_or_else(|| there.map(|there| there.stage.clone()));
        let pipeline = pipeline.unwrap_or_else(|| before.as_ref().map(|before| before.pipeline.clone()));
        if let Some(mut ended) = there.cloned() {
            ended.left_at = Some(change.at);
            self.put(ended);
        }
        if let (Some(pipeline), Some(stage), Some(object)) = (pipeline, stage, change.object.clone()) {
            let (sequence, entered_at) = (change.sequence, change.at);
            self.put(VisitRow { record_id: record, sequence, object, pipeline, stage, entered_at, left_at: None });
        }
        Ok(())
    }

    fn put(&mut self, visit: VisitRow) {
        self.latest.insert(visit.record_id, visit.clone());
        self.touched.insert((visit.record_id, visit.sequence), visit);
    }
}

fn is_move(change: &Following) -> bool {
    [ChangeKind::RecordCreated, ChangeKind::StageChanged].iter().any(|kind| kind.as_str() == change.kind)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(sequence: i64, kind: ChangeKind, changes: &str) -> Following {
        Following {
            sequence,
            at: sequence * 10,
            kind: kind.as_str().to_owned(),
            object: Some("permit".to_owned()),
            record_id: Some(7),
            changes: changes.to_owned(),
            actor: None,
            source: "api".to_owned(),
            request_id: None,
            ip: None,
            user_agent: None,
        }
    }

    fn told(page: &Page) -> Vec<(i64, &str, &str, Option<i64>)> {
        let visits = page.touched.values();
        visits.map(|visit| (visit.sequence, &*visit.pipeline, &*visit.stage, visit.left_at)).collect()
    }

    #[test]
    fn stays_follow_each_other_and_the_same_page_twice_is_the_same_as_once() {
        let created = change(1, ChangeKind::RecordCreated, r#"{"pipeline":[null,"way"],"stage":[null,"a"]}"#);
        let moved = change(3, ChangeKind::StageChanged, r#"{"stage":["a","b"],"seconds":20}"#);
        let away = change(5, ChangeKind::StageChanged, r#"{"pipeline":["way","other"]}"#);
        let nowhere = change(6, ChangeKind::StageChanged, r#"{"stage":["b",null]}"#);
        let back = change(9, ChangeKind::StageChanged, r#"{"stage":[null,"c"]}"#);
        let all = [created, moved, away, nowhere, back];
        let page = Page::of(Vec::new(), &all).expect("read");
        let whole = vec![
            (1, "way", "a", Some(30)),
            (3, "way", "b", Some(50)),
            (5, "other", "b", Some(60)),
            (9, "other", "c", None),
        ];
        assert_eq!(told(&page), whole);
        for parts in 0..all.len() {
            let first = Page::of(Vec::new(), &all[..parts]).expect("read");
            let latest: Vec<VisitRow> = first.latest.into_values().collect();
            let rest = Page::of(latest, &all).expect("read");
            let mut touched = first.touched;
            touched.extend(rest.touched);
            assert_eq!(touched, page.touched, "after {parts}");
        }
    }

    #[test]
    fn what_was_purged_is_forgotten() {
        let created = change(1, ChangeKind::RecordCreated, r#"{"pipeline":[null,"way"],"stage":[null,"a"]}"#);
        let erased = change(2, ChangeKind::StageChanged, "{}");
        let purged = change(3, ChangeKind::RecordPurged, "{}");
        let page = Page::of(Vec::new(), &[created, erased, purged]).expect("read");
        assert_eq!((told(&page), &page.purged), (vec![], &BTreeSet::from([7])));
    }
}
