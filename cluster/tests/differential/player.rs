//! Plays a script against a cluster and writes down what each connection is told.
//!
//! A step is over when all that it caused has arrived. No time is long enough to know that, but
//! order is. What one connection says is carried out in its order; a chat server tells each
//! connector what happens in its rooms in that order; and so does a connector its clients. So:
//!
//! - Before another connection acts, and at the end of the step, the one that acted says something
//!   in its room and waits until it hears itself: the chat server has carried out all before it.
//! - Then all who are in rooms do so: each has heard what that chat server told it before.
//! - Then all ask for something that nobody has, which their own server answers at once: a server
//!   that told one of them something told all of them.
//!
//! A connection that ends instead is told nothing more either.

mod hearing;

use std::collections::{BTreeMap, VecDeque};

use cluster::connection::Transport;
use cluster::wire::message::{self, Route, RouteRef};
use cluster::wire::package::{self, PackageType};
use cluster::wire::protobuf::Schema;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::hearing::push;
use crate::client::{Client, Event};
use crate::program::{PATIENCE, Result};
use crate::script::{Action, Conn, Fence, SEND, Step};
use crate::servers::Servers;
use crate::transcript::{Told, Transcript};

/// Ids of what the player asks for itself begin here; those of the script at 1.
const FENCE_IDS: u32 = 1_000_000;

/// How what the player says begins. No script says that.
const FENCE_TEXT: &str = "fence ";

/// Plays all of `script`.
pub async fn play(
    script: Vec<Step>,
    servers: &Servers,
    transport: Transport,
) -> Result<Transcript> {
    let (sender, events) = unbounded_channel();
    let mut player = Player {
        servers,
        transport,
        sender,
        events,
        tasks: JoinSet::new(),
        conns: BTreeMap::new(),
        protos: None,
        told: BTreeMap::new(),
        fences: 0,
        deadline: Instant::now() + PATIENCE,
    };
    let mut transcript = Transcript::new();
    for step in script {
        let name = step.name;
        let played = player.play(step).await;
        played.map_err(|error| format!("step \"{name}\": {error}"))?;
        transcript.push((name, std::mem::take(&mut player.told)));
    }
    Ok(transcript)
}

struct Player<'a> {
    servers: &'a Servers,
    transport: Transport,
    sender: UnboundedSender<Event>,
    events: UnboundedReceiver<Event>,
    tasks: JoinSet<()>,
    /// Those that are open.
    conns: BTreeMap<Conn, Session>,
    /// What the latest handshake that had schemas said of them.
    protos: Option<Schema>,
    /// In this step.
    told: BTreeMap<Conn, Told>,
    fences: u32,
    /// When the step has to be over.
    deadline: Instant,
}

struct Session {
    client: Client,
    fence: Fence,
    has_shaken_hands: bool,
    /// How often it has asked.
    asked: u32,
    /// Questions without an answer, each as the transcript names it.
    open: VecDeque<(u32, String)>,
    /// The fence that is to be answered.
    awaits_answer: Option<u32>,
    /// What it has yet to hear itself say.
    awaits_text: Option<String>,
}

impl Player<'_> {
    async fn play(&mut self, step: Step) -> Result {
        self.deadline = Instant::now() + PATIENCE;
        let mut acting = None;
        for action in step.actions {
            let conn = match &action {
                Action::Ask { conn, .. } | Action::Write { conn, .. } | Action::Fence(conn, _) => {
                    Some(*conn)
                }
                Action::Open { .. } | Action::Close(_) | Action::Sees { .. } => None,
            };
            // What is said before a connection is closed is carried out all the same.
            let is_same =
                conn == acting || matches!(&action, Action::Close(it) if acting == Some(it));
            if let Some(acted) = acting.filter(|_| !is_same) {
                self.fence(&[acted]).await?;
            }
            acting = conn;
            self.act(action).await?;
        }
        self.fence(&acting.into_iter().collect::<Vec<_>>()).await?;
        self.fence(&self.those_in(Fence::Room)).await?;
        let all: Vec<_> = self.conns.keys().copied().collect();
        self.ask_for_nothing(&all);
        self.all_fenced().await?;
        for (conn, session) in &mut self.conns {
            let told = self.told.entry(conn).or_default();
            told.silence.extend(session.silence());
        }
        self.told.retain(|_, told| !told.lines().is_empty());
        Ok(())
    }

    async fn act(&mut self, action: Action) -> Result {
        match action {
            Action::Open {
                conn,
                server,
                hello,
            } => return self.open(conn, server, &hello).await,
            Action::Ask { conn, route, body } => {
                let session = self.session(conn)?;
                session.asked += 1;
                let id = session.asked;
                session.open.push_back((id, named(&route, &body)));
                let package = message::encode_request(id, (&route).into(), &body);
                session.client.write(package);
            }
            Action::Write { conn, bytes } => self.session(conn)?.client.write(bytes),
            Action::Fence(conn, fence) => self.session(conn)?.fence = fence,
            Action::Sees { at_original, .. } if at_original && !self.servers.is_original() => {}
            Action::Sees {
                conn, route, user, ..
            } => {
                let push = push(route, &json!({"route": route, "user": user}));
                let sees = |it: &Self| {
                    it.told
                        .get(conn)
                        .is_some_and(|it| it.pushes().any(|it| *it == push))
                };
                while !sees(self) {
                    self.next(&format!("{conn} did not see {push}")).await?;
                }
            }
            // Dropping it closes it.
            Action::Close(conn) => drop(self.conns.remove(conn)),
        }
        Ok(())
    }

    async fn open(&mut self, conn: Conn, server: &str, hello: &str) -> Result {
        let port = self.servers.port(server);
        let events = self.sender.clone();
        let client = Client::open(conn, port, self.transport, events, &mut self.tasks).await?;
        client.write(package::encode(PackageType::Handshake, hello.as_bytes()));
        let session = Session {
            client,
            fence: Fence::Here,
            has_shaken_hands: false,
            asked: 0,
            open: VecDeque::new(),
            awaits_answer: None,
            awaits_text: None,
        };
        self.conns.insert(conn, session);
        let waits = |it: &Self| it.conns.get(conn).is_some_and(|it| !it.has_shaken_hands);
        while waits(self) {
            self.next(&format!("{conn} got no handshake")).await?;
        }
        // Whoever was refused is closed, now or soon.
        if let Some(session) = self.conns.get(conn) {
            session.client.write(package::handshake_ack());
        }
        Ok(())
    }

    fn session(&mut self, conn: Conn) -> Result<&mut Session> {
        let session = self.conns.get_mut(conn);
        session.ok_or_else(|| format!("{conn} has been closed").into())
    }

    fn those_in(&self, fence: Fence) -> Vec<Conn> {
        let conns = self.conns.iter();
        conns
            .filter(|(_, session)| session.fence == fence)
            .map(|(conn, _)| *conn)
            .collect()
    }

    /// Waits until all that these connections have said is carried out, and they have been told.
    async fn fence(&mut self, conns: &[Conn]) -> Result {
        for conn in conns {
            let (route, body) = match self.conns.get(conn).map(|session| session.fence) {
                Some(Fence::Room) => {
                    let text = format!("{FENCE_TEXT}{} {conn}", self.fences);
                    self.session(conn)?.awaits_text = Some(text.clone());
                    (SEND, json!({"content": text, "target": "*"}))
                }
                Some(Fence::Chat) => ("chat.no.such", json!({})),
                Some(Fence::Here | Fence::Unread) => {
                    self.ask_for_nothing(&[conn]);
                    continue;
                }
                None => continue,
            };
            self.ask(conn, route, &body);
        }
        self.all_fenced().await
    }

    /// Asks for what nobody has, which the server at the other end answers itself.
    fn ask_for_nothing(&mut self, conns: &[Conn]) {
        for conn in conns {
            let fence = self.conns.get(conn).map(|session| session.fence);
            if fence != Some(Fence::Unread) || !self.servers.is_original() {
                self.ask(conn, "no.such.route", &json!({}));
            }
        }
    }

    fn ask(&mut self, conn: &str, route: &str, body: &Value) {
        self.fences += 1;
        let id = FENCE_IDS + self.fences;
        if let Some(session) = self.conns.get_mut(conn) {
            session.awaits_answer = Some(id);
            let body = body.to_string();
            let route = RouteRef::Name(route);
            session
                .client
                .write(message::encode_request(id, route, body.as_bytes()));
        }
    }

    async fn all_fenced(&mut self) -> Result {
        loop {
            let waiting = self.conns.iter().find(|(_, session)| {
                session.awaits_answer.is_some() || session.awaits_text.is_some()
            });
            let Some((conn, _)) = waiting else {
                return Ok(());
            };
            self.next(&format!("{conn} got nothing at its fence"))
                .await?;
        }
    }
}

/// How the transcript names a question: by the last part of its route, and its body.
fn named(route: &Route, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    match route {
        Route::Name(name) => format!("{} {body}", name.rsplit('.').next().unwrap_or_default()),
        Route::Code(code) => format!("#{code} {body}"),
    }
}
