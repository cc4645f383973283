//! A queue with one server, in virtual time.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use loadgen::capacity::hunt::Trials;
use loadgen::capacity::judge::Tried;
use loadgen::capacity::scaled::{Window, rate_of};
use loadgen::capacity::search::Search;
use loadgen::drive::{Ending, Finished};
use loadgen::health::vitals::Vitals;
use loadgen::plan::LoadPlan;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reports::buckets::Buckets;
use reports::capacity::Trial;
use reports::measured::Measured;

/// Poisson arrivals, exponential service, first come, first served.
pub struct Queue {
    /// μ: how many it can serve per second.
    pub rate: f64,
    /// What is wrong with its figures.
    pub tampering: Option<Tampering>,
}

/// A way in which figures can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tampering {
    /// Latencies are those of the service alone.
    WaitsLeftOut,
    /// One answer of three is not recorded.
    EveryThirdForgotten,
    /// None of them, but who made the load stood still for a minute, and was late with each send.
    WeakGenerator,
}

impl Queue {
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            tampering: None,
        }
    }

    /// What is measured of a trial: customers come as long as the plan has sends, and all are served.
    fn measure(&self, plan: &LoadPlan, rng: &mut StdRng) -> Measured {
        let rate = rate_of(plan).expect("users of a trial send");
        let from = plan.stages.iter().find(|it| it.sends.is_some());
        let from = from.expect("users of a trial send").starts_at.as_secs_f64();
        let until = plan.stages_end_at().as_secs_f64();
        let mut figures = Measured::new(Duration::from_secs(1));
        // What is under way is counted from when customers come and go alone.
        let (mut comings, mut goings) = (Vec::new(), Vec::new());
        let mut seconds: BTreeMap<u64, Second> = BTreeMap::new();
        let (mut at, mut free_at, mut number) = (from, from, 0_u32);
        loop {
            at += exponential(rng, rate);
            if at >= until {
                break;
            }
            let begins = free_at.max(at);
            let ends = begins + exponential(rng, self.rate);
            free_at = ends;
            number += 1;
            comings.push(micros(at));
            goings.push(micros(ends));
            seconds.entry(at as u64).or_default().sent += 1;
            let second = seconds.entry(ends as u64).or_default();
            second.answered += 1;
            let latency = match self.tampering {
                Some(Tampering::WaitsLeftOut) => ends - begins,
                _ => ends - at,
            };
            if self.tampering != Some(Tampering::EveryThirdForgotten) || !number.is_multiple_of(3) {
                second.latencies.record(time(latency));
            }
        }
        for (second, of) in seconds {
            let row = figures.row_at(Duration::from_secs(second));
            for (name, count) in [
                ("sends_total", of.sent),
                ("sends_accepted", of.answered),
                ("deliveries_total", of.answered),
            ] {
                row.counts.insert(name.to_owned(), count);
            }
            if self.tampering == Some(Tampering::WeakGenerator) {
                row.record("send_lateness", Duration::from_secs(10));
            }
            for metric in ["broadcast.last", "request.raw"] {
                row.latencies
                    .insert(metric.to_owned(), of.latencies.clone());
            }
        }
        count_open(&comings, &goings, &mut figures);
        for name in [
            "users_entered",
            "sends_total",
            "deliveries_total",
            "deliveries_expected",
        ] {
            figures.counts.insert(name.to_owned(), u64::from(number));
        }
        figures
    }

    fn processes(&self) -> BTreeMap<String, Vitals> {
        let mut vitals = Vitals::default();
        if self.tampering == Some(Tampering::WeakGenerator) {
            vitals.beat.stall_us_max = 60_000_000;
        }
        [("loadgen".to_owned(), vitals)].into()
    }
}

/// What is measured in one.
#[derive(Default)]
struct Second {
    sent: u64,
    answered: u64,
    latencies: Buckets,
}

/// Counts in each second for how long how many were there; first come, first gone.
fn count_open(comings: &[u64], goings: &[u64], figures: &mut Measured) {
    let mut comings = comings.iter().copied().peekable();
    let (mut before, mut open) = (0, 0);
    for going in goings {
        while let Some(coming) = comings.next_if(|coming| coming <= going) {
            count_until(coming, &mut before, open, figures);
            open += 1;
        }
        count_until(*going, &mut before, open, figures);
        open -= 1;
    }
}

fn count_until(at: u64, before: &mut u64, open: u64, figures: &mut Measured) {
    while *before < at {
        let second_ends = (*before / 1_000_000 + 1) * 1_000_000;
        let until = second_ends.min(at);
        let row = figures.row_at(Duration::from_micros(*before));
        let count = row.counts.entry("sends_open_us".to_owned()).or_default();
        *count += open * (until - *before);
        *before = until;
    }
}

impl Trials for Queue {
    type Error = Infallible;

    async fn run(&mut self, plan: &LoadPlan, _: Window) -> Result<Tried, Infallible> {
        let mut rng = StdRng::seed_from_u64(plan.seed);
        Ok(Tried {
            finished: Finished {
                measured: self.measure(plan, &mut rng),
                elapsed: plan.leave_at(),
                ending: Ending::Complete,
                processes: self.processes(),
            },
            cpu: None,
        })
    }

    fn told(&mut self, _: usize, _: &Trial, _: &Search) {}
}

fn exponential(rng: &mut StdRng, rate: f64) -> f64 {
    -(1.0 - rng.random::<f64>()).ln() / rate
}

fn time(seconds: f64) -> Duration {
    Duration::from_micros(micros(seconds))
}

fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}
