//! What a script is made of: what clients do, step by step, down to the byte.

use bytes::Bytes;
use cluster::wire::message::{self, Route};
use cluster::wire::package::{self, PackageType};
use serde_json::{Value, json};

/// The name of a connection in a script.
pub type Conn = &'static str;

pub const QUERY: &str = "gate.gateHandler.queryEntry";
pub const ENTER: &str = "connector.entryHandler.enter";
pub const SEND: &str = "chat.chatHandler.send";

/// Some actions, after which the player waits until all that they caused has arrived.
pub struct Step {
    pub name: &'static str,
    pub actions: Vec<Action>,
}

pub enum Action {
    /// Connects, shakes hands, and goes on with the session if the server does.
    Open {
        conn: Conn,
        server: &'static str,
        /// The body of the handshake.
        hello: String,
    },
    /// Asks under the next id of that connection.
    Ask {
        conn: Conn,
        route: Route,
        body: Vec<u8>,
    },
    /// Writes these bytes: a package, or what is none.
    Write { conn: Conn, bytes: Bytes },
    /// From here on this is how the player knows that it has seen all.
    Fence(Conn, Fence),
    /// Waits until the connection has been told of it.
    Sees {
        conn: Conn,
        route: &'static str,
        user: &'static str,
        /// Only the original tells it of that; see `differences.rs`.
        at_original: bool,
    },
    /// Ends the connection from the client's side.
    Close(Conn),
}

/// How it is known that a connection has been told all that concerns it. See `player.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// It is in no room: its own connector or gate answers it.
    Here,
    /// The chat server of its room answers it, but it hears nothing from there.
    Chat,
    /// It says something in its room and hears itself.
    Room,
    /// The original reads nothing more from it after an exception. Elsewhere as `Here`.
    Unread,
}

impl Step {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            actions: Vec::new(),
        }
    }

    /// A connection that knows nothing yet.
    pub fn open(self, conn: Conn, server: &'static str) -> Self {
        let hello = json!({"sys": {"type": "js-websocket", "version": "0.0.1"}, "user": {}});
        self.open_with(conn, server, &hello.to_string())
    }

    pub fn open_with(mut self, conn: Conn, server: &'static str, hello: &str) -> Self {
        let hello = hello.to_owned();
        self.actions.push(Action::Open {
            conn,
            server,
            hello,
        });
        self
    }

    pub fn ask(self, conn: Conn, route: &str, body: Value) -> Self {
        self.ask_raw(conn, route, body.to_string())
    }

    /// As `ask`, with a body that need not be JSON.
    pub fn ask_raw(self, conn: Conn, route: &str, body: impl Into<Vec<u8>>) -> Self {
        self.ask_by(conn, Route::Name(route.into()), body.into())
    }

    /// As `ask`, with a code of the route dictionary.
    pub fn ask_code(self, conn: Conn, code: u16, body: Value) -> Self {
        self.ask_by(conn, Route::Code(code), body.to_string().into())
    }

    fn ask_by(mut self, conn: Conn, route: Route, body: Vec<u8>) -> Self {
        self.actions.push(Action::Ask { conn, route, body });
        self
    }

    pub fn notify(self, conn: Conn, route: &str, body: Value) -> Self {
        let route = Route::Name(route.into());
        let package = message::encode_notify((&route).into(), body.to_string().as_bytes());
        self.write(conn, package)
    }

    /// A message as a data package.
    pub fn message(self, conn: Conn, message: &[u8]) -> Self {
        self.write(conn, package::encode(PackageType::Data, message))
    }

    pub fn write(mut self, conn: Conn, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        self.actions.push(Action::Write { conn, bytes });
        self
    }

    /// Enters a room, which both clusters allow.
    pub fn enter(self, conn: Conn, name: &str, room: &str) -> Self {
        self.ask(conn, ENTER, json!({"username": name, "rid": room}))
            .fence(conn, Fence::Room)
    }

    /// Says something to `target`.
    pub fn say(self, conn: Conn, content: &str, target: &str) -> Self {
        self.ask(conn, SEND, json!({"content": content, "target": target}))
    }

    pub fn fence(mut self, conn: Conn, fence: Fence) -> Self {
        self.actions.push(Action::Fence(conn, fence));
        self
    }

    /// From here on the original reads nothing more from it.
    pub fn unread(self, conn: Conn) -> Self {
        self.fence(conn, Fence::Unread)
    }

    /// Ends the connection of `user`, and waits until `witness` has been told.
    pub fn leave(self, conn: Conn, user: &'static str, witness: Conn) -> Self {
        self.close(conn).sees(witness, "onLeave", user)
    }

    pub fn sees(self, conn: Conn, route: &'static str, user: &'static str) -> Self {
        self.sees_at(conn, route, user, false)
    }

    /// What this cluster does not tell, on purpose.
    pub fn original_sees(self, conn: Conn, route: &'static str, user: &'static str) -> Self {
        self.sees_at(conn, route, user, true)
    }

    fn sees_at(
        mut self,
        conn: Conn,
        route: &'static str,
        user: &'static str,
        at_original: bool,
    ) -> Self {
        self.actions.push(Action::Sees {
            conn,
            route,
            user,
            at_original,
        });
        self
    }

    pub fn close(mut self, conn: Conn) -> Self {
        self.actions.push(Action::Close(conn));
        self
    }
}
