//! Real data sets through the product's own import.
//!
//! `TRELLIS_TEST_DATA` names the folder that holds them, `../shared/data` beside the project by default. Where it is
//! named and missing, the tests fail; where it is only not there, they say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tests::{Tenant, TestServer};

use crate::fixture::{Silence, all_records, results};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn data() -> Option<PathBuf> {
    let named = std::env::var_os("TRELLIS_TEST_DATA").map(PathBuf::from);
    let folder = named.clone().unwrap_or_else(|| Path::new(PROJECT).join("../shared/data"));
    if folder.join("sales").is_dir() {
        return Some(folder);
    }
    assert!(named.is_none(), "TRELLIS_TEST_DATA names {}, which is not there", folder.display());
    eprintln!("SKIPPED: no data sets in {}; set TRELLIS_TEST_DATA", folder.display());
    None
}

/// Imports a file by a map of `seeds/maps` as a user would, and gives what the command says.
fn import(server: &TestServer, tenant: &Tenant, file: &Path, map: &str) -> Value {
    let map = Path::new(PROJECT).join(format!("seeds/maps/{map}.yaml"));
    let text = std::fs::read_to_string(&map).unwrap();
    let object = text.lines().find_map(|line| line.strip_prefix("object: ")).expect("a map names its object");
    let output = Command::new(env!("CARGO_BIN_EXE_trellis-under-test"))
        .args(["import", "--json", "--object", object, "--map"])
        .args([&map, file])
        .env("TRELLIS_URL", server.address())
        .env("TRELLIS_TOKEN", tenant.token().unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {said}\n{}", map.display(), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

async fn sales(server: TestServer) {
    let Some(data) = data() else { return };
    let tenant = server.tenant("generic").await;
    let run = |file: &str, map: &str| import(&server, &tenant, &data.join("sales").join(file), map);
    let all = || {
        for (file, map) in [
            ("sales_teams.csv", "sales-agents"),
            ("accounts.csv", "sales-accounts"),
            ("accounts.csv", "sales-subsidiaries"),
            ("products.csv", "sales-products"),
            ("sales_pipeline.csv", "sales-deals"),
        ] {
            run(file, map);
        }
    };
    all();
    let users = tenant.get("/users?limit=200").await.ok(200);
    let agents = results(&users).iter().filter(|user| user["role"] == "member");
    assert_eq!(agents.map(|user| user["name"].as_str().unwrap()).collect::<BTreeSet<_>>().len(), 35);
    assert_eq!(all_records(&tenant, "company").await.len(), 85);
    assert_eq!(all_records(&tenant, "product").await.len(), 7);
    let deals = all_records(&tenant, "deal").await;
    assert_eq!(deals.len(), 8_800);
    let mut stages: BTreeMap<&str, usize> = BTreeMap::new();
    for deal in &deals {
        *stages.entry(deal["properties"]["stage"].as_str().unwrap()).or_default() += 1;
    }
    let expected = [("closed_lost", 2_473), ("closed_won", 4_238), ("negotiation", 1_589), ("prospecting", 500)];
    assert_eq!(stages, expected.into());
    let won = deals.iter().filter(|deal| deal["properties"]["stage"] == "closed_won");
    assert_eq!(won.map(|deal| cents(&deal["properties"]["amount"])).sum::<u64>(), 1_000_553_400);
    assert!(deals.iter().all(|deal| deal["owner_id"].is_string()), "each deal has its agent");
    let gtx_pro = deals.iter().find(|deal| deal["properties"]["reference"] == "Z063OYW0").unwrap();
    let path = format!("/records/deal/{}/associations", gtx_pro["id"].as_str().unwrap());
    for (kind, name) in [("deal_product", "GTX Pro"), ("deal_company", "Isdom")] {
        let links = tenant.get(&format!("{path}/{kind}")).await.ok(200);
        assert_eq!(results(&links)[0]["record"]["display_name"], name);
    }
    let quiet = Silence::begins(&tenant).await;
    all();
    quiet.holds().await;
}

async fn construction(server: TestServer) {
    let Some(data) = data() else { return };
    let tenant = server.tenant("construction").await;
    let file = data.join("construction/building_permits.csv");
    for _ in 0..2 {
        import(&server, &tenant, &file, "construction-contractors");
        import(&server, &tenant, &file, "construction-permits");
        assert_eq!(all_records(&tenant, "permit").await.len(), 5_000);
    }
}

async fn healthcare(server: TestServer) {
    let Some(data) = data() else { return };
    let tenant = server.tenant("healthcare").await;
    for (file, map) in [
        ("organizations.csv", "healthcare-organizations"),
        ("organizations.csv", "healthcare-organization-addresses"),
        ("providers.csv", "healthcare-providers"),
        ("patients.csv", "healthcare-patients"),
        ("patients.csv", "healthcare-patient-addresses"),
        ("encounters.csv", "healthcare-encounters"),
        ("conditions.csv", "healthcare-conditions"),
    ] {
        import(&server, &tenant, &data.join("healthcare").join(file), map);
    }
    for (object, count) in
        [("company", 173), ("contact", 173 + 59), ("address", 173 + 59), ("encounter", 2_590), ("condition", 1_534)]
    {
        assert_eq!(all_records(&tenant, object).await.len(), count, "{object}");
    }
}

scenarios![sales, construction, healthcare];

/// `1054.00` as 105400.
fn cents(amount: &Value) -> u64 {
    let text = amount.as_str().unwrap_or_else(|| panic!("no amount: {amount}"));
    let (whole, cents) = text.split_once('.').unwrap();
    assert_eq!(cents.len(), 2, "{text}");
    whole.parse::<u64>().unwrap() * 100 + cents.parse::<u64>().unwrap()
}
