//! A search as CI servers are told of it: one case for the answer, one for each trial that could not be told.

use std::time::Duration;

use super::text::{self, sentence};
use super::{Capacity, Outcome, Verdict};
use crate::junit::{Case, End, Suite};

/// The suite of a search.
pub fn suite(capacity: &Capacity) -> Suite {
    let elapsed = Duration::from_micros(capacity.elapsed_us);
    let mut cases = vec![Case {
        name: "capacity".to_owned(),
        took: elapsed,
        end: end(capacity),
    }];
    for (trial, number) in capacity.trials.iter().zip(1..) {
        let rate = text::rate(trial.rate_per_s);
        let reason = trial.reasons.first().map(|it| it.text.clone());
        cases.push(Case {
            name: format!("trial {number} at {rate} per second"),
            took: Duration::from_micros(trial.figures.window_us),
            end: match trial.verdict {
                // One that broke did what it was for: it bounds the answer.
                Verdict::Held | Verdict::Broke => End::Passed,
                Verdict::Unknown => End::Skipped {
                    message: reason.unwrap_or_default(),
                },
            },
        });
    }
    Suite {
        name: capacity.name.clone(),
        cases,
    }
}

fn end(capacity: &Capacity) -> End {
    let message = sentence(capacity);
    match capacity.answer.outcome {
        Outcome::Found | Outcome::AtLeast => End::Passed,
        Outcome::Below => End::Failed {
            text: format!(
                "{}\nrepeat: {}",
                capacity.answer.because.as_deref().unwrap_or_default(),
                capacity.command
            ),
            message,
        },
        Outcome::Generator | Outcome::Undecided => End::Skipped { message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::curve::Curve;
    use crate::capacity::{Answer, SCHEMA};
    use crate::run::Program;

    fn capacity(outcome: Outcome) -> Capacity {
        Capacity {
            schema: SCHEMA,
            name: "capacity-1-1".to_owned(),
            program: Program {
                name: "loadgen".to_owned(),
                version: "0.1.0".to_owned(),
            },
            seed: 1,
            command: "loadgen capacity".to_owned(),
            date: "1970-01-01T00:00:00Z".to_owned(),
            elapsed_us: 5_000_000,
            partial: false,
            options: Default::default(),
            answer: Answer {
                outcome,
                held: None,
                broke: None,
                broke_first: None,
                because: Some("too slow".to_owned()),
                at_held: None,
            },
            trials: Vec::new(),
            curve: Curve::default(),
            cost: None,
            warnings: Vec::new(),
            environment: Default::default(),
        }
    }

    #[test]
    fn only_a_cluster_that_breaks_at_every_rate_fails_and_what_is_not_known_is_skipped() {
        let end = |outcome| suite(&capacity(outcome)).cases[0].end.clone();
        assert_eq!(end(Outcome::Found), End::Passed);
        assert_eq!(end(Outcome::AtLeast), End::Passed);
        assert!(matches!(end(Outcome::Generator), End::Skipped { .. }));
        assert!(matches!(end(Outcome::Undecided), End::Skipped { .. }));
        let End::Failed { text, .. } = end(Outcome::Below) else {
            panic!("it breaks at every rate");
        };
        assert_eq!(text, "too slow\nrepeat: loadgen capacity");
    }
}
