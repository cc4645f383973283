//! What is printed of runs and sweeps.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::ops::Range;
use std::time::Duration;

use crate::coverage::Coverage;
use crate::guarantees::{Deliveries, Shares};
use crate::run::Outcome;

/// As many broken promises of one run are printed whole. A run that breaks one tends to break it
/// for every user.
const VIOLATIONS_MAX: usize = 10;

/// A run that failed: what was promised and what happened instead, the plan, where it is kept, and
/// as the last line the command that repeats it.
pub fn failure(outcome: &Outcome, capsule: Option<&str>) -> String {
    let mut text = broken(outcome);
    if let Some(case) = &outcome.case {
        let _ = write!(text, "\n{case}");
    }
    if let Some(capsule) = capsule {
        let _ = write!(text, "\n{capsule}");
    }
    let _ = write!(text, "\nreproduce: {}", command(outcome));
    text
}

/// What was promised and what happened instead, each in a line.
pub fn broken(outcome: &Outcome) -> String {
    let mut text = String::new();
    if let Some(reason) = &outcome.broke_off {
        let at = seconds(outcome.simulated);
        let _ = writeln!(text, "the run broke off after {at} simulated: {reason}");
    }
    if let Some(missed) = &outcome.missed {
        let _ = writeln!(text, "{missed}");
    }
    for violation in outcome.violations.iter().take(VIOLATIONS_MAX) {
        let _ = writeln!(text, "{violation}");
    }
    let more = outcome.violations.len().saturating_sub(VIOLATIONS_MAX);
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    text
}

/// The command that repeats a run.
pub fn command(outcome: &Outcome) -> String {
    format!("cargo sim run {}", outcome.name())
}

/// A run of which too little was checked: what is wrong with it, and as the last line the command
/// that repeats it.
pub fn undecided(outcome: &Outcome) -> String {
    format!(
        "undecided: {}, which is less than {}%, so that little was checked of G4\n\n{}\n\n\
         reproduce: {}",
        outcome.deliveries,
        Deliveries::MUST_PERCENT_MIN,
        outcome.deliveries.table(),
        command(outcome)
    )
}

/// A scenario of which too little was checked, in the same way.
pub fn undecided_scenario(scenario: &str, tally: &Tally, seeds: Range<u64>) -> String {
    format!(
        "{scenario}: undecided: in half of these runs {}% of the deliveries or less had to be, \
         which is less than {}%, so that little was checked of G4\n\n{}\n\n\
         reproduce: cargo sim sweep {scenario} --seeds {}..{}",
        tally.shares.median().unwrap_or_default(),
        Shares::MEDIAN_MIN,
        tally.deliveries.table(),
        seeds.start,
        seeds.end
    )
}

/// What came of the faults that waited for something, a line each.
pub fn anchored(outcome: &Outcome) -> Vec<String> {
    let record = &outcome.record;
    let happened = record.anchored.iter().map(|fault| &record.faults[*fault]);
    let unmet = record.unmet.iter();
    happened
        .map(ToString::to_string)
        .chain(unmet.map(|anchored| format!("never came: {anchored}")))
        .collect()
}

/// What one run came to, in one line.
pub fn verdict(outcome: &Outcome) -> String {
    let held = match outcome.held() {
        true if !outcome.expected.is_empty() => "violated, as expected",
        true if outcome.is_decided() => "held",
        true => "UNDECIDED",
        false => "FAILED",
    };
    format!(
        "{held}: {} simulated, {} events, {}, trace {:016x}",
        seconds(outcome.simulated),
        outcome.chain.events,
        outcome.deliveries,
        outcome.chain.hash,
    )
}

/// What was broken in a run in which that was to be, and nothing else: the first of it, and how much
/// more.
pub fn as_expected(outcome: &Outcome) -> Option<String> {
    let expected = outcome.held().then_some(&outcome.expected)?;
    let (first, more) = expected.split_first()?;
    Some(match more.len() {
        0 => first.to_string(),
        more => format!("{first} (and {more} more)"),
    })
}

/// Which kinds of trouble happened in a run, and how often; nothing if none did.
pub fn fired(outcome: &Outcome) -> Option<String> {
    let fired = outcome.record.fired.iter();
    let fired: Vec<_> = fired
        .map(|(kind, count)| format!("{kind} x{count}"))
        .collect();
    (!fired.is_empty()).then(|| format!("trouble: {}", fired.join(", ")))
}

/// What the runs of one scenario, or of all, came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs.
    pub runs: usize,
    /// Runs that failed.
    pub failed: usize,
    /// How many failed runs broke which promise, or broke off.
    pub broken: BTreeMap<String, usize>,
    /// The deliveries that there could have been.
    pub deliveries: Deliveries,
    /// How much of it was demanded, in each run that was checked.
    pub shares: Shares,
    /// What they have tested.
    pub coverage: Coverage,
    /// How much time passed in simulations.
    pub simulated: Duration,
    /// How much time the runs took, one after the other.
    pub took: Duration,
}

impl Tally {
    /// Counts one run.
    pub fn add(&mut self, outcome: &Outcome, took: Duration) {
        self.runs += 1;
        self.simulated += outcome.simulated;
        self.took += took;
        self.deliveries.add(&outcome.deliveries);
        self.coverage.add(outcome);
        // One that was to fail decides by failing.
        if outcome.broke_off.is_none() && outcome.expected.is_empty() {
            self.shares.add(&outcome.deliveries);
        }
        if outcome.held() {
            return;
        }
        self.failed += 1;
        let mut broken: Vec<_> = outcome
            .violations
            .iter()
            .map(|violation| violation.guarantee.to_string())
            .collect();
        broken.extend(
            outcome
                .broke_off
                .as_ref()
                .map(|_| String::from("broke off")),
        );
        broken.extend(outcome.missed.iter().map(|_| String::from("not violated")));
        broken.sort();
        broken.dedup();
        for name in broken {
            *self.broken.entry(name).or_default() += 1;
        }
    }

    /// How much of the deliveries was demanded in the middle run, in percent; a dash if that decides
    /// nothing, because no run was checked or each was to fail.
    pub fn must(&self) -> String {
        let median = self.shares.median();
        median.map_or(String::from("-"), |percent| format!("{percent}%"))
    }

    /// Adds what others came to.
    pub fn add_all(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.failed += other.failed;
        self.simulated += other.simulated;
        self.took += other.took;
        self.deliveries.add(&other.deliveries);
        self.coverage.add_all(&other.coverage);
        self.shares.add_all(&other.shares);
        for (name, count) in &other.broken {
            *self.broken.entry(name.clone()).or_default() += count;
        }
    }
}

/// As in `8 seeds  192.0s simulated in 3.1s  97% must  held`, in columns; the share is that of the
/// middle run.
impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:>5} {:5} {:>9} simulated in {:>7}  {:>4} must  ",
            self.runs,
            if self.runs == 1 { "seed" } else { "seeds" },
            seconds(self.simulated),
            seconds(self.took),
            self.must(),
        )?;
        if !self.shares.is_decided() {
            write!(out, "UNDECIDED  ")?;
        }
        if self.failed == 0 {
            return write!(out, "held");
        }
        write!(out, "{} FAILED", self.failed)?;
        for (name, count) in &self.broken {
            write!(out, "  {name} x{count}")?;
        }
        Ok(())
    }
}

/// As in `1 seed` and `3 seeds`.
pub fn count<N: fmt::Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Seconds with one decimal.
pub fn seconds(time: Duration) -> String {
    format!("{:.1}s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_in_which_nothing_was_demanded_decide_nothing() {
        let outcome = |broke_off: Option<&str>, must| Outcome {
            broke_off: broke_off.map(str::to_owned),
            deliveries: Deliveries {
                must,
                ..Deliveries::default()
            },
            ..Outcome::default()
        };
        let mut tally = Tally::default();
        // Nothing was checked, which is told as such.
        tally.add(&outcome(Some("panic"), 0), Duration::ZERO);
        assert!(!tally.to_string().contains("UNDECIDED"), "{tally}");
        tally.add(&outcome(None, 0), Duration::ZERO);
        assert!(tally.to_string().contains("UNDECIDED"), "{tally}");
        tally.add(&outcome(None, 1), Duration::ZERO);
        tally.add(&outcome(None, 1), Duration::ZERO);
        assert!(!tally.to_string().contains("UNDECIDED"), "{tally}");
    }
}
