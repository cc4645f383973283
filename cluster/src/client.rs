//! A Pomelo client: handshake, requests and their answers, pushes, heartbeats.

use std::future::pending;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::connection::{Connection, ConnectionError, Incoming, Transport};
use crate::net::Network;
use crate::wire::body;
use crate::wire::handshake;
use crate::wire::message::{self, Message, MessageError, MessageKind, Route, RouteRef};
use crate::wire::package::{self, BODY_LEN_LIMIT, Package, PackageType};

/// Intervals without a package after which a server is taken for dead, as Pomelo's clients have it.
const GIVE_UP_AFTER: u32 = 2;

/// A client after its handshake. Many thousands of them run in one process, so it has neither a
/// task nor a standing timer: everything happens inside [`next`](Self::next).
#[derive(Debug)]
pub struct Client<S> {
    connection: Connection<S>,
    last_id: u32,
    /// Interval of heartbeats; `None` if the server wants none.
    heartbeat: Option<Duration>,
    pulse: Pulse,
}

/// Whose turn it is to show life. The server begins, after the handshake.
#[derive(Clone, Copy, Debug)]
enum Pulse {
    /// Nothing is due: the server has yet to begin.
    Still,
    /// The server has sent a heartbeat; ours is due at this time.
    DueAt(Instant),
    /// Ours is sent; at this time the server is taken for dead unless a package comes.
    GiveUpAt(Instant),
}

/// What the server has said.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The answer to a request.
    Response {
        /// What [`Client::request`] returned.
        id: u32,
        /// The answer.
        body: Value,
    },
    /// Something happened.
    Push {
        /// What, such as `onChat`.
        route: String,
        /// The particulars.
        body: Value,
    },
    /// The server throws this client out, and closes.
    Kicked {
        /// Why, in words for the user.
        reason: String,
    },
    /// The server has closed. Nothing follows.
    Closed,
}

/// Why a client cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers there.
    #[error("no connection to {host}:{port}")]
    Connect {
        /// The host that was dialled.
        host: String,
        /// The port that was dialled.
        port: u16,
        /// What the network said.
        source: io::Error,
    },
    /// The connection is of no more use.
    #[error("the connection to the server failed")]
    Connection(#[from] ConnectionError),
    /// The server closed before it answered the handshake.
    #[error("the server closed before the handshake was done")]
    ClosedEarly,
    /// The server turned this client away.
    #[error("the server answered the handshake with code {code}")]
    Refused {
        /// 500 for a bad handshake, 501 for a wrong version.
        code: u16,
    },
    /// The answer to the handshake is no JSON, or not the right one.
    #[error("the server's handshake cannot be understood")]
    Handshake(#[source] serde_json::Error),
    /// A data package holds no message.
    #[error("the server sent a data package without a message")]
    Message(#[from] MessageError),
    /// A message's body is no JSON.
    #[error("the body of a message from the server is not JSON")]
    Body(#[source] serde_json::Error),
    /// A push names its route by a code, but there is no dictionary.
    #[error("the server pushed to the route code {0}, which is in no dictionary")]
    RouteCode(u16),
    /// No package came for two heartbeat intervals.
    #[error("the server has been silent for {silence:?}")]
    Silent {
        /// How long nothing came.
        silence: Duration,
    },
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Client<S> {
    /// Dials a server and does the handshake.
    ///
    /// It has no deadline of its own and may wait for ever, for the connection as well as for the
    /// server's word: the caller sets one.
    ///
    /// # Errors
    ///
    /// Nobody answers, or not as a server would.
    pub async fn connect<N>(
        network: &N,
        host: &str,
        port: u16,
        transport: Transport,
    ) -> Result<Self, ClientError>
    where
        N: Network<Stream = S>,
    {
        let stream = network
            .connect(host, port)
            .await
            .map_err(|source| ClientError::Connect {
                host: host.to_owned(),
                port,
                source,
            })?;
        Self::start(stream, host, transport).await
    }

    /// Does the handshake on a stream that leads to a server. No deadline, as
    /// [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// The other side does not answer as a server would.
    pub async fn start(stream: S, host: &str, transport: Transport) -> Result<Self, ClientError> {
        let mut connection = Connection::connect(stream, transport, host, BODY_LEN_LIMIT).await?;
        connection.queue(handshake::encode_request());
        let answer = next_handshake(&mut connection).await?;
        let response: handshake::Response =
            serde_json::from_slice(&answer).map_err(ClientError::Handshake)?;
        if response.code != handshake::SUCCESS {
            return Err(ClientError::Refused {
                code: response.code,
            });
        }
        connection.queue(package::handshake_ack());
        connection.flush().await.map_err(ConnectionError::Io)?;
        Ok(Self {
            connection,
            last_id: 0,
            heartbeat: response.sys.unwrap_or_default().heartbeat,
            pulse: Pulse::Still,
        })
    }

    /// Waits for what the server says next; sends what is queued and the heartbeats meanwhile.
    ///
    /// After a heartbeat of the server it waits one interval and sends its own; if then no package
    /// comes for two intervals, the server is taken for dead. This is what Pomelo's browser client
    /// does.
    ///
    /// Cancel safe: nothing is lost if the future is dropped. But a client nobody awaits sends no
    /// heartbeats.
    ///
    /// # Errors
    ///
    /// The connection broke, the server is silent, or says what cannot be understood.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            self.beat_if_due();
            let incoming = match self.pulse {
                Pulse::Still => self.connection.next().await,
                Pulse::DueAt(at) | Pulse::GiveUpAt(at) => {
                    match timeout_at(at, self.connection.next()).await {
                        Ok(incoming) => incoming,
                        Err(_) => {
                            self.check_life()?;
                            continue;
                        }
                    }
                }
            };
            match incoming? {
                Incoming::Package(package) => {
                    if let Some(event) = self.handle(package)? {
                        return Ok(event);
                    }
                }
                Incoming::Flushed => {}
                Incoming::Closed => return Ok(Event::Closed),
            }
        }
    }

    /// Queues a request and returns its id, which the response carries. It is sent by
    /// [`next`](Self::next).
    ///
    /// # Panics
    ///
    /// `route` is longer than 255 bytes, or `body` too long for a package.
    pub fn request(&mut self, route: &str, body: &Value) -> u32 {
        // After the largest id comes 1; nobody waits for two thousand million answers.
        self.last_id = self.last_id % message::ID_MAX + 1;
        let body = body.to_string();
        self.connection.queue(message::encode_request(
            self.last_id,
            RouteRef::Name(route),
            body.as_bytes(),
        ));
        self.last_id
    }

    /// Queues a notify, which gets no answer. It is sent by [`next`](Self::next).
    ///
    /// # Panics
    ///
    /// As [`request`](Self::request).
    pub fn notify(&mut self, route: &str, body: &Value) {
        let body = body.to_string();
        self.connection.queue(message::encode_notify(
            RouteRef::Name(route),
            body.as_bytes(),
        ));
    }

    /// Sends what is queued and a heartbeat every interval, for ever, and reads nothing: a user
    /// whose phone is too slow for its chat room.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// The connection broke. Only a reset is noticed; the end of the stream would have to be read.
    pub async fn write_only(&mut self) -> Result<(), ClientError> {
        loop {
            self.connection.flush().await.map_err(ConnectionError::Io)?;
            let Some(interval) = self.heartbeat else {
                return pending().await;
            };
            let due_at = match self.pulse {
                Pulse::DueAt(at) => at,
                Pulse::Still | Pulse::GiveUpAt(_) => Instant::now() + interval,
            };
            self.pulse = Pulse::DueAt(due_at);
            sleep_until(due_at).await;
            self.connection.queue(package::heartbeat());
            self.pulse = Pulse::DueAt(Instant::now() + interval);
        }
    }

    /// Says goodbye and waits until the server has closed too. The server may take for ever: the
    /// caller bounds the time.
    pub async fn close(self) {
        self.connection.close().await;
    }

    /// Sends our heartbeat if its time has come, also between packages that come without end.
    fn beat_if_due(&mut self) {
        let (Some(interval), Pulse::DueAt(at)) = (self.heartbeat, self.pulse) else {
            return;
        };
        let now = Instant::now();
        if at <= now {
            self.connection.queue(package::heartbeat());
            self.pulse = Pulse::GiveUpAt(now + GIVE_UP_AFTER * interval);
        }
    }

    /// Gives up on a server that is silent. Only called when there was nothing to read, so that a
    /// client that itself stood still does not blame the server.
    fn check_life(&self) -> Result<(), ClientError> {
        match (self.heartbeat, self.pulse) {
            (Some(interval), Pulse::GiveUpAt(at)) if at <= Instant::now() => {
                Err(ClientError::Silent {
                    silence: GIVE_UP_AFTER * interval,
                })
            }
            _ => Ok(()),
        }
    }

    fn handle(&mut self, package: Package) -> Result<Option<Event>, ClientError> {
        self.heard(package.kind == PackageType::Heartbeat);
        match package.kind {
            PackageType::Data => understand(message::decode(package.body)?),
            PackageType::Kick => Ok(Some(Event::Kicked {
                reason: body::decode_kick(&package.body),
            })),
            PackageType::Heartbeat | PackageType::Handshake | PackageType::HandshakeAck => Ok(None),
        }
    }

    /// The server is alive: a heartbeat of it asks for ours, anything else gives it more time.
    fn heard(&mut self, is_heartbeat: bool) {
        let Some(interval) = self.heartbeat else {
            return;
        };
        let now = Instant::now();
        self.pulse = match self.pulse {
            Pulse::DueAt(at) => Pulse::DueAt(at),
            Pulse::Still | Pulse::GiveUpAt(_) if is_heartbeat => Pulse::DueAt(now + interval),
            Pulse::Still => Pulse::Still,
            Pulse::GiveUpAt(_) => Pulse::GiveUpAt(now + GIVE_UP_AFTER * interval),
        };
    }
}

/// Waits for the server's handshake; what else comes before it means nothing.
async fn next_handshake<S>(connection: &mut Connection<S>) -> Result<Bytes, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match connection.next().await? {
            Incoming::Package(package) if package.kind == PackageType::Handshake => {
                return Ok(package.body);
            }
            Incoming::Package(_) | Incoming::Flushed => {}
            Incoming::Closed => return Err(ClientError::ClosedEarly),
        }
    }
}

fn understand(message: Message) -> Result<Option<Event>, ClientError> {
    let parse = |body: &[u8]| serde_json::from_slice(body).map_err(ClientError::Body);
    match (message.kind, message.route) {
        (MessageKind::Response, _) => Ok(Some(Event::Response {
            id: message.id,
            body: parse(&message.body)?,
        })),
        (MessageKind::Push, Some(Route::Name(route))) => Ok(Some(Event::Push {
            route,
            body: parse(&message.body)?,
        })),
        (MessageKind::Push, Some(Route::Code(code))) => Err(ClientError::RouteCode(code)),
        // A server asks nothing of a client.
        _ => Ok(None),
    }
}
