//! What has been folded so far: counts, latencies, faults, in the shape of a report.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::buckets::Buckets;
use reports::latency::Latencies;
use reports::measured::broadcasts::{Broadcast, Delays};
use reports::measured::{Measured, Share, Step};

use super::in_flight::InFlight;
use super::limits::REASONS_MAX;
use super::so_far::{self, SoFar};
use crate::status::{Status, Users};

/// What is counted besides faults, and told if there was none of it, too.
const COUNTS: [&str; 13] = [
    "broadcasts_unjudged",
    "deliveries_expected",
    "deliveries_unjudged",
    "files_exhausted",
    "logins_failed",
    "logins_refused",
    "logins_total",
    "notices_expected",
    "notices_total",
    "notices_unjudged",
    "ports_exhausted",
    "sends_accepted",
    "sends_total",
];

/// What is looked for, and told if there was none of it, too.
pub const FAULTS: [&str; 17] = [
    "answers_unasked",
    "connections_lost",
    "doubled",
    "late",
    "lost",
    "names_shared",
    "not_admitted",
    "notices_doubled",
    "notices_missing",
    "pushes_strange",
    "reordered",
    "sends_refused",
    "sends_unanswered",
    "sends_unsent",
    "users_outside",
    "users_unfinished",
    "wrong_room",
];

/// The figures of a run so far.
#[derive(Debug)]
pub struct Ledger {
    measured: Measured,
    /// Users that were in a room at some time.
    pub users_entered: u64,
    /// Users on the way to a connection now.
    pub logging_in: u64,
    /// Users with a connection now.
    pub connected: u64,
    /// Users in a room now.
    pub inside: u64,
    /// Sends that have no answer now.
    in_flight: InFlight,
    connectors: Vec<(String, Share)>,
    deliveries: u64,
    current: Current,
    so_far: SoFar,
}

/// The interval that it is now. Deliveries are so many that they go into a dense histogram first.
#[derive(Debug, Default)]
struct Current {
    number: u32,
    deliveries: u64,
    delays: Option<(Latencies, Latencies)>,
}

/// A broadcast that is over: what is told of it besides its delays.
pub struct Told {
    /// Name, room, sizes and times; no delays yet.
    pub broadcast: Broadcast,
    /// When its last recipient heard it: the interval it counts in.
    pub last_heard_at: Duration,
}

impl Ledger {
    /// Starts without figures; each row is to be of `interval`.
    pub fn new(interval: Duration) -> Self {
        Self {
            measured: Measured::new(interval),
            users_entered: 0,
            logging_in: 0,
            connected: 0,
            inside: 0,
            in_flight: InFlight::default(),
            connectors: Vec::new(),
            deliveries: 0,
            current: Current::default(),
            so_far: SoFar::default(),
        }
    }

    /// Goes on to the interval that `now` is in.
    pub fn advance(&mut self, now: Duration) {
        let number = self.number_of(now);
        while self.current.number < number {
            let next = self.current.number + 1;
            self.close_interval(self.measured.interval() * next);
            self.current.number = next;
        }
    }

    /// Ends the figures at `until`, which [`Ledger::advance`] has come to.
    pub fn finish(mut self, until: Duration) -> Measured {
        self.close_interval(until);
        for name in FAULTS {
            self.measured.faults.entry(name.to_owned()).or_default();
        }
        self.measured.counts = self.counts();
        self.measured.connectors.extend(self.connectors);
        self.measured
    }

    /// What is known now, `now` being the time.
    pub fn status(&self, now: Duration) -> Status {
        let current = self.measured.rows.get(&self.current.number);
        let deliveries = self.current.delays.as_ref();
        let deliveries = deliveries.map(|(planned, _raw)| Buckets::from(planned));
        Status {
            elapsed_us: micros(now),
            counts: self.counts(),
            users: Users {
                logging_in: self.logging_in,
                entering: self.connected.saturating_sub(self.inside),
                inside: self.inside,
            },
            latencies: self.so_far.with(current, deliveries),
            recent: so_far::recent(&self.measured, self.current.number),
            ..Status::default()
        }
    }

    /// How many of each over the whole run, with those of which there was none.
    fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = self.measured.counts.clone();
        for name in COUNTS.iter().chain(&FAULTS) {
            counts.entry((*name).to_owned()).or_default();
        }
        for (name, faults) in &self.measured.faults {
            counts.insert(name.clone(), faults.count);
        }
        counts.insert("deliveries_total".to_owned(), self.deliveries);
        counts.insert("users_entered".to_owned(), self.users_entered);
        counts
    }

    /// Adds one to a count of the whole run.
    pub fn count(&mut self, name: &str) {
        self.count_many(name, 1);
    }

    /// Adds to a count of the whole run.
    pub fn count_many(&mut self, name: &str, more: u64) {
        match self.measured.counts.get_mut(name) {
            Some(count) => *count += more,
            None => drop(self.measured.counts.insert(name.to_owned(), more)),
        }
    }

    /// Adds one to a count of the interval that `at` is in.
    pub fn count_at(&mut self, at: Duration, name: &str) {
        self.measured.row_at(at).count(name);
    }

    /// Adds one to both.
    pub fn count_both(&mut self, at: Duration, name: &str) {
        self.count(name);
        self.count_at(at, name);
    }

    /// Counts one latency of a metric in the interval that `at` is in.
    pub fn record(&mut self, at: Duration, metric: &str, latency: Duration) {
        self.measured.row_at(at).record(metric, latency);
        // An interval that has ended is summed up already.
        if self.number_of(at) < self.current.number {
            self.so_far.record(metric, latency);
        }
    }

    /// Counts a send as under way.
    pub fn open_send(&mut self, at: Duration) {
        self.in_flight.begin(at);
    }

    /// Counts a send as under way no longer: it was answered, or given up.
    pub fn close_send(&mut self, at: Duration) {
        self.in_flight.end(at);
    }

    /// Counts a delivery, by the connector that it came through.
    pub fn count_delivery(&mut self, connector: Option<usize>) {
        self.deliveries += 1;
        self.current.deliveries += 1;
        if let Some(connector) = connector {
            self.connectors[connector].1.deliveries += 1;
        }
    }

    /// Counts how long a delivery took, since it was due and since it was sent.
    pub fn record_delivery(&mut self, since_due: Duration, since_sent: Duration) {
        let (planned, raw) = self.current.delays.get_or_insert_default();
        planned.record(since_due);
        raw.record(since_sent);
    }

    /// Counts a fault that showed at this time.
    pub fn fault(&mut self, name: &str, at: Duration, text: impl FnOnce() -> String) {
        let at_us = micros(at);
        match self.measured.faults.get_mut(name) {
            Some(faults) => faults.note(at_us, text),
            None => {
                let faults = self.measured.faults.entry(name.to_owned());
                faults.or_default().note(at_us, text);
            }
        }
    }

    /// Notes a broadcast that is over; `delays` are those of its recipients since it was due, in
    /// microseconds and any order.
    pub fn note_broadcast(&mut self, told: Told, delays: &mut [u32]) {
        let Told {
            mut broadcast,
            last_heard_at,
        } = told;
        delays.sort_unstable();
        if let (Some(first), Some(last)) = (delays.first(), delays.last()) {
            let (first_us, last_us) = (u64::from(*first), u64::from(*last));
            let median_us = u64::from(delays[(delays.len() - 1) / 2]);
            let p99_us = u64::from(delays[(delays.len() * 99).div_ceil(100) - 1]);
            let late_us = broadcast.sent_us.saturating_sub(broadcast.due_us);
            for (metric, raw, us) in [
                ("broadcast.first", "broadcast.first.raw", first_us),
                ("broadcast.median", "broadcast.median.raw", median_us),
                ("broadcast.p99", "broadcast.p99.raw", p99_us),
                ("broadcast.last", "broadcast.last.raw", last_us),
            ] {
                let raw_us = us.saturating_sub(late_us);
                self.record(last_heard_at, metric, Duration::from_micros(us));
                self.record(last_heard_at, raw, Duration::from_micros(raw_us));
            }
            broadcast.delays = Some(Delays {
                first_us,
                median_us,
                p99_us,
                last_us,
            });
        }
        self.measured.note_broadcast(&broadcast);
    }

    /// The number of the connector with this address.
    pub fn connector(&mut self, address: &str) -> usize {
        let known = self.connectors.iter().position(|(it, _)| it == address);
        known.unwrap_or_else(|| {
            self.connectors.push((address.to_owned(), Share::default()));
            self.connectors.len() - 1
        })
    }

    /// Counts a user that came in through a connector.
    pub fn count_user(&mut self, connector: usize) {
        self.connectors[connector].1.users += 1;
    }

    /// Counts an attempt at a step.
    pub fn tried(&mut self, step: &str) {
        self.step(step).tried += 1;
    }

    /// Counts that a step was done, and how long it took.
    pub fn succeeded(&mut self, step: &str, took: Duration) {
        let step = self.step(step);
        step.succeeded += 1;
        step.latencies.record(took);
    }

    /// Counts that a step failed.
    pub fn failed(&mut self, step: &str, why: &str) {
        let failed = &mut self.step(step).failed;
        let is_known = failed.contains_key(why) || failed.len() < REASONS_MAX;
        let why = if is_known { why } else { "other" };
        *failed.entry(why.to_owned()).or_default() += 1;
    }

    fn step(&mut self, name: &str) -> &mut Step {
        self.measured.funnel.entry(name.to_owned()).or_default()
    }

    fn number_of(&self, at: Duration) -> u32 {
        let number = at.as_millis() / self.measured.interval().as_millis();
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    fn close_interval(&mut self, at: Duration) {
        let number = self.current.number;
        let row = self.measured.rows.entry(number).or_default();
        for (name, count) in [
            ("deliveries_total", self.current.deliveries),
            ("sends_open_us", self.in_flight.take(at)),
            ("users_connected", self.connected),
            ("users_entered", self.inside),
        ] {
            row.counts.insert(name.to_owned(), count);
        }
        if let Some((planned, raw)) = self.current.delays.take() {
            row.latencies
                .insert("broadcast".to_owned(), (&planned).into());
            row.latencies
                .insert("broadcast.raw".to_owned(), (&raw).into());
        }
        self.so_far.add(row);
        // A row is kept as long as the run, and hardly anything comes to it any more: a copy takes no more
        // memory than is used, which is half as much.
        for latencies in row.latencies.values_mut() {
            *latencies = latencies.clone();
        }
        self.current.deliveries = 0;
    }
}

/// A time as reports have it.
pub fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}
