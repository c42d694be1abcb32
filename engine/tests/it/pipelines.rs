//! Stages over time: how long records stay, and reports of it against a plain count over the log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::model::Sequence;
use engine::model::time::Timestamp;
use engine::pipelines::{Moving, ReportKind, ReportQuery, ReportRow};
use engine::records::{PropertiesInput, Target};
use engine::{ChangeQuery, Error, Session};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::{Home, archive, create, update};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
const STAGES: [&str; 6] = ["prospecting", "qualification", "proposal", "negotiation", "closed_won", "closed_lost"];

async fn move_to(session: &mut Session, id: &str, stage: &str) -> Result<(), Error> {
    let properties = PropertiesInput::default();
    let moving = Moving { pipeline: None, stage: stage.to_owned(), properties, after: None };
    session.record_move("deal", Target::id(id), moving, None, None).await.map(drop)
}

#[tokio::test]
async fn stays_are_as_long_as_the_clock_says() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let deal = create(&mut session, "deal", json!({"name": "Roof"})).await;
    home.clock.advance(90 * SECOND + 999_999);
    update(&mut session, "deal", &deal, json!({"amount": "1"})).await.expect("a change");
    move_to(&mut session, &deal, "proposal").await.expect("a move");
    home.clock.advance(3_600 * SECOND);
    update(&mut session, "deal", &deal, json!({"stage": "closed_won"})).await.expect("a move");
    home.clock.advance(5 * SECOND);
    let found = session.record_stages("deal", &Target::id(&deal), 10, None).await.expect("stays").results;
    let told: Vec<_> = found.iter().map(|stay| (stay.stage.as_str(), stay.seconds, stay.left_at.is_some())).collect();
    assert_eq!(told, [("closed_won", 5, false), ("proposal", 3_600, true), ("prospecting", 90, true)]);
    assert!(found.iter().all(|stay| stay.by == Some(session.caller.user)));
    assert_eq!(seconds(&mut session).await, [Some(90), Some(3_600)]);
    // Two moves in one request: the second leaves a stage that it has just entered.
    let twice = ["negotiation", "proposal"].map(|stage| {
        let input = crate::support::input(&json!({"stage": stage}));
        let (object, target) = ("deal".to_owned(), Target::id(&deal));
        engine::records::Step::from(engine::records::Operation::Update { object, target, input, version: None })
    });
    session.execute(&twice, engine::records::Mode::Atomic("operations"), None).await.expect("two moves");
    assert_eq!(seconds(&mut session).await, [Some(90), Some(3_600), Some(5), Some(0)]);
}

/// What each `stage.changed` of the log says of the time.
async fn seconds(session: &mut Session) -> Vec<Option<i64>> {
    let changes = session.changes_now(Sequence(0), Some("deal"), 500).await.expect("changes").results;
    changes.iter().filter(|change| change.kind == "stage.changed").map(|change| change.seconds).collect()
}

/// A stay in a stage.
struct Stay {
    stage: String,
    entered: i64,
    left: Option<i64>,
}

/// The stays of each record, from the log alone.
async fn stays(session: &mut Session) -> BTreeMap<String, Vec<Stay>> {
    let mut stays: BTreeMap<String, Vec<Stay>> = BTreeMap::new();
    let mut after = Sequence(0);
    loop {
        let query = ChangeQuery { after, object: Some("deal".to_owned()), limit: 500, wait: Duration::ZERO };
        let page = session.changes(&query).await.expect("changes");
        for change in &page.results {
            let Some(stage) = change.changes.get("stage").and_then(|pair| pair[1].as_str()) else { continue };
            let of_record = stays.entry(change.record.expect("a record").to_string()).or_default();
            if let Some(last) = of_record.last_mut() {
                last.left = Some(change.at.0);
            }
            of_record.push(Stay { stage: stage.to_owned(), entered: change.at.0, left: None });
        }
        if !page.has_more {
            return stays;
        }
        after = page.position;
    }
}

#[tokio::test]
async fn reports_are_a_plain_count_over_the_log() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let mut random = StdRng::seed_from_u64(11);
    let began = home.engine.now().0;
    let mut deals = Vec::new();
    for step in 0..400 {
        home.clock.advance(random.random_range(0..3 * 3_600) * SECOND + 1);
        if step < 40 || random.random_range(0..10) == 0 {
            let stage = STAGES[random.random_range(0..2)];
            deals.push(create(&mut session, "deal", json!({"name": "D", "stage": stage})).await);
        } else {
            let deal = &deals[random.random_range(0..deals.len())];
            move_to(&mut session, deal, STAGES[random.random_range(0..6)]).await.expect("a move");
        }
        // A look in the middle, so that the rest is followed afterwards.
        if step == 200 {
            rows(&mut session, ReportKind::Velocity, None).await;
        }
    }
    let gone = deals.split_off(deals.len() - 10);
    for deal in &gone {
        archive(&mut session, "deal", deal).await;
    }
    let counted: BTreeSet<String> = deals.iter().cloned().collect();
    let mut stays = stays(&mut session).await;
    stays.retain(|deal, _| counted.contains(deal));
    let days: Vec<i64> = (0..=(home.engine.now().0 - began) / DAY + 1).map(|day| began / DAY + day).collect();
    for kind in [ReportKind::WinRate, ReportKind::Conversion, ReportKind::Velocity] {
        let bounds = (day_name(days[0]), day_name(days[days.len() - 1]));
        let found = rows(&mut session, kind, Some(bounds)).await;
        let expected = days.iter().flat_map(|day| plain(kind, *day, &stays)).collect::<Vec<_>>();
        assert!(expected.len() >= days.len());
        assert_eq!(found, expected, "{kind:?}");
    }
}

async fn rows(session: &mut Session, kind: ReportKind, bounds: Option<(String, String)>) -> Vec<Value> {
    let (from, to) = bounds.unzip();
    let query = ReportQuery { from, to, every: Some("day".to_owned()), ..ReportQuery::default() };
    let report = session.pipeline_report("deal", "sales", kind, &query).await.expect("a report");
    assert_eq!(report.sequence, session.log_position().await.expect("a position"));
    report.rows.into_iter().map(shown).collect()
}

fn shown(row: ReportRow) -> Value {
    match row {
        ReportRow::Forecast { period, currency, count, .. } => json!([period, currency, count]),
        ReportRow::WinRate { period, won, lost, .. } => json!([period, won, lost]),
        ReportRow::Conversion { period, stage, entered, advanced, won, .. } => {
            json!([period, stage, entered, advanced, won])
        }
        ReportRow::Velocity { period, stage, count, median, mean } => json!([period, stage, count, median, mean]),
    }
}

fn day_name(day: i64) -> String {
    Timestamp(day * DAY).to_rfc3339()[..10].to_owned()
}

/// What a report says of a day.
fn plain(kind: ReportKind, day: i64, stays: &BTreeMap<String, Vec<Stay>>) -> Vec<Value> {
    let (name, within) = (day_name(day), |at: i64| at / DAY == day);
    let position = |stage: &str| STAGES.iter().position(|known| *known == stage).expect("a stage");
    match kind {
        ReportKind::WinRate => {
            let last = stays
                .values()
                .filter_map(|all| all.iter().rev().find(|stay| within(stay.entered) && position(&stay.stage) >= 4));
            let last: Vec<&str> = last.map(|stay| stay.stage.as_str()).collect();
            let count = |stage: &str| last.iter().filter(|known| **known == stage).count();
            vec![json!([name, count("closed_won"), count("closed_lost")])]
        }
        ReportKind::Conversion => STAGES[..4]
            .iter()
            .filter_map(|stage| {
                let entered: Vec<&[Stay]> = stays
                    .values()
                    .filter_map(|all| {
                        let at = all.iter().position(|stay| within(stay.entered) && stay.stage == *stage)?;
                        Some(&all[at + 1..])
                    })
                    .collect();
                let later = |is: &dyn Fn(usize) -> bool| {
                    entered.iter().filter(|rest| rest.iter().any(|stay| is(position(&stay.stage)))).count()
                };
                let advanced = later(&|at| at > position(stage) && at < 5);
                (!entered.is_empty()).then(|| json!([name, stage, entered.len(), advanced, later(&|at| at == 4)]))
            })
            .collect(),
        ReportKind::Velocity => {
            let in_stages = STAGES.iter().filter_map(|stage| {
                let ended = stays.values().flatten().filter(|stay| stay.stage == *stage);
                let lengths = ended.filter_map(|stay| Some((stay.left.filter(|left| within(*left))?, stay.entered)));
                measured(lengths.map(|(left, entered)| (left - entered) / SECOND).collect())
                    .map(|(count, median, mean)| json!([name, stage, count, median, mean]))
            });
            let ways = stays.values().filter_map(|all| {
                let won = all.iter().find(|stay| within(stay.entered) && stay.stage == "closed_won")?;
                Some((won.entered - all.first()?.entered) / SECOND)
            });
            let ways = measured(ways.collect()).map(|(count, median, mean)| json!([name, null, count, median, mean]));
            in_stages.chain(ways).collect()
        }
        ReportKind::Forecast => Vec::new(),
    }
}

/// How many, the one in the middle, and the mean.
fn measured(mut lengths: Vec<i64>) -> Option<(usize, i64, i64)> {
    lengths.sort_unstable();
    let count = i64::try_from(lengths.len()).ok().filter(|count| *count > 0)?;
    let (low, high) = (lengths[(lengths.len() - 1) / 2], lengths[lengths.len() / 2]);
    Some((lengths.len(), (low + high + 1) / 2, (lengths.iter().sum::<i64>() + count / 2) / count))
}
