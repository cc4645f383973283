//! In which state connections were when faults touched them: what a sweep has not combined, it has
//! not tested.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use loadgen::history::What;

use crate::fault::Fault;
use crate::guarantees::sessions::{self, End, Session};
use crate::kinds::FaultKind;
use crate::record::Record;

/// The state of one user's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has asked the gate.
    AtGate,
    /// It is on its way to its connector.
    Connecting,
    /// It waits to be let into its first room.
    Entering,
    /// It is in a room.
    InRoom,
    /// It waits to be let into another room.
    Switching,
    /// It is in a room and reads nothing.
    Deaf,
    /// It went silent: the servers have a connection without anybody behind it.
    Vanished,
}

impl State {
    const ALL: [(Self, &str); 7] = [
        (Self::AtGate, "at gate"),
        (Self::Connecting, "connecting"),
        (Self::Entering, "entering"),
        (Self::InRoom, "in room"),
        (Self::Switching, "switching"),
        (Self::Deaf, "deaf"),
        (Self::Vanished, "vanished"),
    ];

    /// That of `session` at a time; `None` before it began and after its end.
    fn of(session: &Session, at: Duration) -> Option<Self> {
        if session.login_at? > at {
            return None;
        }
        match session.end {
            Some((end_at, End::Vanished)) if end_at <= at => return Some(Self::Vanished),
            Some((end_at, _)) if end_at <= at => return None,
            _ => {}
        }
        let mut events = session.events.iter();
        let located = events.find(|event| matches!(event.what, What::Located { .. }));
        if located.is_none_or(|located| located.at > at) {
            return Some(Self::AtGate);
        }
        if session.connected_at.is_none_or(|connected| connected > at) {
            return Some(Self::Connecting);
        }
        let stay = session.stays.iter().find(|stay| stay.spans(at, at));
        Some(match stay {
            None => Self::Entering,
            Some(stay) if stay.switching_at.is_some_and(|asked_at| asked_at <= at) => {
                Self::Switching
            }
            Some(_) if session.deaf_at.is_some_and(|deaf_at| deaf_at <= at) => Self::Deaf,
            Some(_) => Self::InRoom,
        })
    }
}

/// How many connections each kind of fault met in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    met: BTreeMap<FaultKind, BTreeMap<State, u64>>,
}

impl Matrix {
    /// That of one run. What ends a fault is no fault, and what met nobody is none either.
    pub fn of(record: &Record) -> Self {
        let sessions = sessions::of(record);
        let mut matrix = Self::default();
        for (index, planned) in record.faults.iter().enumerate() {
            let Some(kind) = planned.kind() else {
                continue;
            };
            if record.in_vain.contains(&index) {
                continue;
            }
            let row = matrix.met.entry(kind).or_default();
            for session in &sessions {
                if let Some(state) = State::of(session, planned.at)
                    && touches(&planned.fault, session, state, record)
                {
                    *row.entry(state).or_default() += 1;
                }
            }
        }
        matrix
    }

    /// Adds that of other runs.
    pub fn add(&mut self, other: &Self) {
        for (kind, states) in &other.met {
            let row = self.met.entry(*kind).or_default();
            for (state, count) in states {
                *row.entry(*state).or_default() += count;
            }
        }
    }
}

/// Whether a connection goes through the host or over the link that a fault hits.
fn touches(fault: &Fault, session: &Session, state: State, record: &Record) -> bool {
    let topology = &record.topology;
    let is_on = |host: &str| {
        let is_gate = topology.gates.iter().any(|gate| gate.id == host);
        let mut rooms = session.enters.iter().map(|enter| enter.room);
        let is_chat = rooms.any(|room| {
            let owner = topology.chat_of(room);
            owner.is_some_and(|owner| topology.chats[owner].id == host)
        });
        session.host == host
            || session.connector == Some(host)
            || is_chat
            || (is_gate && state == State::AtGate)
    };
    match fault.user() {
        Some(user) => session.user == user,
        None => fault.hosts().into_iter().all(is_on),
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:20}", "")?;
        for (_, name) in State::ALL {
            write!(out, " {name:>10}")?;
        }
        for (kind, states) in &self.met {
            write!(out, "\n{:20}", kind.name())?;
            for (state, _) in State::ALL {
                let count = states.get(&state).copied().unwrap_or_default();
                write!(out, " {count:>10}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{
        ALICE, BOB, CAROL, CHAT, CONNECTOR_1, CONNECTOR_2, Story, hold, pause, release, resume,
    };

    fn row(story: Story, kind: FaultKind) -> Vec<(State, u64)> {
        let matrix = Matrix::of(&story.record());
        let row = matrix.met.get(&kind).cloned().unwrap_or_default();
        row.into_iter().collect()
    }

    #[test]
    fn a_fault_meets_who_is_on_its_host_in_the_state_of_that_moment() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters_through(200, BOB, CONNECTOR_2, "red", &[ALICE, BOB])
            .begins_login(990, CAROL)
            .asks(950, ALICE, "blue")
            .fault(1000, pause(CONNECTOR_1))
            .fault(1500, resume(CONNECTOR_1));
        assert_eq!(row(story, FaultKind::Pause), [(State::Switching, 1)]);
    }

    #[test]
    fn a_link_is_met_by_who_uses_both_its_ends() {
        let story = || {
            Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .enters_through(200, BOB, CONNECTOR_2, "red", &[ALICE, BOB])
                .vanishes(300, BOB)
        };
        let held = story()
            .fault(1000, hold(CONNECTOR_2, CHAT))
            .fault(1500, release(CONNECTOR_2, CHAT));
        assert_eq!(row(held, FaultKind::Hold), [(State::Vanished, 1)]);
        let elsewhere = story().fault(1000, hold(CONNECTOR_2, "chat-server-9"));
        assert_eq!(row(elsewhere, FaultKind::Hold), []);
    }

    #[test]
    fn a_fault_that_is_done_to_nothing_meets_nobody() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .fault(1000, pause(CONNECTOR_1))
            .fault(1500, resume(CONNECTOR_1));
        let mut record = story.record();
        record.in_vain.insert(0);
        assert_eq!(Matrix::of(&record), Matrix::default());
    }

    #[test]
    fn who_has_gone_is_met_by_nothing() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .leaves(500, ALICE)
            .fault(1000, pause(CONNECTOR_1));
        assert_eq!(row(story, FaultKind::Pause), []);
    }
}
