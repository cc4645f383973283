//! Smaller casts of a case: fewer users, fewer things that they do, in fewer rooms.

use std::collections::BTreeSet;
use std::iter;

use loadgen::script::{Action, Do, Script};

use super::spells;
use super::trial::Candidates;
use crate::case::Case;

/// `case` with no users but those of `scripts`.
pub fn with(case: &Case, scripts: &[Script]) -> Case {
    let mut fewer = Case {
        scripts: scripts.to_vec(),
        ..case.clone()
    };
    // A fault may be about a user.
    spells::set(&mut fewer, &spells::of(case));
    fewer
}

/// An action that can be left out: whose, and which of them.
pub type Place = (u32, usize);

/// All actions but those that a check counts on: what probes do, and that everybody leaves at the
/// end, since of those who stay something is left.
pub fn needless(case: &Case) -> Vec<Place> {
    let scripts = case.scripts.iter().filter(|it| !case.is_probe(it.user));
    scripts
        .flat_map(|script| {
            let is_last_leave = |index: &usize| {
                let index = *index;
                index + 1 == script.actions.len() && script.actions[index].what == Do::Leave
            };
            let indices = (0..script.actions.len()).filter(move |index| !is_last_leave(index));
            indices.map(|index| (script.user, index))
        })
        .collect()
}

/// The action of `case` at `place`.
///
/// # Panics
///
/// If there is none.
pub fn action(case: &Case, (user, index): Place) -> &Action {
    let mut scripts = case.scripts.iter();
    let script = scripts.find(|script| script.user == user);
    &script.expect("a place is of a user of the case").actions[index]
}

/// `case` with only those of the `all` actions that are in `kept`.
pub fn with_actions(case: &Case, all: &[Place], kept: &[Place]) -> Case {
    let kept: BTreeSet<_> = kept.iter().collect();
    let gone: BTreeSet<_> = all.iter().filter(|it| !kept.contains(it)).collect();
    let mut case = case.clone();
    for script in &mut case.scripts {
        let user = script.user;
        let actions = script.actions.iter().enumerate();
        let actions = actions.filter(|(index, _)| !gone.contains(&(user, *index)));
        script.actions = actions.map(|(_, action)| action.clone()).collect();
    }
    case
}

/// How many things users do, those not counted that prove life.
pub fn actions(case: &Case) -> usize {
    let scripts = case.scripts.iter().filter(|it| !case.is_probe(it.user));
    scripts.map(|script| script.actions.len()).sum()
}

/// The rooms that users ask for.
pub fn rooms(case: &Case) -> BTreeSet<String> {
    let scripts = case.scripts.iter();
    scripts.flat_map(rooms_of).cloned().collect()
}

fn rooms_of(script: &Script) -> impl Iterator<Item = &String> {
    let entered = script
        .actions
        .iter()
        .filter_map(|action| match &action.what {
            Do::Enter { room } => Some(room),
            _ => None,
        });
    entered.chain([&script.room])
}

/// Cases in which one room is another's; the probe of the one that goes, goes.
pub fn with_one_room_less(case: &Case) -> Candidates<'_> {
    let rooms = rooms(case);
    let pairs = rooms.clone().into_iter().flat_map(move |gone| {
        let others = rooms.clone().into_iter();
        others.map(move |other| (gone.clone(), other))
    });
    let pairs = pairs.filter(|(gone, other)| gone != other);
    Box::new(pairs.map(|(gone, other)| with_room_merged(case, &gone, &other)))
}

fn with_room_merged(case: &Case, gone: &str, other: &str) -> Case {
    let mut case = case.clone();
    let probes_from = case.probes_from;
    case.scripts
        .retain(|it| it.user < probes_from || it.room != *gone);
    let rename = |room: &mut String| {
        if room == gone {
            other.clone_into(room);
        }
    };
    for script in &mut case.scripts {
        rename(&mut script.room);
        for Action { what, .. } in &mut script.actions {
            if let Do::Enter { room } = what {
                rename(room);
            }
        }
    }
    case
}

/// `case` with the shortest messages.
pub fn with_short_messages(case: &Case) -> Candidates<'_> {
    let mut case = case.clone();
    for script in &mut case.scripts {
        script.message_len = 0;
    }
    Box::new(iter::once(case))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn case() -> Case {
        Case::draw(&scenario::built_in()[0], 7)
    }

    #[test]
    fn probes_do_all_they_do_and_users_leave_whatever_is_left_out() {
        let case = case();
        let all = needless(&case);
        let least = with_actions(&case, &all, &[]);
        for (before, after) in case.scripts.iter().zip(&least.scripts) {
            let left: Vec<_> = after.actions.iter().map(|action| &action.what).collect();
            if case.is_probe(before.user) {
                assert_eq!(before, after);
            } else {
                assert_eq!(left, [&Do::Leave], "u{}", before.user);
            }
        }
        assert_eq!(actions(&case), all.len() + actions(&least));
    }

    #[test]
    fn the_actions_that_are_kept_stay_as_they_are() {
        let case = case();
        let all = needless(&case);
        let kept = [all[1], all[40]];
        let some = with_actions(&case, &all, &kept);
        assert_eq!(needless(&some).len(), 2);
        let (user, index) = all[40];
        let script = |case: &Case| case.scripts.iter().find(|it| it.user == user).cloned();
        let expected = script(&case).map(|it| it.actions[index].clone());
        let left = script(&some).into_iter().flat_map(|it| it.actions);
        assert!(left.map(Some).any(|it| it == expected), "{expected:?}");
    }

    #[test]
    fn a_room_that_goes_takes_its_probe_along_and_its_users_go_elsewhere() {
        let case = case();
        let probes = |case: &Case| {
            case.scripts
                .iter()
                .filter(|it| case.is_probe(it.user))
                .count()
        };
        for fewer in with_one_room_less(&case) {
            assert_eq!(rooms(&fewer).len() + 1, rooms(&case).len());
            assert_eq!(probes(&fewer) + 1, probes(&case));
            assert_eq!(fewer.scripts.len() + 1, case.scripts.len());
        }
    }
}
