//! What the servers are told besides their addresses.

use std::sync::LazyLock;
use std::time::Duration;

use crate::config::Place;
use crate::limits;
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
            outbox_len: limits::OUTBOX_LEN,
            handshake_patience: limits::HANDSHAKE_PATIENCE,
            vocabulary: Vocabulary::default(),
            duplicate_login: DuplicateLogin::Refuse,
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
