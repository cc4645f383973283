//! The production cluster and its users on simulated hosts.
//!
//! Servers are started by the same `listen` and `serve` as in `cluster`'s own `main`. Each start
//! makes a new server, as a new process does; what survives a crash is what peers remember.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, UNIX_EPOCH};

use cluster::census::Census;
use cluster::chat::Chat;
use cluster::connector::Connector;
use cluster::gate::Gate;
use cluster::net::Network;
use cluster::options::Options;
use cluster::topology::Topology;
use loadgen::address::Address;
use loadgen::history::Recorder;
use loadgen::user::{self, Access};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::case::{Case, Latency};
use crate::incident::Role;
use crate::inject::Handles;
use crate::net::SimNet;
use crate::process::Process;
use crate::seeds::Seeds;
use crate::throttle::Throttle;
use crate::trace::Trace;
use crate::vandal::Vandal;
use crate::vandal::visit::Diary;
use crate::yields::Yields;

/// The length of turmoil's step. Coarser ones deliver messages before they were sent.
pub const TICK: Duration = Duration::from_millis(1);

/// What every simulated clock shows at the start: some moment, always the same.
const EPOCH_S: u64 = 1_700_000_000;

/// A simulated cluster and its users, ready to be stepped.
pub struct Deployment<'a> {
    /// turmoil's world.
    pub sim: turmoil::Sim<'a>,
    /// What faults are done with.
    pub handles: Handles,
    /// What is known of each server's process, by server id.
    pub servers: BTreeMap<String, Slot>,
    /// Where the users write down what they do and see: one recorder for each host of users,
    /// from its first step on.
    pub recorders: Recorders,
    /// Where the vandals write down what they do and get.
    pub visits: Diary,
}

/// The recorders of the hosts of users. Each host has its own clock, so it has its own recorder.
pub type Recorders = Rc<RefCell<Vec<Recorder>>>;

/// Holds the server that runs on a host, for who wants to look into its tables.
#[derive(Clone, Default)]
pub struct Slot {
    server: Arc<Mutex<Option<Weak<dyn Tables>>>>,
}

/// A server whose tables can be looked into.
trait Tables: Send + Sync {
    fn census(&self) -> Census;
}

impl Slot {
    /// What the running server holds; `None` while there is none.
    pub fn census(&self) -> Option<Census> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        Some(server.as_ref()?.upgrade()?.census())
    }

    fn fill<T: Tables + 'static>(&self, server: &Arc<T>) {
        let server: Arc<dyn Tables> = server.clone();
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::downgrade(&server));
    }
}

impl<'a> Deployment<'a> {
    /// Puts the servers and users of `case` on hosts.
    pub fn new(case: &Case, trace: &Trace) -> Self {
        let seeds = Seeds::new(case.seed);
        let mut deployment = Self {
            sim: turmoil::Builder::new()
                .epoch(UNIX_EPOCH + Duration::from_secs(EPOCH_S))
                .tick_duration(TICK)
                // The driver ends the run; this bound only must not come before.
                .simulation_duration(case.times.ended_at + TICK)
                .tcp_capacity(case.settings.tcp_capacity)
                .rng_seed(seeds.network())
                .build(),
            handles: Handles::default(),
            servers: BTreeMap::new(),
            recorders: Recorders::default(),
            visits: Diary::default(),
        };
        deployment.add_servers(case, seeds, trace);
        let servers = u32::try_from(deployment.servers.len()).expect("there are few servers");
        for (number, host) in (0..).zip(&case.client_hosts) {
            // All vandals on one host: they need no company.
            let vandals = if number == 0 { case.vandals } else { 0 };
            let yields = Yields::of(case.yield_percent, seeds.yields(servers + number));
            deployment.add_users(case, host, vandals, seeds, yields, trace);
        }
        for Latency { a, b, latency } in &case.latencies {
            deployment
                .sim
                .set_link_latency(a.as_str(), b.as_str(), *latency);
        }
        deployment
    }

    /// Puts software that is none of the cluster's on a host of its own; what its network does is in
    /// the trace.
    pub fn add_guest<F>(&mut self, host: &str, trace: &Trace, software: impl FnOnce(SimNet) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let connections = self.handles.connections.clone();
        let network = SimNet::new(host, Process::default(), connections, trace.clone());
        let life = software(network);
        self.sim.client(host, async move {
            life.await;
            Ok(())
        });
    }

    /// What the servers hold that run now, by id.
    pub fn census(&mut self) -> BTreeMap<String, Census> {
        let sim = &mut self.sim;
        self.servers
            .iter()
            .filter(|(id, _)| sim.is_host_running(id.as_str()))
            .filter_map(|(id, slot)| Some((id.clone(), slot.census()?)))
            .collect()
    }

    fn add_servers(&mut self, case: &Case, seeds: Seeds, trace: &Trace) {
        let Topology {
            gates,
            connectors,
            chats,
        } = &*case.topology;
        let gates = gates.iter().map(|it| (Role::Gate, &it.id, it.client_port));
        let connectors = connectors
            .iter()
            .map(|it| (Role::Connector, &it.id, it.client_port));
        let chats = chats.iter().map(|it| (Role::Chat, &it.id, it.port));
        let yields_of = |host| Yields::of(case.yield_percent, seeds.yields(host));
        for (number, (role, id, port)) in (0..).zip(gates.chain(connectors).chain(chats)) {
            let server = Server {
                role,
                id: id.clone(),
                port,
                topology: case.topology.clone(),
                options: case.settings.options(),
                slot: Slot::default(),
                process: Process::with_yields(yields_of(number)),
            };
            self.servers.insert(id.clone(), server.slot.clone());
            let process = server.process.clone();
            let processes = &mut self.handles.processes;
            processes.insert(id.clone(), process.clone());
            let connections = self.handles.connections.clone();
            let network = SimNet::new(id, process, connections, trace.clone());
            let starts = Cell::new(0);
            self.sim.host(id.as_str(), move || {
                let incarnation = seeds.incarnation(number, starts.get());
                starts.set(starts.get() + 1);
                let server = server.clone();
                let network = network.clone();
                let process = server.process.clone();
                async move {
                    let serving = server.serve(network.clone(), incarnation);
                    network.task(serving).await?;
                    if process.is_stopping() {
                        // What it leaves behind ends in the next steps. The host stays, empty,
                        // until it is started again.
                        return future::pending().await;
                    }
                    Err("a server stopped by itself".into())
                }
            });
        }
    }

    fn add_users(
        &mut self,
        case: &Case,
        host: &str,
        vandals: u32,
        seeds: Seeds,
        yields: Yields,
        trace: &Trace,
    ) {
        let process = Process::with_yields(yields);
        let connections = self.handles.connections.clone();
        let network = SimNet::new(host, process, connections, trace.clone());
        let recorders = self.recorders.clone();
        let gate = case.gate();
        let gate = Address {
            host: gate.client_host.clone(),
            port: gate.client_port,
        };
        let users: Vec<_> = case
            .scripts
            .iter()
            .filter(|script| case.host_of(script.user) == host)
            .map(|script| {
                let access = Access {
                    gate: gate.clone(),
                    transport: case.transport_of(script.user),
                    // Its own, so that without one user the others do the same.
                    memory: Arc::default(),
                    patience: case.settings.patience(),
                };
                let throttle = Throttle::default();
                let throttles = &mut self.handles.throttles;
                throttles.insert(script.user, throttle.clone());
                (
                    script.clone(),
                    access,
                    network.of_user(script.user, throttle),
                )
            })
            .collect();
        let home = host.to_owned();
        let targets = case.addresses();
        let attacks = case.attacks();
        let vocabulary = case.settings.bodies.vocabulary();
        let diary = self.visits.clone();
        let healed_at = case.times.healed_at;
        self.sim.client(host, async move {
            // Here the host's own clock begins.
            let started_at = Instant::now();
            let recorder = Recorder::new(started_at);
            recorders.borrow_mut().push(recorder.clone());
            let mut tasks = JoinSet::new();
            for (script, access, network) in users {
                let rng = seeds.user(script.user);
                let life = user::run(script, network, access, recorder.clone(), rng);
                tasks.spawn(life);
            }
            let mut vandalism = JoinSet::new();
            for number in 0..vandals {
                let vandal = Vandal {
                    number,
                    host: home.clone(),
                    targets: targets.clone(),
                    attacks: attacks.clone(),
                    vocabulary: vocabulary.clone(),
                    started_at,
                    until: started_at + healed_at,
                    diary: diary.clone(),
                };
                vandalism.spawn(vandal.run(network.clone(), seeds.vandal(number)));
            }
            vandalism.join_all().await;
            // What users vanished from stays open until the run ends.
            let _vanished = tasks.join_all().await;
            future::pending().await
        });
    }
}

/// What a host needs to start its server.
#[derive(Clone)]
struct Server {
    role: Role,
    id: String,
    port: u16,
    topology: Arc<Topology>,
    options: Options,
    slot: Slot,
    process: Process,
}

impl Server {
    async fn serve(self, network: SimNet, incarnation: u64) -> io::Result<()> {
        let Self {
            role,
            id,
            port,
            topology,
            options,
            slot,
            process,
        } = self;
        let listener = network.listen(port).await?;
        let shutdown = process.asked_to_stop();
        match role {
            Role::Gate => {
                let gate = Gate::new(topology, &id, options);
                slot.fill(&gate);
                gate.serve(network, listener, shutdown).await;
            }
            Role::Connector => {
                let connector = Connector::new(topology, &id, options, incarnation);
                slot.fill(&connector);
                connector.serve(network, listener, shutdown).await;
            }
            Role::Chat => {
                let chat = Chat::new(topology, &id, options, incarnation);
                slot.fill(&chat);
                chat.serve(network, listener, shutdown).await;
            }
        }
        Ok(())
    }
}

impl Tables for Gate {
    fn census(&self) -> Census {
        Gate::census(self)
    }
}

impl Tables for Connector {
    fn census(&self) -> Census {
        Connector::census(self)
    }
}

impl Tables for Chat {
    fn census(&self) -> Census {
        Chat::census(self)
    }
}
