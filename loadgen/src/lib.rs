//! Virtual users of a Pomelo-style chat cluster.
pub mod history;
