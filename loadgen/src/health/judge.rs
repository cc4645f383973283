//! Whether the generator or its machine was the limit of a run, with the figures and what to do about it.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::buckets::Buckets;
use reports::measured::Measured;
use reports::run::{Health, Measure};

use super::limits::{
    LATENESS_MAX, RESENT_MIN, RESENT_SHARE, SECONDS_MIN, SECONDS_SHARE, STALL_MAX,
};
use super::vitals::{Cpu, Machine, Segments, Vitals};
use super::want::Want;
use crate::status::Status;

/// What is known of the generator.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// By how much sends were late.
    pub send_lateness: Buckets,
    /// The counts of the run.
    pub counts: &'a BTreeMap<String, u64>,
    /// Each process that made load, by its name.
    pub processes: &'a BTreeMap<String, Vitals>,
    /// The cluster that is loaded runs in a process of the generator. If that is the only one, it is as
    /// busy as both.
    pub has_cluster: bool,
}

/// What comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why the run says nothing of the cluster, a sentence each; empty if it does.
    pub invalid: Vec<String>,
    /// What else is to be known of its figures, a sentence each.
    pub warnings: Vec<String>,
    /// What was watched, with the limits.
    pub health: Vec<Health>,
}

impl<'a> Seen<'a> {
    /// What is known when a run is over.
    pub fn after(
        measured: &'a Measured,
        processes: &'a BTreeMap<String, Vitals>,
        has_cluster: bool,
    ) -> Self {
        Self {
            send_lateness: measured.latencies("send_lateness"),
            counts: &measured.counts,
            processes,
            has_cluster,
        }
    }

    /// What is known meanwhile.
    pub fn now(status: &'a Status, has_cluster: bool) -> Self {
        let lateness = status.latencies.get("send_lateness");
        Self {
            send_lateness: lateness.cloned().unwrap_or_default(),
            counts: &status.counts,
            processes: &status.processes,
            has_cluster,
        }
    }
}

impl Seen<'_> {
    /// Whether one process is all that belongs to the run, the cluster too.
    fn is_one(&self) -> bool {
        self.has_cluster && self.processes.len() == 1
    }
}

/// Holds what is known against the [limits](super::limits).
pub fn judge(seen: &Seen) -> Findings {
    let mut findings = Findings::default();
    let users = vec![
        sends(&seen.send_lateness),
        want(seen, Want::Ports),
        want(seen, Want::Files),
    ];
    findings.add("all users", users);
    findings.add("machine", machine(seen));
    for (name, vitals) in seen.processes {
        findings.add(name, process(name, vitals, seen.is_one()));
    }
    findings
}

/// One thing that was watched.
struct Finding {
    measure: Measure,
    /// What is wrong, if it is.
    complaint: Option<Complaint>,
}

enum Complaint {
    Invalid(String),
    Warning(String),
}

impl Findings {
    fn add(&mut self, process: &str, findings: Vec<Finding>) {
        let mut measures = Vec::new();
        for Finding { measure, complaint } in findings {
            measures.push(measure);
            match complaint {
                Some(Complaint::Invalid(text)) => self.invalid.push(text),
                Some(Complaint::Warning(text)) => self.warnings.push(text),
                None => {}
            }
        }
        if !measures.is_empty() {
            let process = process.to_owned();
            self.health.push(Health { process, measures });
        }
    }
}

impl Finding {
    /// What has no limit.
    fn told(name: &str, value: u64) -> Self {
        Self::limited(name, value, None, String::new)
    }

    /// What makes a run invalid if it is above its limit.
    fn limited(
        name: &str,
        value: u64,
        limit: Option<u64>,
        complaint: impl FnOnce() -> String,
    ) -> Self {
        let is_above = limit.is_some_and(|limit| value > limit);
        Self {
            measure: Measure {
                name: name.to_owned(),
                value,
                limit,
            },
            complaint: is_above.then(|| Complaint::Invalid(complaint())),
        }
    }

    fn or_warn(mut self, warning: Option<String>) -> Self {
        self.complaint = self.complaint.or(warning.map(Complaint::Warning));
        self
    }
}

fn sends(lateness: &Buckets) -> Finding {
    let p99_us = lateness.quantile_us(0.99);
    Finding::limited(
        "send_late_us_p99",
        p99_us,
        Some(micros(LATENESS_MAX)),
        || {
            format!(
                "{} of the sends left more than {LATENESS_MAX:?} late (p99 {}), so that the load was not \
             that of the plan: end other programs on this machine, lower the rate, or use fewer users",
                late(lateness),
                shown(p99_us),
            )
        },
    )
}

fn want(seen: &Seen, want: Want) -> Finding {
    let count = seen.counts.get(want.count()).copied().unwrap_or_default();
    Finding::limited(want.count(), count, Some(0), || {
        let remedy = match want {
            Want::Ports => {
                "widen the range of ports (net.ipv4.ip_local_port_range), wait until those of an earlier \
                 run are free again, or use fewer users"
            }
            Want::Files => "raise the limit of open files (`ulimit -n`), or use fewer users",
        };
        format!(
            "{count} logins could not be tried, as {}: {remedy}",
            want.why()
        )
    })
}

/// What all processes share: each has seen the same, for about the same time.
fn machine(seen: &Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    let processes = seen.processes;
    let cpus = processes.values().filter_map(|vitals| {
        let cpu = vitals.cpu?;
        Some((cpu.seconds, cpu.machine?))
    });
    if let Some((seconds, machine)) = cpus.max_by_key(|(_, machine)| machine.seconds_full) {
        // Only where all that belongs to the run is one process it is known that others are strangers.
        findings.extend(processors(seconds, &machine, seen.is_one()));
    }
    let segments = processes.values().filter_map(|vitals| vitals.segments);
    if let Some(segments) = segments.max_by_key(|it| it.resent) {
        findings.extend(resent(&segments));
    }
    findings
}

fn processors(seconds: u64, machine: &Machine, is_one: bool) -> Vec<Finding> {
    let limit = seconds_limit(seconds);
    let Machine {
        busy_permille_max,
        seconds_full,
        seconds_crowded,
        others_permille_max,
    } = *machine;
    let full = Finding::told("machine_seconds_full", seconds_full);
    let elsewhere = || {
        format!(
            "the processors of this machine were full for {seconds_full} of {seconds} s: what runs beside \
             the users, the cluster too if it is here, has slowed them and was slowed by them"
        )
    };
    let mut findings = vec![
        Finding::told("machine_busy_permille_max", busy_permille_max),
        full.or_warn((!is_one && seconds_full > limit).then(elsewhere)),
    ];
    if is_one {
        findings.push(Finding::told(
            "machine_others_permille_max",
            others_permille_max,
        ));
        let crowded = || {
            format!(
                "other programs used up to {} of the processors of this machine, which were full for \
                 {seconds_crowded} of {seconds} s: end them and run it again",
                percent(others_permille_max)
            )
        };
        findings.push(Finding::limited(
            "machine_seconds_crowded",
            seconds_crowded,
            Some(limit),
            crowded,
        ));
    }
    findings
}

fn resent(segments: &Segments) -> [Finding; 2] {
    let Segments { sent, resent } = *segments;
    let limit = (sent / RESENT_SHARE).max(RESENT_MIN);
    let complaint = || {
        format!(
            "TCP sent {resent} of {sent} segments again, each at least a fifth of a second late: find out \
             where they are lost (`nstat -az | grep Retrans`), or lower the rate"
        )
    };
    [
        Finding::told("segments_sent", sent),
        Finding::limited("segments_resent", resent, Some(limit), complaint),
    ]
}

fn process(name: &str, vitals: &Vitals, is_one: bool) -> Vec<Finding> {
    let beat = &vitals.beat;
    let p99_us = beat.lateness.quantile_us(0.99);
    let turns = || {
        format!(
            "{} of the turns of tasks in {name} came more than {LATENESS_MAX:?} late (p99 {}), so that \
             messages were heard later than they came{}: end other programs on this machine, use fewer \
             users, or a machine with more processors",
            late(&beat.lateness),
            shown(p99_us),
            vitals.cpu.map_or(String::new(), |cpu| busy(&cpu, vitals)),
        )
    };
    let still = || {
        format!(
            "{name} stood still for {}: it was stopped, or others had its processors; let nothing stop it \
             and run it again",
            shown(beat.stall_us_max)
        )
    };
    let mut findings = vec![
        Finding::limited(
            "loop_late_us_p99",
            p99_us,
            Some(micros(LATENESS_MAX)),
            turns,
        ),
        Finding::limited(
            "stall_us_max",
            beat.stall_us_max,
            Some(micros(STALL_MAX)),
            still,
        ),
        Finding::told("stall_us_total", beat.stalls_us),
    ];
    if let Some(cpu) = &vitals.cpu {
        findings.extend(own_processors(name, cpu, is_one));
    }
    if let Some(files) = vitals.files {
        // That there are none left is seen where one is wanted.
        findings.push(Finding {
            measure: Measure {
                name: "files_open_max".to_owned(),
                value: files.open_max,
                limit: Some(files.limit),
            },
            complaint: None,
        });
    }
    let resident = vitals.resident_bytes_max;
    findings.extend(resident.map(|bytes| Finding::told("resident_bytes_max", bytes)));
    findings
}

fn own_processors(name: &str, cpu: &Cpu, is_one: bool) -> [Finding; 3] {
    let limit = seconds_limit(cpu.seconds);
    let Cpu {
        processors,
        own_us,
        own_permille_max,
        seconds,
        seconds_saturated,
        ..
    } = *cpu;
    let how =
        format!("nearly all of {processors} processors for {seconds_saturated} of {seconds} s");
    let alone = || {
        format!(
            "{name} used {how}, so that messages waited for it: spread the users over more processes or \
             machines, or lower the rate"
        )
    };
    let saturated = Finding::limited(
        "seconds_saturated",
        seconds_saturated,
        (!is_one).then_some(limit),
        alone,
    );
    // Who measures both together has measured them, but as one.
    let together = is_one && seconds_saturated > limit;
    let warning = together.then(|| {
        format!(
            "the cluster and its users, in one process, used {how}: the figures are of both together, and \
             a cluster on a machine of its own is faster"
        )
    });
    [
        Finding::told("cpu_us", own_us),
        Finding::told("cpu_permille_max", own_permille_max),
        saturated.or_warn(warning),
    ]
}

/// How many of so many seconds may be bad.
fn seconds_limit(seconds: u64) -> u64 {
    (seconds / SECONDS_SHARE).max(SECONDS_MIN)
}

/// Who had the processors, as a part of a sentence.
fn busy(cpu: &Cpu, vitals: &Vitals) -> String {
    let all_us = vitals.watched_us * cpu.processors.max(1);
    let own = cpu.own_us * 1000 / all_us.max(1);
    format!(
        " (it had {} of {} processors{})",
        percent(own),
        cpu.processors,
        cpu.machine.map_or(String::new(), |machine| format!(
            ", others up to {}",
            percent(machine.others_permille_max)
        )),
    )
}

/// Which part is later than it may be.
fn late(lateness: &Buckets) -> String {
    let limit_us = micros(LATENESS_MAX);
    let late = lateness.iter().filter(|(us, _)| *us > limit_us);
    let late: u64 = late.map(|(_, count)| count).sum();
    percent(late * 1000 / lateness.count().max(1))
}

fn percent(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

/// A time to the tenth of a millisecond.
fn shown(us: u64) -> String {
    format!("{:.1?}", Duration::from_micros(us))
}

#[cfg(test)]
mod tests;
