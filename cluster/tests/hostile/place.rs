//! Where stories are told, and how.

use std::fmt;
use std::time::Duration;

use cluster::embedded::{self, Size};
use cluster::options::Options;
use cluster::process::{Role, Running};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::timeout;

use crate::Result;
use crate::peer::{PATIENCE, Peer, State};

/// Where a story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub server: Role,
    pub carrier: Carrier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Tcp,
    WebSocket,
}

use Carrier::{Tcp, WebSocket};
use Role::{Connector, Gate};

const fn place(server: Role, carrier: Carrier) -> Place {
    Place { server, carrier }
}

pub const EVERYWHERE: &[Place] = &[
    place(Gate, Tcp),
    place(Gate, WebSocket),
    place(Connector, Tcp),
    place(Connector, WebSocket),
];
pub const ON_TCP: &[Place] = &[place(Gate, Tcp), place(Connector, Tcp)];
pub const ON_WEBSOCKET: &[Place] = &[place(Gate, WebSocket), place(Connector, WebSocket)];
pub const AT_GATE: &[Place] = &[place(Gate, Tcp), place(Gate, WebSocket)];
pub const AT_CONNECTOR: &[Place] = &[place(Connector, Tcp), place(Connector, WebSocket)];

/// Tells `story` at each of `places`, each time to a new cluster.
pub async fn at(
    places: &[Place],
    state: State,
    story: impl AsyncFn(&mut Peer) -> Result,
) -> Result {
    with(patient(), places, state, story).await
}

/// Options with which nothing ends because time passes: what closes closes for another reason.
pub fn patient() -> Options {
    const HOUR: Duration = Duration::from_secs(3600);
    Options {
        heartbeat: HOUR,
        handshake_patience: HOUR,
        ..Options::default()
    }
}

/// As [`at`], with other options.
pub async fn with(
    options: Options,
    places: &[Place],
    state: State,
    story: impl AsyncFn(&mut Peer) -> Result,
) -> Result {
    for &place in places {
        let told = async {
            let cluster = start(options.clone()).await?;
            let mut peer = Peer::connect(&cluster, place).await?;
            peer.advance(state).await?;
            story(&mut peer).await?;
            peer.leaves_nothing(&cluster).await?;
            cluster.stop().await?;
            Ok::<_, Box<dyn std::error::Error>>(())
        };
        told.await.map_err(|error| format!("{place}: {error}"))?;
    }
    Ok(())
}

pub async fn start(options: Options) -> Result<Running> {
    let one_of_each = Size {
        gates: 1,
        connectors: 1,
        chats: 1,
    };
    let mut rng = StdRng::seed_from_u64(1);
    Ok(embedded::start(one_of_each, options, &mut rng).await?)
}

/// Waits until the servers have forgotten all clients.
pub async fn forgotten(cluster: &Running) -> Result {
    let is_there = || cluster.census().values().any(|c| c.sessions + c.tasks > 0);
    let forgotten = async {
        while is_there() {
            tokio::task::yield_now().await;
        }
    };
    let forgotten = timeout(PATIENCE, forgotten).await;
    Ok(forgotten.map_err(|_| "the servers do not forget the client")?)
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}, {:?}", self.server, self.carrier)
    }
}
