//! Where the commands that talk to a server find it, or that they do without one. Flags win over variables.

use super::secret::Secret;

/// Address and token of a server.
#[derive(Debug, Clone, clap::Args)]
pub struct ClientFlags {
    /// Address of the server.
    #[arg(long, env = "TRELLIS_URL", default_value = "http://127.0.0.1:8080", value_parser = address)]
    pub url: String,
    /// Bearer token.
    #[arg(long, env = "TRELLIS_TOKEN", hide_env_values = true)]
    pub token: Option<Secret>,
    /// Open the store itself, where no server runs; `TRELLIS_DATA_DIR`, `TRELLIS_DATABASE_URL` or `trellis.toml` say
    /// where it is.
    #[arg(long)]
    pub direct: bool,
    /// Answer in JSON, for machines.
    #[arg(long)]
    pub json: bool,
}

/// The client speaks plain HTTP: it is for the machine itself, or for a tunnel to it.
fn address(text: &str) -> Result<String, String> {
    let is_address = text.strip_prefix("http://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    is_address.then(|| text.to_owned()).ok_or_else(|| "an address such as http://127.0.0.1:8080 is expected".to_owned())
}
