//! The network as the cluster sees it: listen, connect, and run a task.
//!
//! What differs between a real and a simulated cluster is this trait's two implementations,
//! [`Tcp`] here and turmoil's in `sim`, and nothing else.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A way to reach other processes.
pub trait Network: Clone + Send + Sync + 'static {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;
    /// A bound port.
    type Listener: Listener<Stream = Self::Stream>;

    /// Binds `port`; 0 lets the system choose one (see [`Listener::port`]).
    fn listen(&self, port: u16) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// Connects to `host`, a name or an address. It may wait for ever (a partitioned peer
    /// neither answers nor refuses), so the caller sets a deadline.
    fn connect(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Wraps each task that a server spawns. On a real network it is the task itself; the
    /// simulator puts a gate around it, so that a whole process can be made to stand still.
    fn task<F>(&self, task: F) -> impl Future<Output = F::Output> + Send + 'static
    where
        F: Future + Send + 'static,
    {
        task
    }
}

/// A bound port that hands out connections.
pub trait Listener: Send + 'static {
    /// One connection.
    type Stream;

    /// Waits for the next connection.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// The bound port.
    fn port(&self) -> u16;
}

/// Real TCP. Every stream has `TCP_NODELAY` set: a chat message is one small write that must
/// not wait for the acknowledgement of the one before it.
#[derive(Clone, Debug)]
pub struct Tcp {
    bind: IpAddr,
}

impl Tcp {
    /// Listens on 127.0.0.1 only.
    pub fn loopback() -> Self {
        Self {
            bind: Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// Listens on `bind`; 0.0.0.0 is every interface.
    pub fn bound_to(bind: IpAddr) -> Self {
        Self { bind }
    }
}

impl Network for Tcp {
    type Stream = TcpStream;
    type Listener = TcpListener;

    async fn listen(&self, port: u16) -> io::Result<TcpListener> {
        TcpListener::bind((self.bind, port)).await
    }

    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<TcpStream> {
        let (stream, _) = TcpListener::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn port(&self) -> u16 {
        // A bound listener has a local address; the call fails only on a closed descriptor.
        self.local_addr().map_or(0, |address| address.port())
    }
}
