//! `Connection` over both transports, between two of its own, and over raw TCP against bytes
//! written by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod counting;
mod poll;

use std::io;

use bytes::Bytes;
use cluster::connection::{Connection, ConnectionError, Incoming, Transport};
use cluster::net::{Listener, Network, Tcp};
use cluster::wire::body;
use cluster::wire::package::{self, Package, PackageType};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, duplex};

use self::counting::Counting;
use self::poll::poll_few;

const BODY_LEN_MAX: usize = 100_000;
const BOTH: [Transport; 2] = [Transport::Tcp, Transport::WebSocket];

// Frames are cut at every byte when the pipe holds only one.
#[tokio::test]
async fn packages_go_both_ways_through_pipes_of_any_size() {
    for transport in BOTH {
        for room in [1, 2, 7, 100_000] {
            let (near, far) = duplex(room);
            let (client, server) = ends(near, far, transport).await;
            packages_go_both_ways(client, server, &[0, 1, 125, 126, 3000]).await;
        }
    }
}

#[tokio::test]
async fn packages_go_both_ways_over_real_sockets() -> io::Result<()> {
    for transport in BOTH {
        let network = Tcp::loopback();
        let mut listener = network.listen(0).await?;
        let port = Listener::port(&listener);
        let dialled = network.connect("127.0.0.1", port);
        let (near, far) = tokio::try_join!(dialled, Listener::accept(&mut listener))?;
        let (client, server) = ends(near, far, transport).await;
        packages_go_both_ways(client, server, &[0, 126, 70_000]).await;
    }
    Ok(())
}

async fn packages_go_both_ways<S>(
    mut client: Connection<S>,
    mut server: Connection<S>,
    body_lens: &[usize],
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let sent: Vec<Bytes> = body_lens
        .iter()
        .map(|&len| package::encode(PackageType::Data, &vec![b'x'; len]))
        .collect();
    for package in &sent {
        client.queue(package.clone());
        server.queue(package.clone());
    }
    let (at_client, at_server) = tokio::join!(
        exchange(&mut client, sent.len()),
        exchange(&mut server, sent.len()),
    );
    assert_eq!(at_client, sent);
    assert_eq!(at_server, sent);
    assert!(client.is_flushed() && server.is_flushed());

    // The last word of a closing side arrives, then the end; again and again.
    server.queue(package::heartbeat());
    let end = async {
        let heartbeat = client.next().await.unwrap();
        assert_eq!(encoded(heartbeat), package::heartbeat());
        assert_eq!(client.next().await.unwrap(), Incoming::Closed);
        assert_eq!(client.next().await.unwrap(), Incoming::Closed);
        client.close().await;
    };
    tokio::join!(server.close(), end);
}

#[tokio::test]
async fn a_closing_side_ends_its_own_once_and_reads_on_until_the_other_ends() {
    for transport in BOTH {
        let (near, far) = duplex(1000);
        let (near, far) = (Counting::new(near, true).0, Counting::new(far, true).0);
        let (mut client, mut server) = ends(near, far, transport).await;
        server.queue(body::encode_kick("enough"));
        let mut closing = Box::pin(server.close());
        for _ in 0..3 {
            // The client talks on: it has not read the kick.
            client.queue(package::heartbeat());
            client.flush().await.unwrap();
            assert_eq!(poll_few(3, &mut closing).await, None, "{transport}");
        }
        let kick = next_package(&mut client).await;
        assert_eq!(kick.kind, PackageType::Kick);
        tokio::join!(client.close(), closing);
    }
}

#[tokio::test]
async fn a_dropped_next_loses_nothing() {
    let mut rng = StdRng::seed_from_u64(7);
    for transport in BOTH {
        let (near, far) = duplex(11);
        let (mut client, mut server) = ends(near, far, transport).await;
        let count = 300;
        let sent: Vec<Bytes> = (0..count)
            .map(|number| package::encode(PackageType::Data, &[number as u8; 20][..number % 20]))
            .collect();
        let (mut at_client, mut at_server) = (Vec::new(), Vec::new());
        for package in &sent {
            client.queue(package.clone());
            server.queue(package.clone());
        }
        while at_client.len() + at_server.len() < 2 * count {
            // Each future is polled a few times and then dropped, wherever it is.
            let polls = rng.random_range(1..4);
            let (connection, packages) = if rng.random() {
                (&mut client, &mut at_client)
            } else {
                (&mut server, &mut at_server)
            };
            if let Some(incoming) = poll_few(polls, connection.next()).await
                && let incoming @ Incoming::Package(_) = incoming.unwrap()
            {
                packages.push(encoded(incoming));
            }
        }
        assert_eq!(at_client, sent, "{transport}");
        assert_eq!(at_server, sent, "{transport}");
    }
}

#[tokio::test]
async fn flushed_is_said_once_each_time_the_queue_became_empty() {
    for transport in BOTH {
        let (near, far) = duplex(1000);
        let (client, mut server) = ends(near, far, transport).await;
        assert_eq!(poll_few(3, server.next()).await.map(Result::unwrap), None);
        for _ in 0..2 {
            server.queue(package::heartbeat());
            server.queue(package::heartbeat());
            assert!(!server.is_flushed());
            assert_eq!(server.next().await.unwrap(), Incoming::Flushed);
            assert!(server.is_flushed());
            assert_eq!(poll_few(3, server.next()).await.map(Result::unwrap), None);
        }
        server.queue(package::heartbeat());
        server.flush().await.unwrap();
        assert_eq!(poll_few(3, server.next()).await.map(Result::unwrap), None);
        drop(client);
    }
}

#[tokio::test]
async fn reading_and_writing_take_turns_when_there_is_always_more_of_both() {
    for transport in BOTH {
        let (near, far) = duplex(100_000);
        let (mut client, mut server) = ends(near, far, transport).await;
        for _ in 0..1000 {
            client.queue(package::heartbeat());
        }
        client.flush().await.unwrap();
        let (mut packages, mut flushes) = (0, 0);
        for _ in 0..1000 {
            // The owner always has more to say.
            server.queue(package::heartbeat());
            match server.next().await.unwrap() {
                Incoming::Package(_) => packages += 1,
                Incoming::Flushed => flushes += 1,
                Incoming::Closed => panic!("the client is still there"),
            }
            // Without this the task uses up its share of I/O and no write succeeds any more.
            tokio::task::yield_now().await;
        }
        assert!(packages >= 400, "{transport}: {packages} packages");
        assert!(flushes >= 400, "{transport}: {flushes} flushes");
    }
}

#[tokio::test]
async fn many_small_packages_are_few_writes() {
    for transport in BOTH {
        for vectored in [true, false] {
            let (near, far) = duplex(1_000_000);
            let (far, writes) = Counting::new(far, vectored);
            let (near, _) = Counting::new(near, vectored);
            let (_client, mut server) = ends(near, far, transport).await;
            let before = writes.get();
            for _ in 0..640 {
                server.queue(package::heartbeat());
            }
            server.flush().await.unwrap();
            // 64 slices each; a WebSocket package is two.
            let most = if transport == Transport::Tcp { 10 } else { 20 };
            let count = writes.get() - before;
            assert!(count <= most, "{transport}, {vectored}: {count} writes");
        }
    }
}

#[tokio::test]
async fn the_memory_of_a_large_package_is_not_kept_for_the_next() {
    for transport in BOTH {
        let (near, far) = duplex(200_000);
        let (mut client, mut server) = ends(near, far, transport).await;
        client.queue(package::encode(PackageType::Data, &[b'x'; 90_000]));
        client.flush().await.unwrap();
        let large = next_package(&mut server).await.body.as_ptr_range();
        // Only then does the reader look whether it can have its memory back.
        assert!(poll_few(1, server.next()).await.is_none());
        client.queue(package::encode(PackageType::Data, &[b'y'; 5000]));
        client.flush().await.unwrap();
        let small = next_package(&mut server).await.body;
        // Memory is reused from its front, where the head of the large one was.
        assert!(!large.contains(&small[4000..].as_ptr()), "{transport}");
    }
}

#[tokio::test]
async fn what_the_peer_said_before_it_went_is_read_although_writing_fails() {
    let (mut peer, far) = duplex(1000);
    peer.write_all(b"\x01\0\0\0").await.unwrap();
    let mut server = Connection::accept(far, BODY_LEN_MAX).await.unwrap();
    next_package(&mut server).await;
    peer.write_all(b"\x03\0\0\0\x02\0\0\0").await.unwrap();
    drop(peer);
    server.queue(package::heartbeat());
    assert_eq!(next_package(&mut server).await.kind, PackageType::Heartbeat);
    assert_eq!(
        next_package(&mut server).await.kind,
        PackageType::HandshakeAck
    );
    assert_eq!(server.next().await.unwrap(), Incoming::Closed);
}

#[tokio::test]
async fn the_first_byte_decides() {
    for first in [b'\0', 6, b'D', b'g', 0x16, 0xFF] {
        let (mut peer, far) = duplex(1000);
        peer.write_all(&[first]).await.unwrap();
        let error = Connection::accept(far, BODY_LEN_MAX).await.unwrap_err();
        assert!(matches!(error, ConnectionError::FirstByte(byte) if byte == first));
        assert!(error.is_peers_fault());
    }
    let (_, far) = duplex(1000);
    let error = Connection::accept(far, BODY_LEN_MAX).await.unwrap_err();
    assert!(matches!(&error, ConnectionError::Io(_)) && !error.is_peers_fault());
}

/// Both ends of one connection. A raw TCP server waits for the first byte, so the client says
/// something, which is taken off again.
async fn ends<S>(near: S, far: S, transport: Transport) -> (Connection<S>, Connection<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let client = async {
        let client = Connection::connect(near, transport, "localhost", BODY_LEN_MAX).await;
        let mut client = client.unwrap();
        client.queue(package::handshake_ack());
        client.flush().await.unwrap();
        client
    };
    let server = async {
        let mut server = Connection::accept(far, BODY_LEN_MAX).await.unwrap();
        next_package(&mut server).await;
        server
    };
    tokio::join!(client, server)
}

/// Reads `count` packages and writes all that is queued.
async fn exchange<S>(connection: &mut Connection<S>, count: usize) -> Vec<Bytes>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut packages = Vec::new();
    while packages.len() < count || !connection.is_flushed() {
        match connection.next().await.unwrap() {
            Incoming::Flushed => {}
            incoming => packages.push(encoded(incoming)),
        }
    }
    packages
}

async fn next_package<S>(connection: &mut Connection<S>) -> Package
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match connection.next().await.unwrap() {
            Incoming::Package(package) => return package,
            Incoming::Flushed => {}
            Incoming::Closed => panic!("a package was expected, the connection has ended"),
        }
    }
}

fn encoded(incoming: Incoming) -> Bytes {
    match incoming {
        Incoming::Package(package) => package::encode(package.kind, &package.body),
        other => panic!("a package was expected, not {other:?}"),
    }
}
