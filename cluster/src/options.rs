//! What the servers are told besides their addresses.

use std::sync::LazyLock;
use std::time::Duration;

use crate::config::Place;
use crate::drag::Drag;
use crate::limits::{self, OUTBOX_BURST};
use crate::policy::{Flaw, HANGING_REQUEST_DEADLINE, Policy};
use crate::wire::vocabulary::Vocabulary;

/// Settings that all servers of one cluster share.
#[derive(Clone, Debug)]
pub struct Options {
    /// Interval of client heartbeats at the connector; a session that sends none for twice as
    /// long is closed. Pomelo's chat example uses 3 s.
    pub heartbeat: Duration,
    /// Longest time until a request is answered, with success or an error.
    pub request_deadline: Duration,
    /// How long a link between connector and chat may be down before the chat server gives up
    /// the connector's sessions and the connector kicks them. Shorter than `request_deadline`,
    /// so that a send that waits for a dead connector is still answered with success.
    pub lease: Duration,
    /// The secret that servers show each other; a peer without it is turned away.
    pub token: String,
    /// Longest package body taken from a client, in bytes.
    pub package_body_len_max: usize,
    /// Most sessions at one frontend.
    pub sessions_max: usize,
    /// Most packages waiting for one client before it is kicked as too slow.
    pub session_queue_len: usize,
    /// The same in bytes.
    pub session_queue_bytes: usize,
    /// Packages that a connector puts into its sessions' queues in one [`ROUND`](limits::ROUND), from
    /// which on it writes to each client once in a round. No file sets it; a simulated cluster has
    /// too few users for the default.
    pub busy_round: usize,
    /// Frames that one end of a link writes in one [`ROUND`](limits::ROUND), from which on what it writes
    /// waits for more. As of `busy_round`, no file sets it.
    pub busy_link: usize,
    /// Most frames of one link that wait for their acknowledgement.
    pub outbox_len: usize,
    /// Time from a connection to its finished handshake.
    pub handshake_patience: Duration,
    /// Route dictionary and protobuf schemas that connectors tell their clients; together they must
    /// fit a handshake (see [`Answers::new`](crate::wire::handshake::Answers::new)). A gate has the
    /// schemas only, as in Pomelo's chat example.
    pub vocabulary: Vocabulary,
    /// What becomes of an `enter` whose name is taken in that room.
    pub duplicate_login: DuplicateLogin,
    /// In what the servers are worse than they could be. For simulations; no file sets it.
    pub policy: Policy,
    /// In what the servers are slower than they could be. For trying what measures them; no file sets
    /// it.
    pub drag: Option<Drag>,
}

/// What happens when a name that is in a room enters it once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DuplicateLogin {
    /// The second session gets an error, as from the original.
    #[default]
    Refuse,
    /// The first session is kicked; the others see it leave and the second come.
    Replace,
}

impl DuplicateLogin {
    /// Each, by what users call it.
    pub const NAMES: [(&str, Self); 2] = [("refuse", Self::Refuse), ("replace", Self::Replace)];

    /// What users call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Replace => "replace",
        }
    }
}

impl Options {
    /// The default without a dictionary and schemas, which come from the configuration.
    pub(crate) fn without_vocabulary() -> Self {
        Self {
            heartbeat: Duration::from_secs(3),
            request_deadline: Duration::from_secs(3),
            lease: Duration::from_secs(2),
            token: String::from("development"),
            package_body_len_max: limits::PACKAGE_BODY_LEN_MAX,
            sessions_max: limits::SESSIONS_MAX,
            session_queue_len: limits::SESSION_QUEUE_LEN,
            session_queue_bytes: limits::SESSION_QUEUE_BYTES,
            busy_round: limits::BUSY_ROUND,
            busy_link: limits::BUSY_LINK,
            outbox_len: limits::OUTBOX_LEN,
            handshake_patience: limits::HANDSHAKE_PATIENCE,
            vocabulary: Vocabulary::default(),
            duplicate_login: DuplicateLogin::Refuse,
            policy: Policy::hardened(),
            drag: None,
        }
    }

    /// The longest time until a connector answers a request.
    pub(crate) fn answer_within(&self) -> Duration {
        if self.policy.has(Flaw::RequestHangs) {
            HANGING_REQUEST_DEADLINE
        } else {
            self.request_deadline
        }
    }
}

/// What Pomelo's chat example has: the shipped configuration.
impl Default for Options {
    fn default() -> Self {
        static SHIPPED: LazyLock<Options> = LazyLock::new(|| {
            let config = Place::built_in().load("development");
            config.expect("the shipped files are sound").options
        });
        SHIPPED.clone()
    }
}

/// What must hold for settings beyond each one's own range, and does not, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Clash {
    /// The heartbeat is no number of whole seconds.
    #[error(
        "{} is not a number of whole seconds, as which clients are told it: write such as \"3s\"",
        written(*heartbeat)
    )]
    Heartbeat {
        /// As it is.
        heartbeat: Duration,
    },
    /// The lease is not shorter than the deadline of requests.
    #[error(
        "a lease of {} is not shorter than a requestDeadline of {}: {LEASE_REMEDY}",
        written(*lease),
        written(*request_deadline)
    )]
    Lease {
        /// As it is.
        lease: Duration,
        /// As it is.
        request_deadline: Duration,
    },
    /// The queue of a session does not hold the longest package.
    #[error(
        "a sessionQueueBytes of {queue_bytes} is less than a packageBodyLenMax of {body_len_max}: \
         raise the one or lower the other, else one long message cuts off who has another to read"
    )]
    SessionQueue {
        /// As it is.
        queue_bytes: usize,
        /// As it is.
        body_len_max: usize,
    },
    /// The outbox does not hold what is told when a connector dies.
    #[error(
        "{OUTBOX_BURST} times an outboxLen of {outbox_len} is not more than twice a sessionsMax of \
         {sessions_max}: raise outboxLen or lower sessionsMax, else the death of one connector cuts \
         off the others, which are told of each of its sessions at once"
    )]
    Outbox {
        /// As it is.
        outbox_len: usize,
        /// As it is.
        sessions_max: usize,
    },
}

impl Clash {
    /// The settings that it is about, as `app.json` calls them, the more likely culprit first.
    pub fn settings(&self) -> &'static [&'static str] {
        match self {
            Self::Heartbeat { .. } => &["heartbeat"],
            Self::Lease { .. } => &["lease", "requestDeadline"],
            Self::SessionQueue { .. } => &["sessionQueueBytes", "packageBodyLenMax"],
            Self::Outbox { .. } => &["sessionsMax", "outboxLen"],
        }
    }
}

impl Options {
    /// All that does not go together: servers told so would not keep their promises.
    pub fn clashes(&self) -> Vec<Clash> {
        let &Self {
            heartbeat,
            request_deadline,
            lease,
            package_body_len_max: body_len_max,
            sessions_max,
            session_queue_bytes: queue_bytes,
            outbox_len,
            ..
        } = self;
        let rules = [
            (
                heartbeat.subsec_nanos() == 0,
                Clash::Heartbeat { heartbeat },
            ),
            (
                lease < request_deadline,
                Clash::Lease {
                    lease,
                    request_deadline,
                },
            ),
            (
                queue_bytes >= body_len_max,
                Clash::SessionQueue {
                    queue_bytes,
                    body_len_max,
                },
            ),
            (
                OUTBOX_BURST * outbox_len > 2 * sessions_max,
                Clash::Outbox {
                    outbox_len,
                    sessions_max,
                },
            ),
        ];
        let broken = rules.into_iter().filter(|(holds, _)| !holds);
        broken.map(|(_, clash)| clash).collect()
    }
}

/// What to do about a lease that is not shorter than the request deadline, and why.
pub const LEASE_REMEDY: &str = "shorten the one or lengthen the other, else a request that waits \
                                for a dead server is answered too early";

/// Reads `2s`, `500ms` or `1m`, from 1 ms (timers are no finer) to 60 minutes (nobody waits longer
/// for a server, and sums of such times never overflow a clock).
pub fn parse_time(text: &str) -> Option<Duration> {
    let range = Duration::from_millis(1)..=Duration::from_secs(60 * 60);
    let time = humantime::parse_duration(text).ok();
    time.filter(|time| range.contains(time))
}

/// Writes a time as [`parse_time`] reads it.
pub fn written(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_with_a_unit() {
        for (text, time) in [
            ("2s", Duration::from_secs(2)),
            ("500ms", Duration::from_millis(500)),
            ("60m", Duration::from_secs(3600)),
            ("1m 30s", Duration::from_secs(90)),
        ] {
            assert_eq!(parse_time(text), Some(time), "{text}");
            assert_eq!(parse_time(&written(time)), Some(time), "{text}");
        }
        for wrong in [
            "",
            "s",
            "2",
            "0s",
            "-2s",
            "2h",
            "61m",
            "999us",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }
}
