//! Two connectors and one chat server as plain state, with frames carried by hand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cluster::chat::state as chat;
use cluster::connector::handler::{self, Asked};
use cluster::connector::state as connector;
use cluster::link::frame;
use cluster::link::{Connection, LinkError};
use cluster::options::Options;
use cluster::queue::Queue;
use cluster::topology::{Backend, Frontend, Topology};
use cluster::wire::message::{self, MessageKind};
use cluster::wire::package::{self, PackageType};
use cluster::wire::vocabulary::Vocabulary;
use serde_json::{Value, json};
use tokio::time::Instant;

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

pub const LEASE: Duration = Duration::from_secs(2);
pub const PING: Duration = Duration::from_millis(250);
pub const DEADLINE: Duration = Duration::from_secs(3);

/// Two connectors and one chat server, which owns every room.
pub struct World {
    pub topology: Arc<Topology>,
    pub options: Options,
    pub now: Instant,
    pub chat: chat::State,
    pub connectors: Vec<connector::State>,
    pub wires: BTreeMap<usize, (Connection, Connection)>,
    pub queues: BTreeMap<User, Arc<Queue>>,
    pub requests: u32,
}

/// A session: connector and number there.
pub type User = (usize, u64);

impl World {
    pub fn new() -> Result<Self> {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Result<Self> {
        let mut world = Self::without_links(options);
        world.connect(0)?;
        world.connect(1)?;
        world.carry()?;
        Ok(world)
    }

    pub fn without_links(options: Options) -> Self {
        let topology = Arc::new(topology());
        let now = Instant::now();
        let connector = |id: &Frontend| {
            connector::State::new(topology.clone(), &id.id, options.clone(), 1, now)
        };
        Self {
            connectors: topology.connectors.iter().map(connector).collect(),
            chat: chat::State::new(topology.clone(), options.clone(), 1, now),
            topology,
            options,
            now,
            wires: BTreeMap::new(),
            queues: BTreeMap::new(),
            requests: 0,
        }
    }

    /// Opens a new connection of the link of `connector`, as a dial does.
    pub fn connect(&mut self, connector: usize) -> Result {
        let hello = self.connectors[connector].hello(0);
        let (chat_end, welcome) = self.chat.hello(&hello, self.now)?;
        let connector_end = self.connectors[connector].welcomed(0, welcome, self.now, self.now)?;
        self.wires.insert(connector, (connector_end, chat_end));
        Ok(())
    }

    /// Breaks the connection; what it had carried and not delivered is lost.
    pub fn cut(&mut self, connector: usize) {
        if let Some((connector_end, _)) = self.wires.remove(&connector) {
            self.connectors[connector].unlinked(&connector_end);
        }
    }

    /// Carries frames both ways on all connections until there are none.
    pub fn carry(&mut self) -> Result {
        loop {
            let mut carried = 0;
            for connector in 0..self.connectors.len() {
                carried += self.carry_up(connector)? + self.carry_down(connector)?;
            }
            if carried == 0 {
                return Ok(());
            }
        }
    }

    /// Carries what `connector` has to say to the chat server.
    pub fn carry_up(&mut self, connector: usize) -> Result<usize> {
        let Some((connector_end, chat_end)) = self.wires.get(&connector) else {
            return Ok(0);
        };
        let mut bytes = BytesMut::new();
        self.connectors[connector].fill(connector_end, &mut bytes)?;
        frames(bytes, |header, payload| {
            self.chat.arrived(chat_end, header, &payload, self.now)
        })
    }

    /// Carries what the chat server has to say to `connector`.
    pub fn carry_down(&mut self, connector: usize) -> Result<usize> {
        let Some((connector_end, chat_end)) = self.wires.get(&connector) else {
            return Ok(0);
        };
        let mut bytes = BytesMut::new();
        self.chat.fill(chat_end, &mut bytes)?;
        let end = connector_end.clone();
        frames(bytes, |header, payload| {
            self.connectors[connector].arrived(&end, header, &payload)
        })
    }

    /// The chat server's process dies and another takes its place.
    pub fn restart_chat(&mut self) {
        self.wires.clear();
        self.chat = chat::State::new(self.topology.clone(), self.options.clone(), 2, self.now);
    }

    /// A connector's process dies and another takes its place.
    pub fn restart_connector(&mut self, connector: usize) {
        self.wires.remove(&connector);
        let id = &self.topology.connectors[connector].id;
        let (topology, options) = (self.topology.clone(), self.options.clone());
        self.connectors[connector] = connector::State::new(topology, id, options, 2, self.now);
    }

    /// Lets time pass: links that are up carry pings and all else, deadlines and leases run out.
    pub fn wait(&mut self, time: Duration) -> Result {
        let end = self.now + time;
        while self.now < end {
            self.now = end.min(self.now + PING);
            for (connector, (connector_end, _)) in &self.wires {
                self.connectors[*connector].ping(connector_end, self.now)?;
            }
            self.carry()?;
            self.chat.expire(self.now);
            for connector in &mut self.connectors {
                connector.expire_lease(0, self.now);
            }
            for (connector, session) in self.queues.keys() {
                self.connectors[*connector].expire_requests(*session, self.now);
            }
        }
        Ok(())
    }

    pub fn open(&mut self, connector: usize) -> User {
        let (session, queue) = self.connectors[connector].open();
        self.queues.insert((connector, session), queue);
        (connector, session)
    }

    pub fn close(&mut self, (connector, session): User) {
        self.connectors[connector].close(session);
    }

    pub fn request(&mut self, user: User, route: &str, body: &Value) {
        self.requests += 1;
        let message = message::Message {
            kind: MessageKind::Request,
            id: self.requests,
            route: Some(message::Route::Name(route.into())),
            body: Bytes::from(body.to_string()),
        };
        let vocabulary = Vocabulary::default();
        let asked = Asked::read(&vocabulary, &message);
        let asked = asked.expect("JSON").expect("a request");
        let handled = handler::handle(&mut self.connectors[user.0], user.1, asked, self.now);
        assert_eq!(handled, Ok(()));
    }

    pub fn enter(&mut self, user: User, name: &str) {
        self.enter_room(user, name, "lobby");
    }

    pub fn enter_room(&mut self, user: User, name: &str, room: &str) {
        let body = json!({"username": name, "rid": room});
        self.request(user, "connector.entryHandler.enter", &body);
    }

    pub fn say(&mut self, user: User, target: &str, content: &str) {
        let body = json!({"content": content, "target": target});
        self.request(user, "chat.chatHandler.send", &body);
    }

    /// Opens a session that enters the lobby as `name`, and forgets what everybody heard of it.
    pub fn member(&mut self, connector: usize, name: &str) -> Result<User> {
        let user = self.open(connector);
        self.enter(user, name);
        self.carry()?;
        assert!(
            self.heard(user)[0].starts_with("users "),
            "{name} was let in"
        );
        for other in self.queues.keys().copied().collect::<Vec<_>>() {
            self.heard(other);
        }
        Ok(user)
    }

    /// What came for a user since it was asked last, a short text for each.
    pub fn heard(&self, user: User) -> Vec<String> {
        let mut packages = VecDeque::new();
        let kick = self.queues[&user].take(&mut packages);
        let kick = kick.map(|reason| format!("kick {reason}"));
        packages.into_iter().map(text_of).chain(kick).collect()
    }

    pub fn members(&self) -> String {
        self.chat
            .census()
            .rooms
            .get("lobby")
            .map_or_else(String::new, |names| names.join(","))
    }
}

/// Whether the chat server wants a connection ended.
pub fn is_stopped(connection: &Connection) -> bool {
    let mut stop = std::pin::pin!(connection.stop.notified());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    stop.as_mut().poll(&mut context).is_ready()
}

fn topology() -> Topology {
    let connector = |number: u16| Frontend {
        id: format!("connector-server-{number}"),
        client_host: "127.0.0.1".into(),
        client_port: number,
    };
    Topology {
        gates: Vec::new(),
        connectors: vec![connector(1), connector(2)],
        chats: vec![Backend {
            id: "chat-server-1".into(),
            host: "127.0.0.1".into(),
            port: 1,
        }],
    }
}

/// Hands all frames in `bytes` on; those behind one that ends the connection are lost with it.
fn frames(
    mut bytes: BytesMut,
    mut take: impl FnMut(frame::Header, Bytes) -> std::result::Result<(), LinkError>,
) -> Result<usize> {
    let mut count = 0;
    while let Some((header, payload)) = frame::take(&mut bytes, usize::MAX)? {
        take(header, payload)?;
        count += 1;
    }
    Ok(count)
}

fn text_of(package: Bytes) -> String {
    let mut buffer = BytesMut::from(&package[..]);
    let package = package::take(&mut buffer, usize::MAX)
        .expect("well formed")
        .expect("whole");
    assert_eq!(package.kind, PackageType::Data);
    let message = message::decode(package.body).expect("a message");
    let vocabulary = Options::default().vocabulary;
    let route = message.route.as_ref();
    let route = route.map(|route| vocabulary.name(route).expect("it is in the dictionary"));
    let body = vocabulary.read_from_server(route.unwrap_or_default(), &message.body);
    let body = body.expect("what the route says");
    let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match route {
        Some("onChat") => {
            format!(
                "{} from {} to {}",
                field("msg"),
                field("from"),
                field("target")
            )
        }
        Some(route) => format!("{route} {}", field("user")),
        _ => match body["users"].as_array() {
            Some(users) => format!("users {}", names(users)),
            None => body.to_string(),
        },
    }
}

fn names(users: &[Value]) -> String {
    let names: Vec<_> = users.iter().filter_map(Value::as_str).collect();
    names.join(",")
}
