//! The ways in which runs are done, none of which may make a difference.

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{self, Path, PathBuf};
use std::process::Command;

use loadgen::quoted::{quoted, quoted_path};

use crate::cli::JOBS_MAX;

/// As far from Greenwich as there is, and with a day of its own.
const TIME_ZONE: &str = "Pacific/Kiritimati";
/// Whose small i has a capital of its own, and whose decimal point is a comma.
const LANGUAGE: &str = "tr_TR.UTF-8";

/// Which runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    /// The scenarios, by name or as absolute paths of files.
    pub scenarios: Vec<String>,
    /// The seeds of each.
    pub seeds: Range<u64>,
}

impl Runs {
    /// How the scenario of the run number `index`, counted from 0, was asked for: all seeds of one
    /// scenario come before the next one.
    ///
    /// # Panics
    ///
    /// If there are not as many runs.
    pub fn scenario_of(&self, index: usize) -> &str {
        &self.scenarios[index / (self.len() / self.scenarios.len())]
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        let seeds = self.seeds.end.saturating_sub(self.seeds.start);
        let seeds = usize::try_from(seeds).unwrap_or(usize::MAX);
        self.scenarios.len().saturating_mul(seeds)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One way to do runs.
#[derive(Clone, Debug)]
pub struct Way {
    /// What it is called.
    pub name: String,
    /// The absolute path of the `sim` that does them.
    pub program: PathBuf,
    /// Threads.
    pub jobs: NonZeroUsize,
    /// Where the last trace is written to, if traces are kept: an absolute path.
    pub trace: Option<PathBuf>,
    /// The directory to be in; that of this process if `None`.
    pub directory: Option<PathBuf>,
    /// What is changed in the environment.
    pub environment: Vec<(&'static str, &'static str)>,
}

/// All ways: those of `program` on a machine with so many `cores`, for which `elsewhere` is an empty
/// folder; and each of the other `builds`.
///
/// # Errors
///
/// If a build has no absolute path.
pub fn all(
    program: &Path,
    builds: &[PathBuf],
    elsewhere: &Path,
    cores: NonZeroUsize,
) -> io::Result<Vec<Way>> {
    let way = |name: &str| Way {
        name: name.to_owned(),
        program: program.to_owned(),
        jobs: cores,
        trace: None,
        directory: None,
        environment: Vec::new(),
    };
    let on = |jobs: NonZeroUsize, name: &str| Way { jobs, ..way(name) };
    let two = NonZeroUsize::MIN.saturating_add(1);
    let more = cores.saturating_add(cores.get()).saturating_add(1);
    let more = more.min(JOBS_MAX);
    let mut ways = vec![
        on(NonZeroUsize::MIN, "one thread"),
        on(two, "two threads"),
        on(more, "more threads than cores"),
        Way {
            trace: Some(elsewhere.join("kept.jsonl")),
            ..way("trace kept")
        },
        Way {
            directory: Some(elsewhere.to_owned()),
            ..way("another directory")
        },
        Way {
            environment: vec![("TZ", TIME_ZONE)],
            ..way("another time zone")
        },
        Way {
            environment: vec![("LANG", LANGUAGE), ("LC_ALL", LANGUAGE)],
            ..way("another language")
        },
    ];
    for build in builds {
        ways.push(Way {
            program: path::absolute(build)?,
            ..way(&format!("build {}", build.display()))
        });
    }
    Ok(ways)
}

impl Way {
    /// What does `runs` in this way and prints the chain of each; with a `trace`, it writes the
    /// trace of the last one there.
    pub fn command(&self, runs: &Runs, trace: Option<&Path>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments(runs)).arg("--chains");
        if let Some(trace) = trace.or(self.trace.as_deref()) {
            command.arg("--trace").arg(trace);
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.envs(self.environment.iter().copied());
        command
    }

    /// What a person types for `runs` in this way.
    pub fn command_line(&self, runs: &Runs) -> String {
        let directory = self.directory.iter();
        let directory = directory.map(|it| format!("cd {} && ", quoted_path(it)));
        let environment = self.environment.iter();
        let environment = environment.map(|(name, value)| format!("{name}={value} "));
        let program = quoted_path(&self.program);
        let arguments = self.arguments(runs);
        let arguments: Vec<_> = arguments.iter().map(|it| quoted(it)).collect();
        let arguments = arguments.join(" ");
        let before: String = directory.chain(environment).collect();
        format!("{before}{program} {arguments}")
    }

    fn arguments(&self, runs: &Runs) -> Vec<String> {
        let Range { start, end } = runs.seeds;
        let command = std::iter::once(String::from("hashes"));
        let scenarios = runs.scenarios.iter().cloned();
        let options = [
            String::from("--seeds"),
            format!("{start}..{end}"),
            String::from("--jobs"),
            self.jobs.to_string(),
        ];
        command.chain(scenarios).chain(options).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_way_differs_from_the_others_and_is_told_as_it_is_done() -> io::Result<()> {
        let builds = [PathBuf::from("/builds/debug/sim")];
        let cores = NonZeroUsize::MIN.saturating_add(2);
        let ways = all(Path::new("/sim"), &builds, Path::new("/else"), cores)?;
        let runs = Runs {
            scenarios: vec![String::from("steady")],
            seeds: 3..5,
        };
        assert_eq!(runs.len(), 2);
        assert_eq!(runs.scenario_of(1), "steady");
        let commands: BTreeSet<_> = ways
            .iter()
            .map(|way| format!("{:?}", way.command(&runs, None)))
            .collect();
        assert_eq!(commands.len(), ways.len());
        let lines: Vec<_> = ways.iter().map(|way| way.command_line(&runs)).collect();
        assert_eq!(
            [&lines[0], &lines[2], &lines[4], &lines[5], &lines[7]],
            [
                "/sim hashes steady --seeds 3..5 --jobs 1",
                "/sim hashes steady --seeds 3..5 --jobs 7",
                "cd /else && /sim hashes steady --seeds 3..5 --jobs 3",
                "TZ=Pacific/Kiritimati /sim hashes steady --seeds 3..5 --jobs 3",
                "/builds/debug/sim hashes steady --seeds 3..5 --jobs 3",
            ]
        );
        Ok(())
    }
}
