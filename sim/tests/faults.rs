//! What each fault looks like to the peers of the one that it hits: what they read, with which
//! error, and when; and that its end ends it. Crashes, power cuts, cuts, holds and pauses are in
//! `network.rs`.

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
use tokio::time::{Instant, sleep, sleep_until};

const PORT: u16 = 3014;
const SECOND: Duration = Duration::from_secs(1);
/// The number of the user on the client's host.
const USER: u32 = 7;
/// One way, between the two.
const LATENCY_MS: u64 = 5;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

/// Waits until the fault has happened. Time is simulated: the test injects it one second after the
/// start, however long that takes.
async fn the_fault() {
    sleep(2 * SECOND).await;
}

#[test]
fn a_reset_is_read_at_both_ends_at_once() -> Result {
    let mut world = World::new(
        |stream, notes| read_on(stream, notes, "server"),
        |network, notes| async move { read_on(dial(&network).await?, notes, "client").await },
    );
    world.run_for(SECOND)?;
    assert!(world.apply(reset()), "there is a connection");
    // Sooner than a goodbye of the other end could come.
    world.run_for(Duration::from_millis(2))?;
    assert_eq!(world.told(), ["server: reset", "client: reset"]);

    world.run_for(SECOND)?;
    assert!(!world.apply(reset()), "there is no connection any more");
    Ok(())
}

#[test]
fn who_writes_on_a_connection_that_was_reset_is_told() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        stream.write_all(b"before").await?;
        the_fault().await;
        let written = stream.write_all(b"after").await;
        notes.add(written.map_or_else(|error| error.kind().to_string(), |()| "written".into()));
        Ok(())
    });
    world.run_for(SECOND)?;
    world.apply(reset());
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["connection reset"]);
    Ok(())
}

#[test]
fn a_connection_that_is_opened_after_a_reset_carries() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let _reset = dial(&network).await?;
        the_fault().await;
        ask(&mut dial(&network).await?).await?;
        notes.add("heard again");
        Ok(())
    });
    world.run_for(SECOND)?;
    world.apply(reset());
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["heard again"]);
    Ok(())
}

#[test]
fn a_reset_between_others_is_not_seen() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        the_fault().await;
        ask(&mut stream).await?;
        notes.add("heard");
        Ok(())
    });
    world.run_for(SECOND)?;
    let fault = Fault::Reset {
        a: "server".into(),
        b: "another".into(),
    };
    assert!(!world.apply(fault));
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["heard"]);
    Ok(())
}

#[test]
fn a_slow_host_gets_to_what_it_is_woken_for_later_and_only_while_it_is_slow() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        // One question a second.
        for number in 1.. {
            sleep_until(Instant::now() + SECOND).await;
            let took_ms = ask(&mut stream).await?.as_millis() as u64 - 2 * LATENCY_MS;
            notes.add(format!("question {number}: {}", took_ms / 100));
        }
        Ok(())
    });
    let host = || String::from("server");
    world.run_for(3 * SECOND / 2)?;
    world.apply(Fault::Slow {
        host: host(),
        // The task of the connection is woken once for each question.
        delay: Duration::from_millis(100),
    });
    world.run_for(SECOND)?;
    world.apply(Fault::Quick { host: host() });
    world.run_for(SECOND)?;
    assert_eq!(
        world.told(),
        ["question 1: 0", "question 2: 1", "question 3: 0"]
    );
    Ok(())
}

#[test]
fn a_slow_reader_takes_its_bytes_a_second_and_all_that_waits_when_it_may() -> Result {
    let mut world = World::new(speak, |network, notes| async move {
        let mut stream = dial(&network).await?;
        let mut buffer = [0; 4096];
        let mut taken = 0;
        for part in [1000, SPOKEN] {
            while taken < part {
                taken += stream.read(&mut buffer).await?;
            }
            notes.add(format!("{part} bytes"));
        }
        Ok(())
    });
    world.apply(Fault::Throttle {
        user: USER,
        bytes_per_s: 500,
    });
    world.run_for(4 * SECOND)?;
    assert_eq!(world.told(), ["1000 bytes"]);
    // A twentieth of a second's bytes at a time, each followed by a pause of whole milliseconds.
    let (at_ms, _) = world.notes()[0];
    assert!((1900..=2100).contains(&at_ms), "at {at_ms} ms");

    world.apply(Fault::Unthrottle { user: USER });
    world.run_for(SECOND / 100)?;
    assert_eq!(world.told(), ["1000 bytes", "5000 bytes"]);
    Ok(())
}

#[test]
fn a_slow_reader_holds_up_nobody_else() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        ask(&mut dial(&network).await?).await?;
        notes.add("heard");
        Ok(())
    });
    let user = USER + 1;
    world.apply(Fault::Throttle {
        user,
        bytes_per_s: 1,
    });
    world.run_for(SECOND)?;
    assert_eq!(world.told(), ["heard"]);
    Ok(())
}

#[test]
fn what_one_says_can_be_lost_while_the_other_is_heard() -> Result {
    let mut world = World::new(
        |mut stream, notes| async move {
            the_fault().await;
            stream.write_all(b"?").await?;
            read_on(stream, notes, "server").await
        },
        |network, notes| async move {
            let mut stream = dial(&network).await?;
            the_fault().await;
            stream.write_all(b"!").await?;
            read_on(stream, notes, "client").await
        },
    );
    world.run_for(SECOND)?;
    world.apply(Fault::PartitionOneway {
        from: "client".into(),
        to: "server".into(),
    });
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["client: bytes"]);
    let [a, b] = link();
    world.apply(Fault::Repair { a, b });
    world.run_for(SECOND)?;
    assert_eq!(world.told(), ["client: bytes"], "what was lost stays lost");
    Ok(())
}

#[test]
fn a_process_that_is_asked_to_stop_ends_and_is_started_again() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        read_on(dial(&network).await?, notes.clone(), "client").await?;
        the_fault().await;
        ask(&mut dial(&network).await?).await?;
        notes.add("heard again");
        Ok(())
    });
    let host = || String::from("server");
    world.run_for(SECOND)?;
    assert!(world.apply(Fault::Stop { host: host() }));
    world.run_for(SECOND)?;
    assert_eq!(world.told(), ["client: end"]);
    world.apply(Fault::Restart { host: host() });
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["client: end", "heard again"]);
    Ok(())
}

#[test]
fn a_process_that_is_down_neither_crashes_nor_stops() -> Result {
    let mut world = World::new(echo, |_network, _notes| future::pending());
    let host = || String::from("server");
    let goodbye = true;
    let crash = || Fault::Crash {
        host: host(),
        goodbye,
    };
    world.run_for(SECOND)?;
    assert!(world.apply(crash()));
    assert!(!world.apply(crash()));
    assert!(!world.apply(Fault::Stop { host: host() }));
    Ok(())
}

#[test]
fn a_latency_is_what_a_way_takes_from_then_on() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        the_fault().await;
        let took = ask(&mut stream).await?;
        notes.add(format!("{} ms", took.as_millis()));
        Ok(())
    });
    world.run_for(SECOND)?;
    let [a, b] = link();
    let latency = Duration::from_millis(150);
    world.apply(Fault::Latency { a, b, latency });
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["300 ms"]);
    Ok(())
}

fn reset() -> Fault {
    let [a, b] = link();
    Fault::Reset { a, b }
}

fn link() -> [String; 2] {
    ["server", "client"].map(String::from)
}

async fn dial(network: &SimNet) -> io::Result<SimStream> {
    network.connect("server", PORT).await
}

/// Asks one byte and waits until it is echoed; tells how long that took.
async fn ask(stream: &mut SimStream) -> io::Result<Duration> {
    let asked_at = Instant::now();
    stream.write_all(b"?").await?;
    stream.read_exact(&mut [0]).await?;
    Ok(asked_at.elapsed())
}

/// Reads until there is nothing more to read, and notes what it read and how that ended.
async fn read_on(mut stream: SimStream, notes: Notes, who: &'static str) -> io::Result<()> {
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

async fn echo(mut stream: SimStream, _notes: Notes) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            len => stream.write_all(&buffer[..len]).await?,
        }
    }
}

/// How much [`speak`] says.
const SPOKEN: usize = 5000;

/// Says much, in many small writes.
async fn speak(mut stream: SimStream, _notes: Notes) -> io::Result<()> {
    for _ in 0..SPOKEN / 100 {
        stream.write_all(&[b'.'; 100]).await?;
    }
    future::pending().await
}

/// What happened and when, in milliseconds since the start.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<(u128, String)>>>);

impl Notes {
    fn add(&self, what: impl Into<String>) {
        let at = turmoil::sim_elapsed().unwrap_or_default();
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push((at.as_millis(), what.into()));
    }
}

/// A host `server` that lives for each connection what the test says, and a host `client` that lives
/// what the test says.
struct World {
    sim: turmoil::Sim<'static>,
    injector: Injector,
    notes: Notes,
}

impl World {
    fn new<S, C>(
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
                let mut tasks = JoinSet::new();
                let accepting = async {
                    loop {
                        let stream = listener.accept().await?;
                        let life = server_life(stream, notes.clone());
                        tasks.spawn(server.task(life));
                    }
                };
                tokio::select! {
                    stopped = accepting => stopped,
                    () = process.asked_to_stop() => {
                        tasks.shutdown().await;
                        future::pending().await
                    }
                }
            }
        });
        let throttle = handles.throttles[&USER].clone();
        let client = network("client", Process::default()).throttled(throttle);
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

    fn apply(&mut self, fault: Fault) -> bool {
        self.injector.apply(&mut self.sim, &fault)
    }

    fn run_for(&mut self, time: Duration) -> Result {
        let until = self.sim.elapsed() + time;
        while self.sim.elapsed() < until {
            self.sim.step()?;
        }
        Ok(())
    }

    fn notes(&self) -> Vec<(u128, String)> {
        let notes = self.notes.0.lock();
        notes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happened so far.
    fn told(&self) -> Vec<String> {
        self.notes().into_iter().map(|(_, what)| what).collect()
    }
}
