//! Shorter and rounder times of a case. The time after everything is healed is left alone: as long
//! as it is, the cluster may take to recover.

use std::time::Duration;

use super::spells::{self, Spell};
use crate::case::Case;

/// Times are whole multiples of it, if they can be; the shortest time in which nothing happens.
const STEP: Duration = Duration::from_millis(100);

/// Cases in which one fault lasts shorter, the shortest first.
pub fn with_shorter_faults(case: &Case) -> Vec<Case> {
    let all = spells::of(case);
    let mut shorter = Vec::new();
    for (index, spell) in all.iter().enumerate() {
        let until = spell.until.unwrap_or(case.times.healed_at);
        let lasts = until.saturating_sub(spell.at);
        for lasts in [STEP, round(lasts / 4), round(lasts / 2)]
            .into_iter()
            .filter(|shorter| *shorter < lasts && !shorter.is_zero())
        {
            let mut all = all.clone();
            all[index].until = Some(spell.at + lasts);
            shorter.push(with(case, &all));
        }
    }
    shorter
}

/// Cases in which a time goes in which nothing happens: all such times, then one of them.
pub fn with_shorter_gaps(case: &Case) -> Vec<Case> {
    let gaps = gaps(case);
    let mut shorter = Vec::new();
    let (mut all, mut has_any) = (case.clone(), false);
    // From the last to the first, so that the times before stay what they are.
    for (from, until) in gaps.iter().rev() {
        let gap = *until - *from;
        for left in [STEP, round(gap / 2)] {
            if gap >= left + STEP {
                shorter.push(without(case, *from + left, round_down(gap - left)));
            }
        }
        if gap >= STEP * 6 {
            all = without(&all, *from + STEP * 5, round_down(gap - STEP * 5));
            has_any = true;
        }
    }
    if has_any {
        shorter.insert(0, all);
    }
    shorter
}

/// Cases with rounder times: all of them, then one of them.
pub fn with_round_times(case: &Case) -> Vec<Case> {
    let all = spells::of(case);
    let round_spell = |spell: &mut Spell| {
        spell.at = round(spell.at);
        spell.until = spell.until.map(round);
    };
    let healed_at = case.times.healed_at;
    let mut rounder = Vec::new();
    let (mut all_round, mut spells_round) = (case.clone(), all.clone());
    for (index, spell) in all.iter().enumerate() {
        round_spell(&mut spells_round[index]);
        if spells_round[index] != *spell {
            let mut one = all.clone();
            round_spell(&mut one[index]);
            rounder.push(with(case, &one));
        }
    }
    spells::set(&mut all_round, &spells_round);
    for (user, script) in case.scripts.iter().enumerate() {
        for (index, action) in script.actions.iter().enumerate() {
            let at = round(action.at);
            if at != action.at && action.at < healed_at {
                let mut one = case.clone();
                one.scripts[user].actions[index].at = at;
                rounder.push(one);
                all_round.scripts[user].actions[index].at = at;
            }
        }
    }
    if !rounder.is_empty() {
        rounder.insert(0, all_round);
    }
    rounder
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
            let shorter = with_shorter_faults(&case);
            let shorter = shorter.into_iter().chain(with_shorter_gaps(&case));
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
        let shorter = with_shorter_gaps(&case);
        assert_eq!(times(&shorter[0]), [130, 630, 1200]);
        let one: Vec<_> = shorter[1..].iter().map(times).collect();
        let healed_at = healed_at.as_millis();
        assert!(one.contains(&vec![130, 5130, 5300]), "{one:?}");
        assert!(one.contains(&vec![130, 230, healed_at - 4900]), "{one:?}");
    }

    #[test]
    fn times_are_rounded_all_at_once_first() {
        for case in cases() {
            let Some(round) = with_round_times(&case).into_iter().next() else {
                continue;
            };
            let at = round.faults.iter().map(|planned| planned.at);
            assert!(
                at.clone().all(|at| at == super::round(at)),
                "{}",
                case.scenario
            );
            assert_eq!(with_round_times(&round).len(), 0, "{}", case.scenario);
        }
    }
}
