//! The summary of a run as text, for people: verdicts, thresholds, latencies, counts.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::latency::Figures;
use crate::run::Run;
use crate::run::threshold::Threshold;

/// Writes the summary of `run`, aligned, in lines of their own. Times are in microseconds, as in
/// `run.json`, so that what is read here can be looked up there. Control characters, which names and
/// evidence may hold, come out as U+FFFD: a terminal would obey them.
///
/// # Errors
///
/// If `out` fails; a `String` does not.
pub fn write_summary(out: &mut impl Write, run: &Run) -> fmt::Result {
    let out = &mut Inert(out);
    write_head(out, run)?;
    write_latencies(out, &run.latencies)?;
    write_counts(out, &run.counts)?;
    write_verdicts(out, run)?;
    write_thresholds(out, &run.thresholds)?;
    write_warnings(out, &run.warnings)?;
    writeln!(out, "\nrepeat: {}", run.command)
}

/// Passes text on without control characters other than line ends.
pub(crate) struct Inert<'a, W>(pub(crate) &'a mut W);

impl<W: Write> Write for Inert<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let is_inert = !character.is_control() || character == '\n';
            self.0
                .write_char(if is_inert { character } else { '\u{FFFD}' })?;
        }
        Ok(())
    }
}

fn write_head(out: &mut impl Write, run: &Run) -> fmt::Result {
    let program = &run.program;
    writeln!(
        out,
        "{}: {} {}, seed {}, {}, {:.1} s",
        run.name,
        program.name,
        program.version,
        run.seed,
        run.date,
        run.elapsed_us as f64 / 1e6,
    )?;
    if run.partial {
        writeln!(
            out,
            "PARTIAL: it was stopped before its end, and this is of the part that ran"
        )?;
    }
    for reason in &run.invalid {
        writeln!(out, "INVALID: {reason}")?;
    }
    for step in &run.plan.steps {
        writeln!(out, "  {step}")?;
    }
    Ok(())
}

fn write_latencies(out: &mut impl Write, latencies: &BTreeMap<String, Figures>) -> fmt::Result {
    if latencies.is_empty() {
        return Ok(());
    }
    let mut rows =
        vec![["latency_us", "count", "p50", "p90", "p99", "p99.9", "max"].map(str::to_owned)];
    for (name, figures) in latencies {
        rows.push([
            name.clone(),
            figures.count.to_string(),
            figures.latency_us_p50.to_string(),
            figures.latency_us_p90.to_string(),
            figures.latency_us_p99.to_string(),
            figures.latency_us_p99_9.to_string(),
            figures.latency_us_max.to_string(),
        ]);
    }
    write_table(out, &rows)
}

fn write_counts(out: &mut impl Write, counts: &BTreeMap<String, u64>) -> fmt::Result {
    let rows: Vec<_> = counts
        .iter()
        .map(|(name, count)| [name.clone(), count.to_string()])
        .collect();
    write_table(out, &rows)
}

fn write_verdicts(out: &mut impl Write, run: &Run) -> fmt::Result {
    if !run.verdicts.is_empty() {
        writeln!(out)?;
    }
    for verdict in &run.verdicts {
        let outcome = if verdict.holds { "held  " } else { "FAILED" };
        writeln!(out, "{outcome}  {}: {}", verdict.name, verdict.demands)?;
        for line in &verdict.evidence {
            writeln!(out, "        {line}")?;
        }
    }
    Ok(())
}

fn write_thresholds(out: &mut impl Write, thresholds: &[Threshold]) -> fmt::Result {
    if !thresholds.is_empty() {
        writeln!(out)?;
    }
    for threshold in thresholds {
        let outcome = if threshold.holds { "held  " } else { "FAILED" };
        let Threshold {
            metric,
            comparison,
            bound,
            ..
        } = threshold;
        write!(out, "{outcome}  {metric} {comparison} {bound}")?;
        match (threshold.measured, threshold.margin) {
            (Some(measured), Some(margin)) => writeln!(out, ": was {measured}, margin {margin}")?,
            _ => writeln!(out, ": there was nothing to measure")?,
        }
    }
    Ok(())
}

fn write_warnings(out: &mut impl Write, warnings: &[String]) -> fmt::Result {
    if !warnings.is_empty() {
        writeln!(out)?;
    }
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

/// Writes `rows` after an empty line: the first column to the left, the others to the right.
pub(crate) fn write_table<const COLUMNS: usize>(
    out: &mut impl Write,
    rows: &[[String; COLUMNS]],
) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    writeln!(out)?;
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            match column {
                0 => write!(out, "{cell:<width$}")?,
                _ => write!(out, "  {cell:>width$}")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
