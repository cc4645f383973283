//! Two load tests side by side, metric by metric. Two runs decide nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use serde_json::Value;

use crate::run::{Judgement, Run};
use crate::text::Inert;

/// Writes both runs side by side, and how to decide.
///
/// # Errors
///
/// If `out` fails; a `String` does not.
pub fn write(out: &mut impl Write, base: &Run, new: &Run) -> fmt::Result {
    let out = &mut Inert(out);
    writeln!(
        out,
        "INCONCLUSIVE: one run of each build decides nothing. Two runs of the same build\n\
         differ too, and nobody knows from these by how much. To decide:\n  \
         cargo loadgen ab --base 'COMMAND THAT STARTS BASE' --new 'COMMAND THAT STARTS NEW'{}\n",
        load(&new.command)
    )?;
    for (side, run) in [("base", base), ("new ", new)] {
        writeln!(out, "{side}  {}: {}", run.name, judged(run))?;
        if let Some(target) = run.plan.options.get(TARGET) {
            writeln!(out, "      against {}", plain(target))?;
        }
    }
    write_notes(out, base, new)?;
    write_latencies(out, base, new)?;
    write_counts(out, base, new)
}

/// The option that tells what the load was made against: not a part of the plan, and mostly the one thing that
/// is to differ.
const TARGET: &str = "target";

/// The fact of a machine that tells how busy it was.
const LOAD: &str = "load";

/// The load of a run as options of another command: what repeats it, but for the program and the gate.
fn load(command: &str) -> String {
    let load = command.strip_prefix("cargo loadgen").unwrap_or_default();
    let load = load.strip_prefix(" run").unwrap_or(load);
    match load.split_once(" --gate ") {
        Some((before, after)) => {
            let (_, after) = after.split_once(' ').unwrap_or((after, ""));
            format!("{before} {after}").trim_end().to_owned()
        }
        None => load.to_owned(),
    }
}

/// What a run comes to by itself.
fn judged(run: &Run) -> String {
    let judgement = run.judgement();
    let why = match judgement {
        Judgement::Invalid => run.invalid.join("; "),
        Judgement::Fail => {
            let checks = run.verdicts.iter().filter(|it| !it.holds);
            let checks = checks.map(|it| it.name.as_str());
            let thresholds = run.thresholds.iter().filter(|it| !it.holds);
            let broken = checks.chain(thresholds.map(|it| it.metric.as_str()));
            format!("did not hold: {}", broken.collect::<Vec<_>>().join(", "))
        }
        Judgement::Partial => String::from("it was stopped before its end"),
        Judgement::Unchecked => String::from("nothing was checked"),
        Judgement::Pass => return judgement.name().to_owned(),
    };
    format!("{}, {why}", judgement.name())
}

/// What keeps the figures from being of the same load on the same machine.
fn write_notes(out: &mut impl Write, base: &Run, new: &Run) -> fmt::Result {
    let seed = |run: &Run| BTreeMap::from([(String::from("seed"), run.seed.to_string())]);
    let options = |run: &Run| -> BTreeMap<String, String> {
        let options = run.plan.options.iter();
        let options = options.filter(|(name, _)| *name != TARGET);
        options
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect()
    };
    // The machine may be the same however busy it was.
    let environment = |run: &Run| -> BTreeMap<String, String> {
        let facts = run.environment.iter();
        let facts = facts.filter(|(name, _)| *name != LOAD);
        facts
            .map(|(name, fact)| (name.clone(), fact.clone()))
            .collect()
    };
    let mut notes = differences(&seed(base), &seed(new));
    notes.extend(differences(&options(base), &options(new)));
    notes.extend(differences(&environment(base), &environment(new)));
    for note in notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// What is not the same in both.
fn differences(base: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = base.keys().chain(new.keys()).collect();
    let told = |value: Option<&String>| value.map_or("absent", String::as_str).to_owned();
    let names = names.into_iter();
    let differ = names.filter(|name| base.get(*name) != new.get(*name));
    differ
        .map(|name| {
            let (base, new) = (told(base.get(name)), told(new.get(name)));
            format!("{name} differs: {base} of base, {new} of new")
        })
        .collect()
}

/// A value without the marks of JSON around a text.
fn plain(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string())
}

fn write_latencies(out: &mut impl Write, base: &Run, new: &Run) -> fmt::Result {
    write_head(out, "latency (us)")?;
    let names: BTreeSet<&String> = base.latencies.keys().chain(new.latencies.keys()).collect();
    for name in names {
        for statistic in ["p50", "p99"] {
            let [of_base, of_new] = [base, new].map(|run| {
                let figures = run.latencies.get(name)?;
                figures.statistic_us(statistic)
            });
            write_row(out, &format!("{name}.{statistic}"), of_base, of_new)?;
        }
    }
    Ok(())
}

fn write_counts(out: &mut impl Write, base: &Run, new: &Run) -> fmt::Result {
    write_head(out, "count")?;
    let names: BTreeSet<&String> = base.counts.keys().chain(new.counts.keys()).collect();
    let mut nought = Vec::new();
    for name in names {
        let [of_base, of_new] = [base, new].map(|run| run.counts.get(name).copied());
        // Most of what is counted should not happen, and does not.
        match (of_base, of_new) {
            (Some(0), Some(0)) => nought.push(name.as_str()),
            _ => write_row(out, name, of_base, of_new)?,
        }
    }
    match nought.is_empty() {
        true => Ok(()),
        false => writeln!(out, "0 in both: {}", nought.join(", ")),
    }
}

fn write_head(out: &mut impl Write, what: &str) -> fmt::Result {
    writeln!(
        out,
        "\n{what:<28} {:>12} {:>12} {:>9}",
        "base", "new", "change"
    )
}

fn write_row(out: &mut impl Write, name: &str, base: Option<u64>, new: Option<u64>) -> fmt::Result {
    let told = |value: Option<u64>| value.map_or_else(|| String::from("-"), |it| it.to_string());
    let change = match (base, new) {
        (Some(base), Some(new)) if base > 0 => {
            let change = new as f64 / base as f64 * 100.0 - 100.0;
            format!(" {:>9}", format!("{change:+.1}%"))
        }
        _ => String::new(),
    };
    let (base, new) = (told(base), told(new));
    writeln!(out, "{name:<28} {base:>12} {new:>12}{change}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_of_a_run_is_what_repeats_it_without_where_it_went() {
        for (command, expected) in [
            (
                "cargo loadgen --users 200 --seed 7",
                " --users 200 --seed 7",
            ),
            (
                "cargo loadgen run --gate 127.0.0.1:3014 --users 200",
                " --users 200",
            ),
            (
                "cargo loadgen run mine.toml --gate [::1]:3014",
                " mine.toml",
            ),
            (
                "cargo loadgen run 'my plan.toml' --gate h:1 --seed 7 --workers 2",
                " 'my plan.toml' --seed 7 --workers 2",
            ),
            ("cargo loadgen run mine.toml", " mine.toml"),
            ("something else", ""),
        ] {
            assert_eq!(load(command), expected, "{command}");
        }
    }
}
