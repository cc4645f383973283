//! With [`Drag::SerialPushes`](crate::drag::Drag::SerialPushes): whose turn it is to be told of an event.
//!
//! What is told is put on all links at once, as ever, so that each link keeps its order; a turn keeps
//! a link from writing it before the connector whose turn was before has acknowledged it. Turns
//! always wait for something that was put on a link earlier, so they never wait for each other.

use std::collections::VecDeque;

use super::state::{ConnectorIndex, State};

/// What a link may not write yet.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// The number of the message on this link.
    seq: u64,
    /// Who has to have it first, and its number there.
    after: (ConnectorIndex, u64),
}

/// The turns that one link waits for, by rising number.
#[derive(Debug, Default)]
pub(super) struct Turns(VecDeque<Turn>);

impl Turns {
    /// Keeps message `seq` back until the link of `after.0` has its message `after.1`
    /// acknowledged.
    pub(super) fn wait(&mut self, seq: u64, after: (ConnectorIndex, u64)) {
        self.0.push_back(Turn { seq, after });
    }
}

impl State {
    /// Lets the link of `connector` write what has its turn now, and nothing behind that.
    pub(super) fn take_turns(&mut self, connector: ConnectorIndex) {
        let waits = |turn: &Turn| {
            let (before, seq) = turn.after;
            let link = self.links.get(&before);
            link.is_some_and(|link| !link.is_cut_off && link.half.acked() < seq)
        };
        let Some(link) = self.links.get(&connector) else {
            return;
        };
        let taken = link.turns.0.iter().take_while(|turn| !waits(turn)).count();
        if let Some(link) = self.links.get_mut(&connector) {
            link.turns.0.drain(..taken);
            let held_from = link.turns.0.front().map(|turn| turn.seq);
            link.half.hold_from(held_from);
        }
    }

    /// Somebody has acknowledged something: it may be the turn of any other.
    pub(super) fn pass_turns_on(&self) {
        for link in self.links.values() {
            link.connection.wake.notify_one();
        }
    }

    /// Nobody waits any more for `connector`, whose link is gone.
    pub(super) fn forget_turns_behind(&mut self, connector: ConnectorIndex) {
        for link in self.links.values_mut() {
            link.turns.0.retain(|turn| turn.after.0 != connector);
        }
        self.pass_turns_on();
    }
}
