//! `cargo run --release -p tests --bin bench`: what the product does over HTTP next to what its statements cost alone.

use std::process::ExitCode;

use clap::Parser;
use tests::bench::{self, Options};

// The allocator belongs to a program, not to a library: the same as the product's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // The server under load is this same program, so that one build measures what it has built.
    if std::env::args().nth(1).as_deref() == Some(bench::SERVE) {
        tests::end_with_parent();
        return server::main();
    }
    match bench::run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
