//! What the broken promise itself tells of what matters: who is named in it, and when it showed.

use std::time::Duration;

use super::spells;
use super::trial::Candidates;
use super::users;
use crate::case::Case;
use crate::guarantees::Violation;

/// Cases with no users but those whom `violation` names, or in which nothing happens once it has
/// shown: both, then either.
pub fn nearer<'a>(case: &Case, violation: &Violation) -> Candidates<'a> {
    let named = with_named(case, &violation.what);
    let both = until(&named, violation.at);
    Box::new([both, named, until(case, violation.at)].into_iter())
}

/// `case` with probes and no other users but those that `told` names.
fn with_named(case: &Case, told: &str) -> Case {
    let words = || {
        told.split_whitespace()
            .map(|word| word.trim_matches(|it| "(),:;.".contains(it)))
    };
    let mut scripts = case.scripts.clone();
    scripts.retain(|script| {
        // As in `u3.1`, a session of user 3, or `u3.1.7`, a message of it.
        let number = format!("u{}.", script.user);
        let is_named = |word: &str| word == script.name || word.starts_with(&number);
        case.is_probe(script.user) || words().any(is_named)
    });
    users::with(case, &scripts)
}

/// `case` without what begins after `end`.
fn until(case: &Case, end: Duration) -> Case {
    let mut spells = spells::of(case);
    spells.retain(|spell| spell.at <= end);
    let all = users::needless(case);
    let mut kept = all.clone();
    kept.retain(|place| users::action(case, *place).at <= end);
    let mut case = users::with_actions(case, &all, &kept);
    spells::set(&mut case, &spells);
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::Guarantee;
    use crate::scenario;

    #[test]
    fn who_is_named_stays_with_what_was_before_and_probes_stay_as_they_are() {
        let scenario = scenario::find("random-mix").expect("it is built in");
        let case = Case::draw(&scenario, 7);
        let violation = Violation {
            guarantee: Guarantee::TrueNotices,
            at: Duration::from_secs(5),
            what: String::from("user-1 (u1.1) in room-1 believes in user-12, who heard u3.1.4"),
        };
        let nearer: Vec<Case> = nearer(&case, &violation).collect();
        let probes: Vec<_> = case
            .scripts
            .iter()
            .filter(|it| case.is_probe(it.user))
            .collect();
        let named = |case: &Case| {
            let named = case.scripts.iter().filter(|it| !case.is_probe(it.user));
            named.map(|script| script.user).collect::<Vec<_>>()
        };
        let is_short = |case: &Case| {
            let all = users::needless(case).into_iter();
            let mut times = all.map(|place| users::action(case, place).at);
            let faults = spells::of(case);
            times.all(|at| at <= violation.at) && faults.iter().all(|it| it.at <= violation.at)
        };
        assert!(!is_short(&case) && named(&case).len() > 3);
        for (nearer, (is_named, ends)) in
            nearer
                .iter()
                .zip([(true, true), (true, false), (false, true)])
        {
            assert_eq!(named(nearer) == [1, 3, 12], is_named);
            assert_eq!(is_short(nearer), ends);
            assert!(probes.iter().all(|probe| nearer.scripts.contains(probe)));
        }
    }
}
