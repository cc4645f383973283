//! Gate, connector and chat servers that Pomelo clients talk to, and a client for them.
pub mod census;
pub mod client;
pub mod connection;
pub mod limits;
pub mod net;
pub mod options;
pub mod topology;
mod websocket;
pub mod wire;
