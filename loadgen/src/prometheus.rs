//! A status as Prometheus reads it: its text format, version 0.0.4. All is in base units (seconds, bytes),
//! counters end in `_total`, and what is of one process says which. [`endpoint`] serves it.

pub mod endpoint;
mod text;

use std::collections::BTreeMap;

use reports::buckets::Buckets;

use crate::fanout::FAULTS;
use crate::health::vitals::Vitals;
use crate::health::{self, Seen};
use crate::status::Status;
use text::{Kind, Text};

/// What is counted besides faults, and what of.
const COUNTS: [(&str, &str); 15] = [
    (
        "broadcasts_unjudged",
        "Messages forgotten before it was known what became of them",
    ),
    (
        "deliveries_expected",
        "Messages that were owed to members, each to each",
    ),
    (
        "deliveries_total",
        "Messages that members heard, each by each",
    ),
    (
        "deliveries_unjudged",
        "Messages heard of which it was not known any more to whom they were owed",
    ),
    (
        "files_exhausted",
        "Logins that could not be tried for want of a file of this process",
    ),
    ("logins_failed", "Logins that failed before enter"),
    ("logins_refused", "Logins that were answered with no"),
    ("logins_total", "Logins that were begun"),
    (
        "notices_expected",
        "Comings and goings that were owed to members",
    ),
    ("notices_total", "Comings and goings that members were told"),
    (
        "notices_unjudged",
        "Comings and goings forgotten before it was known what became of them",
    ),
    (
        "ports_exhausted",
        "Logins that could not be tried for want of a port of this machine",
    ),
    ("sends_accepted", "Messages that were answered with success"),
    ("sends_total", "Messages that were sent"),
    ("users_entered", "Users that were in a room at some time"),
];

/// Latencies, and from what to what.
const LATENCIES: [(&str, &str); 10] = [
    (
        "broadcast",
        "From when a message was due to its receipt by each member",
    ),
    (
        "broadcast.first",
        "From when a message was due to its receipt by the first member",
    ),
    (
        "broadcast.median",
        "From when a message was due to its receipt by half of the members",
    ),
    (
        "broadcast.p99",
        "From when a message was due to its receipt by 99 of 100 members",
    ),
    (
        "broadcast.last",
        "From when a message was due to its receipt by the last member",
    ),
    (
        "broadcast.last.raw",
        "From when a message was sent to its receipt by the last member",
    ),
    ("request", "From when a message was due to its answer"),
    ("request.raw", "From when a message was sent to its answer"),
    ("login", "From when a login was due to the answer of enter"),
    (
        "send_lateness",
        "From when a message was due to when it was sent",
    ),
];

/// The text of a run that is so far. `has_cluster` says that the cluster runs in the process of the
/// users.
pub fn exposition(status: &Status, has_cluster: bool) -> String {
    let mut text = Text::default();
    write_run(&mut text, status, has_cluster);
    for (name, help) in COUNTS {
        let short = name.strip_suffix("_total").unwrap_or(name);
        let mut family = text.family(&format!("{short}_total"), Kind::Counter, help);
        family.put(&[], status.count(name) as f64);
    }
    let mut faults = text.family("faults_total", Kind::Counter, "What was not as promised");
    for fault in FAULTS {
        faults.put(&[("fault", fault)], status.count(fault) as f64);
    }
    for (metric, help) in LATENCIES {
        if let Some(latencies) = status.latencies.get(metric) {
            let name = format!("{}_seconds", metric.replace('.', "_"));
            let mut family = text.family(&name, Kind::Histogram, help);
            family.put_histogram(&[], latencies);
        }
    }
    write_processes(&mut text, &status.processes);
    text.end()
}

fn write_run(text: &mut Text, status: &Status, has_cluster: bool) {
    let mut gauge = |name, help, value: f64| text.family(name, Kind::Gauge, help).put(&[], value);
    let elapsed_s = status.elapsed_us as f64 / 1e6;
    gauge("elapsed_seconds", "Since the start of the run", elapsed_s);
    let is_valid = health::judge(&Seen::now(status, has_cluster))
        .invalid
        .is_empty();
    let help = "1 as long as neither the generator nor its machine was the limit";
    gauge("valid", help, f64::from(u8::from(is_valid)));
    let help = "Messages that were due, as far as the plan lets one expect";
    let mut planned = text.family("sends_planned_total", Kind::Counter, help);
    planned.put(&[], status.sends_planned as f64);
    let users = status.users;
    let mut family = text.family("users", Kind::Gauge, "Users, by where they are now");
    for (state, count) in [
        ("logging_in", users.logging_in),
        ("entering", users.entering),
        ("inside", users.inside),
    ] {
        family.put(&[("state", state)], count as f64);
    }
}

/// One value of a process; `None` where its system does not tell it.
type Value = fn(&Vitals) -> Option<f64>;

/// What is told of each process.
const OF_PROCESSES: [(&str, Kind, &str, Value); 9] = [
    (
        "process_cpu_seconds_total",
        Kind::Counter,
        "Time of processors that the process used while it was watched",
        |it| Some(it.cpu?.own_us as f64 / 1e6),
    ),
    (
        "process_cpu_ratio",
        Kind::Gauge,
        "Which part of the processors that it may use it used in the last second",
        |it| Some(it.cpu?.own_permille as f64 / 1000.0),
    ),
    (
        "process_resident_max_bytes",
        Kind::Gauge,
        "The most memory that the process had",
        |it| Some(it.resident_bytes_max? as f64),
    ),
    (
        "process_open_files_max",
        Kind::Gauge,
        "The most files that the process had open",
        |it| Some(it.files?.open_max as f64),
    ),
    (
        "process_open_files_limit",
        Kind::Gauge,
        "How many files the process may have open",
        |it| Some(it.files?.limit as f64),
    ),
    (
        "process_stalled_seconds_total",
        Kind::Counter,
        "For how long no task of the process came to its turn in time",
        |it| Some(it.beat.stalls_us as f64 / 1e6),
    ),
    (
        "process_stall_max_seconds",
        Kind::Gauge,
        "The longest time for which no task of the process came to its turn",
        |it| Some(it.beat.stall_us_max as f64 / 1e6),
    ),
    (
        "machine_tcp_segments_total",
        Kind::Counter,
        "TCP segments that the machine of the process sent",
        |it| Some(it.segments?.sent as f64),
    ),
    (
        "machine_tcp_segments_resent_total",
        Kind::Counter,
        "TCP segments that the machine of the process sent again, but for those that open connections",
        |it| Some(it.segments?.resent as f64),
    ),
];

fn write_processes(text: &mut Text, processes: &BTreeMap<String, Vitals>) {
    for (name, kind, help, value) in OF_PROCESSES {
        let values = processes.iter();
        let mut values = values
            .filter_map(|(name, it)| Some((name, value(it)?)))
            .peekable();
        if values.peek().is_some() {
            let mut family = text.family(name, kind, help);
            for (process, value) in values {
                family.put(&[("process", process)], value);
            }
        }
    }
    if !processes.is_empty() {
        let help = "By how much tasks of the process came late to their turn";
        let mut family = text.family("process_lateness_seconds", Kind::Histogram, help);
        for (process, vitals) in processes {
            let lateness: &Buckets = &vitals.beat.lateness;
            family.put_histogram(&[("process", process)], lateness);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::threshold;

    #[test]
    fn every_latency_that_a_plan_can_demand_is_told() {
        let told: Vec<_> = LATENCIES.map(|(name, _)| name).into();
        assert_eq!(told, threshold::LATENCIES);
    }

    #[test]
    fn every_count_that_a_plan_can_demand_is_told() {
        let told = exposition(&Status::default(), false);
        for name in threshold::COUNTS {
            if threshold::AT_THE_END.contains(&name) {
                continue;
            }
            let short = name.strip_suffix("_total").unwrap_or(name);
            let count = format!("\nloadgen_{short}_total 0\n");
            let fault = format!("\nloadgen_faults_total{{fault=\"{name}\"}} 0\n");
            assert!(told.contains(&count) || told.contains(&fault), "{name}");
        }
    }
}
