//! `loadgen`: virtual users against a chat cluster.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use loadgen::cli::Cli;
use loadgen::program;
use reports::output::say;
use tracing_subscriber::EnvFilter;

/// What is logged, unless `RUST_LOG` says otherwise: what users meet is in the report.
const LOG: &str = "error";

#[tokio::main]
async fn main() -> ExitCode {
    let asked = Cli::parse().into_asked();
    let asked = asked.unwrap_or_else(|error| error.exit());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    match program::run(&asked).await {
        Ok(status) => status,
        Err(error) => {
            say(&format!("loadgen: {error:#}"));
            ExitCode::from(2)
        }
    }
}
