//! How far a load test is, on standard error: a bar on a terminal, else a line now and then.

use std::convert::Infallible;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reports::output::say;
use tokio::time::{MissedTickBehavior, interval};

use crate::fanout::Tally;
use crate::plan::LoadPlan;
use crate::trial::{Live, Moment};

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
        let Moment { elapsed, tally } = live.now();
        bar.0
            .set_message(format!("{}: {}", plan.stage_name(elapsed), describe(tally)));
        bar.0.set_position(elapsed.as_millis() as u64);
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
        let Moment { elapsed, tally } = live.now();
        say(&line(elapsed, tally));
    }
}

/// What fits beside the phase on a line; what nobody hopes for only where it happens.
fn describe(tally: Tally) -> String {
    let mut text = format!(
        "{} users entered, {} sends, {} deliveries",
        tally.users_entered, tally.sends_total, tally.deliveries_total
    );
    for (count, what) in [
        (tally.sends_refused, "sends refused"),
        (tally.logins_failed, "logins failed"),
        (tally.connections_lost, "connections lost"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

fn line(now: Duration, tally: Tally) -> String {
    let Tally {
        users_entered,
        logins_failed,
        connections_lost,
        sends_total,
        sends_accepted,
        sends_refused,
        deliveries_total,
    } = tally;
    format!(
        "elapsed_s={} users_entered={users_entered} logins_failed={logins_failed} \
         connections_lost={connections_lost} sends_total={sends_total} \
         sends_accepted={sends_accepted} sends_refused={sends_refused} \
         deliveries_total={deliveries_total}",
        now.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally() -> Tally {
        Tally {
            users_entered: 1,
            logins_failed: 0,
            connections_lost: 3,
            sends_total: 4,
            sends_accepted: 5,
            sends_refused: 6,
            deliveries_total: 7,
        }
    }

    #[test]
    fn a_line_is_made_of_names_and_values() {
        assert_eq!(
            line(Duration::from_millis(5012), tally()),
            "elapsed_s=5 users_entered=1 logins_failed=0 connections_lost=3 sends_total=4 \
             sends_accepted=5 sends_refused=6 deliveries_total=7"
        );
    }

    #[test]
    fn a_bar_tells_of_failures_where_there_are_some() {
        assert_eq!(
            describe(tally()),
            "1 users entered, 4 sends, 7 deliveries, 6 sends refused, 3 connections lost"
        );
    }
}
