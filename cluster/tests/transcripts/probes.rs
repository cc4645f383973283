//! Sessions of the test's own, in rooms of their own, that tell when the cluster has come to rest.
//!
//! Messages between one connector and one chat server stay in order. So when a request that went
//! from each connector to each chat server is answered, everything that connectors had told chat
//! servers before has been done; and when another one is, what chat servers said of it has come to
//! the connectors. Nobody else can see these sessions.

use std::time::Duration;

use cluster::topology::Topology;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::package::{self, Kind, Package};
use crate::replay::PATIENCE;
use crate::socket::Socket;
use crate::transcript::{Frame, Transport};

/// There and back for what is said; the same for the acknowledgements that an answer waits for; and
/// once more for that answer.
const ROUNDS: u32 = 5;

/// They send no heartbeats, and are replaced well before the 6 s after which they would be missed.
const LIFETIME: Duration = Duration::from_secs(2);

/// One session for each pair of a connector and a chat server.
#[derive(Debug)]
pub struct Probes {
    topology: Topology,
    sockets: Vec<Socket>,
    opened_at: Instant,
    /// So that new ones do not meet their predecessors.
    generation: u32,
    last_id: u32,
}

impl Probes {
    /// Enters all of them.
    ///
    /// # Errors
    ///
    /// One got no answer.
    pub async fn open(topology: &Topology) -> Result<Self, String> {
        let mut probes = Self {
            topology: topology.clone(),
            sockets: Vec::new(),
            opened_at: Instant::now(),
            generation: 0,
            last_id: 0,
        };
        probes.replace().await?;
        Ok(probes)
    }

    /// Waits until all that came of what has been done so far is on its way to the clients.
    ///
    /// # Errors
    ///
    /// One got no answer.
    pub async fn settle(&mut self) -> Result<(), String> {
        if self.opened_at.elapsed() > LIFETIME {
            self.replace().await?;
        }
        for _ in 0..ROUNDS {
            self.last_id += 1;
            let request = package::encode_request(self.last_id, "chat.probe.probe", "{}");
            for socket in &mut self.sockets {
                socket.send(Frame::Binary, &request, &[]).await;
            }
            for socket in &mut self.sockets {
                await_answer(socket, self.last_id).await?;
            }
        }
        Ok(())
    }

    async fn replace(&mut self) -> Result<(), String> {
        self.generation += 1;
        self.last_id = 1;
        self.sockets.clear();
        self.opened_at = Instant::now();
        for (index, connector) in self.topology.connectors.iter().enumerate() {
            for chat in 0..self.topology.chats.len() {
                let mut socket = Socket::open(Transport::Tcp, connector.client_port)
                    .await
                    .map_err(|error| format!("a probe was not let in: {error}"))?;
                let handshake = package::encode(1, br#"{"sys":{}}"#);
                socket.send(Frame::Binary, &handshake, &[]).await;
                next(&mut socket).await?;
                let room = (0..)
                    .map(|number| format!("probe {} {index} {number}", self.generation))
                    .find(|room| self.topology.chat_of(room) == Some(chat))
                    .expect("every chat server owns rooms");
                let body = json!({"username": "probe", "rid": room}).to_string();
                let enter = package::encode_request(1, "connector.entryHandler.enter", &body);
                let ack = package::encode(2, b"");
                socket
                    .send(Frame::Binary, &[ack, enter].concat(), &[])
                    .await;
                await_answer(&mut socket, 1).await?;
                self.sockets.push(socket);
            }
        }
        Ok(())
    }
}

async fn await_answer(socket: &mut Socket, id: u32) -> Result<(), String> {
    while next(socket).await?.kind != Kind::Response(id) {}
    Ok(())
}

async fn next(socket: &mut Socket) -> Result<Package, String> {
    match timeout(PATIENCE, socket.next()).await {
        Ok(seen) => seen.package().ok_or(format!("a probe saw {seen:?}")),
        Err(_) => Err(format!("a probe got no answer within {PATIENCE:?}")),
    }
}
