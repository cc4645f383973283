//! The results of a sweep for CI servers: JUnit XML and Markdown.

use std::fmt::Write;

use reports::junit::{self, Case, End, Suite};

use crate::commands::{FAILED, UNDECIDED};
use crate::report::{Tally, count};
use crate::table::Swept;

/// As many runs of one cause are told.
const RUNS_MAX: usize = 5;

/// One part of a sweep.
pub struct Part {
    /// What it is called.
    pub name: &'static str,
    /// What it came to.
    pub swept: Swept,
}

/// A suite for each part, a case for each scenario that was run or was to be.
pub fn junit(parts: &[Part]) -> String {
    let suites: Vec<Suite> = parts.iter().map(suite).collect();
    junit::xml("sim", &suites)
}

fn suite(part: &Part) -> Suite {
    let all = part.swept.scenarios.iter();
    let is_told =
        |name: &String, tally: &Tally| tally.runs > 0 || part.swept.missing.contains_key(name);
    Suite {
        name: part.name.to_owned(),
        cases: all
            .filter(|(name, tally)| is_told(name, tally))
            .map(|(name, tally)| Case {
                name: name.clone(),
                took: tally.took,
                end: end(&part.swept, name, tally),
            })
            .collect(),
    }
}

fn end(swept: &Swept, name: &str, tally: &Tally) -> End {
    if tally.failed > 0 {
        let groups = swept.failures.groups().iter();
        let mine = groups.filter(|group| group.runs.iter().any(|run| run.scenario == name));
        let lines: Vec<String> = mine.map(ToString::to_string).collect();
        return End::Failed {
            message: format!("{} of {} failed", tally.failed, count(tally.runs, "run")),
            text: lines.join("\n"),
        };
    }
    if let Some(missing) = swept.missing.get(name) {
        let message = match missing {
            Some(missing) => {
                let planned = missing.saturating_add(tally.runs as u64);
                format!(
                    "not finished: {missing} of {} missing",
                    count(planned, "seed")
                )
            }
            None => format!("interrupted after {}", count(tally.runs, "run")),
        };
        return End::Skipped { message };
    }
    if !tally.shares.is_decided() {
        return End::Skipped {
            message: String::from("undecided: too little had to be delivered"),
        };
    }
    End::Passed
}

/// A verdict, a table, and what failed with the commands that repeat it.
pub fn markdown(parts: &[Part]) -> String {
    let mut text = String::new();
    for Part { name, swept } in parts {
        let mark = match swept.status() {
            0 => "held",
            FAILED => "**did not hold**",
            UNDECIDED => "**undecided**",
            _ => "interrupted",
        };
        let _ = writeln!(text, "## {name}: {mark}\n\n{}\n", swept.verdict);
        let _ = writeln!(text, "| scenario | runs | failed | must be delivered |");
        let _ = writeln!(text, "| --- | ---: | ---: | ---: |");
        for (scenario, tally) in swept.scenarios.iter().filter(|(_, tally)| tally.runs > 0) {
            let must = tally.must();
            let Tally { runs, failed, .. } = tally;
            let _ = writeln!(text, "| {} | {runs} | {failed} | {must} |", cell(scenario));
        }
        let _ = writeln!(text, "\n{}\n", swept.all.coverage);
        for group in swept.failures.groups() {
            let _ = writeln!(text, "- {}", cell(&group.cause.to_string()));
            for run in group.runs.iter().take(RUNS_MAX) {
                let _ = writeln!(text, "  - `cargo sim run {}`", run.name);
            }
        }
        for undecided in &swept.undecided {
            let _ = writeln!(text, "```text\n{undecided}\n```");
        }
    }
    text
}

/// Text that can't be taken for markup, nor end a cell of a table.
fn cell(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::failures::Failures;
    use crate::guarantees::{Guarantee, Violation};
    use crate::run::Outcome;
    use crate::sweep::Ended;

    fn outcome(scenario: &str, violations: Vec<Violation>) -> Outcome {
        Outcome {
            scenario: scenario.to_owned(),
            given_as: scenario.to_owned(),
            violations,
            ..Outcome::default()
        }
    }

    fn part() -> Part {
        let violation = Violation {
            guarantee: Guarantee::Clean,
            at: Duration::from_secs(1),
            what: String::from("chat-server-1 still has | <b>"),
        };
        let outcomes = [
            outcome("steady", Vec::new()),
            outcome("chat-crash", vec![violation]),
        ];
        let mut failures = Failures::default();
        let mut all = Tally::default();
        let scenarios = outcomes.iter().map(|outcome| {
            let mut tally = Tally::default();
            tally.add(outcome, Duration::from_secs(1));
            all.add_all(&tally);
            failures.add(outcome, None);
            (outcome.scenario.clone(), tally)
        });
        let scenarios = scenarios.collect();
        Part {
            name: "fixed seeds",
            swept: Swept {
                scenarios,
                missing: BTreeMap::new(),
                all,
                failures,
                undecided: Vec::new(),
                verdict: String::from("1 of 2 runs FAILED"),
                ended: Ended::Complete,
            },
        }
    }

    #[test]
    fn a_scenario_that_failed_is_a_failure_with_its_cause_and_one_without_a_verdict_is_skipped() {
        let xml = junit(&[part()]);
        assert!(
            xml.contains(
                r#"<testsuite name="fixed seeds" tests="2" skipped="1" errors="0" failures="1">"#
            ),
            "{xml}"
        );
        assert!(
            xml.contains(r#"<failure message="1 of 1 run failed">"#),
            "{xml}"
        );
        assert!(xml.contains("G11 clean: _ still has | &lt;b&gt;"), "{xml}");
    }

    #[test]
    fn a_scenario_that_was_not_finished_is_skipped_and_says_how_much_of_it_is_missing() {
        let mut part = part();
        let never = (String::from("late"), Tally::default());
        part.swept.scenarios.push(never);
        let missing = [("steady", Some(7)), ("chat-crash", Some(3)), ("late", None)];
        let missing = missing.map(|(name, missing)| (name.to_owned(), missing));
        part.swept.missing = BTreeMap::from(missing);
        let xml = junit(&[part]);
        assert!(
            xml.contains(r#"tests="3" skipped="2" errors="0" failures="1""#),
            "{xml}"
        );
        for told in [
            "not finished: 7 of 8 seeds missing",
            "interrupted after 0 runs",
        ] {
            assert!(xml.contains(told), "{xml}");
        }
    }

    #[test]
    fn the_summary_names_what_failed_and_how_to_repeat_it_and_markup_is_inert() {
        let text = markdown(&[part()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "## fixed seeds: **did not hold**");
        assert!(lines.contains(&"| chat-crash | 1 | 1 | 0% |"), "{text}");
        assert!(
            lines.contains(&"- G11 clean: _ still has \\| &lt;b>"),
            "{text}"
        );
        assert!(
            lines.contains(&"  - `cargo sim run chat-crash --seed 0`"),
            "{text}"
        );
    }
}
