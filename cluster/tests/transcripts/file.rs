//! Reads recordings from their files. What is wrong with one is said with the way to it, such as
//! `events[3].hex`. Fields that are not known are refused: they may change what the others mean.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::hex;
use crate::payload::Payload;
use crate::transcript::{Action, Event, Frame, Happened, Peer, Seen, Step, Transcript, Transport};

/// Reads all files of a folder that end in `.json`, in the order of their names.
///
/// # Errors
///
/// The folder cannot be read or has none, or a file is not laid out as a transcript. The text names
/// the file, and the field if there is one.
pub fn transcripts(folder: &Path) -> Result<Vec<Transcript>, String> {
    let shown = folder.display();
    let entries = fs::read_dir(folder).map_err(|error| format!("{shown}: {error}"))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{shown}: {error}"))?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(format!("{shown}: no files named *.json"));
    }
    paths.sort();
    paths.iter().map(|path| transcript(path)).collect()
}

/// Reads one file.
///
/// # Errors
///
/// It cannot be read or is not laid out as a transcript, as above.
pub fn transcript(path: &Path) -> Result<Transcript, String> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    parse(&shown, &text)
}

/// Reads the text of `file`.
///
/// # Errors
///
/// It is not laid out as a transcript. The message begins with `file` and names the field.
pub fn parse(file: &str, text: &str) -> Result<Transcript, String> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let layout: Layout = serde_path_to_error::deserialize(&mut parser)
        .map_err(|error| format!("{file}: {error}"))?;
    parser.end().map_err(|error| format!("{file}: {error}"))?;
    let steps = layout.steps_with_events();
    Ok(Transcript {
        file: String::from(file),
        steps: steps.map_err(|error| format!("{file}: {error}"))?,
        auto_heartbeats: layout.auto_heartbeats,
        connections: layout.conns,
    })
}

/// A file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "some fields only have to be right")]
struct Layout {
    name: String,
    description: Option<IgnoredAny>,
    recorded_on: Option<IgnoredAny>,
    config: Config,
    auto_heartbeats: bool,
    conns: BTreeMap<String, Peer>,
    steps: Vec<StepLayout>,
    events: Vec<EventLayout>,
}

/// Others are not replayed.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Config {
    Default,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepLayout {
    step: u64,
    what: String,
    #[serde(default)]
    teardown: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLayout {
    t_ms: u64,
    step: u64,
    conn: String,
    dir: Direction,
    event: Option<Change>,
    frame: Option<Frame>,
    #[serde(default, deserialize_with = "bytes")]
    hex: Option<Bytes>,
    #[serde(default, deserialize_with = "bytes")]
    hex_head: Option<Bytes>,
    bytes: Option<u64>,
    #[serde(default, deserialize_with = "bytes")]
    sha256: Option<Bytes>,
    #[serde(default)]
    fragments: Vec<usize>,
    decoded: Option<Value>,
}

#[derive(Clone, Copy, Deserialize)]
enum Direction {
    #[serde(rename = "c2s")]
    ToServer,
    #[serde(rename = "s2c")]
    ToClient,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Open,
    Close,
}

impl Layout {
    /// All steps but the tear-down.
    fn steps_with_events(&self) -> Result<Vec<Step>, String> {
        for (index, pair) in self.steps.windows(2).enumerate() {
            if pair[0].step >= pair[1].step || pair[0].teardown {
                return Err(format!("steps[{}]: out of order", index + 1));
            }
        }
        let steps = self.steps.iter().map(|step| Step {
            number: step.step,
            what: step.what.clone(),
            events: Vec::new(),
        });
        let mut steps: Vec<Step> = steps.collect();
        let mut latest = 0;
        for (index, event) in self.events.iter().enumerate() {
            let wrong = |what| format!("events[{index}]: {what}");
            if event.step < latest {
                return Err(wrong("out of order"));
            }
            latest = event.step;
            let step = steps.iter_mut().find(|step| step.number == event.step);
            let step = step.ok_or_else(|| wrong("its step is not listed"))?;
            let peer = self.conns.get(&event.conn);
            let peer = peer.ok_or_else(|| wrong("its connection is not listed"))?;
            step.events.push(Event {
                at: Duration::from_millis(event.t_ms),
                connection: event.conn.clone(),
                happened: event.happened(peer.transport).map_err(wrong)?,
            });
        }
        if self.steps.last().is_some_and(|last| last.teardown) {
            steps.pop();
        }
        if steps.iter().all(|step| step.events.is_empty()) {
            return Err(String::from("nothing happens"));
        }
        Ok(steps)
    }
}

impl EventLayout {
    fn happened(&self, transport: Transport) -> Result<Happened, &'static str> {
        Ok(match self.dir {
            Direction::ToServer => Happened::Client(match self.event {
                Some(Change::Open) => Action::Open,
                Some(Change::Close) => Action::Close,
                None => Action::Send {
                    frame: self.frame(transport)?,
                    payload: self.whole()?,
                    fragments: self.fragments.clone(),
                },
            }),
            Direction::ToClient => Happened::Server(match self.event {
                Some(Change::Open) => return Err("servers open no connections"),
                Some(Change::Close) => Seen::Closed,
                None => Seen::Message {
                    frame: self.frame(transport)?,
                    payload: self.payload()?,
                },
            }),
        })
    }

    fn frame(&self, transport: Transport) -> Result<Frame, &'static str> {
        match (transport, self.frame) {
            (Transport::WebSocket, Some(frame)) => Ok(frame),
            (Transport::Tcp, None) => Ok(Frame::Binary),
            _ => Err("WebSocket messages have a frame, and nothing else has"),
        }
    }

    fn payload(&self) -> Result<Payload, &'static str> {
        if let Some(hex) = &self.hex {
            return Ok(Payload::Whole(hex.clone()));
        }
        let (Some(head), Some(len), Some(sha256)) = (&self.hex_head, self.bytes, &self.sha256)
        else {
            return Err("neither event nor hex nor all of hex_head, bytes and sha256");
        };
        let digest = Payload::Digest {
            head: head.clone(),
            len,
            sha256: sha256.clone(),
        };
        Ok(digest.made_up(self.decoded.as_ref()))
    }

    /// The bytes of a payload that has to be sent.
    fn whole(&self) -> Result<Bytes, &'static str> {
        let Payload::Whole(whole) = self.payload()? else {
            return Err("the rest of this payload cannot be made up");
        };
        let has_fragments = !self.fragments.is_empty();
        if has_fragments && self.fragments.iter().sum::<usize>() != whole.len() {
            return Err("its fragments are not as long as its payload");
        }
        Ok(whole)
    }
}

/// Bytes in hex.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bytes>, D::Error> {
    let bytes = hex::unhex(&String::deserialize(deserializer)?);
    let bytes = bytes.ok_or_else(|| D::Error::custom("pairs of hex digits were expected"))?;
    Ok(Some(bytes.into()))
}
