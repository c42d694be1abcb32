//! Settings: defaults, `trellis.toml`, variables and flags, each over the one before.
//!
//! Nothing outside this module reads the environment.
//!
//! # Adding a setting
//! 1. A line in `setting`, with which it is a key, a variable and a flag.
//! 2. A field in its section.
//! 3. A commented line in `config.default.toml`; a test compares the two lists.

mod client;
mod http;
mod layers;
mod quantity;
mod reader;
mod secret;
pub(crate) mod setting;
mod sources;
mod storage;
mod telemetry;
mod tenants;

pub use client::ClientFlags;
pub use http::{HttpConfig, ListenAddress};
pub use secret::{DatabaseUrl, Secret};
pub use sources::Sources;
pub use storage::StorageConfig;
pub use telemetry::{LogFormat, TelemetryConfig};
pub use tenants::TenantsConfig;

use layers::Layers;
use reader::SettingReader;

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// How HTTP is served.
    pub http: HttpConfig,
    /// Where data is kept.
    pub storage: StorageConfig,
    /// Who may come in first.
    pub tenants: TenantsConfig,
    /// What is logged.
    pub telemetry: TelemetryConfig,
    /// Sentences about variables that look misspelt, to be logged at start.
    pub warnings: Vec<String>,
}

/// Everything that is wrong with the settings, each with where it was given. Holds no value of a secret.
#[derive(Debug, thiserror::Error)]
#[error("the settings are wrong:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the settings, or says everything that is wrong with them.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut reader = SettingReader::new(Layers::of(sources));
        let http = HttpConfig::read(&mut reader);
        let storage = StorageConfig::read(&mut reader);
        let tenants = TenantsConfig::read(&mut reader);
        let telemetry = TelemetryConfig::read(&mut reader);
        let (problems, warnings) = reader.finish();
        match (http, storage, tenants, telemetry) {
            (Some(http), Some(storage), Some(tenants), Some(telemetry)) if problems.is_empty() => {
                Ok(Self { http, storage, tenants, telemetry, warnings })
            }
            _ => Err(ConfigError(problems)),
        }
    }
}

#[cfg(test)]
mod tests;
