//! Users who talk without end, and everything that they see.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::client::{Client, ClientError, Event, Memory};
use cluster::connection::Transport;
use cluster::net::Tcp;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use super::program::{PATIENCE, Result};
use super::servers::Servers;

/// Every user says something this often.
const PACE: Duration = Duration::from_millis(20);

/// Users of each room at each connector.
pub const USERS_EACH: usize = 2;

/// Users in one room of each chat server, some of them through each connector.
#[derive(Default)]
pub struct Crowd {
    pub users: Vec<User>,
}

impl Crowd {
    pub async fn enter(servers: &Servers) -> Result<Self> {
        let mut crowd = Self::default();
        for chat in &servers.topology.chats {
            let room = servers.room_of(&chat.id);
            for connector in &servers.topology.connectors {
                for number in 0..USERS_EACH {
                    let start = format!("{number} in {room} at {}", connector.id);
                    let name = servers.name_at(&connector.id, &start);
                    crowd.add(User::enter(servers, &name, &room).await?);
                }
            }
        }
        Ok(crowd)
    }

    pub fn add(&mut self, user: User) {
        self.users.push(user);
    }

    pub fn rooms(&self) -> Vec<String> {
        let mut rooms: Vec<_> = self.users.iter().map(|user| user.room.clone()).collect();
        rooms.dedup();
        rooms
    }

    pub fn in_room(&self, room: &str) -> impl Iterator<Item = &User> {
        of_room(&self.users, room)
    }

    /// Takes those out who are at the connector `id`.
    pub fn part_with(&mut self, servers: &Servers, id: &str) -> Vec<User> {
        let users = std::mem::take(&mut self.users);
        let (lost, left) = users
            .into_iter()
            .partition(|user| servers.connector_of(&user.name) == id);
        self.users = left;
        lost
    }

    pub fn talk(&self) {
        for user in &self.users {
            user.tell(Order::Talk);
        }
    }

    /// Waits until each has heard `messages` more, and had answers to as many of its own.
    pub async fn all_heard(&mut self, messages: usize) -> Result {
        let goal = |user: &User| {
            let log = user.log.borrow();
            (log.heard().count() + messages, log.answers() + messages)
        };
        let goals: Vec<_> = self.users.iter().map(goal).collect();
        let deadline = Instant::now() + PATIENCE;
        for (user, (heard, answers)) in self.users.iter_mut().zip(goals) {
            let what = format!("{messages} messages and answers for {}", user.name);
            user.until(&what, deadline, |log| {
                log.heard().count() >= heard && log.answers() >= answers
            })
            .await?;
        }
        Ok(())
    }

    /// Lets all fall silent and waits until each has heard everything: a last word in each room
    /// comes behind all others.
    pub async fn hush(&mut self) -> Result {
        for user in &self.users {
            user.tell(Order::Hush);
        }
        let deadline = Instant::now() + PATIENCE;
        for user in &mut self.users {
            let what = format!("all answers for {}", user.name);
            user.until(&what, deadline, |log| log.is_silent()).await?;
        }
        for room in self.rooms() {
            let speaker = self.in_room(&room).next().expect("rooms have users");
            speaker.tell(Order::Say(format!("the last word in {room}")));
        }
        for user in &mut self.users {
            let last = Seen::Heard(format!("the last word in {}", user.room));
            let what = format!("last word at {}", user.name);
            user.until(&what, deadline, |log| log.seen.contains(&last))
                .await?;
        }
        Ok(())
    }
}

pub fn of_room<'a>(users: &'a [User], room: &str) -> impl Iterator<Item = &'a User> {
    users.iter().filter(move |user| user.room == room)
}

/// Somebody in a room, and everything that happened to them.
pub struct User {
    pub name: String,
    pub room: String,
    /// The sorted answer to the enter.
    pub members: Vec<String>,
    pub log: watch::Receiver<Log>,
    orders: mpsc::UnboundedSender<Order>,
    _life: JoinSet<()>,
}

#[derive(Debug)]
pub enum Order {
    /// Says something at the usual pace, whether the last has been answered or not.
    Talk,
    Hush,
    Say(String),
}

/// What a user has seen, in order.
#[derive(Debug, Default)]
pub struct Log {
    pub seen: Vec<Seen>,
    said: usize,
    is_talking: bool,
    pub unanswered: BTreeMap<u32, (usize, String)>,
    /// Number of the latest send that was answered with success.
    pub succeeded: usize,
    /// Why the connection is over.
    pub over: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Came(String),
    Went(String),
    Heard(String),
    Answered { text: String, ok: bool },
}

impl Seen {
    pub fn is_of_the_room(&self) -> bool {
        matches!(self, Self::Came(_) | Self::Went(_) | Self::Heard(_))
    }
}

impl User {
    /// Asks the gate, connects, and waits to be let in.
    pub async fn enter(servers: &Servers, name: &str, room: &str) -> Result<Self> {
        let gate = &servers.topology.gates[0];
        let mut client = dial(&gate.client_host, gate.client_port).await?;
        client.request("gate.gateHandler.queryEntry", &json!({"uid": name}))?;
        let Event::Response { body, .. } = timeout(PATIENCE, client.next()).await?? else {
            return Err("the gate did not answer".into());
        };
        let host = body["host"].as_str().ok_or("no host from the gate")?;
        let port = body["port"].as_u64().ok_or("no port from the gate")?;
        let mut client = dial(host, u16::try_from(port)?).await?;
        let members = timeout(PATIENCE, enter(&mut client, name, room)).await??;

        let (log, seen) = watch::channel(Log::default());
        let (orders, taken) = mpsc::unbounded_channel();
        let mut life = JoinSet::new();
        life.spawn(live(name.to_owned(), client, taken, log));
        Ok(Self {
            name: name.to_owned(),
            room: room.to_owned(),
            members,
            log: seen,
            orders,
            _life: life,
        })
    }

    pub fn tell(&self, order: Order) {
        // A user whose connection is over does nothing any more; the log says so.
        let _ = self.orders.send(order);
    }

    /// Waits until the log is as `wanted`, which it must become before `deadline`.
    pub async fn until(
        &mut self,
        what: &str,
        deadline: Instant,
        wanted: impl Fn(&Log) -> bool,
    ) -> Result {
        let wanted = |log: &Log| wanted(log) || log.over.is_some();
        match timeout_at(deadline, self.log.wait_for(wanted)).await {
            Ok(log) => match &log?.over {
                None => Ok(()),
                Some(reason) => Err(format!("no {what}: cut off, {reason}").into()),
            },
            Err(_) => Err(format!("no {what} in time").into()),
        }
    }

    pub fn said(&self) -> usize {
        self.log.borrow().said
    }
}

impl Log {
    pub fn heard(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().filter_map(|seen| match seen {
            Seen::Heard(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub fn answers(&self) -> usize {
        let is_answer = |seen: &&Seen| matches!(seen, Seen::Answered { .. });
        self.seen.iter().filter(is_answer).count()
    }

    pub fn refused(&self) -> Vec<&str> {
        let refused = self.seen.iter().filter_map(|seen| match seen {
            Seen::Answered { text, ok: false } => Some(text.as_str()),
            _ => None,
        });
        refused.collect()
    }

    pub fn count(&self, wanted: &Seen) -> usize {
        self.seen.iter().filter(|seen| *seen == wanted).count()
    }

    pub fn is_answered_after(&self, number: usize) -> bool {
        self.succeeded > number
    }

    pub fn is_silent(&self) -> bool {
        !self.is_talking && self.unanswered.is_empty()
    }

    pub fn see(&mut self, event: std::result::Result<Event<'_>, ClientError>) {
        let (route, body) = match event {
            Ok(Event::Push { route, body }) => (route, body),
            Ok(Event::Response { id, body }) => return self.see_answer(id, &body),
            Ok(Event::Kicked { reason }) => return self.over = Some(format!("kicked: {reason}")),
            Ok(Event::Closed) => return self.over = Some("closed".into()),
            Err(error) => return self.over = Some(error.to_string()),
        };
        let body = body.value().expect("servers push what can be read");
        let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        self.seen.push(match route.as_ref() {
            "onChat" => Seen::Heard(field("msg")),
            "onAdd" => Seen::Came(field("user")),
            "onLeave" => Seen::Went(field("user")),
            other => panic!("a push to {other}"),
        });
    }

    pub fn see_answer(&mut self, id: u32, body: &Value) {
        let Some((number, text)) = self.unanswered.remove(&id) else {
            panic!("an answer to nothing: {body}");
        };
        let ok = body["code"].is_null();
        if ok {
            self.succeeded = number;
        }
        self.seen.push(Seen::Answered { text, ok });
    }
}

/// Asks to be let in until it is granted: a connector that has just started, and has not reached
/// the chat server yet, refuses.
async fn enter(client: &mut Client<TcpStream>, name: &str, room: &str) -> Result<Vec<String>> {
    loop {
        let body = json!({"username": name, "rid": room});
        client.request("connector.entryHandler.enter", &body)?;
        let Event::Response { body, .. } = client.next().await? else {
            return Err(format!("{name} got something else than an answer").into());
        };
        if let Ok(mut members) = serde_json::from_value::<Vec<String>>(body["users"].clone()) {
            members.sort();
            return Ok(members);
        }
    }
}

async fn dial(host: &str, port: u16) -> Result<Client<TcpStream>> {
    let network = Tcp::loopback();
    let memory = Memory::default();
    let client = Client::connect(&network, host, port, Transport::Tcp, &memory);
    Ok(timeout(PATIENCE, client).await??)
}

/// A user's life until the connection is over.
async fn live(
    name: String,
    mut client: Client<TcpStream>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    log: watch::Sender<Log>,
) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_talking = log.borrow().is_talking;
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Order::Talk) => log.send_modify(|log| log.is_talking = true),
                Some(Order::Hush) => log.send_modify(|log| log.is_talking = false),
                Some(Order::Say(text)) => say(&mut client, &log, text),
            },
            _ = pace.tick(), if is_talking => {
                let number = log.borrow().said + 1;
                say(&mut client, &log, format!("{name}: {number}"));
            }
            event = client.next() => log.send_modify(|log| log.see(event)),
        }
        if log.borrow().over.is_some() {
            return;
        }
    }
}

fn say(client: &mut Client<TcpStream>, log: &watch::Sender<Log>, text: String) {
    let body = json!({"content": text, "target": "*"});
    let id = client.request("chat.chatHandler.send", &body);
    let id = id.expect("a send is JSON");
    log.send_modify(|log| {
        log.said += 1;
        log.unanswered.insert(id, (log.said, text));
    });
}
