//! What a process knows of a run while it goes on: what the progress view, the metrics endpoint and the
//! thresholds that stop a run are told, and nothing else.
//!
//! It can be merged: of two processes that live different users of one run, [`Status::merge`] makes what
//! one process would have known. It is made about once a second, and takes no second record: latencies
//! are summed up by the recorder as each interval ends, so that to tell them is to copy some buckets.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::convert::Infallible;
use std::time::Duration;

use reports::buckets::Buckets;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::health::vitals::Vitals;

/// How far back [`Recent`] looks.
pub const RECENT: Duration = Duration::from_secs(5);

/// How a run is, as far as it is told; clones share it.
#[derive(Clone, Debug)]
pub struct Live(watch::Receiver<Status>);

impl Live {
    /// How it was when it was told last; without anything before the first time.
    pub fn now(&self) -> watch::Ref<'_, Status> {
        self.0.borrow()
    }

    /// Waits until it is told again; `None` if nobody tells any more.
    pub async fn next(&mut self) -> Option<watch::Ref<'_, Status>> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update())
    }
}

/// Makes a way to tell how a run is.
pub fn channel() -> (watch::Sender<Status>, Live) {
    let (teller, told) = watch::channel(Status::default());
    (teller, Live(told))
}

/// From one telling to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// Tells `teller` every second what `look` sees, until this future is dropped.
pub async fn tell(teller: &watch::Sender<Status>, look: impl Fn() -> Status) -> Infallible {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        teller.send_replace(look());
    }
}

/// What is known of a run so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Since the start of the run.
    pub elapsed_us: u64,
    /// How many of each, by the names that `run.json` has. What comes to be known only in the end
    /// (`users_outside`, `users_unfinished`) is 0 until then.
    pub counts: BTreeMap<String, u64>,
    /// Where users are now.
    pub users: Users,
    /// Sends that were due until now: what the plan lets one expect, and as nobody needs to be told what
    /// follows from the plan, known only to the process that has all of them told.
    pub sends_planned: u64,
    /// Latencies of the whole run so far, by the metrics that a plan can demand.
    pub latencies: BTreeMap<String, Buckets>,
    /// The last seconds.
    pub recent: Recent,
    /// How the processes that make the load are, by their names.
    pub processes: BTreeMap<String, Vitals>,
}

/// How many users are where; one who is nowhere of these has not come yet, is away or has gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// On the way to a connection.
    pub logging_in: u64,
    /// With a connection, and in no room yet.
    pub entering: u64,
    /// In a room.
    pub inside: u64,
}

/// The last whole intervals of a run, about [`RECENT`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// How long they are together; 0 while there are none.
    pub span_us: u64,
    /// How many of each in them, as the rows of a report have it.
    pub counts: BTreeMap<String, u64>,
    /// Latencies in them, by metric. A broadcast is there when all that is owed of it was heard.
    pub latencies: BTreeMap<String, Buckets>,
}

impl Status {
    /// One of the counts; 0 if nobody counts it.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// Adds what a process that lives other users of the same run knows. Of one process that is told
    /// twice, it keeps the later.
    pub fn merge(&mut self, other: &Self) {
        self.elapsed_us = self.elapsed_us.max(other.elapsed_us);
        add_counts(&mut self.counts, &other.counts);
        self.users.logging_in += other.users.logging_in;
        self.users.entering += other.users.entering;
        self.users.inside += other.users.inside;
        self.sends_planned += other.sends_planned;
        add_latencies(&mut self.latencies, &other.latencies);
        self.recent.merge(&other.recent);
        for (process, vitals) in &other.processes {
            match self.processes.entry(process.clone()) {
                Entry::Vacant(vacant) => drop(vacant.insert(vitals.clone())),
                Entry::Occupied(mut known) if known.get() < vitals => {
                    known.insert(vitals.clone());
                }
                Entry::Occupied(_) => {}
            }
        }
    }
}

impl Recent {
    /// One of the counts, per second.
    pub fn per_second(&self, name: &str) -> f64 {
        let count = self.counts.get(name).copied().unwrap_or_default();
        match self.span_us {
            0 => 0.0,
            span_us => count as f64 / (span_us as f64 / 1e6),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.span_us = self.span_us.max(other.span_us);
        add_counts(&mut self.counts, &other.counts);
        add_latencies(&mut self.latencies, &other.latencies);
    }
}

fn add_counts(ours: &mut BTreeMap<String, u64>, theirs: &BTreeMap<String, u64>) {
    for (name, count) in theirs {
        *ours.entry(name.clone()).or_default() += count;
    }
}

/// Adds latencies by metric.
pub fn add_latencies(ours: &mut BTreeMap<String, Buckets>, theirs: &BTreeMap<String, Buckets>) {
    for (metric, latencies) in theirs {
        match ours.get_mut(metric) {
            Some(known) => known.merge(latencies),
            None => drop(ours.insert(metric.clone(), latencies.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    fn buckets(values_us: Vec<u64>) -> Buckets {
        let mut buckets = Buckets::default();
        for us in values_us {
            buckets.record(Duration::from_micros(us));
        }
        buckets
    }

    /// What one of three processes could know.
    fn status() -> impl Strategy<Value = Status> {
        let counts = || proptest::collection::btree_map("[ab]", 0..9_u64, 0..3);
        let latencies = || {
            let values = proptest::collection::vec(0..5000_u64, 0..5).prop_map(buckets);
            proptest::collection::btree_map("[cd]", values, 0..3)
        };
        let vitals = (0..3_u64, 0..3_u64).prop_map(|(watched_us, stall_us_max)| {
            let mut vitals = Vitals {
                watched_us,
                ..Vitals::default()
            };
            vitals.beat.stall_us_max = stall_us_max;
            vitals
        });
        let processes = proptest::collection::btree_map("worker [123]", vitals, 0..3);
        let parts = (counts(), latencies(), counts(), latencies(), processes);
        (0..9_u64, 0..9_u64, parts).prop_map(|(elapsed_us, number, parts)| Status {
            elapsed_us,
            counts: parts.0,
            users: Users {
                logging_in: number,
                entering: number / 2,
                inside: number / 3,
            },
            sends_planned: number,
            latencies: parts.1,
            recent: Recent {
                span_us: elapsed_us,
                counts: parts.2,
                latencies: parts.3,
            },
            processes: parts.4,
        })
    }

    fn merged(mut one: Status, other: &Status) -> Status {
        one.merge(other);
        one
    }

    proptest! {
        #[test]
        fn several_processes_know_the_same_in_whatever_order_they_tell(
            (a, b, c) in (status(), status(), status())
        ) {
            prop_assert_eq!(merged(a.clone(), &b), merged(b.clone(), &a));
            let first_two = merged(merged(a.clone(), &b), &c);
            prop_assert_eq!(first_two, merged(a.clone(), &merged(b, &c)));
            prop_assert_eq!(merged(a.clone(), &Status::default()), a);
        }

        #[test]
        fn what_a_process_tells_is_what_it_knows(status in status()) {
            let text = serde_json::to_string(&status).expect("plain values are JSON");
            prop_assert_eq!(serde_json::from_str::<Status>(&text).ok(), Some(status));
        }
    }

    #[test]
    fn users_and_counts_are_added_and_of_one_process_the_later_is_kept() {
        let told = |watched_us, stall_us_max| {
            let mut vitals = Vitals {
                watched_us,
                ..Vitals::default()
            };
            vitals.beat.stall_us_max = stall_us_max;
            Status {
                counts: [("lost".to_owned(), 2)].into(),
                processes: [("worker 1".to_owned(), vitals)].into(),
                ..Status::default()
            }
        };
        let both = merged(told(2, 1), &told(1, 9));
        assert_eq!(both.count("lost"), 4);
        assert_eq!(both.processes["worker 1"], told(2, 1).processes["worker 1"]);
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let recent = Recent {
            span_us: 5_000_000,
            counts: [("sends_total".to_owned(), 1000)].into(),
            ..Recent::default()
        };
        assert_eq!(recent.per_second("sends_total"), 200.0);
        assert_eq!(recent.per_second("errors"), 0.0);
        assert_eq!(Recent::default().per_second("sends_total"), 0.0);
    }

    #[tokio::test]
    async fn what_is_seen_is_told_at_once_and_again() {
        let (teller, mut live) = channel();
        let looks = Cell::new(0);
        let look = || {
            looks.set(looks.get() + 1);
            Status {
                elapsed_us: looks.get(),
                ..Status::default()
            }
        };
        let hear = async {
            let mut heard = Vec::new();
            while heard.len() < 2 {
                let status = live.next().await.expect("the teller lives");
                heard.push(status.elapsed_us);
            }
            heard
        };
        let heard = tokio::select! {
            heard = hear => heard,
            never = tell(&teller, look) => match never {},
        };
        assert_eq!(heard, [1, 2]);
    }
}
