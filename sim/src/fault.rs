//! What can go wrong in a simulated run, as data: a list of faults with times, drawn or written
//! down before the run and printed with it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use loadgen::time_text;
use serde::{Deserialize, Serialize};

use crate::clock::clock;
use crate::kinds::FaultKind;

/// One thing that happens to the simulated hosts or to the network between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Fault {
    /// The process on `host` dies.
    Crash {
        /// Where.
        host: String,
        /// Its peers see the end of their streams; otherwise (a power cut) they see nothing until
        /// the host is back and answers their next bytes with a reset.
        goodbye: bool,
    },
    /// The process on `host` is asked to stop, as by a supervisor: it says goodbye and ends.
    Stop {
        /// Where.
        host: String,
    },
    /// The process on `host` starts again. One that has not ended is killed first.
    Restart {
        /// Where.
        host: String,
    },
    /// The process on `host` stands still; its sockets stay open.
    Pause {
        /// Where.
        host: String,
    },
    /// The process on `host` goes on.
    Resume {
        /// Where.
        host: String,
    },
    /// What is sent between the two waits for the release.
    Hold {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// What was held is delivered.
    Release {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// What is sent between the two is lost.
    Partition {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// What `from` sends to `to` is lost; the other direction works.
    PartitionOneway {
        /// The sending host.
        from: String,
        /// The receiving host.
        to: String,
    },
    /// Ends a partition of either kind. What was lost stays lost.
    Repair {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// From now on the way between the two takes this long.
    Latency {
        /// One host.
        a: String,
        /// The other.
        b: String,
        /// One way.
        #[serde(with = "time_text")]
        latency: Duration,
    },
    /// Every connection between the two is reset: whoever reads or writes is told at once.
    Reset {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// The process on `host` gets to what it is woken for only so much later.
    Slow {
        /// Where.
        host: String,
        /// From each waking of a task to its turn, in whole milliseconds.
        #[serde(with = "time_text")]
        delay: Duration,
    },
    /// The process on `host` is as quick as ever.
    Quick {
        /// Where.
        host: String,
    },
    /// A user takes no more than so many bytes a second from each of its connections.
    Throttle {
        /// The user's number.
        user: u32,
        /// At least 1.
        bytes_per_s: u32,
    },
    /// A user takes what comes.
    Unthrottle {
        /// The user's number.
        user: u32,
    },
}

/// As long as a step of a simulation: what takes less takes nothing.
const TIME_MIN: Duration = Duration::from_millis(1);
/// What takes longer is no slowness: links are given up over it, as over a hold.
const TIME_MAX: Duration = Duration::from_millis(200);

/// A fault and when it happens, since the start of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// When.
    #[serde(with = "time_text")]
    pub at: Duration,
    /// What.
    pub fault: Fault,
    /// The kind of trouble that it is part of, if it is more than the fault itself says: a stop
    /// that is one of a stutter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<FaultKind>,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Fault::Crash { host, .. }
            | Fault::Stop { host }
            | Fault::Restart { host }
            | Fault::Pause { host }
            | Fault::Resume { host }
            | Fault::Quick { host } => write!(out, "{name:9}  {host}"),
            Fault::Slow { host, delay } => write!(out, "{name:9}  {host}  {delay:?}"),
            Fault::Throttle { user, bytes_per_s } => {
                write!(out, "{name:9}  user {user}  {bytes_per_s} bytes/s")
            }
            Fault::Unthrottle { user } => write!(out, "{name:9}  user {user}"),
            Fault::Hold { a, b }
            | Fault::Release { a, b }
            | Fault::Partition { a, b }
            | Fault::Reset { a, b }
            | Fault::Repair { a, b } => write!(out, "{name:9}  {a} | {b}"),
            Fault::PartitionOneway { from, to } => write!(out, "{name:9}  {from} -> {to}"),
            Fault::Latency { a, b, latency } => write!(out, "{name:9}  {a} | {b}  {latency:?}"),
        }
    }
}

impl Fault {
    fn name(&self) -> &'static str {
        match self {
            Fault::Crash { goodbye: true, .. } => "crash",
            Fault::Crash { goodbye: false, .. } => "power-cut",
            Fault::Stop { .. } => "stop",
            Fault::Restart { .. } => "restart",
            Fault::Pause { .. } => "pause",
            Fault::Resume { .. } => "resume",
            Fault::Hold { .. } => "hold",
            Fault::Release { .. } => "release",
            Fault::Partition { .. } => "partition",
            Fault::PartitionOneway { .. } => "one-way",
            Fault::Repair { .. } => "repair",
            Fault::Latency { .. } => "latency",
            Fault::Reset { .. } => "reset",
            Fault::Slow { .. } => "slow",
            Fault::Quick { .. } => "quick",
            Fault::Throttle { .. } => "throttle",
            Fault::Unthrottle { .. } => "unthrottle",
        }
    }

    /// The server or the ends of the link that it happens to; none for what happens to a user.
    pub fn hosts(&self) -> Vec<&str> {
        match self {
            Fault::Crash { host, .. }
            | Fault::Stop { host }
            | Fault::Restart { host }
            | Fault::Pause { host }
            | Fault::Resume { host }
            | Fault::Slow { host, .. }
            | Fault::Quick { host } => vec![host],
            Fault::Hold { a, b }
            | Fault::Release { a, b }
            | Fault::Partition { a, b }
            | Fault::PartitionOneway { from: a, to: b }
            | Fault::Repair { a, b }
            | Fault::Latency { a, b, .. }
            | Fault::Reset { a, b } => vec![a, b],
            Fault::Throttle { .. } | Fault::Unthrottle { .. } => Vec::new(),
        }
    }

    /// Why it makes no sense anywhere, if it does not.
    pub fn senseless(&self) -> Option<&'static str> {
        match self {
            Fault::Throttle { bytes_per_s: 0, .. } => Some("at least 1 byte must come each second"),
            Fault::Latency { latency, .. } | Fault::Slow { delay: latency, .. }
                if !(TIME_MIN..=TIME_MAX).contains(latency) =>
            {
                Some(
                    "a time here is at least 1ms and at most 200ms; what takes longer is a hold or a pause",
                )
            }
            _ => match self.hosts()[..] {
                [a, b] if a == b => Some("a link has two ends"),
                _ => None,
            },
        }
    }

    /// The user that it happens to, if it does.
    pub fn user(&self) -> Option<u32> {
        match self {
            Fault::Throttle { user, .. } | Fault::Unthrottle { user } => Some(*user),
            _ => None,
        }
    }

    /// The kind of trouble that it is by itself; `None` for what ends one, and for a latency, which
    /// may be more or less than before: whoever plans it knows.
    pub fn kind(&self) -> Option<FaultKind> {
        match self {
            Fault::Crash { goodbye: true, .. } => Some(FaultKind::Crash),
            Fault::Crash { goodbye: false, .. } => Some(FaultKind::PowerCut),
            Fault::Stop { .. } => Some(FaultKind::Stop),
            Fault::Pause { .. } => Some(FaultKind::Pause),
            Fault::Hold { .. } => Some(FaultKind::Hold),
            Fault::Partition { .. } => Some(FaultKind::Cut),
            Fault::PartitionOneway { .. } => Some(FaultKind::OneWay),
            Fault::Reset { .. } => Some(FaultKind::Reset),
            Fault::Slow { .. } => Some(FaultKind::SlowHost),
            Fault::Throttle { .. } => Some(FaultKind::SlowReader),
            Fault::Restart { .. }
            | Fault::Resume { .. }
            | Fault::Release { .. }
            | Fault::Repair { .. }
            | Fault::Latency { .. }
            | Fault::Quick { .. }
            | Fault::Unthrottle { .. } => None,
        }
    }

    /// The latency that it sets, if it does.
    pub fn latency(&self) -> Option<Duration> {
        match self {
            Fault::Latency { latency, .. } => Some(*latency),
            _ => None,
        }
    }

    /// How long it holds a host's tasks back each time, if it does.
    pub fn delay(&self) -> Option<Duration> {
        match self {
            Fault::Slow { delay, .. } => Some(*delay),
            _ => None,
        }
    }

    /// What ends this fault; `None` for what needs no end: heals themselves, and latencies.
    pub fn heal(&self) -> Option<Fault> {
        match self.clone() {
            Fault::Crash { host, .. } | Fault::Stop { host } => Some(Fault::Restart { host }),
            Fault::Pause { host } => Some(Fault::Resume { host }),
            Fault::Hold { a, b } => Some(Fault::Release { a, b }),
            Fault::Partition { a, b } => Some(Fault::Repair { a, b }),
            Fault::PartitionOneway { from, to } => Some(Fault::Repair { a: from, b: to }),
            Fault::Slow { host, .. } => Some(Fault::Quick { host }),
            Fault::Throttle { user, .. } => Some(Fault::Unthrottle { user }),
            Fault::Restart { .. }
            | Fault::Resume { .. }
            | Fault::Release { .. }
            | Fault::Repair { .. }
            | Fault::Latency { .. }
            | Fault::Reset { .. }
            | Fault::Quick { .. }
            | Fault::Unthrottle { .. } => None,
        }
    }
}

impl Planned {
    /// `fault` at `at`, part of nothing more.
    pub fn new(at: Duration, fault: Fault) -> Self {
        Self {
            at,
            fault,
            part_of: None,
        }
    }

    /// The kind of trouble that happens with it; `None` for what ends one.
    pub fn kind(&self) -> Option<FaultKind> {
        self.part_of.or_else(|| self.fault.kind())
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}  {}", clock(self.at), self.fault)
    }
}

/// Sorts `plan` by time and adds, at `healed_at`, whatever it leaves unhealed. So each line of a
/// plan can be deleted, and what remains still ends with a cluster that must recover.
pub fn heal_all(plan: &mut Vec<Planned>, healed_at: Duration) {
    plan.retain(|planned| planned.at <= healed_at);
    plan.sort_by_key(|planned| planned.at);
    let mut open = BTreeSet::new();
    for Planned { fault, .. } in &*plan {
        open.remove(fault);
        // Two faults with one heal, such as a hold after a hold, are healed once.
        open.extend(fault.heal());
    }
    plan.extend(open.into_iter().map(|fault| Planned::new(healed_at, fault)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(at_ms: u64, fault: Fault) -> Planned {
        Planned::new(Duration::from_millis(at_ms), fault)
    }

    fn link() -> (String, String) {
        ("connector-server-2".into(), "chat-server-1".into())
    }

    #[test]
    fn a_plan_reads_as_a_table() {
        let (a, b) = link();
        let host = b.clone();
        let plan = [
            planned(4200, Fault::Partition { a, b }),
            planned(
                61_007,
                Fault::Crash {
                    host,
                    goodbye: false,
                },
            ),
        ];
        let lines = plan.map(|planned| planned.to_string());
        assert_eq!(
            lines,
            [
                "00:04.200  partition  connector-server-2 | chat-server-1",
                "01:01.007  power-cut  chat-server-1",
            ]
        );
    }

    #[test]
    fn what_a_plan_leaves_unhealed_is_healed_at_the_end() {
        let (a, b) = link();
        let (from, to) = link();
        let host = b.clone();
        let mut plan = vec![
            planned(
                1,
                Fault::Hold {
                    a: a.clone(),
                    b: b.clone(),
                },
            ),
            planned(3, Fault::PartitionOneway { from, to }),
            planned(
                2,
                Fault::Release {
                    a: a.clone(),
                    b: b.clone(),
                },
            ),
            planned(4, Fault::Pause { host: host.clone() }),
            planned(5, Fault::Resume { host }),
        ];
        heal_all(&mut plan, Duration::from_millis(9));
        assert_eq!(plan.len(), 6);
        assert_eq!(plan[5], planned(9, Fault::Repair { a, b }));
    }
}
