//! The servers of one process on real sockets: bind their ports, serve, stop.
//!
//! `cluster start` and [`embedded`](crate::embedded) differ only in where the topology comes from.

mod address;
mod error;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::census::Census;
use crate::chat::Chat;
use crate::connector::Connector;
use crate::gate::Gate;
use crate::net::{Listener, Network, Tcp};
use crate::options::Options;
use crate::topology::Topology;

pub use address::{Address, Role, addresses};
pub use error::{BindError, ServerError};

/// Servers whose ports are bound. Nobody is served yet, but clients may connect already.
pub struct Bound {
    network: Tcp,
    topology: Topology,
    ports: Vec<(Address, TcpListener)>,
}

/// Binds the ports of all servers of `topology`, or of the one called `only`. Where the topology
/// has port 0, the system chooses one, which then stands in the topology.
///
/// # Errors
/// If a port cannot be bound; those bound before are free again.
pub async fn bind(
    network: Tcp,
    topology: Topology,
    only: Option<&str>,
) -> Result<Bound, BindError> {
    let wanted = addresses(&topology)
        .into_iter()
        .filter(|address| only.is_none_or(|id| id == address.id));
    let mut bound = Bound {
        network,
        topology,
        ports: Vec::new(),
    };
    for address in wanted {
        bound.add(address).await?;
    }
    Ok(bound)
}

impl Bound {
    async fn add(&mut self, mut address: Address) -> Result<(), BindError> {
        match self.network.listen(address.port).await {
            Ok(listener) => {
                address.port = listener.port();
                address.write_port(&mut self.topology);
                self.ports.push((address, listener));
                Ok(())
            }
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => {
                let other = self
                    .ports
                    .iter()
                    .find(|(other, _)| other.port == address.port);
                Err(match other {
                    Some((other, _)) => BindError::Shared {
                        address,
                        other: other.id.clone(),
                    },
                    None => BindError::Busy { address },
                })
            }
            Err(cause) => Err(BindError::Refused { address, cause }),
        }
    }

    /// Starts to serve. Each server that needs one draws its incarnation from `rng`.
    ///
    /// Must be called inside a tokio runtime.
    pub fn serve(self, options: &Options, rng: &mut StdRng) -> Running {
        let mut running = Running {
            topology: Arc::new(self.topology),
            servers: Vec::new(),
            tasks: JoinSet::new(),
            stop: watch::Sender::new(false),
        };
        for (address, listener) in self.ports {
            running.add(&self.network, address, listener, options, rng);
        }
        running
    }
}

/// Servers that run. Dropping it ends them at once, as a crash would.
pub struct Running {
    topology: Arc<Topology>,
    servers: Vec<(Address, Server, AbortHandle)>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// All servers of the cluster, whether in this process or not, with their real ports.
    pub fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// Where the servers of this process are reached.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.servers.iter().map(|(address, ..)| address)
    }

    /// Host and port of the first gate; `None` in a process without one.
    pub fn gate(&self) -> Option<(&str, u16)> {
        self.addresses()
            .find(|address| address.role == Role::Gate)
            .map(|gate| (gate.host.as_str(), gate.port))
    }

    /// What the tables of each server hold now, by server id.
    pub fn census(&self) -> BTreeMap<String, Census> {
        self.servers
            .iter()
            .map(|(address, server, _)| (address.id.clone(), server.census()))
            .collect()
    }

    /// Waits until a server ends although nobody stopped it, which is a defect. Cancel safe.
    pub async fn ended(&mut self) -> ServerError {
        match self.tasks.join_next_with_id().await {
            None => std::future::pending().await,
            Some(Ok((task, ()))) => ServerError::Returned {
                id: self.id_of(task),
            },
            Some(Err(cause)) => ServerError::Panicked {
                id: self.id_of(cause.id()),
                cause,
            },
        }
    }

    /// Stops all servers: their clients are told, their connections closed.
    ///
    /// # Errors
    /// If one panicked, or did not stop in time; then it was dropped.
    pub async fn stop(mut self) -> Result<(), ServerError> {
        self.stop.send_replace(true);
        let stopped = tokio::time::timeout(error::STOP_PATIENCE, async {
            let mut result = Ok(());
            while let Some(ended) = self.tasks.join_next_with_id().await {
                if let Err(cause) = ended {
                    result = Err(ServerError::Panicked {
                        id: self.id_of(cause.id()),
                        cause,
                    });
                }
            }
            result
        });
        stopped.await.unwrap_or(Err(ServerError::StillRunning))
    }

    fn add(
        &mut self,
        network: &Tcp,
        address: Address,
        listener: TcpListener,
        options: &Options,
        rng: &mut StdRng,
    ) {
        let (topology, id, options) = (self.topology.clone(), &address.id, options.clone());
        let server = match address.role {
            Role::Gate => Server::Gate(Gate::new(topology, id, options)),
            Role::Connector => {
                Server::Connector(Connector::new(topology, id, options, rng.random()))
            }
            Role::Chat => Server::Chat(Chat::new(topology, id, options, rng.random())),
        };
        let shutdown = wait_for_stop(self.stop.subscribe());
        let serving = network.task(server.clone().serve(network.clone(), listener, shutdown));
        let task = self.tasks.spawn(serving);
        self.servers.push((address, server, task));
    }

    fn id_of(&self, task: tokio::task::Id) -> String {
        self.servers
            .iter()
            .find(|(_, _, handle)| handle.id() == task)
            .map(|(address, ..)| address.id.clone())
            .expect("every task belongs to a server")
    }
}

async fn wait_for_stop(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it whoever could want the server.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

#[derive(Clone)]
enum Server {
    Gate(Arc<Gate>),
    Connector(Arc<Connector>),
    Chat(Arc<Chat>),
}

impl Server {
    async fn serve(
        self,
        network: Tcp,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        match self {
            Self::Gate(gate) => gate.serve(network, listener, shutdown).await,
            Self::Connector(connector) => connector.serve(network, listener, shutdown).await,
            Self::Chat(chat) => chat.serve(network, listener, shutdown).await,
        }
    }

    fn census(&self) -> Census {
        match self {
            Self::Gate(gate) => gate.census(),
            Self::Connector(connector) => connector.census(),
            Self::Chat(chat) => chat.census(),
        }
    }
}
