//! A plan at another rate: who comes and who is in which room is as planned, what is sent is not.

use std::sync::Arc;
use std::time::Duration;

use crate::plan::curve::Curve;
use crate::plan::{LoadPlan, Sends, Spacing, Stage};

/// What rows of time are at least: what is measured begins and ends with one.
const ROW: Duration = Duration::from_secs(1);

/// How long a trial takes once all have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// At the rate of the trial, but not in its figures: caches fill, queues find their lengths.
    pub warm_up: Duration,
    /// What the figures are of.
    pub measure: Duration,
}

/// When the figures of a trial are taken, since its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// A whole number of seconds.
    pub from: Duration,
    /// A whole number of seconds.
    pub until: Duration,
}

impl Window {
    /// How long it is.
    pub fn len(self) -> Duration {
        self.until.saturating_sub(self.from)
    }
}

/// The trial of `plan` at `rate` sends per second: everybody comes as planned, and then sends at this rate
/// while people come and go as in the last stage in which users were to send. It has names and
/// chance of its own, so that what one trial leaves behind is not in the way of the next.
pub fn scaled(plan: &LoadPlan, rate: f64, seed: u64, timing: Timing) -> (LoadPlan, Window) {
    let talking = plan.stages.iter().rev().find(|it| it.sends.is_some());
    let churn = talking.and_then(|stage| stage.churn);
    let spacing = match talking.and_then(|stage| stage.sends.as_ref()) {
        Some(Sends::Rate { spacing, .. }) => *spacing,
        Some(Sends::Think(_)) | None => Spacing::Poisson,
    };
    let mut stages: Vec<Stage> = Vec::new();
    let mut at = Duration::ZERO;
    for stage in plan.stages.iter().filter(|it| it.arrivals.is_some()) {
        let lasts = stage.ends_at - stage.starts_at;
        stages.push(Stage {
            starts_at: at,
            ends_at: at + lasts,
            sends: None,
            churn: None,
            storm: None,
            ..stage.clone()
        });
        at += lasts + plan.settle;
    }
    let from = whole(at + timing.warm_up);
    let until = from + whole(timing.measure);
    for (name, starts_at, ends_at) in [("warming up", at, from), ("measured", from, until)] {
        stages.push(Stage {
            name: name.to_owned(),
            starts_at,
            ends_at,
            present: plan.users,
            arrivals: None,
            sends: Some(Sends::Rate {
                curve: Curve::constant(rate, ends_at - starts_at),
                spacing,
            }),
            churn,
            storm: None,
        });
    }
    let trial = LoadPlan {
        seed,
        stages: Arc::from(stages),
        ..plan.clone()
    };
    (trial, Window { from, until })
}

/// The rate at which the users of `plan` are to send, at its highest: where a search begins.
pub fn rate_of(plan: &LoadPlan) -> Option<f64> {
    let rates = plan
        .stages
        .iter()
        .filter_map(|stage| match stage.sends.as_ref()? {
            Sends::Rate { curve, .. } => Some(curve.rate_max()),
            Sends::Think(think) => Some(f64::from(plan.users) / think.mean().as_secs_f64()),
        });
    let highest = rates.fold(0.0, f64::max);
    (highest > 0.0).then_some(highest)
}

/// `time`, or the next whole row.
fn whole(time: Duration) -> Duration {
    let rows = time.as_nanos().div_ceil(ROW.as_nanos());
    Duration::from_secs(u64::try_from(rows).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::file::{Overrides, PlanFile};
    use crate::script::Do;

    fn plan(text: &str) -> LoadPlan {
        PlanFile::read(text, "mine.toml", &Overrides::default()).expect(text)
    }

    const TIMING: Timing = Timing {
        warm_up: Duration::from_millis(1500),
        measure: Duration::from_secs(4),
    };

    const MIXED: &str = r#"
        rooms = { members = "2..5" }
        [[stage]]
        duration = "500ms"
        arrivals = { users = 60 }
        [[stage]]
        duration = "10s"
        sends = { rate = 50, spacing = "even" }
        storm = { after = "1s", percent = 50, within = "1s" }
        [[stage]]
        duration = "1s"
        arrivals = { users = 40 }
        sends = { rate = { shape = "ramp", from = 10, to = 80 }, spacing = "even" }
        churn = { switch = 1 }
    "#;

    #[test]
    fn all_come_as_planned_and_then_send_at_the_rate_of_the_trial() {
        let plan = plan(MIXED);
        assert_eq!(rate_of(&plan), Some(80.0));
        let (trial, window) = scaled(&plan, 200.0, 9, TIMING);
        // Half a second and one to settle, one second and one to settle, 1.5 to warm up: 5, a whole row.
        assert_eq!(window.from, Duration::from_secs(5));
        assert_eq!(window.until, Duration::from_secs(9));
        assert_eq!(
            (trial.users, trial.seed, trial.rooms.clone()),
            (100, 9, plan.rooms)
        );
        let mut sends: Vec<Duration> = (0..100)
            .flat_map(|user| trial.script(user).actions)
            .filter(|action| matches!(action.what, Do::Send(_)))
            .map(|action| action.at)
            .collect();
        sends.sort();
        let measured = sends
            .iter()
            .filter(|at| **at >= window.from && **at < window.until);
        // Evenly spaced, as in the plan; who switches rooms is silent for a moment.
        assert!((760..=800).contains(&measured.count()), "{}", sends.len());
        assert!(sends.iter().all(|at| *at >= Duration::from_millis(3500)));
        let names: Vec<_> = trial
            .stages
            .iter()
            .map(|stage| stage.name.as_str())
            .collect();
        assert_eq!(names, ["stage 1", "stage 3", "warming up", "measured"]);
        assert!(trial.stages.iter().all(|stage| stage.storm.is_none()));
    }

    #[test]
    fn a_plan_in_which_each_thinks_has_the_rate_of_all_together() {
        let plan = plan(
            r#"
            [[stage]]
            duration = "1s"
            arrivals = { users = 60 }
            [[stage]]
            duration = "10s"
            sends = { think = { law = "constant", time = "3s" } }
        "#,
        );
        assert_eq!(rate_of(&plan), Some(20.0));
    }

    #[test]
    fn two_trials_have_no_name_in_common() {
        let plan = plan(MIXED);
        let names = |seed| scaled(&plan, 10.0, seed, TIMING).0.script(3).name;
        assert_ne!(names(1), names(2));
    }
}
