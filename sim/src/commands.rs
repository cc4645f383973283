//! What the commands of `sim` do: one file each.

pub mod certify;
pub mod check;
pub mod detect;
pub mod explain;
pub mod flaws;
pub mod hashes;
pub mod list;
pub mod replay;
pub mod run;
pub mod show;
pub mod shrink;
pub mod smallest;
pub mod sweep;

use std::collections::BTreeSet;
use std::ops::Range;
use std::process::ExitCode;

use anyhow::{bail, ensure};

use crate::cli::{Command, Options};
use crate::policy::Change;
use crate::scenario::{self, Scenario};

/// A promise was broken or a run broke off.
pub(crate) const FAILED: u8 = 1;
/// Unusable input, as clap has it too.
pub const UNUSABLE: u8 = 2;
/// Nothing was broken, but so little was checked that it means nothing; or what was broken can't be
/// found again.
pub(crate) const UNDECIDED: u8 = 3;
/// What is said when a signal comes.
pub(crate) const INTERRUPTION: &str =
    "interrupted: the runs that have begun are finished; a second signal ends them at once";

/// Does what the command line says; an error is unusable input.
///
/// # Errors
///
/// If a scenario is unknown, or a file or standard output can't be written.
pub fn execute(options: Options) -> anyhow::Result<ExitCode> {
    let command = options.command_line();
    ensure!(
        options.command.is_none() || options.how.is_unsaid(),
        "--jobs, --out and --capsules go behind the command, as in `sim sweep --jobs 1`"
    );
    match options.command {
        None => sweep::execute_all(&options.how, command),
        Some(Command::Run(options)) => run::execute(&options, command),
        Some(Command::Sweep(options)) => sweep::execute(&options, command),
        Some(Command::Hashes(options)) => hashes::execute(options),
        Some(Command::Certify(options)) => certify::execute(&options),
        Some(Command::Replay(options)) => replay::execute(&options),
        Some(Command::Explain(options)) => explain::execute(&options),
        Some(Command::Detect(options)) => detect::execute(options),
        Some(Command::Smallest(options)) => smallest::execute(options, &command),
        Some(Command::Shrink(options)) => shrink::execute(&options, command),
        Some(Command::List) => list::execute(),
        Some(Command::Flaws) => flaws::execute(),
        Some(Command::Show(options)) => show::execute(&options),
        Some(Command::Check(options)) => check::execute(&options),
    }
}

/// The scenarios called `names`, each of them once, or all, each changed and with its seeds.
fn named(
    names: &[String],
    change: &Change,
    seeds_of: impl Fn(&Scenario) -> Range<u64>,
) -> anyhow::Result<Vec<(Scenario, Range<u64>)>> {
    let scenarios = if names.is_empty() {
        scenario::built_in()
    } else {
        let mut seen = BTreeSet::new();
        let names = names.iter().filter(|name| seen.insert(*name));
        let found: Result<Vec<_>, _> = names.map(|name| scenario::find(name)).collect();
        found?
    };
    for (index, scenario) in scenarios.iter().enumerate() {
        let mut before = scenarios[..index].iter();
        if let Some(same) = before.find(|other| other.name == scenario.name) {
            bail!(
                "{} and {} are both called {}, which is how reports name them: give one another \
                 `name`",
                same.given_as,
                scenario.given_as,
                scenario.name
            );
        }
    }
    Ok(scenarios
        .into_iter()
        .map(|mut scenario| {
            change.apply(&mut scenario);
            let seeds = seeds_of(&scenario);
            (scenario, seeds)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_that_is_named_twice_is_run_once() -> anyhow::Result<()> {
        let names = ["steady", "chat-crash", "steady"].map(str::to_owned);
        let named = named(&names, &Change::default(), |_| 0..1)?;
        let names: Vec<_> = named.iter().map(|(scenario, _)| &*scenario.name).collect();
        assert_eq!(names, ["steady", "chat-crash"]);
        Ok(())
    }
}
