//! A client that writes its bytes by hand, at a real server.

use std::time::Duration;

use cluster::process::Role::Connector;
use cluster::process::Running;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::Result;
use crate::bytes::{UPGRADE, frame, length, package};
use crate::place::Carrier::{Tcp, WebSocket};
use crate::place::{Place, forgotten};

/// Longest wait for anything; far more than a busy machine needs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a request gets that nobody carries out.
pub const REFUSED: &str = r#"{"code":500}"#;

/// How far a client has come before its story begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The TCP connection stands, and nothing was sent.
    Connected,
    /// After the WebSocket upgrade, if there is one.
    New,
    /// The handshake is answered.
    WaitsForAck,
    Working,
}

/// A client.
pub struct Peer<S = TcpStream> {
    pub place: Place,
    pub stream: S,
    /// When it connected; the server cannot have known of it before.
    pub began_at: Instant,
    state: State,
}

impl Peer {
    pub async fn connect(cluster: &Running, place: Place) -> Result<Self> {
        let began_at = Instant::now();
        let address = cluster
            .addresses()
            .find(|address| address.role == place.server)
            .unwrap();
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self::new(place, stream, began_at))
    }

    /// Goes, and the servers forget this client.
    pub async fn leaves_nothing(&mut self, cluster: &Running) -> Result {
        // It may be closed already.
        let _ = self.stream.shutdown().await;
        forgotten(cluster).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub fn new(place: Place, stream: S, began_at: Instant) -> Self {
        Self {
            place,
            stream,
            began_at,
            state: State::Connected,
        }
    }

    /// Goes through the regular steps until `state`, and sees them answered.
    pub async fn advance(&mut self, state: State) -> Result {
        if self.state == State::Connected && state > self.state {
            if self.place.carrier == WebSocket {
                self.write(UPGRADE).await?;
                self.upgraded().await?;
            }
            self.state = State::New;
        }
        if self.state == State::New && state > self.state {
            self.package(1, br#"{"sys":{}}"#).await?;
            self.reads_handshake().await?;
        }
        if self.state == State::WaitsForAck && state > self.state {
            self.package(2, b"").await?;
            self.reads_welcome().await?;
        }
        Ok(())
    }

    /// The answer to a handshake comes next.
    pub async fn reads_handshake(&mut self) -> Result {
        let (kind, body) = self.next().await?;
        if kind != 1 || !body.starts_with(br#"{"code":200,"#) {
            return Err(format!("no handshake but {kind} {}", body.escape_ascii()).into());
        }
        self.state = State::WaitsForAck;
        Ok(())
    }

    /// What a server says to an acknowledgement comes next: a connector's first heartbeat.
    pub async fn reads_welcome(&mut self) -> Result {
        if self.place.server == Connector {
            self.reads(3, b"").await?;
        }
        self.state = State::Working;
        Ok(())
    }

    pub async fn upgraded(&mut self) -> Result<String> {
        let head = self.head().await?;
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(format!("no upgrade but {head}").into());
        }
        self.state = State::New;
        Ok(head)
    }

    /// The head of an HTTP answer.
    pub async fn head(&mut self) -> Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend_from_slice(&self.exactly(1).await?);
        }
        Ok(String::from_utf8(head)?)
    }

    /// Sends bytes as they are.
    pub async fn write(&mut self, bytes: &[u8]) -> Result {
        Ok(timeout(PATIENCE, self.stream.write_all(bytes)).await??)
    }

    /// Sends a package as this carrier has it.
    pub async fn package(&mut self, kind: u8, body: &[u8]) -> Result {
        let package = package(kind, body);
        self.carry(&package).await
    }

    /// Sends bytes: on WebSocket, as one binary message.
    pub async fn carry(&mut self, bytes: &[u8]) -> Result {
        match self.place.carrier {
            Tcp => self.write(bytes).await,
            WebSocket => self.write(&frame(0x82, bytes)).await,
        }
    }

    /// Sends a message: flag, id, route and body, in a package.
    pub async fn message(&mut self, bytes: &[u8]) -> Result {
        self.package(4, bytes).await
    }

    /// The next package is this one.
    pub async fn reads(&mut self, kind: u8, body: &[u8]) -> Result {
        let (found, found_body) = self.next().await?;
        if (found, &found_body[..]) == (kind, body) {
            return Ok(());
        }
        Err(format!(
            "package {kind} {} was due, and came {found} {}",
            body.escape_ascii(),
            found_body.escape_ascii()
        )
        .into())
    }

    /// The next package is the answer to the request `id`, which must be below 128.
    pub async fn reads_answer(&mut self, id: u8, body: &str) -> Result {
        let message = [&[4, id][..], body.as_bytes()].concat();
        self.reads(4, &message).await
    }

    /// The next package, which on WebSocket is all of a binary message.
    pub async fn next(&mut self) -> Result<(u8, Vec<u8>)> {
        if self.place.carrier == Tcp {
            let head = self.exactly(4).await?;
            let body = self.exactly(length(&head[1..])).await?;
            return Ok((head[0], body));
        }
        let (head, payload) = self.next_frame().await?;
        if head != 0x82 || payload.len() < 4 || length(&payload[1..4]) + 4 != payload.len() {
            return Err(format!("no package but {head:#04x} {}", payload.escape_ascii()).into());
        }
        Ok((payload[0], payload[4..].to_vec()))
    }

    /// The next frame: its first byte, and its payload.
    pub async fn next_frame(&mut self) -> Result<(u8, Vec<u8>)> {
        let head = self.exactly(2).await?;
        let len = match head[1] {
            126 => length(&self.exactly(2).await?),
            127 => length(&self.exactly(8).await?),
            len => usize::from(len),
        };
        if len >= 0x80 && head[1] & 0x80 != 0 {
            return Err("a server's frame is masked".into());
        }
        Ok((head[0], self.exactly(len).await?))
    }

    async fn exactly(&mut self, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let read = timeout(PATIENCE, self.stream.read_exact(&mut bytes)).await;
        read.map_err(|_| "nothing comes")??;
        Ok(bytes)
    }

    /// All that was sent was ignored, and the session goes on: the next thing that comes is the
    /// answer to a good request.
    pub async fn stays(&mut self) -> Result {
        self.advance(State::Working).await?;
        self.message(b"\x00\x7F\x0Dno.such.route{}").await?;
        self.reads_answer(0x7F, REFUSED).await
    }

    /// The server closes the connection, and says nothing more: on WebSocket but a close frame
    /// with the code 1000.
    pub async fn is_closed(&mut self) -> Result {
        match self.place.carrier {
            Tcp => self.reads_end().await,
            WebSocket => self.is_closed_with(1000).await,
        }
    }

    /// The server closes the WebSocket with this code, and the connection when that is answered.
    pub async fn is_closed_with(&mut self, code: u16) -> Result {
        let (head, payload) = self.next_frame().await?;
        if head != 0x88 || payload.get(..2) != Some(&code.to_be_bytes()[..]) {
            let payload = payload.escape_ascii();
            return Err(format!("no close {code} but {head:#04x} {payload}").into());
        }
        // After a frame that it could not read the server reads no other.
        let _ = self.write(&frame(0x88, &code.to_be_bytes())).await;
        self.reads_end().await
    }

    /// A kick with this reason comes, and then the end.
    pub async fn is_kicked(&mut self, reason: &str) -> Result {
        self.reads(5, format!(r#"{{"reason":"{reason}"}}"#).as_bytes())
            .await?;
        self.is_closed().await
    }

    /// The end of the stream comes, not a reset.
    pub async fn reads_end(&mut self) -> Result {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut bytes)).await;
        read.map_err(|_| "it is not closed")??;
        if !bytes.is_empty() {
            return Err(format!("no end but {}", bytes.escape_ascii()).into());
        }
        Ok(())
    }
}
