//! Users who belong to two rooms. A session is in one room at a time, so they go to and fro between
//! them: over time, neighbouring rooms have members in common.

use loadgen::script::{Action, Do};
use rand::Rng;
use rand::rngs::StdRng;

use super::{Drawing, action};
use crate::scenario::Span;

/// How long such a user is in one of its rooms before it goes to the other: often enough for
/// several moves in a run of the usual length, and long enough to speak and be heard in each.
const STAY_MS: Span = Span::of(500..=2500);

impl Drawing<'_> {
    /// Draws whether a user of `room` belongs to the next one too, and if so when it goes to which.
    pub(super) fn add_moves(&self, actions: &mut Vec<Action>, room: &str, rng: &mut StdRng) {
        let percent = self.users.overlap_percent;
        // Nothing is drawn where nobody is to move, so that such a scenario stays as it is.
        if percent == 0 || rng.random_range(0..100) >= percent {
            return;
        }
        let mut at = self.times.arrived_at;
        for room in [self.next_room(room), room].into_iter().cycle() {
            at += STAY_MS.draw_ms(rng);
            if at >= self.times.healed_at {
                return;
            }
            let room = room.to_owned();
            actions.push(action(at, Do::Enter { room }));
        }
    }

    /// The one after `room`; after the last comes the first.
    fn next_room(&self, room: &str) -> &str {
        let rooms = &self.rooms;
        let index = rooms.iter().position(|known| known == room);
        let index = index.expect("a user's room is one of the rooms");
        &rooms[(index + 1) % rooms.len()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::case::Case;
    use crate::run;
    use crate::scenario::Scenario;

    /// Who was a member of which room at any time, the probes left out.
    fn members(overlap_percent: u32) -> BTreeMap<String, BTreeSet<String>> {
        let text = format!("users = {{ rooms = 3, overlap-percent = {overlap_percent} }}");
        let scenario = Scenario::read(&text, "rooms.toml").expect("it is sound");
        let outcome = run::run(&Case::draw(&scenario, 1), false);
        assert!(outcome.held(), "{:?}", outcome.violations);
        let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let samples = outcome.record.samples.into_iter();
        for census in samples.flat_map(|sample| sample.servers.into_values()) {
            for (room, names) in census.rooms {
                let users = names.into_iter().filter(|name| name.starts_with("user-"));
                members.entry(room).or_default().extend(users);
            }
        }
        members
    }

    fn in_common(members: &BTreeMap<String, BTreeSet<String>>) -> Vec<usize> {
        let rooms: Vec<_> = members.values().collect();
        let pairs = [(0, 1), (1, 2), (2, 0)];
        let in_common = pairs.map(|(a, b)| rooms[a].intersection(rooms[b]).count());
        in_common.to_vec()
    }

    #[test]
    fn rooms_have_members_in_common_only_if_users_belong_to_two() {
        assert_eq!(in_common(&members(0)), [0, 0, 0]);
        let some = in_common(&members(40));
        // 20 users, of whom two in five belong to one of three pairs.
        assert!(some.iter().all(|count| (1..=7).contains(count)), "{some:?}");
        assert_eq!(in_common(&members(100)).iter().sum::<usize>(), 20);
    }

    #[test]
    fn who_belongs_to_two_rooms_goes_to_and_fro_while_faults_happen() {
        let text = "users = { rooms = '2..5', overlap-percent = 100 }";
        let scenario = Scenario::read(text, "rooms.toml").expect("it is sound");
        for seed in 0..50 {
            let case = Case::draw(&scenario, seed);
            let times = &case.times;
            for script in case.scripts.iter().filter(|it| !case.is_probe(it.user)) {
                let moves = script
                    .actions
                    .iter()
                    .filter_map(|action| match &action.what {
                        Do::Enter { room } => Some((action.at, room)),
                        _ => None,
                    });
                let moves: Vec<_> = moves.collect();
                assert!(moves.len() >= 2, "{script:?}");
                let mut here = &script.room;
                for (at, room) in &moves {
                    assert!((times.arrived_at..times.healed_at).contains(at));
                    assert_ne!(*room, here, "{script:?}");
                    here = room;
                }
                let rooms: BTreeSet<_> = moves.iter().map(|(_, room)| *room).collect();
                assert!(
                    rooms.len() == 2 && rooms.contains(&script.room),
                    "{script:?}"
                );
            }
        }
    }
}
