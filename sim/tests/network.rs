//! What the cluster relies on in a network, on real sockets and in simulation; and what faults
//! look like from inside the simulated one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::{self, Future};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use cluster::net::{Listener, Network, Tcp};
use sim::fault::Fault;
use sim::inject::{Handles, Injector};
use sim::net::SimNet;
use sim::process::Process;
use sim::trace::Trace;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

const PORT: u16 = 3014;
const SECOND: Duration = Duration::from_secs(1);

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

/// Takes one connection and sends back what comes, until the end of stream.
async fn echo<L>(mut listener: L) -> io::Result<()>
where
    L: Listener,
    L::Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut stream = listener.accept().await?;
    let mut buffer = [0; 64];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..len]).await?;
    }
}

/// The conversation that must go the same way on every network.
async fn converse<N: Network>(network: N, host: &str, port: u16) -> io::Result<()> {
    let mut stream = network.connect(host, port).await?;
    stream.write_all(b"is anybody").await?;
    stream.write_all(b" there?").await?;
    let mut heard = [0; 17];
    stream.read_exact(&mut heard).await?;
    assert_eq!(&heard, b"is anybody there?");

    stream.shutdown().await?;
    let after = stream.read(&mut heard).await?;
    assert_eq!(after, 0, "closing is not seen as the end of stream");
    Ok(())
}

#[tokio::test]
async fn bytes_come_in_order_and_a_goodbye_is_seen_on_real_sockets() -> Result {
    let network = Tcp::loopback();
    let listener = network.listen(0).await?;
    let port = Listener::port(&listener);
    let (served, talked) = tokio::join!(echo(listener), converse(network, "127.0.0.1", port));
    served?;
    talked?;
    Ok(())
}

#[test]
fn bytes_come_in_order_and_a_goodbye_is_seen_in_simulation() -> Result {
    let mut world = World::new(|network| converse(network, "server", PORT));
    world.run_for(SECOND)?;
    assert!(world.is_done(), "the conversation hangs");
    Ok(())
}

#[test]
fn a_crash_is_seen_as_the_end_of_stream() -> Result {
    let mut world = World::new(wait_for_the_end);
    world.run_for(SECOND)?;
    world.apply(crash(true));
    world.run_for(SECOND)?;
    assert_eq!(world.ended(), Some(None));
    Ok(())
}

#[test]
fn a_power_cut_is_not_seen_until_the_machine_is_back() -> Result {
    let mut world = World::new(wait_for_the_end);
    world.run_for(SECOND)?;
    world.apply(crash(false));
    world.run_for(10 * SECOND)?;
    assert_eq!(world.ended(), None, "the goodbye got through");

    world.apply(restart());
    // The client writes once a second; its bytes meet no socket.
    world.run_for(2 * SECOND)?;
    assert_eq!(world.ended(), Some(Some(io::ErrorKind::ConnectionReset)));
    Ok(())
}

#[test]
fn after_a_power_cut_new_connections_work() -> Result {
    let mut world = World::new(|network| async move {
        sleep(2 * SECOND).await;
        converse(network, "server", PORT).await
    });
    world.apply(crash(false));
    world.run_for(SECOND)?;
    world.apply(restart());
    world.run_for(2 * SECOND)?;
    assert!(world.is_done(), "the machine is back but can't be reached");
    Ok(())
}

#[test]
fn a_link_that_is_cut_during_a_power_cut_stays_cut_after_it() -> Result {
    let mut world = World::new(|network| async move {
        sleep(2 * SECOND).await;
        converse(network, "server", PORT).await
    });
    let [a, b] = link();
    world.apply(crash(false));
    world.apply(Fault::Partition { a, b });
    world.apply(restart());
    world.run_for(4 * SECOND)?;
    assert!(!world.is_done(), "the restart repaired the cut");
    Ok(())
}

#[test]
fn what_is_held_comes_late_and_whole() -> Result {
    let mut world = World::new(|network| converse(network, "server", PORT));
    let [a, b] = link();
    world.apply(Fault::Hold { a, b });
    world.run_for(SECOND)?;
    assert!(!world.is_done(), "nothing was held");
    let [a, b] = link();
    world.apply(Fault::Release { a, b });
    world.run_for(SECOND)?;
    assert!(world.is_done(), "what was held did not come");
    Ok(())
}

#[test]
fn a_process_that_stood_still_answers_when_it_goes_on() -> Result {
    let mut world = World::new(|network| async move {
        sleep(SECOND).await;
        converse(network, "server", PORT).await
    });
    let host = || String::from("server");
    world.run_for(SECOND / 2)?;
    world.apply(Fault::Pause { host: host() });
    world.run_for(5 * SECOND)?;
    assert!(!world.is_done(), "a process that stands still has answered");
    world.apply(Fault::Resume { host: host() });
    world.run_for(SECOND)?;
    assert!(world.is_done(), "it did not go on");
    Ok(())
}

fn crash(goodbye: bool) -> Fault {
    let host = "server".into();
    Fault::Crash { host, goodbye }
}

fn restart() -> Fault {
    let host = "server".into();
    Fault::Restart { host }
}

fn link() -> [String; 2] {
    ["server", "client"].map(String::from)
}

/// Connects, writes once a second, and ends as the connection does.
async fn wait_for_the_end(network: SimNet) -> io::Result<()> {
    let mut stream = network.connect("server", PORT).await?;
    let mut byte = [0];
    loop {
        match timeout(SECOND, stream.read(&mut byte)).await {
            Err(_) => stream.write_all(b".").await?,
            Ok(Ok(0)) => return Ok(()),
            Ok(read) => drop(read?),
        }
    }
}

/// A host `server` that echoes, and a host `client` that lives what the test says.
struct World {
    sim: turmoil::Sim<'static>,
    injector: Injector,
    ended: Rc<Cell<Option<Option<io::ErrorKind>>>>,
}

impl World {
    fn new<F>(life: impl FnOnce(SimNet) -> F) -> Self
    where
        F: Future<Output = io::Result<()>> + 'static,
    {
        let mut sim = turmoil::Builder::new()
            .simulation_duration(60 * SECOND)
            .rng_seed(1)
            .build();
        let trace = Trace::new(false);
        let process = Process::default();
        let handles = Handles {
            processes: BTreeMap::from([(String::from("server"), process.clone())]),
            ..Handles::default()
        };
        let connections = || handles.connections.clone();
        let server = SimNet::new("server", process, connections(), trace.clone());
        sim.host("server", move || {
            let server = server.clone();
            async move {
                let listener = server.listen(PORT).await?;
                // How the conversation ended is the client's to judge.
                let _ = server.task(echo(listener)).await;
                future::pending().await
            }
        });
        let life = life(SimNet::new(
            "client",
            Process::default(),
            connections(),
            trace,
        ));
        let ended = Rc::<Cell<_>>::default();
        let noted = ended.clone();
        sim.client("client", async move {
            noted.set(Some(life.await.err().map(|error| error.kind())));
            future::pending().await
        });
        Self {
            sim,
            injector: Injector::new(link().to_vec(), handles),
            ended,
        }
    }

    fn apply(&mut self, fault: Fault) {
        self.injector.apply(&mut self.sim, &fault);
    }

    fn run_for(&mut self, time: Duration) -> Result {
        let until = self.sim.elapsed() + time;
        while self.sim.elapsed() < until {
            self.sim.step()?;
        }
        Ok(())
    }

    /// How the client's life ended, with which error; `None` while it goes on.
    fn ended(&self) -> Option<Option<io::ErrorKind>> {
        self.ended.get()
    }

    fn is_done(&self) -> bool {
        self.ended() == Some(None)
    }
}
