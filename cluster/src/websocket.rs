//! Packages in WebSocket messages, exactly one in each.
//!
//! Stricter than the original, as RFC 6455 asks: frames of clients must be masked, text must be
//! UTF-8, the version is 13. No sub-protocol and no compression is agreed to, which is legal.

mod upgrade;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::proto::ProtocolError;
use tokio_websockets::{
    ClientBuilder, CloseCode, Config, Error as WebSocketError, Limits, Message, ServerBuilder,
    WebSocketStream,
};

use self::upgrade::Upgraded;
use crate::connection::ConnectionError;
use crate::wire::package::{self, BODY_LEN_LIMIT, HEAD_LEN, Package};

/// From this size on a message's memory is not reused for the next ones, in bytes.
const LARGE: usize = 64 * 1024;

/// A WebSocket after its upgrade.
#[derive(Debug)]
pub(crate) struct WebSocket<S> {
    stream: WebSocketStream<Upgraded<S>>,
    body_len_max: usize,
    /// A ping was read and its pong may not be written yet.
    owes_pong: bool,
    /// The last message if it was large; see `poll_message`.
    large: Option<Bytes>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Answers a client's upgrade request, of which `first_bytes` have been read.
    pub(crate) async fn accept(
        stream: S,
        first_bytes: BytesMut,
        body_len_max: usize,
    ) -> Result<Self, ConnectionError> {
        let stream = Upgraded::accept(stream, first_bytes).await?;
        let (_request, stream) = ServerBuilder::new()
            .limits(limits(body_len_max))
            .config(config())
            .accept(stream)
            .await
            .map_err(upgrade::error)?;
        Ok(Self::new(stream, body_len_max))
    }

    /// Asks the server named `host` for the upgrade.
    pub(crate) async fn connect(
        stream: S,
        host: &str,
        body_len_max: usize,
    ) -> Result<Self, ConnectionError> {
        let builder = ClientBuilder::new()
            .uri(&upgrade::uri(host))
            .map_err(|_| ConnectionError::Upgrade("the host is not one that a URI can name"))?;
        let (stream, _response) = builder
            .limits(limits(body_len_max))
            .config(config())
            .connect_on(Upgraded::connect(stream))
            .await
            .map_err(upgrade::error)?;
        Ok(Self::new(stream, body_len_max))
    }

    pub(crate) fn queue(&mut self, package: Bytes) {
        // It cannot block: readiness is only about flushing early. It fails when the peer has
        // closed, which the next read tells.
        let _ = Pin::new(&mut self.stream).start_send(Message::binary(package));
    }

    /// The next package; `None` when the peer has closed.
    pub(crate) fn poll_package(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Package>, ConnectionError>> {
        loop {
            // Pongs queue up in memory. A peer that pings without reading them is not read on.
            if self.owes_pong {
                ready!(self.poll_flush(context))?;
                self.owes_pong = false;
            }
            let message = match ready!(self.poll_message(context)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    // The library says so only of a message that is in one frame.
                    if let WebSocketError::PayloadTooLong { max_len, .. } = error {
                        let reason = format!("max length: {max_len}");
                        self.say_goodbye(CloseCode::MESSAGE_TOO_BIG, &reason);
                    }
                    return Poll::Ready(self.end_or_error(error));
                }
                None => return Poll::Ready(Ok(None)),
            };
            self.owes_pong = message.is_ping();
            let is_package = message.is_binary() || message.is_text();
            let is_empty_text = message.is_text() && message.as_payload().is_empty();
            // The library takes text whose last fragment is empty and ends inside a character.
            if message.is_text() && str::from_utf8(message.as_payload()).is_err() {
                self.say_goodbye(CloseCode::INVALID_FRAME_PAYLOAD_DATA, "invalid utf-8");
                let error = WebSocketError::Protocol(ProtocolError::InvalidUtf8);
                return Poll::Ready(Err(ConnectionError::WebSocket(error)));
            }
            // After a close message the next read flushes its answer, then says the end.
            if is_package && !is_empty_text {
                let bytes = message.into_payload().into();
                let package = package::whole(bytes, self.body_len_max)?;
                return Poll::Ready(Ok(Some(package)));
            }
        }
    }

    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream)
            .poll_flush(context)
            .map_err(into_io)
    }

    /// Sends a close frame, waits for the peer's, and ends the stream.
    pub(crate) fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream)
            .poll_close(context)
            .map_err(into_io)
    }

    fn new(stream: WebSocketStream<Upgraded<S>>, body_len_max: usize) -> Self {
        Self {
            stream,
            body_len_max,
            owes_pong: false,
            large: None,
        }
    }

    /// Reads one message of any kind.
    fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, WebSocketError>>> {
        let message = Pin::new(&mut self.stream).poll_next(context);
        // The reader takes its buffer back when nobody else holds it, and then keeps it however
        // large. Held over one read, a large one is given up for a new small one.
        self.large = None;
        if let Poll::Ready(Some(Ok(message))) = &message
            && message.as_payload().len() >= LARGE
        {
            self.large = Some(message.clone().into_payload().into());
        }
        message
    }

    /// Queues a close frame, unless there is one already.
    fn say_goodbye(&mut self, code: CloseCode, reason: &str) {
        let close = Message::close(Some(code), reason);
        // It fails when there is one.
        let _ = Pin::new(&mut self.stream).start_send(close);
    }

    /// An end of the stream inside a frame is the end, as it is inside a package.
    fn end_or_error(&self, error: WebSocketError) -> Result<Option<Package>, ConnectionError> {
        match error {
            WebSocketError::Io(_) if self.stream.get_ref().has_ended() => Ok(None),
            WebSocketError::Io(error) => Err(ConnectionError::Io(error)),
            error => Err(ConnectionError::WebSocket(error)),
        }
    }
}

fn limits(body_len_max: usize) -> Limits {
    Limits::default().max_payload_len(Some(HEAD_LEN + body_len_max))
}

/// Every message goes out in one frame.
fn config() -> Config {
    Config::default().frame_size(HEAD_LEN + BODY_LEN_LIMIT)
}

/// Writing fails with nothing else.
fn into_io(error: WebSocketError) -> io::Error {
    match error {
        WebSocketError::Io(error) => error,
        error => io::Error::other(error),
    }
}
