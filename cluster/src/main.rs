//! The program `cluster`: runs the servers of a configuration, or checks one.

mod check;
mod cli;
mod demo;
mod processes;
mod start;
mod token;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::runtime::Runtime;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Start(arguments) => start(&arguments),
        Command::Check(arguments) => check::check(&arguments).map_err(start::StartError::from),
    };
    result.unwrap_or_else(|error| {
        let status = error.exit_status();
        complain(error);
        ExitCode::from(status)
    })
}

fn start(arguments: &cli::Start) -> Result<ExitCode, start::StartError> {
    let plan = start::plan(arguments)?;
    let runtime = Runtime::new().map_err(start::StartError::Runtime)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "only here does chance come from the system; it is handed on"
    )]
    let mut rng = StdRng::from_os_rng();
    let ended = runtime.block_on(start::run(plan, &mut rng));
    // A name that is being looked up must not hold up the exit.
    runtime.shutdown_background();
    ended
}

/// Writes `error` and its causes to stderr. Mistakes in files begin with the name of the file and the
/// line, as editors expect; others with `error`.
fn complain(error: start::StartError) {
    // What is odd about files may be the reason for what is wrong: it comes first.
    if let start::StartError::Config(error) = &error {
        for warning in &error.warnings {
            say(warning);
        }
    }
    let is_in_a_file = matches!(error, start::StartError::Config(_));
    let prefix = if is_in_a_file { "" } else { "error: " };
    say(&format!("{prefix}{:#}", anyhow::Error::from(error)));
}

/// Prints a line to standard error. Who has closed that does not want to be told.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
