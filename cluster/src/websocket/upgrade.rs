//! The HTTP exchange that starts a WebSocket, read here first and then replayed to the library.
//!
//! The library puts no limit on a head, and panics on request targets and on accept keys that it
//! takes for impossible. So only heads pass that are short and hold neither.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_websockets::Error as WebSocketError;

use crate::connection::{ConnectionError, poll_read, poll_write};
use crate::limits::HTTP_HEAD_LEN_MAX;

/// What is sent instead of the target and method that the client asked for: any will do.
const REQUEST_LINE: &[u8] = b"GET / HTTP/1.1\r\n";

/// A stream whose first bytes were read before, and are read again.
#[derive(Debug)]
pub(super) struct Upgraded<S> {
    stream: S,
    replay: BytesMut,
    /// The response's head has yet to be read into `replay`, and checked.
    awaits_response: bool,
    has_ended: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Upgraded<S> {
    /// Reads a request's head, of which `first_bytes` are there, and makes it safe.
    pub(super) async fn accept(stream: S, first_bytes: BytesMut) -> Result<Self, ConnectionError> {
        let mut upgraded = Self {
            stream,
            replay: first_bytes,
            awaits_response: false,
            has_ended: false,
        };
        let checked = match poll_fn(|context| upgraded.poll_head(context)).await {
            Ok(()) => upgraded.normalise_request(),
            Err(error) => Err(error),
        };
        if let Err(error) = checked {
            // The connection ends either way, so it does not matter whether this arrives.
            let _ = upgraded.stream.write_all(BAD_REQUEST).await;
            return Err(self::error(WebSocketError::Io(error)));
        }
        Ok(upgraded)
    }

    /// Checks the head of the response before the library sees it.
    pub(super) fn connect(stream: S) -> Self {
        Self {
            stream,
            replay: BytesMut::new(),
            awaits_response: true,
            has_ended: false,
        }
    }

    /// Whether the peer has ended its side.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Reads until `replay` holds a whole head, and what came with it.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.replay.windows(4).any(is_head_end) {
            if self.replay.len() >= HTTP_HEAD_LEN_MAX {
                return Poll::Ready(refuse("the HTTP head is longer than 8 KiB"));
            }
            if ready!(poll_read(&mut self.stream, context, &mut self.replay))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn normalise_request(&mut self) -> io::Result<()> {
        let line_len = line_len(&self.replay);
        let line = &self.replay[..line_len];
        let is_http = [&b"GET "[..], b"POST ", b"PUT ", b"HEAD "]
            .iter()
            .any(|method| line.starts_with(method))
            && line.trim_ascii_end().ends_with(b" HTTP/1.1");
        if !is_http {
            return refuse("the request is not HTTP 1.1");
        }
        let rest = self.replay.split_off(line_len);
        self.replay = BytesMut::with_capacity(REQUEST_LINE.len() + rest.len());
        self.replay.extend_from_slice(REQUEST_LINE);
        self.replay.extend_from_slice(&rest);
        Ok(())
    }

    fn check_response(&self) -> io::Result<()> {
        for line in self.replay[..].split(|&byte| byte == b'\n') {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                continue;
            };
            let (name, value) = line.split_at(colon);
            let value = value[1..].trim_ascii();
            // Twenty bytes of SHA-1 in base 64.
            let is_digest = value.len() == 28 && value.ends_with(b"=");
            if name.eq_ignore_ascii_case(b"sec-websocket-accept") && !is_digest {
                return refuse("the server's accept key is no SHA-1 digest");
            }
        }
        Ok(())
    }
}

/// What a failed upgrade was. Its own refusals come as `io::Error` because the library lets
/// nothing else through.
pub(super) fn error(error: WebSocketError) -> ConnectionError {
    match error {
        WebSocketError::Io(error) => match refusal(&error) {
            Some(reason) => ConnectionError::Upgrade(reason),
            None => ConnectionError::Io(error),
        },
        error => ConnectionError::WebSocket(error),
    }
}

/// The URI that asks for a WebSocket at `host`, which may be a bare IPv6 address.
pub(super) fn uri(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("ws://[{host}]/")
    } else {
        format!("ws://{host}/")
    }
}

const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";

/// Why an upgrade was refused here.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(&'static str);

fn refuse<T>(reason: &'static str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, Refusal(reason)))
}

fn refusal(error: &io::Error) -> Option<&'static str> {
    let Refusal(reason) = error.get_ref()?.downcast_ref()?;
    Some(reason)
}

fn is_head_end(bytes: &[u8]) -> bool {
    bytes == b"\r\n\r\n"
}

/// Length of the first line, its end included.
fn line_len(head: &[u8]) -> usize {
    head.iter()
        .position(|&byte| byte == b'\n')
        .map_or(head.len(), |end| end + 1)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Upgraded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let upgraded = self.get_mut();
        if upgraded.awaits_response {
            ready!(upgraded.poll_head(context))?;
            upgraded.check_response()?;
            upgraded.awaits_response = false;
        }
        if !upgraded.replay.is_empty() {
            let count = upgraded.replay.len().min(buffer.remaining());
            buffer.put_slice(&upgraded.replay[..count]);
            upgraded.replay.advance(count);
            if upgraded.replay.is_empty() {
                upgraded.replay = BytesMut::new();
            }
            return Poll::Ready(Ok(()));
        }
        let filled = buffer.filled().len();
        ready!(Pin::new(&mut upgraded.stream).poll_read(context, buffer))?;
        upgraded.has_ended = buffer.filled().len() == filled;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Upgraded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        poll_write(&mut self.stream, context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
