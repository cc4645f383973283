//! Whether what several witnesses saw has a common order: a graph and its cycles.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use loadgen::history::MessageId;

use crate::guarantees::clock;

/// One event of one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening<'a> {
    /// A message to all.
    Said(MessageId),
    /// A name came.
    Came(&'a str),
    /// A name went.
    Went(&'a str),
}

impl fmt::Display for Happening<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(message) => write!(out, "message {message}"),
            Self::Came(name) => write!(out, "{name} coming"),
            Self::Went(name) => write!(out, "{name} going"),
        }
    }
}

/// What one witness saw, by number of the happening.
struct Chain {
    witness: String,
    links: Vec<(usize, Duration)>,
}

/// A step from one happening to the next in a chain.
#[derive(Clone, Copy)]
struct Edge {
    from: usize,
    to: usize,
    chain: usize,
    /// Of `from` in the chain.
    position: usize,
}

/// What all witnesses of one room saw.
#[derive(Default)]
pub struct Graph<'a> {
    numbers: BTreeMap<Happening<'a>, usize>,
    happenings: Vec<Happening<'a>>,
    chains: Vec<Chain>,
    /// Edges by where they begin.
    edges: Vec<Vec<Edge>>,
}

impl<'a> Graph<'a> {
    /// Adds what one witness saw, in order, no event twice.
    pub fn add(&mut self, witness: String, seen: Vec<(Happening<'a>, Duration)>) {
        let links: Vec<(usize, Duration)> = seen
            .into_iter()
            .map(|(happening, at)| (self.number(happening), at))
            .collect();
        for (position, pair) in links.windows(2).enumerate() {
            self.edges[pair[0].0].push(Edge {
                from: pair[0].0,
                to: pair[1].0,
                chain: self.chains.len(),
                position,
            });
        }
        self.chains.push(Chain { witness, links });
    }

    fn number(&mut self, happening: Happening<'a>) -> usize {
        *self.numbers.entry(happening).or_insert_with(|| {
            self.happenings.push(happening);
            self.edges.push(Vec::new());
            self.happenings.len() - 1
        })
    }

    /// A cycle, if there is one: when it showed, and its steps in words.
    pub fn cycle(&self) -> Option<(Duration, Vec<String>)> {
        let tangled = self.tangled();
        let start = tangled.iter().position(|tangled| *tangled)?;
        let path = self.way_back(self.on_a_cycle(start, &tangled), &tangled);
        Some(self.tell(&path))
    }

    /// Takes away, again and again, what nothing leads out of. What is left lies on a cycle or
    /// leads to one.
    fn tangled(&self) -> Vec<bool> {
        let mut ways_in: Vec<Vec<usize>> = vec![Vec::new(); self.edges.len()];
        for edge in self.edges.iter().flatten() {
            ways_in[edge.to].push(edge.from);
        }
        let mut ways_out: Vec<usize> = self.edges.iter().map(Vec::len).collect();
        let mut free: Vec<usize> = (0..ways_out.len()).filter(|n| ways_out[*n] == 0).collect();
        let mut tangled = vec![true; self.edges.len()];
        while let Some(number) = free.pop() {
            tangled[number] = false;
            for from in &ways_in[number] {
                ways_out[*from] -= 1;
                if ways_out[*from] == 0 {
                    free.push(*from);
                }
            }
        }
        tangled
    }

    /// Follows the tangle from `start` until it comes by a second time.
    fn on_a_cycle(&self, start: usize, tangled: &[bool]) -> usize {
        let mut visited = BTreeSet::new();
        let mut here = start;
        while visited.insert(here) {
            let mut onward = self.edges[here].iter().filter(|edge| tangled[edge.to]);
            here = onward.next().expect("a way out of each tangled node").to;
        }
        here
    }

    /// The shortest way from `start` back to it.
    fn way_back(&self, start: usize, tangled: &[bool]) -> Vec<Edge> {
        let mut came_by: BTreeMap<usize, Edge> = BTreeMap::new();
        let mut next = VecDeque::from([start]);
        while let Some(here) = next.pop_front()
            && !came_by.contains_key(&start)
        {
            for edge in self.edges[here].iter().filter(|edge| tangled[edge.to]) {
                if let Entry::Vacant(unseen) = came_by.entry(edge.to) {
                    unseen.insert(*edge);
                    next.push_back(edge.to);
                }
            }
        }
        let mut path = vec![came_by[&start]];
        while path[path.len() - 1].from != start {
            path.push(came_by[&path[path.len() - 1].from]);
        }
        path.reverse();
        path
    }

    /// The cycle in words; steps in a row that one witness saw are one step.
    fn tell(&self, path: &[Edge]) -> (Duration, Vec<String>) {
        let mut steps = Vec::new();
        let mut showed_at = Duration::ZERO;
        let rows =
            path.chunk_by(|one, next| one.chain == next.chain && one.position + 1 == next.position);
        for row in rows {
            let chain = &self.chains[row[0].chain];
            let (first, first_at) = chain.links[row[0].position];
            let (last, last_at) = chain.links[row[row.len() - 1].position + 1];
            showed_at = showed_at.max(last_at);
            steps.push(format!(
                "{} {} ({}) before {} ({})",
                chain.witness,
                self.happenings[first],
                clock(first_at),
                self.happenings[last],
                clock(last_at)
            ));
        }
        (showed_at, steps)
    }
}
