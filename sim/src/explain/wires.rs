//! The messages of a run, read from its trace: which bytes that one end of a connection wrote were
//! read at the other, and when.
//!
//! The trace knows ends of connections by number and not which two belong together: an accepted end
//! is matched with the dial from that host whose answer came later, in the order of dialling, and
//! whose first bytes are those that it read. What is written in order is read in order, so a write
//! has arrived with the read that brings its last byte.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loadgen::history::Event;
use serde::Deserialize;
use serde::de::IgnoredAny;

mod logins;

/// What the trace tells of the network and of the servers' rare paths.
#[derive(Debug, Default)]
pub struct Wires {
    /// In the order in which they were sent.
    pub messages: Vec<Message>,
    /// In the order in which they were taken.
    pub marks: Vec<Passed>,
    /// The connections that each login of each user dialled, by number.
    dials: BTreeMap<(u32, u32), Vec<u32>>,
}

/// Some bytes that were written at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The dialled end of its connection: identifies the connection.
    pub connection: u32,
    /// The host that wrote it.
    pub from: String,
    /// The host that it is for.
    pub to: String,
    /// When it was written.
    pub sent_at: Duration,
    /// When its last byte was read, if it was.
    pub read_at: Option<Duration>,
    /// In bytes.
    pub len: usize,
}

/// A rare path that a server took.
#[derive(Clone, Debug)]
pub struct Passed {
    /// When.
    pub at: Duration,
    /// Which server.
    pub host: String,
    /// The name of the mark.
    pub mark: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Network(Entry),
    Mark(MarkEntry),
    User(IgnoredAny),
    Fault(IgnoredAny),
}

#[derive(Deserialize)]
struct Entry {
    at_us: u64,
    host: String,
    #[serde(flatten)]
    event: NetEvent,
}

#[derive(Deserialize)]
struct MarkEntry {
    at_us: u64,
    host: String,
    mark: String,
}

/// Of what a trace holds, what is needed here.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
enum NetEvent {
    Connecting {
        connection: u32,
        peer: String,
    },
    Connected {
        connection: u32,
    },
    Accepted {
        connection: u32,
        peer: String,
    },
    Write {
        connection: u32,
        len: usize,
        hash: u64,
    },
    Read {
        connection: u32,
        len: usize,
        hash: u64,
    },
    #[serde(other)]
    Other,
}

/// One end of a connection.
#[derive(Debug)]
struct End {
    host: String,
    peer: String,
    opened_at: Duration,
    is_dial: bool,
    connected_at: Option<Duration>,
    written: Vec<Bytes>,
    read: Vec<Bytes>,
    other: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Bytes {
    at: Duration,
    len: usize,
    hash: u64,
}

impl Wires {
    /// Reads the lines of `trace`; a run that broke off has no more of them. `gate` is the host that
    /// users ask first.
    pub fn read(
        trace: &[u8],
        history: &[Event],
        hosts: &BTreeMap<u32, String>,
        gate: &str,
    ) -> Self {
        let mut ends = BTreeMap::new();
        let mut marks = Vec::new();
        let lines = trace.split(|byte| *byte == b'\n');
        for line in lines.filter_map(|line| serde_json::from_slice(line).ok()) {
            match line {
                Line::Network(entry) => note(&mut ends, entry),
                Line::Mark(MarkEntry { at_us, host, mark }) => marks.push(Passed {
                    at: Duration::from_micros(at_us),
                    host,
                    mark,
                }),
                Line::User(_) | Line::Fault(_) => {}
            }
        }
        pair(&mut ends);
        let mut messages: Vec<_> = ends
            .iter()
            .flat_map(|(number, end)| messages_of(&ends, *number, end))
            .collect();
        messages.sort_by_key(|message| message.sent_at);
        Self {
            messages,
            marks,
            dials: logins::dials(&ends, history, hosts, gate),
        }
    }

    /// The users whose login a connection belongs to, by the number of its dialled end.
    pub fn users(&self) -> BTreeMap<u32, u32> {
        let dials = self.dials.iter();
        dials
            .flat_map(|((user, _), dials)| dials.iter().map(|dial| (*dial, *user)))
            .collect()
    }

    /// The connection of a login to its connector: the last that it dialled.
    pub fn connection(&self, user: u32, login: u32) -> Option<u32> {
        self.dials.get(&(user, login))?.last().copied()
    }
}

fn note(ends: &mut BTreeMap<u32, End>, entry: Entry) {
    let at = Duration::from_micros(entry.at_us);
    let open = |peer: String, is_dial| End {
        host: entry.host,
        peer,
        opened_at: at,
        is_dial,
        connected_at: None,
        written: Vec::new(),
        read: Vec::new(),
        other: None,
    };
    match entry.event {
        NetEvent::Connecting { connection, peer } => {
            ends.insert(connection, open(peer, true));
        }
        NetEvent::Accepted { connection, peer } => {
            ends.insert(connection, open(peer, false));
        }
        NetEvent::Connected { connection } => {
            if let Some(end) = ends.get_mut(&connection) {
                end.connected_at = Some(at);
            }
        }
        NetEvent::Write {
            connection,
            len,
            hash,
        } => {
            if let Some(end) = ends.get_mut(&connection) {
                end.written.push(Bytes { at, len, hash });
            }
        }
        NetEvent::Read {
            connection,
            len,
            hash,
        } => {
            if let Some(end) = ends.get_mut(&connection) {
                end.read.push(Bytes { at, len, hash });
            }
        }
        NetEvent::Other => {}
    }
}

/// Finds which two ends are of one connection.
fn pair(ends: &mut BTreeMap<u32, End>) {
    let mut dials: BTreeMap<(String, String), BTreeSet<u32>> = BTreeMap::new();
    for (number, end) in ends.iter().filter(|(_, end)| end.is_dial) {
        let way = (end.host.clone(), end.peer.clone());
        dials.entry(way).or_default().insert(*number);
    }
    let accepted: Vec<_> = ends
        .iter()
        .filter(|(_, end)| !end.is_dial)
        .map(|(number, _)| *number)
        .collect();
    for number in accepted {
        let end = &ends[&number];
        let Some(waiting) = dials.get_mut(&(end.peer.clone(), end.host.clone())) else {
            continue;
        };
        let can_be = waiting.iter().filter(|dial| {
            let dial = &ends[*dial];
            let answered_later = dial.connected_at.is_none_or(|at| at >= end.opened_at);
            dial.opened_at <= end.opened_at && answered_later
        });
        let best = can_be.min_by_key(|number| {
            let dial = &ends[*number];
            let first = |bytes: &[Bytes]| bytes.first().map(|bytes| bytes.hash);
            let (sent, got) = (first(&dial.written), first(&end.read));
            let differs = sent.is_some() && got.is_some() && sent != got;
            (
                differs,
                dial.connected_at.is_none(),
                dial.connected_at,
                **number,
            )
        });
        let Some(dial) = best.copied() else { continue };
        waiting.remove(&dial);
        for (this, other) in [(number, dial), (dial, number)] {
            if let Some(end) = ends.get_mut(&this) {
                end.other = Some(other);
            }
        }
    }
}

/// What one end wrote, with when the other had read it.
fn messages_of(ends: &BTreeMap<u32, End>, number: u32, end: &End) -> Vec<Message> {
    let other = end.other.and_then(|other| ends.get(&other));
    let connection = match end.other {
        Some(dial) if !end.is_dial => dial,
        _ => number,
    };
    let mut reads = other.map_or(&[][..], |other| &other.read).iter();
    let (mut written, mut read) = (0, 0);
    let mut last_read_at = None;
    let messages = end.written.iter().map(|bytes| {
        written += bytes.len;
        while read < written {
            let Some(next) = reads.next() else { break };
            read += next.len;
            last_read_at = Some(next.at);
        }
        Message {
            connection,
            from: end.host.clone(),
            to: end.peer.clone(),
            sent_at: bytes.at,
            // Of two ends that do not belong together, one reads before the other writes.
            read_at: last_read_at.filter(|at| read >= written && *at >= bytes.at),
            len: bytes.len,
        }
    });
    messages.collect()
}

/// The host in `host:port`.
pub fn host_in(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(at: u64) -> Duration {
        Duration::from_millis(at)
    }

    fn read(events: &[(u64, &str, &str)]) -> Wires {
        let lines: Vec<_> = events
            .iter()
            .map(|(at_ms, host, event)| {
                let at_us = at_ms * 1000;
                format!(r#"{{"network":{{"at_us":{at_us},"host":"{host}",{event}}}}}"#)
            })
            .collect();
        Wires::read(lines.join("\n").as_bytes(), &[], &BTreeMap::new(), "gate")
    }

    #[test]
    fn a_write_has_arrived_with_the_read_of_its_last_byte() {
        let wires = read(&[
            (
                1,
                "a",
                r#""event":"connecting","connection":1,"peer":"b","port":1"#,
            ),
            (
                2,
                "b",
                r#""event":"accepted","connection":2,"peer":"a","port":9"#,
            ),
            (3, "a", r#""event":"connected","connection":1"#),
            (
                4,
                "a",
                r#""event":"write","connection":1,"len":10,"hash":1"#,
            ),
            (
                5,
                "a",
                r#""event":"write","connection":1,"len":10,"hash":2"#,
            ),
            (
                6,
                "a",
                r#""event":"write","connection":1,"len":10,"hash":3"#,
            ),
            (7, "b", r#""event":"read","connection":2,"len":4,"hash":4"#),
            (8, "b", r#""event":"read","connection":2,"len":16,"hash":5"#),
        ]);
        let read_at: Vec<_> = wires.messages.iter().map(|it| it.read_at).collect();
        assert_eq!(read_at, [Some(ms(8)), Some(ms(8)), None]);
        assert_eq!(wires.messages[0].to, "b");
    }

    #[test]
    fn a_dial_that_came_to_nothing_is_not_taken_for_the_one_that_was_accepted() {
        let wires = read(&[
            (
                1,
                "a",
                r#""event":"connecting","connection":1,"peer":"b","port":1"#,
            ),
            (
                5,
                "a",
                r#""event":"connecting","connection":2,"peer":"b","port":1"#,
            ),
            (
                6,
                "b",
                r#""event":"accepted","connection":3,"peer":"a","port":9"#,
            ),
            (7, "a", r#""event":"connected","connection":2"#),
            (8, "b", r#""event":"write","connection":3,"len":1,"hash":1"#),
            (9, "a", r#""event":"read","connection":2,"len":1,"hash":1"#),
        ]);
        let [message] = &wires.messages[..] else {
            panic!("{wires:?}")
        };
        assert_eq!((message.connection, message.read_at), (2, Some(ms(9))));
    }
}
