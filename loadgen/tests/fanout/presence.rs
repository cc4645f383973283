//! Who was in which room, from when to when, as the users themselves saw it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use loadgen::history::{Event, What};

/// One login of one user.
pub type Login = (u32, u32);

/// One stay of one connection in one room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The user and its login.
    pub login: Login,
    /// The name it had there.
    pub name: String,
    /// When it saw its enter answered.
    pub from: Duration,
    /// When it was over, or the end of the history.
    pub until: Duration,
    /// How it was over.
    pub end: End,
}

/// How a presence ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The user left, went to another room, or was still there when the history ended.
    OwnWill,
    /// The connection was lost, or its user stopped reading: nobody knows since when.
    Lost,
}

/// The presences of a history by room, each room's in the order in which they began.
#[derive(Debug, Default)]
pub struct Presences {
    rooms: BTreeMap<String, Vec<Presence>>,
    /// Rooms that each login has been in.
    visited: BTreeMap<Login, Vec<String>>,
}

impl Presences {
    /// Reads `history`, which ends at `until`.
    pub fn of(history: &[Event], until: Duration) -> Self {
        let mut walk = Walk::default();
        for event in history {
            walk.step(event);
        }
        for login in walk.inside.keys().copied().collect::<Vec<_>>() {
            walk.end(login, until, End::OwnWill);
        }
        let mut presences = walk.found;
        for room in presences.rooms.values_mut() {
            room.sort_by_key(|presence| (presence.from, presence.login));
        }
        presences
    }

    /// Who was ever in `room`.
    pub fn in_room(&self, room: &str) -> &[Presence] {
        self.rooms.get(room).map_or(&[], Vec::as_slice)
    }

    /// Whether `login` was ever in `room`.
    pub fn was_in(&self, login: Login, room: &str) -> bool {
        let visited = self.visited.get(&login);
        visited.is_some_and(|rooms| rooms.iter().any(|visited| visited == room))
    }
}

/// Goes through a history, event by event.
#[derive(Default)]
struct Walk<'a> {
    /// The names and rooms asked for and not yet answered. Answers come in this order.
    asked: BTreeMap<Login, VecDeque<(&'a str, &'a str)>>,
    /// Who is in which room, under which name, since when.
    inside: BTreeMap<Login, (&'a str, &'a str, Duration)>,
    found: Presences,
}

impl<'a> Walk<'a> {
    fn step(&mut self, event: &'a Event) {
        let login = (event.user, event.login);
        match &event.what {
            What::Entering { name, room } => {
                self.end(login, event.at, End::OwnWill);
                self.asked.entry(login).or_default().push_back((name, room));
            }
            What::Entered { .. } => self.enter(login, event.at),
            What::Refused { .. } => {
                self.asked.entry(login).or_default().pop_front();
            }
            What::Leaving { due } => self.end(login, *due, End::OwnWill),
            What::Kicked { .. } | What::Closed { .. } | What::Vanished | What::Deaf => {
                self.end(login, event.at, End::Lost);
            }
            _ => {}
        }
    }

    fn enter(&mut self, login: Login, at: Duration) {
        let asked = self.asked.entry(login).or_default();
        let Some((name, room)) = asked.pop_front() else {
            return;
        };
        // Who has asked for the next room meanwhile stays for no time that counts.
        let until = (!asked.is_empty()).then_some(at);
        self.inside.insert(login, (name, room, at));
        if let Some(until) = until {
            self.end(login, until, End::OwnWill);
        }
    }

    fn end(&mut self, login: Login, until: Duration, end: End) {
        let Some((name, room, from)) = self.inside.remove(&login) else {
            return;
        };
        let presence = Presence {
            login,
            name: name.to_owned(),
            from,
            until,
            end,
        };
        let room = room.to_owned();
        self.found
            .rooms
            .entry(room.clone())
            .or_default()
            .push(presence);
        self.found.visited.entry(login).or_default().push(room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn event(second: u64, login: Login, what: What) -> Event {
        Event {
            at: at(second),
            user: login.0,
            login: login.1,
            what,
        }
    }

    fn entering(room: &str) -> What {
        What::Entering {
            name: "ann".to_owned(),
            room: room.to_owned(),
        }
    }

    const ENTERED: What = What::Entered { users: Vec::new() };
    const ANN: Login = (1, 1);

    fn spans(presences: &Presences, room: &str) -> Vec<(u64, u64, End)> {
        let members = presences.in_room(room).iter();
        members
            .map(|member| (member.from.as_secs(), member.until.as_secs(), member.end))
            .collect()
    }

    #[test]
    fn a_presence_lasts_from_the_answer_to_the_goodbye() {
        let history = [
            event(1, ANN, entering("a")),
            event(2, ANN, ENTERED),
            event(5, ANN, What::Leaving { due: at(5) }),
        ];
        let presences = Presences::of(&history, at(9));
        assert_eq!(spans(&presences, "a"), [(2, 5, End::OwnWill)]);
        assert!(presences.was_in(ANN, "a") && !presences.was_in((1, 2), "a"));
    }

    #[test]
    fn who_is_there_at_the_end_was_there_until_the_end() {
        let history = [event(1, ANN, entering("a")), event(2, ANN, ENTERED)];
        let presences = Presences::of(&history, at(9));
        assert_eq!(spans(&presences, "a"), [(2, 9, End::OwnWill)]);
    }

    #[test]
    fn a_lost_connection_ends_a_presence_against_its_will() {
        for what in [
            What::Vanished,
            What::Deaf,
            What::Closed {
                reason: String::new(),
            },
            What::Kicked {
                reason: String::new(),
            },
        ] {
            let history = [
                event(1, ANN, entering("a")),
                event(2, ANN, ENTERED),
                event(5, ANN, what),
            ];
            let presences = Presences::of(&history, at(9));
            assert_eq!(spans(&presences, "a"), [(2, 5, End::Lost)]);
        }
    }

    #[test]
    fn going_to_another_room_ends_the_presence_when_it_is_asked_for() {
        let history = [
            event(1, ANN, entering("a")),
            event(2, ANN, ENTERED),
            event(3, ANN, entering("b")),
            event(4, ANN, ENTERED),
        ];
        let presences = Presences::of(&history, at(9));
        assert_eq!(spans(&presences, "a"), [(2, 3, End::OwnWill)]);
        assert_eq!(spans(&presences, "b"), [(4, 9, End::OwnWill)]);
    }

    #[test]
    fn answers_belong_to_the_rooms_in_the_order_they_were_asked_for() {
        let history = [
            event(1, ANN, entering("a")),
            event(2, ANN, entering("b")),
            event(3, ANN, ENTERED),
            event(4, ANN, ENTERED),
        ];
        let presences = Presences::of(&history, at(9));
        assert_eq!(spans(&presences, "a"), [(3, 3, End::OwnWill)]);
        assert_eq!(spans(&presences, "b"), [(4, 9, End::OwnWill)]);
    }

    #[test]
    fn who_was_refused_was_never_there() {
        let history = [
            event(1, ANN, entering("a")),
            event(2, ANN, What::Refused { duplicate: true }),
            event(2, ANN, What::Leaving { due: at(2) }),
        ];
        assert_eq!(spans(&Presences::of(&history, at(9)), "a"), []);
    }
}
