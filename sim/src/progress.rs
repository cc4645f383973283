//! How far a sweep is, on standard error: a bar on a terminal, else a line now and then.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reports::output::say;
use tokio::time::Instant;

use crate::sweep::{Done, Sweep};

/// Shows how far one sweep is.
pub struct Progress<'a> {
    sweep: &'a Sweep,
    bar: ProgressBar,
    prints_lines: bool,
    started_at: Instant,
    seen: Seen,
}

/// What is done so far.
#[derive(Clone, Debug, Default)]
struct Seen {
    scenario: String,
    runs: usize,
    failed: usize,
    simulated: Duration,
}

impl<'a> Progress<'a> {
    /// Begins now.
    pub fn new(sweep: &'a Sweep) -> Self {
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} runs, {elapsed}, {eta} left")
                .expect("the template is right");
        let spinner = ProgressStyle::with_template("{spinner} {pos} runs, {elapsed}")
            .expect("the template is right");
        // Without a terminal the bar hides itself.
        let bar = match sweep.time {
            None => ProgressBar::new(sweep.len() as u64).with_style(style),
            Some(_) => ProgressBar::no_length().with_style(spinner),
        };
        Self {
            sweep,
            bar,
            prints_lines: !io::stderr().is_terminal(),
            started_at: Instant::now(),
            seen: Seen::default(),
        }
    }

    /// Counts a run.
    pub fn add(&mut self, done: &Done) {
        self.seen.scenario.clone_from(&done.outcome.scenario);
        self.seen.runs += 1;
        self.seen.failed += usize::from(!done.outcome.held());
        self.seen.simulated += done.outcome.simulated;
        self.bar.set_position(self.seen.runs as u64);
    }

    /// Prints a line, unless there is a bar.
    pub fn tick(&self) {
        if self.prints_lines {
            say(&line(self.sweep, self.elapsed(), &self.seen));
        }
    }

    /// Takes the bar away while `print` prints.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The time since the sweep began.
    pub fn elapsed(&self) -> Duration {
        self.started_at.elapsed()
    }
}

fn line(sweep: &Sweep, elapsed: Duration, seen: &Seen) -> String {
    let &Seen {
        ref scenario,
        runs,
        failed,
        simulated,
    } = seen;
    let speed = simulated.as_secs_f64() / elapsed.as_secs_f64();
    let mut line = format!("elapsed_s={} runs_total={runs}", elapsed.as_secs());
    if !sweep.is_open_ended() {
        line += &format!(" runs_planned={}", sweep.len());
    }
    line += &format!(" runs_failed={failed} simulated_s_per_s={speed:.0}");
    if let Some(left) = left(sweep, elapsed, runs) {
        line += &format!(" left_s={}", left.as_secs());
    }
    if runs > 0 {
        line += &format!(" latest={scenario}");
    }
    line
}

/// About how long the sweep goes on, if that can be told: until its runs are done, if they go on as
/// they went, or until its time is over.
fn left(sweep: &Sweep, elapsed: Duration, runs: usize) -> Option<Duration> {
    let by_time = sweep.time.map(|time| time.saturating_sub(elapsed));
    let by_runs = (runs > 0 && !sweep.is_open_ended()).then(|| {
        let runs_left = sweep.len().saturating_sub(runs);
        elapsed.mul_f64(runs_left as f64 / runs as f64)
    });
    by_time.into_iter().chain(by_runs).min()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::ops::Range;

    use super::*;
    use crate::scenario;
    use crate::sweep::ALL_SEEDS;

    fn sweep(seeds: Range<u64>, time_s: Option<u64>) -> Sweep {
        Sweep {
            scenarios: vec![(scenario::built_in().swap_remove(0), seeds)],
            jobs: NonZeroUsize::MIN,
            time: time_s.map(Duration::from_secs),
        }
    }

    const ELAPSED: Duration = Duration::from_secs(20);

    #[test]
    fn a_line_is_made_of_names_and_values() {
        let seen = Seen {
            scenario: String::from("steady"),
            runs: 10,
            failed: 2,
            simulated: Duration::from_secs(260),
        };
        assert_eq!(
            line(&sweep(0..40, None), ELAPSED, &seen),
            "elapsed_s=20 runs_total=10 runs_planned=40 runs_failed=2 simulated_s_per_s=13 \
             left_s=60 latest=steady"
        );
        assert_eq!(
            line(&sweep(ALL_SEEDS, Some(30)), ELAPSED, &Seen::default()),
            "elapsed_s=20 runs_total=0 runs_failed=0 simulated_s_per_s=0 left_s=10"
        );
    }

    #[test]
    fn a_sweep_ends_with_its_runs_or_with_its_time_whichever_is_first() {
        let left_s = |sweep: &Sweep, runs| left(sweep, ELAPSED, runs).map(|left| left.as_secs());
        assert_eq!(left_s(&sweep(0..40, None), 0), None);
        assert_eq!(left_s(&sweep(0..40, Some(30)), 10), Some(10));
        assert_eq!(left_s(&sweep(0..40, Some(600)), 10), Some(60));
        assert_eq!(left_s(&sweep(0..40, Some(10)), 10), Some(0));
    }
}
