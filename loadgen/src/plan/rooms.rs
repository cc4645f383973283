//! Who is in which room.
//!
//! A room and its members are found without drawing what any user does, so a process can take a
//! part of the rooms and live the users of those only. Rooms come in pairs of neighbours (the last
//! three together, if their number is odd): who switches rooms goes to the other one of the pair,
//! and a pair is never divided between processes.

use std::ops::Range;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::script::{Purpose, rng_of};

/// The rooms of a plan and their members, as users first enter them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rooms {
    /// User k is in room k mod `count`: all rooms have one size, or differ by one.
    Turns {
        /// How many rooms.
        count: u32,
        /// How many users.
        users: u32,
    },
    /// Users are in the order of the rooms: those of room r are from `starts[r]` to `starts[r + 1]`.
    Runs {
        /// The first user of each room, and behind the last room the number of users.
        starts: Vec<u32>,
    },
}

/// How rooms get their sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sizes {
    /// So many rooms of one size.
    Count(u32),
    /// So many users in each; the last room takes what is left.
    Members(u32),
    /// As many users as each room draws for itself, both ends included; the last takes what is left.
    Uniform(u32, u32),
    /// So many rooms, the size of the n-th as 1 / n^exponent to that of the first; at least one user
    /// in each.
    Zipf {
        /// How many rooms.
        count: u32,
        /// 0 makes all rooms of one size, 1 is what is found in chats, 2 is extreme.
        exponent: f64,
    },
}

impl Rooms {
    /// Puts `users` into rooms.
    pub fn new(sizes: Sizes, users: u32, seed: u64) -> Self {
        match sizes {
            Sizes::Count(count) => Self::Turns { count, users },
            Sizes::Members(members) => Self::filled(users, |_| members),
            Sizes::Uniform(least, most) => Self::filled(users, |room| {
                rng_of(seed, room, Purpose::Room).random_range(least..=most)
            }),
            Sizes::Zipf { count, exponent } => Self::zipf(users, count, exponent),
        }
    }

    /// Rooms of these sizes one after the other, until all users have one.
    fn filled(users: u32, size: impl Fn(u32) -> u32) -> Self {
        let mut starts = vec![0];
        let mut next = 0u32;
        while next < users {
            let room = starts.len() as u32 - 1;
            next = next.saturating_add(size(room)).min(users);
            starts.push(next);
        }
        Self::Runs { starts }
    }

    fn zipf(users: u32, count: u32, exponent: f64) -> Self {
        let weight = |room: u32| f64::from(room + 1).powf(-exponent);
        let all: f64 = (0..count).map(weight).sum();
        let spare = f64::from(users - count);
        let mut sum = 0.0;
        let starts = (0..=count).map(|room| {
            // Rounding the ends, not the sizes, keeps their sum.
            let start = room + (spare * sum / all).round() as u32;
            sum += weight(room);
            start
        });
        Self::Runs {
            starts: starts.collect(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        match self {
            Self::Turns { count, .. } => *count,
            Self::Runs { starts } => starts.len() as u32 - 1,
        }
    }

    /// The room that `user` enters first.
    pub fn room_of(&self, user: u32) -> u32 {
        match self {
            Self::Turns { count, .. } => user % count,
            Self::Runs { starts } => starts.partition_point(|start| *start <= user) as u32 - 1,
        }
    }

    /// The place of `user` when all stand in a row, room by room.
    pub fn place_of(&self, user: u32) -> u32 {
        match self {
            Self::Turns { count, users } => {
                let room = user % count;
                // The first rooms have one user more, if they can't all have as many.
                let before = room * (users / count) + room.min(users % count);
                before + user / count
            }
            Self::Runs { .. } => user,
        }
    }

    /// The users who first enter `room`, in order.
    pub fn members(&self, room: u32) -> impl Iterator<Item = u32> + use<> {
        let (users, step) = match self {
            Self::Turns { count, users } => (room..*users, *count),
            Self::Runs { starts } => {
                let room = room as usize;
                (starts[room]..starts[room + 1], 1)
            }
        };
        users.step_by(step as usize)
    }

    /// How many users first enter `room`.
    pub fn size(&self, room: u32) -> u32 {
        match self {
            Self::Turns { count, users } => (users - room).div_ceil(*count),
            Self::Runs { starts } => starts[room as usize + 1] - starts[room as usize],
        }
    }

    /// The room to which a member of `room` switches; the same one if there is no other.
    pub fn neighbour(&self, room: u32) -> u32 {
        let other = room ^ 1;
        if other < self.count() {
            other
        } else {
            room.saturating_sub(1)
        }
    }

    /// How many parts there are that no user leaves.
    pub fn parts(&self) -> u32 {
        (self.count() / 2).max(1)
    }

    /// The part that `room` is in.
    pub fn part_of(&self, room: u32) -> u32 {
        (room / 2).min(self.parts() - 1)
    }

    /// The rooms of one part.
    pub fn part(&self, part: u32) -> Range<u32> {
        let is_last = part + 1 == self.parts();
        let until = if is_last { self.count() } else { 2 * part + 2 };
        2 * part..until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(rooms: &Rooms) -> Vec<u32> {
        (0..rooms.count()).map(|room| rooms.size(room)).collect()
    }

    const ALL: [Sizes; 5] = [
        Sizes::Count(7),
        Sizes::Members(20),
        Sizes::Uniform(5, 15),
        Sizes::Zipf {
            count: 9,
            exponent: 1.0,
        },
        Sizes::Count(1),
    ];

    #[test]
    fn in_a_row_users_stand_room_by_room_each_in_a_place_of_its_own() {
        for how in ALL {
            let rooms = Rooms::new(how, 103, 3);
            let members = (0..rooms.count()).flat_map(|room| rooms.members(room));
            let places: Vec<u32> = members.map(|user| rooms.place_of(user)).collect();
            assert_eq!(places, Vec::from_iter(0..103), "{how:?}");
        }
    }

    #[test]
    fn every_user_is_in_exactly_the_room_that_counts_it() {
        for how in ALL {
            let rooms = Rooms::new(how, 103, 3);
            let mut members = 0;
            for room in 0..rooms.count() {
                for user in rooms.members(room) {
                    assert_eq!(rooms.room_of(user), room, "{how:?}");
                    members += 1;
                }
                assert_eq!(
                    rooms.members(room).count() as u32,
                    rooms.size(room),
                    "{how:?}"
                );
            }
            assert_eq!(members, 103, "{how:?}");
        }
    }

    #[test]
    fn parts_hold_every_room_once_and_both_neighbours() {
        for count in 1..=9 {
            let rooms = Rooms::new(Sizes::Count(count), 50, 1);
            let parts = 0..rooms.parts();
            let all = parts.clone().flat_map(|part| rooms.part(part));
            assert!(all.eq(0..count), "{count}");
            for part in parts {
                for room in rooms.part(part) {
                    assert_eq!(rooms.part_of(room), part, "{count}: {room}");
                    let neighbour = rooms.neighbour(room);
                    assert_eq!(
                        rooms.part_of(neighbour),
                        part,
                        "{count}: {room} {neighbour}"
                    );
                    assert_eq!(neighbour == room, count == 1);
                }
            }
        }
    }

    #[test]
    fn rooms_that_are_filled_in_turn_do_not_change_when_more_users_come() {
        for how in [Sizes::Members(20), Sizes::Uniform(5, 15)] {
            let (few, many) = (Rooms::new(how, 100, 3), Rooms::new(how, 1000, 3));
            assert!((0..100).all(|user| few.room_of(user) == many.room_of(user)));
        }
    }

    #[test]
    fn fixed_sizes_are_exact_but_for_the_last() {
        assert_eq!(sizes(&Rooms::new(Sizes::Members(20), 50, 1)), [20, 20, 10]);
        assert_eq!(sizes(&Rooms::new(Sizes::Count(3), 50, 1)), [17, 17, 16]);
    }

    #[test]
    fn uniform_sizes_take_every_value_equally_often() {
        let rooms = Rooms::new(Sizes::Uniform(1, 10), 55_000, 3);
        let mut counts = [0u32; 11];
        sizes(&rooms)
            .iter()
            .for_each(|size| counts[*size as usize] += 1);
        // About 10,000 rooms, so 1,000 of each size with a deviation of sqrt(900) = 30; four of them.
        assert!(
            counts[1..].iter().all(|it| it.abs_diff(1000) < 120 + 30),
            "{counts:?}"
        );
        assert_eq!(counts[0], 0);
    }

    #[test]
    fn zipf_sizes_fall_as_the_inverse_of_the_rank_and_none_is_empty() {
        let how = |exponent| Sizes::Zipf {
            count: 100,
            exponent,
        };
        let rooms = Rooms::new(how(1.0), 100_000, 1);
        let found = sizes(&rooms);
        // 99,900 users beside the first of each room, shared as 1/n over the sum of 1/1 to 1/100,
        // 5.187378; each end is rounded.
        for rank in [1, 2, 10, 100u32] {
            let expected = 1.0 + 99_900.0 / 5.187_378 / f64::from(rank);
            let size = f64::from(found[rank as usize - 1]);
            assert!((size - expected).abs() <= 1.0, "{rank}: {size} {expected}");
        }
        assert!(
            sizes(&Rooms::new(how(2.0), 100, 1))
                .iter()
                .all(|size| *size == 1)
        );
        assert_eq!(sizes(&Rooms::new(how(0.0), 300, 1)), [3; 100]);
    }
}
