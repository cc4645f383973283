//! `sim check`: whether a scenario's file is sound, and what one seed makes of it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use loadgen::script::{Do, Script};
use reports::output::{Output, say};

use super::UNUSABLE;
use crate::case::Case;
use crate::clock::clock;
use crate::scenario::{self, Scenario};
use loadgen::quoted::quoted;

/// Which files, and which seed.
#[derive(Debug, Args)]
pub struct Options {
    /// The files; a name of a built-in scenario will do, too.
    #[arg(required = true, value_name = "FILE")]
    pub scenarios: Vec<String>,
    /// The seed of which is printed what it draws.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let names = self.scenarios.iter().map(|it| format!(" {}", quoted(it)));
        let names: String = names.collect();
        format!(" check{names} --seed {}", self.seed)
    }
}

/// Checks the files one after the other and prints what the seed draws.
///
/// # Errors
///
/// If standard output can't be written. What is wrong with a file is told, and the next one checked.
pub fn execute(options: &Options) -> anyhow::Result<ExitCode> {
    let mut output = Output::stdout();
    let mut status = ExitCode::SUCCESS;
    for name in &options.scenarios {
        match scenario::find(name) {
            Ok(scenario) => {
                for warning in scenario.warnings() {
                    say(&format!("warning: {name}: {warning}"));
                }
                let case = Case::draw(&scenario, options.seed);
                output.print_line(&description(&scenario, &case));
            }
            Err(error) => {
                say(&format!("error: {:#}", anyhow::Error::new(error)));
                status = ExitCode::from(UNUSABLE);
            }
        }
    }
    output.end()?;
    Ok(status)
}

/// Cluster and plan, then phases, then users.
fn description(scenario: &Scenario, case: &Case) -> String {
    let mut lines = vec![case.to_string()];
    let wanted = scenario.expect.wanted().into_iter();
    lines.extend(wanted.map(|it| format!("a canary: {it} is to be broken in each run\n")));
    let times = &case.times;
    lines.push(format!(
        "{}  the last user arrives, faults begin\n\
         {}  everything is healed\n\
         {}  the probes arrive: everything must be whole again\n\
         {}  everybody leaves\n\
         {}  the end\n",
        clock(times.arrived_at),
        clock(times.healed_at),
        clock(times.settled_at),
        clock(times.leaving_at),
        clock(times.ended_at),
    ));
    let mut latencies: Vec<_> = case.latencies.iter().map(|link| link.latency).collect();
    latencies.sort();
    if let [least, .., most] = latencies[..] {
        let links = latencies.len();
        lines.push(format!("{links} links of {least:?} to {most:?}, one way\n"));
    }
    lines.extend(case.scripts.iter().map(|script| line_of(case, script)));
    lines.join("\n")
}

/// As in `user-3    room-1  clients-2  from 00:00.412  24 sends, 2 logins, 2 leaves`.
fn line_of(case: &Case, script: &Script) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for action in &script.actions {
        let name = match action.what {
            Do::Login => "login",
            Do::Send(_) | Do::SendAtOnce(_) => "send",
            Do::Enter { .. } => "switch",
            Do::Leave => "leave",
            Do::Vanish => "vanish",
            Do::Deafen => "deafen",
            Do::Listen => "listen",
        };
        *counts.entry(name).or_default() += 1;
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(name, count)| format!("{name} x{count}"))
        .collect();
    let first = script.actions.first().map(|first| clock(first.at));
    format!(
        "{:10} {:10} {:10} from {}  {}",
        script.name,
        script.room,
        case.host_of(script.user),
        first.unwrap_or_default(),
        counts.join(", "),
    )
}
