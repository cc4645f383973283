//! `sim flaws`: in what the servers can be worse than they are.

use std::process::ExitCode;

use anyhow::ensure;
use cluster::policy::Flaw;
use reports::output::Output;

use crate::scenario::{self, Expected, Scenario};

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

/// The flaws that are `named`, each of them once; all if none is.
pub(super) fn chosen(mut named: Vec<Flaw>) -> Vec<Flaw> {
    if named.is_empty() {
        named = Flaw::ALL.to_vec();
    }
    named.sort_unstable();
    named.dedup();
    named
}

/// The scenario called `name`, in whose runs flaws are to be found.
///
/// # Errors
///
/// If there is none, or if it is one that fails without a flaw.
pub(super) fn scenario(name: &str) -> anyhow::Result<Scenario> {
    let scenario = scenario::find(name)?;
    ensure!(
        scenario.expect.outcome == Expected::Held,
        "--scenario: {name} is a canary, which fails without a flaw: name one that is to hold"
    );
    Ok(scenario)
}
