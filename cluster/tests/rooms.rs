//! Connectors and chat servers as plain state, with frames carried by hand: what a room goes
//! through when links break, leases run out and processes start again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cluster::chat::state as chat;
use cluster::connector::{handler, state as connector};
use cluster::link::frame;
use cluster::link::{Connection, LinkError};
use cluster::options::Options;
use cluster::queue::Queue;
use cluster::topology::{Backend, Frontend, Topology};
use cluster::wire::message::{self, MessageKind};
use cluster::wire::package::{self, PackageType};
use serde_json::{Value, json};
use tokio::time::Instant;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Two connectors and one chat server, which owns every room.
struct World {
    topology: Arc<Topology>,
    now: Instant,
    chat: chat::State,
    connectors: Vec<connector::State>,
    wires: BTreeMap<usize, (Connection, Connection)>,
    queues: BTreeMap<User, Arc<Queue>>,
    requests: u32,
}

/// A session: connector and number there.
type User = (usize, u64);

impl World {
    fn new() -> Result<Self> {
        let topology = Arc::new(topology());
        let now = Instant::now();
        let connector = |id: &Frontend| {
            connector::State::new(topology.clone(), &id.id, Options::default(), 1, now)
        };
        let mut world = Self {
            connectors: topology.connectors.iter().map(connector).collect(),
            chat: chat::State::new(topology.clone(), Options::default(), 1, now),
            topology,
            now,
            wires: BTreeMap::new(),
            queues: BTreeMap::new(),
            requests: 0,
        };
        world.connect(0)?;
        world.connect(1)?;
        world.carry()?;
        Ok(world)
    }

    /// Opens a new connection of the link of `connector`, as a dial does.
    fn connect(&mut self, connector: usize) -> Result {
        let hello = self.connectors[connector].hello(0);
        let (chat_end, welcome) = self.chat.hello(&hello, self.now)?;
        let connector_end = self.connectors[connector].welcomed(0, welcome, self.now, self.now)?;
        self.wires.insert(connector, (connector_end, chat_end));
        Ok(())
    }

    /// Breaks the connection; what it had carried and not delivered is lost.
    fn cut(&mut self, connector: usize) {
        self.wires.remove(&connector);
    }

    /// Carries frames both ways on all connections until there are none.
    fn carry(&mut self) -> Result {
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
    fn carry_up(&mut self, connector: usize) -> Result<usize> {
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
    fn carry_down(&mut self, connector: usize) -> Result<usize> {
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
    fn restart_chat(&mut self) {
        self.wires.clear();
        self.chat = chat::State::new(self.topology.clone(), Options::default(), 2, self.now);
    }

    /// Lets time pass: links that are up carry pings and all else, deadlines and leases run out.
    fn wait(&mut self, time: Duration) -> Result {
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

    fn open(&mut self, connector: usize) -> User {
        let (session, queue) = self.connectors[connector].open();
        self.queues.insert((connector, session), queue);
        (connector, session)
    }

    fn close(&mut self, (connector, session): User) {
        self.connectors[connector].close(session);
    }

    fn request(&mut self, user: User, route: &str, body: &Value) {
        self.requests += 1;
        let message = message::Message {
            kind: MessageKind::Request,
            id: self.requests,
            route: Some(message::Route::Name(route.into())),
            body: Bytes::from(body.to_string()),
        };
        let kick = handler::handle(&mut self.connectors[user.0], user.1, &message, self.now);
        assert_eq!(kick, None);
    }

    fn enter(&mut self, user: User, name: &str) {
        self.enter_room(user, name, "lobby");
    }

    fn enter_room(&mut self, user: User, name: &str, room: &str) {
        let body = json!({"username": name, "rid": room});
        self.request(user, "connector.entryHandler.enter", &body);
    }

    fn say(&mut self, user: User, target: &str, content: &str) {
        let body = json!({"content": content, "target": target});
        self.request(user, "chat.chatHandler.send", &body);
    }

    /// Opens a session that enters the lobby as `name`, and forgets what everybody heard of it.
    fn member(&mut self, connector: usize, name: &str) -> Result<User> {
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
    fn heard(&self, user: User) -> Vec<String> {
        let mut packages = VecDeque::new();
        let kick = self.queues[&user].take(&mut packages);
        let kick = kick.map(|reason| format!("kick {reason}"));
        packages.into_iter().map(text_of).chain(kick).collect()
    }

    fn members(&self) -> String {
        self.chat
            .census()
            .rooms
            .get("lobby")
            .map_or_else(String::new, |names| names.join(","))
    }
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
    let body: Value = serde_json::from_slice(&message.body).expect("JSON");
    let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match message.route {
        Some(message::Route::Name(route)) if route == "onChat" => {
            format!(
                "{} from {} to {}",
                field("msg"),
                field("from"),
                field("target")
            )
        }
        Some(message::Route::Name(route)) => format!("{route} {}", field("user")),
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

const LEASE: Duration = Duration::from_secs(2);
const PING: Duration = Duration::from_millis(250);
const DEADLINE: Duration = Duration::from_secs(3);

#[test]
fn everybody_is_told_of_a_newcomer_who_gets_the_list_instead() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob"]);
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    Ok(())
}

#[test]
fn an_enter_is_answered_only_when_the_other_connectors_have_told_of_it() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    world.carry_down(1)?;
    assert_eq!(
        world.heard(bob),
        [""; 0],
        "ada's connector has not acknowledged"
    );
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob"]);
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    Ok(())
}

#[test]
fn what_is_said_while_an_enter_is_unanswered_follows_the_answer() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.say(ada, "*", "hi");
    world.carry_up(1)?;
    world.carry_up(0)?;
    world.carry_down(1)?;
    assert_eq!(world.heard(bob), [""; 0]);
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob", "hi from ada to *"]);
    Ok(())
}

#[test]
fn what_is_whispered_to_somebody_who_is_entering_follows_the_answer_too() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    world.say(ada, "bob", "psst");
    // Bob's connector has the message before it may answer his enter.
    world.carry_up(0)?;
    world.carry_down(1)?;
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob", "psst from ada to bob"]);
    assert_eq!(world.heard(ada), ["{}"]);
    Ok(())
}

#[test]
fn no_more_is_kept_behind_an_unanswered_enter_than_a_queue_may_hold() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    // Ada's connector never acknowledges that bob has come, so bob stays at the door.
    let queue_len = Options::default().session_queue_len;
    for _ in 0..=queue_len {
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        world.carry_down(1)?;
        // Answers would hold ada's requests up; she is not what this is about.
        world.connectors[0].expire_requests(ada.1, world.now + DEADLINE);
    }
    assert_eq!(
        world.heard(bob),
        ["kick too much was said before the room could be entered"]
    );
    Ok(())
}

#[test]
fn a_send_is_answered_only_when_every_connector_concerned_has_it() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.say(ada, "*", "hi");
    world.carry_up(0)?;
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["hi from ada to *"]);
    world.carry()?;
    assert_eq!(world.heard(ada), ["{}"]);
    assert_eq!(world.heard(bob), ["hi from ada to *"]);
    Ok(())
}

#[test]
fn one_name_has_one_session_in_the_whole_cluster() -> Result {
    let mut world = World::new()?;
    let first = world.member(0, "ada")?;
    let second = world.open(1);
    world.enter(second, "ada");
    world.carry()?;
    assert_eq!(world.heard(second), [r#"{"code":500,"error":true}"#]);
    assert_eq!(world.heard(first), [""; 0]);
    world.close(first);
    world.carry()?;
    world.enter(second, "ada");
    world.carry()?;
    assert_eq!(world.heard(second), ["users ada"]);
    Ok(())
}

#[test]
fn a_broken_connection_loses_and_doubles_nothing() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.say(ada, "*", "one");
    world.carry_up(0)?;
    world.say(ada, "*", "two");
    world.carry_down(1)?;
    // "one" has arrived at bob's connector, but its acknowledgement is lost, and "two" is unsent.
    world.cut(0);
    world.cut(1);
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(bob), ["one from ada to *", "two from ada to *"]);
    let of_ada = world.heard(ada);
    assert_eq!(of_ada.len(), 4, "{of_ada:?}");
    Ok(())
}

/// Whether the chat server wants a connection ended.
fn is_stopped(connection: &Connection) -> bool {
    let mut stop = std::pin::pin!(connection.stop.notified());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    stop.as_mut().poll(&mut context).is_ready()
}

#[test]
fn a_new_connection_ends_the_one_before_it_and_not_itself() -> Result {
    let mut world = World::new()?;
    let first = world.wires[&0].1.clone();
    assert!(!is_stopped(&first));
    world.connect(0)?;
    assert!(is_stopped(&first));
    assert!(!is_stopped(&world.wires[&0].1));
    Ok(())
}

#[test]
fn a_session_that_closes_while_entering_leaves_no_ghost() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.close(bob);
    world.carry()?;
    assert_eq!(world.heard(ada), ["onAdd bob", "onLeave bob"]);
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn a_second_enter_changes_the_room_and_a_refused_one_does_not() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(0, "bob")?;
    let other = world.open(1);
    world.enter_room(other, "ada", "attic");
    world.carry()?;
    world.enter_room(ada, "ada", "attic");
    world.carry()?;
    assert_eq!(world.heard(ada), [r#"{"code":500,"error":true}"#]);
    assert_eq!(world.heard(bob), [""; 0]);
    world.enter_room(ada, "anna", "attic");
    world.say(bob, "*", "who is here?");
    world.carry()?;
    assert_eq!(
        world.heard(bob).last().map(String::as_str),
        Some("onLeave ada")
    );
    assert_eq!(
        world.heard(ada).last().map(String::as_str),
        Some("users ada,anna")
    );
    assert_eq!(world.members(), "bob");
    Ok(())
}

#[test]
fn answers_come_in_the_order_of_their_requests() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    world.say(ada, "*", "hi");
    world.request(ada, "no.such.route", &json!({}));
    world.enter_room(ada, "ada", "attic");
    assert_eq!(world.heard(ada), [""; 0]);
    world.carry()?;
    let heard = world.heard(ada);
    assert_eq!(
        heard,
        ["hi from ada to *", "{}", r#"{"code":500}"#, "users ada"]
    );
    Ok(())
}

#[test]
fn a_restarted_chat_server_learns_its_rooms_and_clients_notice_nothing() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.connect(0)?;
    world.say(ada, "*", "are you there?");
    world.carry()?;
    assert_eq!(
        world.heard(ada),
        [""; 0],
        "the other connector has not reported"
    );
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(ada), ["are you there? from ada to *", "{}"]);
    assert_eq!(world.heard(bob), ["are you there? from ada to *"]);
    assert_eq!(world.members(), "ada,bob");
    Ok(())
}

#[test]
fn requests_that_died_with_the_chat_server_are_refused_and_their_enters_undone() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    // Ada's connector hears of bob, bob's own does not hear that all have.
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    world.restart_chat();
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(bob), [r#"{"code":500}"#]);
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn a_connector_that_had_seen_less_is_told_what_it_missed_in_the_same_order() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    let cleo = world.member(1, "cleo")?;
    // Only connector 1 hears that bob goes and dan comes and goes.
    world.close(bob);
    let dan = world.open(1);
    world.enter(dan, "dan");
    world.carry_up(1)?;
    world.carry_down(1)?;
    assert_eq!(world.heard(cleo), ["onLeave bob", "onAdd dan"]);
    world.restart_chat();
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(
        world.heard(ada),
        ["onLeave bob", "onAdd dan", "onLeave dan"]
    );
    assert_eq!(world.heard(cleo), ["onLeave dan"]);
    assert_eq!(world.heard(dan), [r#"{"code":500}"#]);
    assert_eq!(world.members(), "ada,cleo");
    Ok(())
}

#[test]
fn who_left_while_the_chat_server_was_down_is_seen_to_leave() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.close(bob);
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn a_connector_that_never_reports_does_not_hold_up_the_rooms_for_longer_than_a_lease() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.connect(0)?;
    world.carry()?;
    world.say(ada, "*", "hello?");
    world.wait(LEASE - Duration::from_millis(1))?;
    assert_eq!(world.members(), "");
    world.wait(Duration::from_millis(1))?;
    world.carry()?;
    assert_eq!(world.members(), "ada");
    assert_eq!(
        world.heard(ada),
        ["onLeave bob", "hello? from ada to *", "{}"]
    );
    assert_eq!(
        world.heard(bob),
        ["kick chat-server-1 could not be reached for 2s"]
    );
    Ok(())
}

/// Carries the first `count` frames that `connector` has to say, and loses the rest.
fn carry_some(world: &mut World, connector: usize, count: usize) -> Result {
    let (connector_end, chat_end) = world.wires[&connector].clone();
    let mut bytes = BytesMut::new();
    world.connectors[connector].fill(&connector_end, &mut bytes)?;
    for _ in 0..count {
        let (header, payload) = frame::take(&mut bytes, usize::MAX)?.ok_or("no such frame")?;
        world.chat.arrived(&chat_end, header, &payload, world.now)?;
    }
    Ok(())
}

#[test]
fn a_report_that_was_cut_short_leaves_nobody_silently_out_of_the_room() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.now += LEASE / 2;
    world.connect(0)?;
    world.connect(1)?;
    world.carry_up(0)?;
    // The room is reported, but not that this was all.
    carry_some(&mut world, 1, 1)?;
    world.cut(1);
    world.now += LEASE / 2;
    world.chat.expire(world.now);
    world.connect(1)?;
    assert!(
        world.carry().is_err(),
        "the connector is told and gives up the link"
    );
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.members(), "ada");
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    assert_eq!(
        world.heard(bob),
        ["kick chat-server-1 went on without this connector"]
    );
    Ok(())
}

#[test]
fn a_connector_that_says_too_much_before_the_rooms_are_known_is_given_up() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.restart_chat();
    world.connect(0)?;
    let content = "x".repeat(1024 * 1024);
    let mut is_given_up = false;
    for _ in 0..300 {
        world.say(ada, "*", &content);
        is_given_up = world.carry_up(0).is_err() || world.carry_down(0).is_err();
        if is_given_up {
            break;
        }
        world.connectors[0].expire_requests(ada.1, world.now + DEADLINE);
    }
    assert!(is_given_up, "300 MiB were kept");
    Ok(())
}

#[test]
fn a_stranger_at_the_link_port_is_refused_and_changes_nothing() -> Result {
    let mut world = World::new()?;
    world.member(0, "ada")?;
    let hello = world.connectors[0].hello(0);
    let mut refused = |change: fn(&mut frame::Hello)| {
        let mut hello = hello.clone();
        change(&mut hello);
        world.chat.hello(&hello, world.now).err()
    };
    let reason = refused(|hello| hello.token = "guessed".into());
    assert_eq!(reason.as_deref(), Some("wrong token"));
    let reason = refused(|hello| hello.version += 1);
    assert_eq!(reason.as_deref(), Some("link version 1 here, not 2"));
    let reason = refused(|hello| hello.server = "connector-server-9".into());
    assert_eq!(
        reason.as_deref(),
        Some("no connector is called connector-server-9")
    );
    let reason = refused(|hello| hello.dial = 0);
    assert_eq!(reason.as_deref(), Some("a later dial has been answered"));
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn a_connection_that_carries_nothing_to_the_chat_server_is_noticed_though_pushes_come() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    let connection = world.wires[&1].0.clone();
    let mut noticed_after = None;
    for tick in 0..8 {
        if world.connectors[1].ping(&connection, world.now).is_err() {
            noticed_after = Some(PING * tick);
            break;
        }
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        assert!(world.carry_down(1)? > 0, "connector 1 hears what is said");
        world.now += PING;
    }
    assert_eq!(noticed_after, Some(LEASE * 3 / 8));
    Ok(())
}

#[test]
fn a_session_that_comes_while_the_connector_stops_is_told_so() -> Result {
    let mut world = World::new()?;
    world.connectors[0].stop();
    let late = world.open(0);
    assert_eq!(world.heard(late), ["kick the server is stopping"]);
    Ok(())
}

#[test]
fn a_lease_that_runs_out_removes_and_kicks_the_same_sessions() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.cut(1);
    world.wait(LEASE / 2)?;
    world.say(ada, "*", "hi");
    world.carry()?;
    assert_eq!(
        world.heard(ada),
        ["hi from ada to *"],
        "bob's connector may still come back"
    );
    world.wait(LEASE / 2)?;
    world.carry()?;
    assert_eq!(world.heard(ada), ["onLeave bob", "{}"]);
    assert_eq!(
        world.heard(bob),
        ["kick chat-server-1 could not be reached for 2s"]
    );
    assert_eq!(world.connectors[1].census().sessions, 0);
    // The link comes back fresh, and so can bob.
    world.connect(1)?;
    let again = world.open(1);
    world.enter(again, "bob");
    world.carry()?;
    assert_eq!(world.heard(again), ["users ada,bob"]);
    Ok(())
}

#[test]
fn a_request_without_an_answer_is_refused_at_its_deadline_and_its_enter_undone() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    // Connector 1 hears nothing more of it, though its link lives.
    world.now += DEADLINE;
    world.connectors[1].expire_requests(bob.1, world.now);
    assert_eq!(world.heard(bob), [r#"{"code":500}"#]);
    world.carry()?;
    assert_eq!(world.heard(bob), [""; 0]);
    assert_eq!(world.heard(ada), ["onAdd bob", "onLeave bob"]);
    Ok(())
}

#[test]
fn when_all_have_gone_nothing_is_remembered() -> Result {
    let mut world = World::new()?;
    let users = [world.member(0, "ada")?, world.member(1, "bob")?];
    world.say(users[0], "*", "bye");
    world.carry()?;
    for user in users {
        world.close(user);
    }
    world.carry()?;
    assert!(world.chat.census().rooms.is_empty());
    let (chat, connector) = (world.chat.census(), world.connectors[0].census());
    assert_eq!((chat.in_flight, chat.outbox_len), (0, 0));
    assert_eq!(
        (
            connector.sessions,
            connector.in_flight,
            connector.outbox_len
        ),
        (0, 0, 0)
    );
    Ok(())
}
