//! A client that means no good: it sends bytes that no client and no server would send, or none.
//!
//! It never speaks so well that it gets into a room. What is asked of the servers is that they
//! live on and that nobody else notices.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use cluster::net::Network;
use cluster::wire::handshake;
use cluster::wire::message::{self, RouteRef};
use cluster::wire::package::{self, PackageType};
use cluster::wire::vocabulary::Vocabulary;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::scenario::Span;

/// From one attack to the next.
const PAUSE_MS: Span = Span::of(10..=300);
/// How long a connection is kept after what was sent: some are gone at once, some outlast what
/// patience a server has for them.
const STAY_MS: Span = Span::of(0..=4000);
/// Most random bytes in one attack: more than a stream's buffer, less than slows a run down.
const GARBAGE_LEN: Span = Span::of(1..=8192);
/// A server that is down may never answer; then the vandal goes on.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

/// What a vandal does with a connection.
#[derive(Clone, Copy, Debug)]
enum Attack {
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
    /// Sends good packages in an order that makes no sense.
    Disorder,
}

const ATTACKS: [Attack; 8] = [
    Attack::Silence,
    Attack::Garbage,
    Attack::Cut,
    Attack::Huge,
    Attack::EndlessUpgrade,
    Attack::GarbageMessages,
    Attack::Nonsense,
    Attack::Disorder,
];

/// Attacks one of `targets` after the other until `until`. Returns connections that were opened
/// and never got as far as a handshake, for whoever wants to keep them open.
pub async fn run<N: Network>(
    network: N,
    targets: Vec<(String, u16)>,
    until: Instant,
    mut rng: StdRng,
) -> Vec<N::Stream> {
    let mut half_open = Vec::new();
    let attacks = async {
        loop {
            sleep(PAUSE_MS.draw_ms(&mut rng)).await;
            let (host, port) = targets.choose(&mut rng).expect("there are servers");
            let attack = ATTACKS.choose(&mut rng).expect("there are attacks");
            // A server that hangs up in the middle does what it should.
            let kept = carry_out(*attack, &network, host, *port, &mut rng).await;
            half_open.extend(kept.ok().flatten());
        }
    };
    let _ = timeout_at(until, attacks).await;
    half_open
}

async fn carry_out<N: Network>(
    attack: Attack,
    network: &N,
    host: &str,
    port: u16,
    rng: &mut StdRng,
) -> io::Result<Option<N::Stream>> {
    let mut stream = timeout(CONNECT_PATIENCE, network.connect(host, port)).await??;
    for bytes in attack.draw_bytes(rng) {
        stream.write_all(&bytes).await?;
        if rng.random() {
            sleep(Span::of(0..=20).draw_ms(rng)).await;
        }
    }
    if attack.is_half_open() && rng.random() {
        return Ok(Some(stream));
    }
    sleep(STAY_MS.draw_ms(rng)).await;
    Ok(None)
}

impl Attack {
    /// Whether the server is left waiting for the rest of a handshake.
    fn is_half_open(self) -> bool {
        matches!(
            self,
            Attack::Silence | Attack::Cut | Attack::Huge | Attack::EndlessUpgrade
        )
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
                let requests = NONSENSE.iter().enumerate().map(|(index, (route, body))| {
                    let id = u32::try_from(index).unwrap_or_default();
                    message::encode_request(id, RouteRef::Name(route), body.as_bytes())
                });
                [handshake, acknowledgement]
                    .into_iter()
                    .chain(requests)
                    .collect()
            }
            Attack::Disorder => {
                let packages = [handshake, acknowledgement, package::heartbeat()];
                let count = rng.random_range(1..20);
                let draw = |_| packages.choose(rng).cloned().unwrap_or_default();
                (0..count).map(draw).collect()
            }
        }
    }
}

/// Requests that have no good answer: not in a room, no such route, fields that are missing or of
/// another type. None of them enters a room.
const NONSENSE: [(&str, &str); 9] = [
    (
        "chat.chatHandler.send",
        r#"{"content":"u1.1.1@0 ","target":"*"}"#,
    ),
    ("chat.chatHandler.send", "{}"),
    ("chat.noHandler.send", "{}"),
    ("nothing", "[]"),
    ("", ""),
    ("connector.entryHandler.enter", "{}"),
    ("connector.entryHandler.enter", r#"{"username":7,"rid":[]}"#),
    (
        "connector.entryHandler.enter",
        r#"{"username":"*","rid":"room-0"}"#,
    ),
    ("gate.gateHandler.queryEntry", r#"{"uid":{"uid":{}}}"#),
];

fn draw_garbage(rng: &mut StdRng) -> Bytes {
    let mut bytes = vec![0; GARBAGE_LEN.draw(rng) as usize];
    rng.fill(&mut bytes[..]);
    Bytes::from(bytes)
}
