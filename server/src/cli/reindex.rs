//! `trellis reindex`: makes search indexes anew from the store, while the former ones answer.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use engine::model::name::did_you_mean;
use serde_json::{Value, json};

use super::client::Client;
use super::setting_flags::ConfigFlags;
use super::upkeep::Tenant;
use super::{output, upkeep};

/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Between two lines about that.
const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Reindex {
    /// Slug of the tenant; all tenants where none is named.
    tenant: Option<String>,
    #[command(flatten)]
    flags: ConfigFlags,
    /// Answer in JSON, for machines.
    #[arg(long)]
    json: bool,
}

impl Reindex {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.flags.load()?;
        upkeep::run(&config, async |client| {
            let (mut made, mut is_whole) = (Vec::new(), true);
            for tenant in chosen(&client, self.tenant.as_deref()).await? {
                let began = Instant::now();
                let failure = rebuild(&client, &tenant).await?;
                let seconds = began.elapsed().as_secs_f64();
                match &failure {
                    None if self.json => {}
                    None => output::line(&format!("made the search index of `{}` anew in {seconds:.1} s", tenant.slug)),
                    Some(failure) => {
                        is_whole = false;
                        output::note(&format!("the search index of `{}` cannot be made: {failure}", tenant.slug));
                    }
                }
                made.push(json!({"tenant": tenant.slug, "seconds": seconds, "failure": failure}));
            }
            if self.json {
                output::json(&made)?;
            }
            Ok(ExitCode::from(u8::from(!is_whole)))
        })
    }
}

/// Has an index made and waits for it; why it could not be made, where that is so.
async fn rebuild(client: &Client, tenant: &Tenant) -> anyhow::Result<Option<String>> {
    let mut index = client.post(&format!("{}/rebuild", tenant.index), &Value::Null).await?;
    let mut told = Instant::now();
    while let Some(building) = index["building"].as_object() {
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            let [done, total] = ["records_done", "records_total"].map(|key| building[key].as_i64().unwrap_or_default());
            output::note(&format!("`{}`: {done} of about {total} records", tenant.slug));
        }
        tokio::time::sleep(LOOK_EVERY).await;
        index = client.get(&tenant.index).await?;
    }
    Ok(index["failure"].as_str().map(str::to_owned))
}

/// The tenant that was named, or all.
async fn chosen(client: &Client, slug: Option<&str>) -> anyhow::Result<Vec<Tenant>> {
    let mut tenants = upkeep::tenants(client).await?;
    if let Some(slug) = slug {
        let hint = did_you_mean(slug, tenants.iter().map(|tenant| tenant.slug.as_str()));
        tenants.retain(|tenant| tenant.slug == slug);
        if tenants.is_empty() {
            bail!("there is no tenant `{slug}`{hint}");
        }
    }
    Ok(tenants)
}
