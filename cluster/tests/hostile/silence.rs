//! Clients that say nothing more, or go.

use std::time::Duration;

use cluster::options::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, interval, timeout};

use crate::bytes::{UPGRADE, frame, package};
use crate::peer::State::{self, Connected, New, WaitsForAck, Working};
use crate::peer::{PATIENCE, Peer, REFUSED};
use crate::place::{
    AT_CONNECTOR, AT_GATE, Carrier, EVERYWHERE, ON_TCP, ON_WEBSOCKET, Place, at, forgotten, start,
    with,
};
use crate::virtual_gate::at_virtual_gate;
use crate::{Result, rows};

/// Longer than a client here needs for what it does before it is silent, on a busy machine too:
/// that time counts.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(2);

const HEARTBEAT: Duration = Duration::from_millis(150);

rows! {
    silence_from_the_start => impatient(ON_TCP, Connected, async |peer| {
        peer.reads_end().await
    });
    silence_in_the_http_head => impatient(ON_WEBSOCKET, Connected, async |peer| {
        peer.write(&UPGRADE[..30]).await?;
        peer.reads_end().await
    });
    silence_in_the_handshake => impatient(EVERYWHERE, New, async |peer| {
        // Half of a package, or half of a frame.
        match peer.place.carrier {
            Carrier::Tcp => peer.write(b"\x01\0\0\x0A{\"sy").await?,
            Carrier::WebSocket => peer.write(b"\x82\x8E\0\0\0\0\x01\0\0").await?,
        }
        peer.reads_end().await
    });
    silence_before_the_ack => impatient(EVERYWHERE, WaitsForAck, async |peer| {
        peer.reads_end().await
    });
    talk_without_an_ack => impatient(EVERYWHERE, WaitsForAck, async |peer| {
        // What is ignored gives no more time.
        let heartbeat = match peer.place.carrier {
            Carrier::Tcp => package(3, b""),
            Carrier::WebSocket => frame(0x82, &package(3, b"")),
        };
        let (mut reader, mut writer) = peer.stream.split();
        let talk = async {
            let mut turns = interval(Duration::from_millis(10));
            while writer.write_all(&heartbeat).await.is_ok() {
                turns.tick().await;
            }
            // The connection is broken, and reading tells.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = talk => unreachable!("it has no end"),
            // A reset, if what was said last was not read.
            read = reader.read_u8() => match read {
                Ok(byte) => Err(format!("no end but {byte}").into()),
                Err(_) => Ok(()),
            },
        }
    });
    silence_at_a_gate => at_virtual_gate(AT_GATE, async |peer| {
        let began_at = Instant::now();
        // Four times its patience of 20 s.
        for _ in 0..4 {
            let early = peer.next().await.expect_err("a gate says nothing unasked");
            assert_eq!(early.to_string(), "nothing comes");
        }
        peer.is_closed().await?;
        assert_eq!(began_at.elapsed().as_secs(), 90);
        Ok(())
    });
    silence_at_a_connector => faint(AT_CONNECTOR, async |peer| {
        peer.is_closed().await
    });
    talk_without_heartbeats => faint(AT_CONNECTOR, async |peer| {
        // Only heartbeats count, not data.
        let answer = [b"\x04\x01", REFUSED.as_bytes()].concat();
        loop {
            peer.message(b"\x00\x01\x03a.b").await?;
            match peer.next().await {
                Ok(package) if package == (4, answer.clone()) => {}
                Ok(other) => return Err(format!("{other:?}").into()),
                Err(error) => return is_end(&*error),
            }
        }
    });
    pings_without_heartbeats => faint(&AT_CONNECTOR[1..], async |peer| {
        loop {
            peer.write(&frame(0x89, b"")).await?;
            match peer.next_frame().await {
                Ok((0x8A, _)) => {}
                Ok((0x88, code)) if code == 1000_u16.to_be_bytes() => return Ok(()),
                Ok(other) => return Err(format!("{other:?}").into()),
                Err(error) => return is_end(&*error),
            }
        }
    });
    half_close_new => at(EVERYWHERE, New, async |peer| {
        peer.stream.shutdown().await?;
        peer.is_closed().await
    });
    half_close => at(EVERYWHERE, Working, async |peer| {
        peer.stream.shutdown().await?;
        peer.is_closed().await
    });
    half_close_behind_a_request => at(EVERYWHERE, Working, async |peer| {
        peer.message(b"\x00\x01\x03a.b").await?;
        peer.stream.shutdown().await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.is_closed().await
    });
    half_close_in_a_package => at(ON_TCP, Working, async |peer| {
        peer.write(b"\x04\0\0\x08\x00\x01").await?;
        peer.stream.shutdown().await?;
        peer.reads_end().await
    });
    reset => async {
        let cluster = start(Options::default()).await?;
        for &place in EVERYWHERE {
            let mut peer = Peer::connect(&cluster, place).await?;
            peer.advance(Working).await?;
            peer.message(b"\x00\x01\x03a.b").await?;
            peer.stream.set_zero_linger()?;
            drop(peer);
            forgotten(&cluster).await?;
        }
        Ok(cluster.stop().await?)
    };
    one_connection_too_many => async {
        let cluster = start(Options { sessions_max: 1, ..Options::default() }).await?;
        for &place in EVERYWHERE {
            let mut first = Peer::connect(&cluster, place).await?;
            first.advance(Working).await?;
            let mut second = Peer::connect(&cluster, place).await?;
            second.reads_end().await?;
            first.stays().await?;
            first.stream.shutdown().await?;
            first.is_closed().await?;
            forgotten(&cluster).await?;
        }
        Ok(cluster.stop().await?)
    };
}

/// A story that ends when the handshake patience is over.
async fn impatient(
    places: &[Place],
    state: State,
    story: impl AsyncFn(&mut Peer) -> Result,
) -> Result {
    let options = Options {
        handshake_patience: HANDSHAKE_PATIENCE,
        ..Options::default()
    };
    ending_after(HANDSHAKE_PATIENCE, options, places, state, story).await
}

/// A story that ends when two heartbeat intervals are over.
async fn faint(places: &[Place], story: impl AsyncFn(&mut Peer) -> Result) -> Result {
    let options = Options {
        heartbeat: HEARTBEAT,
        ..Options::default()
    };
    ending_after(2 * HEARTBEAT, options, places, Working, story).await
}

/// A story that the server ends, and not before `time` is over.
async fn ending_after(
    time: Duration,
    options: Options,
    places: &[Place],
    state: State,
    story: impl AsyncFn(&mut Peer) -> Result,
) -> Result {
    with(options, places, state, async |peer| {
        let told = timeout(PATIENCE, story(peer)).await;
        told.map_err(|_| "it is not ended")??;
        let took = peer.began_at.elapsed();
        if took < time {
            return Err(format!("it is ended after {took:?}").into());
        }
        Ok(())
    })
    .await
}

/// That nothing more comes because the server has closed, and for no other reason.
fn is_end(error: &(dyn std::error::Error + 'static)) -> Result {
    let is_close_frame = error.to_string().starts_with("no package but 0x88");
    if is_close_frame || error.is::<std::io::Error>() {
        Ok(())
    } else {
        Err(error.to_string().into())
    }
}
