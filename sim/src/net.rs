//! turmoil's network behind the cluster's [`Network`] trait: all that differs between a real and
//! a simulated cluster.
//!
//! Every connection, read, write and close goes into the run's [`Trace`], and every task runs
//! through its host's [`Process`], so that a whole host can stand still.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use cluster::net::{Listener, Network};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep};
use turmoil::net::{TcpListener, TcpStream};

use crate::connections::{Connections, End};
use crate::marks;
use crate::process::Process;
use crate::throttle::{Throttle, Turns};
use crate::trace::{Fnv, NetEvent, Trace};
use crate::yields::PutOff;

/// Time until TCP dials once more.
const DIAL_AGAIN: Duration = Duration::from_secs(1);
const REFUSED: io::ErrorKind = io::ErrorKind::ConnectionRefused;

/// The simulated network as one host sees it. It works only inside that host's software.
#[derive(Clone, Debug)]
pub struct SimNet {
    host: Arc<str>,
    process: Process,
    throttle: Throttle,
    /// Whose it is, on a host of users.
    user: Option<u32>,
    connections: Connections,
    trace: Trace,
}

impl SimNet {
    /// The network of `host`, whose tasks stop when `process` does. `connections` are those of the
    /// whole run.
    pub fn new(host: &str, process: Process, connections: Connections, trace: Trace) -> Self {
        Self {
            host: host.into(),
            process,
            throttle: Throttle::default(),
            user: None,
            connections,
            trace,
        }
    }

    /// The same network for one user on the host, that `throttle` holds back from reading.
    pub fn of_user(&self, user: u32, throttle: Throttle) -> Self {
        Self {
            throttle,
            user: Some(user),
            ..self.clone()
        }
    }

    fn note(&self, event: NetEvent<'_>) {
        self.trace.network(&self.host, event);
    }

    fn stream(&self, connection: u32, peer: String, port: u16, stream: TcpStream) -> SimStream {
        SimStream {
            peer: (peer.as_str().into(), port),
            end: self.connections.open(connection, &self.host, peer),
            network: self.clone(),
            turns: self.throttle.turns(),
            last_read: PutOff::default(),
            last_write: PutOff::default(),
            stream,
        }
    }
}

impl Network for SimNet {
    type Stream = SimStream;
    type Listener = SimListener;

    async fn listen(&self, port: u16) -> io::Result<SimListener> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
        let port = listener.local_addr()?.port();
        self.note(NetEvent::Listen { port });
        Ok(SimListener {
            network: self.clone(),
            listener,
            port,
        })
    }

    async fn connect(&self, host: &str, port: u16) -> io::Result<SimStream> {
        let connection = self.trace.next_connection();
        self.note(NetEvent::Connecting {
            connection,
            peer: host,
            port,
        });
        match dial(host, port).await {
            Ok(stream) => {
                self.note(NetEvent::Connected { connection });
                if let Some(user) = self.user {
                    let port = stream.local_addr()?.port();
                    self.trace.sit(&self.host, port, user);
                }
                Ok(self.stream(connection, host.to_owned(), port, stream))
            }
            Err(error) => {
                self.note(failed(connection, &error));
                Err(error)
            }
        }
    }

    fn task<F>(&self, task: F) -> impl Future<Output = F::Output> + Send + 'static
    where
        F: Future + Send + 'static,
    {
        marks::on(self.host.clone(), self.process.gate(task))
    }
}

/// A bound port in the simulation.
pub struct SimListener {
    network: SimNet,
    listener: TcpListener,
    port: u16,
}

impl Listener for SimListener {
    type Stream = SimStream;

    async fn accept(&mut self) -> io::Result<SimStream> {
        let (stream, peer) = self.listener.accept().await?;
        let connection = self.network.trace.next_connection();
        let name = turmoil::reverse_lookup(peer.ip()).unwrap_or_else(|| peer.ip().to_string());
        self.network.note(NetEvent::Accepted {
            connection,
            peer: &name,
            port: peer.port(),
        });
        Ok(self.network.stream(connection, name, peer.port(), stream))
    }

    fn port(&self) -> u16 {
        self.port
    }
}

/// One end of a connection in the simulation.
pub struct SimStream {
    network: SimNet,
    /// The other end: its host and port.
    peer: (Arc<str>, u16),
    end: End,
    turns: Turns,
    last_read: PutOff,
    last_write: PutOff,
    stream: TcpStream,
}

impl SimStream {
    /// Reads as it comes, and as fast as this reader takes it.
    fn poll_read_stream(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.end.check()?;
        let Self {
            network,
            end,
            turns,
            last_read,
            stream,
            ..
        } = self;
        ready!(network.process.yields().poll_stream(last_read, context));
        let stream = Pin::new(stream);
        let read = turns.poll_read(end.number(), stream, context, buffer);
        if read.is_pending() {
            end.wait_to_read(context);
        }
        read
    }

    fn poll_write_stream(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.end.check()?;
        let yields = self.network.process.yields();
        ready!(yields.poll_stream(&mut self.last_write, context));
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_pending() {
            self.end.wait_to_write(context);
        }
        written
    }
}

impl AsyncRead for SimStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(self.poll_read_stream(context, buffer));
        let connection = self.end.number();
        let bytes = &buffer.filled()[before..];
        self.network.note(match &read {
            Err(error) => failed(connection, error),
            Ok(()) if bytes.is_empty() => NetEvent::End { connection },
            Ok(()) => NetEvent::Read {
                connection,
                len: bytes.len(),
                hash: Fnv::of(bytes),
            },
        });
        Poll::Ready(read)
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.poll_write_stream(context, bytes));
        let connection = self.end.number();
        if let (Ok(len), None) = (&written, self.network.user) {
            let Self { network, peer, .. } = &*self;
            network.trace.pass(&network.host, peer, &bytes[..*len]);
        }
        self.network.note(match &written {
            Err(error) => failed(connection, error),
            Ok(len) => NetEvent::Write {
                connection,
                len: *len,
                hash: Fnv::of(&bytes[..*len]),
            },
        });
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = match self.end.check() {
            Ok(()) => ready!(Pin::new(&mut self.stream).poll_shutdown(context)),
            Err(error) => Err(error),
        };
        let connection = self.end.number();
        self.network.note(match &shut {
            Err(error) => failed(connection, error),
            Ok(()) => NetEvent::Shutdown { connection },
        });
        Poll::Ready(shut)
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        let connection = self.end.number();
        self.network.note(NetEvent::Closed { connection });
    }
}

/// Dials, and like TCP again after a while if nothing comes back, each time after twice as long.
async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut patience = DIAL_AGAIN;
    loop {
        let dialled_at = Instant::now();
        match TcpStream::connect((host, port)).await {
            // turmoil says at once that a link lost the question. A refusal is an answer, which
            // takes its time.
            Err(error) if error.kind() == REFUSED && dialled_at.elapsed().is_zero() => {
                sleep(patience).await;
                patience *= 2;
            }
            answered => return answered,
        }
    }
}

fn failed(connection: u32, error: &io::Error) -> NetEvent<'static> {
    // Messages hold addresses of the simulated network, which are stable; the kind is enough.
    let error = match error.kind() {
        io::ErrorKind::BrokenPipe => "broken pipe",
        io::ErrorKind::ConnectionRefused => "refused",
        io::ErrorKind::ConnectionReset => "reset",
        io::ErrorKind::NotConnected => "not connected",
        _ => "other",
    };
    NetEvent::Failed { connection, error }
}
