//! A comparison as text, for people.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::runs::Compared;
use super::{Comparison, Verdict};
use crate::text::Inert;

/// As many runs that differ are told one by one.
const RUNS_MAX: usize = 20;

/// As many hops of a run are told that only one build makes.
const HOPS_MAX: usize = 3;

/// Writes `comparison`: the verdict, each run that differs with the step where it parts, where the time
/// goes, and the commands that do the first run that differs again.
///
/// # Errors
///
/// If `out` fails; a `String` does not.
pub fn write(out: &mut impl Write, comparison: &Comparison) -> fmt::Result {
    let out = &mut Inert(out);
    let (runs, verdict) = (&comparison.runs, comparison.verdict);
    let different: Vec<&Compared> = runs.iter().filter(|run| !run.identical).collect();
    match verdict {
        Verdict::Identical => writeln!(out, "IDENTICAL: {}", all(runs.len()))?,
        _ => writeln!(
            out,
            "{}: {} of {} runs differ",
            verdict.name(),
            different.len(),
            runs.len()
        )?,
    }
    for reason in &comparison.reasons {
        writeln!(out, "  {reason}")?;
    }
    for run in different.iter().take(RUNS_MAX) {
        write_run(out, run)?;
    }
    if let Some(more) = different
        .len()
        .checked_sub(RUNS_MAX)
        .filter(|more| *more > 0)
    {
        writeln!(out, "... and {more} runs more")?;
    }
    write_steps(out, comparison)?;
    if let Some([base, new]) = different.first().map(|run| &run.replay[..]) {
        writeln!(
            out,
            "\nto see both, each on its own build, and then where the files part:"
        )?;
        writeln!(
            out,
            "  cargo {base}\n  cargo {new}\n  cmp base.jsonl new.jsonl"
        )?;
    }
    Ok(())
}

fn all(runs: usize) -> String {
    match runs {
        1 => String::from("the run is the same on both builds, event by event"),
        _ => format!("all {runs} runs are the same on both builds, event by event"),
    }
}

fn write_run(out: &mut impl Write, run: &Compared) -> fmt::Result {
    write!(out, "\n{} seed {}: ", run.scenario, run.seed)?;
    match &run.first {
        Some(first) => writeln!(out, "{}", first.told)?,
        None => writeln!(
            out,
            "every message took the same way; something else differs"
        )?,
    }
    for (hops, what) in [(&run.hops_more, "more"), (&run.hops_fewer, "fewer")] {
        if !hops.is_empty() {
            writeln!(out, "  hops between servers: {}", told(hops, what))?;
        }
    }
    writeln!(
        out,
        "  deliveries: {} later, {} earlier, {} lost, {} new",
        run.deliveries_later, run.deliveries_earlier, run.deliveries_lost, run.deliveries_new,
    )
}

/// How many hops, and the most frequent of them.
fn told(hops: &BTreeMap<String, u64>, what: &str) -> String {
    let mut most: Vec<_> = hops.iter().collect();
    most.sort_by_key(|(_, count)| Reverse(**count));
    let most = most.iter().take(HOPS_MAX);
    let most: Vec<String> = most
        .map(|(hop, count)| format!("{hop} {count} times"))
        .collect();
    format!(
        "{} {what}, as {}",
        hops.values().sum::<u64>(),
        most.join(", ")
    )
}

fn write_steps(out: &mut impl Write, comparison: &Comparison) -> fmt::Result {
    let Some(whole) = comparison.steps.last() else {
        return Ok(());
    };
    let of = format!("ms of {} messages", whole.base.count);
    writeln!(out, "\n{of:<60} base p50      p99  new p50      p99  mean")?;
    for step in &comparison.steps {
        let (base, new) = (&step.base, &step.new);
        let change = new.mean_us as f64 - base.mean_us as f64;
        writeln!(
            out,
            "  {:<58} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>+8.3}",
            step.step,
            base.p50_us as f64 / 1e3,
            base.p99_us as f64 / 1e3,
            new.p50_us as f64 / 1e3,
            new.p99_us as f64 / 1e3,
            change / 1e3,
        )?;
    }
    Ok(())
}

/// A time as a difference: `1.000 ms`.
pub fn ms(us: u64) -> String {
    format!("{}.{:03} ms", us / 1000, us % 1000)
}

/// A time since the start of a run: `00:05.120`.
pub fn clock(us: u64) -> String {
    let ms = us / 1000;
    format!("{:02}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
}
