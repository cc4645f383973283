//! The clients of a [`World`] at the end of their connections: WebSockets over pipes in memory, whose
//! writes are counted.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use cluster::connection::{Connection, Incoming, Transport};
use cluster::wire::package::BODY_LEN_LIMIT;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::runtime::{Builder, Runtime};

use crate::World;

/// Room in each pipe, in bytes: what a user is sent in one go fits.
const PIPE_LEN: usize = 64 * 1024;

/// A connection for each user, by the user's number.
pub struct Wires {
    runtime: Runtime,
    wires: Vec<Wire>,
    writes: Arc<AtomicUsize>,
}

struct Wire {
    server: Connection<Counting>,
    client: Connection<DuplexStream>,
    /// Packages under way.
    waiting: usize,
}

impl Wires {
    /// Connects so many users.
    ///
    /// # Panics
    ///
    /// As all of this: if a connection does not do what it should.
    pub fn new(users: usize) -> Self {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let writes = Arc::<AtomicUsize>::default();
        let wire = || {
            let (near, far) = duplex(PIPE_LEN);
            let near = Counting(near, writes.clone());
            let connected = async {
                tokio::join!(
                    Connection::accept(near, BODY_LEN_LIMIT),
                    Connection::connect(far, Transport::WebSocket, "bench", BODY_LEN_LIMIT),
                )
            };
            let (server, client) = runtime.block_on(connected);
            Wire {
                server: server.expect("it is an upgrade"),
                client: client.expect("it is agreed to"),
                waiting: 0,
            }
        };
        let wires = (0..users).map(|_| wire()).collect();
        writes.store(0, Ordering::Relaxed);
        Self {
            runtime,
            wires,
            writes,
        }
    }

    /// Writes what waits for all users of `world`, and reads it; returns how many packages came.
    pub fn carry(&mut self, world: &mut World) -> usize {
        let wires = &mut self.wires;
        world.take_all(|user, package| {
            wires[user].server.queue(package);
            wires[user].waiting += 1;
        });
        self.runtime.block_on(async {
            let mut count = 0;
            for wire in wires {
                wire.server.flush().await.expect("the pipe has room");
                count += wire.waiting;
                while wire.waiting > 0 {
                    let incoming = wire.client.next().await.expect("the pipe stands");
                    wire.waiting -= usize::from(matches!(incoming, Incoming::Package(_)));
                }
            }
            count
        })
    }

    /// How often any of the pipes was written to by the server, since the upgrades.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }
}

/// A pipe that counts what would be system calls.
struct Counting(DuplexStream, Arc<AtomicUsize>);

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say;

    #[test]
    fn what_waits_for_a_client_goes_out_in_one_write_and_comes_as_one_package_each() {
        let mut world = World::with_members(3, 10);
        let mut wires = Wires::new(10);
        for _ in 0..8 {
            world.ask(4, &say("*"));
            world.carry();
        }
        assert_eq!(wires.carry(&mut world), 8 * (10 + 1));
        assert_eq!(wires.writes(), 10);
    }
}
