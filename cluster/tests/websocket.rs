//! `Connection` over WebSocket, against peers that write frames and HTTP by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod poll;

use std::io;

use cluster::connection::{Connection, ConnectionError, Incoming, Transport};
use cluster::wire::package::{self, PackageType};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use self::poll::poll_few;

const BODY_LEN_MAX: usize = 100_000;

#[tokio::test]
async fn a_websocket_message_may_be_text_or_cut_anywhere_with_pings_between() {
    let (mut peer, mut server) = upgraded_peer().await;
    assert_eq!(server.transport(), Transport::WebSocket);
    let bytes = [
        ws_frame(0x81, b"\x04\0\0\x02{}"),
        // An empty text message means nothing, nor does a pong.
        ws_frame(0x81, b""),
        ws_frame(0x8A, b"late"),
        ws_frame(0x02, b"\x04\0"),
        ws_frame(0x89, b"ping"),
        ws_frame(0x00, b"\0\x02["),
        ws_frame(0x80, b"]"),
        // Short ones are filled up with zeros.
        ws_frame(0x82, b"\x04\0\0\x03{}"),
        ws_frame(0x82, b"\x03"),
    ]
    .concat();
    let mut packages = Vec::new();
    for byte in bytes {
        peer.write_all(&[byte]).await.unwrap();
        if let Some(incoming) = poll_few(1, server.next()).await {
            match incoming.unwrap() {
                Incoming::Package(package) => packages.push((package.kind, package.body)),
                other => panic!("a package was expected, not {other:?}"),
            }
        }
    }
    let expected = [
        (PackageType::Data, "{}".into()),
        (PackageType::Data, "[]".into()),
        (PackageType::Data, "{}\0".into()),
        (PackageType::Heartbeat, "".into()),
    ];
    assert_eq!(packages, expected);
    let mut pong = [0; 6];
    peer.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\x8A\x04ping");
}

#[tokio::test]
async fn closing_a_websocket_says_1000_and_waits_for_the_answer() {
    let (mut peer, mut server) = upgraded_peer().await;
    server.queue(package::heartbeat());
    let closed = server.close();
    let answer = async {
        let mut bytes = [0; 10];
        peer.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"\x82\x04\x03\0\0\0\x88\x02\x03\xE8");
        peer.write_all(&ws_frame(0x88, b"\x03\xE8")).await.unwrap();
        assert_eq!(peer.read(&mut bytes).await.unwrap(), 0);
    };
    tokio::join!(closed, answer);
}

#[tokio::test]
async fn a_server_that_answers_the_upgrade_with_nonsense_is_refused() {
    let unpadded = "A".repeat(28);
    for answer in [
        String::from("HTTP/1.1 200 OK\r\n\r\n"),
        format!("HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: {unpadded}\r\n\r\n"),
        format!(
            "HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: {}=\r\n\r\n",
            &unpadded[1..]
        ),
        "x".repeat(9000),
    ] {
        let (near, mut peer) = duplex(20_000);
        peer.write_all(answer.as_bytes()).await.unwrap();
        let client = Connection::connect(near, Transport::WebSocket, "host", BODY_LEN_MAX).await;
        assert!(client.unwrap_err().is_peers_fault());
    }
}

#[tokio::test]
async fn the_upgrade_names_the_host() {
    for (host, expected) in [
        ("game.example", "Host: game.example"),
        ("::1", "Host: [::1]"),
    ] {
        let (near, mut peer) = duplex(20_000);
        let connecting = Connection::connect(near, Transport::WebSocket, host, BODY_LEN_MAX);
        assert!(poll_few(1, connecting).await.is_none());
        let mut request = String::new();
        peer.read_to_string(&mut request).await.unwrap();
        assert!(request.contains(expected), "{request}");
    }
    let (near, _peer) = duplex(20_000);
    let client = Connection::connect(near, Transport::WebSocket, "a b", BODY_LEN_MAX).await;
    assert!(matches!(client, Err(ConnectionError::Upgrade(_))));
}

proptest! {
    #[test]
    fn any_bytes_after_an_upgrade_end_in_a_close_or_an_error(
        frames in vec((any::<u8>(), vec(any::<u8>(), 0..120), any::<bool>()), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let (mut peer, mut server) = upgraded_peer().await;
            for (opcode, payload, is_frame) in frames {
                // Random opcodes would nearly all be refused by their first bit.
                let opcode = [0x81, 0x82, 0x02, 0x00, 0x80, 0x89, 0x8A, opcode][usize::from(opcode % 8)];
                let bytes = if is_frame { ws_frame(opcode, &payload) } else { payload };
                peer.write_all(&bytes).await?;
            }
            peer.shutdown().await?;
            while let Ok(Incoming::Package(package)) = server.next().await {
                prop_assert!(package.body.len() <= BODY_LEN_MAX);
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_http_head_ends_in_an_upgrade_or_an_error(
        line in "(GET|PUT|HEAD|POST) ?[ -~é]{0,30}( HTTP/1.1)?",
        header in "[A-Za-z-]{0,10}:?[ -~\\x00é\r\n]{0,30}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let (mut peer, far) = duplex(20_000);
            let request = format!("{line}\r\n{header}\r\n{UPGRADE_HEADERS}\r\n");
            peer.write_all(request.as_bytes()).await?;
            peer.shutdown().await?;
            if let Ok(mut server) = Connection::accept(far, BODY_LEN_MAX).await {
                while let Ok(Incoming::Package(_)) = server.next().await {}
            }
            io::Result::Ok(())
        })?;
    }
}

/// All headers that an upgrade must have.
const UPGRADE_HEADERS: &str = "Host: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// A server's connection after a WebSocket upgrade, and the stream that leads to it.
async fn upgraded_peer() -> (DuplexStream, Connection<DuplexStream>) {
    let (mut peer, far) = duplex(2000);
    let request = format!("GET / HTTP/1.1\r\n{UPGRADE_HEADERS}\r\n");
    peer.write_all(request.as_bytes()).await.unwrap();
    let server = Connection::accept(far, BODY_LEN_MAX).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(peer.read_u8().await.unwrap());
    }
    (peer, server)
}

/// A client's frame. Its mask is zero, which changes nothing.
fn ws_frame(flags_and_opcode: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).expect("a short frame");
    assert!(len < 126, "longer frames have another head");
    [&[flags_and_opcode, 0x80 | len, 0, 0, 0, 0], payload].concat()
}
