//! A recorded session: who connected where, and what was sent each way, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::event::{Event, Happened, Seen};
use crate::field::Field;

/// The ports that clients of the original connected to. They are seen only in its answers to
/// `queryEntry`.
pub const CONNECTOR_PORTS: [u16; 3] = [13050, 13051, 13052];

/// One file.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// The file that it was read from.
    pub file: String,
    /// What it calls itself.
    pub name: String,
    /// The recorder kept sessions alive, and did not write it down.
    pub auto_heartbeats: bool,
    /// The recorder's connections, by the names that it gave them.
    pub connections: BTreeMap<String, Peer>,
    /// What it did, one after the other. The tear-down is left out: nothing is expected of it.
    pub steps: Vec<Step>,
}

/// What a connection leads to, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub transport: Transport,
    pub server: Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    WebSocket,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Gate,
    /// By its index, from 0.
    Connector(usize),
}

/// Some actions of the recorder and all that came of them: it waited before it went on.
#[derive(Clone, Debug)]
pub struct Step {
    pub number: u64,
    pub what: String,
    pub events: Vec<Event>,
}

impl Transcript {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// It is not laid out as a transcript. The message begins with `file` and names the field.
    pub fn read(file: &str, text: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| format!("{file}: not JSON: {error}"))?;
        let transcript = Self::parse(&Field::root(&value));
        let mut transcript = transcript.map_err(|error| format!("{file}: {error}"))?;
        transcript.file = String::from(file);
        Ok(transcript)
    }

    fn parse(file: &Field<'_>) -> Result<Self, String> {
        file.knows_only(&[
            "name",
            "description",
            "recorded_on",
            "config",
            "auto_heartbeats",
            "conns",
            "steps",
            "events",
        ])?;
        let config = file.get("config")?;
        if config.text()? != "default" {
            return Err(config.wrong("only recordings with the default configuration are replayed"));
        }
        let mut connections = BTreeMap::new();
        for (label, peer) in file.get("conns")?.members()? {
            connections.insert(label, Peer::parse(&peer)?);
        }
        let mut transcript = Self {
            file: String::new(),
            name: file.get("name")?.text()?.to_owned(),
            auto_heartbeats: file.get("auto_heartbeats")?.truth()?,
            connections,
            steps: Vec::new(),
        };
        transcript.parse_steps(file)?;
        Ok(transcript)
    }

    fn parse_steps(&mut self, file: &Field<'_>) -> Result<(), String> {
        let mut teardowns = BTreeSet::new();
        for step in file.get("steps")?.elements()? {
            step.knows_only(&["step", "what", "teardown"])?;
            let number = step.get("step")?.number()?;
            let is_next = self.steps.last().is_none_or(|last| last.number < number);
            if !is_next || !teardowns.is_empty() {
                return Err(step.wrong("a step is out of order"));
            }
            match step.optional("teardown") {
                Some(teardown) if teardown.truth()? => {
                    teardowns.insert(number);
                }
                _ => self.steps.push(Step {
                    number,
                    what: step.get("what")?.text()?.to_owned(),
                    events: Vec::new(),
                }),
            }
        }
        let mut latest = 0;
        for field in file.get("events")?.elements()? {
            let (number, event) = Event::parse(&field, &self.connections)?;
            if number < latest {
                return Err(field.wrong("an event is out of order"));
            }
            latest = number;
            if teardowns.contains(&number) {
                continue;
            }
            let step = self.steps.iter_mut().find(|step| step.number == number);
            step.ok_or_else(|| field.wrong("an event of a step that is not listed"))?
                .events
                .push(event);
        }
        if self.steps.iter().all(|step| step.events.is_empty()) {
            return Err(file.get("events")?.wrong("nothing happens"));
        }
        Ok(())
    }
}

impl Transcript {
    /// Whether the same was done and came of it, whenever and wherever that was written down.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        let without_place = |transcript: &Self| {
            let mut transcript = transcript.clone();
            transcript.file.clear();
            for event in transcript
                .steps
                .iter_mut()
                .flat_map(|step| &mut step.events)
            {
                event.at = Duration::ZERO;
            }
            format!("{transcript:?}")
        };
        without_place(self) == without_place(other)
    }
}

impl Step {
    /// What the server says in it on one connection.
    pub fn expected(&self, connection: &str) -> Vec<Seen> {
        let of_it = self
            .events
            .iter()
            .filter(|event| event.connection == connection);
        let seen = of_it.filter_map(|event| match &event.happened {
            Happened::Server(seen) => Some(seen.clone()),
            Happened::Client(_) => None,
        });
        seen.collect()
    }
}

impl Peer {
    fn parse(field: &Field<'_>) -> Result<Self, String> {
        field.knows_only(&["transport", "server"])?;
        let transport = field.get("transport")?;
        let server = field.get("server")?;
        Ok(Self {
            transport: match transport.text()? {
                "tcp" => Transport::Tcp,
                "ws" => Transport::WebSocket,
                _ => return Err(transport.wrong("unknown transport")),
            },
            server: match server.text()? {
                "gate" => Server::Gate,
                "connector-1" => Server::Connector(0),
                "connector-2" => Server::Connector(1),
                "connector-3" => Server::Connector(2),
                _ => return Err(server.wrong("unknown server")),
            },
        })
    }
}
