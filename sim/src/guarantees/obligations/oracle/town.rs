//! A chat without a cluster: one list of who is where, delays between it and the users, and a cut
//! now and then. It keeps all promises, and knows what reached whom.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use loadgen::history::{MessageId, Target, What};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::Login;
use crate::guarantees::story::{
    ALICE, BOB, CAROL, CONNECTOR_1, CONNECTOR_2, Story, USERS, name, partition, repair,
};
use crate::record::Record;

/// When the last thing happens in a story, in milliseconds. Who is still there then stays.
pub const ENDS_AT: u64 = 1200;

const USERS_ALL: [u32; 3] = [ALICE, BOB, CAROL];
const ROOMS: [&str; 2] = ["red", "blue"];
/// The longest latency of a story, in milliseconds.
const LATENCY_MAX: u64 = 10;

/// A story, and the truth about it.
pub struct Told {
    /// What the checks see.
    pub record: Record,
    /// Which message reached whose eyes.
    pub reached: BTreeSet<(MessageId, Login)>,
}

/// Tells the story number `seed`.
pub fn tell(seed: u64) -> Told {
    let mut rng = StdRng::seed_from_u64(seed);
    let cut = rng.random_bool(0.3).then(|| {
        let from = rng.random_range(200..900);
        (from, from + rng.random_range(1..200))
    });
    let mut town = Town {
        rng,
        now: 0,
        cut,
        story: Story::new(),
        sessions: BTreeMap::new(),
        logins: BTreeMap::new(),
        reached: BTreeSet::new(),
    };
    if let Some((from, until)) = cut {
        town.change(|story| {
            story
                .fault(from, partition(USERS, CONNECTOR_1))
                .fault(until, repair(USERS, CONNECTOR_1))
        });
    }
    for now in 100..ENDS_AT {
        town.now = now;
        town.step();
    }
    Told {
        record: town.story.record(),
        reached: town.reached,
    }
}

struct Town {
    rng: StdRng,
    now: u64,
    /// When the users can't reach the first connector.
    cut: Option<(u64, u64)>,
    story: Story,
    /// The latest login of each user that has one.
    sessions: BTreeMap<u32, Session>,
    logins: BTreeMap<u32, u32>,
    reached: BTreeSet<(MessageId, Login)>,
}

/// A login, at both ends. What is under way has the time at which it arrives.
struct Session {
    login: Login,
    through: &'static str,
    sent: u32,
    to_town: VecDeque<(u64, Request)>,
    to_user: VecDeque<(u64, What)>,
    /// Where it is, by the town's list.
    room: Option<&'static str>,
    /// Of what the user asked for and was not told about.
    waiting: usize,
    is_reading: bool,
    /// When the town and the user find out that the connection is dead; none of them hears
    /// anything until then.
    dead_until: Option<u64>,
}

#[derive(Clone)]
enum Request {
    Enter(&'static str),
    Send(MessageId, Target),
    Bye,
}

impl Town {
    fn step(&mut self) {
        for user in USERS_ALL {
            self.cut_off(user);
            self.serve(user);
        }
        for user in USERS_ALL {
            self.read(user);
            if self.now < ENDS_AT - 200 {
                self.act(user);
            }
        }
    }

    fn change(&mut self, change: impl FnOnce(Story) -> Story) {
        let story = std::mem::replace(&mut self.story, Story::new());
        self.story = change(story);
    }

    fn note(&mut self, user: u32, what: What) {
        let now = self.now;
        self.change(|story| story.note(now, user, what));
    }

    /// When something arrives that is sent now behind something that arrives at `behind`.
    fn arrival(&mut self, through: &str, behind: Option<u64>) -> u64 {
        let mut at = self.now + self.rng.random_range(1..=LATENCY_MAX);
        if let (Some((from, until)), CONNECTOR_1) = (self.cut, through)
            && from <= at
            && self.now <= until
        {
            at = until + self.rng.random_range(1..=LATENCY_MAX);
        }
        at.max(behind.unwrap_or_default())
    }

    fn ask(&mut self, user: u32, request: Request) {
        let Some((through, behind)) = self.sessions.get(&user).map(|session| {
            let behind = session.to_town.back().map(|(at, _)| *at);
            (session.through, behind)
        }) else {
            return;
        };
        let at = self.arrival(through, behind);
        if let Some(session) = self.sessions.get_mut(&user) {
            session.to_town.push_back((at, request));
        }
    }

    fn push(&mut self, user: u32, what: What) {
        let Some((through, behind)) = self.sessions.get(&user).map(|session| {
            let behind = session.to_user.back().map(|(at, _)| *at);
            (session.through, behind)
        }) else {
            return;
        };
        let at = self.arrival(through, behind);
        if let Some(session) = self.sessions.get_mut(&user) {
            session.to_user.push_back((at, what));
        }
    }

    /// Kills some of the connections that the cut touches, and ends those that are known to be dead.
    fn cut_off(&mut self, user: u32) {
        let begins = self.cut.is_some_and(|(from, _)| from == self.now);
        let dies = begins && self.rng.random_bool(0.7);
        let noticed_at = self.now + self.rng.random_range(1..400);
        let Some(session) = self.sessions.get_mut(&user) else {
            return;
        };
        if dies && session.through == CONNECTOR_1 {
            session.dead_until = Some(noticed_at);
        }
        if session.dead_until == Some(self.now) {
            self.sessions.remove(&user);
            let reason = String::from("no heartbeat");
            self.note(user, What::Closed { reason });
        }
    }

    /// Does what was asked and has arrived.
    fn serve(&mut self, user: u32) {
        while let Some(session) = self.sessions.get_mut(&user)
            && session.dead_until.is_none()
            && session
                .to_town
                .front()
                .is_some_and(|(at, _)| *at <= self.now)
            && let Some((_, request)) = session.to_town.pop_front()
        {
            match request {
                Request::Enter(_) if self.rng.random_bool(0.1) => {
                    self.push(user, What::Refused { duplicate: false });
                }
                Request::Enter(room) => {
                    session.room = Some(room);
                    let members = self.sessions.iter();
                    let here = members.filter(|(_, other)| other.room == Some(room));
                    let users = here.map(|(user, _)| name(*user)).collect();
                    self.push(user, What::Entered { users });
                }
                Request::Send(message, target) => {
                    let room = session.room;
                    self.carry_out(user, room, message, &target);
                }
                Request::Bye => drop(self.sessions.remove(&user)),
            }
        }
    }

    /// Success is said only of what was carried out; otherwise it may or may not have been.
    fn carry_out(&mut self, user: u32, room: Option<&str>, message: MessageId, target: &Target) {
        let is_meant = |other: u32| match target {
            Target::Room => true,
            Target::User(target) => *target == name(other),
        };
        let members = self.sessions.iter();
        let here =
            members.filter(|(other, it)| room.is_some() && it.room == room && is_meant(**other));
        let here: Vec<u32> = here.map(|(other, _)| *other).collect();
        let is_done = !here.is_empty() && self.rng.random_bool(0.9);
        if is_done {
            for other in here {
                let from = name(user);
                let target = target.clone();
                let message = Some(message);
                let heard = What::Heard {
                    message,
                    from,
                    target,
                };
                self.push(other, heard);
            }
        }
        let ok = is_done && self.rng.random_bool(0.9);
        if ok || self.rng.random_bool(0.7) {
            self.push(user, What::Answered { message, ok });
        }
    }

    /// Sees what has arrived.
    fn read(&mut self, user: u32) {
        while let Some(session) = self.sessions.get_mut(&user)
            && session.dead_until.is_none()
            && session
                .to_user
                .front()
                .is_some_and(|(at, _)| *at <= self.now)
            && let Some((_, what)) = session.to_user.pop_front()
        {
            if !session.is_reading {
                continue;
            }
            if matches!(what, What::Entered { .. } | What::Refused { .. }) {
                session.waiting -= 1;
            }
            if let What::Heard {
                message: Some(message),
                ..
            } = &what
            {
                self.reached.insert((*message, session.login));
            }
            self.note(user, what);
        }
    }

    /// Does something, now and then.
    fn act(&mut self, user: u32) {
        if !self.rng.random_bool(0.03) {
            return;
        }
        let Some(session) = self.sessions.get_mut(&user) else {
            return self.log_in(user);
        };
        let (is_waiting, is_bye_said) = (session.waiting > 0, !session.is_reading);
        match self.rng.random_range(0..100) {
            _ if is_bye_said => {}
            0..50 => self.send(user, Target::Room),
            50..65 => {
                let target = *USERS_ALL.choose(&mut self.rng).expect("there are three");
                self.send(user, Target::User(name(target)));
            }
            65..85 if !is_waiting => self.enter(user),
            85..93 => {
                session.is_reading = false;
                let now = self.now;
                self.change(|story| story.leaves(now, user));
                self.ask(user, Request::Bye);
            }
            93..96 => {
                session.is_reading = false;
                self.note(user, What::Vanished);
                self.ask(user, Request::Bye);
            }
            96..98 => {
                session.is_reading = false;
                self.note(user, What::Deaf);
            }
            _ => {}
        }
    }

    fn log_in(&mut self, user: u32) {
        let login = self.logins.entry(user).or_default();
        *login += 1;
        let login = (user, *login);
        let connectors = [CONNECTOR_1, CONNECTOR_2];
        let through = connectors.choose(&mut self.rng).expect("there are two");
        let session = Session {
            login,
            through,
            sent: 0,
            to_town: VecDeque::new(),
            to_user: VecDeque::new(),
            room: None,
            waiting: 0,
            is_reading: true,
            dead_until: None,
        };
        self.sessions.insert(user, session);
        let now = self.now;
        self.change(|story| story.logs_in_through(now, user, through));
        self.enter(user);
    }

    fn enter(&mut self, user: u32) {
        let room = ROOMS.choose(&mut self.rng).expect("there are two");
        if let Some(session) = self.sessions.get_mut(&user) {
            session.waiting += 1;
        }
        let now = self.now;
        self.change(|story| story.asks(now, user, room));
        self.ask(user, Request::Enter(room));
    }

    fn send(&mut self, user: u32, target: Target) {
        let Some(session) = self.sessions.get_mut(&user) else {
            return;
        };
        session.sent += 1;
        let (user, login) = session.login;
        let number = session.sent;
        let message = MessageId {
            user,
            login,
            number,
        };
        let now = self.now;
        let whom = target.clone();
        self.change(|story| story.sends(now, user, number, whom));
        self.ask(user, Request::Send(message, target));
    }
}
