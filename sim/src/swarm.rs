//! Which kinds of trouble a run has at all: each seed of a swarm has its own. A run with a few kinds
//! finds what a run with all of them hides.

use std::collections::BTreeSet;

use rand::Rng;
use rand::rngs::StdRng;

use crate::kinds::FaultKind;
use crate::scenario::{Scenario, Span};
use crate::vandal;
use crate::workload::Users;

/// How many of a hundred runs have a kind that a run can have. Two kinds then meet in one run of six.
const ON_PERCENT: u32 = 40;

/// Draws the kinds that are on in a run of `scenario`. What is not left to the seed is on always.
pub fn draw(scenario: &Scenario, rng: &mut StdRng) -> BTreeSet<FaultKind> {
    let random = scenario.random_faults.iter().flat_map(|it| &it.kinds);
    let mut on = some_of(random.map(|it| it.kind.fault_kind()).collect(), rng);
    on.extend(scenario.faults.iter().map(|it| it.kind.fault_kind()));
    let mut from_users = of_users(&scenario.users);
    if scenario.users.swarm {
        from_users = some_of(from_users, rng);
    }
    on.extend(from_users);
    on
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

fn some_of(kinds: BTreeSet<FaultKind>, rng: &mut StdRng) -> BTreeSet<FaultKind> {
    kinds
        .into_iter()
        .filter(|_| rng.random_range(0..100) < ON_PERCENT)
        .collect()
}

/// A part of `whole`, so that one run has it all and another only the least or the most.
pub fn part_of(whole: Span, rng: &mut StdRng) -> Span {
    let (one, other) = (whole.draw(rng), whole.draw(rng));
    Span::of(one.min(other)..=one.max(other))
}
