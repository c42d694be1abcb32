//! Settings of the logs.

use std::str::FromStr;

use tracing_subscriber::filter::Targets;

use super::reader::SettingReader;

/// What is logged and how.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// Levels, by part of the program.
    pub level: Targets,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            other => Err(format!("`{other}` is no log format; there are `pretty` and `json`")),
        }
    }
}

impl TelemetryConfig {
    pub(super) fn read(reader: &mut SettingReader) -> Option<Self> {
        let level = reader.required("log_level");
        let format = reader.required("log_format");
        Some(Self { level: level?, format: format? })
    }
}
