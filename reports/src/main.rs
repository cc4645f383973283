//! `reports`: shows what runs left behind.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use reports::output::say;

use commands::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    match options.carry_out() {
        Ok(status) => status,
        Err(error) => {
            say(&format!("reports: {error:#}"));
            ExitCode::from(2)
        }
    }
}
