//! Sessions recorded with the original cluster, replayed against this one: what comes back must be
//! what came back then.
//!
//! The recordings are in `tests/data/transcripts`. Others of the same layout are replayed as well
//! from the folder that the environment variable `POMELO_TRANSCRIPTS` names. They were made together
//! with two descriptions of the original, whose paragraphs are cited as PROTOCOL 5.3 or BEHAVIOUR
//! 3.5. G6 and the like are this cluster's promises, which the README lists.
//!
//! Every byte must be the same, but for these rules. They hold for any recording:
//!
//! - `compare`: answers and pushes may overtake each other (BEHAVIOUR 6.3), and the members of JSON
//!   objects have no order.
//! - `ports`: the gate's answers name the ports of this cluster (BEHAVIOUR 2.2).
//! - `payload`: long payloads are not written down whole.
//! - `artefacts`: a message that is cut short leaves a dead session there, and ends it here
//!   (PROTOCOL 5.3).
//! - `artefacts`: what makes the original stumble, so that nobody is answered, is refused here
//!   (PROTOCOL 5.2 and 5.3, BEHAVIOUR 2.3, 3.8 and 10; G8).
//! - `artefacts`: what is said without text is answered with success there, and refused here
//!   (BEHAVIOUR 4.6).
//! - `rooms`: a name enters its room a second time there, through another connector, and is refused
//!   here (BEHAVIOUR 3.5; G6).
//! - `rooms`: a recording ends before all are told who has left (BEHAVIOUR 5.1; G7).
//!
//! `altered` proves that a replay can fail, and `accidents` what the rules are for.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod accidents;
mod altered;
mod artefacts;
mod brought;
mod chat;
mod client;
mod compare;
mod file;
mod frames;
#[path = "../support/hex.rs"]
mod hex;
mod package;
mod payload;
mod ports;
mod probes;
mod replay;
mod request;
mod rooms;
mod seat;
mod socket;
mod transcript;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cluster::embedded::{self, Size};
use cluster::options::Options;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::transcript::Transcript;

/// Clusters that run at the same time. Most replays take a second; some wait for heartbeats.
const CLUSTERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_sessions_get_what_the_original_gave_them() {
    assert_all_replay(file::transcripts(&own()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_recorded_by_others_get_what_the_original_gave_them() {
    let folder = env::var_os("POMELO_TRANSCRIPTS").filter(|folder| !folder.is_empty());
    if let Some(folder) = folder {
        // Tests run in their package's folder, and not where somebody has written this.
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let transcripts = file::transcripts(&workspace.join(folder));
        let transcripts = transcripts.unwrap_or_else(|error| panic!("POMELO_TRANSCRIPTS: {error}"));
        assert_all_replay(transcripts).await;
    }
}

#[test]
fn the_rules_change_no_recording_without_need() {
    let changed_by = |mend: fn(&mut Transcript)| -> Vec<String> {
        let mut transcripts = file::transcripts(&own()).unwrap();
        transcripts.retain_mut(|transcript| {
            let recorded = transcript.clone();
            mend(transcript);
            *transcript != recorded
        });
        let name = |transcript: &Transcript| transcript.file.rsplit('/').next().map(String::from);
        transcripts.iter().filter_map(name).collect()
    };
    assert!(changed_by(artefacts::mend).is_empty());
    let [tcp, ws] = ["tcp-duplicate-login.json", "ws-duplicate-login.json"];
    assert_eq!(
        changed_by(rooms::mend),
        [tcp, ws, "ws-real-browser-client.json"]
    );
}

/// One of the recordings beside these tests.
fn named(name: &str) -> Transcript {
    file::transcript(&own().join(name).with_extension("json")).unwrap()
}

/// The folder beside these tests.
fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/transcripts")
}

async fn assert_all_replay(transcripts: Vec<Transcript>) {
    let permits = Arc::new(Semaphore::new(CLUSTERS));
    let mut replays = JoinSet::new();
    for transcript in transcripts {
        let permits = permits.clone();
        replays.spawn(async move {
            let _permit = permits.acquire_owned().await.unwrap();
            replay_alone(transcript).await
        });
    }
    let results = replays.join_all().await;
    let count = results.len();
    let mut differing: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    differing.sort();
    assert!(
        differing.is_empty(),
        "{} of {count} recorded sessions went another way:\n\n{}",
        differing.len(),
        differing.join("\n\n")
    );
}

/// Replays against a cluster that nobody else uses.
async fn replay_alone(mut transcript: Transcript) -> Result<(), String> {
    let mut rng = StdRng::seed_from_u64(1);
    let cluster = embedded::start(Size::default(), Options::default(), &mut rng)
        .await
        .map_err(|error| format!("no cluster: {error}"))?;
    artefacts::mend(&mut transcript);
    rooms::mend(&mut transcript);
    ports::translate(&mut transcript, cluster.topology());
    let replayed = replay::replay(&transcript, cluster.topology()).await;
    let stopped = cluster.stop().await;
    replayed.and(stopped.map_err(|error| format!("{}: {error}", transcript.file)))
}
