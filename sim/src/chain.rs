//! The hash of a trace after each of its events: two runs that part can be told not only that they
//! do but where, without either trace being kept.
//!
//! The hash is FNV-1a with 64 bits, over the lines of the trace. That is enough: nobody forges a
//! trace; and as each step of it can be undone, two runs that differed once and then went on alike
//! never have one hash again. Of the hash after each event 32 bits are kept, those after the last
//! whole. Where there are more events than `LINKS_MAX`, every second is let go, as often as it
//! takes: a chain says of any two runs within which few events they part, mostly which event it is.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Links that a chain has at most, 256 KB of them. Runs of the built-in scenarios have fewer
/// events, so that each has its link.
const LINKS_MAX: usize = 65_536;
/// Links in one line of a file.
const LINKS_PER_LINE: usize = 16;
/// Digits of one link in a file.
const DIGITS: usize = 8;

/// The hashes of one trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct Chain {
    /// After the last event: identifies the run.
    pub hash: u64,
    /// How many events there are.
    pub events: u64,
    /// From one link to the next, in events: a power of two.
    every: u64,
    /// After each `every` events.
    links: Vec<u32>,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            hash: 0,
            events: 0,
            every: 1,
            links: Vec::new(),
        }
    }
}

impl Chain {
    /// Adds an event, after which the hash is `hash`.
    pub fn add(&mut self, hash: u64) {
        self.hash = hash;
        self.events += 1;
        if self.events.is_multiple_of(self.every) {
            self.links.push(folded(hash));
            self.thin(LINKS_MAX);
        }
    }

    /// Lets every second link go until there are at most `max`.
    pub fn thin(&mut self, max: usize) {
        while self.links.len() > max {
            let links = self.links.iter().skip(1).step_by(2);
            self.links = links.copied().collect();
            self.every *= 2;
        }
    }

    /// Where two runs part: the events, counted from 0, of which the first one that differs is one.
    /// `None` if the runs are the same. If one run is the beginning of the other, that is where it
    /// ends.
    pub fn parting(&self, other: &Self) -> Option<Range<u64>> {
        if (self.hash, self.events) == (other.hash, other.events) {
            return None;
        }
        let every = self.every.max(other.every);
        let links = self.links_every(every).zip(other.links_every(every));
        let same = links.take_while(|(mine, other)| mine == other).count() as u64;
        let longest = self.events.max(other.events);
        // Of hashes that differ, the links can be the same by chance: then the last event is meant.
        let start = (same * every).min(longest.saturating_sub(1));
        Some(start..longest.min(start + every))
    }

    fn links_every(&self, every: u64) -> impl Iterator<Item = u32> {
        let step = usize::try_from(every / self.every).expect("links are let go one by one");
        self.links.iter().skip(step - 1).step_by(step).copied()
    }
}

/// Both halves of the hash, of which the lower alone would not depend on the upper.
fn folded(hash: u64) -> u32 {
    let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
    u32::from_le_bytes([a ^ e, b ^ f, c ^ g, d ^ h])
}

/// A chain as it stands in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    hash: String,
    events: u64,
    every: u64,
    links: Vec<String>,
}

impl From<Chain> for Text {
    fn from(chain: Chain) -> Self {
        let lines = chain.links.chunks(LINKS_PER_LINE);
        let line = |links: &[u32]| links.iter().map(|link| format!("{link:08x}")).collect();
        Self {
            hash: format!("{:016x}", chain.hash),
            events: chain.events,
            every: chain.every,
            links: lines.map(line).collect(),
        }
    }
}

impl TryFrom<Text> for Chain {
    type Error = ChainError;

    fn try_from(text: Text) -> Result<Self, ChainError> {
        let hash = u64::from_str_radix(&text.hash, 16);
        let hash = hash.map_err(|_| ChainError::NoHash(text.hash.clone()))?;
        let links: Option<Vec<u32>> = text.links.iter().flat_map(|line| links(line)).collect();
        let links = links.ok_or(ChainError::NoLinks)?;
        let fits = text.every.is_power_of_two() && links.len() as u64 == text.events / text.every;
        if !fits {
            return Err(ChainError::OtherCount {
                links: links.len(),
                events: text.events,
                every: text.every,
            });
        }
        let is_of_the_end = text.events.is_multiple_of(text.every);
        let end = links.last().filter(|_| is_of_the_end);
        if end.is_some_and(|end| *end != folded(hash)) || text.events == 0 && hash != 0 {
            return Err(ChainError::OtherEnd(text.hash));
        }
        Ok(Self {
            hash,
            events: text.events,
            every: text.every,
            links,
        })
    }
}

fn links(line: &str) -> impl Iterator<Item = Option<u32>> {
    line.as_bytes().chunks(DIGITS).map(|digits| {
        let digits = str::from_utf8(digits)
            .ok()
            .filter(|it| it.len() == DIGITS)?;
        u32::from_str_radix(digits, 16).ok()
    })
}

/// This is not the chain of a trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The hash is none.
    #[error("`{0}` is not the hash of a trace: 16 hexadecimal digits")]
    NoHash(String),
    /// A link is none.
    #[error("the links of a trace are hexadecimal, 8 digits each")]
    NoLinks,
    /// There are more or fewer links than events ask for.
    #[error("{links} links are not one for every {every} of {events} events")]
    OtherCount {
        /// How many.
        links: usize,
        /// Of how many.
        events: u64,
        /// From one link to the next.
        every: u64,
    },
    /// The last link is not that of the hash.
    #[error("the links do not end with the hash {0}")]
    OtherEnd(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chain of these events, each hash made of all before it.
    fn chain(events: impl IntoIterator<Item = u64>) -> Chain {
        let mut chain = Chain::default();
        for event in events {
            let hash = (chain.hash ^ event).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chain.add(hash);
        }
        chain
    }

    fn with(changed: u64, len: u64) -> impl Iterator<Item = u64> {
        (0..len).map(move |event| if event == changed { 99_999 } else { event + 1 })
    }

    #[test]
    fn two_runs_part_at_the_first_event_that_differs() {
        let first = chain(1..=100);
        assert_eq!(first.parting(&first.clone()), None);
        for changed in [0, 1, 57, 99] {
            let other = chain(with(changed, 100));
            assert_eq!(first.parting(&other), Some(changed..changed + 1));
        }
    }

    #[test]
    fn a_run_that_goes_on_parts_where_the_other_ends() {
        assert_eq!(chain(1..=100).parting(&chain(1..=103)), Some(100..101));
        assert_eq!(chain(1..=3).parting(&chain([])), Some(0..1));
    }

    #[test]
    fn a_thinned_chain_names_the_few_events_around_the_one_that_differs() {
        for changed in 0..100 {
            let mut first = chain(1..=100);
            first.thin(30);
            assert_eq!((first.every, first.links.len()), (4, 25));
            let other = chain(with(changed, 100));
            for parting in [first.parting(&other), other.parting(&first)] {
                let parting = parting.expect("they differ");
                assert!(parting.contains(&changed), "{changed}: {parting:?}");
                assert_eq!(parting.end - parting.start, 4);
            }
        }
    }

    #[test]
    fn a_chain_has_a_bound() {
        let events = 3 * LINKS_MAX as u64 + 5;
        let long = chain(0..events);
        assert_eq!(long.every, 4);
        assert_eq!(long.links.len() as u64, events / 4);
    }

    #[test]
    fn a_chain_is_read_as_it_was_written() -> serde_json::Result<()> {
        for len in [0, 1, 15, 16, 17, 100] {
            let chain = chain(0..len);
            let text = serde_json::to_string(&chain)?;
            assert_eq!(serde_json::from_str::<Chain>(&text)?, chain, "{text}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_chain_is_refused() {
        for (text, complaint) in [
            (
                r#"{"hash":"x","events":0,"every":1,"links":[]}"#,
                "`x` is not the hash",
            ),
            (
                r#"{"hash":"0","events":1,"every":1,"links":["12"]}"#,
                "8 digits each",
            ),
            (
                r#"{"hash":"0","events":1,"every":1,"links":["1234567ä"]}"#,
                "8 digits each",
            ),
            (
                r#"{"hash":"0","events":9,"every":1,"links":["12345678"]}"#,
                "1 links are not",
            ),
            (
                r#"{"hash":"0","events":0,"every":0,"links":[]}"#,
                "for every 0 of",
            ),
            (
                r#"{"hash":"000000000000002a","events":1,"every":1,"links":["0000002b"]}"#,
                "do not end with the hash 000000000000002a",
            ),
            (
                r#"{"hash":"000000000000002a","events":0,"every":1,"links":[]}"#,
                "do not end with the hash",
            ),
        ] {
            let said = serde_json::from_str::<Chain>(text).unwrap_err().to_string();
            assert!(said.contains(complaint), "{said}");
        }
    }
}
