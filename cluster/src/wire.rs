//! The bytes between client and server, in the layers that Pomelo gives them.
//!
//! A [`package`] is type, length and body; the body of a data package is a [`message`]: kind, id,
//! route and body; a message's body is JSON ([`body`]) or [`protobuf`]. The [`handshake`] says
//! which routes are protobuf, and which have a number in the [`dictionary`]; both together are the
//! [`vocabulary`] of a connection. What a message means is the handlers' business.

pub mod body;
pub mod dictionary;
pub mod handshake;
mod javascript;
pub mod message;
pub mod package;
pub mod protobuf;
pub mod vocabulary;
