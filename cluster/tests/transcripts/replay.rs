//! Does once more what a recording says its clients did, and compares what comes back.
//!
//! A step is over when everything has come that the recording has in it, and when the cluster has
//! come to rest and nothing else has come: no time is waited for that. Only what the recorded
//! client did by the clock, its heartbeats, is done by the clock here.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::topology::Topology;
use tokio::time::{Instant, timeout_at};

use crate::compare;
use crate::probes::Probes;
use crate::seat::Seat;
use crate::transcript::{Happened, Server, Step, Transcript};

/// Longest wait for anything, in addition to the time that it took in the recording.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Replays `transcript` against the cluster of `topology`, whose ports it has in its answers.
///
/// # Errors
///
/// Something else came back. The text says where, what was expected and what came.
pub async fn replay(transcript: &Transcript, topology: &Topology) -> Result<(), String> {
    let mut replay = Replay {
        seats: transcript
            .connections
            .iter()
            .map(|(label, peer)| {
                (
                    label.as_str(),
                    Seat::new(*peer, !transcript.auto_heartbeats),
                )
            })
            .collect(),
        probes: Probes::open(topology).await?,
        transcript,
        topology,
        started_at: Instant::now(),
    };
    for step in &transcript.steps {
        let place = format!("{}, step {} ({})", transcript.file, step.number, step.what);
        let error = match replay.play(step).await {
            Err(error) => Some(error),
            Ok(()) => replay.difference(step),
        };
        if let Some(error) = error {
            return Err(format!("{place}{error}"));
        }
    }
    replay.finish().await
}

struct Replay<'a> {
    transcript: &'a Transcript,
    topology: &'a Topology,
    seats: BTreeMap<&'a str, Seat>,
    probes: Probes,
    started_at: Instant,
}

impl<'a> Replay<'a> {
    async fn play(&mut self, step: &'a Step) -> Result<(), String> {
        for seat in self.seats.values_mut() {
            seat.seen.clear();
        }
        // The clients of the recording may have done the one only because of the other.
        let mut expected = BTreeMap::<&str, usize>::new();
        let mut acted_at = step.events.first().map_or(Duration::ZERO, |event| event.at);
        for event in &step.events {
            let label = event.connection.as_str();
            match &event.happened {
                Happened::Server(_) => {
                    *expected.entry(label).or_default() += 1;
                    let deadline = self.deadline(event.at, event.at.saturating_sub(acted_at));
                    self.watch(label, expected[label], deadline).await;
                }
                Happened::Client(action) => {
                    acted_at = event.at;
                    let port = self.port(label);
                    let seat = self.seat(label);
                    let acted = seat.act(action, port, event.at).await;
                    acted.map_err(|error| format!(", {label}: {error}"))?;
                }
            }
        }
        self.probes
            .settle()
            .await
            .map_err(|error| format!(": {error}"))?;
        for (label, seat) in &mut self.seats {
            let fenced = seat.fence().await;
            fenced.map_err(|error| format!(", {label}: {error}"))?;
            if self.transcript.auto_heartbeats {
                seat.keep_alive();
            }
        }
        Ok(())
    }

    /// Reads one connection until it has shown `count` events in this step, has ended, or the
    /// deadline is over.
    async fn watch(&mut self, label: &str, count: usize, deadline: Instant) {
        while self.seat(label).seen.len() < count && !self.seat(label).has_ended() {
            let beats = self.seats.values().filter_map(Seat::beats_at);
            let until = beats.min().map_or(deadline, |beat| beat.min(deadline));
            let seat = self.seat(label);
            if timeout_at(until, seat.watch()).await.is_ok() {
                continue;
            }
            let now = Instant::now();
            if now >= deadline {
                return;
            }
            for seat in self.seats.values_mut() {
                if seat.beats_at().is_some_and(|beat| beat <= now) {
                    seat.beat().await;
                }
            }
        }
    }

    /// Ends what is still open. Sessions that could not be asked whether they had said anything
    /// else are seen to their end here.
    async fn finish(&mut self) -> Result<(), String> {
        for (label, seat) in &mut self.seats {
            seat.seen.clear();
            let (place, was_asked) = (&self.transcript.file, seat.can_be_asked());
            let closed = seat.close().await;
            closed.map_err(|error| format!("{place}, at the end, {label}: {error}"))?;
            if !was_asked && !seat.seen.is_empty() {
                let difference = compare::describe(&[], &seat.seen);
                return Err(format!("{place}, at the end, {label}:{difference}"));
            }
        }
        Ok(())
    }

    /// What has come in a step and was not expected, or was and has not.
    fn difference(&self, step: &Step) -> Option<String> {
        let mut differences = String::new();
        for (label, seat) in &self.seats {
            let expected = step.expected(label);
            if !compare::matches(&expected, &seat.seen) {
                let difference = compare::describe(&expected, &seat.seen);
                differences.push_str(&format!("\n {label}:{difference}"));
            }
        }
        (!differences.is_empty()).then_some(differences)
    }

    /// Until when to wait for what was recorded `at`, `after` the client did something.
    fn deadline(&self, at: Duration, after: Duration) -> Instant {
        (Instant::now() + after).max(self.started_at + at) + PATIENCE
    }

    fn port(&self, label: &str) -> u16 {
        let server = match self.transcript.connections[label].server {
            Server::Gate => &self.topology.gates[0],
            Server::Connector1 => &self.topology.connectors[0],
            Server::Connector2 => &self.topology.connectors[1],
            Server::Connector3 => &self.topology.connectors[2],
        };
        server.client_port
    }

    fn seat(&mut self, label: &str) -> &mut Seat {
        let seat = self.seats.get_mut(label);
        seat.expect("events are of connections that are listed")
    }
}
