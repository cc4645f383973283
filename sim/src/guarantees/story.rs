//! Short histories for the tests of the checks.
//!
//! Three users, two connectors, one chat server. Faults are healed at 10 s, the run is settled at
//! 30 s, everybody leaves at 40 s, and it ends at 60 s; heartbeats every 3 s, a lease of 2 s, and
//! 10 ms of latency at most. Times are in milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::census::Census;
use cluster::options::DuplicateLogin;
use cluster::topology::{Backend, Frontend, Topology};
use loadgen::history::{Event, MessageId, Target, What};

use crate::fault::{Fault, Planned};
use crate::kinds::Fired;
use crate::record::{Bounds, Record, Sample};
use crate::vandal::visit::Visit;

pub const ALICE: u32 = 1;
pub const BOB: u32 = 2;
pub const CAROL: u32 = 3;

pub const GATE: &str = "gate-server-1";
pub const CONNECTOR_1: &str = "connector-server-1";
pub const CONNECTOR_2: &str = "connector-server-2";
pub const CHAT: &str = "chat-server-1";
/// Where all users live.
pub const USERS: &str = "users-1";

/// A history in the making.
pub struct Story {
    pub history: Vec<Event>,
    pub faults: Vec<Planned>,
    pub samples: Vec<Sample>,
    pub visits: Vec<Visit>,
    pub probes: BTreeSet<u32>,
    pub returning: BTreeSet<u32>,
    logins: BTreeMap<u32, u32>,
}

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub fn name(user: u32) -> String {
    let names = ["alice", "bob", "carol"];
    names[user as usize - 1].to_owned()
}

pub fn names(users: &[u32]) -> Vec<String> {
    users.iter().map(|user| name(*user)).collect()
}

pub fn partition(a: &str, b: &str) -> Fault {
    let (a, b) = (a.to_owned(), b.to_owned());
    Fault::Partition { a, b }
}

pub fn repair(a: &str, b: &str) -> Fault {
    let (a, b) = (a.to_owned(), b.to_owned());
    Fault::Repair { a, b }
}

pub fn hold(a: &str, b: &str) -> Fault {
    let (a, b) = (a.to_owned(), b.to_owned());
    Fault::Hold { a, b }
}

pub fn release(a: &str, b: &str) -> Fault {
    let (a, b) = (a.to_owned(), b.to_owned());
    Fault::Release { a, b }
}

pub fn pause(host: &str) -> Fault {
    Fault::Pause {
        host: host.to_owned(),
    }
}

pub fn resume(host: &str) -> Fault {
    Fault::Resume {
        host: host.to_owned(),
    }
}

pub fn power_cut(host: &str) -> Fault {
    Fault::Crash {
        host: host.to_owned(),
        goodbye: false,
    }
}

pub fn stop(host: &str) -> Fault {
    Fault::Stop {
        host: host.to_owned(),
    }
}

pub fn restart(host: &str) -> Fault {
    Fault::Restart {
        host: host.to_owned(),
    }
}

impl Story {
    pub fn new() -> Self {
        Self {
            history: Vec::new(),
            faults: Vec::new(),
            samples: Vec::new(),
            visits: Vec::new(),
            probes: BTreeSet::new(),
            returning: BTreeSet::new(),
            logins: BTreeMap::new(),
        }
    }

    /// Anything, in the user's current login.
    pub fn note(mut self, at: u64, user: u32, what: What) -> Self {
        let login = *self.logins.entry(user).or_insert(1);
        let at = ms(at);
        self.history.push(Event {
            at,
            user,
            login,
            what,
        });
        self
    }

    pub fn begins_login(self, at: u64, user: u32) -> Self {
        self.note(at, user, What::Login { due: ms(at) })
    }

    /// A login through the first connector, up to where `enter` can be sent, at `at`.
    pub fn logs_in(self, at: u64, user: u32) -> Self {
        self.logs_in_through(at, user, CONNECTOR_1)
    }

    pub fn logs_in_through(mut self, at: u64, user: u32, connector: &str) -> Self {
        *self.logins.entry(user).or_default() += 1;
        let connector = format!("{connector}:3050");
        self.begins_login(at - 20, user)
            .note(at - 10, user, What::Located { connector })
            .note(at, user, What::Connected)
    }

    pub fn asks(self, at: u64, user: u32, room: &str) -> Self {
        let room = room.to_owned();
        self.note(
            at,
            user,
            What::Entering {
                name: name(user),
                room,
            },
        )
    }

    pub fn gets_in(self, at: u64, user: u32, users: &[u32]) -> Self {
        let users = names(users);
        self.note(at, user, What::Entered { users })
    }

    pub fn gets_refused(self, at: u64, user: u32, duplicate: bool) -> Self {
        self.note(at, user, What::Refused { duplicate })
    }

    /// A whole login, answered at `at`.
    pub fn enters(self, at: u64, user: u32, room: &str, users: &[u32]) -> Self {
        self.enters_through(at, user, CONNECTOR_1, room, users)
    }

    pub fn enters_through(
        self,
        at: u64,
        user: u32,
        connector: &str,
        room: &str,
        users: &[u32],
    ) -> Self {
        self.logs_in_through(at - 20, user, connector)
            .asks(at - 20, user, room)
            .gets_in(at, user, users)
    }

    /// Sends message `number` of the current login to the room.
    pub fn says(self, at: u64, user: u32, number: u32) -> Self {
        self.sends(at, user, number, Target::Room)
    }

    pub fn whispers(self, at: u64, user: u32, number: u32, to: u32) -> Self {
        self.sends(at, user, number, Target::User(name(to)))
    }

    pub fn sends(self, at: u64, user: u32, number: u32, target: Target) -> Self {
        let message = self.id(user, number);
        let due = ms(at);
        self.note(
            at,
            user,
            What::Sending {
                message,
                due,
                target,
            },
        )
    }

    pub fn gets_answer(self, at: u64, user: u32, number: u32, ok: bool) -> Self {
        let message = self.id(user, number);
        self.note(at, user, What::Answered { message, ok })
    }

    pub fn gets_unasked_answer(self, at: u64, user: u32, id: u32) -> Self {
        self.note(at, user, What::Unasked { id })
    }

    pub fn gets_nonsense(self, at: u64, user: u32) -> Self {
        let route = String::from("onChat");
        self.note(at, user, What::Strange { route })
    }

    /// Hears message `number` of the sender's current login, sent to the room.
    pub fn hears(self, at: u64, user: u32, from: u32, number: u32) -> Self {
        self.hears_as(at, user, from, number, Target::Room)
    }

    /// The same, of a message that is for one name only.
    pub fn overhears(self, at: u64, user: u32, from: u32, number: u32, to: u32) -> Self {
        self.hears_as(at, user, from, number, Target::User(name(to)))
    }

    fn hears_as(self, at: u64, user: u32, from: u32, number: u32, target: Target) -> Self {
        let message = Some(self.id(from, number));
        let from = name(from);
        self.note(
            at,
            user,
            What::Heard {
                message,
                from,
                target,
            },
        )
    }

    fn id(&self, user: u32, number: u32) -> MessageId {
        let login = self.logins.get(&user).copied().unwrap_or(1);
        MessageId {
            user,
            login,
            number,
        }
    }

    pub fn adds(self, at: u64, user: u32, other: u32) -> Self {
        self.note(at, user, What::Added { name: name(other) })
    }

    pub fn drops(self, at: u64, user: u32, other: u32) -> Self {
        self.note(at, user, What::Left { name: name(other) })
    }

    pub fn leaves(self, at: u64, user: u32) -> Self {
        let due = ms(at);
        self.note(at, user, What::Leaving { due })
    }

    pub fn vanishes(self, at: u64, user: u32) -> Self {
        self.note(at, user, What::Vanished)
    }

    pub fn goes_deaf(self, at: u64, user: u32) -> Self {
        self.note(at, user, What::Deaf)
    }

    pub fn gets_kicked(self, at: u64, user: u32) -> Self {
        self.gets_kicked_for(at, user, "chat-server-1 could not be reached for 2s")
    }

    pub fn gets_kicked_for(self, at: u64, user: u32, reason: &str) -> Self {
        let reason = reason.to_owned();
        self.note(at, user, What::Kicked { reason })
    }

    pub fn closes(self, at: u64, user: u32) -> Self {
        let reason = String::from("end of stream");
        self.note(at, user, What::Closed { reason })
    }

    pub fn fault(mut self, at: u64, fault: Fault) -> Self {
        let at = ms(at);
        self.faults.push(Planned::new(at, fault));
        self
    }

    /// A sample in which the chat server lists `users` in red, and the connectors agree.
    pub fn lists(self, at: u64, users: &[u32]) -> Self {
        let chat = Census {
            rooms: BTreeMap::from([(String::from("red"), names(users))]),
            ..Census::default()
        };
        let servers = [(CONNECTOR_1, in_red(users)), (CHAT, chat)];
        self.sample(at, &servers)
    }

    pub fn sample(mut self, at: u64, servers: &[(&str, Census)]) -> Self {
        let servers = servers.iter().cloned();
        self.samples.push(Sample {
            at: ms(at),
            servers: servers
                .map(|(id, census)| (id.to_owned(), census))
                .collect(),
        });
        self
    }

    /// Something that a vandal did.
    pub fn visit(mut self, visit: Visit) -> Self {
        self.visits.push(visit);
        self
    }

    pub fn probe(mut self, user: u32) -> Self {
        self.probes.insert(user);
        self
    }

    pub fn returns(mut self, user: u32) -> Self {
        self.returning.insert(user);
        self
    }

    /// The record; events that were told out of order are put in the order of their times.
    pub fn record(mut self) -> Record {
        self.history.sort_by_key(|event| event.at);
        self.faults.sort_by_key(|planned| planned.at);
        self.samples.sort_by_key(|sample| sample.at);
        Record {
            history: self.history,
            faults: self.faults,
            anchored: Default::default(),
            in_vain: Default::default(),
            fired: Fired::new(),
            unmet: Vec::new(),
            healed_at: ms(10_000),
            settled_at: ms(30_000),
            leaving_at: ms(40_000),
            ended_at: ms(60_000),
            topology: topology(),
            user_hosts: [ALICE, BOB, CAROL]
                .map(|user| (user, USERS.to_owned()))
                .into(),
            probes: self.probes,
            returning: self.returning,
            visits: self.visits,
            samples: self.samples,
            bounds: bounds(),
        }
    }
}

/// A connector whose sessions are `users`, all in red.
pub fn in_red(users: &[u32]) -> Census {
    Census {
        sessions: users.len(),
        entered: users
            .iter()
            .map(|user| (String::from("red"), name(*user)))
            .collect(),
        ..Census::default()
    }
}

fn topology() -> Topology {
    Topology {
        gates: vec![frontend(GATE)],
        connectors: vec![frontend(CONNECTOR_1), frontend(CONNECTOR_2)],
        chats: vec![Backend {
            id: CHAT.to_owned(),
            host: CHAT.to_owned(),
            port: 6050,
        }],
    }
}

fn frontend(id: &str) -> Frontend {
    Frontend {
        id: id.to_owned(),
        client_host: id.to_owned(),
        client_port: 3050,
    }
}

fn bounds() -> Bounds {
    Bounds {
        request_deadline: ms(3000),
        handshake_patience: ms(10_000),
        heartbeat: ms(3000),
        lease: ms(2000),
        latency_max: ms(10),
        session_queue_len: 4,
        outbox_len: 8,
        duplicate_login: DuplicateLogin::Refuse,
        stream_len: 2,
    }
}
