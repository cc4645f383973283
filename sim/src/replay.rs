//! Whether the run of a capsule is still the same run: it is done again and compared with what is
//! written down of it, event by event and promise by promise.

use std::fmt::{self, Write};
use std::ops::Range;
use std::time::Duration;

use crate::capsule::{Capsule, Verdict};
use crate::clock::clock;
use crate::run::{self, Outcome};
use crate::trace::time;
use crate::versions::versions;

/// What became of the run of a capsule.
#[derive(Debug)]
pub struct Replay {
    /// The run as it is now, with its trace.
    pub outcome: Outcome,
    /// In what it is another; `None` if it is the same, to the last bit and word.
    pub difference: Option<Difference>,
}

/// In what a run is another than it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Something else happened.
    Events {
        /// The events, counted from 0, of which the first that differs is one.
        range: Range<u64>,
        /// The simulated time of the first of them, in this run. `None` if it has no such event.
        at: Option<Duration>,
        /// These events in this run, as lines of a trace. Fewer if it ended before.
        lines: Vec<String>,
    },
    /// The same happened, and something else is said of it.
    Verdict,
}

impl Replay {
    /// Does the run of `capsule` again.
    pub fn of(capsule: &Capsule) -> Self {
        let outcome = run::run(&capsule.case, true);
        let difference = match capsule.chain.parting(&outcome.chain) {
            Some(range) => {
                let trace = outcome.trace.as_deref().unwrap_or_default();
                Some(Difference::events(range, trace))
            }
            None if capsule.verdict != Verdict::of(&outcome) => Some(Difference::Verdict),
            None => None,
        };
        Self {
            outcome,
            difference,
        }
    }

    /// What there is to say of it, in a few lines.
    pub fn told(&self, capsule: &Capsule) -> String {
        let Some(difference) = &self.difference else {
            let events = capsule.chain.events;
            return format!("the same run: all {events} events are those of the capsule");
        };
        let mut told = difference.to_string();
        if let Difference::Events { .. } = difference {
            let (then, now) = (&capsule.chain, &self.outcome.chain);
            let _ = write!(
                told,
                "\nthen: {} events, trace {:016x}\nnow:  {} events, trace {:016x}",
                then.events, then.hash, now.events, now.hash,
            );
        }
        let _ = write!(told, "\n{}", self.what_is_wrong_now(capsule));
        for (name, now) in versions() {
            let then = capsule.versions.get(&name).map_or("none", String::as_str);
            if then != now {
                let _ = write!(told, "\n{name} was {then} then, and is {now} now");
            }
        }
        told
    }

    fn what_is_wrong_now(&self, capsule: &Capsule) -> String {
        let mine = Verdict::of(&self.outcome);
        let (then, now) = (wrong(&capsule.verdict), wrong(&mine));
        if mine.holds() {
            format!("it holds now, and broke {then} then")
        } else if now == then {
            format!("it still breaks {now}")
        } else {
            format!("it breaks {now} now, and broke {then} then")
        }
    }
}

impl Difference {
    fn events(range: Range<u64>, trace: &[u8]) -> Self {
        let trace = String::from_utf8_lossy(trace);
        let number = |event| usize::try_from(event).unwrap_or(usize::MAX);
        let lines = trace.lines().skip(number(range.start));
        let lines: Vec<_> = lines.take(number(range.end - range.start)).collect();
        let before = trace.lines().take(number(range.start) + 1);
        let at = before.filter_map(time).last().filter(|_| !lines.is_empty());
        Self::Events {
            range,
            at,
            lines: lines.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// The promises that were broken, or that the run broke off.
fn wrong(verdict: &Verdict) -> String {
    let broken = verdict.violations.iter();
    let mut wrong: Vec<_> = broken.map(|it| it.guarantee.to_string()).collect();
    wrong.dedup();
    let missed = verdict.missed.iter();
    wrong.extend(missed.map(|_| String::from("nothing, which it should have")));
    let broke_off = verdict.broke_off.iter();
    wrong.extend(broke_off.map(|_| String::from("off")));
    if wrong.is_empty() {
        return String::from("nothing");
    }
    wrong.join(" and ")
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Events { range, at, lines } = self else {
            return write!(out, "the same run, of which something else is said now");
        };
        write!(out, "another run: ")?;
        match range.end - range.start {
            1 => write!(out, "the first event that differs is line {}", range.end)?,
            _ => write!(
                out,
                "the first event that differs is one of the lines {} to {}",
                range.start + 1,
                range.end
            )?,
        }
        write!(out, " of its trace")?;
        match at {
            Some(at) => write!(out, ", at {}:", clock(*at))?,
            None => write!(out, ", before which this run ends")?,
        }
        for line in lines {
            write!(out, "\n  {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use crate::scenario;

    /// A run that is cut off in the middle, so that its servers still hold what they should not.
    fn capsule() -> Capsule {
        let mut case = Case::draw(&scenario::built_in()[0], 7);
        case.times.ended_at = Duration::from_secs(3);
        Capsule::of(&run::run(&case, false), String::new()).expect("it failed")
    }

    fn replay(capsule: &Capsule) -> (Option<Difference>, String) {
        let replay = Replay::of(capsule);
        let told = replay.told(capsule);
        (replay.difference, told)
    }

    #[test]
    fn the_run_of_a_capsule_is_the_same_again() {
        let (difference, told) = replay(&capsule());
        assert_eq!(difference, None, "{told}");
        assert!(told.starts_with("the same run: all "), "{told}");
    }

    #[test]
    fn another_run_is_told_with_the_first_event_that_differs() {
        let mut capsule = capsule();
        let trace = |case: &Case| {
            let trace = run::run(case, true).trace.unwrap_or_default();
            String::from_utf8_lossy(&trace).into_owned()
        };
        let then = trace(&capsule.case);
        capsule.case.scripts[1].actions[0].at += Duration::from_millis(30);
        let now = trace(&capsule.case);
        let same = then.lines().zip(now.lines());
        let same = same.take_while(|(then, now)| then == now).count();
        let line = now.lines().nth(same).unwrap_or_default();
        let at = time(line);
        assert!(same > 20 && at.is_some(), "{same}: {line}");

        let (difference, told) = replay(&capsule);
        let range = same as u64..same as u64 + 1;
        let lines = vec![line.to_owned()];
        assert_eq!(difference, Some(Difference::Events { range, at, lines }));
        assert!(
            told.contains("it still breaks G10 liveness and G11 clean"),
            "{told}"
        );
    }

    #[test]
    fn a_run_that_ends_earlier_is_told_with_where() {
        let mut capsule = capsule();
        capsule.case.times.ended_at = Duration::from_secs(2);
        capsule
            .versions
            .insert(String::from("tokio"), String::from("0.1"));
        let (_, told) = replay(&capsule);
        assert!(
            told.contains("before which this run ends\nthen: "),
            "{told}"
        );
        assert!(told.contains("tokio was 0.1 then, and is 1."), "{told}");
    }

    #[test]
    fn the_same_run_that_is_judged_in_another_way_is_told_too() {
        let mut capsule = capsule();
        capsule.verdict = Verdict {
            broke_off: Some(String::from("panic")),
            ..Verdict::default()
        };
        let (difference, told) = replay(&capsule);
        assert_eq!(difference, Some(Difference::Verdict));
        assert!(
            told.contains("and G11 clean now, and broke off then"),
            "{told}"
        );
        capsule.verdict = Verdict::default();
        let (_, told) = replay(&capsule);
        assert!(
            told.contains("and G11 clean now, and broke nothing then"),
            "{told}"
        );
    }
}
