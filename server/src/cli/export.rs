//! `trellis export`: has records or a report exported, waits for the job, and writes the file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use super::download::download;
use super::{client, job, output};
use crate::config::ClientFlags;

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    source: Source,
    /// What the file is, where the name of `--out` does not say.
    #[arg(long)]
    format: Option<Format>,
    /// Which records: a filter as a search takes it, in JSON.
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
    /// Their order: names separated by commas, after a minus for highest first.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', allow_hyphen_values = true)]
    sort: Vec<String>,
    /// Columns: names separated by commas; all where none are given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    select: Vec<String>,
    /// Head the columns with labels instead of names.
    #[arg(long)]
    labels: bool,
    /// Put `'` before texts that a spreadsheet may take for formulas.
    #[arg(long)]
    escape_formulas: bool,
    /// File to write to, instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    client: ClientFlags,
}

/// What is exported.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// Export the records of an object.
    #[arg(long, value_name = "NAME")]
    object: Option<String>,
    /// Export what a view shows, by its id or the name of a pack's.
    #[arg(long, value_name = "ID")]
    view: Option<String>,
    /// Export what a report computes, by its id or the name of a pack's.
    #[arg(long, value_name = "ID")]
    report: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Csv,
    Xlsx,
    Ndjson,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let request = self.request()?;
        client::run(&self.client, async |client| {
            let answer = client.post("/exports", &request).await?;
            let id = answer["job"]["id"].as_str().context("the server's answer names no job")?.to_owned();
            let (_, answer) = job::wait(&client, &id).await?;
            download(&client, &format!("/jobs/{id}/file"), self.out.as_deref()).await?;
            let cut = answer["progress"]["cut"].as_u64().unwrap_or_default();
            if cut > 0 {
                output::note(&format!("texts of {cut} rows were cut; `GET /jobs/{id}/errors` tells which"));
            }
            // Standard output is the file's, where that has none of its own.
            if self.client.json && self.out.is_some() {
                output::json(&answer)?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    /// The body of the call that begins the export.
    fn request(&self) -> anyhow::Result<Value> {
        let Some(format) = self.format.or_else(|| Format::of(self.out.as_deref()?)) else {
            bail!("say with `--format` whether the file is to be csv, xlsx, ndjson or parquet");
        };
        let mut body = Map::from_iter([("format".to_owned(), json!(format.as_str()))]);
        let Source { object, view, report } = &self.source;
        for (key, value) in [("object", object), ("view", view), ("report", report)] {
            body.extend(value.as_ref().map(|value| (key.to_owned(), json!(value))));
        }
        if let Some(filter) = &self.filter {
            let filter: Value = serde_json::from_str(filter).context("`--filter` is no JSON")?;
            body.insert("filter".to_owned(), filter);
        }
        for (key, names) in [("sort", &self.sort), ("select", &self.select)] {
            if !names.is_empty() {
                body.insert(key.to_owned(), json!(names));
            }
        }
        if self.labels {
            body.insert("headings".to_owned(), json!("labels"));
        }
        if self.escape_formulas {
            body.insert("escape_formulas".to_owned(), json!(true));
        }
        Ok(Value::Object(body))
    }
}
