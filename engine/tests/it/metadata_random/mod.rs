//! Random packs, versions of them, changes by the tenant, writes and ways back in random order. After each step nothing
//! is lost, nothing has changed that was not asked for, and what was refused has changed nothing at all.
//!
//! The cases are the same at every run. `TRELLIS_TEST_CASES` looks at more of them, `TRELLIS_TEST_SEED` begins with
//! another one, or repeats the one that has failed.

mod checks;
mod definitions;
mod fold;
mod packs;
mod perform;
mod reference;
mod world;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use perform::{KINDS, Kind};
use world::{Home, World};

/// Cases on each store unless asked otherwise.
const CASES: u64 = 10;

/// Most steps of a case.
const STEPS: usize = 32;

/// Something to do. What exactly follows from `seed` and from what is there, so that any part of a case is a case.
#[derive(Debug, Clone, Copy)]
struct Step {
    kind: Kind,
    seed: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    nothing_is_lost_or_changed_unasked(&Home::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    nothing_is_lost_or_changed_unasked(&Home::postgres().await).await;
}

async fn nothing_is_lost_or_changed_unasked(home: &Home) {
    let first = asked("TRELLIS_TEST_SEED");
    let cases = asked("TRELLIS_TEST_CASES").unwrap_or(if first.is_some() { 1 } else { CASES });
    let first = first.unwrap_or_default();
    for seed in (first..).take(usize::try_from(cases).unwrap_or(usize::MAX)) {
        let steps = steps(seed);
        if let Err((at, told)) = run(home, &steps).await {
            let told = smallest(home, steps[..=at].to_vec(), told).await;
            panic!("TRELLIS_TEST_SEED={seed}: {told}");
        }
    }
}

fn steps(seed: u64) -> Vec<Step> {
    let mut random = StdRng::seed_from_u64(seed);
    let count = random.random_range(STEPS / 2..=STEPS);
    (0..count).map(|_| Step { kind: KINDS[random.random_range(0..KINDS.len())], seed: random.random() }).collect()
}

/// Does all steps on a tenant of its own; which one fails, and what was done until then.
async fn run(home: &Home, steps: &[Step]) -> Result<(), (usize, String)> {
    let mut world = World::new(home).await;
    for (index, step) in steps.iter().enumerate() {
        if let Err(wrong) = world.take(*step).await {
            return Err((index, format!("{wrong}\nafter\n{}", world.told.join("\n"))));
        }
    }
    Ok(())
}

/// What is wrong after the fewest of these steps that fail.
async fn smallest(home: &Home, mut steps: Vec<Step>, mut told: String) -> String {
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() {
            let end = (at + size).min(steps.len());
            let fewer: Vec<Step> = steps[..at].iter().chain(&steps[end..]).copied().collect();
            match run(home, &fewer).await {
                Err((last, wrong)) => (steps, told) = (fewer[..=last].to_vec(), wrong),
                Ok(()) => at += size,
            }
        }
        size /= 2;
    }
    told
}

#[expect(clippy::disallowed_methods, reason = "how long to look is said by whoever runs the test")]
fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
