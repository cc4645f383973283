//! Whether the members of a room see its events in one common order.
//!
//! A line of all events that are remembered, such that each was seen by every member before those
//! that come later in the line. What a member sees is compared with what it saw before: nearly
//! always the two stand in the line as they were seen. If they do not, then either nobody has seen
//! why (then the line is put in order), or somebody saw them the other way round.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::history::MessageId;

use super::{Login, seconds};

/// An event that all members of a room see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A message to all.
    Said(MessageId),
    /// A name came.
    Came(Arc<str>),
    /// A name went.
    Went(Arc<str>),
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(message) => write!(f, "{message}"),
            Self::Came(name) => write!(f, "the coming of {name}"),
            Self::Went(name) => write!(f, "the going of {name}"),
        }
    }
}

/// A happening that somebody has seen.
pub type Seen = u64;

/// What contradicts a sighting.
#[derive(Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// What was seen before, though it comes later.
    pub before: Happening,
    /// Who saw it come later, or the first of those who did together.
    pub witness: Login,
}

impl Contradiction {
    /// In words: who saw `this` when, in which room.
    pub fn tell(&self, who: Login, this: &impl fmt::Display, at: Duration, room: &str) -> String {
        let Self { before, witness } = self;
        let (who, at, witness) = (super::who(who), seconds(at), super::who(*witness));
        format!("{who} in {room} saw {this} at {at} after {before}, {witness} before it")
    }
}

/// The happenings of one room, in order.
#[derive(Debug, Default)]
pub struct Order {
    /// By number, from `first` on; `None` once it is forgotten.
    nodes: VecDeque<Option<Node>>,
    first: Seen,
    /// The line: numbers of nodes by place, from `first_place` on.
    line: VecDeque<Seen>,
    first_place: u64,
}

#[derive(Debug)]
struct Node {
    what: Happening,
    place: u64,
    /// What somebody saw next, and who did.
    next: Vec<(Seen, Login)>,
}

impl Order {
    /// Notes that `witness` saw `this`, which is `what`, after `last`, and both are kept for the next
    /// time. Returns what contradicts it.
    pub fn saw(
        &mut self,
        witness: Login,
        last: &mut Option<Seen>,
        this: &mut Option<Seen>,
        what: impl FnOnce() -> Happening,
    ) -> Option<Contradiction> {
        let later = *this.get_or_insert_with(|| self.append(what()));
        let earlier = last.replace(later)?;
        let (from, to) = (self.node(earlier)?.place, self.node(later)?.place);
        if from < to {
            self.join(earlier, later, witness);
        } else if from > to {
            match self.reach(later, earlier) {
                Ok(reached) => {
                    self.move_behind(&reached, to, from);
                    self.join(earlier, later, witness);
                }
                Err(witness) => {
                    let before = self.node(earlier)?.what.clone();
                    return Some(Contradiction { before, witness });
                }
            }
        }
        None
    }

    /// Forgets a happening: it takes no part in the order any more.
    pub fn forget(&mut self, seen: Seen) {
        if let Some(node) = self.index(seen).and_then(|index| self.nodes.get_mut(index)) {
            *node = None;
        }
        while let Some(None) = self.nodes.front() {
            self.nodes.pop_front();
            self.first += 1;
        }
        while let Some(seen) = self.line.front()
            && self.node(*seen).is_none()
        {
            self.line.pop_front();
            self.first_place += 1;
        }
    }

    fn append(&mut self, what: Happening) -> Seen {
        let seen = self.first + self.nodes.len() as u64;
        let place = self.first_place + self.line.len() as u64;
        self.line.push_back(seen);
        self.nodes.push_back(Some(Node {
            what,
            place,
            next: Vec::new(),
        }));
        seen
    }

    fn index(&self, seen: Seen) -> Option<usize> {
        Some(seen.checked_sub(self.first)? as usize)
    }

    fn node(&self, seen: Seen) -> Option<&Node> {
        self.nodes.get(self.index(seen)?)?.as_ref()
    }

    fn node_mut(&mut self, seen: Seen) -> Option<&mut Node> {
        let index = self.index(seen)?;
        self.nodes.get_mut(index)?.as_mut()
    }

    fn join(&mut self, earlier: Seen, later: Seen, witness: Login) {
        if let Some(node) = self.node_mut(earlier)
            && node.next.iter().all(|(next, _)| *next != later)
        {
            node.next.push((later, witness));
        }
    }

    /// Everything that was seen after `start` and stands before `goal` in the line; or, if `goal` is
    /// among it, who saw the first step of the way there.
    fn reach(&self, start: Seen, goal: Seen) -> Result<BTreeSet<Seen>, Login> {
        let limit = self.node(goal).map_or(0, |node| node.place);
        let mut reached = BTreeSet::from([start]);
        let mut open: Vec<(Seen, Option<Login>)> = vec![(start, None)];
        while let Some((here, first_step)) = open.pop() {
            let next = self.node(here).map_or(&[][..], |node| &node.next);
            for (seen, witness) in next {
                let first_step = first_step.unwrap_or(*witness);
                if *seen == goal {
                    return Err(first_step);
                }
                let is_before = self.node(*seen).is_some_and(|node| node.place < limit);
                if is_before && reached.insert(*seen) {
                    open.push((*seen, Some(first_step)));
                }
            }
        }
        Ok(reached)
    }

    /// Puts `moved`, all of which stand from place `from` to place `to`, behind the others there.
    fn move_behind(&mut self, moved: &BTreeSet<Seen>, from: u64, to: u64) {
        let places = (from - self.first_place) as usize..=(to - self.first_place) as usize;
        let span: Vec<Seen> = self.line.range(places).copied().collect();
        let (behind, before): (Vec<_>, Vec<_>) =
            span.into_iter().partition(|seen| moved.contains(seen));
        for (place, seen) in (from..).zip(before.into_iter().chain(behind)) {
            self.line[(place - self.first_place) as usize] = seen;
            if let Some(node) = self.node_mut(seen) {
                node.place = place;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Some members, and the happenings 0 to 9, as they see them.
    struct Room {
        order: Order,
        last: Vec<Option<Seen>>,
        seen: Vec<Option<Seen>>,
    }

    impl Room {
        fn new() -> Self {
            Self {
                order: Order::default(),
                last: vec![None; 4],
                seen: vec![None; 10],
            }
        }

        /// Whether it fits.
        fn sees(&mut self, member: usize, number: usize) -> bool {
            let contradiction = self.order.saw(
                (member as u32, 1),
                &mut self.last[member],
                &mut self.seen[number],
                || Happening::Said(message(number)),
            );
            contradiction.is_none()
        }

        fn all(sightings: &[(usize, usize)]) -> Vec<bool> {
            let mut room = Self::new();
            let fits = sightings.iter();
            fits.map(|(member, number)| room.sees(*member, *number))
                .collect()
        }
    }

    fn message(number: usize) -> MessageId {
        MessageId {
            user: 0,
            login: 1,
            number: number as u32,
        }
    }

    #[test]
    fn two_who_see_two_messages_in_opposite_order_contradict_each_other() {
        assert_eq!(
            Room::all(&[(0, 0), (0, 1), (1, 1), (1, 0)]),
            [true, true, true, false]
        );
        // The first to see one is not the one to decide.
        assert_eq!(
            Room::all(&[(0, 0), (1, 1), (1, 0), (0, 1)]),
            [true, true, true, false]
        );
    }

    #[test]
    fn a_contradiction_names_the_event_and_a_witness() {
        let mut room = Room::new();
        for (member, number) in [(0, 0), (0, 1), (1, 1)] {
            assert!(room.sees(member, number));
        }
        let told = room
            .order
            .saw((1, 1), &mut room.last[1], &mut room.seen[0], || {
                Happening::Said(message(0))
            });
        let expected = Contradiction {
            before: Happening::Said(message(1)),
            witness: (0, 1),
        };
        assert_eq!(told, Some(expected));
    }

    #[test]
    fn who_missed_a_message_or_came_later_still_agrees() {
        let fits = Room::all(&[(0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (0, 2), (1, 2)]);
        assert!(fits.iter().all(|fits| *fits), "{fits:?}");
    }

    #[test]
    fn an_order_that_contradicts_itself_around_three_corners_is_found() {
        let sightings = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)];
        assert_eq!(Room::all(&sightings), [true, true, true, true, true, false]);
    }

    #[test]
    fn what_is_forgotten_takes_no_room_and_decides_nothing() {
        let mut room = Room::new();
        for number in 0..10 {
            assert!(room.sees(0, number));
        }
        for number in [1, 0, 2, 3] {
            room.order.forget(number);
        }
        assert_eq!((room.order.nodes.len(), room.order.line.len()), (6, 6));
        assert!(room.sees(1, 3) && room.sees(1, 0));
        assert!(room.sees(1, 9));
        assert!(!room.sees(1, 8));
    }

    proptest! {
        /// The oracle: edges of all that were seen one after the other, and whether the new one
        /// closes a circle.
        #[test]
        fn exactly_the_sightings_that_close_a_circle_do_not_fit(
            sightings in proptest::collection::vec((0..4_usize, 0..10_usize), 0..60)
        ) {
            let mut room = Room::new();
            let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
            let mut last = [None; 4];
            for (member, number) in sightings {
                let before = last[member].replace(number);
                let closes = before.is_some_and(|before| before != number && {
                    let mut reached = BTreeSet::from([number]);
                    loop {
                        let next: BTreeSet<usize> = edges
                            .iter()
                            .filter(|(from, _)| reached.contains(from))
                            .map(|(_, to)| *to)
                            .collect();
                        let known = reached.len();
                        reached.extend(next);
                        if reached.len() == known {
                            break reached.contains(&before);
                        }
                    }
                });
                prop_assert_eq!(room.sees(member, number), !closes);
                if let Some(before) = before
                    && !closes
                {
                    edges.insert((before, number));
                }
            }
        }
    }
}
