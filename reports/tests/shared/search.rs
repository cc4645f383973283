//! A search for a capacity that never was, with something of everything.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::capacity::curve::{Curve, Fit, Law, Peak};
use reports::capacity::{
    Answer, AtHeld, Capacity, Cpu, End, Little, Outcome, Phase, Reason, SCHEMA, Trial,
    TrialFigures, Verdict,
};
use reports::latency::Latencies;
use reports::measured::fit::Line;
use reports::run::Program;
use reports::run::threshold::{Comparison, Threshold, Unit};
use serde_json::Value;

/// A search on a cluster whose knee is at `knee` sends per second.
pub fn search(name: &str, knee: f64) -> Capacity {
    let rates = [
        (Phase::Climb, 0.25),
        (Phase::Climb, 0.5),
        (Phase::Climb, 0.98),
        (Phase::Climb, 2.0),
        (Phase::Bisect, 1.4),
        (Phase::Bisect, 1.2),
        (Phase::Bisect, 1.02),
        (Phase::Confirm, 0.98),
        (Phase::Confirm, 1.02),
    ];
    let trials: Vec<Trial> = rates
        .into_iter()
        .zip(1..)
        .map(|((phase, share), number)| trial(phase, share, knee, number))
        .collect();
    let end = |rate_per_s, held, broke| End {
        rate_per_s,
        held,
        broke,
        sure_percent: 87,
        confirmed: true,
    };
    Capacity {
        schema: SCHEMA,
        name: name.to_owned(),
        program: Program {
            name: "loadgen".to_owned(),
            version: "0.1.0".to_owned(),
        },
        seed: 7,
        command: "cargo loadgen capacity".to_owned(),
        date: "2023-11-14T22:13:20Z".to_owned(),
        elapsed_us: 187_000_000,
        partial: false,
        options: BTreeMap::from([
            ("plan".to_owned(), Value::from("capacity")),
            ("users".to_owned(), Value::from(1000)),
        ]),
        answer: Answer {
            outcome: Outcome::Found,
            held: Some(end(knee * 0.98, 2, 0)),
            broke: Some(end(knee * 1.02, 0, 2)),
            broke_first: Some("broadcast.last.p99".to_owned()),
            because: Some("broadcast.last.p99 was 118ms, not < 100ms".to_owned()),
            at_held: Some(AtHeld {
                deliveries_per_s: knee * 0.98 * 20.0,
                cpu: Some(cpu(knee)),
            }),
        },
        trials,
        curve: Curve {
            law: Some(Law {
                gamma: knee / 1.5,
                sigma: 0.4,
                kappa: 0.002,
            }),
            fit: Some(Fit {
                points: 8,
                r_squared: 0.987,
                residual_per_s: knee / 40.0,
                residuals_per_s: vec![1.5, -2.25],
                in_flight_max: 50.5,
                peak: Some(Peak {
                    per_s: knee * 1.1,
                    in_flight: Some(17.25),
                    error_per_s: knee / 30.0,
                }),
            }),
            meaningless: None,
        },
        cost: Some(Line {
            a_us: 8700.5,
            b_us: 41.25,
            residual_us: 5200.75,
            r_squared: 0.125,
        }),
        warnings: vec!["the machine was shared".to_owned()],
        environment: BTreeMap::from([("processors".to_owned(), "2".to_owned())]),
    }
}

fn cpu(knee: f64) -> Cpu {
    Cpu {
        servers_s_per_million: Some(30_000.0 / knee),
        generator_s_per_million: 22.5,
    }
}

/// The trial at this share of the knee; the sixth can't be told.
fn trial(phase: Phase, share: f64, knee: f64, number: u64) -> Trial {
    let rate = (share * knee).round();
    let per_s = rate.min(knee * 1.05);
    let in_flight = if share < 1.05 {
        share / (1.08 - share)
    } else {
        share * 100.0
    };
    let mean_us = (in_flight / per_s * 1e6).round();
    let p99_us = (mean_us * 4.6) as u64;
    let (verdict, reasons) = match (number, share > 1.0) {
        (6, _) => (
            Verdict::Unknown,
            vec![reason("generator", "the generator was late")],
        ),
        (_, true) => {
            let text = "broadcast.last.p99 was too long";
            (Verdict::Broke, vec![reason("broadcast.last.p99", text)])
        }
        (_, false) => (Verdict::Held, Vec::new()),
    };
    let mut last = Latencies::new();
    for us in [p99_us / 4, p99_us] {
        last.record(Duration::from_micros(us));
    }
    let latencies = [("broadcast.last".to_owned(), last.figures())];
    let latencies = latencies
        .into_iter()
        .filter_map(|(name, it)| Some((name, it?)));
    Trial {
        phase,
        rate_per_s: rate,
        seed: 6 + number,
        verdict,
        reasons,
        figures: TrialFigures {
            window_us: 10_000_000,
            sends_per_s: rate * 0.999,
            accepted_per_s: per_s,
            deliveries_per_s: per_s * 20.0,
            thresholds: vec![Threshold {
                metric: "broadcast.last.p99".to_owned(),
                unit: Unit::Us,
                comparison: Comparison::Less,
                bound: 100_000,
                measured: Some(p99_us),
                margin: Some(100_000 - p99_us as i64),
                holds: p99_us < 100_000,
            }],
            latencies: latencies.collect(),
            little: Some(Little {
                in_flight,
                per_s,
                mean_us,
                off_percent: 0.25,
                holds: true,
            }),
            cpu: Some(cpu(knee)),
        },
    }
}

fn reason(what: &str, text: &str) -> Reason {
    Reason {
        what: what.to_owned(),
        text: text.to_owned(),
    }
}
