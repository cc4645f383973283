//! One client at a connector whose chat server cannot be reached, so that an `enter` waits until
//! its deadline. On tokio's paused clock: what takes no time takes none, to the millisecond.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cluster::connection::{Connection, Incoming, Transport};
use cluster::connector::{Connector, session};
use cluster::limits::REQUESTS_IN_FLIGHT;
use cluster::options::Options;
use cluster::policy::{Flaw, Policy};
use cluster::topology::{Backend, Frontend, Topology};
use cluster::wire::message::{self, RouteRef};
use cluster::wire::package::{self, PackageType};
use cluster::wire::vocabulary::Vocabulary;
use cluster::wire::{body, handshake};
use serde_json::{Value, json};
use tokio::io::{DuplexStream, duplex};
use tokio::time::{Instant, advance, timeout};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const ENTER: &str = "connector.entryHandler.enter";
const ATTACK: &str = "chat.chatHandler.constructor";
const HEARTBEAT: Duration = Duration::from_millis(1000);
const DEADLINE: Duration = Duration::from_millis(3500);
/// For a story that waits for what does not come: it takes no real time.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn heartbeats_are_answered_while_an_enter_waits() -> Result {
    connected(4096, HEARTBEAT, async |mut client| {
        let start = Instant::now();
        client.request(1, ENTER);
        for beat in 1..=3 {
            let answered = timeout(beat * HEARTBEAT - start.elapsed(), client.next()).await;
            assert!(answered.is_err(), "{answered:?} before heartbeat {beat}");
            client.connection.queue(package::heartbeat());
            assert_eq!(client.next().await?, Seen::Heartbeat);
            assert_eq!(start.elapsed(), beat * HEARTBEAT);
        }
        assert_eq!(client.next().await?, refusal(1));
        assert_eq!(start.elapsed(), DEADLINE);
        Ok(())
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_what_waits_behind_an_enter_counts_from_its_arrival() -> Result {
    connected(4096, 10 * HEARTBEAT, async |mut client| {
        let start = Instant::now();
        client.request(1, ENTER);
        assert!(timeout(HEARTBEAT, client.next()).await.is_err());
        client.request(2, ENTER);
        client.request(3, "chat.chatHandler.send");
        assert_eq!(client.next().await?, refusal(1));
        assert_eq!(start.elapsed(), DEADLINE);
        for request in [2, 3] {
            assert_eq!(client.next().await?, refusal(request));
            assert_eq!(start.elapsed(), HEARTBEAT + DEADLINE);
        }
        Ok(())
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_without_end_is_left_unread_and_not_cut() -> Result {
    // What does not fit the stream stays with the client.
    connected(64, HEARTBEAT, async |mut client| {
        let many = 3 * u32::try_from(REQUESTS_IN_FLIGHT)?;
        let start = Instant::now();
        client.request(1, ENTER);
        for request in 2..=many {
            client.request(request, "no.such.route");
        }
        assert_eq!(client.next().await?, refusal(1));
        assert_eq!(start.elapsed(), DEADLINE);
        assert!(!client.connection.is_flushed(), "all of it has been read");
        for request in 2..=many {
            assert_eq!(client.next().await?, refusal(request));
        }
        Ok(())
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn heartbeat_cut_after_stall() -> Result {
    let flawed = Policy::hardened().with(Flaw::HeartbeatCutAfterStall);
    for (policy, seen) in [(Policy::hardened(), Seen::Heartbeat), (flawed, Seen::End)] {
        served_with(policy, 4096, HEARTBEAT, async |mut client| {
            advance(HEARTBEAT).await;
            // It arrives while the connector stands still.
            client.connection.queue(package::heartbeat());
            client.connection.flush().await?;
            advance(3 * HEARTBEAT).await;
            assert_eq!(client.next().await?, seen);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_stood_still_listens_once_more_before_it_cuts() -> Result {
    connected(4096, HEARTBEAT, async |mut client| {
        advance(3 * HEARTBEAT).await;
        // The client's heartbeats are still under way.
        let cut = timeout(HEARTBEAT - Duration::from_millis(1), client.next()).await;
        assert!(cut.is_err(), "{cut:?}");
        let start = Instant::now();
        client.connection.queue(package::heartbeat());
        assert_eq!(client.next().await?, Seen::Heartbeat);
        assert_eq!(client.next().await?, Seen::End);
        assert_eq!(start.elapsed(), 2 * HEARTBEAT);
        Ok(())
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn dead_session() -> Result {
    let flawed = Policy::hardened().with(Flaw::DeadSession);
    let at_once = Duration::ZERO;
    for (policy, ends_after) in [(Policy::hardened(), at_once), (flawed, 2 * HEARTBEAT)] {
        served_with(policy, 4096, HEARTBEAT, async |mut client| {
            let start = Instant::now();
            let no_message = package::encode(PackageType::Data, &[0, 0x80]);
            client.connection.queue(no_message);
            client.request(1, "no.such.route");
            client.connection.queue(package::heartbeat());
            assert_eq!(client.next().await?, Seen::End);
            assert_eq!(start.elapsed(), ends_after);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_kicked_client_is_forgotten_before_it_closes() -> Result {
    let flawed = Policy::hardened().with(Flaw::KickedLingers);
    for (policy, lingers) in [(Policy::hardened(), false), (flawed, true)] {
        served_with(policy, 4096, HEARTBEAT, async |mut client| {
            assert_eq!(client.connector.census().sessions, 1);
            client.request(1, ATTACK);
            // The kick is here; the connector waits for the client to close.
            assert_eq!(client.next().await?, Seen::End);
            assert_eq!(client.connector.census().sessions, usize::from(lingers));
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// A client that does nothing by itself.
struct Client {
    connection: Connection<DuplexStream>,
    connector: Arc<Connector>,
}

#[derive(Debug, PartialEq)]
enum Seen {
    Heartbeat,
    Answer(u32, Value),
    End,
}

impl Client {
    fn request(&mut self, id: u32, route: &str) {
        let body = json!({ "username": "ann", "rid": "lobby" }).to_string();
        let request = message::encode_request(id, RouteRef::Name(route), body.as_bytes());
        self.connection.queue(request);
    }

    async fn next(&mut self) -> Result<Seen> {
        loop {
            let package = match self.connection.next().await? {
                Incoming::Package(package) => package,
                Incoming::Flushed => continue,
                Incoming::Closed => return Ok(Seen::End),
            };
            return Ok(match package.kind {
                PackageType::Data => {
                    let message = message::decode(package.body)?;
                    Seen::Answer(message.id, body::decode(&message.body))
                }
                PackageType::Heartbeat => Seen::Heartbeat,
                _ => Seen::End,
            });
        }
    }
}

fn refusal(request: u32) -> Seen {
    Seen::Answer(request, json!({ "code": 500 }))
}

/// Runs `story` with a client that has just been let in, through a stream that holds `capacity`
/// bytes.
async fn connected(
    capacity: usize,
    heartbeat: Duration,
    story: impl AsyncFnOnce(Client) -> Result,
) -> Result {
    served_with(Policy::hardened(), capacity, heartbeat, story).await
}

async fn served_with(
    policy: Policy,
    capacity: usize,
    heartbeat: Duration,
    story: impl AsyncFnOnce(Client) -> Result,
) -> Result {
    let options = Options {
        policy,
        heartbeat,
        request_deadline: DEADLINE,
        ..Options::default()
    };
    // Nobody dials the chat server, and nobody watches the lease.
    let connector = Connector::new(Arc::new(topology()), "connector-server-1", options, 1);
    let (near, far) = duplex(capacity);
    let watched = connector.clone();
    let story = async {
        let mut connection = Connection::connect(near, Transport::Tcp, "", 4096).await?;
        connection.queue(handshake::encode_request(&Vocabulary::default()));
        connection.next().await?;
        connection.queue(package::handshake_ack());
        let mut client = Client {
            connection,
            connector: watched,
        };
        while client.next().await? != Seen::Heartbeat {}
        story(client).await
    };
    tokio::select! {
        ended = timeout(PATIENCE, story) => ended?,
        _ = session::serve(connector, far) => Err("the connector ended the session".into()),
    }
}

fn topology() -> Topology {
    Topology {
        gates: Vec::new(),
        connectors: vec![Frontend {
            id: "connector-server-1".into(),
            client_host: "127.0.0.1".into(),
            client_port: 1,
        }],
        chats: vec![Backend {
            id: "chat-server-1".into(),
            host: "127.0.0.1".into(),
            port: 1,
        }],
    }
}
