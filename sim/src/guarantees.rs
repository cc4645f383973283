//! The cluster's promises, each checked on the record of a finished run.
//!
//! A check is a pure function over the record. It must never accuse a cluster that behaved,
//! however unlucky the run was, and it says in its own file what it demands, what it lets pass
//! and why. What the checks share: `sessions` (who was where when), `messages` (what was sent
//! and answered), `members` (who must and who may be in a room), `obligations` (which message must,
//! may and must not be heard by whom), `trouble` (which fault touched whom), `kicks` (what excuses
//! which) and `slack` (how late a thing may be).
//!
//! All of it is read from the users' side first. The servers' tables are compared with what the
//! users know, never the other way round: a server that is wrong about itself is found.

use std::fmt;
use std::time::Duration;

use loadgen::time_text;
use serde::{Deserialize, Serialize};

use crate::clock::clock;
use crate::record::Record;
use view::View;

mod answered;
mod bad_input;
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
mod obligations;
mod one_login;
mod one_order;
mod owed;
pub(crate) mod sessions;
mod slack;
#[cfg(test)]
pub(crate) mod story;
mod trouble;
mod true_notices;
mod view;

use obligations::Obligations;
pub use obligations::{Deliveries, Shares};
pub use owed::{Demand, Owed, owed};

/// Declares the promises and their table from one list: the number and the name, what is promised,
/// and the check.
macro_rules! promises {
    ($($promise:ident = $number:literal, $name:literal, $demands:literal, $check:path;)*) => {
        /// One promise of the cluster.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Guarantee {
            $(
                #[doc = concat!("G", $number, ", ", $name, ": ", $demands, ".")]
                $promise = $number,
            )*
        }

        /// All promises, by number.
        const PROMISES: &[Promise] = &[$(
            Promise {
                guarantee: Guarantee::$promise,
                name: $name,
                demands: $demands,
                check: $check,
            },
        )*];
    };
}

promises! {
    Isolation = 1, "isolation",
        "a session sees only its room, and what is private to it",
        isolation::check;
    NoDuplicates = 2, "no duplicates",
        "a message reaches a session at most once",
        no_duplicates::check;
    OneOrder = 3, "one order",
        "the members of a room see its events in one common order",
        one_order::check;
    Delivered = 4, "delivered",
        "what was answered with success reaches every member that lives on",
        delivered::check;
    Membership = 5, "membership",
        "once whole again, a room's list is the set of its live sessions",
        membership::check;
    OneLogin = 6, "one login",
        "a name is at most once in a room, over all connectors",
        one_login::check;
    TrueNotices = 7, "true notices",
        "what the notices tell a member adds up to who is there",
        true_notices::check;
    Answered = 8, "answered",
        "each request is answered once, in time, or its session ends",
        answered::check;
    Bounded = 9, "bounded",
        "every queue stays in its bound",
        bounded::check;
    Liveness = 10, "liveness",
        "once whole again, everybody can log in and be heard",
        liveness::check;
    Clean = 11, "clean",
        "when all have gone, nothing is left",
        clean::check;
    BadInput = 12, "bad input",
        "no bytes of a stranger harm a server, or get further than its door",
        bad_input::check;
    NoFalseKill = 13, "no false kill",
        "nobody who kept his heartbeats is cut off",
        no_false_kill::check;
}

/// A row of [`PROMISES`].
struct Promise {
    guarantee: Guarantee,
    name: &'static str,
    demands: &'static str,
    check: fn(&View) -> Findings,
}

impl Guarantee {
    /// All of them, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        PROMISES.iter().map(|promise| promise.guarantee)
    }

    /// The number of the promise, as in `G3`.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What is promised, as a sentence.
    pub fn demands(self) -> &'static str {
        self.promise().demands
    }

    fn promise(self) -> &'static Promise {
        let mut promises = PROMISES.iter();
        let promise = promises.find(|promise| promise.guarantee == self);
        promise.expect("each promise has its row")
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "G{} {}", self.number(), self.promise().name)
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which one.
    pub guarantee: Guarantee,
    /// When it showed, since the start of the run.
    #[serde(with = "time_text")]
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

/// What the checks of one run came to.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Empty if all promises held. In the order of the promises, each in the order of its check.
    pub violations: Vec<Violation>,
    /// How many deliveries must have been, may have been and must not.
    pub deliveries: Deliveries,
}

/// Checks every promise.
pub fn check_all(record: &Record) -> Checked {
    let view = View::new(record);
    let violations = PROMISES
        .iter()
        .flat_map(|promise| {
            (promise.check)(&view)
                .into_iter()
                .map(|(at, what)| Violation {
                    guarantee: promise.guarantee,
                    at,
                    what,
                })
        })
        .collect();
    Checked {
        violations,
        deliveries: Obligations::of(&view).count(),
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
        assert_eq!(checked.deliveries.must, 5);
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
    fn the_promises_are_in_the_order_of_their_numbers() {
        let numbers: Vec<u8> = Guarantee::all().map(Guarantee::number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    }
}
