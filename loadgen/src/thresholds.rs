//! What the thresholds of a plan make of the figures of its run.

use std::future;
use std::time::Duration;

use reports::measured::Measured;
use reports::run::threshold::{Threshold as Judged, Unit};
use tokio::time::sleep;

use crate::fanout::Tally;
use crate::plan::threshold::{Demand, Threshold};
use crate::trial::{Live, Moment};

/// Time between two looks at the thresholds that stop a run.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Judges `thresholds`; a warning for each count that nobody took, as it would hold as a 0 does.
pub fn judge(thresholds: &[Threshold], measured: &Measured) -> (Vec<Judged>, Vec<String>) {
    let mut warnings = Vec::new();
    let judged = thresholds.iter().map(|Threshold { demand, .. }| {
        if demand.unit == Unit::Count && !measured.counts.contains_key(&demand.metric) {
            let metric = &demand.metric;
            warnings.push(format!("nobody counted {metric}: it is taken as 0"));
        }
        let Demand {
            metric,
            unit,
            comparison,
            bound,
        } = demand;
        Judged::judged(metric, *unit, *comparison, *bound, measured)
    });
    (judged.collect(), warnings)
}

/// Waits until one of `thresholds` that stops a run is broken, and says so; for ever if none is.
pub async fn watch(thresholds: &[Threshold], live: &Live) -> String {
    if thresholds.iter().all(|it| it.abort_after.is_none()) {
        return future::pending().await;
    }
    loop {
        sleep(LOOK_INTERVAL).await;
        let Moment { elapsed, tally } = live.now();
        if let Some(reason) = broken(thresholds, elapsed, tally) {
            return reason;
        }
    }
}

/// Which threshold stops a run that is `elapsed` old and has come so far. Of what is known only in
/// the end nothing is said.
fn broken(thresholds: &[Threshold], elapsed: Duration, tally: Tally) -> Option<String> {
    thresholds.iter().find_map(|threshold| {
        let demand = &threshold.demand;
        let is_due = |grace: &Duration| elapsed >= *grace;
        threshold.abort_after.filter(is_due)?;
        let value = live(&demand.metric, tally)?;
        let (holds, _margin) = demand.comparison.judge(value, demand.bound);
        (!holds).then(|| format!("`{demand}` was broken: it was {}", demand.shown(value)))
    })
}

fn live(metric: &str, tally: Tally) -> Option<u64> {
    match metric {
        "connections_lost" => Some(tally.connections_lost),
        "deliveries_total" => Some(tally.deliveries_total),
        "logins_failed" => Some(tally.logins_failed),
        "sends_accepted" => Some(tally.sends_accepted),
        "sends_refused" => Some(tally.sends_refused),
        "sends_total" => Some(tally.sends_total),
        "users_entered" => Some(tally.users_entered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::threshold::LIVE;

    fn threshold(demand: &str, abort_after: Option<u64>) -> Threshold {
        Threshold {
            demand: demand.parse().expect(demand),
            abort_after: abort_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn a_threshold_is_judged_by_its_latency_or_count_and_a_count_that_is_not_taken_is_told() {
        let mut measured = Measured::new(LOOK_INTERVAL);
        let row = measured.row_at(Duration::ZERO);
        row.record("broadcast.last", Duration::from_millis(2));
        measured.counts.insert("lost".to_owned(), 3);
        let thresholds = [
            threshold("broadcast.last.max < 80ms", None),
            threshold("lost == 0", None),
            threshold("login.p99 < 1s", None),
            threshold("reordered == 0", None),
        ];
        let (judged, warnings) = judge(&thresholds, &measured);
        let told = judged.iter().map(|it| (it.measured, it.margin, it.holds));
        // To a thousandth, as histograms are.
        let told: Vec<_> = told.collect();
        assert_eq!(
            told[1..],
            [
                (Some(3), Some(-3), false),
                (None, None, false),
                (Some(0), Some(0), true),
            ]
        );
        assert!(
            matches!(told[0], (Some(1999..=2002), Some(77_998..=78_001), true)),
            "{told:?}"
        );
        assert_eq!(warnings, ["nobody counted reordered: it is taken as 0"]);
    }

    #[test]
    fn what_a_plan_may_stop_a_run_by_is_known_while_it_goes_on() {
        for metric in LIVE {
            assert!(live(metric, Tally::default()).is_some(), "{metric}");
        }
    }

    #[test]
    fn a_run_is_stopped_when_a_threshold_that_does_so_is_broken_after_its_grace() {
        let thresholds = [
            threshold("logins_failed == 0", None),
            threshold("connections_lost <= 2", Some(10)),
        ];
        let tally = |connections_lost| Tally {
            logins_failed: 5,
            connections_lost,
            ..Tally::default()
        };
        let at = |seconds, lost| broken(&thresholds, Duration::from_secs(seconds), tally(lost));
        assert_eq!(at(9, 3), None);
        assert_eq!(at(10, 2), None);
        let reason = "`connections_lost <= 2` was broken: it was 3";
        assert_eq!(at(10, 3).as_deref(), Some(reason));
    }
}
