//! The cluster's promises, each checked on the record of a finished run.
//!
//! A check is a pure function over the record. It must never accuse a cluster that behaved,
//! however unlucky the run was, and it says in its own file what it demands, what it lets pass
//! and why. What the checks share: `sessions` (who was where when), `messages` (what was sent
//! and answered), `members` (who must and who may be in a room), `trouble` (which fault
//! touched whom), `kicks` (what excuses which) and `slack` (how late a thing may be).
//!
//! All of it is read from the users' side first. The servers' tables are compared with what the
//! users know, never the other way round: a server that is wrong about itself is found.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::clock;
use crate::record::Record;
use view::View;

mod answered;
mod bounded;
mod clean;
mod delivered;
mod isolation;
mod kicks;
mod liveness;
mod members;
mod membership;
mod messages;
mod no_duplicates;
mod no_false_kill;
mod one_login;
mod one_order;
mod sessions;
mod slack;
#[cfg(test)]
mod story;
mod trouble;
mod true_notices;
mod view;

pub use delivered::Deliveries;

/// One promise of the cluster. Bad input (G12) is not among them: it needs no history, only
/// servers that survive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// G1: a session sees only its room, and what is private to it.
    Isolation,
    /// G2: a message reaches a session at most once.
    NoDuplicates,
    /// G3: the members of a room see its events in one common order.
    OneOrder,
    /// G4: what was answered with success reaches every member that lives on.
    Delivered,
    /// G5: once whole again, a room's list is the set of its live sessions.
    Membership,
    /// G6: a name is at most once in a room, over all connectors.
    OneLogin,
    /// G7: what the notices tell a member adds up to who is there.
    TrueNotices,
    /// G8: each request is answered once, in time, or its session ends.
    Answered,
    /// G9: every queue stays in its bound.
    Bounded,
    /// G10: once whole again, everybody can log in and be heard.
    Liveness,
    /// G11: when all have gone, nothing is left.
    Clean,
    /// G13: nobody who kept his heartbeats is cut off.
    NoFalseKill,
}

impl Guarantee {
    /// The number of the promise, as in `G3`.
    pub fn number(self) -> u8 {
        match self {
            Self::Isolation => 1,
            Self::NoDuplicates => 2,
            Self::OneOrder => 3,
            Self::Delivered => 4,
            Self::Membership => 5,
            Self::OneLogin => 6,
            Self::TrueNotices => 7,
            Self::Answered => 8,
            Self::Bounded => 9,
            Self::Liveness => 10,
            Self::Clean => 11,
            Self::NoFalseKill => 13,
        }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Isolation => "isolation",
            Self::NoDuplicates => "no duplicates",
            Self::OneOrder => "one order",
            Self::Delivered => "delivered",
            Self::Membership => "membership",
            Self::OneLogin => "one login",
            Self::TrueNotices => "true notices",
            Self::Answered => "answered",
            Self::Bounded => "bounded",
            Self::Liveness => "liveness",
            Self::Clean => "clean",
            Self::NoFalseKill => "no false kill",
        };
        write!(out, "G{} {words}", self.number())
    }
}

impl Guarantee {
    /// All of them, by number.
    pub const ALL: [Self; CHECKS.len()] = {
        let mut all = [Self::Isolation; CHECKS.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = CHECKS[index].0;
            index += 1;
        }
        all
    };

    /// What is promised, as a sentence.
    pub fn demands(self) -> &'static str {
        match self {
            Self::Isolation => "a session sees only its room, and what is private to it",
            Self::NoDuplicates => "a message reaches a session at most once",
            Self::OneOrder => "the members of a room see its events in one common order",
            Self::Delivered => "what was answered with success reaches every member that lives on",
            Self::Membership => "once whole again, a room's list is the set of its live sessions",
            Self::OneLogin => "a name is at most once in a room, over all connectors",
            Self::TrueNotices => "what the notices tell a member adds up to who is there",
            Self::Answered => "each request is answered once, in time, or its session ends",
            Self::Bounded => "every queue stays in its bound",
            Self::Liveness => "once whole again, everybody can log in and be heard",
            Self::Clean => "when all have gone, nothing is left",
            Self::NoFalseKill => "nobody who kept his heartbeats is cut off",
        }
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which one.
    pub guarantee: Guarantee,
    /// When it showed, since the start of the run.
    pub at: Duration,
    /// Who saw what, in a sentence or a few lines.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: {}", clock(self.at), self.guarantee, self.what)
    }
}

/// What one check found: when, and what.
type Findings = Vec<(Duration, String)>;

type Check = fn(&View) -> Findings;

/// Every check, by number.
const CHECKS: [(Guarantee, Check); 12] = [
    (Guarantee::Isolation, isolation::check),
    (Guarantee::NoDuplicates, no_duplicates::check),
    (Guarantee::OneOrder, one_order::check),
    (Guarantee::Delivered, delivered::check),
    (Guarantee::Membership, membership::check),
    (Guarantee::OneLogin, one_login::check),
    (Guarantee::TrueNotices, true_notices::check),
    (Guarantee::Answered, answered::check),
    (Guarantee::Bounded, bounded::check),
    (Guarantee::Liveness, liveness::check),
    (Guarantee::Clean, clean::check),
    (Guarantee::NoFalseKill, no_false_kill::check),
];

/// What the checks of one run came to.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Empty if all promises held. In the order of the promises, each in the order of its check.
    pub violations: Vec<Violation>,
    /// How many deliveries the check of G4 could demand, and how many it had to let go: a check
    /// that excuses everything finds nothing.
    pub deliveries: Deliveries,
}

/// Checks every promise.
pub fn check_all(record: &Record) -> Checked {
    let view = View::new(record);
    let violations = CHECKS
        .iter()
        .flat_map(|(guarantee, check)| {
            check(&view).into_iter().map(|(at, what)| Violation {
                guarantee: *guarantee,
                at,
                what,
            })
        })
        .collect();
    Checked {
        violations,
        deliveries: delivered::count(&view),
    }
}

#[cfg(test)]
mod tests {
    use cluster::census::Census;

    use super::story::{ALICE, BOB, CAROL, CHAT, CONNECTOR_1, CONNECTOR_2, GATE, Story};
    use super::*;

    /// A run in which all is well: two chat, a third proves life, all leave.
    fn a_good_run() -> Story {
        let nothing_left = [GATE, CONNECTOR_1, CONNECTOR_2, CHAT].map(|id| (id, Census::default()));
        Story::new()
            .probe(CAROL)
            .returns(ALICE)
            .returns(BOB)
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .adds(201, ALICE, BOB)
            .says(5000, ALICE, 1)
            .hears(5010, ALICE, ALICE, 1)
            .hears(5010, BOB, ALICE, 1)
            .gets_answer(5015, ALICE, 1, true)
            .enters(30_100, CAROL, "red", &[ALICE, BOB, CAROL])
            .adds(30_100, ALICE, CAROL)
            .adds(30_100, BOB, CAROL)
            .says(31_000, CAROL, 1)
            .hears(31_010, ALICE, CAROL, 1)
            .hears(31_010, BOB, CAROL, 1)
            .hears(31_010, CAROL, CAROL, 1)
            .gets_answer(31_015, CAROL, 1, true)
            .lists(35_000, &[ALICE, BOB, CAROL])
            .leaves(40_000, ALICE)
            .leaves(40_000, BOB)
            .leaves(40_000, CAROL)
            .sample(60_000, &nothing_left)
    }

    #[test]
    fn a_good_run_keeps_every_promise() {
        let checked = check_all(&a_good_run().record());
        assert_eq!(checked.violations, []);
        assert_eq!(checked.deliveries.owed, 5);
    }

    #[test]
    fn a_violation_names_its_promise_and_its_time() {
        let record = a_good_run().hears(5020, BOB, ALICE, 1).record();
        let told: Vec<String> = check_all(&record)
            .violations
            .iter()
            .map(Violation::to_string)
            .collect();
        let twice = "00:05.020 G2 no duplicates: bob (u2.1) heard u1.1.1 again, first at 00:05.010";
        assert_eq!(told, [twice]);
    }

    #[test]
    fn every_check_is_in_the_table_once_and_in_order() {
        let numbers = CHECKS.map(|(guarantee, _)| guarantee.number());
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]);
    }
}
