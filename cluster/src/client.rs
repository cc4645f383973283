//! A Pomelo client: handshake, requests and their answers, pushes, heartbeats.

mod body;
mod error;
mod memory;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::connection::{Connection, ConnectionError, Incoming, Transport};
use crate::net::Network;
use crate::wire::body::decode_kick;
use crate::wire::handshake;
use crate::wire::message::{self, Message, MessageKind, Route};
use crate::wire::package::{self, BODY_LEN_LIMIT, Package, PackageType};
use crate::wire::vocabulary::{BodyError, Vocabulary};

pub use body::Body;
pub use error::ClientError;
pub use memory::Memory;

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
    vocabulary: Vocabulary,
    /// Routes of the requests whose answers will be protobuf, by their ids.
    asked: BTreeMap<u32, String>,
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

/// What the server has said. Some of it is lent by the client.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
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
        route: Cow<'a, str>,
        /// The particulars.
        body: Body<'a>,
    },
    /// The server throws this client out, and closes.
    Kicked {
        /// Why, in words for the user.
        reason: String,
    },
    /// The server has closed. Nothing follows.
    Closed,
}

/// The same before it is understood.
enum Said {
    Response { id: u32, body: Bytes },
    Push { route: Route, body: Bytes },
    Kick { body: Bytes },
    End,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Client<S> {
    /// Dials a server and does the handshake. What the client knows from `memory` it is not sent
    /// again, and what is new it remembers there.
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
        memory: &Memory,
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
        Self::start(stream, host, transport, memory).await
    }

    /// Does the handshake on a stream that leads to a server. No deadline, as
    /// [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// The other side does not answer as a server would.
    pub async fn start(
        stream: S,
        host: &str,
        transport: Transport,
        memory: &Memory,
    ) -> Result<Self, ClientError> {
        let known = memory.known();
        let mut connection = Connection::connect(stream, transport, host, BODY_LEN_LIMIT).await?;
        connection.queue(handshake::encode_request(&known));
        let answer = next_handshake(&mut connection).await?;
        let response: handshake::Response =
            serde_json::from_slice(&answer).map_err(ClientError::Handshake)?;
        if response.code != handshake::SUCCESS {
            return Err(ClientError::Refused {
                code: response.code,
            });
        }
        let sys = response.sys.unwrap_or_default();
        let heartbeat = sys.heartbeat;
        let news = sys.into_vocabulary(&known);
        let news = news.map_err(|error| ClientError::Vocabulary(Box::new(error)))?;
        let vocabulary = memory.learn(news);
        connection.queue(package::handshake_ack());
        connection.flush().await.map_err(ConnectionError::Io)?;
        Ok(Self {
            connection,
            last_id: 0,
            heartbeat,
            pulse: Pulse::Still,
            vocabulary,
            asked: BTreeMap::new(),
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
    pub async fn next(&mut self) -> Result<Event<'_>, ClientError> {
        let said = self.next_said().await?;
        self.understand(said)
    }

    async fn next_said(&mut self) -> Result<Said, ClientError> {
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
                    if let Some(said) = self.handle(package)? {
                        return Ok(said);
                    }
                }
                Incoming::Flushed => {}
                Incoming::Closed => return Ok(Said::End),
            }
        }
    }

    /// Queues a request and returns its id, which the response carries. It is sent by
    /// [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// [`ClientError::Schema`]: the body is not one that the server reads. Nothing is queued.
    ///
    /// # Panics
    ///
    /// `route` is longer than 255 bytes, or `body` too long for a package.
    pub fn request(&mut self, route: &str, body: &Value) -> Result<u32, ClientError> {
        let body = self.write_body(route, body)?;
        // After the largest id comes 1; nobody waits for two thousand million answers.
        self.last_id = self.last_id % message::ID_MAX + 1;
        let package = message::encode_request(self.last_id, self.vocabulary.route(route), &body);
        self.connection.queue(package);
        if self.vocabulary.is_protobuf_from_server(route) {
            self.asked.insert(self.last_id, route.to_owned());
        }
        Ok(self.last_id)
    }

    /// Queues a notify, which gets no answer. It is sent by [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    ///
    /// # Panics
    ///
    /// As [`request`](Self::request).
    pub fn notify(&mut self, route: &str, body: &Value) -> Result<(), ClientError> {
        let body = self.write_body(route, body)?;
        let package = message::encode_notify(self.vocabulary.route(route), &body);
        self.connection.queue(package);
        Ok(())
    }

    fn write_body(&self, route: &str, body: &Value) -> Result<Bytes, ClientError> {
        let written = self.vocabulary.write_to_server(route, body);
        written.map_err(|source| ClientError::Schema {
            route: route.to_owned(),
            source: Box::new(source),
        })
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

    fn handle(&mut self, package: Package) -> Result<Option<Said>, ClientError> {
        self.heard(package.kind == PackageType::Heartbeat);
        let body = package.body;
        match package.kind {
            PackageType::Data => {
                let Message {
                    kind,
                    id,
                    route,
                    body,
                } = message::decode(body)?;
                Ok(match (kind, route) {
                    (MessageKind::Response, _) => Some(Said::Response { id, body }),
                    (MessageKind::Push, Some(route)) => Some(Said::Push { route, body }),
                    // A server asks nothing of a client.
                    _ => None,
                })
            }
            PackageType::Kick => Ok(Some(Said::Kick { body })),
            PackageType::Heartbeat | PackageType::Handshake | PackageType::HandshakeAck => Ok(None),
        }
    }

    fn understand(&mut self, said: Said) -> Result<Event<'_>, ClientError> {
        let vocabulary = &self.vocabulary;
        Ok(match said {
            Said::Response { id, body } => {
                let body = match self.asked.remove(&id) {
                    Some(route) => vocabulary.read_from_server(&route, &body)?,
                    None => serde_json::from_slice(&body).map_err(BodyError::Json)?,
                };
                Event::Response { id, body }
            }
            Said::Push { route, body } => {
                let route = vocabulary.into_name(route)?;
                let body = Body::new(body, vocabulary.layout_from_server(&route));
                Event::Push { route, body }
            }
            Said::Kick { body } => Event::Kicked {
                reason: decode_kick(&body),
            },
            Said::End => Event::Closed,
        })
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
