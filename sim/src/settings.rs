//! What servers, users and network of a run are set to: plain values, as they stand in files.

pub mod bounds;

use std::time::Duration;

use cluster::drag::Drag;
use cluster::limits;
use cluster::options::{DuplicateLogin, Options};
use cluster::policy::Policy;
use loadgen::script::Reconnect;
use loadgen::time_text;
use loadgen::user::Patience;
use serde::{Deserialize, Serialize};

use crate::bodies::Bodies;

/// The settings of one scenario. What is not here is as `cluster` has it by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Interval of heartbeats. A third of the cluster's default, so that runs are shorter: a silent
    /// peer is noticed after two of them.
    #[serde(with = "time_text")]
    pub heartbeat: Duration,
    /// Longest time until a request is answered.
    #[serde(with = "time_text")]
    pub request_deadline: Duration,
    /// How long a link may be down.
    #[serde(with = "time_text")]
    pub lease: Duration,
    /// Time from a connection to its finished handshake.
    #[serde(with = "time_text")]
    pub handshake_patience: Duration,
    /// Most packages waiting for one client.
    pub session_queue_len: usize,
    /// Packages in 20 ms from which on a connector writes to each client once in that time: the
    /// cluster's default is more than a scenario's users say.
    pub busy_round: usize,
    /// Frames of a link in 20 ms from which on what it writes waits for more.
    pub busy_link: usize,
    /// Most frames of one link that wait for their acknowledgement.
    pub outbox_len: usize,
    /// What becomes of a second login of a name.
    #[serde(with = "duplicate_login")]
    pub duplicate_login: DuplicateLogin,
    /// Which flaws the servers have, by name.
    pub policy: Policy,
    /// In which way the servers are slower than they are, to try what compares builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drag: Option<Drag>,
    /// How bodies are written.
    pub bodies: Bodies,
    /// How long a user waits for its login. One that was begun before the heal and hangs must not
    /// outlast the time to settle. The longest honest one takes seven round trips of 40 ms.
    #[serde(with = "time_text")]
    pub login_patience: Duration,
    /// How long a user waits for an answer: more than the servers' deadline, so that a late one is
    /// seen.
    #[serde(with = "time_text")]
    pub answer_patience: Duration,
    /// The longest wait of a user who lost its connection, before the first try to come back.
    #[serde(with = "time_text")]
    pub reconnect_base: Duration,
    /// The longest before any.
    #[serde(with = "time_text")]
    pub reconnect_max: Duration,
    /// The window of a simulated stream, in writes, and the most connections that may wait to be
    /// accepted (one more panics the run): at least 64.
    pub tcp_capacity: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let options = Options::default();
        Self {
            heartbeat: Duration::from_secs(1),
            request_deadline: options.request_deadline,
            lease: options.lease,
            handshake_patience: options.handshake_patience,
            session_queue_len: options.session_queue_len,
            busy_round: options.busy_round,
            busy_link: options.busy_link,
            outbox_len: options.outbox_len,
            duplicate_login: options.duplicate_login,
            policy: options.policy,
            drag: options.drag,
            bodies: Bodies::default(),
            login_patience: Duration::from_secs(2),
            answer_patience: Duration::from_secs(5),
            reconnect_base: Duration::from_millis(200),
            reconnect_max: Duration::from_secs(1),
            tcp_capacity: 1024,
        }
    }
}

impl Settings {
    /// For all servers.
    pub fn options(&self) -> Options {
        Options {
            heartbeat: self.heartbeat,
            request_deadline: self.request_deadline,
            lease: self.lease,
            handshake_patience: self.handshake_patience,
            session_queue_len: self.session_queue_len,
            busy_round: self.busy_round,
            busy_link: self.busy_link,
            outbox_len: self.outbox_len,
            duplicate_login: self.duplicate_login,
            policy: self.policy,
            drag: self.drag,
            vocabulary: self.bodies.vocabulary(),
            ..Options::default()
        }
    }

    /// For all users.
    pub fn patience(&self) -> Patience {
        Patience {
            login: self.login_patience,
            answer: self.answer_patience,
            ..Patience::default()
        }
    }

    /// How users come back who lost their connection.
    pub fn reconnect(&self) -> Reconnect {
        Reconnect {
            base: self.reconnect_base,
            max: self.reconnect_max,
        }
    }

    /// Most frames of one link that may wait for their acknowledgement at any moment.
    pub fn outbox_burst(&self) -> usize {
        limits::OUTBOX_BURST * self.outbox_len
    }
}

/// By the names that users of the cluster know.
mod duplicate_login {
    use cluster::options::DuplicateLogin;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(
        value: &DuplicateLogin,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<DuplicateLogin, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut known = DuplicateLogin::NAMES.into_iter();
        let found = known.find(|(name, _)| *name == text);
        found
            .map(|(_, value)| value)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is neither `refuse` nor `replace`")))
    }
}

#[cfg(test)]
mod tests {
    use cluster::policy::Flaw;

    use super::*;

    #[test]
    fn settings_are_read_as_they_were_written() -> serde_json::Result<()> {
        let settings = Settings {
            lease: Duration::from_millis(2500),
            duplicate_login: DuplicateLogin::Replace,
            policy: Policy::hardened().with(Flaw::KickLost),
            bodies: Bodies::AllProtobuf,
            ..Settings::default()
        };
        let text = serde_json::to_string(&settings)?;
        assert_eq!(serde_json::from_str::<Settings>(&text)?, settings);
        Ok(())
    }

    #[test]
    fn what_is_not_set_is_as_ever_and_what_is_unknown_is_an_error() {
        assert_eq!(
            serde_json::from_str::<Settings>("{}").ok(),
            Some(Settings::default())
        );
        let said = serde_json::from_str::<Settings>(r#"{"leese": "1s"}"#).unwrap_err();
        assert!(said.to_string().contains("unknown field `leese`"), "{said}");
    }

    #[test]
    fn the_default_goes_together() {
        // But for sessions and outbox, which are few here.
        let clashes = Settings::default().options().clashes();
        assert_eq!(clashes, []);
    }
}
