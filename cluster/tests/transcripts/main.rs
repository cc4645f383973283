//! Sessions recorded with the original cluster, replayed against this one: what comes back must be
//! what came back then.
//!
//! The recordings are in `tests/data/transcripts`. Others of the same layout are replayed as well
//! from the folder that the environment variable `POMELO_TRANSCRIPTS` names.

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
mod differences;
mod event;
mod field;
mod folder;
mod frames;
mod long;
mod one_login;
mod outgoing;
mod package;
mod payload;
mod ports;
mod probes;
mod replay;
mod request;
mod seat;
mod socket;
mod transcript;
mod unreadable;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cluster::embedded::{self, Size};
use cluster::options::Options;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::differences::DIFFERENCES;
use self::transcript::Transcript;

/// Clusters that run at the same time. Most replays take a second; some wait for heartbeats.
const CLUSTERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_sessions_get_what_the_original_gave_them() {
    let mut transcripts = folder::transcripts(&own()).unwrap();
    for transcript in &mut transcripts {
        differences::apply(transcript, DIFFERENCES).unwrap();
    }
    assert_all_replay(transcripts).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_recorded_by_others_get_what_the_original_gave_them() {
    let folder = env::var_os("POMELO_TRANSCRIPTS").filter(|folder| !folder.is_empty());
    if let Some(folder) = folder {
        let mut transcripts = folder::transcripts(Path::new(&folder))
            .unwrap_or_else(|error| panic!("POMELO_TRANSCRIPTS: {error}"));
        // The table knows the recordings beside these tests, and so their copies.
        for known in folder::transcripts(&own()).unwrap() {
            let copies = transcripts
                .iter_mut()
                .filter(|other| other.is_copy_of(&known));
            for copy in copies {
                differences::apply(copy, DIFFERENCES).unwrap();
            }
        }
        assert_all_replay(transcripts).await;
    }
}

#[test]
fn every_difference_is_in_a_transcript_that_is_there() {
    let transcripts = folder::transcripts(&own()).unwrap();
    for difference in DIFFERENCES {
        for name in difference.transcripts {
            let is_there = transcripts
                .iter()
                .any(|transcript| transcript.name == *name);
            assert!(is_there, "there is no {name}");
        }
    }
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
    one_login::mend(&mut transcript);
    ports::translate(&mut transcript, cluster.topology());
    let replayed = replay::replay(&transcript, cluster.topology()).await;
    let stopped = cluster.stop().await;
    replayed.and(stopped.map_err(|error| format!("{}: {error}", transcript.file)))
}
