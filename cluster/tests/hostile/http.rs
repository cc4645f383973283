//! The HTTP request that a WebSocket begins with.

use crate::bytes::{UPGRADE, frame, package};
use crate::peer::State::Connected;
use crate::place::{ON_WEBSOCKET, at};
use crate::{Result, rows};

rows! {
    http_without_an_upgrade => refused("GET / HTTP/1.1\r\nHost: a\r\n\r\n".into());
    http_1_0 => refused(upgrade().replace("HTTP/1.1", "HTTP/1.0"));
    http_line_cut_short => refused("GET /\r\n\r\n".into());
    http_garbage => refused("GE\0\u{7F}\r\nx\r\n\r\n".into());
    http_bad_header => refused(upgrade().replace("Host: a", ": \0"));
    http_head_too_long => refused(format!("GET / HTTP/1.1\r\nCookie: {}", "c".repeat(8192 - 24)));
    http_key_missing => refused(upgrade().replace("Sec-WebSocket-Key", "X-Key"));
    http_version_8 => refused(upgrade().replace("Version: 13", "Version: 8"));
    http_version_missing => refused(upgrade().replace("Sec-WebSocket-Version: 13\r\n", ""));
    http_head_of_8_kib => upgraded({
        let cookie = "c".repeat(8192 - UPGRADE.len() - "Cookie: \r\n".len());
        upgrade().replace("Host: a\r\n", &format!("Host: a\r\nCookie: {cookie}\r\n"))
    });
    http_post => upgraded(upgrade().replace("GET / ", "POST /any/path?x#y "));
    http_put => upgraded(upgrade().replace("GET / ", "PUT http:// "));
    http_head => upgraded(upgrade().replace("GET / ", "HEAD : "));
    http_delete => at(ON_WEBSOCKET, Connected, async |peer| {
        peer.write(upgrade().replace("GET", "DELETE").as_bytes()).await?;
        peer.reads_end().await
    });
    http_origin => upgraded(upgrade().replace("Host: a", "Host: a\r\nOrigin: http://evil.example"));
    http_sub_protocols => upgraded(upgrade().replace(
        "Host: a",
        "Host: a\r\nSec-WebSocket-Protocol: p, q",
    ));
    http_deflate => upgraded(upgrade().replace(
        "Host: a",
        "Host: a\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    ));
    http_cut_after_one_byte => at(ON_WEBSOCKET, Connected, async |peer| {
        peer.write(b"G").await?;
        tokio::task::yield_now().await;
        peer.write(&UPGRADE[1..]).await?;
        peer.upgraded().await?;
        peer.stays().await
    });
    http_with_the_first_message => at(ON_WEBSOCKET, Connected, async |peer| {
        let handshake = frame(0x82, &package(1, br#"{"sys":{}}"#));
        peer.write(&[UPGRADE, &handshake].concat()).await?;
        peer.upgraded().await?;
        peer.reads_handshake().await?;
        peer.stays().await
    });
    http_then_bytes_of_raw_tcp => at(ON_WEBSOCKET, Connected, async |peer| {
        // 0x01: the first fragment of a text; 0x00: not masked.
        peer.write(&[UPGRADE, &package(1, b"{}")].concat()).await?;
        peer.upgraded().await?;
        peer.is_closed_with(1002).await
    });
}

fn upgrade() -> String {
    String::from_utf8(UPGRADE.to_vec()).expect("it is ASCII")
}

async fn refused(request: String) -> Result {
    at(ON_WEBSOCKET, Connected, async |peer| {
        peer.write(request.as_bytes()).await?;
        let head = peer.head().await?;
        if !head.starts_with("HTTP/1.1 400 Bad Request\r\n") {
            return Err(head.into());
        }
        peer.reads_end().await
    })
    .await
}

/// The upgrade is granted, and nothing is agreed to besides.
async fn upgraded(request: String) -> Result {
    at(ON_WEBSOCKET, Connected, async |peer| {
        peer.write(request.as_bytes()).await?;
        let head = peer.upgraded().await?.to_ascii_lowercase();
        if head.contains("sec-websocket-protocol") || head.contains("extensions") {
            return Err(head.into());
        }
        // The digest of the key in RFC 6455, section 1.3.
        if !head.contains("s3pplmbitxaq9kygzzhzrbk+xoo=") {
            return Err(head.into());
        }
        peer.stays().await
    })
    .await
}
