//! A search from its first trial to its answer. How a trial is run is not its business: a queue in virtual
//! time is as good as a cluster.

use std::fmt::Display;
use std::time::Duration;

use reports::capacity::curve::Curve;
use reports::capacity::{Answer, AtHeld, Cpu, Outcome, Reason, Trial, Verdict};
use reports::measured::fit::{Fit, Line};
use tokio::time::Instant;

use super::judge::{Demands, GENERATOR, Tried, judge};
use super::scaled::{Timing, Window, scaled};
use super::search::{Next, Rate, Search, Settings};
use super::usl::{self, Point};
use crate::drive::Ending;
use crate::plan::LoadPlan;

/// What is searched for, and how.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// Who is there. The seed of the n-th trial is the plan's and n.
    pub plan: LoadPlan,
    /// What must hold at a rate.
    pub demands: Demands,
    /// How long each trial is.
    pub timing: Timing,
    /// Which rates are tried.
    pub settings: Settings,
    /// After so long no other trial is begun.
    pub time: Duration,
}

/// One trial after the other.
pub trait Trials {
    /// Why there can be no more.
    type Error: Display;

    /// Runs `plan`, whose figures are of `window`.
    ///
    /// # Errors
    ///
    /// If it could not begin, and others could not either.
    fn run(
        &mut self,
        plan: &LoadPlan,
        window: Window,
    ) -> impl Future<Output = Result<Tried, Self::Error>>;

    /// Hears of a trial that is over: how many there were, and where the interval is now.
    fn told(&mut self, number: usize, trial: &Trial, search: &Search);
}

/// What came of a hunt.
#[derive(Clone, Debug)]
pub struct Caught {
    /// What was found.
    pub answer: Answer,
    /// Each trial, in order.
    pub trials: Vec<Trial>,
    /// How throughput follows from what is under way.
    pub curve: Curve,
    /// What one more recipient costs at the highest rate that held.
    pub cost: Option<Line>,
    /// How the run ended that stopped it, if one did.
    pub stopped: Option<Ending>,
    /// What makes it less than certain.
    pub warnings: Vec<String>,
}

impl Hunt {
    /// How long one trial is.
    pub fn trial_time(&self) -> Duration {
        let (trial, _) = scaled(&self.plan, 1.0, 0, self.timing);
        trial.leave_at()
    }

    /// Searches until the answer is sure, the time is over, or a trial was stopped.
    ///
    /// # Errors
    ///
    /// If a trial can't be run before any was.
    pub async fn run<T: Trials>(&self, trials: &mut T) -> Result<Caught, T::Error> {
        let over_at = Instant::now() + self.time;
        let mut search = Search::new(self.settings);
        let mut tried: Vec<(Rate, Trial, Fit)> = Vec::new();
        let mut stopped = None;
        let mut warnings = Vec::new();
        let outcome = loop {
            let (rate, phase) = match search.next() {
                Next::Done(outcome) => break outcome,
                Next::Try(rate, phase) => (rate, phase),
            };
            if !tried.is_empty() && Instant::now() + self.trial_time() > over_at {
                let time = self.time;
                warnings.push(format!(
                    "{time:?} were over before the answer was sure (--time)"
                ));
                break Outcome::Undecided;
            }
            let seed = self.plan.seed.wrapping_add(tried.len() as u64);
            let (plan, window) = scaled(&self.plan, rate.per_s(), seed, self.timing);
            let ended = match trials.run(&plan, window).await {
                Ok(ended) => ended,
                Err(error) if tried.is_empty() => return Err(error),
                Err(error) => {
                    warnings.push(format!("there could be no further trial: {error}"));
                    break Outcome::Undecided;
                }
            };
            if let Ending::Interrupted(_) = ended.finished.ending {
                stopped = Some(ended.finished.ending);
                break Outcome::Undecided;
            }
            let (verdict, reasons, figures) = judge(&plan, window, &self.demands, &ended);
            search.note(rate, verdict);
            let trial = Trial {
                phase,
                rate_per_s: rate.per_s(),
                seed,
                verdict,
                reasons,
                figures,
            };
            trials.told(tried.len() + 1, &trial, &search);
            tried.push((rate, trial, ended.finished.measured.fit));
        };
        Ok(self.caught(outcome, &search, tried, stopped, warnings))
    }

    fn caught(
        &self,
        outcome: Outcome,
        search: &Search,
        tried: Vec<(Rate, Trial, Fit)>,
        stopped: Option<Ending>,
        mut warnings: Vec<String>,
    ) -> Caught {
        let (held, broke) = search.ends();
        let at = |end: Option<reports::capacity::End>, verdict| {
            let of_end = tried.iter().filter(move |(_, trial, _)| {
                end.is_some_and(|end| end.rate_per_s == trial.rate_per_s)
                    && trial.verdict == verdict
            });
            of_end.map(|(_, trial, fit)| (trial, fit))
        };
        let at_held: Vec<&Trial> = at(held, Verdict::Held).map(|(trial, _)| trial).collect();
        let mut fit = Fit::default();
        for (_, other) in at(held, Verdict::Held) {
            fit.merge(other);
        }
        let mut reasons: Vec<&Reason> = at(broke, Verdict::Broke)
            .flat_map(|(trial, _)| &trial.reasons)
            .filter(|reason| reason.what != GENERATOR)
            .collect();
        if outcome == Outcome::Generator {
            let unknown = tried.iter().map(|(_, trial, _)| trial);
            let unknown = unknown.filter(|it| it.verdict == Verdict::Unknown);
            reasons = unknown.flat_map(|trial| &trial.reasons).collect();
        }
        let first = most_frequent(&reasons);
        let answer = Answer {
            outcome,
            held,
            broke,
            broke_first: first.map(|it| it.what.clone()),
            because: first.map(|it| it.text.clone()),
            at_held: mean(&at_held),
        };
        let doubtful = tried.iter().filter(|(_, trial, _)| {
            let is_own = trial.reasons.iter().any(|reason| reason.what == GENERATOR);
            is_own && trial.verdict == Verdict::Broke
        });
        let doubtful = doubtful.count();
        if doubtful > 0 {
            warnings.push(format!(
                "in {doubtful} of the trials that broke the generator was late, and alone on this machine the \
                 cluster may carry more: what was found is of both together"
            ));
        }
        let trials: Vec<Trial> = tried.iter().map(|(_, trial, _)| trial.clone()).collect();
        Caught {
            answer,
            curve: usl::fit(&points(&trials)),
            cost: fit.line(),
            trials,
            stopped,
            warnings,
        }
    }
}

/// What broke most often; of several the first.
fn most_frequent<'r>(reasons: &[&'r Reason]) -> Option<&'r Reason> {
    let count = |what: &str| reasons.iter().filter(|it| it.what == what).count();
    let most = reasons.iter().map(|it| count(&it.what)).max()?;
    let mut reasons = reasons.iter();
    reasons.find(|it| count(&it.what) == most).copied()
}

/// Throughput and what was under way, of the trials that could tell.
fn points(trials: &[Trial]) -> Vec<Point> {
    let known = trials.iter().filter(|it| it.verdict != Verdict::Unknown);
    let points = known.filter_map(|trial| {
        let little = trial.figures.little?;
        little.holds.then_some(Point {
            in_flight: little.in_flight,
            per_s: little.per_s,
        })
    });
    points.collect()
}

/// What trials were worth on average.
fn mean(trials: &[&Trial]) -> Option<AtHeld> {
    let count = trials.len() as f64;
    let sum = |of: fn(&Trial) -> f64| trials.iter().map(|trial| of(trial)).sum::<f64>();
    let cpus: Option<Vec<Cpu>> = trials.iter().map(|trial| trial.figures.cpu).collect();
    let cpu = cpus.map(|cpus| {
        let servers: Option<Vec<f64>> = cpus.iter().map(|it| it.servers_s_per_million).collect();
        let generator = cpus
            .iter()
            .map(|it| it.generator_s_per_million)
            .sum::<f64>();
        Cpu {
            servers_s_per_million: servers.map(|all| all.iter().sum::<f64>() / count),
            generator_s_per_million: generator / count,
        }
    });
    (!trials.is_empty()).then(|| AtHeld {
        deliveries_per_s: sum(|trial| trial.figures.deliveries_per_s) / count,
        cpu,
    })
}
