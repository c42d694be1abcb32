//! Very many tenants that are moved to another version of a pack at once.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::super::asker::Asker;
use super::report::Line;
use crate::TestServer;

/// Objects of the pack.
const OBJECTS: usize = 100;
/// Properties of each.
const PROPERTIES: usize = 10;

pub(super) async fn measure(server: &TestServer, count: usize) -> Result<Vec<Line>> {
    let mut tenants = Vec::with_capacity(count);
    for _ in 0..count {
        tenants.push(server.tenant("generic").await);
    }
    let installed = move_all(server, &pack("1.0.0", ""), count).await?;
    let same = move_all(server, &pack("1.1.0", ", label: Renamed"), count).await?;
    // Now each is like no other, so that nothing is worked out for two of them.
    for (number, tenant) in tenants.iter().enumerate() {
        let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
        let own = json!({"name": format!("own_{number}"), "type": "integer"});
        asker.expect(201, "POST", "/object-definitions/thing_0/properties", &own).await?;
    }
    let each = move_all(server, &pack("1.2.0", ", label: Again"), count).await?;
    let text = format!(
        "{count} tenants with {OBJECTS} objects of {PROPERTIES} properties: installed in {:.1} s, moved to a version with \
         one property more and another label on each in {:.1} s, and to another label, with a property of their own each, \
         in {:.1} s",
        installed.as_secs_f64(),
        same.as_secs_f64(),
        each.as_secs_f64(),
    );
    let values = json!({
        "tenants": count, "installed_s": installed.as_secs_f64(), "upgraded_s": same.as_secs_f64(),
        "upgraded_own_s": each.as_secs_f64(),
    });
    Ok(vec![Line { text, values }])
}

fn pack(version: &str, more: &str) -> String {
    let mut text = format!("pack: fleet\nversion: {version}\nobjects:\n");
    for object in 0..OBJECTS {
        // Writing to a string does not fail.
        let _ = write!(text, "  thing_{object}:\n    plural: things_{object}\n    properties:\n");
        for property in 0..PROPERTIES {
            let label = if property == 0 { more } else { "" };
            let _ = writeln!(text, "      p{property}: {{type: string{label}}}");
        }
        if !more.is_empty() {
            text.push_str("      added: {type: integer}\n");
        }
    }
    text
}

/// How long all took.
async fn move_all(server: &TestServer, source: &str, count: usize) -> Result<Duration> {
    let began = Instant::now();
    let body = json!({"source": source, "install": true});
    let reply = server.platform().post("/tenants/packs/apply", &body).await;
    let took = began.elapsed();
    let last: Value = serde_json::from_str(reply.text.lines().last().unwrap_or_default())?;
    // The server's first tenant comes on top.
    if last["changed"] != json!(count + 1) {
        bail!("not all tenants were changed: {last}");
    }
    Ok(took)
}
