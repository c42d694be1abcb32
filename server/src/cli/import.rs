//! `trellis import`: sends a file, waits for the job, says what became of the rows.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};
use tokio::fs::File;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt};
use tokio_util::io::{ReaderStream, StreamReader};

use super::client::{self, Client};
use super::job::{self, Counts, Job, RowError};
use super::output;
use crate::config::ClientFlags;

/// Piece in which the file is read, in bytes.
const PIECE: usize = 64 * 1024;
/// Rows that failed that are shown at once.
const SHOWN: u64 = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// A `.csv` file with a head, or `.ndjson`/`.jsonl` with one object a line.
    file: PathBuf,
    /// Object whose records the rows become.
    #[arg(long)]
    object: String,
    /// YAML or JSON file that says which column becomes which property.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// What the file is, where its name does not say.
    #[arg(long)]
    format: Option<Format>,
    /// Only say what would happen.
    #[arg(long)]
    dry_run: bool,
    /// File into which every row that failed is written with the reasons, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    #[command(flatten)]
    client: ClientFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Csv,
    Ndjson,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Some(format) = self.format.or_else(|| Format::of(&self.file)) else {
            bail!("`{}` is neither .csv nor .ndjson; say which with `--format`", self.file.display());
        };
        client::run(&self.client, async |client| {
            let id = self.send(&client, format).await?;
            let (job, answer) = job::wait(&client, &id).await?;
            if let Some(path) = &self.errors {
                write_errors(&client, &id, path).await?;
            }
            match self.client.json {
                true => output::json(&answer)?,
                false => self.report(&job.counts, &first_errors(&client, &id, &job).await?),
            }
            Ok(ExitCode::from(u8::from(job.counts.failed > 0)))
        })
    }

    /// Sends the file; the id of the job that imports it.
    async fn send(&self, client: &Client, format: Format) -> anyhow::Result<String> {
        let mut form = Form::new();
        if let Some(path) = &self.map {
            let map = tokio::fs::read_to_string(path).await;
            form = form.text("map", map.with_context(|| format!("cannot read `{}`", path.display()))?);
        }
        let (file, bar) = self.open().await?;
        let dry_run = if self.dry_run { "true" } else { "false" };
        let query = [("object", self.object.as_str()), ("format", format.as_str()), ("dry_run", dry_run)];
        let request = client.request(Method::POST, "/imports").query(&query).multipart(form.part("file", file));
        let answer = client.json(request).await?;
        bar.finish_and_clear();
        let id = answer["job"]["id"].as_str().context("the server's answer names no job")?;
        Ok(id.to_owned())
    }

    /// The file as a part of a form that moves a bar while it is read.
    async fn open(&self) -> anyhow::Result<(Part, ProgressBar)> {
        let cannot = || format!("cannot read `{}`", self.file.display());
        let file = File::open(&self.file).await.with_context(cannot)?;
        let length = file.metadata().await.with_context(cannot)?.len();
        let bar = ProgressBar::new(length);
        bar.set_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} sent {bytes_per_sec}")?);
        let moved = bar.clone();
        let pieces = ReaderStream::with_capacity(file, PIECE).inspect(move |piece| {
            moved.inc(piece.as_ref().map_or(0, |piece| piece.len() as u64));
        });
        let name = self.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok((Part::stream_with_length(Body::wrap_stream(pieces), length).file_name(name), bar))
    }

    fn report(&self, counts: &Counts, first: &[String]) {
        let Counts { created, updated, unchanged, skipped, failed } = counts;
        let would = if self.dry_run { " (nothing was written)" } else { "" };
        output::line(&format!(
            "{created} created, {updated} updated, {unchanged} unchanged, {skipped} skipped, {failed} failed{would}"
        ));
        first.iter().for_each(|line| output::note(&format!("  {line}")));
        if *failed > SHOWN && self.errors.is_none() {
            output::note("  and more; `--errors FILE` writes all of them");
        }
    }
}

/// What is wrong with the rows that failed first, a line for each thing.
async fn first_errors(client: &Client, id: &str, job: &Job) -> anyhow::Result<Vec<String>> {
    let mut told = job.lines();
    if job.counts.failed == 0 || !told.is_empty() {
        return Ok(told);
    }
    let mut lines = errors(client, id).await?.lines();
    for _ in 0..SHOWN {
        let Some(line) = lines.next_line().await.context("the list of errors breaks off")? else { break };
        let row: RowError = serde_json::from_str(&line).context("the server's answer is no list of rows")?;
        told.extend(row.lines());
    }
    Ok(told)
}

/// Writes every row that failed, one JSON object a line.
async fn write_errors(client: &Client, id: &str, path: &Path) -> anyhow::Result<()> {
    let mut lines = errors(client, id).await?;
    let mut file = File::create(path).await.with_context(|| format!("cannot write `{}`", path.display()))?;
    tokio::io::copy_buf(&mut lines, &mut file).await.context("the list of errors cannot be copied")?;
    file.flush().await.with_context(|| format!("cannot write `{}`", path.display()))
}

/// The rows that failed as they come.
async fn errors(client: &Client, id: &str) -> anyhow::Result<impl AsyncBufRead + Unpin> {
    let answer = client.send(client.request(Method::GET, &format!("/jobs/{id}/errors"))).await?;
    Ok(StreamReader::new(Box::pin(answer.bytes_stream().map_err(std::io::Error::other))))
}
