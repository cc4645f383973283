//! `Connection` over WebSocket, against peers that write frames and HTTP by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod poll;

use std::io;
use std::time::Duration;

use cluster::connection::{Connection, ConnectionError, Incoming, Transport};
use cluster::wire::package::{self, PackageError, PackageType};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

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
async fn a_websocket_message_without_exactly_one_package_is_an_error() {
    let two = ws_frame(0x82, b"\x03\0\0\0\x03\0\0\0");
    let none = ws_frame(0x82, b"");
    // It is not filled up with zeros beyond the limit.
    let short = ws_frame(0x82, b"\x04\x01\x86\xA1");
    let too_long = PackageError::TooLong {
        len: BODY_LEN_MAX + 1,
        max: BODY_LEN_MAX,
    };
    for (bytes, expected) in [
        (two, PackageError::Trailing(4)),
        (none, PackageError::Empty),
        (short, too_long),
    ] {
        let (mut peer, mut server) = upgraded_peer().await;
        peer.write_all(&bytes).await.unwrap();
        let error = server.next().await.unwrap_err();
        assert!(matches!(error, ConnectionError::Package(error) if error == expected));
    }
}

#[tokio::test]
async fn broken_frames_are_the_peers_fault_and_answered_with_1002() {
    let unmasked = b"\x82\x01\x03".to_vec();
    let reserved_bit = ws_frame(0xC2, b"\x03");
    let unknown_opcode = ws_frame(0x83, b"\x03");
    for bytes in [unmasked, reserved_bit, unknown_opcode] {
        let (mut peer, mut server) = upgraded_peer().await;
        peer.write_all(&bytes).await.unwrap();
        let error = server.next().await.unwrap_err();
        assert!(matches!(error, ConnectionError::WebSocket(_)));
        server.close().await;
        let mut goodbye = Vec::new();
        peer.read_to_end(&mut goodbye).await.unwrap();
        assert_eq!(
            (goodbye[0], &goodbye[2..4]),
            (0x88, &1002_u16.to_be_bytes()[..])
        );
    }
}

#[tokio::test]
async fn a_peer_that_pings_without_reading_is_not_read_on() {
    let (mut peer, mut server) = upgraded_peer().await;
    let ping = ws_frame(0x89, &[b'p'; 100]);
    let mut sent = 0;
    while poll_few(1, peer.write_all(&ping)).await.is_some() {
        assert!(poll_few(1, server.next()).await.is_none());
        sent += 1;
        assert!(sent < 1000, "the pongs of {sent} pings are held in memory");
    }
    // Once it reads, all goes on.
    let drain = async {
        let mut pongs = vec![0; sent * 102];
        peer.read_exact(&mut pongs).await
    };
    let (pongs, next) = tokio::join!(drain, timeout(Duration::from_millis(50), server.next()));
    pongs.unwrap();
    assert!(next.is_err(), "there was nothing but pings");
}

#[tokio::test]
async fn the_end_inside_a_frame_is_the_end() {
    let (mut peer, mut server) = upgraded_peer().await;
    peer.write_all(&ws_frame(0x82, b"\x04\0\0\x05hello")[..9])
        .await
        .unwrap();
    drop(peer);
    assert_eq!(server.next().await.unwrap(), Incoming::Closed);
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_by_its_head() {
    let (mut peer, mut server) = upgraded_peer().await;
    peer.write_all(b"\x82\xFF\0\0\0\0\0\x01\x86\xA5")
        .await
        .unwrap();
    let error = server.next().await.unwrap_err();
    assert!(matches!(error, ConnectionError::WebSocket(_)) && error.is_peers_fault());
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
async fn a_close_frame_is_answered_with_its_code_and_is_the_end() {
    let (mut peer, mut server) = upgraded_peer().await;
    peer.write_all(&ws_frame(0x88, b"\x0B\xB8bye"))
        .await
        .unwrap();
    assert_eq!(server.next().await.unwrap(), Incoming::Closed);
    server.queue(package::heartbeat());
    server.close().await;
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes, b"\x88\x02\x0B\xB8");
}

#[tokio::test]
async fn an_upgrade_may_come_in_any_pieces_with_any_target() {
    for line in [
        "GET / HTTP/1.1",
        "PUT /a/b?c#d HTTP/1.1",
        "POST http:// HTTP/1.1",
        "HEAD : HTTP/1.1",
    ] {
        let (mut peer, far) = duplex(10_000);
        let request = format!("{line}\r\n{UPGRADE_HEADERS}\r\n");
        let server = tokio::join!(Connection::accept(far, BODY_LEN_MAX), async {
            for byte in request.as_bytes().chunks(3) {
                peer.write_all(byte).await.unwrap();
                tokio::task::yield_now().await;
            }
            // The first message rides along.
            peer.write_all(&ws_frame(0x82, b"\x03")).await.unwrap();
        })
        .0;
        let mut server = server.expect(line);
        let first = server.next().await.unwrap();
        assert!(
            matches!(first, Incoming::Package(package) if package.kind == PackageType::Heartbeat)
        );
        let mut answer = [0; 12];
        peer.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 101", "{line}");
    }
}

#[tokio::test]
async fn what_is_no_upgrade_is_answered_with_400() {
    let too_long = format!("GET / HTTP/1.1\r\nCookie: {}", "c".repeat(9000));
    let version_8 = UPGRADE_HEADERS.replace("13", "8");
    for request in [
        String::from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        String::from("GET /\r\n\r\n"),
        String::from("GE\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{version_8}\r\n"),
        format!("GET / HTTP/1.1\r\n: \0\r\n{UPGRADE_HEADERS}\r\n"),
        too_long,
    ] {
        let (mut peer, far) = duplex(20_000);
        peer.write_all(request.as_bytes()).await.unwrap();
        let error = Connection::accept(far, BODY_LEN_MAX).await.unwrap_err();
        assert!(error.is_peers_fault(), "{error:?}");
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[tokio::test]
async fn a_head_of_8_kib_is_accepted_and_one_more_byte_refused() {
    let empty = format!("GET / HTTP/1.1\r\n{UPGRADE_HEADERS}Cookie: \r\n\r\n").len();
    for (len, fits) in [(8192, true), (8193, false)] {
        let cookie = "c".repeat(len - empty);
        let request = format!("GET / HTTP/1.1\r\n{UPGRADE_HEADERS}Cookie: {cookie}\r\n\r\n");
        assert_eq!(request.len(), len);
        let (mut peer, far) = duplex(20_000);
        peer.write_all(request.as_bytes()).await.unwrap();
        let server = Connection::accept(far, BODY_LEN_MAX).await;
        assert_eq!(server.is_ok(), fits, "{len} bytes");
    }
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
