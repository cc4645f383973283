//! The bytes between client and server, in the layers that Pomelo gives them.
//!
//! A [`package`] is type, length and body; the body of a data package is a [`message`]: kind, id,
//! route and body; a message's [`body`] is JSON. What a message means is the handlers' business.
//!
//! The route dictionary and protobuf bodies are not here yet. The first will turn a
//! [`message::Route::Code`] into a name, the second will stand beside [`body`].

pub mod body;
pub mod handshake;
pub mod message;
pub mod package;
pub mod protobuf;
