//! A simulated world of two hosts, in which a test says what each does.

use std::collections::BTreeMap;
use std::future::{self, Future};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cluster::net::{Listener, Network};
use sim::connections::Connections;
use sim::fault::Fault;
use sim::inject::{Handles, Injector};
use sim::net::{SimNet, SimStream};
use sim::process::Process;
use sim::throttle::Throttle;
use sim::trace::Trace;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub const SECOND: Duration = Duration::from_secs(1);
/// The number of the user on the client's host.
pub const USER: u32 = 7;
/// One way, between the two.
pub const LATENCY_MS: u64 = 5;
const PORT: u16 = 3014;

pub type Result = std::result::Result<(), Box<dyn std::error::Error>>;

pub fn link() -> [String; 2] {
    ["server", "client"].map(String::from)
}

pub async fn dial(network: &SimNet) -> io::Result<SimStream> {
    network.connect("server", PORT).await
}

/// Asks one byte and waits until it is echoed; tells how long that took.
pub async fn ask(stream: &mut SimStream) -> io::Result<Duration> {
    let asked_at = Instant::now();
    stream.write_all(b"?").await?;
    stream.read_exact(&mut [0]).await?;
    Ok(asked_at.elapsed())
}

/// Reads until there is nothing more to read, and notes what it read and how that ended.
pub async fn read_on(mut stream: SimStream, notes: Notes, who: &'static str) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        let read = stream.read(&mut buffer).await;
        let (is_over, what) = match read {
            Ok(0) => (true, "end"),
            Ok(_) => (false, "bytes"),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => (true, "reset"),
            Err(_) => (true, "another error"),
        };
        notes.add(format!("{who}: {what}"));
        if is_over {
            return Ok(());
        }
    }
}

pub async fn echo(mut stream: SimStream, _notes: Notes) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            len => stream.write_all(&buffer[..len]).await?,
        }
    }
}

/// How much [`speak`] says.
pub const SPOKEN: usize = 5000;

/// Says much, in many small writes.
pub async fn speak(mut stream: SimStream, _notes: Notes) -> io::Result<()> {
    for _ in 0..SPOKEN / 100 {
        stream.write_all(&[b'.'; 100]).await?;
    }
    future::pending().await
}

/// What happened and when, in milliseconds since the start.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<(u128, String)>>>);

impl Notes {
    pub fn add(&self, what: impl Into<String>) {
        let at = turmoil::sim_elapsed().unwrap_or_default();
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push((at.as_millis(), what.into()));
    }
}

/// A host `server` that lives for each connection what the test says, and a host `client` that lives
/// what the test says.
pub struct World {
    sim: turmoil::Sim<'static>,
    injector: Injector,
    notes: Notes,
}

impl World {
    pub fn new<S, C>(
        server_life: fn(SimStream, Notes) -> S,
        client_life: impl FnOnce(SimNet, Notes) -> C,
    ) -> Self
    where
        S: Future<Output = io::Result<()>> + Send + 'static,
        C: Future<Output = io::Result<()>> + 'static,
    {
        let mut sim = turmoil::Builder::new()
            .simulation_duration(60 * SECOND)
            .tcp_capacity(1024)
            .rng_seed(1)
            .build();
        let notes = Notes::default();
        let process = Process::default();
        let users = [USER, USER + 1];
        let throttles = BTreeMap::from(users.map(|user| (user, Throttle::default())));
        let handles = Handles {
            processes: BTreeMap::from([(String::from("server"), process.clone())]),
            throttles,
            connections: Connections::default(),
        };
        let trace = Trace::new(false);
        let network = |host: &str, process| {
            let connections = handles.connections.clone();
            SimNet::new(host, process, connections, trace.clone())
        };

        let server = network("server", process.clone());
        let server_notes = notes.clone();
        sim.host("server", move || {
            let (server, notes, process) = (server.clone(), server_notes.clone(), process.clone());
            async move {
                let mut listener = server.listen(PORT).await?;
                let network = server.clone();
                let serving = server.task(async move {
                    let mut tasks = JoinSet::new();
                    let accepting = async {
                        loop {
                            let stream = listener.accept().await?;
                            let life = server_life(stream, notes.clone());
                            tasks.spawn(network.task(life));
                        }
                    };
                    tokio::select! {
                        failed = accepting => failed,
                        () = process.asked_to_stop() => {
                            tasks.shutdown().await;
                            Ok::<(), io::Error>(())
                        }
                    }
                });
                serving.await?;
                future::pending().await
            }
        });
        let throttle = handles.throttles[&USER].clone();
        let client = network("client", Process::default()).of_user(0, throttle);
        let life = client_life(client, notes.clone());
        sim.client("client", async move {
            life.await?;
            future::pending().await
        });
        sim.set_link_latency("server", "client", Duration::from_millis(LATENCY_MS));
        Self {
            sim,
            injector: Injector::new(link().to_vec(), handles),
            notes,
        }
    }

    pub fn apply(&mut self, fault: Fault) -> bool {
        self.injector.apply(&mut self.sim, &fault)
    }

    pub fn run_for(&mut self, time: Duration) -> Result {
        self.run_until(self.sim.elapsed() + time)
    }

    pub fn run_until(&mut self, until: Duration) -> Result {
        while self.sim.elapsed() < until {
            self.sim.step()?;
        }
        Ok(())
    }

    pub fn notes(&self) -> Vec<(u128, String)> {
        let notes = self.notes.0.lock();
        notes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happened so far.
    pub fn told(&self) -> Vec<String> {
        self.notes().into_iter().map(|(_, what)| what).collect()
    }
}
