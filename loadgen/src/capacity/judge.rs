//! What a trial comes to: it held, it broke, or nobody can tell, since it may have been the generator.
//!
//! Latencies count from when a send was planned, so what the generator adds makes them longer. A trial that held
//! therefore held, however busy the generator was. One that broke may have been broken by it: then it is
//! unknown, and no vote against the cluster. Where both are on one machine on purpose, the answer is of
//! both, and that one made the other late is no doubt; that strangers did is.

use std::time::Duration;

use reports::capacity::{Cpu, Reason, TrialFigures, Verdict};
use reports::measured::Measured;
use reports::run::Measure;
use reports::run::threshold::{Comparison, Threshold, Unit};

use super::little;
use super::scaled::Window;
use crate::drive::{Ending, Finished};
use crate::health::limits::CROWDED_PERMILLE;
use crate::health::{self, Seen};
use crate::plan::LoadPlan;
use crate::plan::threshold::Demand;
use crate::verdicts::verdicts;

/// What the figures of a trial tell of latencies.
const METRICS: [&str; 7] = [
    "broadcast.first",
    "broadcast.last",
    "broadcast.last.raw",
    "broadcast.median",
    "request",
    "request.raw",
    "send_lateness",
];

/// A cluster that answers fewer of a hundred sends than this while they go on falls behind, even if
/// no latency has grown long yet.
const ANSWERED_MIN: f64 = 0.95;

/// What a reason is about that lies with the generator. It says why nobody can tell, or why a trial that broke
/// is doubtful, and never what broke.
pub const GENERATOR: &str = "generator";

/// What a generator must not have been short of.
const FATAL: [&str; 4] = [
    "files_exhausted",
    "ports_exhausted",
    "segments_resent",
    "stall_us_max",
];

/// What must hold of every trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Demands {
    /// Of its figures: those that were asked for, and those of the plan.
    pub figures: Vec<Demand>,
    /// Checks of the audit that decide nothing.
    pub except: Vec<String>,
    /// A trial that broke counts as such even if it may have been the generator.
    pub trusts_generator: bool,
}

/// A trial that is over.
#[derive(Clone, Debug)]
pub struct Tried {
    /// What was measured.
    pub finished: Finished,
    /// Processor time while the figures were taken, where it can be told.
    pub cpu: Option<CpuTime>,
}

/// Processor time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuTime {
    /// Of the servers, if their processes are known.
    pub servers: Option<Duration>,
    /// Of the generator.
    pub generator: Duration,
    /// How much of the machine's processors was used by neither, in thousandths; known only if both are on
    /// this machine.
    pub strangers_permille: Option<u64>,
}

/// Judges a trial of `plan` whose figures are of `window`.
pub fn judge(
    plan: &LoadPlan,
    window: Window,
    demands: &Demands,
    tried: &Tried,
) -> (Verdict, Vec<Reason>, TrialFigures) {
    let figures = figures(window, demands, tried);
    if let Ending::Invalid { reason: why } = &tried.finished.ending {
        return (
            Verdict::Unknown,
            vec![reason(GENERATOR, why.clone())],
            figures,
        );
    }
    let mut broken = broken(plan, demands, &tried.finished);
    for threshold in figures.thresholds.iter().filter(|it| !it.holds) {
        broken.push(reason(&threshold.metric, was(threshold)));
    }
    if figures.accepted_per_s < figures.sends_per_s * ANSWERED_MIN {
        let what = format!(
            "of {:.0} sends per second only {:.0} were answered: the cluster fell behind",
            figures.sends_per_s, figures.accepted_per_s
        );
        broken.push(reason("answered", what));
    }
    let mut doubts = Vec::new();
    // Where messages are missing, so are their latencies: that is what broke, and no doubt.
    if broken.iter().all(|it| is_figure(&figures, it)) {
        doubts.extend(mismatch(&figures));
    }
    if !doubts.is_empty() {
        return (Verdict::Unknown, doubts, figures);
    }
    if broken.is_empty() {
        return (Verdict::Held, broken, figures);
    }
    let seen = Seen::after(&tried.finished.measured, &tried.finished.processes, false);
    let health = health::judge(&seen).health;
    let measures: Vec<&Measure> = health
        .iter()
        .flat_map(|process| &process.measures)
        .collect();
    let handicaps = measures.iter().filter_map(|it| handicap(it));
    doubts.extend(handicaps.map(|text| reason(GENERATOR, text)));
    let late = lateness(&figures, &broken, &measures).map(|text| reason(GENERATOR, text));
    let is_alone = tried.cpu.and_then(|cpu| cpu.strangers_permille);
    let is_alone = is_alone.is_some_and(|strangers| strangers <= CROWDED_PERMILLE);
    let is_doubtful = !doubts.is_empty() || (late.is_some() && !is_alone);
    doubts.extend(late);
    if is_doubtful && !demands.trusts_generator {
        return (Verdict::Unknown, doubts, figures);
    }
    broken.extend(doubts);
    (Verdict::Broke, broken, figures)
}

/// The figures of what was heard and answered from when the warm-up was over, until the last delivery of what was sent
/// then. Rates are of the window alone.
fn figures(window: Window, demands: &Demands, tried: &Tried) -> TrialFigures {
    let measured = &tried.finished.measured;
    let row = |at: Duration| {
        let number = at.as_millis() / measured.interval().as_millis();
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    let (from, until) = (row(window.from), row(window.until));
    let rows = |name: &str| -> u64 {
        let rows = measured.rows.range(from..until);
        rows.filter_map(|(_, row)| row.counts.get(name)).sum()
    };
    let window_s = window.len().as_secs_f64().max(1e-9);
    let per_s = |name: &str| rows(name) as f64 / window_s;
    let mut late = measured.clone();
    late.rows.retain(|number, _| *number >= from);
    let mut inside = Measured::new(measured.interval());
    let counted = late.rows.range(..until);
    inside.rows = counted
        .map(|(number, row)| (*number, row.clone()))
        .collect();
    let thresholds = demands
        .figures
        .iter()
        .map(|it| Threshold::judged(&it.metric, it.unit, it.comparison, it.bound, &late));
    let latencies = METRICS.into_iter().filter_map(|metric| {
        let figures = late.latencies(metric).figures()?;
        Some((metric.to_owned(), figures))
    });
    let times = inside.latencies("request.raw");
    TrialFigures {
        window_us: window.len().as_micros() as u64,
        sends_per_s: per_s("sends_total"),
        accepted_per_s: per_s("sends_accepted"),
        deliveries_per_s: per_s("deliveries_total"),
        thresholds: thresholds.collect(),
        latencies: latencies.collect(),
        little: little::check(rows("sends_open_us"), &times, window.len()),
        cpu: tried
            .cpu
            .and_then(|cpu| cpu.per_delivery(rows("deliveries_total"))),
    }
}

/// What of the audit did not hold.
fn broken(plan: &LoadPlan, demands: &Demands, finished: &Finished) -> Vec<Reason> {
    let (verdicts, _) = verdicts(plan, finished);
    let broken = verdicts.into_iter().filter(|it| !it.holds);
    let broken = broken.filter(|it| !demands.except.contains(&it.name));
    let told = broken.map(|it| {
        let first = it.evidence.first().cloned().unwrap_or_default();
        reason(
            &it.name,
            format!("it did not hold that {}: {first}", it.demands),
        )
    });
    told.collect()
}

/// Whether what broke is one of the figures that were demanded.
fn is_figure(figures: &TrialFigures, reason: &Reason) -> bool {
    let mut thresholds = figures.thresholds.iter();
    thresholds.any(|it| it.metric == reason.what)
}

/// Whether the latencies are not those of what was under way.
fn mismatch(figures: &TrialFigures) -> Option<Reason> {
    let little = figures.little.filter(|little| !little.holds)?;
    let text = format!(
        "by Little's law {:.2} requests were under way, but {:.2} were counted: the latencies are not those of all \
         requests",
        little.product(),
        little.in_flight
    );
    Some(reason(GENERATOR, text))
}

/// What of the generator breaks anything, however much the cluster can do. That it was late is another
/// matter: by how much is known.
fn handicap(measure: &Measure) -> Option<String> {
    let is_fatal = FATAL.contains(&measure.name.as_str());
    let limit = measure
        .limit
        .filter(|limit| is_fatal && measure.value > *limit)?;
    let (name, value) = (&measure.name, measure.value);
    Some(format!(
        "the generator's {name} was {value}, more than {limit}"
    ))
}

/// Whether all would have held, had every send been sent when it was due and everything been heard when
/// it came.
fn lateness(figures: &TrialFigures, broken: &[Reason], measures: &[&Measure]) -> Option<String> {
    let sends_us = figures.latencies.get("send_lateness")?.latency_us_p99;
    let turns = measures.iter().filter(|it| it.name == "loop_late_us_p99");
    let turns_us = turns.map(|it| it.value).max().unwrap_or_default();
    let is_own = |reason: &Reason| {
        let mut thresholds = figures.thresholds.iter();
        thresholds.any(|it| it.metric == reason.what && would_hold(it, sends_us + turns_us))
    };
    broken.iter().all(is_own).then(|| {
        let (sends, turns) = (Duration::from_micros(sends_us), Duration::from_micros(turns_us));
        format!(
            "the generator was late by {sends:.1?} to send and by {turns:.1?} to hear (p99), without which all \
             would have held"
        )
    })
}

/// Whether a latency that is too long would not be, were it shorter by `late_us`.
fn would_hold(threshold: &Threshold, late_us: u64) -> bool {
    let is_upper = matches!(threshold.comparison, Comparison::Less | Comparison::AtMost);
    let shorter = threshold.measured.map(|us| us.saturating_sub(late_us));
    threshold.unit == Unit::Us
        && is_upper
        && shorter.is_some_and(|us| threshold.comparison.judge(us, threshold.bound).0)
}

fn was(threshold: &Threshold) -> String {
    let Threshold {
        metric,
        unit,
        comparison,
        bound,
        measured,
        ..
    } = threshold;
    // A reader wants to know by how much, not to the microsecond.
    let shown = |value: u64| match unit {
        Unit::Us => format!("{:.1?}", Duration::from_micros(value)),
        Unit::Count => value.to_string(),
    };
    match measured {
        Some(measured) => {
            let (measured, bound) = (shown(*measured), shown(*bound));
            format!("{metric} was {measured}, not {comparison} {bound}")
        }
        None => format!("there was nothing to take {metric} of"),
    }
}

fn reason(what: &str, text: String) -> Reason {
    Reason {
        what: what.to_owned(),
        text,
    }
}

impl CpuTime {
    /// For each million of `deliveries`; `None` without one.
    fn per_delivery(self, deliveries: u64) -> Option<Cpu> {
        let millions = deliveries as f64 / 1e6;
        (deliveries > 0).then(|| Cpu {
            servers_s_per_million: self.servers.map(|time| time.as_secs_f64() / millions),
            generator_s_per_million: self.generator.as_secs_f64() / millions,
        })
    }
}
