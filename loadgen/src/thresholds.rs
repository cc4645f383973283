//! What the thresholds of a plan make of the figures of its run.

use std::future;
use std::time::Duration;

use reports::measured::Measured;
use reports::run::threshold::{Threshold as Judged, Unit};

use crate::plan::threshold::{Demand, Threshold};
use crate::status::{Live, Status};

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
pub async fn watch(thresholds: &[Threshold], mut live: Live) -> String {
    if thresholds.iter().all(|it| it.abort_after.is_none()) {
        return future::pending().await;
    }
    loop {
        let Some(status) = live.next().await else {
            return future::pending().await;
        };
        if let Some(reason) = broken(thresholds, &status) {
            return reason;
        }
    }
}

/// Which threshold stops the run.
fn broken(thresholds: &[Threshold], status: &Status) -> Option<String> {
    let elapsed = Duration::from_micros(status.elapsed_us);
    thresholds.iter().find_map(|threshold| {
        let demand = &threshold.demand;
        let is_due = |grace: &Duration| elapsed >= *grace;
        threshold.abort_after.filter(is_due)?;
        let value = live(demand, status)?;
        let (holds, _margin) = demand.comparison.judge(value, demand.bound);
        (!holds).then(|| format!("`{demand}` was broken: it was {}", demand.shown(value)))
    })
}

/// The figure so far: over all of the run until now, as the report will have it over all of it. So a
/// run that is stopped by a threshold has broken it.
fn live(demand: &Demand, status: &Status) -> Option<u64> {
    match demand.unit {
        Unit::Count => Some(status.count(&demand.metric)),
        Unit::Us => {
            let (metric, statistic) = demand.metric.rsplit_once('.')?;
            let figures = status.latencies.get(metric)?.figures()?;
            figures.statistic_us(statistic)
        }
    }
}

#[cfg(test)]
mod tests {
    use reports::buckets::Buckets;

    use super::*;

    fn threshold(demand: &str, abort_after: Option<u64>) -> Threshold {
        Threshold {
            demand: demand.parse().expect(demand),
            abort_after: abort_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn a_threshold_is_judged_by_its_latency_or_count_and_a_count_that_is_not_taken_is_told() {
        let mut measured = Measured::new(Duration::from_secs(1));
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

    /// A run so old, that has lost so many connections, and whose broadcasts took so long.
    fn status(seconds: u64, lost: u64, last_ms: &[u64]) -> Status {
        let mut last = Buckets::default();
        for ms in last_ms {
            last.record(Duration::from_millis(*ms));
        }
        let counts = [("logins_failed", 5), ("connections_lost", lost)];
        let counts = counts.map(|(name, count)| (name.to_owned(), count));
        Status {
            elapsed_us: seconds * 1_000_000,
            counts: counts.into(),
            latencies: [("broadcast.last".to_owned(), last)].into(),
            ..Status::default()
        }
    }

    #[test]
    fn a_run_is_stopped_when_a_threshold_that_does_so_is_broken_after_its_grace() {
        let thresholds = [
            threshold("logins_failed == 0", None),
            threshold("connections_lost <= 2", Some(10)),
        ];
        let at = |seconds, lost| broken(&thresholds, &status(seconds, lost, &[]));
        assert_eq!(at(9, 3), None);
        assert_eq!(at(10, 2), None);
        let reason = "`connections_lost <= 2` was broken: it was 3";
        assert_eq!(at(10, 3).as_deref(), Some(reason));
    }

    #[test]
    fn a_run_is_stopped_by_its_latencies_so_far_and_by_none_before_there_is_one() {
        let thresholds = [threshold("broadcast.last.p50 < 1ms 500us", Some(0))];
        let of = |last_ms: &[u64]| broken(&thresholds, &status(1, 0, last_ms));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[1, 1, 2]), None);
        let reason = "`broadcast.last.p50 < 1.5ms` was broken: it was 2ms";
        assert_eq!(of(&[1, 2, 2]).as_deref(), Some(reason));
    }

    #[tokio::test]
    async fn what_is_told_is_looked_at_until_something_is_broken() {
        let thresholds = [threshold("connections_lost == 0", Some(0))];
        let (teller, live) = crate::status::channel();
        let telling = async {
            for lost in [0, 0, 1] {
                teller.send_replace(status(1, lost, &[]));
                tokio::task::yield_now().await;
            }
            future::pending().await
        };
        let reason = tokio::select! {
            reason = super::watch(&thresholds, live) => reason,
            () = telling => String::new(),
        };
        assert_eq!(reason, "`connections_lost == 0` was broken: it was 1");
    }
}
