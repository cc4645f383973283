//! How much a plan lets one expect by a time, without drawing anything: what is held against what
//! happened while a run goes on. What comes of the chance of a seed differs from it by about the root.

use std::time::Duration;

use super::{Arrivals, LoadPlan, Sends, Stage};

/// Into how many parts the time is cut in which users come who think.
const PARTS: u32 = 100;

impl LoadPlan {
    /// How many sends are due until `at`, since the start of the run. Of those who are away then, and do
    /// not send what is due to them, it knows nothing.
    pub fn sends_until(&self, at: Duration) -> f64 {
        let begun = self.stages.iter().take_while(|stage| stage.starts_at < at);
        begun.map(|stage| self.sends_of(stage, at)).sum()
    }

    fn sends_of(&self, stage: &Stage, at: Duration) -> f64 {
        let elapsed = at.min(stage.ends_at) - stage.starts_at;
        match &stage.sends {
            None => 0.0,
            Some(Sends::Rate { curve, .. }) => curve.until(elapsed),
            Some(Sends::Think(think)) => {
                let present_s = f64::from(stage.present) * elapsed.as_secs_f64();
                let coming_s = stage
                    .arrivals
                    .as_ref()
                    .map_or(0.0, |arrivals| self.seconds_of_coming(arrivals, elapsed));
                (present_s + coming_s) / think.mean().as_secs_f64()
            }
        }
    }

    /// For how long those who come in a stage have been there together, the time to settle not counted.
    fn seconds_of_coming(&self, arrivals: &Arrivals, elapsed: Duration) -> f64 {
        let settled = elapsed.saturating_sub(self.settle);
        let part = settled / PARTS;
        let came = (0..PARTS).map(|number| {
            let middle = part * number + part / 2;
            arrivals.curve.until(middle) / arrivals.curve.total().max(f64::MIN_POSITIVE)
        });
        came.sum::<f64>() * part.as_secs_f64() * f64::from(arrivals.users)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::counts::Counts;
    use crate::plan::file::{Overrides, PlanFile};

    const PLAN: &str = "
settle = '1s'
[[stage]]
duration = '10s'
arrivals.users = 500
[[stage]]
duration = '10s'
sends = { rate = { shape = 'ramp', from = 0, to = 400 } }
[[stage]]
duration = '20s'
arrivals.users = 500
sends.think = { law = 'exponential', mean = '1s' }
";

    #[test]
    fn what_is_expected_is_what_is_drawn_but_for_chance() -> Result<(), Box<dyn std::error::Error>>
    {
        let plan = PlanFile::read(PLAN, "plan.toml", &Overrides::default())?;
        let counts = Counts::of(&plan);
        let mut sum = 0.0;
        for (stage, counts) in plan.stages.iter().zip(&counts.stages) {
            sum += counts.sends as f64;
            // A Poisson count is hardly ever more than four deviations away.
            let expected = plan.sends_until(stage.ends_at);
            assert!(
                (expected - sum).abs() <= 4.0 * sum.sqrt(),
                "{expected} and {sum}"
            );
        }
        // Half of a ramp's time is a quarter of its sends.
        let ramp = &plan.stages[1];
        let middle = plan.sends_until(ramp.starts_at + Duration::from_secs(5));
        assert!((middle - 500.0).abs() < 1.0, "{middle}");
        assert_eq!(plan.sends_until(Duration::ZERO), 0.0);
        Ok(())
    }
}
