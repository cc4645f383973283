//! Packages, in each state of a session.

use cluster::options::Options;

use crate::bytes::{UPGRADE, frame, package};
use crate::peer::State::{self, Connected, New, WaitsForAck, Working};
use crate::peer::{Peer, REFUSED};
use crate::place::{
    AT_CONNECTOR, AT_GATE, Carrier, EVERYWHERE, ON_TCP, ON_WEBSOCKET, at, patient, with,
};
use crate::{Result, rows};

const HANDSHAKE: &[u8] = br#"{"sys":{}}"#;

rows! {
    // The first byte.
    first_byte_of_nothing => async {
        for byte in [0, 6, b'A', 255] {
            at(ON_TCP, Connected, async |peer| {
                peer.write(&[byte]).await?;
                peer.reads_end().await
            })
            .await?;
        }
        Ok(())
    };
    first_byte_of_tls => at(ON_TCP, Connected, async |peer| {
        peer.write(b"\x16\x03\x01\x02\0\x01\0\x01\xFC\x03\x03").await?;
        peer.reads_end().await
    });

    // The head.
    type_unknown_new => at(ON_TCP, New, async |peer| {
        peer.write(b"\x03\0\0\0\x06\0\0\0").await?;
        peer.reads_end().await
    });
    type_unknown_new_websocket => at(ON_WEBSOCKET, New, async |peer| {
        peer.carry(b"\x06\0\0\0").await?;
        peer.is_closed().await
    });
    type_unknown_waiting_for_ack => at(EVERYWHERE, WaitsForAck, async |peer| {
        peer.carry(b"\0\0\0\0").await?;
        peer.is_closed().await
    });
    type_unknown_working => at(EVERYWHERE, Working, async |peer| {
        peer.carry(b"\x06\0\0\x01").await?;
        peer.is_closed().await
    });
    head_incomplete => at(ON_TCP, Working, async |peer| {
        // No byte is judged before the head is there, and none is lost.
        peer.message(b"\x00\x01\x03a.b{}").await?;
        peer.write(b"\x04\0\0").await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.write(b"\x08\x00\x02\x03a.b{}").await?;
        peer.reads_answer(2, REFUSED).await
    });
    length_over_limit_new => at(ON_TCP, New, async |peer| {
        peer.write(b"\x01\xFF\xFF\xFF").await?;
        peer.reads_end().await
    });
    length_over_limit_new_websocket => at(ON_WEBSOCKET, New, async |peer| {
        peer.carry(b"\x01\xFF\xFF\xFF").await?;
        peer.is_closed().await
    });
    length_over_limit => at(EVERYWHERE, Working, async |peer| {
        peer.carry(b"\x04\x20\0\x01").await?;
        peer.is_closed().await
    });
    length_at_limit => with(small(), EVERYWHERE, Working, async |peer| {
        let body = [b"\x00\x01\x03a.b".as_slice(), &[b' '; 94]].concat();
        peer.message(&body).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.message(&[body, vec![b' ']].concat()).await?;
        match peer.place.carrier {
            Carrier::Tcp => peer.reads_end().await,
            // The frame itself is too long.
            Carrier::WebSocket => peer.is_closed_with(1009).await,
        }
    });
    length_before_its_body => at(ON_TCP, Working, async |peer| {
        peer.write(b"\x04\0\0\x08").await?;
        peer.write(b"\x00\x01\x03a.").await?;
        peer.write(b"b{}").await?;
        peer.reads_answer(1, REFUSED).await
    });
    length_shorter_than_the_body => at(ON_TCP, Working, async |peer| {
        // What follows is taken for packages: a kick here.
        peer.write(b"\x04\0\0\x08\x00\x01\x03a.b{}\x05\0\0\0").await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.reads_end().await
    });
    one_byte_at_a_time => at(EVERYWHERE, Connected, async |peer| {
        let mut bytes = Vec::new();
        if peer.place.carrier == Carrier::WebSocket {
            bytes.extend_from_slice(UPGRADE);
        }
        for (kind, body) in [(1, HANDSHAKE), (2, b""), (4, b"\x00\x01\x03a.b{}")] {
            match peer.place.carrier {
                Carrier::Tcp => bytes.extend(package(kind, body)),
                Carrier::WebSocket => bytes.extend(frame(0x82, &package(kind, body))),
            }
        }
        for byte in bytes {
            peer.write(&[byte]).await?;
        }
        if peer.place.carrier == Carrier::WebSocket {
            peer.upgraded().await?;
        }
        peer.reads_handshake().await?;
        peer.reads_welcome().await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });

    // Before the handshake.
    ack_before_the_handshake => ignored(New, 2, b"");
    heartbeat_before_the_handshake => ignored(New, 3, b"");
    data_before_the_handshake => ignored(New, 4, b"\x00\x01\x03a.b{}");
    bad_data_before_the_handshake => ignored(New, 4, b"");
    kick_before_the_handshake => closing(New, 5, br#"{"reason":"x"}"#);

    // The handshake.
    handshake_empty => failing(b"");
    handshake_no_json => failing(b"{\"sys\":");
    handshake_no_object => failing(b"[{\"sys\":{}}]");
    handshake_without_sys => failing(br#"{"user":{}}"#);
    handshake_sys_false => failing(br#"{"sys":0}"#);
    handshake_sys_true => greeting(br#"{"sys":"x"}"#);
    handshake_bad_utf8 => greeting(b"{\"sys\":{\"type\":\"\xFF\xED\xA0\x80\"},\"user\":{}}");
    handshake_nested_too_deep => at(EVERYWHERE, New, async |peer| {
        let deep = format!(r#"{{"sys":{{}},"user":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        peer.package(1, deep.as_bytes()).await?;
        peer.reads(1, br#"{"code":500}"#).await?;
        peer.is_closed().await
    });

    // Before the acknowledgement.
    handshake_again_before_the_ack => ignored(WaitsForAck, 1, HANDSHAKE);
    bad_handshake_before_the_ack => ignored(WaitsForAck, 1, b"");
    heartbeat_before_the_ack => ignored(WaitsForAck, 3, b"");
    data_before_the_ack => ignored(WaitsForAck, 4, b"\x00\x01\x03a.b{}");
    kick_before_the_ack => closing(WaitsForAck, 5, b"");
    ack_with_the_handshake => at(ON_TCP, Connected, async |peer| {
        let both = [package(1, HANDSHAKE), package(2, b"")].concat();
        peer.write(&both).await?;
        peer.reads_handshake().await?;
        peer.reads_welcome().await?;
        peer.stays().await
    });
    all_at_once => at(ON_TCP, Connected, async |peer| {
        let all = [package(1, HANDSHAKE), package(2, b""), package(4, b"\x00\x01\x03a.b{}")];
        peer.write(&all.concat()).await?;
        peer.reads_handshake().await?;
        peer.reads_welcome().await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });
    ack_with_a_body => at(EVERYWHERE, WaitsForAck, async |peer| {
        peer.package(2, b"body").await?;
        peer.reads_welcome().await?;
        peer.stays().await
    });

    // Afterwards.
    handshake_again => ignored(Working, 1, HANDSHAKE);
    ack_again => ignored(Working, 2, b"");
    kick_from_a_client => closing(Working, 5, br#"{"reason":"x"}"#);
    heartbeat_at_a_gate => at(AT_GATE, Working, async |peer| {
        peer.package(3, b"").await?;
        peer.stays().await
    });
    heartbeats_at_a_connector => at(AT_CONNECTOR, Working, async |peer| {
        for _ in 0..50 {
            peer.package(3, b"").await?;
        }
        for _ in 0..50 {
            peer.reads(3, b"").await?;
        }
        peer.stays().await
    });
    heartbeat_with_a_body => at(AT_CONNECTOR, Working, async |peer| {
        peer.package(3, b"body").await?;
        peer.reads(3, b"").await?;
        peer.stays().await
    });
}

async fn ignored(state: State, kind: u8, body: &[u8]) -> Result {
    at(EVERYWHERE, state, async |peer| {
        peer.package(kind, body).await?;
        peer.stays().await
    })
    .await
}

async fn closing(state: State, kind: u8, body: &[u8]) -> Result {
    at(EVERYWHERE, state, async |peer| {
        peer.package(kind, body).await?;
        peer.is_closed().await
    })
    .await
}

async fn failing(handshake: &[u8]) -> Result {
    at(EVERYWHERE, New, async |peer| {
        peer.package(1, handshake).await?;
        peer.reads(1, br#"{"code":500}"#).await?;
        peer.is_closed().await
    })
    .await
}

async fn greeting(handshake: &[u8]) -> Result {
    at(EVERYWHERE, New, async |peer: &mut Peer| {
        peer.package(1, handshake).await?;
        peer.reads_handshake().await?;
        peer.stays().await
    })
    .await
}

fn small() -> Options {
    Options {
        package_body_len_max: 100,
        ..patient()
    }
}
