//! A user of a published client: a process of `drivers`, and what it saw that no test has asked
//! for yet.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::program::{Program, Result};

pub const ENTER: &str = "connector.entryHandler.enter";
pub const SEND: &str = "chat.chatHandler.send";

/// What a client is known to do, from its source.
pub struct Client {
    /// The package, and with an ending the driver.
    pub package: &'static str,
    /// Whether it sends the code of a route that has one.
    pub uses_codes: bool,
    /// Whether it says at the connector that it has the gate's protobuf schemas already.
    pub remembers_schemas: bool,
    /// Whether it can read characters beyond U+FFFF in protobuf.
    pub reads_beyond_first_plane: bool,
}

pub const CLIENTS: [Client; 5] = [
    // It looks for codes in `this.dict` and has put them into `this.data.dict`. Its reader of
    // protobuf text, `decodeStr`, knows no sequence of four bytes.
    Client {
        package: "pomelo-client-websocket",
        uses_codes: false,
        remembers_schemas: false,
        reads_beyond_first_plane: false,
    },
    // As above with the codes. It reads protobuf with the server's code, which is right.
    Client {
        package: "pomelo-nodejsclient-websocket",
        uses_codes: false,
        remembers_schemas: false,
        reads_beyond_first_plane: true,
    },
    Client {
        package: "pinus-robot-plugin",
        uses_codes: true,
        remembers_schemas: false,
        reads_beyond_first_plane: true,
    },
    // It reads pushes with `protobuf.decodeStr`, which only the server's protobuf has: it takes
    // base64, and bytes for what they are. In a browser this client works without protobuf only.
    Client {
        package: "pomelo-jsclient-websocket",
        uses_codes: true,
        remembers_schemas: true,
        reads_beyond_first_plane: true,
    },
    Client {
        package: "pypomelo",
        uses_codes: true,
        remembers_schemas: false,
        reads_beyond_first_plane: true,
    },
];

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
    /// The client is on its way into the room `lobby` then, through the gate at `port`.
    pub fn start(client: &'static Client, port: u16) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_clients");
        let name = format!("user-of-{}", client.package);
        let mut command = if client.package == "pypomelo" {
            let python = folder.join("venv/bin/python");
            assert!(
                python.exists(),
                "pypomelo is not here: run `python3 -m venv cluster/tests/real_clients/venv` and \
                 `cluster/tests/real_clients/venv/bin/pip install --require-hashes \
                 --requirement cluster/tests/real_clients/requirements.txt`"
            );
            let mut command = Command::new(python);
            command.arg(folder.join("drivers/pypomelo_client.py"));
            command
        } else {
            assert!(
                folder.join("node_modules").join(client.package).is_dir(),
                "{} is not here: run `npm ci --prefix cluster/tests/real_clients`",
                client.package
            );
            let mut command = Command::new("node");
            command.arg(folder.join(format!("drivers/{}.js", client.package)));
            command
        };
        command.args([&format!("127.0.0.1:{port}"), &name, "lobby"]);
        Ok(Self {
            program: Program::start(&name, &mut command)?,
            name,
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
        let mut wanted = vec![handshake];
        for (route, code) in [(SEND, 1), (ENTER, 2)] {
            let sent = |route: Value| json!({"event": "sent", "at": "connector", "route": route});
            wanted.push(sent(if uses_codes {
                code.into()
            } else {
                route.into()
            }));
        }
        for (route, format) in [
            ("onAdd", "json"),
            ("onLeave", "json"),
            ("onChat", "protobuf"),
        ] {
            wanted
                .push(json!({"event": "got", "at": "connector", "route": route, "format": format}));
        }
        for event in &self.wire {
            let is_of_interest = wanted
                .iter()
                .any(|wanted| wanted["event"] == event["event"]);
            if event["at"] == "connector" && is_of_interest {
                assert!(wanted.contains(event), "{event} at {}", self.name);
            }
        }
        // The one who entered last saw nobody come, and who left first nobody go.
        let common = wanted.iter().filter(|event| event["format"] != "json");
        for event in common {
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

fn fits(event: &Value, wanted: &Value) -> bool {
    let mut fields = wanted.as_object().into_iter().flatten();
    fields.all(|(name, value)| event.get(name) == Some(value))
}
