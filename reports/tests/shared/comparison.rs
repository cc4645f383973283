//! A comparison of two builds.

use std::collections::BTreeMap;

use reports::ab::{Ab, Build, Decision, Interval, Metric, Pair, SCHEMA, Trial, Unit, Verdict};
use reports::run::Program;
use serde_json::Value;

/// What the pairs are compared in.
pub const METRIC: &str = "broadcast.last.p50";

fn trial(run: &str, us: u64) -> Trial {
    Trial {
        run: run.to_owned(),
        broken: Vec::new(),
        latencies_us: BTreeMap::from([(METRIC.to_owned(), us)]),
    }
}

/// Two pairs, which do not tell.
pub fn ab() -> Ab {
    let pair = |first, base, new| Pair {
        seed: 7,
        first,
        base: trial("01-base", base),
        new: trial("02-new", new),
    };
    Ab {
        schema: SCHEMA,
        name: "ab-7-1".to_owned(),
        program: Program {
            name: "loadgen".to_owned(),
            version: "0.1.0".to_owned(),
        },
        command: "cargo loadgen ab --base old --new new".to_owned(),
        date: "2026-01-01T00:00:00Z".to_owned(),
        base: "old".to_owned(),
        new: "new\u{1b}[31m".to_owned(),
        plan: BTreeMap::from([("users".to_owned(), Value::from(200))]),
        effect: "10%".to_owned(),
        confidence_percent: 95.0,
        pairs: vec![pair(Build::Base, 1000, 1500), pair(Build::New, 2000, 2500)],
        discarded: vec!["03-base: late".to_owned()],
        metrics: vec![Metric {
            metric: METRIC.to_owned(),
            unit: Unit::Percent,
            interval: Interval {
                estimate: 36.9,
                low: -3.0,
                high: 93.4,
                limit: 10.0,
            },
            decision: Decision::Inconclusive {
                pairs_needed: Some(6),
            },
        }],
        verdict: Verdict::Inconclusive,
        reasons: Vec::new(),
    }
}
