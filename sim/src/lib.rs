//! The cluster in a simulated network, with faults and checks.
pub mod fault;
pub mod guarantees;
pub mod record;
