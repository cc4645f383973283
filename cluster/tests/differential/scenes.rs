//! What the clients do: one script, in scenes that share nothing but the servers.

mod names;
mod protocol;
mod talk;

use crate::script::Step;

pub use talk::{IN_ONE_BREATH, MANY_WORDS, WORDS};

const GATE: &str = "gate-server-1";
const C1: &str = "connector-server-1";
const C2: &str = "connector-server-2";
const C3: &str = "connector-server-3";

/// The script. A connection is used in one scene only.
pub fn all() -> Vec<Step> {
    [
        protocol::handshakes(),
        protocol::gate(),
        protocol::routes(),
        talk::room(),
        talk::contents(),
        talk::order(),
        names::lists(),
        names::duplicates(),
        names::twins(),
        names::second_enters(),
        names::odd_names(),
        names::odd_rooms(),
        protocol::endings(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
