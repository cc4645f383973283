//! What comes from the servers, and how it is written down.

use cluster::wire::body;
use cluster::wire::message::{self, Message, MessageKind, Route};
use cluster::wire::package::{Package, PackageType};
use cluster::wire::protobuf::Schema;
use serde_json::Value;
use tokio::time::timeout_at;

use super::{FENCE_TEXT, Player, Session};
use crate::program::{PATIENCE, Result};
use crate::script::Conn;
use crate::transcript::canonical;

impl Player<'_> {
    /// Takes what comes next from any connection.
    pub(super) async fn next(&mut self, otherwise: &str) -> Result {
        let Ok(event) = timeout_at(self.deadline, self.events.recv()).await else {
            let told = &self.told;
            return Err(format!("{otherwise} within {PATIENCE:?}; until then: {told:?}").into());
        };
        let (conn, package) = event.expect("the player has a sender itself");
        let told = self.told.entry(conn).or_default();
        // What comes after the script has closed a connection is nobody's.
        let Some(session) = self.conns.get_mut(conn) else {
            return Ok(());
        };
        match package {
            Some(package) => self.take(conn, &package)?,
            None => {
                told.session
                    .push("the server ends the connection".to_owned());
                told.silence.extend(session.silence());
                self.conns.remove(conn);
            }
        }
        Ok(())
    }

    fn take(&mut self, conn: Conn, package: &Package) -> Result {
        let line = match package.kind {
            PackageType::Heartbeat => return Ok(()),
            PackageType::Data => {
                let message = message::decode(package.body.clone())?;
                return self.take_message(conn, &message);
            }
            PackageType::Handshake => {
                let body: Value = serde_json::from_slice(&package.body)?;
                let protos = body["sys"]["protos"]["server"].clone();
                if protos.is_object() {
                    self.protos = Some(Schema::from_parsed(protos)?);
                }
                self.session(conn)?.has_shaken_hands = true;
                format!("handshake {}", canonical(&body))
            }
            PackageType::Kick => format!("kick {}", canonical(&json_of(&package.body))),
            PackageType::HandshakeAck => "an ack, which no server sends".to_owned(),
        };
        self.told.entry(conn).or_default().session.push(line);
        Ok(())
    }

    fn take_message(&mut self, conn: Conn, message: &Message) -> Result {
        match (&message.kind, &message.route) {
            (MessageKind::Response, _) => self.take_answer(conn, message),
            (MessageKind::Push, Some(Route::Name(route))) => {
                let body = match &self.protos {
                    // An empty body, which the original sends when it cannot write one, is `{}`.
                    Some(protos) if protos.encodes(route) => protos.decode(route, &message.body)?,
                    _ => json_of(&message.body),
                };
                let said = body["msg"].as_str().unwrap_or_default();
                if said.starts_with(FENCE_TEXT) {
                    let session = self.session(conn)?;
                    session.awaits_text.take_if(|text| text == said);
                } else {
                    let told = self.told.entry(conn).or_default();
                    told.heard.push((None, push(route, &body)));
                }
                Ok(())
            }
            _ => Err(format!("{conn} was told {message:?}").into()),
        }
    }

    fn take_answer(&mut self, conn: Conn, message: &Message) -> Result {
        let servers = self.servers;
        let session = self.session(conn)?;
        if session.awaits_answer == Some(message.id) {
            session.awaits_answer = None;
            // Who was not heard does not hear himself.
            if message.body != "{}" {
                session.awaits_text = None;
            }
            return Ok(());
        }
        let index = session.open.iter().position(|(id, _)| *id == message.id);
        let asked = match index.and_then(|index| session.open.remove(index)) {
            Some((_, asked)) => asked,
            None => format!("an answer to {}, which was not asked,", message.id),
        };
        let mut answer = json_of(&message.body);
        if let Some(server) = answer["port"]
            .as_u64()
            .and_then(|port| servers.server(port))
        {
            answer["port"] = server.into();
        }
        let told = self.told.entry(conn).or_default();
        let line = format!("{asked} -> {}", canonical(&answer));
        told.heard.push((Some(message.id), line));
        Ok(())
    }
}

impl Session {
    /// The questions that have no answer yet, and now get none.
    pub(super) fn silence(&mut self) -> impl Iterator<Item = String> {
        let open = self.open.drain(..);
        open.map(|(_, asked)| format!("{asked} -> silence"))
    }
}

/// A push as the transcript has it.
pub(super) fn push(route: &str, body: &Value) -> String {
    format!("{route} {}", canonical(body))
}

/// Halves of surrogate pairs, which the original writes as escapes, cannot be held by text here.
fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| body::decode(body))
}
