//! Stays in stages: kept once, and counted as a plain count of the same rows.

use std::collections::{BTreeMap, BTreeSet};

use engine_model::{RecordId, UserId};
use engine_store::commit::{NewRecord, RecordUpdate, Write};
use engine_store::visit::{self, Converted, Counted, Period, Seen, Stays, StepOf, VisitRow};

use crate::build::{NOW, New, log, new_uid, unit};
use crate::fixture::Home;
use crate::on_both;

on_both!(stays_are_kept_once_and_forgotten, reports_are_a_plain_count);

const SECOND: i64 = 1_000_000;
const STAGES: [&str; 4] = ["new", "tried", "won", "lost"];

fn stay(record_id: i64, sequence: i64, stage: &str, entered_at: i64, left_at: Option<i64>) -> VisitRow {
    let (object, pipeline, stage) = ("deal".to_owned(), "sales".to_owned(), stage.to_owned());
    VisitRow { record_id, sequence, object, pipeline, stage, entered_at, left_at }
}

async fn stays_are_kept_once_and_forgotten(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let first = stay(7, 1, "new", 10, None);
    visit::save(&home.store, tenant, &[first.clone(), stay(8, 2, "new", 11, None)]).await.unwrap();
    visit::save(&home.store, tenant, &[stay(7, 1, "new", 10, Some(30)), stay(7, 5, "won", 30, None)]).await.unwrap();
    // Whoever is behind takes back nothing.
    visit::save(&home.store, tenant, &[first]).await.unwrap();
    let latest = async |tenant, records: &[i64]| {
        let mut found = visit::latest(&mut home.reader(tenant).await, records.to_vec()).await.unwrap();
        found.sort_by_key(|visit| visit.record_id);
        found
    };
    assert_eq!(latest(tenant, &[7, 8, 9]).await, [stay(7, 5, "won", 30, None), stay(8, 2, "new", 11, None)]);
    assert!(latest(other, &[7, 8]).await.is_empty());
    let mut raw = home.raw().await;
    assert_eq!(raw.numbers("select left_at from stage_visit where record_id = 7 and sequence = 1").await, [30]);
    visit::forget(&home.store, tenant, vec![7, 9]).await.unwrap();
    assert_eq!(latest(tenant, &[7, 8]).await, [stay(8, 2, "new", 11, None)]);
}

/// What happened to a record: its owner, whether it is archived, and its stays.
struct Told {
    id: i64,
    owner: Option<i64>,
    is_archived: bool,
    stays: Vec<VisitRow>,
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % bound).unwrap()
    }
}

fn record(owner: Option<i64>) -> Write {
    Write::Insert(NewRecord {
        uid: new_uid(),
        object: "deal".to_owned(),
        properties: "{}".to_owned(),
        display_name: String::new(),
        owner: owner.map(UserId),
        team: None,
    })
}

/// Some records with random stays, stored.
async fn happen(home: &Home, tenant: engine_model::TenantId, dice: &mut Dice) -> Vec<Told> {
    let (mut all, mut sequence) = (Vec::new(), 0);
    for _ in 0..60 {
        let owner = Some(dice.below(4)).filter(|owner| *owner > 0);
        let id = home
            .insert(unit(tenant).item([record(owner), log(engine_model::change::ChangeKind::RecordCreated, New(0))]))
            .await
            .0;
        let is_archived = dice.below(6) == 0;
        if is_archived {
            let update = RecordUpdate {
                record: engine_store::commit::RecordRef::Id(RecordId(id)),
                expected_version: 1,
                properties: "{}".to_owned(),
                display_name: String::new(),
                owner: owner.map(UserId),
                team: None,
                archived_at: Some(NOW),
            };
            home.done(unit(tenant).item([Write::Update(update)])).await;
        }
        let (mut stays, mut at) = (Vec::new(), dice.below(100) * SECOND);
        for _ in 0..dice.below(6) {
            sequence += 1;
            let stage = STAGES[usize::try_from(dice.below(4)).unwrap()];
            let left = at + dice.below(40) * SECOND + dice.below(1_000_000);
            stays.push(stay(id, sequence, stage, at, Some(left)));
            at = left;
        }
        if let Some(last) = stays.last_mut() {
            last.left_at = None;
        }
        visit::save(&home.store, tenant, &stays).await.unwrap();
        all.push(Told { id, owner, is_archived, stays });
    }
    all
}

async fn reports_are_a_plain_count(home: Home) {
    let tenant = home.tenant().await;
    let all = happen(&home, tenant, &mut Dice(7)).await;
    let periods: Vec<Period> =
        (0..4).map(|at| Period { at, starts: at * 50 * SECOND, ends: (at + 1) * 50 * SECOND }).collect();
    let every = Seen { object: "deal".to_owned(), pipeline: "sales".to_owned(), ..Seen::default() };
    let some = all.iter().filter(|told| told.id % 3 != 0).map(|told| told.id).collect();
    for seen in [
        every.clone(),
        Seen { owners: Some(vec![1, 2]), ..every.clone() },
        Seen { owners: Some(vec![3]), unclaimed: true, ..every.clone() },
        Seen { records: Some(some), ..every.clone() },
        Seen { pipeline: "other".to_owned(), ..every },
    ] {
        let counted: Vec<&Told> = all.iter().filter(|told| counts(told, &seen)).collect();
        let mut reader = home.reader(tenant).await;
        let ended = ["won".to_owned(), "lost".to_owned()];
        assert_eq!(
            visit::endings(&mut reader, &seen, &periods, &ended).await.unwrap(),
            plain_endings(&counted, &periods)
        );
        let steps = STAGES.iter().zip(0..).map(|(stage, position)| StepOf {
            stage: (*stage).to_owned(),
            position,
            is_forward: *stage != "lost",
            is_won: *stage == "won",
        });
        let steps: Vec<StepOf> = steps.collect();
        assert_eq!(
            visit::conversions(&mut reader, &seen, &periods, &steps).await.unwrap(),
            plain_conversions(&counted, &periods, &steps)
        );
        assert_eq!(visit::stays(&mut reader, &seen, &periods).await.unwrap(), plain_stays(&counted, &periods));
        let won = ["won".to_owned()];
        assert_eq!(visit::ways_to(&mut reader, &seen, &periods, &won).await.unwrap(), plain_ways(&counted, &periods));
    }
}

fn counts(told: &Told, seen: &Seen) -> bool {
    let is_owned = match (&seen.owners, told.owner) {
        (None, _) => true,
        (Some(owners), Some(owner)) => owners.contains(&owner),
        (Some(_), None) => seen.unclaimed,
    };
    let is_wanted = seen.records.as_ref().is_none_or(|records| records.contains(&told.id));
    is_owned && is_wanted && !told.is_archived && seen.pipeline == "sales"
}

fn within(at: i64, period: &Period) -> bool {
    (period.starts..period.ends).contains(&at)
}

fn plain_endings(all: &[&Told], periods: &[Period]) -> Vec<Counted> {
    let mut counts: BTreeMap<(i64, String), i64> = BTreeMap::new();
    for (told, period) in all.iter().flat_map(|told| periods.iter().map(move |period| (told, period))) {
        let mut ended = told.stays.iter().filter(|stay| within(stay.entered_at, period));
        if let Some(last) = ended.rfind(|stay| ["won", "lost"].contains(&stay.stage.as_str())) {
            *counts.entry((period.at, last.stage.clone())).or_default() += 1;
        }
    }
    counts.into_iter().map(|((at, stage), records)| Counted { at, stage, records }).collect()
}

fn plain_conversions(all: &[&Told], periods: &[Period], steps: &[StepOf]) -> Vec<Converted> {
    let step = |stage: &str| steps.iter().find(|step| step.stage == stage).unwrap();
    let mut found: BTreeMap<(i64, String), Converted> = BTreeMap::new();
    for (told, period) in all.iter().flat_map(|told| periods.iter().map(move |period| (told, period))) {
        let mut entered = BTreeSet::new();
        for (at, stay) in told.stays.iter().enumerate().filter(|(_, stay)| within(stay.entered_at, period)) {
            if !entered.insert(&stay.stage) {
                continue;
            }
            let own = step(&stay.stage);
            let later: Vec<&StepOf> = told.stays[at + 1..].iter().map(|later| step(&later.stage)).collect();
            let nothing = Converted { at: period.at, stage: stay.stage.clone(), entered: 0, advanced: 0, won: 0 };
            let row = found.entry((period.at, stay.stage.clone())).or_insert(nothing);
            row.entered += 1;
            row.advanced += i64::from(later.iter().any(|step| step.is_forward && step.position > own.position));
            row.won += i64::from(later.iter().any(|step| step.is_won && step.position != own.position));
        }
    }
    found.into_values().collect()
}

fn measured(lengths: BTreeMap<(i64, String), Vec<i64>>) -> Vec<Stays> {
    let rows = lengths.into_iter().map(|((at, stage), mut lengths)| {
        lengths.sort_unstable();
        let (low, high) = (lengths[(lengths.len() - 1) / 2], lengths[lengths.len() / 2]);
        let (stays, seconds) = (i64::try_from(lengths.len()).unwrap(), lengths.iter().sum());
        Stays { at, stage, stays, seconds, low, high }
    });
    rows.collect()
}

fn plain_stays(all: &[&Told], periods: &[Period]) -> Vec<Stays> {
    let mut lengths: BTreeMap<(i64, String), Vec<i64>> = BTreeMap::new();
    for stay in all.iter().flat_map(|told| &told.stays) {
        for period in periods {
            if let Some(left) = stay.left_at.filter(|left| within(*left, period)) {
                let length = (left - stay.entered_at) / SECOND;
                lengths.entry((period.at, stay.stage.clone())).or_default().push(length);
            }
        }
    }
    measured(lengths)
}

fn plain_ways(all: &[&Told], periods: &[Period]) -> Vec<Stays> {
    let mut lengths: BTreeMap<(i64, String), Vec<i64>> = BTreeMap::new();
    for (told, period) in all.iter().flat_map(|told| periods.iter().map(move |period| (told, period))) {
        let won = told.stays.iter().find(|stay| stay.stage == "won" && within(stay.entered_at, period));
        if let (Some(won), Some(first)) = (won, told.stays.first()) {
            lengths.entry((period.at, String::new())).or_default().push((won.entered_at - first.entered_at) / SECOND);
        }
    }
    measured(lengths)
}
