//! WebSocket frames, and what is in them.

use std::time::Duration;

use cluster::options::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::bytes::{frame, package};
use crate::peer::State::{New, Working};
use crate::peer::{PATIENCE, REFUSED};
use crate::place::{AT_CONNECTOR, ON_WEBSOCKET, Place, at, patient, with};
use crate::virtual_gate::at_virtual_gate;
use crate::{Result, rows};

/// More bytes of pings than a server takes whose pongs nobody reads: 8 KiB are under way in each
/// direction of a connection in memory, and the library reads and writes in buffers of that size.
const UNREAD_MAX: usize = 64 * 1024;

/// A request with the id 1, as a package.
const ASK: &[u8] = b"\x04\0\0\x08\x00\x01\x03a.b{}";

rows! {
    // What a message holds.
    text_message => answered(&[frame(0x81, ASK)]);
    text_empty => at(ON_WEBSOCKET, Working, async |peer| {
        peer.write(&frame(0x81, b"")).await?;
        peer.stays().await
    });
    text_bad_utf8 => closing_with(1007, &frame(0x81, b"\x04\0\0\x09\x00\x01\x03a.b\"\xFF\""));
    text_ends_inside_a_character => closing_with(1007, &[
        frame(0x01, b"\x04\0\0\x09\x00\x01\x03a.b\"\xC3"),
        frame(0x80, b""),
    ].concat());
    text_cut_inside_a_character => answered(&[
        frame(0x01, b"\x04\0\0\x0A\x00\x01\x03a.b\"\xC3"),
        frame(0x80, b"\xA4\""),
    ]);
    binary_empty => closing_with(1000, &frame(0x82, b""));
    two_packages_in_a_message => closing_with(1000, &frame(0x82, &[ASK, ASK].concat()));
    bytes_after_the_package => closing_with(1000, &frame(0x82, &[ASK, b"\0"].concat()));
    two_packages_in_a_message_new => at(ON_WEBSOCKET, New, async |peer| {
        let both = [package(1, br#"{"sys":{}}"#), package(2, b"")].concat();
        peer.write(&frame(0x82, &both)).await?;
        peer.is_closed_with(1000).await
    });
    head_short => at(&CONNECTOR, Working, async |peer| {
        for len in 1..4 {
            peer.write(&frame(0x82, &b"\x03\0\0"[..len])).await?;
            peer.reads(3, b"").await?;
        }
        peer.stays().await
    });
    body_short => answered(&[frame(0x82, b"\x04\0\0\xFF\x00\x01\x03a.b{}")]);
    body_short_in_the_route => answered(&[frame(0x82, b"\x04\0\0\xFF\x00\x01\x05a.b")]);

    // Fragments.
    fragments => answered(&[
        frame(0x02, &ASK[..1]),
        frame(0x00, &ASK[1..9]),
        frame(0x80, &ASK[9..]),
    ]);
    fragments_empty => answered(&[
        frame(0x02, b""),
        frame(0x00, b""),
        frame(0x00, ASK),
        frame(0x80, b""),
    ]);
    ping_between_fragments => at(ON_WEBSOCKET, Working, async |peer| {
        peer.write(&frame(0x02, &ASK[..5])).await?;
        peer.write(&frame(0x89, b"are you there")).await?;
        if peer.next_frame().await? != (0x8A, b"are you there".to_vec()) {
            return Err("no pong".into());
        }
        peer.write(&frame(0x80, &ASK[5..])).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });
    continuation_of_nothing => closing_with(1002, &frame(0x80, ASK));
    message_inside_a_message => closing_with(1002, &[
        frame(0x02, &ASK[..5]),
        frame(0x82, ASK),
    ].concat());
    frame_cut_by_the_end => at(ON_WEBSOCKET, Working, async |peer| {
        peer.write(&frame(0x82, ASK)[..8]).await?;
        peer.stream.shutdown().await?;
        peer.reads_end().await
    });

    // Control frames.
    ping => at(ON_WEBSOCKET, Working, async |peer| {
        for payload in [b"".as_slice(), &[b'p'; 125]] {
            peer.write(&frame(0x89, payload)).await?;
            if peer.next_frame().await? != (0x8A, payload.to_vec()) {
                return Err("no pong".into());
            }
        }
        peer.stays().await
    });
    pong_unasked => at(ON_WEBSOCKET, Working, async |peer| {
        peer.write(&frame(0x8A, b"late")).await?;
        peer.stays().await
    });
    pings_without_reading => at_virtual_gate(&GATE, async |peer| {
        let ping = frame(0x89, &[b'p'; 100]);
        let mut sent = 0;
        loop {
            let rest = &ping[sent % ping.len()..];
            // The clock goes on only when the server has nothing left that it could do.
            let Ok(written) = timeout(Duration::from_secs(1), peer.stream.write(rest)).await else {
                break;
            };
            sent += written?;
            if sent > UNREAD_MAX {
                return Err("the server reads on, and holds the pongs".into());
            }
        }
        // Once they are read all goes on.
        let (mut reader, mut writer) = tokio::io::split(&mut peer.stream);
        let mut pongs = vec![0; sent.div_ceil(ping.len()) * 102];
        let rest = &ping[sent % ping.len()..];
        let rest = if rest.len() == ping.len() { b"" } else { rest };
        let (read, wrote) = tokio::join!(reader.read_exact(&mut pongs), writer.write_all(rest));
        wrote?;
        read?;
        let pong = [&[0x8A, 100], [b'p'; 100].as_slice()].concat();
        if pongs.chunks(102).any(|found| found != pong) {
            return Err("no pong".into());
        }
        peer.stays().await
    });
    ping_too_long => closing_with(1002, &frame(0x89, &[0; 126]));
    ping_in_fragments => closing_with(1002, &frame(0x09, b""));
    close_without_a_code => at(ON_WEBSOCKET, Working, async |peer| {
        peer.write(&frame(0x88, b"")).await?;
        if peer.next_frame().await? != (0x88, Vec::new()) {
            return Err("another answer".into());
        }
        peer.reads_end().await
    });
    close_with_a_code => at(ON_WEBSOCKET, Working, async |peer| {
        peer.write(&frame(0x88, b"\x0B\xB8bye")).await?;
        if peer.next_frame().await? != (0x88, b"\x0B\xB8".to_vec()) {
            return Err("another answer".into());
        }
        peer.reads_end().await
    });
    close_new => at(ON_WEBSOCKET, New, async |peer| {
        peer.write(&frame(0x88, b"\x03\xE9")).await?;
        if peer.next_frame().await? != (0x88, b"\x03\xE9".to_vec()) {
            return Err("another answer".into());
        }
        peer.reads_end().await
    });
    close_of_one_byte => closing_with(1002, &frame(0x88, b"\x03"));
    close_with_the_code_1005 => closing_with(1002, &frame(0x88, b"\x03\xED"));
    close_with_the_code_0 => closing_with(1002, &frame(0x88, b"\0\0"));
    close_with_bad_utf8 => closing_with(1007, &frame(0x88, b"\x03\xE8\xFF"));
    message_after_the_close => at(ON_WEBSOCKET, Working, async |peer| {
        peer.write(&[frame(0x88, b"\x03\xE8"), frame(0x82, ASK)].concat()).await?;
        peer.is_closed_with(1000).await
    });

    // Frames that are none.
    frame_not_masked => closing_with(1002, &[b"\x82\x0C", ASK].concat());
    reserved_bit_1 => closing_with(1002, &frame(0xC2, ASK));
    reserved_bit_2 => closing_with(1002, &frame(0xA2, ASK));
    reserved_bit_3 => closing_with(1002, &frame(0x92, ASK));
    opcode_3 => closing_with(1002, &frame(0x83, ASK));
    opcode_11 => closing_with(1002, &frame(0x8B, b""));
    frame_over_the_limit => closing_with(1009, b"\x82\xFF\0\0\0\0\0\x20\0\x05");
    frame_of_2_to_the_63 => closing_with(1009, b"\x82\xFF\x80\0\0\0\0\0\0\0");
    frame_of_2_to_the_64_less_1 => closing_with(1009, b"\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    fragments_over_the_limit => with(small(), ON_WEBSOCKET, Working, async |peer| {
        peer.write(&frame(0x02, &[4; 100])).await?;
        peer.write(&frame(0x00, &[0; 5])).await?;
        peer.is_closed_with(1009).await
    });
    bad_frame_new => at(ON_WEBSOCKET, New, async |peer| {
        peer.write(&frame(0xC2, ASK)).await?;
        peer.is_closed_with(1002).await
    });
}

fn small() -> Options {
    Options {
        package_body_len_max: 100,
        ..patient()
    }
}

const CONNECTOR: [Place; 1] = [AT_CONNECTOR[1]];
const GATE: [Place; 1] = [ON_WEBSOCKET[0]];

async fn closing_with(code: u16, bytes: &[u8]) -> Result {
    at(ON_WEBSOCKET, Working, async |peer| {
        peer.write(bytes).await?;
        peer.is_closed_with(code).await
    })
    .await
}

/// The frames hold the request with the id 1.
async fn answered(frames: &[Vec<u8>]) -> Result {
    at(ON_WEBSOCKET, Working, async |peer| {
        for frame in frames {
            peer.write(frame).await?;
        }
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    })
    .await
}

// Answers of many requests that come at once, and what others say meanwhile.
#[tokio::test]
async fn there_is_never_more_than_one_package_in_a_websocket_message() -> Result {
    at(&CONNECTOR, Working, async |peer| {
        let mut bytes = Vec::new();
        let enter = b"\x00\x01\x1Cconnector.entryHandler.enter{\"username\":\"a\",\"rid\":\"r\"}";
        bytes.extend(frame(0x82, &package(4, enter)));
        for _ in 0..100 {
            let send = b"\x00\x02\x15chat.chatHandler.send{\"content\":\"hi\",\"target\":\"*\"}";
            bytes.extend(frame(0x82, &package(4, send)));
            bytes.extend(frame(0x82, ASK));
            bytes.extend(frame(0x82, b"\x03"));
        }
        timeout(PATIENCE, peer.write(&bytes)).await??;
        let (mut answers, mut pushes, mut heartbeats) = (0, 0, 0);
        while (answers, pushes, heartbeats) != (201, 100, 100) {
            // It reads one package from each message, and fails if there is more.
            let (kind, body) = peer.next().await?;
            match (kind, body.first()) {
                (3, None) => heartbeats += 1,
                (4, Some(4)) => answers += 1,
                (4, Some(6)) => pushes += 1,
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    })
    .await
}
