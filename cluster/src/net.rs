//! The network as the cluster sees it: listen, connect, and run a task.
//!
//! What differs between a real and a simulated cluster is this trait's two implementations,
//! [`Tcp`] here and turmoil's in `sim`, and nothing else.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

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
    sources: Option<Sources>,
}

/// Addresses that connections come from, in turn: between one of them and one port that is connected to
/// there can be no more connections than there are ports for it (about 28,000), those that have just
/// ended among them.
#[derive(Clone, Debug)]
struct Sources {
    group: u8,
    next: Arc<AtomicU8>,
}

/// Addresses of one group.
const SOURCES: u8 = 16;

impl Tcp {
    /// Listens on 127.0.0.1 only.
    pub fn loopback() -> Self {
        Self::bound_to(Ipv4Addr::LOCALHOST.into())
    }

    /// Listens on `bind`; 0.0.0.0 is every interface.
    pub fn bound_to(bind: IpAddr) -> Self {
        Self {
            bind,
            sources: None,
        }
    }

    /// Connects to the loopback interface from the addresses 127.0.`group`.1 to 127.0.`group`.16 in turn,
    /// and to elsewhere as before. Only Linux has all of these addresses without being told to; other
    /// systems go on to choose.
    pub fn from_group(self, group: u8) -> Self {
        let sources = Sources {
            group,
            next: Arc::default(),
        };
        Self {
            sources: cfg!(target_os = "linux").then_some(sources),
            ..self
        }
    }
}

impl Network for Tcp {
    type Stream = TcpStream;
    type Listener = TcpListener;

    async fn listen(&self, port: u16) -> io::Result<TcpListener> {
        TcpListener::bind((self.bind, port)).await
    }

    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let stream = match &self.sources {
            Some(sources) => sources.connect(host, port).await?,
            None => TcpStream::connect((host, port)).await?,
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Sources {
    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut failed = None;
        for address in lookup_host((host, port)).await? {
            let connected = if address.is_ipv4() && address.ip().is_loopback() {
                let socket = TcpSocket::new_v4()?;
                socket.bind(self.next())?;
                socket.connect(address).await
            } else {
                TcpStream::connect(address).await
            };
            match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
    }

    /// The next address; the system chooses a port.
    fn next(&self) -> SocketAddr {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % SOURCES;
        (Ipv4Addr::new(127, 0, self.group, number + 1), 0).into()
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_come_from_the_addresses_of_a_group_in_turn() -> io::Result<()> {
        let listener = Tcp::loopback().listen(0).await?;
        let port = Listener::port(&listener);
        let network = Tcp::loopback().from_group(7);
        for number in (1..=16).chain([1]) {
            // A clone goes on where the others are.
            let _stream = network.clone().connect("127.0.0.1", port).await?;
            let (_accepted, from) = TcpListener::accept(&listener).await?;
            assert_eq!(from.ip(), Ipv4Addr::new(127, 0, 7, number));
        }
        let _stream = Tcp::loopback().connect("127.0.0.1", port).await?;
        let (_accepted, from) = TcpListener::accept(&listener).await?;
        assert_eq!(from.ip(), Ipv4Addr::LOCALHOST);
        Ok(())
    }
}
