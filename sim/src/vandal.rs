//! A client that means no good: it sends bytes that no client and no server would send, or none.
//!
//! It never speaks so well that it gets into a room. What is asked of the servers is that they
//! live on, that nobody else notices, and that the vandal gets nothing of what it wants: it writes
//! down what it did and what it got back.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cluster::link::frame::{self, Header, Hello, VERSION};
use cluster::net::Network;
use cluster::wire::handshake;
use cluster::wire::message::{self, RouteRef};
use cluster::wire::package::{self, PackageType};
use cluster::wire::vocabulary::Vocabulary;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::kinds::FaultKind;
use crate::scenario::Span;
use visit::{Diary, Entry};

pub mod visit;

/// From one attack to the next.
const PAUSE_MS: Span = Span::of(10..=300);
/// How long a connection is kept after what was sent: some are gone at once, some outlast what
/// patience a server has for them.
const STAY_MS: Span = Span::of(0..=4000);
/// Most random bytes in one attack: more than a stream's buffer, less than slows a run down.
const GARBAGE_LEN: Span = Span::of(1..=8192);
/// A server that is down may never answer; then the vandal goes on.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

/// The kinds of trouble that vandals make.
pub const KINDS: [FaultKind; 5] = [
    FaultKind::Garbage,
    FaultKind::Truncated,
    FaultKind::UnfinishedHandshake,
    FaultKind::Stranger,
    FaultKind::Nonsense,
];

/// What a vandal does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Sends nothing.
    Silence,
    /// Sends random bytes.
    Garbage,
    /// Sends a good handshake, cut anywhere.
    Cut,
    /// Announces a package of 16 MB and sends a little of it.
    Huge,
    /// Begins a WebSocket upgrade that has no end.
    EndlessUpgrade,
    /// Shakes hands, then sends random bytes in good packages.
    GarbageMessages,
    /// Shakes hands, then asks what makes no sense.
    Nonsense,
    /// Sends packages in an order that makes no sense, among them a handshake that nobody can read.
    Disorder,
    /// Shakes hands, then sends a good package that holds no message.
    NoMessage,
    /// Says the hello of a connector, without the cluster's token.
    Stranger,
}

const ATTACKS: [Attack; 10] = [
    Attack::Silence,
    Attack::Garbage,
    Attack::Cut,
    Attack::Huge,
    Attack::EndlessUpgrade,
    Attack::GarbageMessages,
    Attack::Nonsense,
    Attack::Disorder,
    Attack::NoMessage,
    Attack::Stranger,
];

/// Where one vandal is, and what it knows.
pub struct Vandal {
    /// Its number.
    pub number: u32,
    /// The host that it is on.
    pub host: String,
    /// Where servers listen.
    pub targets: Vec<(String, u16)>,
    /// The kinds of attack that it knows.
    pub attacks: BTreeSet<FaultKind>,
    /// How servers write their answers.
    pub vocabulary: Vocabulary,
    /// When the run began.
    pub started_at: Instant,
    /// When it stops.
    pub until: Instant,
    /// Where it writes down what it does and gets.
    pub diary: Diary,
}

impl Vandal {
    /// Attacks one server after the other: first in each kind of way once, then in any. Ends when
    /// the servers have closed what was left open.
    pub async fn run<N: Network>(self, network: N, mut rng: StdRng) {
        let mut kept = JoinSet::new();
        let mut untried = self.attacks.clone();
        let attacks = async {
            loop {
                sleep(PAUSE_MS.draw_ms(&mut rng)).await;
                let kinds = if untried.is_empty() {
                    &self.attacks
                } else {
                    &untried
                };
                let attack = Attack::draw(kinds, &mut rng);
                // A server that is down can't be attacked.
                if self
                    .attack(attack, &network, &mut rng, &mut kept)
                    .await
                    .is_ok()
                {
                    untried.remove(&attack.kind());
                }
            }
        };
        let _ = timeout_at(self.until, attacks).await;
        kept.join_all().await;
    }

    async fn attack<N: Network>(
        &self,
        attack: Attack,
        network: &N,
        rng: &mut StdRng,
        kept: &mut JoinSet<()>,
    ) -> io::Result<()> {
        let (host, port) = self.targets.choose(rng).expect("there are servers");
        let mut stream = timeout(CONNECT_PATIENCE, network.connect(host, *port)).await??;
        let entry = Entry::begin(self, attack, host);
        // A server that hangs up in the middle does what it should.
        if attack.carry_out(&mut stream, rng).await.is_ok() {
            entry.spoke();
        }
        if attack.is_half_open() && rng.random() {
            let vocabulary = self.vocabulary.clone();
            entry.keep();
            kept.spawn(async move { entry.listen(&mut stream, &vocabulary).await });
            return Ok(());
        }
        let stay = STAY_MS.draw_ms(rng);
        if timeout(stay, entry.listen(&mut stream, &self.vocabulary))
            .await
            .is_err()
        {
            entry.watched();
        }
        Ok(())
    }
}

impl Attack {
    /// Draws one of those that are of one of `kinds`.
    fn draw(kinds: &BTreeSet<FaultKind>, rng: &mut StdRng) -> Self {
        let mut attacks = ATTACKS.to_vec();
        attacks.retain(|attack| kinds.contains(&attack.kind()));
        *attacks.choose(rng).expect("each kind has its attacks")
    }

    /// The kind of trouble that it is.
    pub fn kind(self) -> FaultKind {
        match self {
            Attack::Garbage | Attack::GarbageMessages => FaultKind::Garbage,
            Attack::Cut | Attack::Huge | Attack::NoMessage => FaultKind::Truncated,
            Attack::Silence | Attack::EndlessUpgrade => FaultKind::UnfinishedHandshake,
            Attack::Stranger => FaultKind::Stranger,
            Attack::Nonsense | Attack::Disorder => FaultKind::Nonsense,
        }
    }

    /// Whether the server is left waiting for the rest of a handshake.
    fn is_half_open(self) -> bool {
        matches!(
            self,
            Attack::Silence | Attack::Cut | Attack::Huge | Attack::EndlessUpgrade
        )
    }

    async fn carry_out<S: AsyncWrite + Unpin>(
        self,
        stream: &mut S,
        rng: &mut StdRng,
    ) -> io::Result<()> {
        for bytes in self.draw_bytes(rng) {
            stream.write_all(&bytes).await?;
            if rng.random() {
                sleep(Span::of(0..=20).draw_ms(rng)).await;
            }
        }
        Ok(())
    }

    /// The route of request `id`; none of what it does not ask, and of random bytes.
    fn route_of(self, id: u32) -> &'static str {
        let mut requests = (1..).zip(NONSENSE).filter(|_| self == Attack::Nonsense);
        let request = requests.find(|(known, _)| *known == id);
        request.map_or("", |(_, (route, _, _))| route)
    }

    /// What is written, each item in one write.
    fn draw_bytes(self, rng: &mut StdRng) -> Vec<Bytes> {
        let handshake = handshake::encode_request(&Vocabulary::default());
        let acknowledgement = package::handshake_ack();
        match self {
            Attack::Silence => Vec::new(),
            Attack::Garbage => vec![draw_garbage(rng)],
            Attack::Cut => {
                let len = rng.random_range(1..handshake.len());
                vec![handshake.slice(..len)]
            }
            Attack::Huge => {
                let kind = rng.random_range(1..=5);
                vec![Bytes::from(vec![kind, 0xff, 0xff, 0xff]), draw_garbage(rng)]
            }
            Attack::EndlessUpgrade => {
                let header = format!("X-Padding: {}\r\n", ".".repeat(100));
                let headers = rng.random_range(0..200);
                vec![
                    Bytes::from_static(b"GET / HTTP/1.1\r\nHost: chat\r\n"),
                    Bytes::from(header.repeat(headers)),
                ]
            }
            Attack::GarbageMessages => {
                let count = rng.random_range(1..10);
                let messages =
                    (0..count).map(|_| package::encode(PackageType::Data, &draw_garbage(rng)));
                [handshake, acknowledgement]
                    .into_iter()
                    .chain(messages)
                    .collect()
            }
            Attack::Nonsense => {
                let requests = (1..).zip(NONSENSE).map(|(id, (route, body, _))| {
                    message::encode_request(id, RouteRef::Name(route), body.as_bytes())
                });
                [handshake, acknowledgement]
                    .into_iter()
                    .chain(requests)
                    .collect()
            }
            Attack::Disorder => {
                let unread = package::encode(PackageType::Handshake, b"hello");
                let packages = [handshake, acknowledgement, package::heartbeat(), unread];
                let count = rng.random_range(1..20);
                let draw = |_| packages.choose(rng).cloned().unwrap_or_default();
                (0..count).map(draw).collect()
            }
            Attack::NoMessage => {
                // A request whose id is cut.
                let message = package::encode(PackageType::Data, &[0, 0x80]);
                vec![handshake, acknowledgement, message]
            }
            Attack::Stranger => {
                let hello = Hello {
                    version: VERSION,
                    token: TOKENS.choose(rng).copied().unwrap_or_default().to_owned(),
                    server: String::from("connector-server-1"),
                    incarnation: rng.random(),
                    dial: 1,
                    resume: None,
                };
                let mut bytes = BytesMut::new();
                frame::put(&mut bytes, &Header::Hello(hello), &[]);
                vec![bytes.freeze()]
            }
        }
    }
}

/// What a stranger takes for the token.
const TOKENS: [&str; 4] = ["", "password", "developmen", "development "];

/// What comes of a request that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// An error.
    Refused,
    /// An error, from all but a gate.
    ForGate,
    /// Nothing: it names no handler.
    Ignored,
}

/// Requests that have no good answer: not in a room, no such route, fields that are missing or of
/// another type. None of them enters a room. Their ids count from 1.
const NONSENSE: [(&str, &str, Fate); 9] = [
    (
        "chat.chatHandler.send",
        r#"{"content":"u1.1.1@0 ","target":"*"}"#,
        Fate::Refused,
    ),
    ("chat.chatHandler.send", "{}", Fate::Refused),
    ("chat.noHandler.send", "{}", Fate::Refused),
    ("nothing", "[]", Fate::Ignored),
    ("", "", Fate::Ignored),
    ("connector.entryHandler.enter", "{}", Fate::Refused),
    (
        "connector.entryHandler.enter",
        r#"{"username":7,"rid":[]}"#,
        Fate::Refused,
    ),
    (
        "connector.entryHandler.enter",
        r#"{"username":"*","rid":"room-0"}"#,
        Fate::Refused,
    ),
    (
        "gate.gateHandler.queryEntry",
        r#"{"uid":{"uid":{}}}"#,
        Fate::ForGate,
    ),
];

/// The ids of the requests that name a handler, so that they are to be answered.
pub fn to_be_answered() -> impl Iterator<Item = u32> {
    let requests = (1..).zip(NONSENSE);
    requests.filter_map(|(id, (_, _, fate))| (fate != Fate::Ignored).then_some(id))
}

/// Whether a gate may answer request `id` with success.
pub fn is_for_gate(id: u32) -> bool {
    let mut requests = (1..).zip(NONSENSE);
    requests.any(|(known, (_, _, fate))| known == id && fate == Fate::ForGate)
}

fn draw_garbage(rng: &mut StdRng) -> Bytes {
    let mut bytes = vec![0; GARBAGE_LEN.draw(rng) as usize];
    rng.fill(&mut bytes[..]);
    Bytes::from(bytes)
}
