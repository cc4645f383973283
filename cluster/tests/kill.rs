//! Real processes that are killed under load: one server each, as in production, and users who
//! talk all the time. Nobody gets to say goodbye.

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cluster::client::{Client, ClientError, Event};
use cluster::config;
use cluster::connection::Transport;
use cluster::net::Tcp;
use cluster::topology::Topology;
use program::{PATIENCE, Program, Result, cluster, write_servers};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

const LEASE: Duration = Duration::from_secs(2);

/// What is allowed on top of the lease: the machine may be busy with other tests.
const SLACK: Duration = Duration::from_secs(3);

/// Every user says something this often.
const PACE: Duration = Duration::from_millis(20);

/// Users of each room at each connector.
const USERS_EACH: usize = 2;

/// So many messages go to and fro before and after the blow.
const WARM: usize = 30;

#[tokio::test]
async fn when_a_connector_dies_its_users_leave_once_and_nobody_else_misses_anything() -> Result {
    let mut servers = Servers::start(LEASE).await?;
    let mut crowd = Crowd::enter(&servers).await?;
    crowd.talk();
    crowd.all_heard(WARM).await?;

    servers.kill("connector-server-2").await?;
    let killed_at = Instant::now();
    let lost = crowd.part_with(&servers, "connector-server-2");
    assert_eq!(lost.len(), crowd.rooms().len() * USERS_EACH);
    for user in &mut crowd.users {
        let room = user.room.clone();
        for other in of_room(&lost, &room) {
            let went = Seen::Went(other.name.clone());
            let what = format!("departure of {} at {}", other.name, user.name);
            user.until(&what, killed_at + LEASE + SLACK, |log| {
                log.seen.contains(&went)
            })
            .await?;
        }
    }

    // Who comes now sees the living only, and counts as one of them.
    let mut late = Crowd::default();
    for room in crowd.rooms() {
        let name = servers.name_at("connector-server-1", &format!("late in {room}"));
        late.add(User::enter(&servers, &name, &room).await?);
        let mut expected: Vec<_> = crowd.in_room(&room).map(|user| user.name.clone()).collect();
        expected.push(name);
        expected.sort();
        assert_eq!(late.users[late.users.len() - 1].members, expected);
    }
    crowd.all_heard(2 * WARM).await?;
    crowd.hush().await?;

    for user in &crowd.users {
        let log = user.log.borrow();
        assert_eq!(log.over, None, "{} was cut off", user.name);
        assert_eq!(log.refused(), [""; 0], "refused to {}", user.name);
        for other in of_room(&lost, &user.room) {
            let departures = log.count(&Seen::Went(other.name.clone()));
            assert_eq!(departures, 1, "{} of {}", user.name, other.name);
        }
    }
    for room in crowd.rooms() {
        // The lost had some answers too; what was promised to them holds as well.
        let promised = answered(crowd.in_room(&room).chain(of_room(&lost, &room)));
        assert_heard_once(&promised, crowd.in_room(&room));
        assert_same_story(crowd.in_room(&room));
    }
    Ok(())
}

#[tokio::test]
async fn when_a_chat_server_is_back_within_the_lease_its_rooms_go_on_and_nobody_is_cut_off()
-> Result {
    // Longer than usual: a busy machine may take its time to start a process.
    let lease = 3 * LEASE;
    let mut servers = Servers::start(lease).await?;
    let mut crowd = Crowd::enter(&servers).await?;
    crowd.talk();
    crowd.all_heard(WARM).await?;

    servers.kill("chat-server-1").await?;
    let killed_at = Instant::now();
    servers.run("chat-server-1").await?;
    let back_at = crowd.users.iter().map(User::said).collect::<Vec<_>>();
    for (user, said) in crowd.users.iter_mut().zip(back_at) {
        let what = format!("success for {} after the restart", user.name);
        user.until(&what, killed_at + lease, |log| log.is_answered_after(said))
            .await?;
    }
    crowd.all_heard(2 * WARM).await?;
    crowd.hush().await?;

    let struck = servers.room_of("chat-server-1");
    for user in &crowd.users {
        let log = user.log.borrow();
        assert_eq!(log.over, None, "{} was cut off", user.name);
        let goings = log.seen.iter().filter(|seen| matches!(seen, Seen::Went(_)));
        assert_eq!(goings.count(), 0, "{} saw somebody go", user.name);
        if user.room != struck {
            assert_eq!(log.refused(), [""; 0], "refused to {}", user.name);
        }
    }
    for room in crowd.rooms() {
        let promised = answered(crowd.in_room(&room));
        assert_heard_once(&promised, crowd.in_room(&room));
        if room == struck {
            assert_same_order(crowd.in_room(&room));
        } else {
            assert_same_story(crowd.in_room(&room));
        }
    }
    // Whoever comes now finds everybody.
    let name = servers.name_at("connector-server-3", "late");
    let late = User::enter(&servers, &name, &struck).await?;
    let mut expected: Vec<_> = crowd.in_room(&struck).map(|u| u.name.clone()).collect();
    expected.push(name);
    expected.sort();
    assert_eq!(late.members, expected);
    Ok(())
}

/// All sends of `users` that were answered with success.
fn answered<'a>(users: impl Iterator<Item = &'a User>) -> Vec<String> {
    let mut promised = Vec::new();
    for user in users {
        let log = user.log.borrow();
        promised.extend(log.seen.iter().filter_map(|seen| match seen {
            Seen::Answered { text, ok: true } => Some(text.clone()),
            _ => None,
        }));
    }
    promised
}

/// Everything `promised` was heard by each of `users`, and nothing was heard twice.
fn assert_heard_once<'a>(promised: &[String], users: impl Iterator<Item = &'a User>) {
    assert!(promised.len() > WARM, "only {} answers", promised.len());
    for user in users {
        let log = user.log.borrow();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for text in log.heard() {
            *times.entry(text).or_default() += 1;
        }
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{} heard again: {twice:?}", user.name);
        let missed = promised.iter().filter(|t| !times.contains_key(t.as_str()));
        let missed: Vec<_> = missed.collect();
        assert!(missed.is_empty(), "{} missed: {missed:?}", user.name);
    }
}

/// All of `users` saw the same room events in the same order, from the first message on.
fn assert_same_story<'a>(mut users: impl Iterator<Item = &'a User>) {
    let story = |user: &User| {
        let log = user.log.borrow();
        let events = log.seen.iter().filter(|seen| seen.is_of_the_room());
        let from_first_message = events.skip_while(|seen| !matches!(seen, Seen::Heard(_)));
        from_first_message.cloned().collect::<Vec<_>>()
    };
    let first = users.next().expect("somebody is in the room");
    let expected = story(first);
    for user in users {
        assert!(
            story(user) == expected,
            "{} and {} saw different things, or in another order",
            first.name,
            user.name
        );
    }
}

/// What two of `users` both heard, they heard in one order. Unlike [`assert_same_story`] it lets
/// one hear what another does not: nobody was promised the messages that died with the process.
fn assert_same_order<'a>(users: impl Iterator<Item = &'a User>) {
    let heard: Vec<Vec<String>> = users
        .map(|user| user.log.borrow().heard().map(str::to_owned).collect())
        .collect();
    let (first, others) = heard.split_first().expect("somebody is in the room");
    let place: BTreeMap<_, _> = first.iter().zip(0..).collect();
    for other in others {
        let places: Vec<i32> = other.iter().filter_map(|t| place.get(t).copied()).collect();
        assert!(places.is_sorted(), "two users heard in different orders");
    }
}

fn of_room<'a>(users: &'a [User], room: &str) -> impl Iterator<Item = &'a User> {
    users.iter().filter(move |user| user.room == room)
}

/// One process for each server of a servers.json. Dropping it kills them all, also when a test
/// fails.
struct Servers {
    running: BTreeMap<String, Program>,
    topology: Topology,
    file: PathBuf,
    lease: Duration,
    _folder: TempDir,
}

impl Servers {
    async fn start(lease: Duration) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("servers.json");
        write_servers(&file)?;
        let mut servers = Self {
            running: BTreeMap::new(),
            topology: topology(&file)?,
            file,
            lease,
            _folder: folder,
        };
        let topology = servers.topology.clone();
        let frontends = topology.gates.iter().chain(&topology.connectors);
        let ids = frontends.map(|frontend| &frontend.id);
        for id in ids.chain(topology.chats.iter().map(|chat| &chat.id)) {
            servers.run(id).await?;
        }
        Ok(servers)
    }

    /// Starts the process of one server and waits until it listens.
    async fn run(&mut self, id: &str) -> Result {
        let mut command = cluster();
        command.args(["start", "--log", "error", "--server-id", id]);
        command.arg("--lease").arg(milliseconds(self.lease));
        let deadline = self.lease + SLACK;
        command
            .arg("--request-deadline")
            .arg(milliseconds(deadline));
        command.arg("--servers").arg(&self.file);
        let mut program = Program::start(id, &mut command)?;
        program.ready().await?;
        self.running.insert(id.to_owned(), program);
        Ok(())
    }

    async fn kill(&mut self, id: &str) -> Result {
        let mut program = self.running.remove(id).ok_or("no such server runs")?;
        program.kill().await
    }

    /// A room that the chat server `id` owns.
    fn room_of(&self, id: &str) -> String {
        let owns = |room: &String| {
            let chat = self.topology.chat_of(room);
            chat.is_some_and(|chat| self.topology.chats[chat].id == id)
        };
        let mut rooms = (0..).map(|number| format!("room {number}"));
        rooms.find(owns).expect("every server owns some rooms")
    }

    /// A name beginning with `start` whose user the gate sends to the connector `id`.
    fn name_at(&self, id: &str, start: &str) -> String {
        let mut names = (0..).map(|number| format!("{start} {number}"));
        let is_there = |name: &String| self.connector_of(name) == id;
        names
            .find(is_there)
            .expect("every connector gets some users")
    }

    fn connector_of(&self, name: &str) -> &str {
        let connector = self.topology.connector_of(name);
        &connector.expect("there are connectors").id
    }
}

fn topology(file: &Path) -> Result<Topology> {
    Ok(config::ServersFile::read(file)?
        .environment("development")?
        .topology)
}

fn milliseconds(time: Duration) -> String {
    format!("{}ms", time.as_millis())
}

/// Users in one room of each chat server, some of them through each connector.
#[derive(Default)]
struct Crowd {
    users: Vec<User>,
}

impl Crowd {
    async fn enter(servers: &Servers) -> Result<Self> {
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

    fn add(&mut self, user: User) {
        self.users.push(user);
    }

    fn rooms(&self) -> Vec<String> {
        let mut rooms: Vec<_> = self.users.iter().map(|user| user.room.clone()).collect();
        rooms.dedup();
        rooms
    }

    fn in_room(&self, room: &str) -> impl Iterator<Item = &User> {
        of_room(&self.users, room)
    }

    /// Takes those out who are at the connector `id`.
    fn part_with(&mut self, servers: &Servers, id: &str) -> Vec<User> {
        let users = std::mem::take(&mut self.users);
        let (lost, left) = users
            .into_iter()
            .partition(|user| servers.connector_of(&user.name) == id);
        self.users = left;
        lost
    }

    fn talk(&self) {
        for user in &self.users {
            user.tell(Order::Talk);
        }
    }

    /// Waits until each has heard `messages` more, and had answers to as many of its own.
    async fn all_heard(&mut self, messages: usize) -> Result {
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
    async fn hush(&mut self) -> Result {
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

/// Somebody in a room, and everything that happened to them.
struct User {
    name: String,
    room: String,
    /// The sorted answer to the enter.
    members: Vec<String>,
    log: watch::Receiver<Log>,
    orders: mpsc::UnboundedSender<Order>,
    _life: JoinSet<()>,
}

#[derive(Debug)]
enum Order {
    /// Says something at the usual pace, whether the last has been answered or not.
    Talk,
    Hush,
    Say(String),
}

/// What a user has seen, in order.
#[derive(Debug, Default)]
struct Log {
    seen: Vec<Seen>,
    said: usize,
    is_talking: bool,
    unanswered: BTreeMap<u32, (usize, String)>,
    /// Number of the latest send that was answered with success.
    succeeded: usize,
    /// Why the connection is over.
    over: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Came(String),
    Went(String),
    Heard(String),
    Answered { text: String, ok: bool },
}

impl Seen {
    fn is_of_the_room(&self) -> bool {
        matches!(self, Self::Came(_) | Self::Went(_) | Self::Heard(_))
    }
}

impl User {
    /// Asks the gate, connects, and waits to be let in.
    async fn enter(servers: &Servers, name: &str, room: &str) -> Result<Self> {
        let gate = &servers.topology.gates[0];
        let mut client = dial(&gate.client_host, gate.client_port).await?;
        client.request("gate.gateHandler.queryEntry", &json!({"uid": name}));
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

    fn tell(&self, order: Order) {
        // A user whose connection is over does nothing any more; the log says so.
        let _ = self.orders.send(order);
    }

    /// Waits until the log is as `wanted`, which it must become before `deadline`.
    async fn until(
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

    fn said(&self) -> usize {
        self.log.borrow().said
    }
}

impl Log {
    fn heard(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().filter_map(|seen| match seen {
            Seen::Heard(text) => Some(text.as_str()),
            _ => None,
        })
    }

    fn answers(&self) -> usize {
        let is_answer = |seen: &&Seen| matches!(seen, Seen::Answered { .. });
        self.seen.iter().filter(is_answer).count()
    }

    fn refused(&self) -> Vec<&str> {
        let refused = self.seen.iter().filter_map(|seen| match seen {
            Seen::Answered { text, ok: false } => Some(text.as_str()),
            _ => None,
        });
        refused.collect()
    }

    fn count(&self, wanted: &Seen) -> usize {
        self.seen.iter().filter(|seen| *seen == wanted).count()
    }

    fn is_answered_after(&self, number: usize) -> bool {
        self.succeeded > number
    }

    fn is_silent(&self) -> bool {
        !self.is_talking && self.unanswered.is_empty()
    }

    fn see(&mut self, event: std::result::Result<Event, ClientError>) {
        let (route, body) = match event {
            Ok(Event::Push { route, body }) => (route, body),
            Ok(Event::Response { id, body }) => return self.see_answer(id, &body),
            Ok(Event::Kicked { reason }) => return self.over = Some(format!("kicked: {reason}")),
            Ok(Event::Closed) => return self.over = Some("closed".into()),
            Err(error) => return self.over = Some(error.to_string()),
        };
        let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        self.seen.push(match route.as_str() {
            "onChat" => Seen::Heard(field("msg")),
            "onAdd" => Seen::Came(field("user")),
            "onLeave" => Seen::Went(field("user")),
            other => panic!("a push to {other}"),
        });
    }

    fn see_answer(&mut self, id: u32, body: &Value) {
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
        client.request("connector.entryHandler.enter", &body);
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
    let client = Client::connect(&network, host, port, Transport::Tcp);
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
    log.send_modify(|log| {
        log.said += 1;
        log.unanswered.insert(id, (log.said, text));
    });
}
