//! G2: a message reaches a session at most once.
//!
//! Demanded: no session hears one message twice, whether its send was answered with success, with
//! an error, or not at all, and whatever link broke and sent again. Let pass: two sessions of one
//! user hearing the same message, each once.

use std::collections::BTreeMap;
use std::time::Duration;

use loadgen::history::{MessageId, What};

use super::view::View;
use super::{Findings, clock};

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let mut findings = Findings::new();
    for session in &view.sessions {
        let mut heard: BTreeMap<MessageId, Duration> = BTreeMap::new();
        for event in &session.events {
            let What::Heard {
                message: Some(message),
                ..
            } = event.what
            else {
                continue;
            };
            if let Some(first) = heard.insert(message, event.at) {
                let what = format!("{session} heard {message} again, first at {}", clock(first));
                findings.push((event.at, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{ALICE, BOB, Story};

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    fn alice_says_something() -> Story {
        Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .says(300, ALICE, 1)
            .hears(310, BOB, ALICE, 1)
    }

    #[test]
    fn every_session_hears_a_message_for_itself() {
        let story = alice_says_something().hears(310, ALICE, ALICE, 1);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_session_that_hears_a_message_twice_is_found() {
        let story = alice_says_something().hears(900, BOB, ALICE, 1);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn the_next_session_of_a_user_may_hear_it_too() {
        let story = alice_says_something()
            .closes(400, BOB)
            .enters(500, BOB, "red", &[ALICE, BOB])
            .hears(510, BOB, ALICE, 1);
        assert_eq!(findings(story), 0);
    }
}
