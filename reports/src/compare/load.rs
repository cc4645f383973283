//! Two load tests side by side, metric by metric. Two runs decide nothing.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use crate::run::Run;
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
        "INCONCLUSIVE: one run of each build decides nothing. Two runs of the same build"
    )?;
    writeln!(
        out,
        "differ too, and nobody knows from these by how much. To decide:"
    )?;
    writeln!(
        out,
        "  cargo loadgen ab --base 'COMMAND THAT STARTS BASE' --new 'COMMAND THAT STARTS NEW'{}",
        plan(new)
    )?;
    let options: BTreeSet<&String> = base
        .plan
        .options
        .keys()
        .chain(new.plan.options.keys())
        .collect();
    for option in options {
        let [of_base, of_new] = [base, new].map(|run| run.plan.options.get(option));
        if of_base != of_new {
            let told = |value: Option<&serde_json::Value>| {
                value.map_or_else(|| String::from("absent"), ToString::to_string)
            };
            writeln!(
                out,
                "note: the plans differ: {option} is {} and {}",
                told(of_base),
                told(of_new)
            )?;
        }
    }
    writeln!(
        out,
        "\n{:<28} {:>12} {:>12} {:>9}",
        "latency (us)", "base", "new", "change"
    )?;
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
    writeln!(
        out,
        "\n{:<28} {:>12} {:>12} {:>9}",
        "count", "base", "new", "change"
    )?;
    let names: BTreeSet<&String> = base.counts.keys().chain(new.counts.keys()).collect();
    for name in names {
        let [of_base, of_new] = [base, new].map(|run| run.counts.get(name).copied());
        write_row(out, name, of_base, of_new)?;
    }
    Ok(())
}

/// The plan of a run, as an argument.
fn plan(run: &Run) -> String {
    let plan = run.plan.options.get("plan").and_then(|plan| plan.as_str());
    plan.map_or_else(String::new, |plan| format!(" {plan}"))
}

fn write_row(out: &mut impl Write, name: &str, base: Option<u64>, new: Option<u64>) -> fmt::Result {
    let told = |value: Option<u64>| value.map_or_else(|| String::from("-"), |it| it.to_string());
    let change = match (base, new) {
        (Some(base), Some(new)) if base > 0 => {
            format!("{:+.1}%", new as f64 / base as f64 * 100.0 - 100.0)
        }
        _ => String::new(),
    };
    writeln!(
        out,
        "{name:<28} {:>12} {:>12} {change:>9}",
        told(base),
        told(new)
    )
}
