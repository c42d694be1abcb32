//! `trellis tenant create | list | export | import`.

mod export;
mod import;

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{client, output};
use crate::config::ClientFlags;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Tenant {
    /// Make a tenant and print its owner's token, which is shown only now.
    Create(Create),
    /// List the tenants.
    List(List),
    /// Write all that the tenant of the token has into a file.
    Export(export::Export),
    /// Make a tenant of an exported one and print its owner's token, which is shown only now.
    Import(import::Import),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Short name in addresses: lower-case letters, digits and `-`.
    slug: String,
    /// Name for people; the slug without it.
    #[arg(long)]
    name: Option<String>,
    /// Choice of packs: generic, healthcare, construction.
    #[arg(long, default_value = "generic")]
    profile: String,
    #[command(flatten)]
    client: ClientFlags,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    client: ClientFlags,
}

impl Tenant {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(create) => create.run(),
            Self::List(list) => list.run(),
            Self::Export(export) => export.run(),
            Self::Import(import) => import.run(),
        }
    }
}

impl Create {
    fn run(self) -> anyhow::Result<ExitCode> {
        let name = self.name.as_ref().unwrap_or(&self.slug);
        let body = json!({"slug": self.slug, "name": name, "profile": self.profile});
        let made = client::run_on_platform(&self.client, async |client| client.post("/tenants", &body).await)?;
        if self.client.json {
            output::json(&made)?;
        } else {
            output::note(&format!("made the tenant `{}`; its owner's token is shown only now:", self.slug));
            output::line(made["token"].as_str().unwrap_or_default());
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(self) -> anyhow::Result<ExitCode> {
        let tenants = client::run_on_platform(&self.client, async |client| client.list("/tenants").await)?;
        if self.client.json {
            output::json(&tenants)?;
        } else {
            let text = |tenant: &Value, key: &str| tenant[key].as_str().unwrap_or_default().to_owned();
            let row =
                |tenant| [text(tenant, "id"), text(tenant, "slug"), text(tenant, "name"), text(tenant, "profile")];
            output::table(["ID", "SLUG", "NAME", "PROFILE"], &tenants.iter().map(row).collect::<Vec<_>>());
        }
        Ok(ExitCode::SUCCESS)
    }
}
