//! The command line: each command is a file, and a line here.

mod client;
mod direct;
mod doctor;
mod download;
mod export;
mod import;
mod job;
mod output;
mod pack;
mod problem;
mod reindex;
mod serve;
mod setting_flags;
mod tenant;
mod token;
mod upkeep;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ConfigError;

/// Wrong usage; the same that the parser of the arguments exits with.
const WRONG_USAGE: u8 = 2;

/// A CRM whose objects you define.
#[derive(Debug, Parser)]
#[command(name = "trellis", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server; the same as no command.
    Serve(serve::Serve),
    /// Check packs and install them.
    #[command(subcommand)]
    Pack(pack::Pack),
    /// Make, list and move tenants; needs the platform token, but for `export`.
    #[command(subcommand)]
    Tenant(tenant::Tenant),
    /// Make tokens.
    #[command(subcommand)]
    Token(token::Token),
    /// Import a CSV or NDJSON file into an object.
    Import(import::Import),
    /// Export records of an object or a view, or a report, as CSV, XLSX, NDJSON or Parquet.
    Export(export::Export),
    /// Make search indexes anew from the store.
    Reindex(reindex::Reindex),
    /// Check the settings and the surroundings of a server, and compare search indexes with the store.
    Doctor(doctor::Doctor),
}

/// The files of a pack in a folder, or in one file: name and text.
pub(crate) fn read_pack_files(path: &std::path::Path) -> anyhow::Result<Vec<(String, String)>> {
    Ok(pack::read_files(path)?.into_iter().collect())
}

/// Runs the command that the process was given.
///
/// Exits with 0 when it was done, 1 when it failed, 2 when it was used wrongly.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output, mistakes to standard error; nobody is left to tell when neither works.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(WRONG_USAGE));
        }
    };
    execute(cli).unwrap_or_else(|error| {
        output::error(&error);
        ExitCode::from(if error.is::<ConfigError>() { WRONG_USAGE } else { 1 })
    })
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(serve) => serve.run(),
        Command::Pack(pack) => pack.run(),
        Command::Tenant(tenant) => tenant.run(),
        Command::Token(token) => token.run(),
        Command::Import(import) => import.run(),
        Command::Export(export) => export.run(),
        Command::Reindex(reindex) => reindex.run(),
        Command::Doctor(doctor) => doctor.run(),
    }
}

#[cfg(test)]
mod tests;
