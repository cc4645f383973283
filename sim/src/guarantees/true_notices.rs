//! G7: what the notices tell a member adds up to who is there.
//!
//! A session's view of its room starts with the list in the answer to `enter`; each `onAdd` adds
//! a name to it, each `onLeave` takes one away. Demanded:
//!
//! - the list has no name twice, and the one that entered is in it;
//! - `onAdd` names somebody who is not in the view, `onLeave` somebody who is, and neither the
//!   session itself: so each coming and going is told exactly once;
//! - when the run has settled, and again when everybody begins to leave, the view of each session
//!   that is there has everybody who must be in the room and nobody who can not be (the same as
//!   in G5).
//!
//! Let pass: at those two times, whoever came or went within the time that news travels; and what
//! deaf and vanished users believe.

use std::collections::BTreeSet;
use std::time::Duration;

use loadgen::history::{Event, What};

use super::Findings;
use super::sessions::{Session, Stay};
use super::view::View;

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let record = view.record;
    let mut findings = Findings::new();
    for session in &view.sessions {
        for stay in &session.stays {
            let mut watch = Watch::new(session, stay);
            let mut settled = false;
            for event in session.events_of(stay) {
                if !settled && event.at > record.settled_at {
                    settled = true;
                    watch.compare(view, record.settled_at);
                }
                if event.at > record.leaving_at {
                    break;
                }
                watch.see(event);
            }
            if !settled {
                watch.compare(view, record.settled_at);
            }
            watch.compare(view, record.leaving_at);
            findings.extend(watch.findings);
        }
    }
    findings
}

/// What one session knows of its room.
struct Watch<'v, 'a> {
    session: &'v Session<'a>,
    stay: &'v Stay<'a>,
    present: BTreeSet<&'a str>,
    /// Differences from the truth that were told already.
    told: BTreeSet<&'a str>,
    findings: Findings,
}

impl<'v, 'a> Watch<'v, 'a> {
    fn new(session: &'v Session<'a>, stay: &'v Stay<'a>) -> Self {
        let mut watch = Self {
            session,
            stay,
            present: BTreeSet::new(),
            told: BTreeSet::new(),
            findings: Findings::new(),
        };
        for name in stay.users {
            if !watch.present.insert(name) {
                watch.find(stay.since, &format!("has {name} twice in its list"));
            }
        }
        if !watch.present.contains(stay.name) {
            watch.told.insert(stay.name);
            watch.find(stay.since, "is not in its own list");
        }
        watch
    }

    fn see(&mut self, event: &'a Event) {
        match &event.what {
            What::Added { name } | What::Left { name } if name == self.stay.name => {
                self.find(
                    event.at,
                    &format!("was told about itself: {:?}", event.what),
                );
            }
            What::Added { name } if !self.present.insert(name) => {
                let what = format!("was told that {name} came, who was there already");
                self.find(event.at, &what);
            }
            What::Left { name } if !self.present.remove(name.as_str()) => {
                let what = format!("was told that {name} went, who was not there");
                self.find(event.at, &what);
            }
            _ => {}
        }
    }

    /// Compares the view with the truth, if the session certainly is there and reads.
    fn compare(&mut self, view: &View<'a>, at: Duration) {
        let news = view.bounds.news();
        let from = at.saturating_sub(news);
        if self.stay.since > from || view.sure_until(self.session, self.stay) < at {
            return;
        }
        let must = view.must_be_in(self.stay.room, from, at);
        let may = view.may_be_in(self.stay.room, from, at);
        let missing: Vec<&str> = must.difference(&self.present).copied().collect();
        let ghosts: Vec<&str> = self.present.difference(&may).copied().collect();
        for name in missing {
            if self.told.insert(name) {
                self.find(at, &format!("does not know of {name}, who is there"));
            }
        }
        for name in ghosts {
            if self.told.insert(name) {
                self.find(at, &format!("believes in {name}, who is not there"));
            }
        }
    }

    fn find(&mut self, at: Duration, what: &str) {
        let what = format!("{} in {} {what}", self.session, self.stay.room);
        self.findings.push((at, what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{ALICE, BOB, CAROL, Story};

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    fn alice_and_bob() -> Story {
        Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .adds(201, ALICE, BOB)
    }

    #[test]
    fn each_coming_and_going_is_told_once() {
        let story = alice_and_bob()
            .leaves(500, BOB)
            .drops(520, ALICE, BOB)
            .enters(600, BOB, "red", &[ALICE, BOB])
            .adds(601, ALICE, BOB);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_coming_that_is_told_twice_is_found() {
        assert_eq!(findings(alice_and_bob().adds(300, ALICE, BOB)), 1);
    }

    #[test]
    fn a_going_of_who_was_not_there_is_found() {
        assert_eq!(findings(alice_and_bob().drops(300, BOB, CAROL)), 1);
    }

    #[test]
    fn nobody_is_told_about_himself() {
        let told = |story: Story| check(&View::new(&story.record()))[0].1.clone();
        let added = told(alice_and_bob().adds(201, BOB, BOB));
        assert!(added.contains("about itself"), "{added}");
        let left = told(alice_and_bob().drops(300, BOB, BOB));
        assert!(left.contains("about itself"), "{left}");
    }

    #[test]
    fn the_list_has_the_one_who_enters_exactly_once() {
        let enters = |users: &[u32]| Story::new().enters(100, ALICE, "red", users);
        assert_eq!(findings(enters(&[ALICE])), 0);
        assert_eq!(findings(enters(&[])), 1);
        assert_eq!(findings(enters(&[ALICE, ALICE])), 1);
    }

    #[test]
    fn a_coming_that_was_never_told_shows_when_the_run_has_settled() {
        let story = alice_and_bob().enters(300, CAROL, "red", &[ALICE, BOB, CAROL]);
        // Alice and Bob both do not know of Carol.
        assert_eq!(findings(story), 2);
    }

    #[test]
    fn a_going_that_was_never_told_shows_when_the_run_has_settled() {
        assert_eq!(findings(alice_and_bob().leaves(500, BOB)), 1);
    }

    #[test]
    fn a_going_that_is_told_while_the_run_settles_is_told() {
        let story = alice_and_bob()
            .vanishes(25_000, BOB)
            .drops(31_000, ALICE, BOB);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_coming_may_be_on_its_way_when_everybody_leaves() {
        let story = |at| alice_and_bob().enters(at, CAROL, "red", &[ALICE, BOB, CAROL]);
        assert_eq!(findings(story(39_980)), 0);
        assert_eq!(findings(story(39_800)), 2);
    }

    #[test]
    fn what_a_vanished_user_believes_is_nobodys_affair() {
        let story = alice_and_bob().vanishes(300, ALICE).leaves(500, BOB);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_new_room_has_a_new_list() {
        let story = alice_and_bob()
            .asks(500, BOB, "blue")
            .gets_in(520, BOB, &[BOB])
            .drops(521, ALICE, BOB);
        assert_eq!(findings(story), 0);
    }
}
