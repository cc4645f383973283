//! The ordered record of everything that happened in a run. Its hash identifies the run: two
//! runs with one hash did the same at the same simulated times.
//!
//! The hash is FNV-1a over the trace as JSON lines, whether or not the lines are kept. So it is
//! the hash of the file that `--trace` writes, and depends on nothing but what that file shows:
//! no address, no absolute instant, no task id, no hash order. To write JSON only to hash it looks
//! wasteful, and takes one hundredth of a run's time: a shorter encoding would be a second one, of
//! which it had to be proved that it says the same. The hash after each event makes the [`Chain`].

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster::marks::Mark;
use loadgen::{history, time_text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chain::Chain;
use crate::fault::Planned;
use crate::passages::{Passage, Passages};

/// The record of one run; clones share it.
#[derive(Clone, Debug)]
pub struct Trace {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    now: Duration,
    hash: Fnv,
    chain: Chain,
    connections: u32,
    passages: Passages,
    /// The JSON lines, if they are kept.
    lines: Option<Vec<u8>>,
}

/// One line of the trace.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Network(Entry<'a>),
    User(&'a history::Event),
    Fault(&'a Planned),
    Mark(Reached<'a>),
}

/// A rare path that a server took.
#[derive(Serialize)]
struct Reached<'a> {
    at_us: u64,
    host: &'a str,
    mark: &'a str,
}

#[derive(Serialize)]
struct Entry<'a> {
    at_us: u64,
    host: &'a str,
    #[serde(flatten)]
    event: NetEvent<'a>,
}

/// What happened on one host's network. `connection` counts the ends of connections in the order
/// in which they were opened.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum NetEvent<'a> {
    /// A port was bound.
    Listen {
        /// The port.
        port: u16,
    },
    /// A connection was asked for.
    Connecting {
        /// Its number.
        connection: u32,
        /// The host that is dialled.
        peer: &'a str,
        /// The port there.
        port: u16,
    },
    /// The peer accepted.
    Connected {
        /// The connection's number.
        connection: u32,
    },
    /// A connection was accepted.
    Accepted {
        /// The number of this end of it.
        connection: u32,
        /// The host that dialled.
        peer: &'a str,
        /// The port there.
        port: u16,
    },
    /// Bytes were written.
    Write {
        /// The connection's number.
        connection: u32,
        /// How many.
        len: usize,
        /// FNV-1a of them.
        hash: u64,
    },
    /// Bytes were read.
    Read {
        /// The connection's number.
        connection: u32,
        /// How many.
        len: usize,
        /// FNV-1a of them.
        hash: u64,
    },
    /// The end of the peer's bytes was read.
    End {
        /// The connection's number.
        connection: u32,
    },
    /// Something failed.
    Failed {
        /// The connection's number.
        connection: u32,
        /// What kind of error, in words.
        error: &'a str,
    },
    /// This end said that it will write no more.
    Shutdown {
        /// The connection's number.
        connection: u32,
    },
    /// This end was closed.
    Closed {
        /// The connection's number.
        connection: u32,
    },
}

impl Trace {
    /// Starts a trace; with `keep` its lines can be taken at the end.
    pub fn new(keep: bool) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared {
                now: Duration::ZERO,
                hash: Fnv::default(),
                chain: Chain::default(),
                connections: 0,
                passages: Passages::default(),
                lines: keep.then(Vec::new),
            })),
        }
    }

    /// Sets the simulated time that network events are stamped with.
    ///
    /// The driver sets it before each step. A host's own clock would be finer but can't be asked
    /// everywhere: destructors run while a host crashes, when it has no clock.
    pub fn set_now(&self, now: Duration) {
        self.shared().now = now;
    }

    /// The number of a connection's end that is about to be opened.
    pub fn next_connection(&self) -> u32 {
        let mut shared = self.shared();
        shared.connections += 1;
        shared.connections
    }

    /// Adds what happened on the network of `host`.
    pub fn network(&self, host: &str, event: NetEvent<'_>) {
        let mut shared = self.shared();
        let at_us = micros(shared.now);
        shared.add(&Line::Network(Entry { at_us, host, event }));
    }

    /// Notes that the connection that begins on `host` at `port` is that of `user`.
    pub fn sit(&self, host: &Arc<str>, port: u16, user: u32) {
        self.shared().passages.sit(host.clone(), port, user);
    }

    /// Notes which messages `bytes` carry, that a server wrote to a host and port. It is no part of the
    /// trace.
    pub fn pass(&self, from: &Arc<str>, to: &(Arc<str>, u16), bytes: &[u8]) {
        let mut shared = self.shared();
        let now = shared.now;
        shared.passages.see(now, from, to, bytes);
    }

    /// Takes where messages passed.
    pub fn take_passages(&self) -> Vec<Passage> {
        self.shared().passages.take()
    }

    /// Adds a rare path that `host` took.
    pub fn mark(&self, host: &str, mark: Mark) {
        let mut shared = self.shared();
        let at_us = micros(shared.now);
        let mark = mark.name();
        shared.add(&Line::Mark(Reached { at_us, host, mark }));
    }

    /// Adds what a user did or saw.
    pub fn user(&self, event: &history::Event) {
        self.shared().add(&Line::User(event));
    }

    /// Adds a fault that was injected.
    pub fn fault(&self, fault: &Planned) {
        self.shared().add(&Line::Fault(fault));
    }

    /// The hash of all that was added, after each event.
    pub fn chain(&self) -> Chain {
        self.shared().chain.clone()
    }

    /// Takes the JSON lines; `None` if they were not kept.
    pub fn take_lines(&self) -> Option<Vec<u8>> {
        self.shared().lines.take()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // A run that panicked is reported with the trace as far as it came.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn add(&mut self, line: &Line<'_>) {
        let written = match &mut self.lines {
            None => serde_json::to_writer(&mut self.hash, line),
            Some(lines) => {
                let start = lines.len();
                let written = serde_json::to_writer(&mut *lines, line);
                self.hash.update(&lines[start..]);
                lines.push(b'\n');
                written
            }
        };
        written.expect("a trace line holds only strings and numbers, and memory takes all");
        self.hash.update(b"\n");
        self.chain.add(self.hash.0);
    }
}

/// FNV-1a with 64 bits: ten lines that give the same on every platform and in every build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> u64 {
        let mut hash = Self::default();
        hash.update(bytes);
        hash.0
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

impl io::Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The time of a line of a trace. What a user did or saw has it whole, and a fault as in its file.
pub fn time(line: &str) -> Option<Duration> {
    let line: Value = serde_json::from_str(line).ok()?;
    let (_, entry) = line.as_object()?.iter().next()?;
    if let Some(at_us) = entry.get("at_us").and_then(Value::as_u64) {
        return Some(Duration::from_micros(at_us));
    }
    let at = entry.get("at")?;
    let whole = Duration::deserialize(at);
    whole.or_else(|_| time_text::deserialize(at)).ok()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).expect("a run lasts less than 500,000 years")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(Fnv::of(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fnv::of(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Fnv::of(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn each_line_has_the_time_of_what_it_tells() {
        let at = Duration::from_millis(207);
        let trace = Trace::new(true);
        trace.set_now(at);
        trace.network("gate-server-1", NetEvent::Listen { port: 3014 });
        trace.mark("gate-server-1", Mark::ALL[0]);
        trace.user(&history::Event {
            at,
            user: 1,
            login: 1,
            what: history::What::Connected,
        });
        let host = String::from("gate-server-1");
        trace.fault(&Planned::new(at, crate::fault::Fault::Stop { host }));
        let lines = trace.take_lines().unwrap();
        let lines = String::from_utf8_lossy(&lines);
        let times: Vec<_> = lines.lines().map(time).collect();
        assert_eq!(times, [Some(at); 4], "{lines}");
    }

    #[test]
    fn the_hash_is_that_of_the_lines_kept_or_not() {
        let kept = Trace::new(true);
        let folded = Trace::new(false);
        for trace in [&kept, &folded] {
            trace.set_now(Duration::from_millis(7));
            trace.network("gate-server-1", NetEvent::Listen { port: 3014 });
            let connection = trace.next_connection();
            trace.network("gate-server-1", NetEvent::End { connection });
        }

        let lines = kept.take_lines().unwrap();
        assert_eq!(kept.chain().hash, Fnv::of(&lines));
        assert_eq!(folded.chain(), kept.chain());
        assert_eq!(folded.take_lines(), None);
        let first = lines.split(|byte| *byte == b'\n').next().unwrap();
        let expected =
            r#"{"network":{"at_us":7000,"host":"gate-server-1","event":"listen","port":3014}}"#;
        assert_eq!(String::from_utf8_lossy(first), expected);
    }
}
