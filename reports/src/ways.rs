//! The ways that messages took in simulated runs: `ways.jsonl` in the folder of a sweep, from which two
//! builds are compared.
//!
//! One line for each run, in the order of the sweep: a JSON object, [`Run`]. `ways.schema.json` beside this
//! crate's sources describes a line for other programs. Times are microseconds of virtual time since the
//! start of the run; the simulation notes them in whole milliseconds. A line has at most
//! [`DELIVERIES_MAX`] deliveries, about 1 MB: the messages that are sent later are counted
//! ([`Run::left_out`]) and still in the hash of the trace, so that no difference goes unnoticed.
//!
//! What is said to one user has the same form as what is said to all.

mod file;

use serde::{Deserialize, Serialize};

pub use file::{WaysError, Writer, read};

/// The version of a line.
pub const SCHEMA: u32 = 1;

/// The file in the folder of a sweep.
pub const WAYS_JSONL: &str = "ways.jsonl";

/// Most deliveries that are told of one run.
pub const DELIVERIES_MAX: usize = 20_000;

/// One simulated run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The command line that does this run again, without a program before it: `sim run ...`.
    pub command: String,
    /// The hash of what was drawn (servers, users, faults), in hexadecimal: of runs that differ in it
    /// other things were asked.
    pub drawn: String,
    /// The hash of all that happened, in hexadecimal: runs that have one hash are the same event by
    /// event.
    pub hash: String,
    /// How many events that was.
    pub events: u64,
    /// Why it broke off, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broke_off: Option<String>,
    /// In the order in which they were sent.
    pub messages: Vec<Message>,
    /// Messages that are not told, because they were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// One message that a user sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its name: `u3.1.2` is the second message of the first login of user 3.
    pub message: String,
    /// When its sender sent it.
    pub sent_us: u64,
    /// When its sender had the answer of success, if it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_us: Option<u64>,
    /// When its sender had another answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_us: Option<u64>,
    /// From server to server, in the order of time.
    pub hops: Vec<Hop>,
    /// From servers to users, in the order of time.
    pub deliveries: Vec<Delivery>,
}

/// A message left one server for another: `[5104000, "connector-server-1", "chat-server-2"]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop(
    /// When, in microseconds.
    pub u64,
    /// Where it left.
    pub String,
    /// Where it went.
    pub String,
);

/// A message left a connector for a user, who got it: `["u9", "connector-server-2", 5112000, 5120000]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery(
    /// The user: `u9` is number 9.
    pub String,
    /// The connector; empty if what it wrote was not seen.
    pub String,
    /// When it left there, in microseconds; `null` as above.
    pub Option<u64>,
    /// When the user had it, in microseconds; `null` if that never came about.
    pub Option<u64>,
);

fn is_zero(count: &u64) -> bool {
    *count == 0
}
