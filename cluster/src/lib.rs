//! Gate, connector and chat servers that Pomelo clients talk to, and a client for them.
pub mod census;
pub mod limits;
pub mod net;
pub mod options;
pub mod topology;
