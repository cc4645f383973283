//! A comparison as CI servers are told of it: a case for all of it, and one for each figure.

use std::time::Duration;

use super::text::{self, sentence};
use super::{Ab, Decision, Metric, Verdict};
use crate::junit::{Case, End, Suite};

/// The suite of a comparison.
pub fn suite(ab: &Ab) -> Suite {
    let case = |name: &str, end| Case {
        name: name.to_owned(),
        took: Duration::ZERO,
        end,
    };
    let mut cases = vec![case("comparison", whole(ab))];
    let metrics = ab.metrics.iter();
    cases.extend(metrics.map(|metric| case(&metric.metric, figure(ab, metric))));
    Suite {
        name: ab.name.clone(),
        cases,
    }
}

fn whole(ab: &Ab) -> End {
    let (verdict, sentence) = (ab.verdict.name(), sentence(ab));
    let message = format!("{verdict}: {sentence}");
    let mut lines = ab.reasons.clone();
    if ab.verdict != Verdict::Invalid {
        let figures = ab.metrics.iter();
        lines.extend(figures.map(|it| format!("{}: {}", it.metric, text::interval(ab, it))));
    }
    lines.push(format!("repeat: {}", ab.command));
    let text = lines.join("\n");
    match ab.verdict {
        Verdict::Pass => End::Passed,
        Verdict::Fail => End::Failed { message, text },
        Verdict::Invalid => End::Error { message, text },
        Verdict::Inconclusive => End::Skipped { message },
    }
}

fn figure(ab: &Ab, metric: &Metric) -> End {
    let message = text::interval(ab, metric);
    match metric.decision {
        _ if ab.verdict == Verdict::Invalid => End::Skipped {
            message: String::from("it says nothing: the comparison is INVALID"),
        },
        Decision::Pass => End::Passed,
        Decision::Fail => End::Failed {
            text: format!("{message}\nrepeat: {}", ab.command),
            message,
        },
        Decision::Inconclusive { .. } => End::Skipped { message },
    }
}
