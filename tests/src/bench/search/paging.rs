//! Going through a sorted list to its end: what a page costs may not grow with its depth.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::super::histogram::Latencies;
use super::asker::Asker;
use super::ground::Ground;
use super::question::{PAGE, by_contact};
use super::report::{Scene, SearchReport};

/// Pages between which it goes on quickly.
const STEPS: [u64; 8] = [1, 100, 1_000, 2_500, 5_000, 10_000, 15_000, 20_000];
/// Pages that are measured at each step.
const MEASURED: u64 = 20;
/// Records of a page on the way.
const STRIDE: u64 = 200;

/// A way through all contacts.
struct Walk {
    asker: Asker,
    cursor: Value,
    /// Records behind it.
    position: u64,
    seen: HashSet<String>,
    /// The last record's moment.
    last: Option<String>,
}

/// Goes through all contacts, latest first, and measures pages of 50 on the way.
pub(super) async fn page_through(ground: &Ground, scene: Scene, report: &mut SearchReport) -> Result<()> {
    let asker = ground.asker().await?;
    let mut walk = Walk { asker, cursor: Value::Null, position: 0, seen: HashSet::new(), last: None };
    let last_page = scene.records / PAGE;
    for page in STEPS {
        // The last step is measured on the pages before the end.
        let first = page.min(last_page.saturating_sub(MEASURED)).saturating_sub(1);
        if page > 1 && (first * PAGE <= walk.position || page > last_page) {
            break;
        }
        walk.go_to(first * PAGE).await?;
        let latencies = walk.measure().await?;
        let name = format!("page {} of a sorted list: p50", first + 1);
        report.figure(scene, &name, latencies.percentile_ms(50.0), "ms", None);
    }
    walk.go_to(u64::MAX).await?;
    let seen = walk.seen.len() as u64;
    if seen != scene.records || walk.position != scene.records {
        let problem = format!("paging gave {} records, {seen} of them different", walk.position);
        report.problem(scene, &problem);
    }
    Ok(())
}

impl Walk {
    /// Goes on until so many records are behind, or to the end.
    async fn go_to(&mut self, position: u64) -> Result<()> {
        while self.position < position && !self.is_over() {
            let limit = STRIDE.min(position - self.position);
            self.page(limit, Some("last_contacted_at")).await?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.position > 0 && self.cursor.is_null()
    }

    async fn measure(&mut self) -> Result<Latencies> {
        let mut latencies = Latencies::new();
        for _ in 0..MEASURED {
            if !self.is_over() {
                latencies.record(self.page(PAGE, None).await?);
            }
        }
        Ok(latencies)
    }

    /// Takes the next page; with one property of each record only, or whole records.
    async fn page(&mut self, limit: u64, select: Option<&str>) -> Result<Duration> {
        let mut body = json!({"sort": by_contact(), "limit": limit, "cursor": self.cursor});
        if let Some(property) = select {
            body["select"] = json!([property]);
        }
        let answer = self.asker.ask("POST", "/records/contact/search", &body.to_string()).await?;
        if answer.status != 200 {
            bail!("a page at {} answered {}: {}", self.position, answer.status, answer.excerpt());
        }
        let (took, reply): (_, Value) = (answer.took, serde_json::from_slice(answer.body)?);
        for record in reply["results"].as_array().context("a page has results")? {
            let id = record["id"].as_str().context("a record has an id")?;
            let moment = record["properties"]["last_contacted_at"].as_str().context("a contact has its moment")?;
            if self.last.as_deref().is_some_and(|last| last < moment) {
                bail!("record {id} at {} is out of order", self.position);
            }
            self.last = Some(moment.to_owned());
            self.seen.insert(id.to_owned());
            self.position += 1;
        }
        self.cursor = reply["next_cursor"].clone();
        Ok(took)
    }
}
