//! What the benches share: connectors and a chat server as plain state, with the frames between
//! them carried by hand, as `cluster/tests/rooms` does. No sockets, no tasks, no clock: what is
//! measured is the work itself.
//!
//! The benches, from small to large: `wire` (bytes), `dispatch` (one request), `broadcast` (one
//! message to many), `allocations` (the same, counted), `writes` (the same to the clients, by way of
//! [`wires`]), `record` (what users take down, by way of [`talk`]), `round_trip` (real sockets),
//! `sim` (a whole simulated run).

pub mod talk;
pub mod wires;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use cluster::chat::state as chat;
use cluster::connector::handler::{self, Asked};
use cluster::connector::state as connector;
use cluster::link::message::SessionId;
use cluster::link::{Connection, frame};
use cluster::options::Options;
use cluster::queue::Queue;
use cluster::topology::{Backend, Frontend, Topology};
use cluster::wire::message::{self, RouteRef};
use cluster::wire::package::{self, BODY_LEN_LIMIT};
use cluster::wire::protobuf::Schema;
use cluster::wire::vocabulary::Vocabulary;
use serde_json::{Value, json};
use tokio::time::Instant;

pub use cluster::dispatch::{ENTER, SEND};

/// As long as what people type: one line.
pub const CONTENT: &str = "a line of chat, about as long as people write them on their phones";

/// Some connectors and one chat server, which owns every room.
pub struct World {
    chat: chat::State,
    connectors: Vec<Wired>,
    users: Vec<User>,
    vocabulary: Vocabulary,
    now: Instant,
    bytes: BytesMut,
    packages: VecDeque<Bytes>,
}

/// A connector and both ends of its link's connection.
struct Wired {
    state: connector::State,
    here: Connection,
    there: Connection,
}

/// A session, by connector and number there.
struct User {
    connector: usize,
    session: SessionId,
    queue: Arc<Queue>,
}

impl World {
    /// A world without users.
    ///
    /// # Panics
    ///
    /// As all of this: if the servers do not do what they should.
    pub fn new(connectors: usize) -> Self {
        let topology = Arc::new(topology(connectors));
        let now = Instant::now();
        let options = Options::default();
        let mut chat = chat::State::new(topology.clone(), options.clone(), 1, now);
        let wire = |id: &Frontend| {
            let mut state =
                connector::State::new(topology.clone(), &id.id, options.clone(), 1, now);
            let hello = state.hello(0);
            let (there, welcome) = chat.hello(&hello, now).expect("it is welcome");
            let here = state.welcomed(0, welcome, now, now).expect("it is right");
            Wired { state, here, there }
        };
        let connectors = topology.connectors.iter().map(wire).collect();
        let mut world = Self {
            chat,
            connectors,
            users: Vec::new(),
            vocabulary: options.vocabulary,
            now,
            bytes: BytesMut::new(),
            packages: VecDeque::new(),
        };
        world.carry();
        world
    }

    /// A world with one room of `members`, spread evenly over `connectors`.
    pub fn with_members(connectors: usize, members: usize) -> Self {
        let mut world = Self::new(connectors);
        for number in 0..members {
            let user = world.open(number % connectors);
            let body = json!({"username": format!("user {number}"), "rid": "lobby"});
            world.ask(user, &request(ENTER, &body));
            world.carry();
            world.read_all();
        }
        world
    }

    /// Opens a session and returns its number among the users.
    pub fn open(&mut self, connector: usize) -> usize {
        let (session, queue) = self.connectors[connector].state.open();
        self.users.push(User {
            connector,
            session,
            queue,
        });
        self.users.len() - 1
    }

    /// Ends the session of the user who was opened last.
    pub fn close_last(&mut self) {
        let user = self.users.pop().expect("there is a user");
        self.connectors[user.connector].state.close(user.session);
    }

    /// Takes a whole package from a user, as [`request`] makes them.
    pub fn ask(&mut self, user: usize, package: &Bytes) {
        let message = decode(package);
        let user = &self.users[user];
        let state = &mut self.connectors[user.connector].state;
        let asked = Asked::read(&self.vocabulary, &message);
        let asked = asked
            .expect("its body can be read")
            .expect("it has a route");
        let handled = handler::handle(state, user.session, asked, self.now);
        assert_eq!(handled, Ok(()), "nobody is thrown out");
    }

    /// Carries frames both ways on all links until there are none.
    pub fn carry(&mut self) {
        while self.carry_once() {}
    }

    fn carry_once(&mut self) -> bool {
        let mut has_carried = false;
        let (chat, bytes, now) = (&mut self.chat, &mut self.bytes, self.now);
        for Wired { state, here, there } in &mut self.connectors {
            state.fill(here, bytes).expect("the connection stands");
            has_carried |= !bytes.is_empty();
            deliver(bytes, |header, payload| {
                chat.arrived(there, header, &payload, now)
            });
            chat.fill(there, bytes).expect("the connection stands");
            has_carried |= !bytes.is_empty();
            deliver(bytes, |header, payload| {
                state.arrived(here, header, &payload)
            });
        }
        has_carried
    }

    /// Takes what waits for all users, and returns how many packages that was.
    pub fn read_all(&mut self) -> usize {
        let mut count = 0;
        self.take_all(|_user, _package| count += 1);
        count
    }

    /// Takes what waits for all users, each package with the user's number.
    pub fn take_all(&mut self, mut take: impl FnMut(usize, Bytes)) {
        for (number, user) in self.users.iter().enumerate() {
            let kick = user.queue.take(&mut self.packages);
            assert_eq!(kick, None, "nobody is thrown out");
            for package in self.packages.drain(..) {
                take(number, package);
            }
        }
    }
}

/// A whole package with a request.
pub fn request(route: &str, body: &Value) -> Bytes {
    message::encode_request(1, RouteRef::Name(route), body.to_string().as_bytes())
}

/// A whole package with a line of chat for `target`.
pub fn say(target: &str) -> Bytes {
    request(SEND, &json!({"content": CONTENT, "target": target}))
}

/// The schema of Pomelo's example, and what its `onChat` holds for one line of chat.
pub fn on_chat() -> (Schema, Value) {
    let file = json!({"onChat": {
        "required string msg": 1,
        "required string from": 2,
        "required string target": 3,
    }});
    let (schema, _) = Schema::from_text(&file.to_string()).expect("it is an object");
    let body = json!({"msg": CONTENT, "from": "somebody", "target": "*"});
    (schema, body)
}

/// Reads a package that holds a message.
///
/// # Panics
///
/// If it does not.
pub fn decode(package: &Bytes) -> message::Message {
    let package = package::whole(package.clone(), BODY_LEN_LIMIT).expect("a package");
    message::decode(package.body).expect("a message")
}

fn deliver(
    bytes: &mut BytesMut,
    mut take: impl FnMut(frame::Header, Bytes) -> Result<(), cluster::link::LinkError>,
) {
    while let Some((header, payload)) = frame::take(bytes, usize::MAX).expect("a frame") {
        take(header, payload).expect("a frame in its place");
    }
}

fn topology(connectors: usize) -> Topology {
    let connector = |number| Frontend {
        id: format!("connector-server-{number}"),
        client_host: "127.0.0.1".into(),
        client_port: number,
    };
    let count = u16::try_from(connectors).expect("few connectors");
    Topology {
        gates: Vec::new(),
        connectors: (1..=count).map(connector).collect(),
        chats: vec![Backend {
            id: "chat-server-1".into(),
            host: "127.0.0.1".into(),
            port: 1,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reaches_all_members_and_its_sender_has_an_answer() {
        let mut world = World::with_members(3, 10);
        world.ask(4, &say("*"));
        world.carry();
        assert_eq!(world.read_all(), 10 + 1);
    }

    #[test]
    fn who_comes_and_goes_is_announced() {
        let mut world = World::with_members(3, 10);
        let user = world.open(0);
        let body = json!({"username": "guest", "rid": "lobby"});
        world.ask(user, &request(ENTER, &body));
        world.carry();
        assert_eq!(world.read_all(), 10 + 1);
        world.close_last();
        world.carry();
        assert_eq!(world.read_all(), 10);
    }
}
