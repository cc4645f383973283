//! A comparison as text, for people.

use std::fmt::{self, Write};

use super::{Ab, Build, Decision, Metric, Pair, Unit, Verdict};
use crate::text::Inert;

/// Writes the summary of `ab`: the verdict, the pairs of each metric with their interval, and why.
///
/// # Errors
///
/// If `out` fails; a `String` does not.
pub fn write_summary(out: &mut impl Write, ab: &Ab) -> fmt::Result {
    let out = &mut Inert(out);
    writeln!(out, "{}: {}, {}", ab.name, ab.verdict.name(), sentence(ab))?;
    writeln!(out, "  base  {}", ab.base)?;
    writeln!(out, "  new   {}", ab.new)?;
    for metric in &ab.metrics {
        write_metric(out, ab, metric)?;
    }
    for discarded in &ab.discarded {
        writeln!(out, "\ndone again: {discarded}")?;
    }
    if !ab.reasons.is_empty() {
        writeln!(out)?;
    }
    for reason in &ab.reasons {
        writeln!(out, "{}: {reason}", ab.verdict.name())?;
    }
    writeln!(out, "\nrepeat: {}", ab.command)
}

/// What `ab` comes to, in one sentence.
pub fn sentence(ab: &Ab) -> String {
    let effect = &ab.effect;
    match ab.verdict {
        Verdict::Pass => format!("the new build is not slower by {effect}"),
        Verdict::Fail if ab.reasons.is_empty() => {
            format!("the new build is slower by more than {effect}")
        }
        Verdict::Fail => String::from("the new build does not do what base does"),
        Verdict::Inconclusive => {
            format!("these pairs do not tell whether the new build is slower by {effect}")
        }
        Verdict::Invalid => String::from("nothing is said of the new build"),
    }
}

fn write_metric(out: &mut impl Write, ab: &Ab, metric: &Metric) -> fmt::Result {
    let name = &metric.metric;
    writeln!(
        out,
        "\n{name:<24} first      base us       new us    change"
    )?;
    for (number, pair) in (1..).zip(&ab.pairs) {
        write_pair(out, number, pair, name)?;
    }
    writeln!(out, "  {}", interval(ab, metric))
}

/// What the pairs tell of `metric`, and what that decides, in a line.
pub fn interval(ab: &Ab, metric: &Metric) -> String {
    let interval = &metric.interval;
    let told = |value| told(value, metric.unit);
    let name = metric.decision.name();
    let decision = match metric.decision {
        Decision::Pass | Decision::Fail => name.to_owned(),
        Decision::Inconclusive {
            pairs_needed: Some(pairs),
        } => format!("{name}: with this noise it takes {pairs} pairs"),
        Decision::Inconclusive { pairs_needed: None } => {
            format!("{name}: no number of pairs would tell it from what counts")
        }
    };
    format!(
        "new - base: {}, from {} to {} ({}% confidence); counts from {}: {decision}",
        told(interval.estimate),
        told(interval.low),
        told(interval.high),
        ab.confidence_percent,
        told(interval.limit),
    )
}

fn write_pair(out: &mut impl Write, number: u32, pair: &Pair, metric: &str) -> fmt::Result {
    let us = |build| pair.latency_us(build, metric);
    let (Some(base), Some(new)) = (us(Build::Base), us(Build::New)) else {
        return Ok(());
    };
    let change = Unit::Percent.between(base, new);
    let (first, pair) = (pair.first.name(), format!("  pair {number}"));
    writeln!(
        out,
        "{pair:<24} {first:<5} {base:>12} {new:>12} {change:>+8.1}%"
    )
}

/// A difference with its sign and unit.
fn told(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{value:+.1}%"),
        Unit::Us => format!("{value:+.0} us"),
    }
}
