//! Guests that let the outside world into a run, each in a way that is met in practice, and one that
//! does not. Each does on its host what it does, and tells the gate of it in bytes that are none of
//! the protocol.

use std::cell::Cell;
use std::future;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cluster::net::Network;
use rand::TryRngCore;
use sim::net::SimNet;
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::time::Instant;

const GATE: (&str, u16) = ("gate-server-1", 3014);

/// What is told comes as an event of the guest's host.
async fn tell(network: &SimNet, bytes: &[u8]) {
    let (host, port) = GATE;
    if let Ok(mut gate) = network.connect(host, port).await {
        // The gate may have had enough of it.
        let _ = gate.write_all(bytes).await;
    }
}

/// Keeps to the rules: its time is simulated, and all else a constant.
pub async fn honest(network: SimNet) {
    let started_at = Instant::now();
    tell(&network, b"hello").await;
    tell(&network, &started_at.elapsed().as_nanos().to_le_bytes()).await;
}

/// Goes through a map in the order of a hash that has other keys in each map.
#[expect(clippy::disallowed_types, reason = "this is the leak")]
pub async fn hash_order(network: SimNet) {
    let map: std::collections::HashMap<u8, ()> = (0..64).map(|key| (key, ())).collect();
    let keys: Vec<u8> = map.into_keys().collect();
    tell(&network, &keys).await;
}

/// Takes the keys of a hash for a random number, as who wants no crate for it does.
#[expect(clippy::disallowed_types, reason = "this is the leak")]
pub async fn hash_keys(network: SimNet) {
    use std::hash::{BuildHasher, RandomState};

    let number = RandomState::new().hash_one("chance");
    tell(&network, &number.to_le_bytes()).await;
}

/// Writes the date into what it sends.
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the leak"
)]
pub async fn date(network: SimNet) {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    let since = since.expect("it is later than 1970");
    tell(&network, &since.as_nanos().to_le_bytes()).await;
}

/// Says for how long the program has been running.
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the leak"
)]
pub async fn stopwatch(network: SimNet) {
    static STARTED_AT: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    let first = *STARTED_AT;
    // Never the same twice: in a second run it starts from the first one's start.
    tell(&network, &first.elapsed().as_nanos().to_le_bytes()).await;
}

/// Has work done by a thread, and goes on when that is done.
#[expect(clippy::disallowed_methods, reason = "this is the leak")]
pub async fn thread_timing(network: SimNet) {
    loop {
        let mut waited_ms = Vec::new();
        for _ in 0..10 {
            let started_at = Instant::now();
            let (done, result) = oneshot::channel();
            thread::spawn(move || done.send(()));
            result.await.expect("the thread says that it is done");
            let waited = started_at.elapsed().as_millis();
            waited_ms.extend(waited.to_le_bytes());
        }
        tell(&network, &waited_ms).await;
    }
}

/// Asks the operating system for a random number.
#[expect(clippy::disallowed_types, reason = "this is the leak")]
pub async fn entropy(network: SimNet) {
    use rand::rngs::OsRng;

    let number = OsRng.try_next_u64().expect("the system has entropy");
    tell(&network, &number.to_le_bytes()).await;
}

/// Lets `select!` choose in a runtime of its own, that nobody seeded.
#[expect(clippy::disallowed_methods, reason = "this is the leak")]
pub async fn unseeded_select(network: SimNet) {
    async fn choices() -> Vec<u8> {
        let mut choices = Vec::new();
        for _ in 0..64 {
            choices.push(tokio::select! {
                () = future::ready(()) => 0,
                () = future::ready(()) => 1,
            });
        }
        choices
    }
    let other = thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("it needs nothing").block_on(choices())
    });
    let choices = other.join().expect("the thread only chooses");
    tell(&network, &choices).await;
}

/// Calls something by its address, which is its own only as long as it lives.
pub async fn address(network: SimNet) {
    let name: &'static str = String::from("room-0").leak();
    tell(&network, &name.as_ptr().addr().to_le_bytes()).await;
}

/// Calls something by the number of its task, which tokio counts for the whole program.
pub async fn task_number(network: SimNet) {
    tell(&network, tokio::task::id().to_string().as_bytes()).await;
}

/// Counts for the whole program what should be counted for each run.
pub async fn counter(network: SimNet) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    tell(&network, &number.to_le_bytes()).await;
}

/// Finds in its thread what the run before it left there.
pub async fn left_over(network: SimNet) {
    thread_local! {
        static LAST: Cell<u64> = const { Cell::new(0) };
    }
    LAST.set(LAST.get() + 1);
    tell(&network, &LAST.get().to_le_bytes()).await;
}

/// Takes the number of its process for one that no other has.
pub async fn process_number(network: SimNet) {
    tell(&network, &std::process::id().to_le_bytes()).await;
}

/// Names things after the directory that it is in.
pub async fn directory(network: SimNet) {
    let directory = std::env::current_dir().expect("it is there");
    tell(&network, directory.as_os_str().as_encoded_bytes()).await;
}

/// Does as a variable of its environment says.
pub async fn environment(network: SimNet) {
    let zone = std::env::var_os("TZ").unwrap_or_default();
    tell(&network, zone.as_encoded_bytes()).await;
}
