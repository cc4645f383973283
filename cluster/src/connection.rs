//! One client connection, seen from either end: packages in, packages out, over raw TCP or
//! WebSocket. Nobody else reads a client stream.

mod tcp;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

use self::tcp::RawTcp;
pub(crate) use self::tcp::{poll_read, poll_write};
use crate::websocket::WebSocket;
use crate::wire::package::{Package, PackageError};

/// A stream that carries packages.
///
/// All of it is driven by its owner's awaits: there is no task behind it, and no timer.
#[derive(Debug)]
pub struct Connection<S> {
    carrier: Carrier<S>,
    /// Something was queued after the last time everything was written.
    unflushed: bool,
    /// Everything was written and `next` has yet to say so.
    flushed_untold: bool,
    /// `next` said `Flushed` last, so that a package is what it says next if it has both.
    packages_turn: bool,
}

/// What the packages travel in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub enum Transport {
    /// One after the other in the byte stream.
    Tcp,
    /// One in each message.
    #[value(name = "ws")]
    WebSocket,
}

/// What [`Connection::next`] saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The peer sent a package.
    Package(Package),
    /// All that was queued has been handed to the network; there is room for more.
    Flushed,
    /// The peer has ended its side. Nothing follows.
    Closed,
}

/// Why a connection is of no more use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The network failed, or the peer reset the connection.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// The first byte belongs neither to a package nor to an HTTP method.
    #[error("a connection cannot start with the byte {0:#04x}")]
    FirstByte(u8),
    /// The HTTP exchange before the first WebSocket message went wrong.
    #[error("no WebSocket upgrade: {0}")]
    Upgrade(&'static str),
    /// The peer broke the WebSocket protocol.
    #[error("the WebSocket protocol was broken")]
    WebSocket(#[source] tokio_websockets::Error),
    /// The peer sent what is no package.
    #[error("a package was expected")]
    Package(#[from] PackageError),
}

#[derive(Debug)]
enum Carrier<S> {
    Tcp(RawTcp<S>),
    /// Boxed because it is several times as large, and has a buffer on the heap anyway.
    WebSocket(Box<WebSocket<S>>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Takes a connection that a client has opened. Its first byte decides what it is: a package
    /// type, or the first letter of an HTTP method, which the WebSocket upgrade follows.
    ///
    /// It waits for that without a deadline; the caller sets one.
    ///
    /// # Errors
    ///
    /// The connection broke or ended first, or the peer speaks neither.
    pub async fn accept(mut stream: S, body_len_max: usize) -> Result<Self, ConnectionError> {
        let first_bytes = tcp::read_first(&mut stream).await?;
        let carrier = match first_bytes[0] {
            b'G' | b'P' | b'H' => Carrier::WebSocket(Box::new(
                WebSocket::accept(stream, first_bytes, body_len_max).await?,
            )),
            1..=5 => Carrier::Tcp(RawTcp::new(stream, first_bytes, body_len_max)),
            byte => return Err(ConnectionError::FirstByte(byte)),
        };
        Ok(Self::over(carrier))
    }

    /// Makes a connection of a stream that leads to a server. `host` is what a WebSocket upgrade
    /// names; raw TCP sends nothing.
    ///
    /// It waits for the upgrade without a deadline; the caller sets one.
    ///
    /// # Errors
    ///
    /// The connection broke, or the server did not agree to WebSocket.
    pub async fn connect(
        stream: S,
        transport: Transport,
        host: &str,
        body_len_max: usize,
    ) -> Result<Self, ConnectionError> {
        let carrier = match transport {
            Transport::Tcp => Carrier::Tcp(RawTcp::new(stream, Default::default(), body_len_max)),
            Transport::WebSocket => Carrier::WebSocket(Box::new(
                WebSocket::connect(stream, host, body_len_max).await?,
            )),
        };
        Ok(Self::over(carrier))
    }

    /// Waits for the next package, and writes what is queued meanwhile. `Flushed` comes once each
    /// time that the queue has become empty. The two take turns, so neither a peer that sends
    /// without end nor an owner that always has more to queue holds up the other.
    ///
    /// Cancel safe: nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// The connection broke or the peer broke the protocol; it is of no more use.
    pub async fn next(&mut self) -> Result<Incoming, ConnectionError> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Adds a whole encoded package to what is written by [`next`](Self::next) and
    /// [`flush`](Self::flush). It never blocks and has no bound: the caller counts what it queues
    /// until [`is_flushed`](Self::is_flushed).
    ///
    /// On a connection that the peer has closed it does nothing.
    pub fn queue(&mut self, package: Bytes) {
        match &mut self.carrier {
            Carrier::Tcp(tcp) => tcp.queue(package),
            Carrier::WebSocket(websocket) => websocket.queue(package),
        }
        self.unflushed = true;
        self.flushed_untold = false;
    }

    /// Writes all that is queued, and reads nothing. After it [`next`](Self::next) does not say
    /// `Flushed`.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_flush(context)).await?;
        self.flushed_untold = false;
        Ok(())
    }

    /// Writes what is queued, says goodbye (a WebSocket close frame with code 1000, and the end of
    /// the stream) and waits until the peer has ended its side too. What the peer still sends is
    /// thrown away: a socket that is dropped with unread bytes is reset, and the reset overtakes
    /// a kick that the peer has not read yet.
    ///
    /// A peer may take for ever; the caller bounds the time.
    pub async fn close(mut self) {
        // There is nobody left to tell of an error.
        let _ = match &mut self.carrier {
            Carrier::Tcp(tcp) => tcp.close().await,
            Carrier::WebSocket(websocket) => poll_fn(|context| websocket.poll_close(context)).await,
        };
    }

    fn over(carrier: Carrier<S>) -> Self {
        Self {
            carrier,
            unflushed: false,
            flushed_untold: false,
            packages_turn: false,
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Incoming, ConnectionError>> {
        let mut broken = None;
        if self.unflushed {
            match self.poll_flush(context) {
                Poll::Ready(Ok(())) => self.flushed_untold = true,
                // The peer may be gone and have told why: what it sent is read to the end first.
                Poll::Ready(Err(error)) => broken = Some(error),
                Poll::Pending => {}
            }
        }
        if self.flushed_untold && !self.packages_turn {
            return self.tell_flushed();
        }
        let package = match &mut self.carrier {
            Carrier::Tcp(tcp) => tcp.poll_package(context),
            Carrier::WebSocket(websocket) => websocket.poll_package(context),
        };
        match package {
            Poll::Ready(package) => {
                self.packages_turn = false;
                Poll::Ready(package.map(|package| match package {
                    Some(package) => Incoming::Package(package),
                    None => Incoming::Closed,
                }))
            }
            Poll::Pending => match broken {
                Some(error) => Poll::Ready(Err(error.into())),
                None if self.flushed_untold => self.tell_flushed(),
                None => Poll::Pending,
            },
        }
    }

    fn tell_flushed(&mut self) -> Poll<Result<Incoming, ConnectionError>> {
        self.flushed_untold = false;
        self.packages_turn = true;
        Poll::Ready(Ok(Incoming::Flushed))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.carrier {
            Carrier::Tcp(tcp) => tcp.poll_flush(context),
            Carrier::WebSocket(websocket) => websocket.poll_flush(context),
        };
        if let Poll::Ready(Ok(())) = flushed {
            self.unflushed = false;
        }
        flushed
    }
}

impl<S> Connection<S> {
    /// Whether all that was queued has been handed to the network.
    pub fn is_flushed(&self) -> bool {
        !self.unflushed
    }

    /// What the packages travel in.
    pub fn transport(&self) -> Transport {
        match self.carrier {
            Carrier::Tcp(_) => Transport::Tcp,
            Carrier::WebSocket(_) => Transport::WebSocket,
        }
    }
}

impl ConnectionError {
    /// Whether the peer sent something that no correct one would. Otherwise the network failed.
    pub fn is_peers_fault(&self) -> bool {
        !matches!(self, Self::Io(_))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "tcp",
            Self::WebSocket => "ws",
        })
    }
}
