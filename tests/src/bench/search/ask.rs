//! Asking one question again and again, and how long the answers take.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::super::histogram::Latencies;
use super::asker::Asker;
use super::ground::Ground;
use super::question::{Ask, Question, questions};
use super::report::{Asked, Scene, SearchReport};
use super::rival::Rivals;

/// How often a question is asked: until one of both is reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns {
    pub(super) turns: u64,
    pub(super) time: Duration,
}

/// Turns before the measured ones.
const WARM_UP: u64 = 10;

/// Asks every question of the large tenant.
pub(super) async fn ask_all(
    ground: &Ground,
    scene: Scene,
    turns: Turns,
    rivals: &Rivals,
    report: &mut SearchReport,
) -> Result<()> {
    for question in questions() {
        let mut asker = ground.asker().await?;
        if let Some(wrong) = refute(&question, &mut asker, scene.records).await? {
            report.problem(scene, &format!("{}: {wrong}", question.name));
        }
        let hits = hits(&question, &mut asker).await?;
        let (latencies, errors) = ask(&question, &mut asker, turns).await?;
        let (p50, p99) = (latencies.percentile_ms(50.0), latencies.percentile_ms(99.0));
        let asked = Asked { question: question.name, target: question.target, hits, p50, p99, errors };
        report.question(scene, &asked, rivals);
    }
    Ok(())
}

/// Asks every question once.
pub(super) async fn ask_each_once(ground: &Ground) -> Result<()> {
    let mut asker = ground.asker().await?;
    for question in questions() {
        let Ask { method, path, body } = (question.ask)(0);
        asker.json(method, &path, &body).await?;
    }
    Ok(())
}

/// What is wrong with the first answer.
async fn refute(question: &Question, asker: &mut Asker, records: u64) -> Result<Option<String>> {
    let Ask { method, path, body } = (question.ask)(0);
    let (status, answer) = asker.json(method, &path, &body).await?;
    Ok(match status {
        200 => question.truth.refute(&answer, 0, records),
        _ => Some(format!("answered {status}: {answer}")),
    })
}

/// How many records meet the question of the first turn.
async fn hits(question: &Question, asker: &mut Asker) -> Result<Option<u64>> {
    let Ask { method, path, body } = (question.ask)(0);
    if body.is_null() {
        return Ok(None);
    }
    let mut counting = json!({"limit": 0, "count": true});
    for name in ["q", "filter"] {
        if let Some(asked) = body.get(name) {
            counting[name] = asked.clone();
        }
    }
    let (_, answer) = asker.json(method, &path, &counting).await?;
    Ok(answer["total"].as_u64())
}

async fn ask(question: &Question, asker: &mut Asker, turns: Turns) -> Result<(Latencies, u64)> {
    let (mut latencies, mut errors) = (Latencies::new(), 0);
    let mut began = Instant::now();
    for turn in 0..WARM_UP + turns.turns {
        if turn == WARM_UP {
            began = Instant::now();
        }
        let Ask { method, path, body } = (question.ask)(turn);
        let body = if body == Value::Null { String::new() } else { body.to_string() };
        let answer = asker.ask(method, &path, &body).await?;
        match answer.status {
            200 if turn >= WARM_UP => latencies.record(answer.took),
            200 => {}
            _ => errors += 1,
        }
        if turn > WARM_UP && began.elapsed() >= turns.time {
            break;
        }
    }
    Ok((latencies, errors))
}
