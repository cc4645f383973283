//! A comparison for CI servers: a case for each run.

use std::time::Duration;

use super::Comparison;
use super::runs::Compared;
use crate::junit::{Case, End, Suite, xml};

/// The XML of `comparison`: runs that are not as demanded have failed, those without a counterpart are
/// skipped.
pub fn junit(comparison: &Comparison) -> String {
    let case = |run: &Compared| Case {
        name: format!("{} seed {}", run.scenario, run.seed),
        took: Duration::ZERO,
        end: end(comparison, run),
    };
    let unpaired = comparison.unpaired.iter().map(|told| Case {
        name: told.clone(),
        took: Duration::ZERO,
        end: End::Skipped {
            message: String::from("there is nothing to compare it with"),
        },
    });
    let cases = comparison.runs.iter().map(case).chain(unpaired).collect();
    let suite = Suite {
        name: format!(
            "{} against {}",
            comparison.new.folder, comparison.base.folder
        ),
        cases,
    };
    xml("reports compare", &[suite])
}

fn end(comparison: &Comparison, run: &Compared) -> End {
    if run.identical || comparison.passes() {
        return End::Passed;
    }
    let first = run.first.as_ref().map(|first| first.told.clone());
    if run.drawn_otherwise {
        return End::Skipped {
            message: String::from("it was drawn otherwise"),
        };
    }
    End::Failed {
        message: first.unwrap_or_else(|| String::from("something differs that is no message")),
        text: run.replay.join("\n"),
    }
}
