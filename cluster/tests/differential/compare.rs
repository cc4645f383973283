//! Two transcripts against each other, and against the differences between them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::differences::Difference;
use crate::transcript::{Transcript, shown};

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
    let mut known = Vec::from_iter(differences);
    let mut wrong: Vec<(String, String)> = Vec::new();
    assert_eq!(original.len(), ours.len(), "both have played all steps");
    for ((step, original), (_, ours)) in original.iter().zip(ours) {
        let conns: BTreeSet<_> = original.keys().chain(ours.keys()).copied().collect();
        for conn in conns {
            let lines = |told: &std::collections::BTreeMap<_, crate::transcript::Told>| {
                told.get(conn).map(|told| told.lines()).unwrap_or_default()
            };
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
            "differences.rs names it, and nobody was told anything".to_owned(),
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

fn judge(original: &[String], ours: &[String], listed: Option<&Difference>) -> Option<String> {
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
