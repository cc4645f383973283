//! Shorter and rounder times of a case. The time after everything is healed is left alone: as long
//! as it is, the cluster may take to recover.

use std::iter;
use std::ops::Range;
use std::time::Duration;

use super::spells::{self, Spell};
use super::trial::Candidates;
use crate::case::Case;

/// Times are whole multiples of it, if they can be; the shortest time in which nothing happens.
const STEP: Duration = Duration::from_millis(100);

/// Cases in which one fault lasts shorter, the shortest first.
pub fn with_shorter_faults(case: &Case) -> Candidates<'_> {
    let all = spells::of(case);
    let mut shorter = Vec::new();
    for (index, spell) in all.iter().enumerate() {
        let until = spell.until.unwrap_or(case.times.healed_at);
        let lasts = until.saturating_sub(spell.at);
        let less = [STEP, round(lasts / 4), round(lasts / 2)].into_iter();
        let less = less.filter(|less| *less < lasts && !less.is_zero());
        shorter.extend(less.map(|less| (index, spell.at + less)));
    }
    Box::new(shorter.into_iter().map(move |(index, until)| {
        let mut all = all.clone();
        all[index].until = Some(until);
        with(case, &all)
    }))
}

/// Cases in which a time goes in which nothing happens: all such times, then one of them.
pub fn with_shorter_gaps(case: &Case) -> Candidates<'_> {
    // From the last to the first, so that the times before stay what they are.
    let gaps: Vec<_> = gaps(case).into_iter().rev().collect();
    let all = [STEP, STEP * 5].map(|left| {
        let gaps = gaps.iter().filter(|gap| gap.1 - gap.0 >= left + STEP);
        gaps.fold(case.clone(), |case, gap| with_gap(&case, *gap, left))
    });
    let each = gaps.into_iter().flat_map(move |(from, until)| {
        let left = [STEP, round((until - from) / 2)].into_iter();
        let left = left.filter(move |left| until - from >= *left + STEP);
        left.map(move |left| with_gap(case, (from, until), left))
    });
    Box::new(all.into_iter().chain(each))
}

/// Cases with rounder times: all of them, then one of them.
pub fn with_round_times(case: &Case) -> Candidates<'_> {
    let actions = case.scripts.iter().map(|script| script.actions.len());
    let count = spells::of(case).len() + actions.sum::<usize>();
    let each = (0..count).map(|number| number..number + 1);
    let all = iter::once(0..count);
    Box::new(all.chain(each).map(|some| with_round(case, &some)))
}

/// `case` with those of its times round whose numbers are among `some`: faults are counted first,
/// then what users do. What they do after the heal stays when it is.
fn with_round(case: &Case, some: &Range<usize>) -> Case {
    let mut numbers = 0..;
    let mut is_meant = || numbers.next().is_some_and(|number| some.contains(&number));
    let mut spells = spells::of(case);
    for spell in &mut spells {
        if is_meant() {
            spell.at = round(spell.at);
            spell.until = spell.until.map(round);
        }
    }
    let mut case = with(case, &spells);
    let healed_at = case.times.healed_at;
    for action in case.scripts.iter_mut().flat_map(|it| &mut it.actions) {
        if is_meant() && action.at < healed_at {
            action.at = round(action.at);
        }
    }
    case
}

fn with(case: &Case, spells: &[Spell]) -> Case {
    let mut case = case.clone();
    spells::set(&mut case, spells);
    case
}

/// The times before the heal in which nothing happens, each with what happens before and after.
fn gaps(case: &Case) -> Vec<(Duration, Duration)> {
    let healed_at = case.times.healed_at;
    let faults = case.faults.iter().map(|planned| planned.at);
    let actions = case.scripts.iter().flat_map(|script| &script.actions);
    let mut times: Vec<_> = faults.chain(actions.map(|action| action.at)).collect();
    times.retain(|at| *at < healed_at);
    times.extend([Duration::ZERO, healed_at]);
    times.sort();
    let pairs = times.windows(2).map(|pair| (pair[0], pair[1]));
    pairs
        .filter(|(from, until)| *until > *from + STEP)
        .collect()
}

/// `case` with only the first `left` of a gap.
fn with_gap(case: &Case, (from, until): (Duration, Duration), left: Duration) -> Case {
    without(case, from + left, round_down(until - from - left))
}

/// `case` without the time from `from` on that is `len` long, in which nothing happens.
fn without(case: &Case, from: Duration, len: Duration) -> Case {
    let earlier = |at: &mut Duration| *at = (*at).min(from.max(at.saturating_sub(len)));
    let mut case = case.clone();
    for planned in &mut case.faults {
        earlier(&mut planned.at);
    }
    for action in case.scripts.iter_mut().flat_map(|it| &mut it.actions) {
        earlier(&mut action.at);
    }
    let times = &mut case.times;
    for at in [
        &mut times.arrived_at,
        &mut times.healed_at,
        &mut times.settled_at,
        &mut times.leaving_at,
        &mut times.ended_at,
    ] {
        earlier(at);
    }
    case
}

fn round(time: Duration) -> Duration {
    round_down(time + STEP / 2)
}

fn round_down(time: Duration) -> Duration {
    let steps = time.as_millis() / STEP.as_millis();
    STEP * u32::try_from(steps).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn cases() -> impl Iterator<Item = Case> {
        let scenarios = scenario::built_in().into_iter();
        scenarios.map(|scenario| Case::draw(&scenario, 7))
    }

    #[test]
    fn the_time_after_the_heal_is_as_long_as_it_was() {
        for case in cases() {
            let after = |case: &Case| {
                let times = &case.times;
                let phases = [times.settled_at, times.leaving_at, times.ended_at];
                phases.map(|at| at - times.healed_at)
            };
            let probes = |case: &Case| {
                let probes = case.scripts.iter().filter(|it| case.is_probe(it.user));
                let times = probes.flat_map(|it| it.actions.iter().map(|action| action.at));
                times
                    .map(|at| at - case.times.healed_at)
                    .collect::<Vec<_>>()
            };
            let shorter = with_shorter_faults(&case).chain(with_shorter_gaps(&case));
            for shorter in shorter.chain(with_round_times(&case)) {
                assert_eq!(after(&shorter), after(&case), "{}", case.scenario);
                assert_eq!(probes(&shorter), probes(&case), "{}", case.scenario);
            }
        }
    }

    #[test]
    fn a_gap_that_is_cut_brings_what_follows_nearer_and_moves_nothing_else() {
        let mut case = cases().next().expect("there are scenarios");
        case.scripts.truncate(1);
        case.scripts[0].actions.truncate(2);
        case.scripts[0].actions[0].at = Duration::from_millis(130);
        case.scripts[0].actions[1].at = Duration::from_millis(5130);
        let healed_at = case.times.healed_at;
        let times = |case: &Case| {
            let actions = case.scripts[0]
                .actions
                .iter()
                .map(|action| action.at.as_millis());
            actions
                .chain([case.times.healed_at.as_millis()])
                .collect::<Vec<_>>()
        };
        let shorter: Vec<_> = with_shorter_gaps(&case).map(|it| times(&it)).collect();
        assert_eq!(shorter[..2], [[130, 230, 400], [130, 630, 1200]]);
        let one = &shorter[2..];
        let healed_at = healed_at.as_millis();
        assert!(one.contains(&vec![130, 5130, 5300]), "{one:?}");
        assert!(one.contains(&vec![130, 230, healed_at - 4900]), "{one:?}");
    }

    #[test]
    fn times_are_rounded_all_at_once_first() {
        for case in cases() {
            let round = with_round_times(&case).next().expect("it has times");
            let faults = round.faults.iter().map(|planned| planned.at);
            let actions = round.scripts.iter().flat_map(|script| &script.actions);
            let actions = actions.map(|action| action.at);
            let mut before_heal = faults.chain(actions.filter(|at| *at < case.times.healed_at));
            assert!(
                before_heal.all(|at| at == super::round(at)),
                "{}",
                case.scenario
            );
        }
    }
}
