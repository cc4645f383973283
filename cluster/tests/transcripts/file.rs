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
    Ok(Transcript {
        file: String::from(file),
        steps: layout
            .steps_with_events()
            .map_err(|error| format!("{file}: {error}"))?,
        auto_heartbeats: layout.auto_heartbeats,
        connections: layout.conns,
    })
}

/// A file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Layout {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "description")]
    _description: Option<IgnoredAny>,
    #[serde(rename = "recorded_on")]
    _recorded_on: Option<IgnoredAny>,
    #[serde(rename = "config")]
    _config: Config,
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
    #[serde(default, deserialize_with = "hex")]
    hex: Option<Bytes>,
    #[serde(default, deserialize_with = "hex")]
    hex_head: Option<Bytes>,
    bytes: Option<u64>,
    #[serde(default, deserialize_with = "hex")]
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
        let action = match (self.dir, self.event) {
            (Direction::ToServer, None) => Action::Send {
                frame: self.frame(transport)?,
                payload: self.whole()?,
                fragments: self.fragments.clone(),
            },
            (Direction::ToServer, Some(Change::Open)) => Action::Open,
            (Direction::ToServer, Some(Change::Close)) => Action::Close,
            (Direction::ToClient, None) => {
                let (frame, payload) = (self.frame(transport)?, self.payload()?);
                return Ok(Happened::Server(Seen::Message { frame, payload }));
            }
            (Direction::ToClient, Some(Change::Close)) => {
                return Ok(Happened::Server(Seen::Closed));
            }
            (Direction::ToClient, Some(Change::Open)) => return Err("servers open no connections"),
        };
        Ok(Happened::Client(action))
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
fn hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bytes>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digit = |byte: &u8| Some(char::from(*byte).to_digit(16)? as u8);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    let bytes: Option<Bytes> = text.as_bytes().chunks(2).map(byte).collect();
    let bytes = bytes.ok_or_else(|| D::Error::custom("pairs of hex digits were expected"))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOOD: &str = r#"{
        "name": "good", "config": "default", "auto_heartbeats": true,
        "conns": {"a": {"transport": "ws", "server": "connector-1"}},
        "steps": [{"step": 1, "what": "a speaks"}, {"step": 2, "what": "end", "teardown": true}],
        "events": [
            {"t_ms": 0, "step": 1, "conn": "a", "dir": "c2s", "event": "open"},
            {"t_ms": 5, "step": 1, "conn": "a", "dir": "c2s", "frame": "binary", "hex": "03000000"},
            {"t_ms": 9, "step": 2, "conn": "a", "dir": "c2s", "event": "close"}
        ]
    }"#;

    #[test]
    fn a_file_of_another_layout_is_refused_with_the_place() {
        for (place, value, expected) in [
            ("/why", json!(1), "why: unknown field"),
            ("/config", json!("no heartbeats"), "config: unknown variant"),
            ("/steps/0/why", json!(1), "steps[0].why: unknown field"),
            ("/steps/1/step", json!(1), "steps[1]: out of order"),
            ("/steps/0/teardown", json!(true), "steps[1]: out of order"),
            ("/conns/a/why", json!(1), "conns.a.why: unknown field"),
            ("/events/1/why", json!(1), "events[1].why: unknown field"),
            ("/events/1/conn", json!("b"), "events[1]: its connection"),
            ("/events/0/dir", json!("s2c"), "events[0]: servers open"),
            ("/events/0/step", json!(7), "events[0]: its step"),
            ("/events/1/step", json!(0), "events[1]: out of order"),
            ("/events/1/hex", json!("0x"), "events[1].hex: pairs of hex"),
            ("/events/1/hex", json!("030"), "events[1].hex: pairs of hex"),
            ("/events/1/fragments", json!([1, 2]), "events[1]: its frag"),
            ("/events/0/event", json!(null), "events[0]: WebSocket"),
            ("/conns/a/transport", json!("tcp"), "events[1]: WebSocket"),
            ("/events", json!([]), "nothing happens"),
        ] {
            let mut file: Value = serde_json::from_str(GOOD).unwrap();
            let (parent, name) = place.rsplit_once('/').unwrap();
            file.pointer_mut(parent).unwrap()[name] = value;
            let error = parse("brought.json", &file.to_string()).unwrap_err();
            let expected = format!("brought.json: {expected}");
            assert!(error.starts_with(&expected), "{error}, not {expected}");
        }
        for (from, to, expected) in [
            ("\"hex\"", "\"decoded\"", "events[1]: neither"),
            ("\"name\": \"good\",", "", "missing field `name`"),
            ("}\n        ]", "", "events: EOF"),
        ] {
            let error = parse("brought.json", &GOOD.replace(from, to)).unwrap_err();
            let expected = format!("brought.json: {expected}");
            assert!(error.starts_with(&expected), "{error}, not {expected}");
        }
    }

    #[test]
    fn a_folder_is_refused_by_name_if_it_has_none_or_one_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |path: &Path| {
            let error = transcripts(path).unwrap_err();
            let place = path.display().to_string();
            assert!(error.starts_with(&place), "{error}");
            error
        };
        fs::write(folder.path().join("notes.txt"), "not one of them").unwrap();
        assert!(refusal(folder.path()).ends_with(": no files named *.json"));
        refusal(&folder.path().join("missing"));
        let file = folder.path().join("one.json");
        fs::write(&file, b"\xFF").unwrap();
        assert!(refusal(folder.path()).starts_with(&file.display().to_string()));
        fs::write(&file, GOOD).unwrap();
        assert_eq!(transcripts(folder.path()).unwrap().len(), 1);
    }
}
