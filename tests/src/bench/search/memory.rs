//! What a server with the large tenant open holds in memory.

use anyhow::Result;

use super::super::usage;
use super::ask::ask_each_once;
use super::ground::Ground;
use super::report::{Scene, SearchReport, Target};

/// What a server with the large tenant open may hold: 300 MB.
const MEMORY: Target = Target::AtMost(286.0);

/// Reads memory now, and again after a restart and every question.
pub(super) async fn measure(ground: &mut Ground, scene: Scene, report: &mut SearchReport) -> Result<()> {
    ask_each_once(ground).await?;
    tell(ground, scene, "after loading and all questions", report);
    ground.restart(|_| Ok(())).await?;
    ground.wait_until_all_is_seen().await?;
    ask_each_once(ground).await?;
    tell(ground, scene, "after a restart and all questions", report);
    #[expect(clippy::cast_precision_loss, reason = "sizes and counts are far below 2^53")]
    let per_record = usage::folder_bytes(&ground.index_folder()) as f64 / scene.records as f64;
    report.figure(scene, "index on disk, a contact", per_record, "bytes", None);
    Ok(())
}

fn tell(ground: &Ground, scene: Scene, when: &str, report: &mut SearchReport) {
    let usage = usage::of(ground.server.pid());
    let target = Some(MEMORY);
    report.figure(scene, &format!("memory {when}, RSS"), usage.resident_mib, "MiB", target);
    report.figure(scene, &format!("memory {when}, anonymous"), usage.anonymous_mib, "MiB", target);
    report.figure(scene, &format!("memory {when}, peak"), usage.peak_mib, "MiB", None);
}
