//! Two transcripts against each other, and against the differences between them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::differences::Difference;
use crate::script::Conn;
use crate::transcript::{Told, Transcript, shown};

/// Holds if the transcripts are the same but for `differences`, all of them.
///
/// # Errors
///
/// Says what was told differently, the first in full.
pub fn compare(
    original: &Transcript,
    ours: &Transcript,
    differences: &[Difference],
) -> Result<(), String> {
    let known = differences.iter().flat_map(Listed::all);
    let mut known: Vec<_> = known.collect();
    let mut wrong: Vec<(String, String)> = Vec::new();
    assert_eq!(original.len(), ours.len(), "both have played all steps");
    for ((step, original), (_, ours)) in original.iter().zip(ours) {
        let conns: BTreeSet<_> = original.keys().chain(ours.keys()).copied().collect();
        for conn in conns {
            let lines =
                |told: &BTreeMap<Conn, Told>| told.get(conn).map(Told::lines).unwrap_or_default();
            let (original, ours) = (lines(original), lines(ours));
            let listed = known
                .iter()
                .position(|it| (it.step, it.conn) == (step, conn));
            let listed = listed.map(|index| known.remove(index));
            if let Some(problem) = judge(&original, &ours, listed) {
                wrong.push((format!("step \"{step}\", connection {conn}"), problem));
            }
        }
    }
    for unseen in known {
        let place = format!("step \"{}\", connection {}", unseen.step, unseen.conn);
        wrong.push((
            place,
            "differences.rs names it, and neither cluster tells anything".to_owned(),
        ));
    }
    let Some(((place, problem), rest)) = wrong.split_first() else {
        return Ok(());
    };
    let mut message = format!("at {place}: {problem}");
    if !rest.is_empty() {
        writeln!(message, "and {} more:", rest.len()).expect("a string takes all");
        for (place, _) in rest {
            writeln!(message, "    {place}").expect("a string takes all");
        }
    }
    Err(message)
}

/// What one connection is told differently in one step.
struct Listed {
    step: &'static str,
    conn: Conn,
    original: &'static [&'static str],
    ours: &'static [&'static str],
    because: &'static str,
}

impl Listed {
    fn all(difference: &Difference) -> impl Iterator<Item = Self> {
        let Difference { step, because, .. } = *difference;
        let told = difference.told.iter();
        told.map(move |&(conn, original, ours)| Self {
            step,
            conn,
            original,
            ours,
            because,
        })
    }
}

fn judge(original: &[String], ours: &[String], listed: Option<Listed>) -> Option<String> {
    let both = || {
        format!(
            "  the original\n{}  this cluster\n{}",
            shown(original),
            shown(ours)
        )
    };
    match listed {
        None if original == ours => None,
        None => Some(format!("not the same\n{}", both())),
        Some(_) if original == ours => Some(format!(
            "differences.rs names it, and both are told the same\n{}",
            both()
        )),
        Some(listed) if original != listed.original || ours != listed.ours => Some(format!(
            "not as differences.rs has it ({})\n{}",
            listed.because,
            both()
        )),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Difference = Difference {
        step: "b enters",
        because: "G4",
        told: &[("b", &["{}"], &["500"])],
    };

    #[test]
    fn the_same_is_the_same() {
        let hello = || transcript(&[("a enters", "a", "{}")]);
        assert_eq!(compare(&hello(), &hello(), &[]), Ok(()));
    }

    #[test]
    fn a_difference_that_is_listed_is_allowed() {
        let original = transcript(&[("a enters", "a", "{}"), ("b enters", "b", "{}")]);
        let ours = transcript(&[("a enters", "a", "{}"), ("b enters", "b", "500")]);
        assert_eq!(compare(&original, &ours, &[KNOWN]), Ok(()));
        let error = compare(&original, &ours, &[]).unwrap_err();
        let expected = "at step \"b enters\", connection b: not the same\n\
                        \x20 the original\n    {}\n  this cluster\n    500\n";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_difference_must_be_as_it_is_listed() {
        let original = transcript(&[("b enters", "b", "{}")]);
        for (ours, expected) in [
            ("501", "not as differences.rs has it (G4)"),
            ("{}", "both are told the same"),
        ] {
            let ours = transcript(&[("b enters", "b", ours)]);
            let error = compare(&original, &ours, &[KNOWN]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_listed_difference_must_occur() {
        let hello = || transcript(&[("a enters", "a", "{}")]);
        let error = compare(&hello(), &hello(), &[KNOWN]).unwrap_err();
        assert!(error.contains("neither cluster tells anything"), "{error}");
    }

    #[test]
    fn who_is_told_nothing_by_one_cluster_is_missed() {
        let original = transcript(&[("a enters", "a", "{}"), ("b enters", "b", "{}")]);
        let mut ours = transcript(&[("a enters", "a", "{}"), ("b enters", "b", "{}")]);
        ours[1].1.clear();
        for (original, ours) in [(&original, &ours), (&ours, &original)] {
            let error = compare(original, ours, &[]).unwrap_err();
            assert!(error.contains("    nothing\n"), "{error}");
        }
    }

    fn transcript(told: &[(&'static str, Conn, &str)]) -> Transcript {
        let steps = told.iter().map(|&(step, conn, answer)| {
            let told = Told {
                heard: vec![(Some(1), answer.to_owned())],
                ..Told::default()
            };
            (step, BTreeMap::from([(conn, told)]))
        });
        steps.collect()
    }
}
