//! A client at a gate, or at a connector with a chat server behind it, from its first byte to its
//! last, in memory and on a clock that takes no time.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cluster::census::Census;
use cluster::chat::Chat;
use cluster::connector::Connector;
use cluster::gate::Gate;
use cluster::limits::{CLOSE_PATIENCE, GATE_PATIENCE};
use cluster::net::Network;
use cluster::options::Options;
use cluster::topology::{Backend, Frontend, Topology};
use cluster::wire::message::{self, MessageKind, Route};
use cluster::wire::protobuf::Protos;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, split};
use tokio::time::{Instant, sleep, timeout};

use super::network::Memory;
use super::outcome::{BODY_LEN_MAX, CLIENT_SCHEMA, Outcome};
use super::story::{End, Story};
use super::written;

const GATE: u16 = 1;
const CONNECTOR: u16 = 2;
const CHAT: u16 = 3;

/// After so long without a word a server has said all that it will, and closed what it closes.
/// Shorter than a client may be silent.
const QUIET: Duration = Duration::from_secs(2);

/// What a server may say to a client that says nothing, and for each of its bytes, in bytes. A
/// message to all comes back with the sender's name, which may be long.
const WRITTEN_FREE: usize = 4096;
const WRITTEN_PER_READ: usize = 64;

/// See [`Story::of`].
///
/// # Panics
///
/// The servers do not behave.
pub fn run(bytes: &[u8]) {
    let Some(story) = Story::of(bytes) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("there is a clock").block_on(serve(&story));
}

async fn serve(story: &Story) {
    let options = options();
    let topology = Arc::new(topology());
    let network = Memory::default();
    let gate = Gate::new(topology.clone(), "gate", options.clone());
    let connector = Connector::new(topology.clone(), "connector", options.clone(), 1);
    let chat = Chat::new(topology, "chat", options, 1);
    let listen = async |port| network.listen(port).await.expect("it is free");
    let (at_gate, at_connector, at_chat) = (
        listen(GATE).await,
        listen(CONNECTOR).await,
        listen(CHAT).await,
    );
    let servers = async {
        if story.at_gate {
            return gate
                .clone()
                .serve(network.clone(), at_gate, pending())
                .await;
        }
        let connecting = connector
            .clone()
            .serve(network.clone(), at_connector, pending());
        let chatting = chat.clone().serve(network.clone(), at_chat, pending());
        tokio::join!(connecting, chatting);
    };
    let client = async {
        // The clock goes on when nobody has anything to do: then the link is there.
        sleep(Duration::from_millis(1)).await;
        tell(story, &network).await;
        let census = || [gate.census(), connector.census(), chat.census()];
        let emptied = async {
            while census().iter().any(|census| !is_empty(census)) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        if timeout(CLOSE_PATIENCE + QUIET, emptied).await.is_err() {
            panic!("something is left behind: {:?}", census());
        }
    };
    tokio::select! {
        biased;
        () = client => {}
        () = servers => panic!("the servers ended"),
    }
}

/// What the client does.
async fn tell(story: &Story, network: &Memory) {
    let port = if story.at_gate { GATE } else { CONNECTOR };
    let stream = network.connect("", port).await.expect("it listens");
    let (mut reader, mut writer) = split(stream);
    let sending = async {
        for piece in story.pieces() {
            // It fails when the server has closed.
            if writer.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let patience = patience(story);
    if story.is_deaf {
        let _ = timeout(patience, sending).await;
        return;
    }
    let mut written = Vec::new();
    let (sent, has_ended) = tokio::join!(
        timeout(patience, sending),
        read(&mut reader, &mut written, QUIET)
    );
    assert!(sent.is_ok(), "the server does not read and does not close");
    if let Some(outcome) = &story.outcome {
        check(outcome, has_ended, &written);
    }
    match story.end {
        End::Drop => return,
        End::HalfClose => {
            let _ = writer.shutdown().await;
        }
        End::Silence => {}
    }
    let began_at = Instant::now();
    let has_ended = has_ended || read(&mut reader, &mut written, patience).await;
    assert!(
        has_ended,
        "a client that {} is not closed",
        match story.end {
            End::Silence => "says nothing",
            _ => "has ended its side",
        }
    );
    if story.end == End::HalfClose {
        assert!(
            began_at.elapsed() <= CLOSE_PATIENCE,
            "it was closed too late"
        );
    }
    written::packages(&written);
    let most = WRITTEN_FREE + WRITTEN_PER_READ * story.bytes.len();
    assert!(
        written.len() <= most,
        "{} bytes were written",
        written.len()
    );
}

/// Reads until the end, and says true; or until nothing has come for so long.
async fn read(reader: &mut ReadHalf<DuplexStream>, into: &mut Vec<u8>, patience: Duration) -> bool {
    loop {
        match timeout(patience, reader.read_buf(into)).await {
            Ok(Ok(0) | Err(_)) => return true,
            Ok(Ok(_)) => {}
            Err(_) => return false,
        }
    }
}

fn check(outcome: &Outcome, has_ended: bool, written: &[u8]) {
    assert_eq!(has_ended, outcome.closes, "closed, and should be");
    let packages = written::packages(written);
    let count = |wanted| packages.iter().filter(|(kind, _)| *kind == wanted).count();
    let answers = answers(&packages);
    if outcome.closes {
        // What was under way may be lost, but nothing is answered that was not asked. Heartbeats
        // overtake what waits behind an `enter`, which may be what the connection is closed for.
        assert!(outcome.answers.starts_with(&answers), "{answers:?}");
        let first = packages.iter().position(|(kind, _)| *kind == 5);
        assert!(first.is_none_or(|first| first + 1 == packages.len()));
    } else {
        assert_eq!(count(3), outcome.heartbeats, "heartbeats");
        assert_eq!(answers, outcome.answers, "answers");
        assert_eq!(count(5), 0, "kicks");
    }
    assert_eq!(count(1), outcome.handshakes, "handshakes");
    assert_eq!(count(2), 0, "acknowledgements");
}

/// The ids of the responses; what else there is must be pushes.
fn answers(packages: &[(u8, Vec<u8>)]) -> Vec<u32> {
    let bodies = packages.iter().filter(|(kind, _)| *kind == 4);
    let messages = bodies.map(|(_, body)| {
        message::decode(Bytes::copy_from_slice(body)).expect("a server writes messages")
    });
    let mut ids = Vec::new();
    for message in messages {
        match (message.kind, &message.route) {
            (MessageKind::Response, None) => ids.push(message.id),
            (MessageKind::Push, Some(Route::Name(route))) => assert_eq!(route, "onChat"),
            other => panic!("a server does not write {other:?}"),
        }
    }
    ids
}

fn is_empty(census: &Census) -> bool {
    let now = Census {
        outbox_len_max: 0,
        queue_len_max: 0,
        link_connections: 0,
        ..census.clone()
    };
    now == Census::default()
}

/// The longest time that a server leaves a silent client alone.
fn patience(story: &Story) -> Duration {
    let options = options();
    let alone = match story.at_gate {
        true => GATE_PATIENCE,
        false => 2 * options.heartbeat,
    };
    alone.max(options.handshake_patience) + CLOSE_PATIENCE + QUIET
}

fn options() -> Options {
    let mut options = Options {
        package_body_len_max: BODY_LEN_MAX,
        ..Options::default()
    };
    let shipped = options.vocabulary.protos.expect("onChat is protobuf");
    let protos = Protos::new(shipped.server().clone(), CLIENT_SCHEMA.clone());
    options.vocabulary.protos = Some(Arc::new(protos));
    options
}

fn topology() -> Topology {
    let frontend = |id: &str, client_port| Frontend {
        id: id.into(),
        client_host: "host".into(),
        client_port,
    };
    Topology {
        gates: vec![frontend("gate", GATE)],
        connectors: vec![frontend("connector", CONNECTOR)],
        chats: vec![Backend {
            id: "chat".into(),
            host: "host".into(),
            port: CHAT,
        }],
    }
}
