//! In what the cluster may be slower than it is, without breaking a promise: what those tools are tried
//! on that have to notice it.
//!
//! A [flaw](crate::policy) breaks a promise, and a check must see that. A drag breaks none: each message
//! still arrives, once and in order, only later. Each is what a change of the servers may well bring
//! along unnoticed. At most one is on, and none unless asked for; then all that it costs is a
//! comparison for each frame.

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// With [`Drag::BatchingTimer`], how long a chat server waits for more before it writes to a link.
pub const BATCHING_TIME: Duration = Duration::from_millis(1);

/// With [`Drag::SlowSend`], how much longer a chat server takes for each `chat.chatHandler.send`.
pub const SLOW_SEND_TIME: Duration = Duration::from_millis(5);

/// One way in which a cluster that keeps its promises is slower than it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Drag {
    /// A message of a client goes to the chat server, back to the connector, and to the chat server
    /// again before anything is done about it.
    ExtraHop,
    /// A chat server waits for a millisecond, for more to come, whenever it has something for a connector.
    BatchingTimer,
    /// A chat server tells an event to one connector after the other, each when the one before has
    /// acknowledged it.
    SerialPushes,
    /// A chat server takes 5 ms longer for each message that is said.
    SlowSend,
}

impl Drag {
    /// What users call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExtraHop => "extra-hop",
            Self::BatchingTimer => "batching-timer",
            Self::SerialPushes => "serial-pushes",
            Self::SlowSend => "slow-send",
        }
    }
}

impl fmt::Display for Drag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drag_has_one_name_in_files_and_on_the_command_line() -> serde_json::Result<()> {
        for drag in Drag::value_variants() {
            let value = drag.to_possible_value();
            assert_eq!(
                value.map(|it| it.get_name().to_owned()),
                Some(drag.to_string())
            );
            assert_eq!(serde_json::to_string(drag)?, format!("\"{drag}\""));
        }
        Ok(())
    }
}
