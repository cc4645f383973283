//! Runs the whole cluster in a simulated network, with faults, and checks what it promises.

use std::process::ExitCode;

use clap::Parser;
use reports::output::say;
use sim::cli::Options;
use sim::commands::{self, UNUSABLE};

fn main() -> ExitCode {
    match commands::execute(Options::parse()) {
        Ok(status) => status,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(UNUSABLE)
        }
    }
}
