//! One failed run as a page: what was promised, the story in words, who sent what to whom when as a
//! diagram, what the users concerned did and saw, and the faults.
//!
//! The page is one file that needs nothing else: no network, no font, no library. It is whole without
//! its script, which only zooms, hides and copies. All text comes in by one way
//! (`reports::escaped`), and a policy in the page lets nothing run but that script.

mod diagram;
mod focus;
mod page;
mod scale;
mod story;
mod tables;
mod trouble;
mod way;
mod wires;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::capsule::Capsule;
use crate::case::Case;
use crate::guarantees::Violation;
use crate::record::Record;
use crate::replay::Replay;
use focus::Focus;
use trouble::Trouble;
use wires::Wires;

/// What the parts of a page are made of.
struct Explained<'a> {
    capsule: &'a Capsule,
    replay: &'a Replay,
    case: &'a Case,
    record: &'a Record,
    /// `None` if the run broke off, or broke nothing and should have.
    violation: Option<&'a Violation>,
    focus: Focus,
    troubles: Vec<Trouble>,
    wires: Wires,
    names: BTreeMap<u32, &'a str>,
}

/// The page of `capsule`, whose run was done again as `replay`, about its broken promise number
/// `which` (the first is 0), or about the one that showed first: what comes later may come of it.
pub fn page(capsule: &Capsule, replay: &Replay, which: Option<usize>) -> String {
    page::write(&Explained::new(capsule, replay, which))
}

impl<'a> Explained<'a> {
    fn new(capsule: &'a Capsule, replay: &'a Replay, which: Option<usize>) -> Self {
        let (case, record) = (&capsule.case, &replay.outcome.record);
        let violations = &capsule.verdict.violations;
        let violation = match which {
            Some(which) => violations.get(which),
            None => violations.iter().min_by_key(|violation| violation.at),
        };
        let broke_off = capsule.verdict.broke_off.as_deref().unwrap_or_default();
        let (text, at) = violation.map_or((broke_off, capsule.simulated), |violation| {
            (&*violation.what, violation.at)
        });
        let troubles = trouble::of(record);
        let trace = replay.outcome.trace.as_deref().unwrap_or_default();
        let gate = &case.gate().id;
        Self {
            capsule,
            replay,
            case,
            record,
            violation,
            focus: Focus::of(text, at, case, record, &replay.outcome.passages, &troubles),
            troubles,
            wires: Wires::read(trace, &record.history, &record.user_hosts, gate),
            names: case
                .scripts
                .iter()
                .map(|script| (script.user, &*script.name))
                .collect(),
        }
    }

    /// What went wrong, in one sentence.
    fn wrong(&self) -> String {
        let verdict = &self.capsule.verdict;
        match (self.violation, &verdict.broke_off, &verdict.missed) {
            (Some(violation), ..) => violation.what.clone(),
            (None, Some(reason), _) => format!("the run broke off: {reason}"),
            (None, None, Some(missed)) => missed.clone(),
            (None, None, None) => String::from("nothing was wrong"),
        }
    }

    /// What it is called, short.
    fn title(&self) -> String {
        match (self.violation, &self.capsule.verdict.missed) {
            (Some(violation), _) => violation.guarantee.to_string(),
            (None, Some(_)) => String::from("nothing was broken"),
            (None, None) => String::from("the run broke off"),
        }
    }

    fn name(&self, user: u32) -> &'a str {
        self.names.get(&user).copied().unwrap_or("nobody")
    }

    /// A session as broken promises call it.
    fn session(&self, user: u32, login: u32) -> String {
        format!("{} (u{user}.{login})", self.name(user))
    }

    fn is_chat(&self, host: &str) -> bool {
        self.case.topology.chats.iter().any(|it| it.id == host)
    }

    fn is_shown(&self, at: Duration) -> bool {
        (self.focus.from..=self.focus.until).contains(&at)
    }

    /// The faults on a lane or between two, while the story lasts.
    fn troubles_shown(&self) -> impl Iterator<Item = &Trouble> {
        self.troubles.iter().filter(|trouble| {
            self.focus.is_touched(trouble, &self.record.user_hosts)
                && trouble.until >= self.focus.from
                && trouble.planned.at <= self.focus.until
        })
    }
}
