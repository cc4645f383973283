//! The audit that reads a whole history and the one that forgets as it goes agree on histories that
//! are drawn, as long as nothing comes later than it is remembered.

use std::time::Duration;

use loadgen::fanout::limits::FORGOTTEN_AFTER;
use loadgen::history::{Event, MessageId, Target, What};
use proptest::prelude::*;

use crate::oracle::audit;
use crate::story::{Figures, Story, kicked, name};

/// Users that come and go between the first two rooms.
const USERS: u32 = 4;

/// One who stays in a third room, where nobody else ever is.
const FAR: u32 = USERS;

const ROOMS: [&str; 3] = ["red", "blue", "far"];

/// For so long a message can be heard, and for so long answered.
const HEARD_MAX: Duration = Duration::from_millis(14_500);
const ANSWERED_MAX: Duration = Duration::from_secs(9);

/// Before it is let in, a user hears only what was sent so lately, and it waits for so long: by then
/// nothing that it heard is forgotten.
const EARLY_MAX: Duration = Duration::from_secs(4);
const ASKED_MAX: Duration = Duration::from_secs(10);

/// One draw: the user, what it would do, with what, and after how many milliseconds.
type Draw = (u32, u8, u16, u64);

/// Where a user is.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Out,
    Asking(usize),
    In(usize),
    Deaf(usize),
}

struct User {
    state: State,
    asked_at: Duration,
    /// When it was last in the first two rooms, in this login.
    seen_rooms: [Option<Duration>; 2],
    login: u32,
    sent: u32,
}

struct Message {
    id: MessageId,
    sent_at: Duration,
    room: usize,
    answered: bool,
    /// The logins that heard it before they were let in, or by mistake: only once each.
    early: Vec<(u32, u32)>,
}

/// A world that makes a history of draws: what users do is possible, and what they hear often wrong.
struct World {
    now: Duration,
    users: Vec<User>,
    messages: Vec<Message>,
    history: Vec<Event>,
}

impl World {
    fn new() -> Self {
        let user = |_| User {
            state: State::Out,
            asked_at: Duration::ZERO,
            seen_rooms: [None; 2],
            login: 0,
            sent: 0,
        };
        let mut world = Self {
            now: Duration::ZERO,
            users: (0..=USERS).map(user).collect(),
            messages: Vec::new(),
            history: Vec::new(),
        };
        world.log_in(FAR, 2);
        world.let_in(FAR, 2);
        world
    }

    fn note(&mut self, user: u32, what: What) {
        // Nothing happens at the same time as anything else.
        self.now += Duration::from_millis(1);
        let (at, login) = (self.now, self.users[user as usize].login);
        self.history.push(Event {
            at,
            user,
            login,
            what,
        });
    }

    fn step(&mut self, (user, kind, with, after_ms): Draw) {
        self.now += Duration::from_millis(after_ms);
        let with = usize::from(with);
        let User {
            state, asked_at, ..
        } = self.users[user as usize];
        if matches!(state, State::Asking(_)) && self.now > asked_at + ASKED_MAX {
            self.go(user, kicked());
            return;
        }
        match (state, kind) {
            (State::Out, 0..8) if user != FAR => self.log_in(user, with % 2),
            (State::Out, _) => {}
            (State::Asking(room), 0..4) => self.let_in(user, room),
            (State::Asking(_), 4) => {
                let duplicate = false;
                self.note(user, What::Refused { duplicate });
                self.go(user, What::Leaving { due: self.now });
            }
            (State::Asking(_), 5) => self.go(user, kicked()),
            (State::In(room), 0..4) => self.say(user, room, with),
            (State::In(_), 4) if user != FAR => self.go(user, What::Leaving { due: self.now }),
            (State::In(_), 5) if user != FAR => self.go(user, kicked()),
            (State::In(room), 6) if user != FAR => self.ask(user, 1 - room),
            (State::In(room), 7) if user != FAR && with % 4 == 0 => {
                self.note(user, What::Deaf);
                self.users[user as usize].state = State::Deaf(room);
            }
            (State::Deaf(_), 0) => self.go(user, kicked()),
            (State::In(_), 8..12) => self.answer(user, with),
            _ => self.hear(user, with),
        }
    }

    fn log_in(&mut self, user: u32, room: usize) {
        self.users[user as usize].login += 1;
        self.users[user as usize].sent = 0;
        self.users[user as usize].seen_rooms = [None; 2];
        self.ask(user, room);
    }

    fn ask(&mut self, user: u32, room: usize) {
        let (name, room_name) = (name(user), ROOMS[room].to_owned());
        if let State::In(left) = self.users[user as usize].state {
            self.users[user as usize].seen_rooms[left] = Some(self.now);
        }
        let room_asked = What::Entering {
            name,
            room: room_name,
        };
        self.note(user, room_asked);
        let user = &mut self.users[user as usize];
        user.state = State::Asking(room);
        user.asked_at = self.now;
    }

    fn let_in(&mut self, user: u32, room: usize) {
        self.note(user, What::Entered { users: Vec::new() });
        self.users[user as usize].state = State::In(room);
    }

    fn go(&mut self, user: u32, what: What) {
        self.note(user, what);
        self.users[user as usize].state = State::Out;
    }

    fn say(&mut self, user: u32, room: usize, with: usize) {
        let sender = &mut self.users[user as usize];
        sender.sent += 1;
        let id = MessageId {
            user,
            login: sender.login,
            number: sender.sent,
        };
        let target = match with % 4 {
            0 => Target::User(name(with as u32 / 4 % USERS)),
            _ => Target::Room,
        };
        let due = self.now;
        let sending = What::Sending {
            message: id,
            due,
            target,
        };
        self.note(user, sending);
        self.messages.push(Message {
            id,
            sent_at: self.now,
            room,
            answered: false,
            early: Vec::new(),
        });
    }

    fn answer(&mut self, user: u32, with: usize) {
        let (now, login) = (self.now, self.users[user as usize].login);
        let mut open = self.messages.iter_mut().filter(|message| {
            (message.id.user, message.id.login) == (user, login)
                && !message.answered
                && message.sent_at + ANSWERED_MAX > now
        });
        if let Some(message) = open.next() {
            message.answered = true;
            let (message, ok) = (message.id, !with.is_multiple_of(5));
            self.note(user, What::Answered { message, ok });
        }
    }

    fn hear(&mut self, user: u32, with: usize) {
        let User {
            state,
            login,
            seen_rooms,
            ..
        } = self.users[user as usize];
        let now = self.now;
        let heard = (user, login);
        let recent = self.messages.iter_mut().filter(|message| {
            let is_early = match state {
                State::Out => return false,
                // That one was there is forgotten after a minute, and until `HEARD_MAX` it can hear the same again.
                State::Asking(room) => {
                    let left_at = seen_rooms.get(room).copied().flatten();
                    let is_known = left_at.is_none_or(|at| now + HEARD_MAX < at + FORGOTTEN_AFTER);
                    room == message.room && is_known
                }
                State::In(room) | State::Deaf(room) => message.room == 2 && room != 2,
            };
            // Not of the other of the two rooms: who goes there later has heard nothing wrong.
            let is_there = match state {
                State::In(room) | State::Deaf(room) => room == message.room,
                _ => false,
            };
            let is_new = !message.early.contains(&heard);
            let is_recent = |max| message.sent_at + max > now;
            is_there && is_recent(HEARD_MAX) || is_early && is_new && is_recent(EARLY_MAX)
        });
        let mut recent: Vec<_> = recent.collect();
        if recent.is_empty() {
            return;
        }
        let chosen = with % recent.len();
        let message = &mut recent[chosen];
        if !matches!(state, State::In(room) | State::Deaf(room) if room == message.room) {
            message.early.push(heard);
        }
        let id = message.id;
        let what = What::Heard {
            message: Some(id),
            from: name(id.user),
            target: Target::Room,
        };
        self.note(user, what);
    }
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    // Mostly soon after one another, now and then after a long time.
    let after_ms = prop_oneof![20 => 0..300_u64, 1 => 0..20_000_u64];
    let draw = (0..=USERS, 0..40_u8, any::<u16>(), after_ms);
    proptest::collection::vec(draw, 0..400)
}

proptest! {
    #[test]
    fn both_audits_agree(draws in draws(), rest_ms in 0..20_000_u64) {
        let mut world = World::new();
        for draw in draws {
            world.step(draw);
        }
        let until = world.now + Duration::from_millis(rest_ms);
        let whole = audit(&world.history, until);
        let Figures(measured) = Story(world.history).figures_until(until);
        let streamed = Figures(measured);
        let ours = [
            streamed.count("sends_total"),
            streamed.count("sends_accepted"),
            streamed.faults("sends_refused"),
            streamed.faults("sends_unanswered"),
            streamed.count("deliveries_total"),
            streamed.expected(),
            streamed.faults("lost"),
            streamed.faults("doubled"),
            streamed.faults("wrong_room"),
        ];
        let theirs = [
            whole.sent,
            whole.accepted,
            whole.refused,
            whole.unanswered,
            whole.delivered,
            whole.expected,
            whole.missing,
            whole.doubled,
            whole.stray,
        ];
        prop_assert_eq!(ours, theirs);
        prop_assert_eq!(streamed.faults("late"), 0);
    }
}
