//! `sim flaws`: in what the servers can be worse than they are.

use std::process::ExitCode;

use cluster::policy::Flaw;
use reports::output::Output;

/// Prints them.
///
/// # Errors
///
/// If standard output can't be written.
pub fn execute() -> anyhow::Result<ExitCode> {
    let mut output = Output::stdout();
    for flaw in Flaw::ALL {
        let seen = match flaw.paragraphs() {
            Some(paragraphs) => format!("the original, {paragraphs}"),
            None => String::from("not the original"),
        };
        output.print_line(&format!("{flaw:34}  {} ({seen})", flaw.about()));
    }
    output.end()?;
    Ok(ExitCode::SUCCESS)
}
