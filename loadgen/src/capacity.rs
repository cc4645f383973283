//! The highest rate of sends that a cluster carries at a given latency, and how sure that is.
//!
//! Each trial is a whole load test of its own at one rate: all log in, send and leave, and everything is
//! checked that a load test checks. So what broke at one rate is not in the way at the next, and a
//! trial says the same whenever it is run. In reading order: [`search`] (which rate is next), [`scaled`] (a plan
//! at that rate), [`judge`] (what came of it) with [`little`], [`hunt`] (from the first trial to the
//! answer), [`usl`] (throughput as a law of what is under way). On real clusters: [`program`] (the command),
//! [`runner`] (one trial), [`own`] (a cluster for who has none) and [`cpu`] (what it cost).

pub mod cpu;
pub mod hunt;
pub mod judge;
pub mod little;
pub mod own;
pub mod program;
pub mod runner;
pub mod scaled;
pub mod search;
pub mod usl;
