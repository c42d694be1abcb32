//! Making the index anew from the store, after its folder was lost.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

use super::ground::Ground;
use super::report::{Scene, SearchReport, Target};

/// Removes the index and measures until searches are exact again.
pub(super) async fn measure(ground: &mut Ground, scene: Scene, report: &mut SearchReport) -> Result<()> {
    let folder = ground.index_folder();
    let mut began = Instant::now();
    let lose = |_: &_| {
        fs::remove_dir_all(&folder).with_context(|| format!("could not remove {}", folder.display()))?;
        began = Instant::now();
        Ok(())
    };
    ground.restart(lose).await?;
    let listening = began.elapsed();
    let mut asker = ground.asker().await?;
    let listed = asker.ask("GET", "/records/contact?limit=50", "").await?.status;
    if listed != 200 {
        report.problem(scene, &format!("rebuild: a list by id answered {listed} meanwhile"));
    }
    let others = ground.wait_until_all_is_seen().await?;
    let elapsed = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "a count of records is far below 2^53")]
    let rate = scene.records as f64 / elapsed.as_secs_f64();
    report.figure(scene, "rebuild: start to listening", listening.as_secs_f64() * 1000.0, "ms", None);
    report.figure(scene, "rebuild: start to the first exact answer", elapsed.as_secs_f64(), "s", None);
    report.figure(scene, "rebuild: rate", rate, "records/s", Some(Target::AtLeast(20_000.0)));
    for (answer, times) in others {
        // To be told how far it has come is as it should be.
        match answer.starts_with("503") {
            true => eprintln!("meanwhile {times} searches were answered: {answer}"),
            false => report.problem(scene, &format!("rebuild: {times} searches were answered: {answer}")),
        }
    }
    Ok(())
}
