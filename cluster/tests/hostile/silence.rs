//! Clients that say nothing more, or go.

use std::sync::Arc;
use std::time::Duration;

use cluster::gate::Gate;
use cluster::net::Network;
use cluster::options::Options;
use cluster::topology::Topology;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::bytes::{UPGRADE, frame, package};
use crate::memory::Memory;
use crate::peer::State::{Connected, New, WaitsForAck, Working};
use crate::peer::{Peer, REFUSED};
use crate::place::{
    AT_CONNECTOR, Carrier, EVERYWHERE, ON_TCP, ON_WEBSOCKET, at, forgotten, start, with,
};
use crate::{Result, rows};

/// That nothing more comes because the server has closed, and for no other reason.
fn is_end(error: &(dyn std::error::Error + 'static)) -> Result {
    let is_close_frame = error.to_string().starts_with("no package but 0x88");
    if is_close_frame || error.is::<std::io::Error>() {
        Ok(())
    } else {
        Err(error.to_string().into())
    }
}

/// A gate at port 1, without a cluster around it.
async fn gate_in_memory() -> Result<(impl Future<Output = ()>, Memory)> {
    let network = Memory::default();
    let listener = network.listen(1).await?;
    let gate = Gate::new(Arc::new(Topology::default()), "gate", Options::default());
    let serving = gate.serve(network.clone(), listener, std::future::pending());
    Ok((serving, network))
}

rows! {
    silence_from_the_start => with(impatient(), ON_TCP, Connected, async |peer| {
        peer.reads_end().await
    });
    silence_in_the_http_head => with(impatient(), ON_WEBSOCKET, Connected, async |peer| {
        peer.write(&UPGRADE[..30]).await?;
        peer.reads_end().await
    });
    silence_in_the_handshake => with(impatient(), EVERYWHERE, New, async |peer| {
        // Half of a package, or half of a frame.
        match peer.place.carrier {
            Carrier::Tcp => peer.write(b"\x01\0\0\x0A{\"sy").await?,
            Carrier::WebSocket => peer.write(b"\x82\x8E\0\0\0\0\x01\0\0").await?,
        }
        peer.reads_end().await
    });
    silence_before_the_ack => with(impatient(), EVERYWHERE, WaitsForAck, async |peer| {
        peer.reads_end().await
    });
    talk_without_an_ack => with(impatient(), EVERYWHERE, WaitsForAck, async |peer| {
        // What is ignored gives no more time.
        while peer.package(3, b"").await.is_ok() {}
        Ok(())
    });
    silence_at_a_gate => async {
        let (gate, network) = gate_in_memory().await?;
        tokio::time::pause();
        let mut stream = network.connect("", 1).await?;
        let greeting = [package(1, br#"{"sys":{}}"#), package(2, b"")].concat();
        let story = async {
            stream.write_all(&greeting).await?;
            let began_at = Instant::now();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            assert_eq!(began_at.elapsed().as_secs(), 90);
            Ok(())
        };
        tokio::select! {
            told = story => told,
            () = gate => Err("the gate ended".into()),
        }
    };
    silence_at_a_connector => with(fast_heart(), AT_CONNECTOR, Working, async |peer| {
        peer.is_closed().await
    });
    talk_without_heartbeats => with(fast_heart(), AT_CONNECTOR, Working, async |peer| {
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
    pings_without_heartbeats => with(fast_heart(), &AT_CONNECTOR[1..], Working, async |peer| {
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

fn impatient() -> Options {
    Options {
        handshake_patience: Duration::from_millis(500),
        ..Options::default()
    }
}

fn fast_heart() -> Options {
    Options {
        heartbeat: Duration::from_millis(150),
        ..Options::default()
    }
}
