//! A gate in memory, whose clock goes on only while nobody has anything to do: what takes long is
//! told at once, and who does nothing then will never do anything.

use std::sync::Arc;
use std::time::Duration;

use cluster::census::Census;
use cluster::gate::Gate;
use cluster::net::Network;
use cluster::options::Options;
use cluster::topology::Topology;
use tokio::io::DuplexStream;
use tokio::time::{Instant, interval, timeout};

use crate::Result;
use crate::memory::Memory;
use crate::peer::{Peer, State};
use crate::place::Place;

/// Longer than a gate waits for the client's end.
const FORGETTING: Duration = Duration::from_secs(2);

/// Tells `story` at each of `places`, gates all, to a client that works.
pub async fn at_virtual_gate(
    places: &[Place],
    story: impl AsyncFn(&mut Peer<DuplexStream>) -> Result,
) -> Result {
    tokio::time::pause();
    for &place in places {
        let network = Memory::default();
        let listener = network.listen(1).await?;
        let gate = Gate::new(Arc::new(Topology::default()), "gate", Options::default());
        let serving = gate
            .clone()
            .serve(network.clone(), listener, std::future::pending());
        let told = async {
            let began_at = Instant::now();
            let stream = network.connect("", 1).await?;
            let mut peer = Peer::new(place, stream, began_at);
            peer.advance(State::Working).await?;
            assert_eq!((gate.census().sessions, gate.census().tasks), (1, 1));
            story(&mut peer).await?;
            drop(peer);
            // The clock stands still while anybody is busy, so this looks once in a while.
            let mut look = interval(Duration::from_millis(10));
            let forgotten = async {
                while gate.census() != Census::default() {
                    look.tick().await;
                }
            };
            if timeout(FORGETTING, forgotten).await.is_err() {
                return Err(format!("it is not forgotten: {:?}", gate.census()).into());
            }
            Ok(())
        };
        let told: Result = tokio::select! {
            told = told => told,
            () = serving => Err("the gate ended".into()),
        };
        told.map_err(|error| format!("{place}: {error}"))?;
    }
    Ok(())
}
