//! Public data sets by the maps of `seeds/`, where they lie beside the project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::transfer::{Format, ImportRequest};

use super::fixture::{World, counts, done, ended, request, upload, values};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn data(set: &str) -> Option<PathBuf> {
    let folder = Path::new(PROJECT).join("../shared/data").join(set);
    if !folder.is_dir() {
        eprintln!("SKIPPED: there is no data set in {}", folder.display());
    }
    folder.is_dir().then_some(folder)
}

/// Imports a file by a map of `seeds/maps`: created, updated, unchanged, skipped, failed.
async fn import(world: &World, file: &Path, map: &str) -> [u64; 5] {
    let path = Path::new(PROJECT).join(format!("seeds/maps/{map}.yaml"));
    let text = std::fs::read_to_string(&path).expect("a map");
    let object = text.lines().find_map(|line| line.strip_prefix("object: ")).expect("a map names its object");
    run(world, request(object, &text, Format::Csv), file).await
}

async fn run(world: &World, request: ImportRequest, file: &Path) -> [u64; 5] {
    let mut session = world.session().await;
    let bytes = std::fs::read(file).expect("a file");
    let id = upload(&mut session, request, &bytes).await;
    let job = ended(&mut session, id).await;
    for error in session.job_errors(&id.to_string(), 0, 5).await.expect("errors") {
        eprintln!("{}: {error:?}", file.display());
    }
    counts(&done(job))
}

#[tokio::test]
async fn sales_become_users_companies_products_and_deals() {
    let Some(data) = data("sales") else { return };
    let world = World::new("generic").await;
    let agents = "columns: {sales_agent: name}\nignore: [manager, regional_office]";
    let users = run(&world, request("user", agents, Format::Csv), &data.join("sales_teams.csv")).await;
    assert_eq!(users, [35, 0, 0, 0, 0]);
    let files = [
        ("accounts.csv", "sales-accounts", 85),
        ("accounts.csv", "sales-subsidiaries", 85),
        ("products.csv", "sales-products", 7),
        ("sales_pipeline.csv", "sales-deals", 8_800),
    ];
    let mut found = Vec::new();
    for (file, map, _) in files {
        found.push(import(&world, &data.join(file), map).await);
    }
    assert_eq!(found, [[85, 0, 0, 0, 0], [0, 15, 70, 0, 0], [7, 0, 0, 0, 0], [8_800, 0, 0, 0, 0]]);
    let mut stages: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for deal in world.records("deal").await {
        let properties = values(&deal);
        let amount = properties.get("amount").and_then(|amount| amount.as_str()).unwrap_or("0.00");
        let stage = stages.entry(properties["stage"].as_str().expect("a stage").to_owned()).or_default();
        stage.0 += 1;
        stage.1 += amount.replace('.', "").parse::<u64>().expect("cents");
        assert!(deal.owner.is_some());
    }
    let expected = [
        ("closed_lost", (2_473, 0)),
        ("closed_won", (4_238, 1_000_553_400)),
        ("negotiation", (1_589, 0)),
        ("prospecting", (500, 0)),
    ];
    assert_eq!(stages, expected.map(|(stage, sums)| (stage.to_owned(), sums)).into());
    let before = world.position().await;
    for (file, map, rows) in files {
        assert_eq!(import(&world, &data.join(file), map).await, [0, 0, rows, 0, 0], "{map}");
    }
    assert_eq!(world.position().await, before);
}

#[tokio::test]
async fn permits_become_contractors_and_permits() {
    let Some(data) = data("construction") else { return };
    let world = World::new("construction").await;
    let file = data.join("building_permits.csv");
    let contractors = import(&world, &file, "construction-contractors").await;
    assert_eq!(contractors[0] + contractors[2] + contractors[3], 5_000, "{contractors:?}");
    assert_eq!(contractors[0], world.records("company").await.len() as u64);
    assert_eq!(import(&world, &file, "construction-permits").await, [5_000, 0, 0, 0, 0]);
    let before = world.position().await;
    assert_eq!(import(&world, &file, "construction-permits").await, [0, 0, 5_000, 0, 0]);
    assert_eq!(world.position().await, before);
}

#[tokio::test]
async fn encounters_become_what_they_are_between() {
    let Some(data) = data("healthcare") else { return };
    let world = World::new("healthcare").await;
    for (file, map, rows) in [
        ("organizations.csv", "healthcare-organizations", 173),
        ("organizations.csv", "healthcare-organization-addresses", 173),
        ("providers.csv", "healthcare-providers", 173),
        ("patients.csv", "healthcare-patients", 59),
        ("patients.csv", "healthcare-patient-addresses", 59),
        ("encounters.csv", "healthcare-encounters", 2_590),
        ("conditions.csv", "healthcare-conditions", 1_534),
    ] {
        assert_eq!(import(&world, &data.join(file), map).await, [rows, 0, 0, 0, 0], "{map}");
    }
}
