//! One connection of a script, with a task that keeps it alive.

use std::time::Duration;

use bytes::Bytes;
use cluster::connection::{Connection, Incoming, Transport};
use cluster::wire::package::{self, Package};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, timeout};

use crate::program::{PATIENCE, Result};
use crate::script::Conn;

/// Longest body of a package from a server: far more than any script makes one say.
const BODY_LEN_MAX: usize = 1_000_000;

/// What connectors ask for. They give up a client after twice that.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// What came from the server; `None` when the connection has ended.
pub type Event = (Conn, Option<Package>);

/// Writes to a connection. Dropping it closes the connection when all is written.
pub struct Client(UnboundedSender<Bytes>);

impl Client {
    pub async fn open(
        conn: Conn,
        port: u16,
        transport: Transport,
        events: UnboundedSender<Event>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self> {
        let opening = async {
            let stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            let connection =
                Connection::connect(stream, transport, "127.0.0.1", BODY_LEN_MAX).await?;
            Ok::<_, Box<dyn std::error::Error>>(connection)
        };
        let connection = timeout(PATIENCE, opening).await??;
        let (sender, outgoing) = unbounded_channel();
        tasks.spawn(converse(conn, connection, outgoing, events));
        Ok(Self(sender))
    }

    /// Whoever has been closed by the server hears no more.
    pub fn write(&self, bytes: Bytes) {
        let _ = self.0.send(bytes);
    }
}

async fn converse(
    conn: Conn,
    mut connection: Connection<TcpStream>,
    mut outgoing: UnboundedReceiver<Bytes>,
    events: UnboundedSender<Event>,
) {
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    loop {
        let event = tokio::select! {
            incoming = connection.next() => match incoming {
                Ok(Incoming::Package(package)) => Some(package),
                Ok(Incoming::Flushed) => continue,
                Ok(Incoming::Closed) | Err(_) => None,
            },
            bytes = outgoing.recv() => match bytes {
                Some(bytes) => {
                    connection.queue(bytes);
                    continue;
                }
                None => {
                    let _ = timeout(PATIENCE, connection.close()).await;
                    return;
                }
            },
            // A gate, and a session that has not begun, ignores it.
            _ = heartbeat.tick() => {
                connection.queue(package::heartbeat());
                continue;
            }
        };
        let is_end = event.is_none();
        if events.send((conn, event)).is_err() || is_end {
            return;
        }
    }
}
