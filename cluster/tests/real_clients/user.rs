//! A user of a published client: a process of `drivers`, and what it saw that no test has asked
//! for yet.

use serde_json::{Value, json};

use crate::clients::Client;
use crate::cluster::Cluster;
use crate::program::{Program, Result};

pub const ENTER: &str = "connector.entryHandler.enter";
pub const SEND: &str = "chat.chatHandler.send";

pub struct User {
    pub name: String,
    /// What the client told its user.
    pub unseen: Vec<Value>,
    /// What went over its connections.
    wire: Vec<Value>,
    client: &'static Client,
    program: Program,
}

impl User {
    /// The client is on its way into the room `lobby` then.
    pub fn start(client: &'static Client, cluster: &Cluster) -> Result<Self> {
        Self::named(client, &format!("user-of-{}", client.package), cluster)
    }

    /// The same as `name`.
    pub fn named(client: &'static Client, name: &str, cluster: &Cluster) -> Result<Self> {
        let mut command = client.command()?;
        let gate = format!("127.0.0.1:{}", cluster.gate);
        command.args([&gate, name, "lobby"]);
        if client.package == "pomelo" {
            command.arg(&cluster.page);
        }
        Ok(Self {
            program: Program::start(name, &mut command)?,
            name: name.to_owned(),
            unseen: Vec::new(),
            wire: Vec::new(),
            client,
        })
    }

    pub async fn say(&mut self, target: &str, text: &str) -> Result {
        let command = json!({"say": text, "to": target});
        self.program.tell(&command.to_string()).await
    }

    /// The answer to the next send.
    pub async fn answered(&mut self, body: &Value) -> Result {
        let answer = self.answer_to(SEND).await?;
        assert_eq!(answer, *body, "to {}", self.name);
        Ok(())
    }

    pub async fn answer_to(&mut self, route: &str) -> Result<Value> {
        let event = json!({"event": "response", "route": route});
        Ok(self.sees(event).await?["body"].take())
    }

    pub async fn sees_push(&mut self, route: &str, body: &Value) -> Result {
        self.sees(json!({"event": "push", "route": route, "body": body}))
            .await?;
        Ok(())
    }

    /// Closes the connection; what came until then is unseen.
    pub async fn leave(&mut self) -> Result {
        for line in self.program.last_lines().await? {
            self.take(&line)?;
        }
        let status = self.program.ended().await?;
        assert_eq!(status.code(), Some(0), "{} ended badly", self.name);
        Ok(())
    }

    /// What arrives of `😀!` from this client.
    pub fn writes_smile(&self) -> &'static str {
        if self.client.writes_beyond_first_plane {
            "😀!"
        } else {
            "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}!"
        }
    }

    /// How this client reads `text` in an `onChat`.
    pub fn reads(&self, text: &str) -> String {
        if !self.client.reads_beyond_first_plane {
            // The first three bytes of four as one character, and the fourth with what follows.
            return text.replace("😀!", "\u{7D8}!");
        }
        text.to_owned()
    }

    /// What it was told, the routes that it sent, and the format in which it got pushes.
    pub fn spoke_as_expected(&self) {
        let Client {
            uses_codes,
            remembers_schemas,
            ..
        } = *self.client;
        let handshake = json!({
            "event": "handshake", "at": "connector", "heartbeat": 1,
            "useDict": true, "dict": true, "useProto": true, "protos": !remembers_schemas,
        });
        let sent = |route: &str, code: u16| {
            let route = if uses_codes {
                json!(code)
            } else {
                json!(route)
            };
            json!({"event": "sent", "at": "connector", "route": route})
        };
        let got = |route: &str, format: &str| json!({"event": "got", "at": "connector", "route": route, "format": format});
        let wanted = [
            handshake,
            sent(SEND, 1),
            sent(ENTER, 2),
            got("onChat", "protobuf"),
            got("onAdd", "json"),
            got("onLeave", "json"),
        ];
        for event in &self.wire {
            if event["event"] == "console" {
                let text = event["text"].as_str().unwrap_or_default();
                assert!(is_usual(text), "{text} on the console of {}", self.name);
            }
            let is_spoken = wanted.iter().any(|one| one["event"] == event["event"]);
            if event["at"] == "connector" && is_spoken {
                assert!(wanted.contains(event), "{event} at {}", self.name);
            }
        }
        // The last two not of everybody: some saw nobody come, or nobody go.
        for event in &wanted[..4] {
            assert!(self.wire.contains(event), "no {event} at {}", self.name);
        }
    }

    /// Waits for an event that has all that `wanted` has, and takes it from those unseen.
    async fn sees(&mut self, wanted: Value) -> Result<Value> {
        loop {
            if let Some(found) = self.unseen.iter().position(|event| fits(event, &wanted)) {
                return Ok(self.unseen.remove(found));
            }
            self.next(&wanted).await?;
        }
    }

    /// Waits for one more event of that kind on the connection to the connector.
    pub async fn sees_on_the_wire(&mut self, wanted: Value) -> Result {
        let begin = self.wire.len();
        while !self.wire[begin..].iter().any(|event| fits(event, &wanted)) {
            self.next(&wanted).await?;
        }
        Ok(())
    }

    async fn next(&mut self, wanted: &Value) -> Result {
        let line = self.program.line().await.map_err(|error| {
            let Self {
                name, unseen, wire, ..
            } = &self;
            format!("{name} never saw {wanted}, but {unseen:?}, and on the wire {wire:?}: {error}")
        })?;
        self.take(&line)
    }

    fn take(&mut self, line: &str) -> Result {
        let event: Value = serde_json::from_str(line)?;
        match event["event"].as_str() {
            Some("response" | "push") => self.unseen.push(event),
            _ => self.wire.push(event),
        }
        Ok(())
    }
}

/// Whether the browser's client writes that to the console as an error whenever a connection ends.
pub fn is_usual(text: &str) -> bool {
    text.starts_with("socket close: ")
}

fn fits(event: &Value, wanted: &Value) -> bool {
    let mut fields = wanted.as_object().into_iter().flatten();
    fields.all(|(name, value)| event.get(name) == Some(value))
}
