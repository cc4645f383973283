//! How far a load test is, on standard error: some lines on a terminal that change every second, else a
//! line every five ([`mod@line`]).

pub mod line;
mod view;

use std::convert::Infallible;
use std::future;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reports::output::say;
use tokio::time::{MissedTickBehavior, interval};

use crate::fanout::FAULTS;
use crate::plan::LoadPlan;
use crate::status::{Live, Status};
use view::View;

/// Time between two lines: a log of an hour has a few hundred.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows how far a run of `plan` is, until this future is dropped. `has_cluster` says that the cluster
/// runs in the process of the users.
pub async fn show(plan: &LoadPlan, live: &Live, has_cluster: bool) -> Infallible {
    if io::stderr().is_terminal() {
        show_view(plan, live.clone(), has_cluster).await
    } else {
        print_lines(plan, live, has_cluster).await
    }
}

async fn show_view(plan: &LoadPlan, mut live: Live, has_cluster: bool) -> Infallible {
    let style = ProgressStyle::with_template("{prefix}\n{wide_bar} {percent:>3} %\n{msg}")
        .expect("a template with known keys");
    let bar = Bar(ProgressBar::new(plan.gone_at().as_millis() as u64).with_style(style));
    while let Some(status) = live.next().await {
        let View { head, body } = View::of(plan, &status, has_cluster);
        let elapsed = elapsed(&status);
        drop(status);
        bar.0.set_prefix(head);
        bar.0.set_message(body);
        bar.0.set_position(elapsed.as_millis() as u64);
    }
    future::pending().await
}

/// Cleared when the run ends, so that the summary stands alone.
struct Bar(ProgressBar);

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

async fn print_lines(plan: &LoadPlan, live: &Live, has_cluster: bool) -> Infallible {
    let mut ticks = interval(LINE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let text = line::of(plan, &live.now(), has_cluster);
        say(&text);
    }
}

fn elapsed(status: &Status) -> Duration {
    Duration::from_micros(status.elapsed_us)
}

/// The sends per second that the plan lets one expect for the last seconds.
fn planned_per_s(plan: &LoadPlan, status: &Status) -> f64 {
    let span = Duration::from_micros(status.recent.span_us);
    if span.is_zero() {
        return 0.0;
    }
    let now = elapsed(status);
    let sends = plan.sends_until(now) - plan.sends_until(now.saturating_sub(span));
    sends / span.as_secs_f64()
}

/// What was not as promised so far: how many, and of what.
fn faults(status: &Status) -> Vec<(u64, &'static str)> {
    let counts = FAULTS.iter().map(|name| (status.count(name), *name));
    counts.filter(|(count, _)| *count > 0).collect()
}

#[cfg(test)]
mod tests;
