//! What must hold for any bytes, as functions that panic if it does not.
//!
//! libFuzzer calls them with bytes of its own making (`fuzz_targets`), and the tests of `cluster`
//! with those that it found to matter (`corpus`).

pub mod connection;
pub mod message;
pub mod network;
pub mod outcome;
pub mod package;
pub mod protobuf;
pub mod schema;
pub mod story;
pub mod written;
