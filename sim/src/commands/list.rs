//! `sim list`: the built-in scenarios.

use std::process::ExitCode;

use reports::output::Output;

use crate::scenario;

/// Prints them.
///
/// # Errors
///
/// If standard output can't be written.
pub fn execute() -> anyhow::Result<ExitCode> {
    let mut output = Output::stdout();
    for scenario in scenario::built_in() {
        output.print_line(&format!("{:24}  {}", scenario.name, scenario.about));
    }
    output.end()?;
    Ok(ExitCode::SUCCESS)
}
