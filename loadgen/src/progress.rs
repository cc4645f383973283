//! How far a load test is, on standard error: a bar on a terminal, else a line now and then.

use std::convert::Infallible;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reports::output::say;
use tokio::time::{MissedTickBehavior, interval};

use crate::plan::LoadPlan;
use crate::status::{Live, Status};

/// Time between two looks at the bar: as often as an eye follows numbers.
const BAR_INTERVAL: Duration = Duration::from_millis(250);

/// Time between two lines: a log of an hour has a few hundred.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows how far a run of `plan` is, until this future is dropped.
pub async fn show(plan: &LoadPlan, live: &Live) -> Infallible {
    if io::stderr().is_terminal() {
        show_bar(plan, live).await
    } else {
        print_lines(live).await
    }
}

async fn show_bar(plan: &LoadPlan, live: &Live) -> Infallible {
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %\n{msg}")
        .expect("a template with known keys");
    let bar = Bar(ProgressBar::new(plan.leave_at().as_millis() as u64).with_style(style));
    let mut ticks = interval(BAR_INTERVAL);
    loop {
        ticks.tick().await;
        let status = live.now();
        let now = Duration::from_micros(status.elapsed_us);
        let text = format!("{}: {}", plan.stage_name(now), describe(&status));
        drop(status);
        bar.0.set_message(text);
        bar.0.set_position(now.as_millis() as u64);
    }
}

/// Cleared when the run ends, so that the summary stands alone.
struct Bar(ProgressBar);

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

async fn print_lines(live: &Live) -> Infallible {
    let mut ticks = interval(LINE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let text = line(&live.now());
        say(&text);
    }
}

/// What fits beside the phase on a line; what nobody hopes for only where it happens.
fn describe(status: &Status) -> String {
    let mut text = format!(
        "{} users entered, {} sends, {} deliveries",
        status.count("users_entered"),
        status.count("sends_total"),
        status.count("deliveries_total")
    );
    for (name, what) in [
        ("sends_refused", "sends refused"),
        ("logins_failed", "logins failed"),
        ("connections_lost", "connections lost"),
    ] {
        let count = status.count(name);
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

fn line(status: &Status) -> String {
    let mut line = format!("elapsed_s={}", status.elapsed_us / 1_000_000);
    for name in [
        "users_entered",
        "logins_failed",
        "connections_lost",
        "sends_total",
        "sends_accepted",
        "sends_refused",
        "deliveries_total",
    ] {
        line.push_str(&format!(" {name}={}", status.count(name)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        let counts = [
            ("users_entered", 1),
            ("logins_failed", 0),
            ("connections_lost", 3),
            ("sends_total", 4),
            ("sends_accepted", 5),
            ("sends_refused", 6),
            ("deliveries_total", 7),
        ];
        let counts = counts.map(|(name, count)| (name.to_owned(), count));
        Status {
            elapsed_us: 5_012_000,
            counts: counts.into(),
            ..Status::default()
        }
    }

    #[test]
    fn a_line_is_made_of_names_and_values() {
        assert_eq!(
            line(&status()),
            "elapsed_s=5 users_entered=1 logins_failed=0 connections_lost=3 sends_total=4 \
             sends_accepted=5 sends_refused=6 deliveries_total=7"
        );
    }

    #[test]
    fn a_bar_tells_of_failures_where_there_are_some() {
        assert_eq!(
            describe(&status()),
            "1 users entered, 4 sends, 7 deliveries, 6 sends refused, 3 connections lost"
        );
    }
}
