//! Gate, connector and chat servers that Pomelo clients talk to, and a client for them.
//!
//! In the order in which a message meets them:
//!
//! - [`client`]: the client's end, which load generator and tests use
//! - [`wire`]: packages, messages, handshakes and bodies, as bytes
//! - [`connection`], [`websocket`]: one client connection, raw TCP or WebSocket
//! - [`net`]: the network below it, real or simulated
//! - [`frontend`], [`gate`], [`connector`]: the servers that clients reach
//! - [`dispatch`]: where a route leads
//! - [`link`]: between connector and chat
//! - [`chat`]: the server that owns rooms
//! - [`queue`]: the last stop before a client
//! - [`process`], [`embedded`]: the servers of one process, started and stopped
//! - [`signals`]: who asks a program to stop
//!
//! Beside them: [`config`] and [`topology`] (which servers there are), [`options`] and [`limits`]
//! (what they are told), [`policy`] and [`drag`] (in what they may be worse, or slower), [`serving`] (tasks), [`census`] (what
//! they hold), [`marks`] (which rare paths they took), [`causes`] (of errors).

pub mod causes;
pub mod census;
pub mod chat;
pub mod client;
pub mod config;
pub mod connection;
pub mod connector;
pub mod dispatch;
pub mod drag;
pub mod embedded;
pub mod frontend;
pub mod gate;
pub mod limits;
pub mod link;
pub mod marks;
pub mod net;
pub mod options;
pub mod policy;
pub mod process;
pub mod queue;
pub mod serving;
pub mod signals;
pub mod topology;
pub mod websocket;
pub mod wire;
