//! Which kinds of trouble a run has at all: each seed of a swarm has its own. A run with a few kinds
//! finds what a run with all of them hides.

use std::collections::BTreeSet;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::kinds::FaultKind;
use crate::scenario::{Scenario, Span};
use crate::vandal;
use crate::workload::Users;

/// How many of a hundred runs have a variation of the settings and, on average, a kind of trouble.
pub const USUAL_PERCENT: u32 = 40;
/// The same for kinds of trouble, of which some runs have few, so that there is time for each to
/// last, and others many. Two kinds meet in one run of five.
const KINDS_PERCENTS: [u32; 3] = [USUAL_PERCENT - 20, USUAL_PERCENT, USUAL_PERCENT + 20];

/// Draws the kinds that are on in a run of `scenario`. What is not left to the seed is on always.
pub fn draw(scenario: &Scenario, rng: &mut StdRng) -> BTreeSet<FaultKind> {
    let percent = *KINDS_PERCENTS.choose(rng).expect("there are some");
    let random = scenario.random_faults.iter().flat_map(|it| &it.kinds);
    let random: BTreeSet<_> = random.map(|it| it.kind.fault_kind()).collect();
    let mut on = some_of(random, percent, rng);
    on.extend(scenario.faults.iter().map(|it| it.kind.fault_kind()));
    let mut from_users = of_users(&scenario.users);
    if scenario.users.swarm {
        from_users = some_of(from_users, percent, rng);
    }
    on.extend(from_users);
    on
}

/// Turns one of the kinds of faults on if there is to be one and all came out off. It is the last that
/// is drawn, so that all else stays as it was.
pub fn turn_one_on(scenario: &Scenario, on: &mut BTreeSet<FaultKind>, rng: &mut StdRng) {
    let Some(random) = scenario.random_faults.as_ref() else {
        return;
    };
    let mut kinds = random.kinds.iter().map(|it| it.kind.fault_kind());
    if random.count.min > 0 && !kinds.any(|kind| on.contains(&kind)) {
        let drawn = random.kinds.choose_weighted(rng, |it| it.weight);
        on.extend(drawn.map(|it| it.kind.fault_kind()));
    }
}

/// The kinds that users and vandals can make.
fn of_users(users: &Users) -> BTreeSet<FaultKind> {
    let habits = users.habits.iter();
    let mut kinds: BTreeSet<_> = habits.filter_map(|(habit, _)| habit.kind()).collect();
    if users.twins.max > 0 {
        kinds.insert(FaultKind::DuplicateLogin);
    }
    if users.vandals.max > 0 {
        kinds.extend(vandal::KINDS);
    }
    kinds
}

/// Each of `all` with the same chance, in percent.
pub fn some_of<T: Ord>(
    all: impl IntoIterator<Item = T>,
    percent: u32,
    rng: &mut StdRng,
) -> BTreeSet<T> {
    let all = all.into_iter();
    all.filter(|_| rng.random_range(0..100) < percent).collect()
}

/// A part of `whole`, so that one run has it all and another only the least or the most.
pub fn part_of(whole: Span, rng: &mut StdRng) -> Span {
    let (one, other) = (whole.draw(rng), whole.draw(rng));
    Span::of(one.min(other)..=one.max(other))
}

/// Nothing in half of the runs.
pub fn some_or_none(drawn: u32, rng: &mut StdRng) -> u32 {
    if rng.random() { drawn } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::case::Case;
    use crate::fault::Fault;
    use crate::run;
    use crate::scenario;

    fn random_mix() -> Scenario {
        scenario::find("random-mix").expect("it is built in")
    }

    #[test]
    fn of_a_thousand_runs_each_kind_is_absent_in_many_and_each_pair_meets_in_some() {
        let scenario = random_mix();
        let runs: Vec<_> = (0..1000)
            .map(|seed| Case::draw(&scenario, seed).kinds)
            .collect();
        let all: Vec<_> = FaultKind::all().collect();
        for (index, one) in all.iter().enumerate() {
            let with_one: Vec<_> = runs.iter().filter(|on| on.contains(one)).collect();
            let absent = 1000 - with_one.len();
            assert!((300..=700).contains(&absent), "{one}: absent in {absent}");
            for other in &all[index + 1..] {
                let both = with_one.iter().filter(|on| on.contains(other)).count();
                assert!(both >= 50, "{one} and {other}: together in {both}");
            }
        }
    }

    #[test]
    fn a_kind_that_is_on_is_planned_and_one_that_is_off_is_not() {
        let scenario = random_mix();
        let random = scenario.random_faults.iter().flat_map(|it| &it.kinds);
        let random: BTreeSet<_> = random.map(|it| it.kind.fault_kind()).collect();
        let mut dropped = 0;
        for seed in 0..1000 {
            let case = Case::draw(&scenario, seed);
            let planned: BTreeSet<_> = case.faults.iter().filter_map(|it| it.kind()).collect();
            let on: BTreeSet<_> = case.kinds.intersection(&random).copied().collect();
            assert!(planned.is_subset(&on), "{seed}: {planned:?} but {on:?}");
            dropped += on.difference(&planned).count();
        }
        // Some 7000 are on. In a small cluster there is not always room for all.
        assert!(dropped <= 70, "{dropped} were dropped");
    }

    #[test]
    fn where_an_incident_is_demanded_there_is_one_even_of_one_kind() {
        let faults = |count: &str| {
            let text = format!(
                "[random-faults]\ncount = {count}\ntrouble = '3s'\nafter = '1s..3s'\n\
                 lasts = '100ms..500ms'\nkinds = [{{ kind = 'pause', on = 'chat' }}]"
            );
            let scenario = Scenario::read(&text, "mine.toml").expect("it is sound");
            let cases = (0..50).map(|seed| Case::draw(&scenario, seed));
            cases.map(|case| case.faults.len()).collect::<Vec<_>>()
        };
        // Each pause has its end.
        assert_eq!(faults("3"), [6; 50]);
        let none = faults("'0..3'").iter().filter(|it| **it == 0).count();
        assert!((15..50).contains(&none), "{none}");
    }

    #[test]
    fn each_variation_of_the_settings_is_on_in_some_runs() {
        let scenario = random_mix();
        let mut runs = BTreeMap::<String, u32>::new();
        for seed in 0..200 {
            let settings = Case::draw(&scenario, seed).settings;
            *runs.entry(format!("{settings:?}")).or_default() += 1;
        }
        let all = scenario.all_settings().map(|it| format!("{it:?}"));
        let missing = all.filter(|it| !runs.contains_key(it));
        assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn aimed_incidents_meet_others_more_often() {
        let [aimed, scattered] = [100, 0].map(|percent| {
            let mut scenario = random_mix();
            if let Some(random) = &mut scenario.random_faults {
                random.aimed_percent = percent;
            }
            let cases = (0..2000).map(|seed| Case::draw(&scenario, seed));
            cases
                .map(|case| deaths_with_a_link_held(&case))
                .sum::<usize>()
        });
        // Counts of rare things: four standard deviations of their difference are no accident.
        let four_deviations = 4.0 * ((aimed + scattered) as f64).sqrt();
        assert!(
            aimed as f64 - scattered as f64 >= four_deviations,
            "{aimed} and {scattered}"
        );
    }

    /// How often a chat server dies while what is said on a link of its own waits.
    fn deaths_with_a_link_held(case: &Case) -> usize {
        let mut held = BTreeSet::new();
        let mut deaths = 0;
        for planned in &case.faults {
            match &planned.fault {
                Fault::Hold { a, b } => {
                    held.insert([a, b]);
                }
                Fault::Release { a, b } => {
                    held.remove(&[a, b]);
                }
                Fault::Crash { host, .. } if host.starts_with("chat") => {
                    deaths += usize::from(held.iter().any(|ends| ends.contains(&host)));
                }
                _ => {}
            }
        }
        deaths
    }

    #[test]
    fn what_is_on_happens() {
        let scenario = random_mix();
        let (mut on, mut missing) = (0, BTreeMap::<_, u32>::new());
        for seed in 0..10 {
            let case = Case::draw(&scenario, seed);
            let fired = run::run(&case, false).record.fired;
            on += case.kinds.len();
            for kind in &case.kinds {
                if !fired.contains_key(kind) {
                    *missing.entry(*kind).or_default() += 1;
                }
            }
        }
        // A user may be out of the cluster when it is to stop reading, as may twins be whose
        // connector is down; a process may be down that is to crash.
        let missed: u32 = missing.values().sum();
        assert!(
            on > 80 && 10 * missed as usize <= on,
            "of {on}: {missing:?}"
        );
        assert!(missing.values().all(|runs| *runs <= 2), "{missing:?}");
    }
}
